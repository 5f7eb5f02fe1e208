/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both chipsets: shadow RAM, the PCI Express window, interrupt routers, power
 * management's place.
 */
#include "qemu/osdep.h"
#include "hw/isa/lpc_ich9.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"
#include "hw/pci-host/q35.h"
#include "qemu/main-loop.h"
#include "system/runstate.h"
#include "pci-world.h"

#define RAM_SIZE (2 * MiB)

typedef struct Chipset {
    MemoryRegion system, ram, pci, io, pci_low;
    AddressSpace as, io_as;
    PCIBus *bus;
    DeviceState *host;
    PCIDevice *mch, *south;
    PCIDevice *dev[2];          /* in slots 4 and 5 */
    int smram, pam;             /* offsets of registers */
} Chipset;

static Chipset q35, pc;
static int gsi[2][GSI_LINES];   /* levels seen, of q35 and of pc */
static int resets;

/* -- What the run state does elsewhere ------------------------------------- */

void qemu_system_reset_request(ShutdownCause cause)
{
    g_assert_cmpint(cause, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    resets++;
}

void qemu_system_shutdown_request(ShutdownCause cause)
{
}

void qemu_register_powerdown_notifier(void (*fn)(void *opaque), void *opaque)
{
}

/* -- Two machines ------------------------------------------------------------ */

static void set_gsi(void *opaque, int n, int level)
{
    ((int *)opaque)[n] = level;
}

static ChipsetMemory chipset_memory(Chipset *c)
{
    memory_region_init(&c->system, NULL, "system", UINT64_MAX);
    memory_region_init(&c->pci, NULL, "pci", UINT64_MAX);
    memory_region_init(&c->io, NULL, "io", 0x10000);
    memory_region_init_ram(&c->ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_init_ram(&c->pci_low, NULL, "pci-low", 1 * MiB, &error_abort);
    memory_region_add_subregion(&c->pci, 0, &c->pci_low);
    memory_region_add_subregion(&c->system, 0, &c->ram);
    memory_region_add_subregion_overlap(&c->system, 0, &c->pci, -1);
    address_space_init(&c->as, &c->system, "cpu");
    address_space_init(&c->io_as, &c->io, "io");
    return (ChipsetMemory){
        .system = &c->system, .ram = &c->ram, .pci = &c->pci, .io = &c->io,
        .below_4g = RAM_SIZE,
    };
}

static void chipset_finish(Chipset *c, int devfn, const char *south, int lines,
                           int *levels)
{
    int i;

    c->bus->dma_as = &c->as;
    c->host = c->bus->qbus.parent;
    c->mch = c->bus->devices[0];
    c->south = pci_new_multifunction(devfn, south);
    for (i = 0; i < lines; i++) {
        qdev_connect_gpio_out_named(DEVICE(c->south), "gsi", i,
                                    qemu_allocate_irq(set_gsi, levels, i));
    }
    pci_realize_and_unref(c->south, c->bus, &error_abort);
    c->dev[0] = pci_create_simple(c->bus, PCI_DEVFN(4, 0), TYPE_TEST_DEV);
    c->dev[1] = pci_create_simple(c->bus, PCI_DEVFN(5, 0), TYPE_TEST_DEV);
}

static void chipsets_new(void)
{
    ChipsetMemory mem = chipset_memory(&q35);

    q35.bus = q35_host_new(&mem, &error_abort);
    q35.pam = MCH_PAM0;
    q35.smram = MCH_SMRAM;
    chipset_finish(&q35, ICH9_LPC_DEVFN, TYPE_ICH9_LPC_DEVICE, GSI_LINES,
                   gsi[0]);

    mem = chipset_memory(&pc);
    pc.bus = i440fx_host_new(&mem, &error_abort);
    pc.pam = I440FX_PAM0;
    pc.smram = I440FX_SMRAM;
    chipset_finish(&pc, PCI_DEVFN(1, 0), TYPE_PIIX3_DEVICE, ISA_NUM_IRQS,
                   gsi[1]);
}

static uint32_t gsi_mask(const int *levels)
{
    uint32_t mask = 0;
    int i;

    for (i = 0; i < GSI_LINES; i++) {
        mask |= levels[i] ? BIT(i) : 0;
    }
    return mask;
}

/* Each test begins with a reset machine. */
static void chipset_reset(Chipset *c)
{
    device_cold_reset(c->host);
    resets = 0;
}

static Chipset *chipset_of(gconstpointer which)
{
    Chipset *c = (Chipset *)which;

    chipset_reset(c);
    return c;
}

/* -- Both host bridges --------------------------------------------------------- */

/* Reads of RAM give 0x11, of the PCI space 0x22; what a write changes is the
 * mark of where it went. */
static void check_segment(Chipset *c, hwaddr addr, bool read, bool write)
{
    uint8_t *ram = (uint8_t *)memory_region_get_ram_ptr(&c->ram) + addr;
    uint8_t *pci = (uint8_t *)memory_region_get_ram_ptr(&c->pci_low) + addr;

    *ram = 0x11;
    *pci = 0x22;
    g_assert_cmphex(as_read(&c->as, addr, 1), ==, read ? 0x11 : 0x22);
    as_write(&c->as, addr, 0x33, 1);
    if (read) {
        g_assert_cmphex(*ram, ==, write ? 0x33 : 0x11);
        g_assert_cmphex(*pci, ==, 0x22);
    } else {
        g_assert_cmphex(*ram, ==, write ? 0x33 : 0x11);
        g_assert_cmphex(*pci, ==, write ? 0x22 : 0x33);
    }
}

static void test_pam(gconstpointer which)
{
    Chipset *c = chipset_of(which);
    int seg, mode;

    for (seg = 0; seg < PAM_SEGMENTS; seg++) {
        hwaddr first = seg ? 0xc0000 + (seg - 1) * 0x4000 : 0xf0000;
        hwaddr last = seg ? first + 0x3fff : 0xfffff;
        int reg = c->pam + (seg + 1) / 2;
        int shift = seg % 2 ? 0 : 4;

        for (mode = 0; mode < 4; mode++) {
            cfg_write(c->mch, reg, mode << shift, 1);
            check_segment(c, first, mode & PAM_READ, mode & PAM_WRITE);
            check_segment(c, last, mode & PAM_READ, mode & PAM_WRITE);
            /* The neighbours are not touched. */
            check_segment(c, first == 0xc0000 ? 0xffff0 : first - 1, false,
                          false);
        }
        g_assert_cmphex(cfg_read(c->mch, reg, 1), ==, 3 << shift);
        chipset_reset(c);
        check_segment(c, first, false, false);
    }
    /* Outside of the map it is RAM. */
    check_segment(c, 0x9ffff, true, true);
    cfg_write(c->mch, c->pam, 0xff, 1);
    g_assert_cmphex(cfg_read(c->mch, c->pam, 1), ==, 0x30);
}

/* Several registers by one write. */
static void test_pam_dword(gconstpointer which)
{
    Chipset *c = chipset_of(which);

    cfg_write(c->mch, c->pam & ~3, UINT32_MAX, 4);
    cfg_write(c->mch, (c->pam & ~3) + 4, UINT32_MAX, 4);
    check_segment(c, 0xc0000, true, true);
    check_segment(c, 0xec000, true, true);
    check_segment(c, 0xf0000, true, true);
}

static void test_smram(gconstpointer which)
{
    Chipset *c = chipset_of(which);

    g_assert_cmphex(cfg_read(c->mch, c->smram, 1), ==, 0x02);
    check_segment(c, 0xa0000, false, false);
    cfg_write(c->mch, c->smram, SMRAM_D_OPEN, 1);
    check_segment(c, 0xa0000, false, false);
    cfg_write(c->mch, c->smram, SMRAM_D_OPEN | SMRAM_G_SMRAME, 1);
    g_assert_cmphex(cfg_read(c->mch, c->smram, 1), ==, 0x4a);
    check_segment(c, 0xa0000, true, true);
    check_segment(c, 0xbffff, true, true);
    /* Locking closes it for good. */
    cfg_write(c->mch, c->smram, SMRAM_D_OPEN | SMRAM_G_SMRAME | SMRAM_D_LCK, 1);
    check_segment(c, 0xa0000, false, false);
    cfg_write(c->mch, c->smram, SMRAM_D_OPEN | SMRAM_D_CLS, 1);
    g_assert_cmphex(cfg_read(c->mch, c->smram, 1), ==, 0x3a);
    check_segment(c, 0xa0000, false, false);
    chipset_reset(c);
    g_assert_cmphex(cfg_read(c->mch, c->smram, 1), ==, 0x02);
}

static void test_reset_control(gconstpointer which)
{
    Chipset *c = chipset_of(which);

    as_write(&c->io_as, 0xcf9, 0x02, 1);
    g_assert_cmpint(resets, ==, 0);
    as_write(&c->io_as, 0xcf9, 0x06, 1);
    g_assert_cmpint(resets, ==, 1);
    as_write(&c->io_as, 0xcf9, 0x0e, 1);
    g_assert_cmpint(resets, ==, 2);
    chipset_reset(c);
    g_assert_cmphex(as_read(&c->io_as, 0xcf9, 1), ==, 0);
}

static void test_identity(gconstpointer which)
{
    Chipset *c = chipset_of(which);
    bool is_q35 = c == &q35;

    as_write(&c->io_as, 0xcf8, 0x80000000, 4);
    g_assert_cmphex(as_read(&c->io_as, 0xcfc, 4), ==,
                    is_q35 ? 0x29c08086 : 0x12378086);
    g_assert_cmphex(cfg_read(c->mch, PCI_CLASS_REVISION, 4), ==, 0x06000002);
    g_assert_cmphex(cfg_read(c->south, PCI_VENDOR_ID, 4), ==,
                    is_q35 ? 0x29188086 : 0x70008086);
    g_assert_cmphex(cfg_read(c->south, PCI_CLASS_DEVICE, 2), ==, 0x0601);
    g_assert_cmphex(cfg_read(c->south, PCI_HEADER_TYPE, 1), ==, 0x80);
    /* The bridges decode always. */
    cfg_write(c->south, PCI_COMMAND, 0, 2);
    g_assert_cmphex(cfg_read(c->south, PCI_COMMAND, 2), ==, 7);
    chipset_reset(c);
    g_assert_cmphex(cfg_read(c->south, PCI_COMMAND, 2), ==, 7);
}

/* A guest may write anything anywhere. */
static void test_nonsense(gconstpointer which)
{
    Chipset *c = chipset_of(which);
    int i;

    for (i = 0; i < 20000; i++) {
        PCIDevice *d = g_test_rand_int() & 1 ? c->mch : c->south;
        int len = 1 << g_test_rand_int_range(0, 3);
        uint32_t reg = g_test_rand_int_range(0, 0x102);

        if (i % 16 == 0) {
            pci_set_irq(c->dev[i / 16 & 1], g_test_rand_int() & 1);
        }
        if (i % 64 == 0) {
            as_write(&c->io_as, 0xb2, g_test_rand_int(), 1);
        }
        cfg_write(d, reg, g_test_rand_int(), len);
        cfg_read(d, reg, len);
    }
    chipset_reset(c);
    g_assert_cmphex(gsi_mask(gsi[c == &pc]), ==, 0);
}

/* -- Q35's PCI Express window --------------------------------------------------- */

static void test_pciexbar(void)
{
    static const struct {
        uint32_t reg;
        uint64_t base, size;
    } windows[] = {
        { 0xb0000001, 0xb0000000, 256 * MiB },
        { 0xb8000001, 0xb0000000, 256 * MiB },
        { 0xb8000003, 0xb8000000, 128 * MiB },
        { 0xbc000005, 0xbc000000, 64 * MiB },
    };
    Chipset *c = chipset_of(&q35);
    int i;

    g_assert_cmphex(cfg_read(c->mch, MCH_PCIEXBAR, 4), ==, 0xb0000000);
    g_assert_cmphex(as_read(&c->as, 0xb0000000, 4), ==, UINT32_MAX);
    for (i = 0; i < ARRAY_SIZE(windows); i++) {
        uint64_t base = windows[i].base;

        cfg_write(c->mch, MCH_PCIEXBAR, windows[i].reg, 4);
        g_assert_cmphex(as_read(&c->as, base, 4), ==, 0x29c08086);
        g_assert_cmphex(as_read(&c->as, base + 0xf8000, 4), ==, 0x29188086);
        g_assert_cmphex(as_read(&c->as, base + 0xf8100, 4), ==, UINT32_MAX);
        g_assert_cmphex(PCI_HOST_BRIDGE(c->host)->mmcfg.size, ==,
                        windows[i].size);
    }
    cfg_write(c->mch, MCH_PCIEXBAR, 0xb0000007, 4);     /* no such length */
    g_assert_cmphex(as_read(&c->as, 0xb0000000, 4), ==, UINT32_MAX);
    cfg_write(c->mch, MCH_PCIEXBAR + 4, 0x8, 4);        /* above 4 GiB */
    cfg_write(c->mch, MCH_PCIEXBAR, 0xb0000001, 4);
    g_assert_cmphex(as_read(&c->as, 0x8b0000000, 4), ==, 0x29c08086);
    cfg_write(c->mch, MCH_PCIEXBAR, 0xb0000000, 1);
    g_assert_cmphex(as_read(&c->as, 0x8b0000000, 4), ==, UINT32_MAX);
    g_assert_cmphex(cfg_read(c->mch, MCH_TOLUD, 2), ==, RAM_SIZE / MiB << 4);
}

/* -- ICH9's router ---------------------------------------------------------------- */

static void set_pirq(int pirq, uint8_t route)
{
    cfg_write(q35.south, pirq < 4 ? ICH9_LPC_PIRQA_ROUT + pirq
                                  : ICH9_LPC_PIRQE_ROUT + pirq - 4, route, 1);
}

#define CC 0xfed1c000u

static void open_cc(void)
{
    cfg_write(q35.south, ICH9_LPC_RCBA, CC | ICH9_LPC_RCBA_EN, 4);
}

/* Which PIRQ a device in @slot would use. */
static int pirq_of(int slot, int pin)
{
    PCIDevice d = { .devfn = PCI_DEVFN(slot, 0) };

    d.qdev.parent_bus = &q35.bus->qbus;
    return q35.bus->map_irq(&d, pin);
}

static void test_ich9_wiring(void)
{
    int slot, pin;

    chipset_of(&q35);
    for (pin = 0; pin < PCI_NUM_PINS; pin++) {
        for (slot = 0; slot < 25; slot++) {
            g_assert_cmpint(pirq_of(slot, pin), ==, 4 + (slot + pin) % 4);
        }
        for (slot = 25; slot < PCI_SLOT_MAX; slot++) {
            g_assert_cmpint(pirq_of(slot, pin), ==,
                            slot == 30 ? 4 + pin : pin);
        }
    }
    open_cc();
    as_write(&q35.as, CC + ICH9_CC_D31IR, 0x7654, 2);
    as_write(&q35.as, CC + ICH9_CC_D25IR + 1, 0xff, 1);
    for (pin = 0; pin < PCI_NUM_PINS; pin++) {
        g_assert_cmpint(pirq_of(31, pin), ==, 4 + pin);
        g_assert_cmpint(pirq_of(25, pin), ==, pin < 2 ? pin : 7);
        g_assert_cmpint(pirq_of(29, pin), ==, pin);
    }
    chipset_reset(&q35);
    g_assert_cmpint(pirq_of(31, 0), ==, 0);
}

static void test_ich9_levels(void)
{
    const int *level = gsi[0];

    chipset_of(&q35);
    /* Slot 4's INTA is PIRQE: GSI 20, and nowhere else while disabled. */
    pci_set_irq(q35.dev[0], 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(20));
    set_pirq(4, 10);
    g_assert_cmphex(gsi_mask(level), ==, BIT(20) | BIT(10));
    set_pirq(4, 11);
    g_assert_cmphex(gsi_mask(level), ==, BIT(20) | BIT(11));
    /* Slot 5's on the same ISA interrupt. */
    set_pirq(5, 11);
    pci_set_irq(q35.dev[1], 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(20) | BIT(21) | BIT(11));
    pci_set_irq(q35.dev[0], 0);
    g_assert_cmphex(gsi_mask(level), ==, BIT(21) | BIT(11));
    set_pirq(5, 0x80 | 11);
    g_assert_cmphex(gsi_mask(level), ==, BIT(21));
    set_pirq(5, 2);                     /* not for PCI */
    g_assert_cmphex(gsi_mask(level), ==, BIT(21));
    pci_set_irq(q35.dev[1], 0);
    g_assert_cmphex(gsi_mask(level), ==, 0);
}

static void test_ich9_route(void)
{
    PCIINTxRoute r;
    int *notified_a = &TEST_DEV(q35.dev[0])->notified;
    int before;

    chipset_of(&q35);
    pci_device_set_intx_routing_notifier(q35.dev[0], NULL);
    r = pci_device_route_intx_to_irq(q35.dev[0], 0);
    g_assert_cmpint(r.mode, ==, PCI_INTX_ENABLED);
    g_assert_cmpint(r.irq, ==, 20);
    set_pirq(4, 10);
    r = pci_device_route_intx_to_irq(q35.dev[0], 0);
    g_assert_cmpint(r.mode, ==, PCI_INTX_ENABLED);
    g_assert_cmpint(r.irq, ==, 10);
    r = pci_device_route_intx_to_irq(q35.dev[0], 3);
    g_assert_cmpint(r.irq, ==, 23);

    pci_device_set_intx_routing_notifier(q35.dev[0], test_dev_notified);
    before = *notified_a;
    set_pirq(4, 10);                    /* the same */
    g_assert_cmpint(*notified_a, ==, before);
    set_pirq(4, 0x80);
    g_assert_cmpint(*notified_a, ==, before + 1);
    cfg_write(q35.south, ICH9_LPC_PIRQE_ROUT, 0x0b0a0b0a, 4);
    g_assert_cmpint(*notified_a, ==, before + 2);
    chipset_reset(&q35);
    g_assert_cmpint(*notified_a, ==, before + 3);
    open_cc();
    as_write(&q35.as, CC + ICH9_CC_D28IR, 0x0123, 2);
    g_assert_cmpint(*notified_a, ==, before + 4);
    pci_device_set_intx_routing_notifier(q35.dev[0], NULL);
}

/* A pin that is high goes along to its new PIRQ. */
static void test_ich9_rewired_while_high(void)
{
    PCIDevice *d;
    const int *level = gsi[0];

    chipset_of(&q35);
    d = pci_create_simple(q35.bus, PCI_DEVFN(28, 0), TYPE_TEST_DEV);
    pci_set_irq(d, 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(16));
    open_cc();
    as_write(&q35.as, CC + ICH9_CC_D28IR, 0x3215, 2);
    g_assert_cmphex(gsi_mask(level), ==, BIT(21));
    pci_set_irq(q35.dev[1], 1);         /* PIRQF too */
    pci_set_irq(d, 0);
    g_assert_cmphex(gsi_mask(level), ==, BIT(21));
    pci_set_irq(q35.dev[1], 0);
    g_assert_cmphex(gsi_mask(level), ==, 0);
    qdev_unparent(DEVICE(d));
}

static void test_ich9_cc(void)
{
    chipset_of(&q35);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_D31IR, 2), ==, 0xffff);
    open_cc();
    g_assert_cmphex(cfg_read(q35.south, ICH9_LPC_RCBA, 4), ==, CC | 1);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_D31IR, 2), ==, 0x3210);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_GCS, 4), ==, 0x20);
    as_write(&q35.as, CC + ICH9_CC_GCS, 0, 4);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_GCS, 4), ==, 0x20);
    as_write(&q35.as, CC, UINT32_MAX, 4);
    as_write(&q35.as, CC + ICH9_CC_SIZE - 4, UINT32_MAX, 4);
    g_assert_cmphex(as_read(&q35.as, CC, 4), ==, 0);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_SIZE - 1, 1), ==, 0);
    g_assert_cmphex(as_read(&q35.as, CC + ICH9_CC_SIZE, 4), ==, UINT32_MAX);
    cfg_write(q35.south, ICH9_LPC_RCBA, 0, 4);
    g_assert_cmphex(as_read(&q35.as, CC, 4), ==, UINT32_MAX);
}

static void test_ich9_pm(void)
{
    const int *level = gsi[0];

    chipset_of(&q35);
    cfg_write(q35.south, ICH9_LPC_PMBASE, 0x601, 4);
    g_assert_cmphex(cfg_read(q35.south, ICH9_LPC_PMBASE, 4), ==, 0x601);
    g_assert_cmphex(as_read(&q35.io_as, 0x604, 2), ==, 0xffff);
    cfg_write(q35.south, ICH9_LPC_ACPI_CTRL, ICH9_LPC_ACPI_CTRL_EN, 1);
    g_assert_cmphex(as_read(&q35.io_as, 0x604, 2), ==, 0);
    cfg_write(q35.south, ICH9_LPC_PMBASE, 0xffffffff, 4);
    g_assert_cmphex(cfg_read(q35.south, ICH9_LPC_PMBASE, 4), ==, 0xff81);
    g_assert_cmphex(as_read(&q35.io_as, 0xff84, 2), ==, 0);
    cfg_write(q35.south, ICH9_LPC_PMBASE, 0x601, 4);

    /* ACPI on by the command port; the power button's event is an SCI. */
    as_write(&q35.io_as, ACPI_APM_PORT, 0x02, 1);
    g_assert_cmphex(as_read(&q35.io_as, 0x604, 2), ==, ACPI_PM1_SCI_EN);
    as_write(&q35.io_as, 0x602, ACPI_PM1_PWRBTN, 2);
    acpi_pm_power_button(&ICH9_LPC_DEVICE(q35.south)->pm);
    g_assert_cmphex(gsi_mask(level), ==, BIT(9));
    /* A PIRQ on the same interrupt, and the SCI on another. */
    set_pirq(4, 9);
    pci_set_irq(q35.dev[0], 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(9) | BIT(20));
    cfg_write(q35.south, ICH9_LPC_ACPI_CTRL, ICH9_LPC_ACPI_CTRL_EN | 5, 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(9) | BIT(20) | BIT(21));
    pci_set_irq(q35.dev[0], 0);
    g_assert_cmphex(gsi_mask(level), ==, BIT(21));
    as_write(&q35.io_as, 0x600, ACPI_PM1_PWRBTN, 2);
    g_assert_cmphex(gsi_mask(level), ==, 0);
    chipset_reset(&q35);
    g_assert_cmphex(as_read(&q35.io_as, 0x604, 2), ==, 0xffff);
}

/* -- PIIX3's router ------------------------------------------------------------------ */

static void test_piix3_levels(void)
{
    const int *level = gsi[1];

    chipset_of(&pc);
    /* Slot 4's INTA is PIRQD, slot 5's PIRQA. */
    pci_set_irq(pc.dev[0], 1);
    g_assert_cmphex(gsi_mask(level), ==, 0);
    cfg_write(pc.south, PIIX3_PIRQCA + 3, 11, 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(11));
    cfg_write(pc.south, PIIX3_PIRQCA, 11, 1);
    pci_set_irq(pc.dev[1], 1);
    pci_set_irq(pc.dev[0], 0);
    g_assert_cmphex(gsi_mask(level), ==, BIT(11));
    cfg_write(pc.south, PIIX3_PIRQCA, 5, 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(5));
    cfg_write(pc.south, PIIX3_PIRQCA, 0x80, 1);
    g_assert_cmphex(gsi_mask(level), ==, 0);
    cfg_write(pc.south, PIIX3_PIRQCA, 13, 1);       /* not for PCI */
    g_assert_cmphex(gsi_mask(level), ==, 0);

    cfg_write(pc.south, PIIX3_PIRQCA, 9, 1);
    qemu_set_irq(qdev_get_gpio_in_named(DEVICE(pc.south), PIIX3_GPIO_SCI, 0),
                 1);
    g_assert_cmphex(gsi_mask(level), ==, BIT(9));
    pci_set_irq(pc.dev[1], 0);
    g_assert_cmphex(gsi_mask(level), ==, BIT(9));
    qemu_set_irq(qdev_get_gpio_in_named(DEVICE(pc.south), PIIX3_GPIO_SCI, 0),
                 0);
    g_assert_cmphex(gsi_mask(level), ==, 0);
}

static void test_piix3_route(void)
{
    int *notified_a = &TEST_DEV(pc.dev[0])->notified;
    PCIINTxRoute r;

    chipset_of(&pc);
    pci_device_set_intx_routing_notifier(pc.dev[0], test_dev_notified);
    r = pci_device_route_intx_to_irq(pc.dev[0], 0);
    g_assert_cmpint(r.mode, ==, PCI_INTX_DISABLED);
    g_assert_cmpint(r.irq, ==, -1);
    *notified_a = 0;
    cfg_write(pc.south, PIIX3_PIRQCA, 0x0b0b0a0a, 4);
    g_assert_cmpint(*notified_a, ==, 1);
    r = pci_device_route_intx_to_irq(pc.dev[0], 0);
    g_assert_cmpint(r.mode, ==, PCI_INTX_ENABLED);
    g_assert_cmpint(r.irq, ==, 11);
    r = pci_device_route_intx_to_irq(pc.dev[1], 0);
    g_assert_cmpint(r.irq, ==, 10);
    cfg_write(pc.south, PIIX3_PIRQCA, 0x0b0b0a0a, 4);
    g_assert_cmpint(*notified_a, ==, 1);
    chipset_reset(&pc);
    g_assert_cmpint(*notified_a, ==, 2);
    g_assert_cmphex(cfg_read(pc.south, PIIX3_PIRQCA, 4), ==, 0x80808080);
    pci_device_set_intx_routing_notifier(pc.dev[0], NULL);
}

static void add_for_both(const char *what, void (*fn)(gconstpointer))
{
    g_autofree char *a = g_strdup_printf("/chipset/q35/%s", what);
    g_autofree char *b = g_strdup_printf("/chipset/pc/%s", what);

    g_test_add_data_func(a, &q35, fn);
    g_test_add_data_func(b, &pc, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();
    memory_init();
    chipsets_new();
    add_for_both("shadow-ram-segment-by-segment", test_pam);
    add_for_both("shadow-ram-by-dwords", test_pam_dword);
    add_for_both("smram-opens-until-locked", test_smram);
    add_for_both("reset-control", test_reset_control);
    add_for_both("identity", test_identity);
    add_for_both("any-config-write-is-survived", test_nonsense);
    g_test_add_func("/chipset/q35/pci-express-window", test_pciexbar);
    g_test_add_func("/chipset/ich9/wiring", test_ich9_wiring);
    g_test_add_func("/chipset/ich9/levels-follow-the-route", test_ich9_levels);
    g_test_add_func("/chipset/ich9/route-and-notifier", test_ich9_route);
    g_test_add_func("/chipset/ich9/rewired-while-high",
                    test_ich9_rewired_while_high);
    g_test_add_func("/chipset/ich9/chipset-registers", test_ich9_cc);
    g_test_add_func("/chipset/ich9/power-management", test_ich9_pm);
    g_test_add_func("/chipset/piix3/levels-follow-the-route",
                    test_piix3_levels);
    g_test_add_func("/chipset/piix3/route-and-notifier", test_piix3_route);
    return g_test_run();
}
