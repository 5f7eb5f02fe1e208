/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the monitors of both kinds. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include <json-glib/json-glib.h>
#include "chardev/char.h"

/* What both kinds of session have: descriptors that their client has sent. */
struct Monitor {
    int received[16];           /* SCM_RIGHTS, not yet named by getfd */
    int num_received;
    GHashTable *fds;            /* name -> descriptor, or NULL */
};

/* Whose command runs, or NULL.  Main loop. */
void monitor_set_current(Monitor *mon);
void monitor_take_fds(Monitor *mon, CharBackend *chr);
/* The oldest descriptor that no command has taken; there is one. */
int monitor_take_received(Monitor *mon);
void monitor_drop_fds(Monitor *mon);

bool qmp_session_new(Chardev *chr, bool pretty, Error **errp);
bool hmp_session_new(Chardev *chr, Error **errp);

JsonNode *qmp_greeting(void);
JsonNode *qmp_error_answer(JsonNode *id, const Error *err);

/* Convenience for handlers: members of arguments that have been checked. */
const char *qmp_str(JsonObject *args, const char *name);    /* NULL: absent */

#endif
