/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What front ends call, and what they are told. */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "char-internal.h"

void chr_event(Chardev *chr, QEMUChrEvent event)
{
    CharBackend *be = chr->be;

    if (be && be->event) {
        be->event(be->opaque, event);
    }
}

void chr_set_open(Chardev *chr, bool open)
{
    if (chr->open != open) {
        chr->open = open;
        chr_event(chr, open ? CHR_EVENT_OPENED : CHR_EVENT_CLOSED);
        if (!open) {
            chr_io_tell_writable(chr);      /* now all is taken */
        }
    }
}

void chr_log(Chardev *chr, const uint8_t *buf, size_t len)
{
    while (chr->log_fd >= 0 && len) {
        ssize_t n = RETRY_ON_EINTR(write(chr->log_fd, buf, len));

        if (n < 0) {
            error_report("Log file of chardev '%s': %s; no longer written",
                         chr->label, g_strerror(errno));
            qemu_close(&chr->log_fd);
            return;
        }
        buf += n;
        len -= n;
    }
}

bool qemu_chr_fe_init(CharBackend *be, Chardev *chr, Error **errp)
{
    if (chr->ops->attach) {
        if (!chr->ops->attach(chr, be, errp)) {
            return false;
        }
    } else if (chr->be) {
        error_setg(errp, "Chardev '%s' is busy", chr->label);
        return false;
    } else {
        chr->be = be;
    }
    be->chr = chr;
    return true;
}

void qemu_chr_fe_deinit(CharBackend *be)
{
    Chardev *chr = be->chr;

    if (!chr) {
        return;
    }
    qemu_chr_fe_set_handlers(be, NULL, NULL, NULL, NULL);
    be->chr = NULL;
    if (chr->ops->detach) {
        chr->ops->detach(chr, be);
    } else {
        chr->be = NULL;
    }
    chr_io_drop_msgfds(chr);
}

void qemu_chr_fe_set_handlers(CharBackend *be, int (*can_read)(void *),
                              void (*read)(void *, const uint8_t *, int),
                              void (*event)(void *, QEMUChrEvent),
                              void *opaque)
{
    Chardev *chr = be->chr;

    be->can_read = can_read;
    be->read = read;
    be->event = event;
    be->opaque = opaque;
    if (!can_read && !read && !event) {
        be->writable = NULL;
    }
    if (!chr) {
        return;
    }
    chr->paused = false;
    if (chr->ops->handlers_set) {
        chr->ops->handlers_set(chr, be);
        return;
    }
    chr_io_update(chr);
    if (chr->open) {
        chr_event(chr, CHR_EVENT_OPENED);
    }
}

void qemu_chr_fe_set_writable(CharBackend *be, void (*writable)(void *opaque))
{
    be->writable = writable;
}

static int fe_write(CharBackend *be, const uint8_t *buf, int len, bool all)
{
    Chardev *chr = be->chr;

    if (!chr || len <= 0) {
        return len;
    }
    if (chr->ops->write) {
        return chr->ops->write(chr, be, buf, len, all);
    }
    return chr_io_write(chr, buf, len, all);
}

int qemu_chr_fe_write(CharBackend *be, const uint8_t *buf, int len)
{
    return fe_write(be, buf, len, false);
}

int qemu_chr_fe_write_all(CharBackend *be, const uint8_t *buf, int len)
{
    return fe_write(be, buf, len, true);
}

void qemu_chr_fe_accept_input(CharBackend *be)
{
    Chardev *chr = be->chr;

    if (!chr) {
        return;
    }
    if (chr->ops->accept_input) {
        chr->ops->accept_input(chr, be);
    } else if (chr->paused) {
        chr->paused = false;
        chr_io_update(chr);
    }
}

int qemu_chr_fe_get_msgfds(CharBackend *be, int *fds, int num)
{
    Chardev *chr = be->chr;
    int n;

    if (!chr) {
        return 0;
    }
    n = MIN(num, chr->nmsgfds);
    memcpy(fds, chr->msgfds, n * sizeof(int));
    chr->nmsgfds -= n;
    memmove(chr->msgfds, chr->msgfds + n, chr->nmsgfds * sizeof(int));
    return n;
}

bool qemu_chr_fe_backend_connected(const CharBackend *be)
{
    return be->chr && be->chr->open;
}
