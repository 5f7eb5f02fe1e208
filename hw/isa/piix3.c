/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX3 function 0: Intel 290550 "82371SB", 2.2.  The ISA bus and the router
 * that puts PIRQA to PIRQD on ISA interrupts, which the IO-APIC sees too.
 *
 * The registers that do nothing here keep what software writes.
 */
#include "qemu/osdep.h"
#include "hw/isa/piix3.h"
#include "migration/vmstate.h"

#define SCI_GSI 9

typedef struct PIIX3Register {
    uint8_t offset, value, wmask;
} PIIX3Register;

static const PIIX3Register registers[] = {
    { 0x4c, 0x4d, 0xff },       /* IORT: I/O recovery */
    { 0x4e, 0x03, 0xff },       /* XBCS: X-bus chip selects */
    { 0x4f, 0x00, 0x01 },
    { PIIX3_PIRQCA + 0, PIRQ_ROUTE_DISABLED, PIRQ_ROUTE_MASK },
    { PIIX3_PIRQCA + 1, PIRQ_ROUTE_DISABLED, PIRQ_ROUTE_MASK },
    { PIIX3_PIRQCA + 2, PIRQ_ROUTE_DISABLED, PIRQ_ROUTE_MASK },
    { PIIX3_PIRQCA + 3, PIRQ_ROUTE_DISABLED, PIRQ_ROUTE_MASK },
    { 0x69, 0x02, 0xfe },       /* TOM: top of memory */
    { 0x70, 0x80, 0xef },       /* MBIRQ0: motherboard device */
    { 0x76, 0x0c, 0x8f },       /* MBDMA0 and 1 */
    { 0x77, 0x0c, 0x8f },
    { 0x78, 0x02, 0xff },       /* PCSC: programmable chip select */
    { 0x79, 0x00, 0xff },
    { 0x82, 0x00, 0x0f },       /* DLC: deterministic latency */
    { 0xa0, 0x08, 0x1f },       /* SMICNTL */
    { 0xa2, 0x00, 0xff },       /* SMIEN */
    { 0xa8, 0x0f, 0xff },       /* FTM: fast-off timer */
};

/* -- Interrupts ---------------------------------------------------------- */

static const uint8_t *routes(PIIX3State *s)
{
    return s->parent_obj.config + PIIX3_PIRQCA;
}

static void update_lines(PIIX3State *s)
{
    uint32_t levels = s->sci_level ? BIT(SCI_GSI) : 0;
    int pirq, irq;

    for (pirq = 0; pirq < PIIX3_NUM_PIRQS; pirq++) {
        irq = pirq_isa_irq(routes(s)[pirq]);
        if ((s->pirq_levels & BIT(pirq)) && irq >= 0) {
            levels |= BIT(irq);
        }
    }
    gsi_lines_drive(&s->gsi, levels);
}

static void set_pirq(void *opaque, int pirq, int level)
{
    PIIX3State *s = opaque;

    s->pirq_levels = deposit32(s->pirq_levels, pirq, 1, !!level);
    update_lines(s);
}

static void set_sci(void *opaque, int n, int level)
{
    PIIX3State *s = opaque;

    s->sci_level = level;
    update_lines(s);
}

/* The board's wiring: slot 1's INTA is PIRQA. */
static int map_irq(PCIDevice *dev, int pin)
{
    return pci_swizzle(PCI_SLOT(dev->devfn) + 3, pin);
}

static PCIINTxRoute route_intx(void *opaque, int pirq)
{
    int irq = pirq_isa_irq(routes(opaque)[pirq]);

    return (PCIINTxRoute){
        .mode = irq < 0 ? PCI_INTX_DISABLED : PCI_INTX_ENABLED, .irq = irq,
    };
}

/* After the route registers were other than @before. */
static void routes_written(PIIX3State *s, const uint8_t *before)
{
    if (memcmp(before, routes(s), PIIX3_NUM_PIRQS)) {
        update_lines(s);
        pci_bus_fire_intx_routing_notifier(pci_get_bus(&s->parent_obj));
    }
}

/* -- The function -------------------------------------------------------- */

static void piix3_write_config(PCIDevice *d, uint32_t addr, uint32_t val,
                               int len)
{
    PIIX3State *s = PIIX3_DEVICE(d);
    uint8_t before[PIIX3_NUM_PIRQS];

    memcpy(before, routes(s), sizeof(before));
    pci_default_write_config(d, addr, val, len);
    routes_written(s, before);
}

static void piix3_reset(DeviceState *dev)
{
    PIIX3State *s = PIIX3_DEVICE(dev);
    uint8_t before[PIIX3_NUM_PIRQS];
    int i;

    memcpy(before, routes(s), sizeof(before));
    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        s->parent_obj.config[registers[i].offset] = registers[i].value;
    }
    routes_written(s, before);
}

static bool piix3_realize(PCIDevice *d, Error **errp)
{
    PIIX3State *s = PIIX3_DEVICE(d);
    PCIBus *bus = pci_get_bus(d);
    int i;

    /* It always decodes (PCICMD, 2.2.3). */
    pci_set_word(d->config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                 PCI_COMMAND_MASTER);
    pci_set_word(d->wmask + PCI_COMMAND, 0);
    pci_set_word(d->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        d->config[registers[i].offset] = registers[i].value;
        d->wmask[registers[i].offset] = registers[i].wmask;
    }
    s->isa_bus = isa_bus_new(DEVICE(d), d->space_mem, d->space_io);
    pci_bus_irqs(bus, set_pirq, s, PIIX3_NUM_PIRQS);
    pci_bus_map_irqs(bus, map_irq);
    pci_bus_set_route_irq_fn(bus, route_intx);
    return true;
}

static void piix3_init(Object *obj)
{
    DeviceState *dev = DEVICE(obj);

    qdev_init_gpio_out_named(dev, PIIX3_DEVICE(obj)->gsi.line, PIIX3_GPIO_GSI,
                             ISA_NUM_IRQS);
    qdev_init_gpio_in_named(dev, set_sci, PIIX3_GPIO_SCI, 1);
}

static const VMStateDescription vmstate_piix3 = {
    .name = TYPE_PIIX3_DEVICE,
    .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(pirq_levels, PIIX3State),
        VMSTATE_BOOL(sci_level, PIIX3State),
        VMSTATE_END_OF_LIST()
    },
};

static void piix3_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    dc->desc = "ISA bridge";
    dc->categories = BIT(DEVICE_CATEGORY_BRIDGE);
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->reset = piix3_reset;
    dc->vmsd = &vmstate_piix3;
    pc->realize = piix3_realize;
    pc->config_write = piix3_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x7000;
    pc->class_id = 0x0601;
}

static const TypeInfo piix3_types[] = {
    {
        .name = TYPE_PIIX3_DEVICE,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PIIX3State),
        .instance_init = piix3_init,
        .class_init = piix3_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_CONVENTIONAL_PCI_DEVICE },
            { }
        },
    },
};
DEFINE_TYPES(piix3_types)
