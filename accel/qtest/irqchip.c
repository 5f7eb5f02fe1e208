/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt chips of -accel qtest and what raises their lines, with the
 * rules of KVM's irqfds (Linux virt/kvm/eventfd.c), so that whoever relies on
 * them can be tested without KVM.
 *
 * A GSI's level is the OR of two sources: models' levels, and the irqfds with
 * resampling, which share one.  When the guest ends the GSI's interrupt, the
 * second is lowered and each of these irqfds' resamplefds signalled; who still
 * wants attention raises again.  An irqfd without resampling makes an edge.
 */
#include "qemu/osdep.h"
#include "hw/intc/irqchip.h"
#include "qemu/aio.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "system/qtest.h"
#include "system/runstate.h"

#define N_GSIS IOAPIC_PINS

enum { SOURCE_MODEL = 1, SOURCE_RESAMPLE = 2 };

typedef struct Irqfd {
    EventNotifier e;            /* of the owner */
    EventNotifier resample;     /* a duplicate of the owner's; -1: none */
    int gsi;
    QLIST_ENTRY(Irqfd) node;
} Irqfd;

static struct {
    I8259State *pics;
    IOAPICState *ioapic;
    APICState *apic;
    uint8_t sources[N_GSIS];
    QLIST_HEAD(, Irqfd) irqfds;
} chips;

/* -- Lines ---------------------------------------------------------------- */

static void gsi_set(int gsi, uint8_t source, bool level)
{
    uint8_t was = chips.sources[gsi];
    uint8_t now = level ? was | source : was & ~source;

    chips.sources[gsi] = now;
    if (!was == !now) {
        return;
    }
    trace_event("qtest_gsi", "gsi %d level %d", gsi, !!now);
    if (gsi < I8259_PINS) {
        qemu_set_irq(qdev_get_gpio_in(DEVICE(chips.pics), gsi), !!now);
    }
    qemu_set_irq(qdev_get_gpio_in(DEVICE(chips.ioapic), gsi), !!now);
}

void qtest_set_gsi(int gsi, int level)
{
    assert(gsi >= 0 && gsi < N_GSIS);
    gsi_set(gsi, SOURCE_MODEL, level);
}

/* Either chip says so, for the GSI is on both. */
static void gsi_acked(int gsi)
{
    bool lowered = false;
    Irqfd *i;

    QLIST_FOREACH(i, &chips.irqfds, node) {
        if (i->gsi != gsi || i->resample.fd < 0) {
            continue;
        }
        if (!lowered) {
            lowered = true;
            gsi_set(gsi, SOURCE_RESAMPLE, false);
        }
        event_notifier_set(&i->resample);
    }
}

static bool deliver(const APICMessage *msg)
{
    return apic_deliver(chips.apic, msg);
}

static void vector_ended(uint8_t vector)
{
    ioapic_end(chips.ioapic, vector);
}

void qtest_send_msi(MSIMessage msg)
{
    APICMessage apic_msg = {
        .dest = extract64(msg.address, 12, 8),
        .logical = msg.address & BIT(2),
        .mode = extract32(msg.data, 8, 3),
        .vector = msg.data,
    };
    uint8_t data[4];

    if ((msg.address & ~0xfffffULL) == APIC_BASE) {
        deliver(&apic_msg);     /* what no APIC takes is lost */
        return;
    }
    stl_le_p(data, msg.data);
    address_space_write(&address_space_memory, msg.address,
                        MEMTXATTRS_UNSPECIFIED, data, sizeof(data));
}

/* -- irqfds --------------------------------------------------------------- */

static void irqfd_hit(EventNotifier *e)
{
    Irqfd *i = container_of(e, Irqfd, e);

    if (!event_notifier_test_and_clear(e)) {
        return;
    }
    if (i->resample.fd >= 0) {
        gsi_set(i->gsi, SOURCE_RESAMPLE, true);
    } else if (!chips.sources[i->gsi]) {
        gsi_set(i->gsi, SOURCE_MODEL, true);
        gsi_set(i->gsi, SOURCE_MODEL, false);
    }
}

static Irqfd *irqfd_find(int gsi, int fd)
{
    Irqfd *i;

    QLIST_FOREACH(i, &chips.irqfds, node) {
        if (i->gsi == gsi && i->e.fd == fd) {
            return i;
        }
    }
    return NULL;
}

int qtest_add_irqfd(int gsi, EventNotifier *e, EventNotifier *resample)
{
    int fd = event_notifier_get_fd(e);
    Irqfd *i;

    if (gsi < 0 || gsi >= N_GSIS) {
        return -EINVAL;
    }
    QLIST_FOREACH(i, &chips.irqfds, node) {
        if (i->e.fd == fd) {
            return -EBUSY;      /* one GSI an eventfd, as in KVM */
        }
    }
    i = g_new0(Irqfd, 1);
    i->gsi = gsi;
    i->e.fd = fd;
    i->resample.fd = resample ? fcntl(resample->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (resample && i->resample.fd < 0) {
        int err = errno;

        g_free(i);
        return -err;
    }
    QLIST_INSERT_HEAD(&chips.irqfds, i, node);
    aio_set_event_notifier(qemu_get_aio_context(), &i->e, irqfd_hit);
    /* It may have been signalled before. */
    irqfd_hit(&i->e);
    return 0;
}

/* The last irqfd with resampling that leaves a GSI takes its source down. */
static void resample_left(int gsi)
{
    Irqfd *i;

    QLIST_FOREACH(i, &chips.irqfds, node) {
        if (i->gsi == gsi && i->resample.fd >= 0) {
            return;
        }
    }
    gsi_set(gsi, SOURCE_RESAMPLE, false);
}

int qtest_remove_irqfd(int gsi, EventNotifier *e)
{
    Irqfd *i = irqfd_find(gsi, event_notifier_get_fd(e));

    if (gsi < 0 || gsi >= N_GSIS) {
        return -EINVAL;
    }
    if (!i) {
        return 0;               /* KVM does not mind either */
    }
    QLIST_REMOVE(i, node);
    aio_set_event_notifier(qemu_get_aio_context(), &i->e, NULL);
    event_notifier_cleanup(&i->resample);
    resample_left(gsi);
    g_free(i);
    return 0;
}

/* -- Making them ----------------------------------------------------------- */

static void reset_chip(void *opaque)
{
    device_cold_reset(opaque);
}

bool qtest_irqchip_create(MachineState *ms, Error **errp)
{
    Object *machine = (Object *)ms;

    chips.pics = i8259_new(machine, get_system_io(), gsi_acked);
    chips.ioapic = ioapic_new(machine, get_system_memory(), deliver,
                              gsi_acked);
    chips.apic = apic_new(machine, get_system_memory(), vector_ended);
    qemu_register_reset(reset_chip, chips.pics);
    qemu_register_reset(reset_chip, chips.ioapic);
    qemu_register_reset(reset_chip, chips.apic);
    return true;
}
