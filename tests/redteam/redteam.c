/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-redteam: a device model that does on command what an attacker would who
 * has taken a device process over.  Built into a program of its own, for
 * tests only (redteam.py).
 *
 * BAR 0: a write of an attempt's number to COMMAND makes it, in the thread of
 * the link; RESULT is then what came of it: 0 or more, or a negative errno.
 * ARG0 and ARG1 are what the attempt needs to know.  NAME reads the name of
 * attempt SELECT, a byte at a time; "" is behind the last.
 */
#include "qemu/osdep.h"
#include "redteam.h"

#define TYPE_REDTEAM "x-redteam"
OBJECT_DECLARE_SIMPLE_TYPE(RedTeam, REDTEAM)

enum {
    REG_COMMAND = 0x00,
    REG_RESULT = 0x08,
    REG_ARG0 = 0x10,
    REG_ARG1 = 0x18,
    REG_SELECT = 0x20,
    REG_NAME = 0x40,
    BAR_SIZE = 0x1000,
};

static const Attempt *const tables[] = {
    system_attempts, device_attempts, cost_attempts,
};

/* NULL: there are not so many. */
static const Attempt *attempt(uint64_t number)
{
    for (unsigned t = 0; t < ARRAY_SIZE(tables); t++) {
        for (const Attempt *a = tables[t]; a->name; a++) {
            if (!number--) {
                return a;
            }
        }
    }
    return NULL;
}

static uint64_t redteam_read(void *opaque, hwaddr addr, unsigned size)
{
    RedTeam *r = opaque;
    const Attempt *a = attempt(r->select);

    if (addr >= REG_NAME && a) {
        uint64_t at = addr - REG_NAME;

        return at < strlen(a->name) ? (uint8_t)a->name[at] : 0;
    }
    return addr == REG_RESULT ? r->result : 0;
}

static void redteam_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    RedTeam *r = opaque;

    if (addr == REG_COMMAND) {
        const Attempt *a = attempt(val);

        r->result = a ? a->make(r) : -EINVAL;
    } else if (addr == REG_ARG0 || addr == REG_ARG1) {
        r->arg[addr == REG_ARG1] = val;
    } else if (addr == REG_SELECT) {
        r->select = val;
    }
}

static const MemoryRegionOps redteam_ops = {
    .read = redteam_read,
    .write = redteam_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static bool redteam_realize(PCIDevice *pci_dev, Error **errp)
{
    RedTeam *r = REDTEAM(pci_dev);

    pci_config_set_interrupt_pin(pci_dev->config, 1);
    memory_region_init_io(&r->mmio, OBJECT(r), &redteam_ops, r, "redteam",
                          BAR_SIZE);
    pci_register_bar(pci_dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &r->mmio);
    return true;
}

static void redteam_finalize(Object *obj)
{
    memory_region_finalize(&REDTEAM(obj)->mmio);
}

static void redteam_class_init(ObjectClass *oc, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = redteam_realize;
    pc->vendor_id = PCI_VENDOR_ID_QEMU;
    pc->device_id = 0x11ed;
    pc->class_id = 0x00ff;
    DEVICE_CLASS(oc)->desc = "Attempts to get out of the box (for tests)";
}

static const TypeInfo redteam_types[] = {
    {
        .name = TYPE_REDTEAM,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(RedTeam),
        .instance_finalize = redteam_finalize,
        .class_init = redteam_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(redteam_types)
