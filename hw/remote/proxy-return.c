/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A proxied device whose process went away and comes back: looks for the
 * socket now and then, has a thread find out whether what listens is the same
 * kind of device and program it as the guest had, and hands its connection to
 * the proxy's link.  For the guest the device has then been reset.
 *
 * All but the thread runs in the main loop.  The thread touches nothing but
 * its attempt, so that a process that does not answer holds nobody up.
 */
#include "qemu/osdep.h"
#include "hw/remote/proxy.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "qemu/thread.h"
#include "qemu/timer.h"

struct ProxyReturn {
    PCIProxyDev *dev;           /* NULL: no longer wanted */
    QEMUTimer *timer;
    char *told;                 /* the last complaint, made once */

    /* An attempt; the thread's while it runs. */
    bool trying;
    QemuThread thread;
    ProxyLink *link;
    ProxyShape want;
    uint8_t header[PCI_STD_HEADER_SIZEOF];
    Error *err;
};

static void nothing(void *opaque)
{
}

static void try_later(ProxyReturn *r)
{
    timer_mod(r->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME)
              + r->dev->reconnect_ms);
}

static void drop_link(ProxyReturn *r)
{
    if (r->link) {
        r->link->ops->free(r->link);
        r->link = NULL;
    }
}

static void return_free(ProxyReturn *r)
{
    drop_link(r);
    timer_free(r->timer);
    error_free(r->err);
    g_free(r->told);
    g_free(r);
}

static void start_attempt(ProxyReturn *r);

/* Main loop: the thread has come to an answer. */
static void attempt_ended(void *opaque)
{
    ProxyReturn *r = opaque;

    qemu_thread_join(&r->thread);
    r->trying = false;
    if (!r->dev) {
        return_free(r);
        return;
    }
    if (r->err) {
        if (g_strcmp0(r->told, error_get_pretty(r->err))) {
            g_free(r->told);
            r->told = g_strdup(error_get_pretty(r->err));
            warn_report("%s: not connected again to '%s': %s",
                        qdev_get_printable_name(DEVICE(r->dev)),
                        r->dev->socket_path, r->told);
        }
        error_free(r->err);
        r->err = NULL;
        drop_link(r);
        try_later(r);
    } else if (memcmp(r->header, r->dev->parent_dev.config,
                      sizeof(r->header))) {
        /* The guest has programmed something else in the meantime. */
        start_attempt(r);
    } else {
        ProxyLink *link = r->link;

        r->link = NULL;
        g_clear_pointer(&r->told, g_free);
        proxy_take_over(r->dev, link);
    }
}

static void *attempt_thread(void *opaque)
{
    ProxyReturn *r = opaque;
    ProxyShape shape;

    qemu_thread_serve_guest();
    if (proxy_probe(r->link, &shape, &r->err)) {
        if (!proxy_shape_equal(&shape, &r->want)) {
            error_setg(&r->err, "it is another device (%04x:%04x) than the "
                       "one that went away, or has other regions",
                       shape.ids[0] & 0xffff, shape.ids[0] >> 16);
        } else {
            proxy_replay(r->link, r->header, &r->err);
        }
    }
    aio_bh_schedule_oneshot(qemu_get_aio_context(), attempt_ended, r);
    return NULL;
}

static void start_attempt(ProxyReturn *r)
{
    memcpy(r->header, r->dev->parent_dev.config, sizeof(r->header));
    r->want = r->dev->shape;
    r->trying = qemu_thread_create(&r->thread, "proxy return", attempt_thread,
                                   r, NULL);
    if (!r->trying) {
        drop_link(r);
        try_later(r);
    }
}

static void look(void *opaque)
{
    ProxyReturn *r = opaque;
    PCIProxyDev *dev = r->dev;
    int fd = unix_connect(dev->socket_path, NULL);

    if (fd < 0) {
        try_later(r);
        return;
    }
    r->link = mpqemu_proxy_link_new(fd, dev->timeout, dev->poll_max_ns,
                                    nothing, NULL);
    start_attempt(r);
}

void proxy_return_start(PCIProxyDev *dev)
{
    if (!dev->socket_path || !dev->reconnect_ms) {
        return;
    }
    if (!dev->returning) {
        dev->returning = g_new0(ProxyReturn, 1);
        dev->returning->dev = dev;
        dev->returning->timer = aio_timer_new(qemu_get_aio_context(),
                                              QEMU_CLOCK_REALTIME, SCALE_MS,
                                              look, dev->returning);
    }
    try_later(dev->returning);
}

void proxy_return_stop(PCIProxyDev *dev)
{
    ProxyReturn *r = dev->returning;

    if (!r) {
        return;
    }
    dev->returning = NULL;
    r->dev = NULL;
    timer_del(r->timer);
    if (r->trying) {
        /* It wakes up, and what follows frees it. */
        r->link->ops->shutdown(r->link);
    } else {
        return_free(r);
    }
}
