/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QMP session: bytes in, requests out of them, one after the other; answers
 * and events back.  Requests may come many on a line or in pieces.
 */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "qemu/option.h"

/* What a client may send without finishing a request. */
#define REQUEST_MAX (64 * MiB)
#define DEPTH_MAX 1024

/* Finds where a JSON value ends, without understanding it. */
typedef struct Framer {
    GString *text;
    unsigned depth;
    char quote;                 /* of the string that is open, or 0 */
    bool escaped, started;
} Framer;

typedef struct QMPSession {
    Monitor mon;
    CharBackend chr;
    Framer framer;
    bool pretty;
    bool ready;                 /* capabilities negotiated */
} QMPSession;

static void framer_reset(Framer *f)
{
    g_string_truncate(f->text, 0);
    f->depth = 0;
    f->quote = 0;
    f->escaped = f->started = false;
}

/* True if @c completes a value.  Text outside of braces runs to the line's
 * end, so that nonsense is answered when it is over. */
static bool framer_feed(Framer *f, char c)
{
    if (!f->started && g_ascii_isspace(c)) {
        return false;
    }
    f->started = true;
    g_string_append_c(f->text, c);
    if (f->quote) {
        if (f->escaped) {
            f->escaped = false;
        } else if (c == '\\') {
            f->escaped = true;
        } else if (c == f->quote) {
            f->quote = 0;
        }
        /* No string has a line's end: so a new line begins anew. */
        return c == '\n' || f->text->len >= REQUEST_MAX;
    }
    switch (c) {
    case '"':
    case '\'':
        f->quote = c;
        return false;
    case '{':
    case '[':
        f->depth++;
        return f->depth > DEPTH_MAX;
    case '}':
    case ']':
        if (f->depth) {
            f->depth--;
        }
        return f->depth == 0;
    case '\n':
        return f->depth == 0;
    default:
        return f->text->len >= REQUEST_MAX;
    }
}

static void session_send(QMPSession *s, JsonNode *node)
{
    g_autofree char *text = json_text(node, s->pretty);

    qemu_chr_fe_write_all(&s->chr, (uint8_t *)text, strlen(text));
    qemu_chr_fe_write_all(&s->chr, (uint8_t *)"\r\n", 2);
}

static void session_request(QMPSession *s)
{
    g_autoptr(JsonNode) request = NULL, answer = NULL;
    g_autoptr(Error) err = NULL;

    if (s->framer.depth > DEPTH_MAX || s->framer.text->len >= REQUEST_MAX) {
        error_setg(&err, "JSON parse error, the request is too large");
    } else {
        request = json_parse(s->framer.text->str, &err);
    }
    framer_reset(&s->framer);
    if (!request) {
        answer = qmp_error_answer(NULL, err);
    } else {
        bool was_ready = s->ready;

        monitor_set_current(&s->mon);
        answer = qmp_dispatch(request, &s->mon, &s->ready);
        monitor_set_current(NULL);
        /* What the command caused is told before it is over: libvirt takes a
         * domain's state from events, and a command's end for their end. */
        if (was_ready) {
            monitor_flush_events();
        }
    }
    session_send(s, answer);
}

static int session_can_read(void *opaque)
{
    return 4096;
}

static void session_read(void *opaque, const uint8_t *buf, int size)
{
    QMPSession *s = opaque;

    monitor_take_fds(&s->mon, &s->chr);
    for (int i = 0; i < size; i++) {
        if (framer_feed(&s->framer, buf[i])) {
            session_request(s);
        }
    }
}

static void session_event(void *opaque, QEMUChrEvent event)
{
    QMPSession *s = opaque;

    if (event == CHR_EVENT_OPENED) {
        g_autoptr(JsonNode) greeting = qmp_greeting();

        framer_reset(&s->framer);
        s->ready = false;
        session_send(s, greeting);
    } else if (event == CHR_EVENT_CLOSED) {
        s->ready = false;
        monitor_drop_fds(&s->mon);
    }
}

static void session_deliver_event(void *opaque, JsonNode *event)
{
    QMPSession *s = opaque;

    if (s->ready) {
        session_send(s, event);
    }
}

bool qmp_session_new(Chardev *chr, bool pretty, Error **errp)
{
    QMPSession *s = g_new0(QMPSession, 1);

    if (!qemu_chr_fe_init(&s->chr, chr, errp)) {
        g_free(s);
        return false;
    }
    s->pretty = pretty;
    s->framer.text = g_string_new("");
    monitor_add_event_sink(session_deliver_event, s);
    qemu_chr_fe_set_handlers(&s->chr, session_can_read, session_read,
                             session_event, s);
    return true;
}
