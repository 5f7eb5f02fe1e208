/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mux=on: several front ends on one back end.  All write; input goes to the one
 * that has the focus, which Ctrl-a c moves.  The front end that set its
 * handlers last has it first, which is settled when the main loop runs.
 *
 * A front end hears of OPENED when it has the focus for the first time: so a
 * monitor greets who turns to it, not who watches the guest start.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "char-internal.h"

#define MUX_MAX 4
#define MUX_INPUT 256           /* bytes that a front end may be behind */
#define ESCAPE 0x01             /* Ctrl-a */

typedef struct MuxFrontEnd {
    CharBackend *be;            /* NULL: free */
    bool told;                  /* of OPENED */
    bool waiting;               /* for room to write */
    uint8_t input[MUX_INPUT];   /* a ring */
    unsigned head, count;
} MuxFrontEnd;

typedef struct MuxChardev {
    Chardev parent;
    CharBackend base;
    MuxFrontEnd fe[MUX_MAX];
    int focus;                  /* index of @fe, -1: nobody */
    bool escaped;               /* the last byte was ESCAPE */
    QEMUBH *settled_bh;
} MuxChardev;

static void tell(MuxFrontEnd *fe, QEMUChrEvent event)
{
    if (fe->be && fe->be->event) {
        fe->be->event(fe->be->opaque, event);
    }
}

/* Gives to @fe what it takes of its input. */
static void deliver(MuxFrontEnd *fe)
{
    while (fe->count && fe->be && fe->be->read && fe->be->can_read) {
        unsigned n = MIN(fe->count, MUX_INPUT - fe->head);
        int room = fe->be->can_read(fe->be->opaque);
        uint8_t part[MUX_INPUT];

        if (room <= 0) {
            return;
        }
        n = MIN(n, room);
        memcpy(part, fe->input + fe->head, n);
        fe->head = (fe->head + n) % MUX_INPUT;
        fe->count -= n;
        fe->be->read(fe->be->opaque, part, n);
    }
}

static void move_focus(MuxChardev *m, int index)
{
    MuxFrontEnd *old = m->focus >= 0 ? &m->fe[m->focus] : NULL;

    if (m->focus == index) {
        return;
    }
    if (old && old->be) {
        old->be->focus = false;
        if (old->told) {
            tell(old, CHR_EVENT_MUX_OUT);
        }
    }
    m->focus = index;
    if (index >= 0) {
        m->fe[index].be->focus = true;
    }
    qemu_chr_fe_accept_input(&m->base);     /* who has it may have room */
}

/* The one with the focus hears of it, as far as that is news. */
static void tell_focused(MuxChardev *m, bool moved)
{
    MuxFrontEnd *fe = m->focus >= 0 ? &m->fe[m->focus] : NULL;

    if (!fe || !m->parent.open) {
        return;
    }
    if (!fe->told) {
        fe->told = true;
        tell(fe, CHR_EVENT_OPENED);
    } else if (moved) {
        tell(fe, CHR_EVENT_MUX_IN);
    }
}

static void set_focus(MuxChardev *m, int index)
{
    bool moved = m->focus != index;

    move_focus(m, index);
    tell_focused(m, moved);
}

static void focus_settled(void *opaque)
{
    tell_focused(opaque, false);
}

/* The next front end after the one with the focus, -1 if there is none. */
static int next_front_end(const MuxChardev *m)
{
    for (int i = 1; i <= MUX_MAX; i++) {
        int index = (m->focus + i + MUX_MAX) % MUX_MAX;

        if (m->fe[index].be) {
            return index;
        }
    }
    return -1;
}

static void say(MuxChardev *m, const char *text)
{
    qemu_chr_fe_write_all(&m->base, (const uint8_t *)text, strlen(text));
}

static void print_help(MuxChardev *m)
{
    say(m, "\r\n"
           "C-a h    print this help\r\n"
           "C-a x    exit emulator\r\n"
           "C-a b    send break (magic sysrq)\r\n"
           "C-a c    switch between console and monitor\r\n"
           "C-a C-a  sends C-a\r\n");
}

static void quit(MuxChardev *m)
{
    say(m, "QEMU: Terminated\r\n");
    chr_quit();
}

static void break_focused(MuxChardev *m)
{
    if (m->focus >= 0) {
        tell(&m->fe[m->focus], CHR_EVENT_BREAK);
    }
}

static void switch_focus(MuxChardev *m)
{
    set_focus(m, next_front_end(m));
}

static const struct {
    char key;
    void (*action)(MuxChardev *m);
} escapes[] = {
    { 'h', print_help }, { '?', print_help }, { 'x', quit },
    { 'b', break_focused }, { 'c', switch_focus },
};

/* True if @c is for the front end. */
static bool is_input(MuxChardev *m, uint8_t c)
{
    if (!m->escaped) {
        m->escaped = c == ESCAPE;
        return !m->escaped;
    }
    m->escaped = false;
    for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
        if (c == escapes[i].key) {
            escapes[i].action(m);
            return false;
        }
    }
    return c == ESCAPE;
}

/* -- As a front end of the base ------------------------------------------- */

static int base_can_read(void *opaque)
{
    MuxChardev *m = opaque;

    return m->focus < 0 ? MUX_INPUT : MUX_INPUT - m->fe[m->focus].count;
}

static void base_read(void *opaque, const uint8_t *buf, int size)
{
    MuxChardev *m = opaque;

    for (int i = 0; i < size; i++) {
        if (is_input(m, buf[i]) && m->focus >= 0) {
            MuxFrontEnd *fe = &m->fe[m->focus];

            /* Room was promised by the one that had the focus before. */
            if (fe->count == MUX_INPUT) {
                deliver(fe);
            }
            if (fe->count < MUX_INPUT) {
                fe->input[(fe->head + fe->count++) % MUX_INPUT] = buf[i];
            }
        }
    }
    for (int i = 0; i < MUX_MAX; i++) {
        deliver(&m->fe[i]);     /* the focus may have moved several times */
    }
}

static void base_event(void *opaque, QEMUChrEvent event)
{
    MuxChardev *m = opaque;

    m->parent.open = qemu_chr_fe_backend_connected(&m->base);
    if (event == CHR_EVENT_OPENED) {
        qemu_bh_schedule(m->settled_bh);
    } else if (event == CHR_EVENT_BREAK) {
        break_focused(m);
    } else if (event == CHR_EVENT_CLOSED) {
        for (int i = 0; i < MUX_MAX; i++) {
            if (m->fe[i].told) {
                m->fe[i].told = false;
                tell(&m->fe[i], event);
            }
        }
    }
}

static void base_writable(void *opaque)
{
    MuxChardev *m = opaque;

    for (int i = 0; i < MUX_MAX; i++) {
        CharBackend *be = m->fe[i].be;

        if (m->fe[i].waiting) {
            m->fe[i].waiting = false;
            if (be && be->writable) {
                be->writable(be->opaque);
            }
        }
    }
}

/* -- As a back end -------------------------------------------------------- */

static int find_front_end(const MuxChardev *m, const CharBackend *be)
{
    for (int i = 0; i < MUX_MAX; i++) {
        if (m->fe[i].be == be) {
            return i;
        }
    }
    return -1;
}

static bool mux_attach(Chardev *chr, CharBackend *be, Error **errp)
{
    MuxChardev *m = (MuxChardev *)chr;
    int i = find_front_end(m, NULL);

    if (i < 0) {
        error_setg(errp, "Chardev '%s' is busy: a mux has %d front ends at "
                   "most", chr->label, MUX_MAX);
        return false;
    }
    m->fe[i] = (MuxFrontEnd) { .be = be };
    chr->be = be;
    return true;
}

static void mux_detach(Chardev *chr, CharBackend *be)
{
    MuxChardev *m = (MuxChardev *)chr;
    int i = find_front_end(m, be), next;

    if (i < 0) {
        return;
    }
    m->fe[i].be = NULL;
    be->focus = false;
    next = next_front_end(m);
    if (m->focus == i) {
        set_focus(m, next);
    }
    chr->be = next < 0 ? NULL : m->fe[next].be;
}

static void mux_handlers_set(Chardev *chr, CharBackend *be)
{
    MuxChardev *m = (MuxChardev *)chr;
    int i = find_front_end(m, be);

    if (be->read || be->event) {
        m->fe[i].told = false;
        move_focus(m, i);
        qemu_bh_schedule(m->settled_bh);
    }
}

static int mux_write(Chardev *chr, CharBackend *be, const uint8_t *buf,
                     int len, bool all)
{
    MuxChardev *m = (MuxChardev *)chr;
    int n;

    if (all) {
        return qemu_chr_fe_write_all(&m->base, buf, len);
    }
    n = qemu_chr_fe_write(&m->base, buf, len);
    if (n < len) {
        m->fe[find_front_end(m, be)].waiting = true;
    }
    return n;
}

static void mux_accept_input(Chardev *chr, CharBackend *be)
{
    MuxChardev *m = (MuxChardev *)chr;

    deliver(&m->fe[find_front_end(m, be)]);
    qemu_chr_fe_accept_input(&m->base);
}

static void mux_close(Chardev *chr)
{
    MuxChardev *m = (MuxChardev *)chr;

    for (int i = 0; i < MUX_MAX; i++) {
        if (m->fe[i].be) {
            m->fe[i].be->chr = NULL;
        }
    }
    qemu_chr_fe_deinit(&m->base);
    qemu_bh_delete(m->settled_bh);
}

const ChardevOps chr_mux_ops = {
    .name = "mux",
    .size = sizeof(MuxChardev),
    .close = mux_close,
    .attach = mux_attach,
    .detach = mux_detach,
    .handlers_set = mux_handlers_set,
    .write = mux_write,
    .accept_input = mux_accept_input,
};

Chardev *chr_mux_new(const char *label, Chardev *base)
{
    Chardev *chr = chr_alloc(&chr_mux_ops, label);
    MuxChardev *m = (MuxChardev *)chr;

    m->focus = -1;
    m->settled_bh = aio_bh_new(qemu_get_aio_context(), focus_settled, m);
    qemu_chr_fe_init(&m->base, base, &error_abort);
    qemu_chr_fe_set_handlers(&m->base, base_can_read, base_read, base_event,
                             m);
    qemu_chr_fe_set_writable(&m->base, base_writable);
    chr->open = base->open;
    return chr;
}
