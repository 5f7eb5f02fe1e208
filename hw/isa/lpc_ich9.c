/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICH9 LPC bridge: Intel 316972 "I/O Controller Hub 9", 13.1 (config space),
 * 10.1 (chipset configuration registers), 5.8 and 5.9 (interrupts), 13.8
 * (power management, in hw/acpi).
 *
 * The level of PIRQA to PIRQH always stands on GSI 16 to 23, the IO-APIC's
 * inputs, and also on the ISA interrupt that the PIRQ's route register names
 * if that is not disabled.  Registers that do nothing here keep what software
 * writes.
 */
#include "qemu/osdep.h"
#include "hw/isa/lpc_ich9.h"

typedef struct ICH9Register {
    uint16_t offset;
    uint8_t size;
    uint32_t value, wmask;
} ICH9Register;

static const ICH9Register config_registers[] = {
    { ICH9_LPC_PMBASE, 4, 0x00000001, 0x0000ff80 },
    { ICH9_LPC_ACPI_CTRL, 1, 0x00,
      ICH9_LPC_ACPI_CTRL_EN | ICH9_LPC_ACPI_CTRL_SCI },
    { 0x48, 4, 0x00000001, 0x0000ff80 },    /* GPIOBASE */
    { 0x4c, 1, 0x00, 0x10 },                /* GPIO control */
    { ICH9_LPC_PIRQA_ROUT, 4, 0x80808080, 0x8f8f8f8f },
    { 0x64, 1, 0x10, 0xff },                /* serial interrupts */
    { ICH9_LPC_PIRQE_ROUT, 4, 0x80808080, 0x8f8f8f8f },
    { 0x80, 2, 0x0000, 0x1377 },            /* LPC I/O decode ranges */
    { 0x82, 2, 0x0000, 0x3f0f },            /* LPC interface enables */
    { 0x84, 4, 0x00000000, 0x00fcfffd },    /* generic decode ranges 1 to 4 */
    { 0x88, 4, 0x00000000, 0x00fcfffd },
    { 0x8c, 4, 0x00000000, 0x00fcfffd },
    { 0x90, 4, 0x00000000, 0x00fcfffd },
    { 0xa0, 2, 0x0000, 0x14ff },            /* GEN_PMCON_1 */
    { 0xdc, 1, 0x00, 0x1f },                /* BIOS control */
    { ICH9_LPC_RCBA, 4, 0x00000000, 0xffffc001 },
    { }
};

/* Unlisted ones are zero and read-only. */
static const ICH9Register cc_registers[] = {
    { 0x3100, 4, 0x03243200, 0x0fffff00 },  /* D31IP: who uses which pin */
    { 0x3108, 4, 0x10004321, 0xf000ffff },  /* D29IP */
    { 0x310c, 4, 0x00214321, 0x00ffffff },  /* D28IP */
    { 0x3110, 4, 0x00000001, 0x0000000f },  /* D27IP */
    { 0x3114, 4, 0x30000321, 0xf0000fff },  /* D26IP */
    { 0x3118, 4, 0x00000001, 0x0000000f },  /* D25IP */
    { ICH9_CC_D31IR, 2, 0x3210, 0x7777 },   /* pins to PIRQs */
    { ICH9_CC_D29IR, 2, 0x3210, 0x7777 },
    { ICH9_CC_D28IR, 2, 0x3210, 0x7777 },
    { ICH9_CC_D27IR, 2, 0x3210, 0x7777 },
    { ICH9_CC_D26IR, 2, 0x3210, 0x7777 },
    { ICH9_CC_D25IR, 2, 0x3210, 0x7777 },
    { 0x31ff, 1, 0x00, 0x03 },              /* OIC: IO-APIC enable */
    { 0x3404, 4, 0x00000000, 0x00000083 },  /* HPTC: HPET */
    { ICH9_CC_GCS, 4, ICH9_CC_GCS_NO_REBOOT, 0x00000000 },
    { }
};

/* Where a slot's pins are routed by a register, 25 to 31; 0: they are not. */
static const uint16_t slot_ir[] = {
    ICH9_CC_D25IR, ICH9_CC_D26IR, ICH9_CC_D27IR, ICH9_CC_D28IR, ICH9_CC_D29IR,
    0, ICH9_CC_D31IR,
};

static void load_registers(const ICH9Register *r, uint8_t *to)
{
    for (; r->size; r++) {
        stn_le_p(to + r->offset, r->size, r->value);
    }
}

/* -- Interrupts ---------------------------------------------------------- */

static uint8_t pirq_route(ICH9LPCState *lpc, int pirq)
{
    const uint8_t *config = lpc->parent_obj.config;

    return config[pirq < 4 ? ICH9_LPC_PIRQA_ROUT + pirq
                           : ICH9_LPC_PIRQE_ROUT + pirq - 4];
}

static int sci_gsi(ICH9LPCState *lpc)
{
    static const uint8_t gsis[8] = { 9, 10, 11, 9, 20, 21, 9, 9 };

    return gsis[lpc->parent_obj.config[ICH9_LPC_ACPI_CTRL] &
                ICH9_LPC_ACPI_CTRL_SCI];
}

static void update_lines(ICH9LPCState *lpc)
{
    uint32_t levels = lpc->sci_level ? BIT(sci_gsi(lpc)) : 0;
    int pirq, irq;

    for (pirq = 0; pirq < ICH9_NUM_PIRQS; pirq++) {
        if (!(lpc->pirq_levels & BIT(pirq))) {
            continue;
        }
        levels |= BIT(ICH9_GSI_BASE + pirq);
        irq = pirq_isa_irq(pirq_route(lpc, pirq));
        if (irq >= 0) {
            levels |= BIT(irq);
        }
    }
    gsi_lines_drive(&lpc->gsi, levels);
}

static void set_pirq(void *opaque, int pirq, int level)
{
    ICH9LPCState *lpc = opaque;

    lpc->pirq_levels = deposit32(lpc->pirq_levels, pirq, 1, !!level);
    update_lines(lpc);
}

static void set_sci(void *opaque, int n, int level)
{
    ICH9LPCState *lpc = opaque;

    lpc->sci_level = level;
    update_lines(lpc);
}

/* Slots 0 to 24 have PIRQE to PIRQH in turn, and so has the bridge to PCI in
 * slot 30; the chip's own functions have what their register says. */
static int map_irq(PCIDevice *dev, int pin)
{
    ICH9LPCState *lpc = pci_get_bus(dev)->irq_opaque;
    int slot = PCI_SLOT(dev->devfn);
    uint16_t ir = slot < 25 ? 0 : slot_ir[slot - 25];

    if (ir) {
        return ldw_le_p(lpc->cc + ir) >> (4 * pin) & 7;
    }
    return 4 + (slot == 30 ? pin : pci_swizzle(slot, pin));
}

/* The one of its two places that software seems to use: it disables the route
 * when it goes by the IO-APIC. */
static PCIINTxRoute route_intx(void *opaque, int pirq)
{
    int irq = pirq_isa_irq(pirq_route(opaque, pirq));

    return (PCIINTxRoute){
        .mode = PCI_INTX_ENABLED,
        .irq = irq >= 0 ? irq : ICH9_GSI_BASE + pirq,
    };
}

/* -- Chipset configuration registers -------------------------------------- */

static uint64_t cc_read(void *opaque, hwaddr addr, unsigned size)
{
    ICH9LPCState *lpc = opaque;

    return ldn_le_p(lpc->cc + addr, size);
}

static bool is_ir(const ICH9Register *r)
{
    return r->offset >= ICH9_CC_D31IR && r->offset <= ICH9_CC_D25IR;
}

static void cc_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    ICH9LPCState *lpc = opaque;
    PCIBus *bus = pci_get_bus(&lpc->parent_obj);
    bool rerouted = false;
    const ICH9Register *r;
    unsigned i;

    for (r = cc_registers; r->size; r++) {
        for (i = 0; i < r->size; i++) {
            uint8_t mask = r->wmask >> (8 * i), *reg = &lpc->cc[r->offset + i];
            uint8_t old = *reg;

            /* Which byte of the access, wrapping to a huge one if none. */
            uint64_t byte = r->offset + i - addr;

            if (byte < size) {
                *reg = (old & ~mask) | ((val >> (8 * byte)) & mask);
                rerouted |= is_ir(r) && *reg != old;
            }
        }
    }
    if (rerouted) {
        pci_bus_remap_irqs(bus);
        pci_bus_fire_intx_routing_notifier(bus);
    }
}

static const MemoryRegionOps cc_ops = {
    .read = cc_read,
    .write = cc_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

/* -- Config space --------------------------------------------------------- */

/* Puts power management and the chipset registers where they belong. */
static void update_windows(ICH9LPCState *lpc)
{
    const uint8_t *config = lpc->parent_obj.config;
    uint32_t pmbase = pci_get_long(config + ICH9_LPC_PMBASE) & ~1u;
    uint32_t rcba = pci_get_long(config + ICH9_LPC_RCBA);

    memory_region_transaction_begin();
    memory_region_set_address(&lpc->pm.io, pmbase);
    memory_region_set_enabled(&lpc->pm.io,
                              pmbase && (config[ICH9_LPC_ACPI_CTRL] &
                                         ICH9_LPC_ACPI_CTRL_EN));
    memory_region_set_address(&lpc->cc_mem, rcba & ~ICH9_LPC_RCBA_EN);
    memory_region_set_enabled(&lpc->cc_mem, rcba & ICH9_LPC_RCBA_EN);
    memory_region_transaction_commit();
}

static void get_routes(ICH9LPCState *lpc, uint8_t to[ICH9_NUM_PIRQS])
{
    int pirq;

    for (pirq = 0; pirq < ICH9_NUM_PIRQS; pirq++) {
        to[pirq] = pirq_route(lpc, pirq);
    }
}

/* After any change of config space, where the routes were @before. */
static void config_changed(ICH9LPCState *lpc, const uint8_t *before)
{
    uint8_t now[ICH9_NUM_PIRQS];

    get_routes(lpc, now);
    update_windows(lpc);
    update_lines(lpc);
    if (memcmp(before, now, sizeof(now))) {
        pci_bus_fire_intx_routing_notifier(pci_get_bus(&lpc->parent_obj));
    }
}

static void ich9_lpc_write_config(PCIDevice *d, uint32_t addr, uint32_t val,
                                  int len)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(d);
    uint8_t before[ICH9_NUM_PIRQS];

    get_routes(lpc, before);
    pci_default_write_config(d, addr, val, len);
    config_changed(lpc, before);
}

static void ich9_lpc_reset(DeviceState *dev)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(dev);
    uint8_t before[ICH9_NUM_PIRQS];

    get_routes(lpc, before);
    load_registers(config_registers, lpc->parent_obj.config);
    load_registers(cc_registers, lpc->cc);
    acpi_pm_reset(&lpc->pm);
    pci_bus_remap_irqs(pci_get_bus(&lpc->parent_obj));
    config_changed(lpc, before);
}

static bool ich9_lpc_realize(PCIDevice *d, Error **errp)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(d);
    PCIBus *bus = pci_get_bus(d);
    const ICH9Register *r;

    /* It always decodes (PCICMD, 13.1.3). */
    pci_set_word(d->config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                 PCI_COMMAND_MASTER);
    pci_set_word(d->wmask + PCI_COMMAND, 0);
    pci_set_word(d->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    load_registers(config_registers, d->config);
    for (r = config_registers; r->size; r++) {
        stn_le_p(d->wmask + r->offset, r->size, r->wmask);
    }
    load_registers(cc_registers, lpc->cc);

    acpi_pm_init(&lpc->pm, DEVICE(d), &acpi_pm_ich9,
                 qemu_allocate_irq(set_sci, lpc, 0));
    memory_region_init_io(&lpc->cc_mem, OBJECT(d), &cc_ops, lpc, "ich9-cc",
                          ICH9_CC_SIZE);
    memory_region_set_enabled(&lpc->pm.io, false);
    memory_region_set_enabled(&lpc->cc_mem, false);
    memory_region_add_subregion_overlap(d->space_io, 0, &lpc->pm.io, 1);
    memory_region_add_subregion_overlap(d->space_mem, 0, &lpc->cc_mem, 1);
    memory_region_add_subregion(d->space_io, ACPI_APM_PORT, &lpc->pm.apm);

    lpc->isa_bus = isa_bus_new(DEVICE(d), d->space_mem, d->space_io);
    pci_bus_irqs(bus, set_pirq, lpc, ICH9_NUM_PIRQS);
    pci_bus_map_irqs(bus, map_irq);
    pci_bus_set_route_irq_fn(bus, route_intx);
    return true;
}

static void ich9_lpc_init(Object *obj)
{
    qdev_init_gpio_out_named(DEVICE(obj), ICH9_LPC_DEVICE(obj)->gsi.line,
                             ICH9_GPIO_GSI, GSI_LINES);
}

static const VMStateDescription vmstate_ich9_lpc = {
    .name = TYPE_ICH9_LPC_DEVICE,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(pirq_levels, ICH9LPCState),
        VMSTATE_BOOL(sci_level, ICH9LPCState),
        VMSTATE_BUFFER(cc, ICH9LPCState),
        VMSTATE_STRUCT(pm.regs, ICH9LPCState, &vmstate_acpi_pm),
        VMSTATE_END_OF_LIST()
    },
};

static void ich9_lpc_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->desc = "ICH9 LPC bridge";
    dc->categories = BIT(DEVICE_CATEGORY_BRIDGE);
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->reset = ich9_lpc_reset;
    dc->vmsd = &vmstate_ich9_lpc;
    pc->realize = ich9_lpc_realize;
    pc->config_write = ich9_lpc_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x2918;
    pc->revision = 2;
    pc->class_id = 0x0601;
}

static const TypeInfo ich9_lpc_types[] = {
    {
        .name = TYPE_ICH9_LPC_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(ICH9LPCState),
        .instance_init = ich9_lpc_init,
        .class_init = ich9_lpc_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { }
        },
    },
};
DEFINE_TYPES(ich9_lpc_types)
