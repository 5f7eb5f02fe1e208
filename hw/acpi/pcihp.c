/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of PCI hot plug by ACPI, as QEMU's docs/specs/acpi_pci_hotplug
 * has them; all of 32 bits, a bit a slot of the bus that is selected:
 *
 *     +0   read   slots that got a card since the last time (reading clears)
 *     +4   read   slots whose card the guest is asked to release
 *     +8   read   features: none;  write: eject these
 *     +c   read   slots that hot plug is possible in
 *     +10         the bus: 0, the root bus
 */
#include "qemu/osdep.h"
#include "hw/acpi/pcihp.h"

enum { HP_UP = 0x00, HP_DOWN = 0x04, HP_EJECT = 0x08, HP_REMOVABLE = 0x0c,
       HP_BUS = 0x10 };

const VMStateDescription vmstate_acpi_pcihp = {
    .name = "acpi-pcihp",
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(up, ACPIPCIHPRegs),
        VMSTATE_UINT32(down, ACPIPCIHPRegs),
        VMSTATE_UINT32(bus, ACPIPCIHPRegs),
        VMSTATE_END_OF_LIST()
    },
};

static bool removable(PCIDevice *dev)
{
    return !dev || DEVICE_GET_CLASS(dev)->hotpluggable;
}

/* Slots that are empty, or whose functions may all go. */
static uint32_t removable_slots(ACPIPCIHPState *s)
{
    uint32_t slots = UINT32_MAX;

    for (int devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        if (!removable(s->bus->devices[devfn])) {
            slots &= ~(1u << PCI_SLOT(devfn));
        }
    }
    return slots;
}

/* Function 0 last, as it came last. */
static void eject_slot(ACPIPCIHPState *s, int slot)
{
    for (int fn = PCI_FUNC_MAX - 1; fn >= 0; fn--) {
        PCIDevice *dev = s->bus->devices[PCI_DEVFN(slot, fn)];

        if (dev && removable(dev)) {
            qdev_unplug_complete(&dev->qdev);
        }
    }
    s->regs.up &= ~(1u << slot);
    s->regs.down &= ~(1u << slot);
}

static void eject(ACPIPCIHPState *s, uint32_t slots)
{
    for (int slot = 0; slot < PCI_SLOT_MAX; slot++) {
        if (slots & 1u << slot) {
            eject_slot(s, slot);
        }
    }
}

/* -- Registers ----------------------------------------------------------- */

static uint64_t pcihp_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPCIHPState *s = opaque;
    uint32_t val;

    if (addr == HP_BUS) {
        return s->regs.bus;
    }
    if (s->regs.bus) {
        return 0;
    }
    switch (addr) {
    case HP_UP:
        val = s->regs.up;
        s->regs.up = 0;
        return val;
    case HP_DOWN:
        return s->regs.down;
    case HP_REMOVABLE:
        return removable_slots(s);
    default:
        return 0;
    }
}

static void pcihp_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    ACPIPCIHPState *s = opaque;

    if (addr == HP_BUS) {
        s->regs.bus = val;
    } else if (addr == HP_EJECT && s->regs.bus == 0) {
        eject(s, val);
    }
}

static const MemoryRegionOps pcihp_ops = {
    .read = pcihp_read,
    .write = pcihp_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* -- Cards --------------------------------------------------------------- */

bool acpi_pcihp_plug(ACPIPCIHPState *s, PCIDevice *dev)
{
    int slot = PCI_SLOT(dev->devfn);

    /* Without function 0 the slot is empty for the guest, and one that came
     * before the guest started is found by it. */
    if (!dev->qdev.hotplugged || !s->bus->devices[PCI_DEVFN(slot, 0)]) {
        return false;
    }
    s->regs.up |= 1u << slot;
    return true;
}

void acpi_pcihp_unplug_request(ACPIPCIHPState *s, PCIDevice *dev)
{
    s->regs.down |= 1u << PCI_SLOT(dev->devfn);
}

void acpi_pcihp_reset(ACPIPCIHPState *s)
{
    eject(s, s->regs.down);
    s->regs = (ACPIPCIHPRegs) { 0 };
}

void acpi_pcihp_init(ACPIPCIHPState *s, Object *owner, PCIBus *bus)
{
    s->bus = bus;
    memory_region_init_io(&s->io, owner, &pcihp_ops, s, "acpi-pci-hotplug",
                          ACPI_PCIHP_SIZE);
}
