/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots of root ports and their hot plug: PCI Express Base 3.0, 6.7 and 7.8.9
 * to 7.8.11.
 *
 * A slot has an attention button, a power controller, indicators and presence
 * detection; commands take no time (No Command Completed Support).  Its link
 * is active while there is a device and power.
 */
#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"

#define SLOT_EVENTS                                                     \
    (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC |   \
     PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC)
#define SLOT_CONTROLS                                                   \
    (PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PFDE | PCI_EXP_SLTCTL_MRLSCE | \
     PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_CCIE | PCI_EXP_SLTCTL_HPIE |  \
     PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC |     \
     PCI_EXP_SLTCTL_DLLSCE)

/* Status bits 0 to 4 are enabled by control bits 0 to 4. */
#define SLOT_SIMPLE_EVENTS 0x1f

static uint8_t *reg(PCIDevice *port, int offset)
{
    return port->config + port->exp_cap + offset;
}

static bool slot_has_hotplug(PCIDevice *port)
{
    return pci_get_long(reg(port, PCI_EXP_SLTCAP)) & PCI_EXP_SLTCAP_HPC;
}

uint16_t pcie_slot_control(PCIDevice *port)
{
    return pci_get_word(reg(port, PCI_EXP_SLTCTL));
}

static uint16_t slot_status(PCIDevice *port)
{
    return pci_get_word(reg(port, PCI_EXP_SLTSTA));
}

bool pcie_slot_powered(PCIDevice *port)
{
    return !(pcie_slot_control(port) & PCI_EXP_SLTCTL_PCC);
}

bool pcie_slot_busy(PCIDevice *port)
{
    return (pcie_slot_control(port) & PCI_EXP_SLTCTL_PIC) ==
           PCI_EXP_SLTCTL_PWR_IND_BLINK;
}

/* -- Events ------------------------------------------------------------------ */

static bool any_event(PCIDevice *port)
{
    uint16_t ctl = pcie_slot_control(port), sta = slot_status(port);

    return (ctl & PCI_EXP_SLTCTL_HPIE) &&
           ((sta & ctl & SLOT_SIMPLE_EVENTS) ||
            ((sta & PCI_EXP_SLTSTA_DLLSC) && (ctl & PCI_EXP_SLTCTL_DLLSCE)));
}

/* A message for each time that there begins to be an event, or a level as long
 * as there is one (6.7.3.4). */
static void update_interrupt(PCIDevice *port, PCIESlotState *s)
{
    bool was = s->event_pending;

    s->event_pending = any_event(port);
    if (msix_enabled(port)) {
        if (s->event_pending && !was) {
            msix_notify(port, 0);
        }
    } else {
        pci_set_irq(port, s->event_pending);
    }
}

static void set_events(PCIDevice *port, uint16_t events)
{
    if (slot_has_hotplug(port)) {
        pci_set_word(reg(port, PCI_EXP_SLTSTA), slot_status(port) | events);
    }
}

/* The link follows presence and power. */
static void update_link(PCIDevice *port)
{
    uint16_t was = pci_get_word(reg(port, PCI_EXP_LNKSTA)), now = was;

    if ((slot_status(port) & PCI_EXP_SLTSTA_PDS) && pcie_slot_powered(port)) {
        now |= PCI_EXP_LNKSTA_DLLLA;
    } else {
        now &= ~PCI_EXP_LNKSTA_DLLLA;
    }
    if (now != was) {
        pci_set_word(reg(port, PCI_EXP_LNKSTA), now);
        set_events(port, PCI_EXP_SLTSTA_DLLSC);
    }
}

void pcie_slot_set_present(PCIDevice *port, PCIESlotState *s, bool present)
{
    uint16_t sta = slot_status(port) & ~PCI_EXP_SLTSTA_PDS;

    pci_set_word(reg(port, PCI_EXP_SLTSTA),
                 present ? sta | PCI_EXP_SLTSTA_PDS : sta);
    set_events(port, PCI_EXP_SLTSTA_PDC);
    update_link(port);
    update_interrupt(port, s);
}

void pcie_slot_push_button(PCIDevice *port, PCIESlotState *s)
{
    set_events(port, PCI_EXP_SLTSTA_ABP);
    update_interrupt(port, s);
}

/* -- Registers ---------------------------------------------------------------- */

static bool is_off(uint16_t ctl)
{
    return (ctl & PCI_EXP_SLTCTL_PCC) &&
           (ctl & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_OFF;
}

bool pcie_slot_written(PCIDevice *port, PCIESlotState *s, uint16_t old_ctl)
{
    uint16_t ctl = pcie_slot_control(port);
    bool switched_off = is_off(ctl) && !is_off(old_ctl) &&
                        (slot_status(port) & PCI_EXP_SLTSTA_PDS);

    update_link(port);
    update_interrupt(port, s);
    return switched_off;
}

bool pcie_slot_kept(PCIDevice *port, uint16_t old_ctl)
{
    return (old_ctl & PCI_EXP_SLTCTL_PIC) == PCI_EXP_SLTCTL_PWR_IND_BLINK &&
           (pcie_slot_control(port) & PCI_EXP_SLTCTL_PIC) ==
           PCI_EXP_SLTCTL_PWR_IND_ON && pcie_slot_powered(port);
}

void pcie_slot_reset(PCIDevice *port, PCIESlotState *s, bool present)
{
    uint16_t ctl = PCI_EXP_SLTCTL_ATTN_IND_OFF;

    if (!slot_has_hotplug(port)) {
        ctl = 0;
    } else if (present) {
        ctl |= PCI_EXP_SLTCTL_PWR_IND_ON;
    } else {
        ctl |= PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC;
    }
    pci_set_word(reg(port, PCI_EXP_SLTCTL), ctl);
    pci_set_word(reg(port, PCI_EXP_SLTSTA), present ? PCI_EXP_SLTSTA_PDS : 0);
    update_link(port);
    pci_set_word(reg(port, PCI_EXP_SLTSTA), present ? PCI_EXP_SLTSTA_PDS : 0);
    update_interrupt(port, s);
}

int pcie_root_port_cap_init(PCIDevice *dev, uint8_t offset, uint8_t port,
                            uint16_t slot, bool hotplug)
{
    uint32_t cap = (uint32_t)slot << 19;
    int at = pci_add_capability(dev, PCI_CAP_ID_EXP, offset, 0x3c, NULL);

    if (at < 0) {
        return at;
    }
    dev->exp_cap = at;
    dev->cap_present |= QEMU_PCI_CAP_EXPRESS;
    if (hotplug) {
        cap |= PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_PCP | PCI_EXP_SLTCAP_AIP |
               PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPS | PCI_EXP_SLTCAP_HPC |
               PCI_EXP_SLTCAP_NCCS;
        pci_set_word(dev->wmask + at + PCI_EXP_SLTCTL, SLOT_CONTROLS);
        pci_set_word(dev->w1cmask + at + PCI_EXP_SLTSTA, SLOT_EVENTS);
    }
    pci_set_word(reg(dev, PCI_EXP_FLAGS),
                 2 | PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT);
    pci_set_long(reg(dev, PCI_EXP_DEVCAP), PCI_EXP_DEVCAP_RBER);
    pci_set_long(reg(dev, PCI_EXP_LNKCAP),
                 PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4 | PCI_EXP_LNKCAP_DLLLARC |
                 (uint32_t)port << 24);
    pci_set_word(reg(dev, PCI_EXP_LNKSTA),
                 PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
    pci_set_long(reg(dev, PCI_EXP_SLTCAP), cap);
    pci_set_word(dev->wmask + at + PCI_EXP_DEVCTL, 0x78ff);
    pci_set_word(dev->w1cmask + at + PCI_EXP_DEVSTA, 0xf);
    pci_set_word(dev->wmask + at + PCI_EXP_LNKCTL,
                 PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES);
    pci_set_word(dev->wmask + at + PCI_EXP_RTCTL,
                 PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE |
                 PCI_EXP_RTCTL_SEFEE | PCI_EXP_RTCTL_PMEIE);
    return at;
}
