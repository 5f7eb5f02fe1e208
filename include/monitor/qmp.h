/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP: commands as tables.  A row is the only description of a command: the
 * dispatcher finds it there, arguments are checked against it, and
 * query-qmp-schema and docs/interop/qmp-reference.md are made from it.
 */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include <json-glib/json-glib.h>
#include "qapi/error.h"

/*
 * A type is named as a string: "str", "int", "bool", "number", "any", "null",
 * a type of a table below, or "[T]", a list of one of these.
 */
typedef struct QMPMember {
    /* NULL ends a list; "*": any name at all; "+VALUE": no member, but the type
     * of the others if the first member has that value (of "*", for the schema) */
    const char *name;
    const char *type;
    bool optional;
    const char *doc;            /* or NULL */
} QMPMember;

typedef struct QMPType {
    const char *name;
    const char *const *values;  /* of an enumeration, or NULL */
    const QMPMember *members;   /* of an object, or NULL */
    const char *doc;
} QMPType;

/* Runs with the BQL in the main loop.  Returns a new node, or NULL: with @errp
 * set it has failed, without it has nothing to say ({}). */
typedef JsonNode *QMPHandler(JsonObject *args, Monitor *mon, Error **errp);

typedef struct QMPCommand {
    const char *name;           /* NULL ends a table */
    const QMPMember *args;      /* NULL: none */
    const char *returns;        /* type; NULL: nothing */
    QMPHandler *handler;
    const char *doc;            /* one sentence */
    bool before_capabilities;   /* qmp_capabilities */
    const char *const *features;        /* as the schema tells them, or NULL */
} QMPCommand;

typedef struct QMPEvent {
    const char *name;
    const QMPMember *data;
    const char *doc;
} QMPEvent;

/* Tables join the schema before main() runs. */
void qmp_register_commands(const QMPCommand *commands);
void qmp_register_types(const QMPType *types);
void qmp_register_events(const QMPEvent *events);
#define QMP_TABLE(what, table)                                          \
    static void __attribute__((constructor)) do_qmp_##table(void)       \
    {                                                                   \
        qmp_register_##what(table);                                     \
    }

/* For a handler's result: a node that owns what is given. */
JsonNode *qmp_take_object(JsonObject *obj);
JsonNode *qmp_take_array(JsonArray *list);

const QMPCommand *qmp_find_command(const char *name);
/* Calls @fn for each command, by name. */
void qmp_for_each_command(void (*fn)(const QMPCommand *cmd, void *opaque),
                          void *opaque);

/* NULL: built in, or unknown. */
const QMPType *qmp_find_type(const char *name);
void qmp_for_each_type(void (*fn)(const QMPType *type, void *opaque),
                       void *opaque);
void qmp_for_each_event(void (*fn)(const QMPEvent *event, void *opaque),
                        void *opaque);
/* docs/interop/qmp-reference.md, which is what `-qmp help` prints. */
char *qmp_reference(void);

/* Checks @args (may be NULL) against the row: unknown, missing and badly typed
 * members are named in @errp. */
bool qmp_check_args(const QMPCommand *cmd, JsonObject *args, Error **errp);

/* A whole request as it came, to a whole answer; @ready: capabilities have
 * been negotiated (set by qmp_capabilities). */
JsonNode *qmp_dispatch(JsonNode *request, Monitor *mon, bool *ready);

#endif
