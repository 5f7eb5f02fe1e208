/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitors (QMP and human) as the rest of the program sees them. */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <json-glib/json-glib.h>
#include "qapi/error.h"

/**
 * monitor_event - send an event to every QMP client.
 * @name: as in the schema
 * @data: taken over, or NULL
 *
 * Any thread; the time stamp is that of the call.
 */
void monitor_event(const char *name, JsonObject *data);

/* Sends what is still to be sent, before the end.  Main loop's thread. */
void monitor_flush_events(void);

/* Who wants events: a node as it goes on the wire; main loop.  BQL. */
typedef void MonitorEventSink(void *opaque, JsonNode *event);
void monitor_add_event_sink(MonitorEventSink *fn, void *opaque);

/* -mon's and, with "short", -monitor's and -qmp's argument. */
bool monitor_new(JsonObject *opts, Error **errp);
/* Runs one line of the human monitor; its output (g_free). */
char *hmp_run(const char *line);

#endif
