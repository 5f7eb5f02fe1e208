/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines and messages of the devices in this process, on their way to
 * the accelerator's chips; and what went that way: `info irq`.
 *
 * KVM's own timer (GSI 0) and what another process signals by an irqfd pass
 * this process by.  The latter is counted where it is signalled.
 */
#include "qemu/osdep.h"
#include "hw/i386/pc.h"
#include "hw/pci/msi.h"
#include "monitor/hmp.h"
#include "system/kvm.h"

/* All with the BQL. */
static struct {
    bool level;
    uint64_t raised;            /* from low to high */
} gsis[PC_GSIS];
static uint64_t messages;

static void set_gsi(void *opaque, int n, int level)
{
    gsis[n].raised += level && !gsis[n].level;
    gsis[n].level = level;
    accel->set_gsi(n, level);
}

static void send_msi(MSIMessage msg)
{
    messages++;
    accel->send_msi(msg);
}

qemu_irq *pc_init_gsis(void)
{
    if (accel->send_msi) {
        msi_nonbroken = true;
        msi_set_sender(send_msi);
    }
    return qemu_allocate_irqs(set_gsi, NULL, PC_GSIS);
}

static void info_irq(GString *out, const char *arg)
{
    g_string_append(out, "GSI  level  raised by this process  irqfds of "
                    "others\n");
    for (int n = 0; n < PC_GSIS; n++) {
        unsigned irqfds = kvm_irqchip_irqfds(n);

        if (gsis[n].raised || gsis[n].level || irqfds) {
            g_string_append_printf(out, "%3d  %5d  %22" PRIu64 "  %16u\n", n,
                                   gsis[n].level, gsis[n].raised, irqfds);
        }
    }
    g_string_append_printf(out, "messages (MSI) of this process: %" PRIu64
                           "\n", messages);
}

static const HMPCommand cmds[] = {
    { "info irq", NULL, "show interrupts by line", info_irq },
    { }
};
HMP_TABLE(cmds)
