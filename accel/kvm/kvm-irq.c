/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's interrupt chips: two 8259s, an I/O APIC, a local APIC in each vCPU and
 * the 8254; and what raises their lines: models (GSI levels), other processes
 * (irqfds), messages.
 *
 * A GSI is a line of the platform: 0 to 15 reach the 8259s and the I/O APIC, 16
 * to 23 the I/O APIC only.  As on the hardware the timer's GSI 0 is I/O APIC
 * pin 2, and GSI 2, the 8259s' cascade, is nowhere.
 *
 * The level that the guest sees is the OR of what models set and of the irqfds
 * with resampling, which KVM keeps apart from each other.  Where both are on
 * one GSI there is a third: see "Models beside irqfds".
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "hw/pci/msi.h"
#include "system/memory.h"
#include "system/runstate.h"
#include "kvm-int.h"

#define N_GSIS 24

static void add_route(struct kvm_irq_routing *r, unsigned gsi, unsigned chip,
                      unsigned pin)
{
    r->entries[r->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

static int set_routes(void)
{
    g_autofree struct kvm_irq_routing *r =
        g_malloc0(sizeof(*r) + 2 * N_GSIS * sizeof(r->entries[0]));

    for (unsigned gsi = 0; gsi < N_GSIS; gsi++) {
        if (gsi == 2) {
            continue;
        }
        if (gsi < 8) {
            add_route(r, gsi, KVM_IRQCHIP_PIC_MASTER, gsi);
        } else if (gsi < 16) {
            add_route(r, gsi, KVM_IRQCHIP_PIC_SLAVE, gsi - 8);
        }
        add_route(r, gsi, KVM_IRQCHIP_IOAPIC, gsi ? gsi : 2);
    }
    return kvm_vm_ioctl(KVM_SET_GSI_ROUTING, r);
}

/* -- Reset --------------------------------------------------------------- */

static struct kvm_irqchip chips[3];     /* as KVM made them */
static struct kvm_pit_state2 pit_state;

static void chips_save(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
        chips[i].chip_id = i;
        kvm_vm_ioctl(KVM_GET_IRQCHIP, &chips[i]);
    }
    kvm_vm_ioctl(KVM_GET_PIT2, &pit_state);
}

static void chips_reset(void *opaque)
{
    for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
        kvm_vm_ioctl(KVM_SET_IRQCHIP, &chips[i]);
    }
    kvm_vm_ioctl(KVM_SET_PIT2, &pit_state);
}

/* -- Making them --------------------------------------------------------- */

bool kvm_irqchip_init(MachineState *ms, Error **errp)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
    int ret = kvm_vm_ioctl(KVM_CREATE_IRQCHIP, NULL);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "KVM cannot make interrupt controllers");
        return false;
    }
    ret = kvm_vm_ioctl(KVM_CREATE_PIT2, &pit);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "KVM cannot make a timer");
        return false;
    }
    ret = set_routes();
    if (ret < 0) {
        error_setg_errno(errp, -ret, "KVM refuses the interrupt routes");
        return false;
    }
    chips_save();
    qemu_register_reset(chips_reset, NULL);
    return true;
}

/* -- Models beside irqfds ------------------------------------------------ */

/*
 * When the guest unmasks an I/O APIC pin whose level rose while it was masked,
 * a kernel since 6.3 forgets the level if the GSI has an irqfd with
 * resampling, and signals resampling instead: it takes it that all who raise
 * the GSI listen for that.  So where models raise such a GSI, a listener for
 * them is there, too, and says their level again.
 *
 * It costs a wake-up at each end of an interrupt, so it is there only once a
 * model has raised a GSI while it had irqfds, and until it has none.
 */
typedef struct GsiState {
    bool level;                 /* what models set */
    GSList *irqfds;             /* EventNotifiers with resampling */
    bool listening;
    EventNotifier none;         /* raises nothing */
    EventNotifier resample;
} GsiState;

static GsiState gsi_states[N_GSIS];

static void set_line(int gsi, int level)
{
    struct kvm_irq_level line = { .irq = gsi, .level = level };

    kvm_vm_ioctl(KVM_IRQ_LINE, &line);
}

static int assign_irqfd(int gsi, EventNotifier *e, EventNotifier *resample)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(e), .gsi = gsi,
        .flags = resample ? KVM_IRQFD_FLAG_RESAMPLE : 0,
        .resamplefd = resample ? event_notifier_get_fd(resample) : 0,
    };

    return kvm_vm_ioctl(KVM_IRQFD, &irqfd);
}

static int deassign_irqfd(int gsi, EventNotifier *e)
{
    struct kvm_irqfd irqfd = {
        .fd = event_notifier_get_fd(e), .gsi = gsi,
        .flags = KVM_IRQFD_FLAG_DEASSIGN,
    };

    return kvm_vm_ioctl(KVM_IRQFD, &irqfd);
}

/* Main loop. */
static void models_resample(EventNotifier *e)
{
    GsiState *state = container_of(e, GsiState, resample);

    if (event_notifier_test_and_clear(e) && state->level) {
        set_line(state - gsi_states, 1);
    }
}

static void listen_for_models(int gsi)
{
    GsiState *state = &gsi_states[gsi];
    int ret;

    if (state->listening || !state->level || !state->irqfds) {
        return;
    }
    ret = event_notifier_init(&state->none, false);
    if (ret == 0) {
        ret = event_notifier_init(&state->resample, false);
        if (ret == 0) {
            ret = assign_irqfd(gsi, &state->none, &state->resample);
            if (ret == 0) {
                aio_set_event_notifier(qemu_get_aio_context(),
                                       &state->resample, models_resample);
                state->listening = true;
                return;
            }
            event_notifier_cleanup(&state->resample);
        }
        event_notifier_cleanup(&state->none);
    }
    error_report_once("KVM: interrupts at GSI %d may be lost: %s", gsi,
                      strerror(-ret));
}

static void stop_listening_for_models(int gsi)
{
    GsiState *state = &gsi_states[gsi];

    if (state->listening && !state->irqfds) {
        aio_set_event_notifier(qemu_get_aio_context(), &state->resample, NULL);
        deassign_irqfd(gsi, &state->none);
        event_notifier_cleanup(&state->resample);
        event_notifier_cleanup(&state->none);
        state->listening = false;
    }
}

/* -- Raising lines ------------------------------------------------------- */

void kvm_set_gsi(int gsi, int level)
{
    assert(gsi >= 0 && gsi < N_GSIS);
    trace_event("kvm_set_gsi", "gsi %d level %d", gsi, level);
    gsi_states[gsi].level = level;
    listen_for_models(gsi);
    set_line(gsi, level);
}

void kvm_send_msi(MSIMessage msg)
{
    struct kvm_msi msi = {
        .address_lo = msg.address, .address_hi = msg.address >> 32,
        .data = msg.data,
    };
    uint8_t data[4];

    if ((msi.address_lo & 0xfff00000) == 0xfee00000) {
        /* What no APIC takes is lost, as on the bus. */
        kvm_vm_ioctl(KVM_SIGNAL_MSI, &msi);
        return;
    }
    /* A message is a write, wherever the guest has pointed it. */
    stl_le_p(data, msg.data);
    address_space_write(&address_space_memory, msg.address,
                        MEMTXATTRS_UNSPECIFIED, data, sizeof(data));
}

int kvm_add_irqfd(int gsi, EventNotifier *e, EventNotifier *resample)
{
    int ret;

    if (gsi < 0 || gsi >= N_GSIS) {
        return -EINVAL;
    }
    ret = assign_irqfd(gsi, e, resample);
    if (ret == 0 && resample) {
        gsi_states[gsi].irqfds = g_slist_prepend(gsi_states[gsi].irqfds, e);
        listen_for_models(gsi);
    }
    return ret;
}

int kvm_remove_irqfd(int gsi, EventNotifier *e)
{
    int ret;

    if (gsi < 0 || gsi >= N_GSIS) {
        return -EINVAL;
    }
    ret = deassign_irqfd(gsi, e);
    gsi_states[gsi].irqfds = g_slist_remove(gsi_states[gsi].irqfds, e);
    stop_listening_for_models(gsi);
    return ret;
}
