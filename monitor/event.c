/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events: from any thread to every management client, by the main loop. */
#include "qemu/osdep.h"
#include "monitor/monitor.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

typedef struct EventSink {
    MonitorEventSink *fn;
    void *opaque;
    QTAILQ_ENTRY(EventSink) link;
} EventSink;

static QTAILQ_HEAD(, EventSink) sinks = QTAILQ_HEAD_INITIALIZER(sinks);

static GAsyncQueue *waiting;    /* of JsonNode */

static void __attribute__((constructor)) make_queue(void)
{
    waiting = g_async_queue_new();
}

void monitor_flush_events(void)
{
    JsonNode *event;

    while ((event = g_async_queue_try_pop(waiting))) {
        EventSink *sink, *next;

        QTAILQ_FOREACH_SAFE(sink, &sinks, link, next) {
            sink->fn(sink->opaque, event);
        }
        json_node_unref(event);
    }
}

static void deliver(void *opaque)
{
    monitor_flush_events();
}

void monitor_event(const char *name, JsonObject *data)
{
    /* Not GLib's, which is another system call where there is no page for it. */
    int64_t now_us = qemu_clock_get_ns(QEMU_CLOCK_HOST) / SCALE_US;
    JsonObject *event = json_object_new(), *timestamp = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(timestamp, "seconds", now_us / G_USEC_PER_SEC);
    json_object_set_int_member(timestamp, "microseconds",
                               now_us % G_USEC_PER_SEC);
    json_object_set_object_member(event, "timestamp", timestamp);
    json_object_set_string_member(event, "event", name);
    if (data) {
        json_object_set_object_member(event, "data", data);
    }
    json_node_take_object(node, event);
    g_async_queue_push(waiting, node);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), deliver, NULL);
}

void monitor_add_event_sink(MonitorEventSink *fn, void *opaque)
{
    EventSink *sink = g_new0(EventSink, 1);

    sink->fn = fn;
    sink->opaque = opaque;
    QTAILQ_INSERT_TAIL(&sinks, sink, link);
}
