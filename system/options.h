/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line as a table; see options.c. */
#ifndef SYSTEM_OPTIONS_H
#define SYSTEM_OPTIONS_H

#include <json-glib/json-glib.h>
#include "qapi/error.h"

typedef struct QEMUOption {
    const char *name;
    const char *syntax;         /* of the argument; NULL: it takes none; one
                                   that begins with '?' may be left out */
    const char *help;           /* one line; NULL: listed without */
    /* False with @errp set.  @arg is NULL where there is none. */
    bool (*handle)(const char *arg, Error **errp);
} QEMUOption;

typedef struct QEMUOptionTopic {
    const char *name;           /* one word */
    const char *title;
    const QEMUOption *options;  /* ends with { } */
} QEMUOptionTopic;

/* NULL-terminated, in the order of the help text. */
extern const QEMUOptionTopic *const option_topics[];

/* Everything on the command line, in order: false with @errp naming the
 * option at fault. */
bool options_parse(int argc, char **argv, Error **errp);
/* One option, as if it were on the command line. */
bool options_handle(const char *name, const char *arg, Error **errp);
const QEMUOption *options_find(const char *name);       /* NULL: none */
/* Whether there is one whose argument is KEY=VALUE,... */
bool options_takes_keyval(const char *name);
/* Upstream's name for the group of an option, and the option of a group: the same
 * name, but for a few. */
const char *options_group_of(const char *option);
const char *options_of_group(const char *group);
/* Why an option of upstream's is not here, or what there is instead; NULL: it
 * is not known as one. */
const char *option_absent(const char *name);
/* The option that is spelt most like @name, or NULL. */
const char *options_nearest(const char *name);
/* "-help [TOPIC or option]". */
bool options_print_help(const char *topic, Error **errp);
bool opt_add_fd(const char *arg, Error **errp);
bool opt_readconfig(const char *arg, Error **errp);

/* An option's argument, parsed and as it was typed. */
typedef struct StartOption {
    JsonObject *opts;
    char *text;                 /* "-device nvme,drive=d" */
} StartOption;

/* What the options left for each phase of the start: StartOptions or strings,
 * in order. */
typedef struct StartConfig {
    JsonObject *machine;        /* "type" and properties; never NULL */
    GPtrArray *accels;          /* of StartOption, as those that follow */
    JsonObject *smp, *mem, *numa_node, *boot;
    char *cpu;
    GPtrArray *smbios, *fw_cfg;
    GPtrArray *objects, *chardevs, *drives, *blockdevs, *devices, *monitors;
    GPtrArray *serials;         /* of strings: short forms */
    GPtrArray *globals;         /* of strings */
    char *qtest, *qtest_log;
    bool nodefaults, nographic, rtc_given, start_stopped, daemonize;
    bool msg_guest_name;
    char *pidfile;
} StartConfig;
extern StartConfig start_config;

#endif
