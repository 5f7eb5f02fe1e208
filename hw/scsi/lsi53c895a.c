/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSI53C895A PCI to Ultra2 SCSI controller (LSI53C895A Technical Manual,
 * version 2.2): registers (chapter 4), interrupts (2.2.16), life.  Its bus is
 * in lsi53c895a-bus.c, its SCRIPTS processor in lsi53c895a-script.c.  Not
 * there: the target role, low-level mode (programmed arbitration and
 * handshake) but for the loopback of data, the serial EEPROM.
 */
#include "qemu/osdep.h"
#include "lsi53c895a.h"
#include "migration/vmstate.h"
#include "qemu/log.h"
#include "qemu/timer.h"

/* -- State ---------------------------------------------------------------- */

static const VMStateField cmd_fields[] = {
    VMSTATE_BOOL(used, LSICmdState),
    VMSTATE_BOOL(tagged, LSICmdState),
    VMSTATE_BOOL(may_disconnect, LSICmdState),
    VMSTATE_BOOL(disconnected, LSICmdState),
    VMSTATE_BOOL(complete, LSICmdState),
    VMSTATE_UINT8(target, LSICmdState),
    VMSTATE_UINT8(lun, LSICmdState),
    VMSTATE_UINT8(tag, LSICmdState),
    VMSTATE_UINT8(status, LSICmdState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_cmd = {
    .name = "lsi-command", .version_id = 1, .fields = cmd_fields,
};

static const VMStateField visible_fields[] = {
    VMSTATE_BUFFER(reg, LSIVisible),
    VMSTATE_BUFFER(ram, LSIVisible),
    VMSTATE_UINT8(dstat_stacked, LSIVisible),
    VMSTATE_UINT8(sist0_stacked, LSIVisible),
    VMSTATE_UINT8(sist1_stacked, LSIVisible),
    VMSTATE_BOOL(running, LSIVisible),
    VMSTATE_BOOL(carry, LSIVisible),
    VMSTATE_BOOL(loaded, LSIVisible),
    VMSTATE_UINT8(wait, LSIVisible),
    VMSTATE_BOOL(connected, LSIVisible),
    VMSTATE_BOOL(selecting, LSIVisible),
    VMSTATE_BOOL(maybe_msgout, LSIVisible),
    VMSTATE_UINT8(phase, LSIVisible),
    VMSTATE_UINT8(next_phase, LSIVisible),
    VMSTATE_UINT8(target, LSIVisible),
    VMSTATE_UINT8(lun, LSIVisible),
    VMSTATE_UINT8(tag, LSIVisible),
    VMSTATE_UINT8(status, LSIVisible),
    VMSTATE_BOOL(tagged, LSIVisible),
    VMSTATE_BOOL(may_disconnect, LSIVisible),
    VMSTATE_BUFFER(msgout, LSIVisible),
    VMSTATE_UINT8(msgout_len, LSIVisible),
    VMSTATE_BUFFER(msgin, LSIVisible),
    VMSTATE_UINT8(msgin_len, LSIVisible),
    VMSTATE_UINT8(msgin_pos, LSIVisible),
    VMSTATE_UINT8(msg_action, LSIVisible),
    VMSTATE_BOOL(msgin_again, LSIVisible),
    VMSTATE_BUFFER(cdb, LSIVisible),
    VMSTATE_UINT8(cdb_len, LSIVisible),
    VMSTATE_UINT16(cur, LSIVisible),
    VMSTATE_STRUCT_ARRAY(cmd, LSIVisible, &vmstate_cmd),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_visible = {
    .name = "lsi-state", .version_id = 1, .fields = visible_fields,
};

static const VMStateField lsi_fields[] = {
    VMSTATE_STRUCT(st, LSIState, &vmstate_visible),
    VMSTATE_END_OF_LIST()
};
const VMStateDescription vmstate_lsi = {
    .name = TYPE_LSI53C895A, .version_id = 1, .fields = lsi_fields,
};

/* -- Interrupts ----------------------------------------------------------- */

/* These do not stop a script unless they are enabled, nor show in SIP. */
#define SIST0_NONFATAL (SIST0_CMP | SIST0_SEL | SIST0_RSL)
#define SIST1_NONFATAL (SIST1_GEN | SIST1_HTH)

static bool scsi_pending(const LSIState *s, uint8_t sist0, uint8_t sist1)
{
    return sist0 & (s->st.reg[LSI_SIEN0] | (uint8_t)~SIST0_NONFATAL) ||
        sist1 & (s->st.reg[LSI_SIEN1] | (uint8_t)~SIST1_NONFATAL);
}

void lsi_update_irq(LSIState *s)
{
    const uint8_t *r = s->st.reg;
    bool level = (r[LSI_DSTAT] & r[LSI_DIEN]) ||
        (r[LSI_SIST0] & r[LSI_SIEN0]) || (r[LSI_SIST1] & r[LSI_SIEN1]) ||
        (r[LSI_ISTAT0] & ISTAT0_INTF);

    pci_set_irq(&s->parent_obj, level && !(r[LSI_DCNTL] & DCNTL_IRQD));
}

/* What comes while an interrupt of the kind waits to be read is stacked
 * behind it. */
void lsi_dma_irq(LSIState *s, uint8_t dstat)
{
    uint8_t *now = &s->st.reg[LSI_DSTAT];

    *(*now ? &s->st.dstat_stacked : now) |= dstat;
    lsi_stop(s);
    lsi_update_irq(s);
}

void lsi_scsi_irq(LSIState *s, uint8_t sist0, uint8_t sist1)
{
    uint8_t *r = s->st.reg;

    trace_event("lsi_scsi_irq", "sist0 0x%02x sist1 0x%02x", sist0, sist1);
    if (scsi_pending(s, sist0, sist1)) {
        lsi_stop(s);
    }
    if (r[LSI_SIST0] | r[LSI_SIST1]) {
        s->st.sist0_stacked |= sist0;
        s->st.sist1_stacked |= sist1;
    } else {
        r[LSI_SIST0] = sist0;
        r[LSI_SIST1] = sist1;
    }
    lsi_update_irq(s);
}

static uint8_t read_dstat(LSIState *s)
{
    uint8_t v = s->st.reg[LSI_DSTAT];

    s->st.reg[LSI_DSTAT] = s->st.dstat_stacked;
    s->st.dstat_stacked = 0;
    lsi_update_irq(s);
    return v | DSTAT_DFE;
}

static uint8_t read_sist(LSIState *s, unsigned reg)
{
    uint8_t *r = s->st.reg, v = r[reg];

    r[reg] = 0;
    if (!(r[LSI_SIST0] | r[LSI_SIST1])) {
        r[LSI_SIST0] = s->st.sist0_stacked;
        r[LSI_SIST1] = s->st.sist1_stacked;
        s->st.sist0_stacked = s->st.sist1_stacked = 0;
    }
    lsi_update_irq(s);
    lsi_kick(s);                /* a target may be waiting to reselect */
    return v;
}

static void general_timer(void *opaque)
{
    lsi_scsi_irq(opaque, 0, SIST1_GEN);
}

/* -- Parity (manual, chapter 2, Parity Options) ----------------------------
 *
 * The targets' parity is always right, so that the chip finds it wrong only
 * in what it sends to itself, in loopback mode.
 */

/* The ninth line of a bus of odd parity. */
static bool odd_parity(uint8_t byte)
{
    return !(__builtin_popcount(byte) & 1);
}

static void set_bit(uint8_t *reg, uint8_t bit, bool on)
{
    *reg = on ? *reg | bit : *reg & ~bit;
}

void lsi_latch(LSIState *s, uint8_t byte)
{
    s->st.reg[LSI_SIDL] = byte;
    set_bit(&s->st.reg[LSI_SSTAT1], SSTAT1_SDP0L, odd_parity(byte));
}

/* Whether the chip drives the data lines of no bus but its own. */
static bool in_loopback(const LSIState *s)
{
    return s->st.reg[LSI_STEST2] & STEST2_SLB &&
        s->st.reg[LSI_SCNTL1] & SCNTL1_ADB;
}

/* Byte @i of the data lines, and its parity line. */
static uint8_t data_lines(const LSIState *s, unsigned i)
{
    return in_loopback(s) ? s->st.reg[LSI_SODL + i] : 0;
}

static bool parity_line(const LSIState *s, unsigned i)
{
    return in_loopback(s) && odd_parity(data_lines(s, i)) ==
        !(s->st.reg[LSI_SCNTL1] & SCNTL1_AESP);
}

/* REQ or ACK goes up: what is on the bus is taken in, and looked at. */
static void loopback_handshake(LSIState *s)
{
    uint8_t *r = s->st.reg;
    bool low = parity_line(s, 0), high = parity_line(s, 1);
    bool bad = low != odd_parity(data_lines(s, 0)) ||
        (r[LSI_SCNTL3] & SCNTL3_EWS && high != odd_parity(data_lines(s, 1)));

    r[LSI_SIDL] = data_lines(s, 0);
    r[LSI_SIDL + 1] = data_lines(s, 1);
    set_bit(&r[LSI_SSTAT1], SSTAT1_SDP0L, low);
    set_bit(&r[LSI_SSTAT2], SSTAT2_SPL1, high);
    if (bad && r[LSI_SCNTL0] & SCNTL0_EPC) {
        set_bit(&r[LSI_SOCL], SOCL_ATN, r[LSI_SCNTL0] & SCNTL0_AAP ||
                                        r[LSI_SOCL] & SOCL_ATN);
        lsi_scsi_irq(s, SIST0_PAR, 0);
    }
}

/* -- Registers: reading --------------------------------------------------- */

static uint8_t bus_lines(const LSIState *s)
{
    uint8_t v = s->st.reg[LSI_SOCL] & (SOCL_ATN | SOCL_ACK);

    if (s->st.reg[LSI_STEST2] & STEST2_SLB) {
        return s->st.reg[LSI_SOCL];
    }
    if (s->st.connected) {
        v |= SBCL_BSY;
        if (s->st.phase != PHASE_NONE) {
            v |= SBCL_REQ | s->st.phase;
        }
    }
    return v;
}

static uint8_t read_istat0(const LSIState *s)
{
    const uint8_t *r = s->st.reg;

    return (r[LSI_ISTAT0] & ~(ISTAT0_CON | ISTAT0_SIP | ISTAT0_DIP)) |
        (s->st.connected ? ISTAT0_CON : 0) |
        (scsi_pending(s, r[LSI_SIST0], r[LSI_SIST1]) ? ISTAT0_SIP : 0) |
        (r[LSI_DSTAT] ? ISTAT0_DIP : 0);
}

static uint8_t read_ctest2(LSIState *s)
{
    uint8_t v = s->st.reg[LSI_CTEST2] | CTEST2_DACK | CTEST2_CM | CTEST2_CIO;

    if (s->st.reg[LSI_ISTAT0] & ISTAT0_SIGP) {
        s->st.reg[LSI_ISTAT0] &= ~ISTAT0_SIGP;
        v |= CTEST2_SIGP;
    }
    return v;
}

/* With CTEST2.PCICIE the first two scratch registers show BARs 1 and 2. */
static uint8_t read_bar(const LSIState *s, unsigned reg)
{
    unsigned bar = reg >= LSI_SCRATCHB ? PCI_BASE_ADDRESS_2
                                       : PCI_BASE_ADDRESS_1;

    return s->parent_obj.config[bar + (reg & 3)];
}

uint8_t lsi_reg_read(LSIState *s, unsigned reg)
{
    const uint8_t *r = s->st.reg;

    switch (reg) {
    case LSI_GPREG:
        return 0x7f;            /* nothing pulls a pin down */
    case LSI_SBCL:
        return bus_lines(s);
    case LSI_DSTAT:
        return read_dstat(s);
    case LSI_SSTAT0:
        return r[reg] | (parity_line(s, 0) ? SSTAT0_SDP0 : 0);
    case LSI_SSTAT1:
        return r[reg] |
            (s->st.connected && s->st.phase != PHASE_NONE ? s->st.phase : 0);
    case LSI_SSTAT2:
        return r[reg] | (s->st.connected ? 0 : SSTAT2_LDSC) |
            (parity_line(s, 1) ? SSTAT2_SDP1 : 0);
    case LSI_SBDL:
    case LSI_SBDL + 1:
        return data_lines(s, reg - LSI_SBDL);
    case LSI_ISTAT0:
        return read_istat0(s);
    case LSI_ISTAT1:
        return (r[reg] & ~ISTAT1_SRUN) | (s->st.running ? ISTAT1_SRUN : 0);
    case LSI_CTEST2:
        return read_ctest2(s);
    case LSI_DFIFO:             /* empty: the low bits of DBC */
        return r[LSI_CTEST5] & CTEST5_DFS ? r[LSI_DBC] : r[LSI_DBC] & 0x7f;
    case LSI_CTEST5:
        return (r[reg] & ~3) |
            (r[reg] & CTEST5_DFS ? r[LSI_DBC + 1] & 3 : 0);
    case LSI_SIST0:
    case LSI_SIST1:
        return read_sist(s, reg);
    case LSI_SCRATCHA ... LSI_SCRATCHA + 3:
    case LSI_SCRATCHB ... LSI_SCRATCHB + 3:
        return r[LSI_CTEST2] & CTEST2_PCICIE ? read_bar(s, reg) : r[reg];
    default:
        return r[reg];
    }
}

/* -- Registers: writing --------------------------------------------------- */

/* Bits that cannot be written as they are; all others hold what they get. */
static const uint8_t read_only[LSI_REGS] = {
    [LSI_SCNTL0] = SCNTL0_START,
    [LSI_SCNTL1] = SCNTL1_CON,
    [LSI_SSID ... LSI_SSTAT2] = 0xff,
    [LSI_ISTAT0] = 0xff,
    [LSI_ISTAT1] = 0xfe,
    [LSI_CTEST1] = 0xff,
    [LSI_CTEST2] = (uint8_t)~CTEST2_PCICIE,
    [LSI_CTEST3] = 0xfe,
    [LSI_DFIFO] = 0xff,
    [LSI_CTEST5] = 0x03,
    [LSI_DCNTL] = DCNTL_STD,
    [LSI_ADDER ... LSI_ADDER + 3] = 0xff,
    [LSI_SIST0] = 0xff,
    [LSI_SIST1] = 0xff,
    [LSI_MACNTL] = 0xf0,
    [LSI_STEST0] = 0xff,
    [LSI_SIDL ... LSI_STEST4 + 1] = 0xff,
    [LSI_SBDL ... LSI_SBDL + 3] = 0xff,
    [0xe0 ... 0xff] = 0xff,
};

static void write_scntl1(LSIState *s, uint8_t old, uint8_t val)
{
    if (val & ~old & SCNTL1_RST) {
        trace_event("lsi_bus_reset", "%s", "by SCNTL1");
        s->st.reg[LSI_SSTAT0] |= SSTAT0_RST;
        lsi_bus_reset(s);
        lsi_scsi_irq(s, SIST0_RST, 0);
    } else if (!(val & SCNTL1_RST)) {
        s->st.reg[LSI_SSTAT0] &= ~SSTAT0_RST;
    }
}

static void registers_reset(LSIState *s);

static void write_istat0(LSIState *s, uint8_t val)
{
    uint8_t keep = ISTAT0_SIGP | ISTAT0_SEM, *r = &s->st.reg[LSI_ISTAT0];

    *r = (*r & ISTAT0_INTF & ~val) | (val & keep);
    if (val & ISTAT0_SRST) {
        /* In effect once: there are drivers that never take it back. */
        lsi_bus_reset(s);
        registers_reset(s);
        return;
    }
    if (val & ISTAT0_ABRT) {
        lsi_dma_irq(s, DSTAT_ABRT);
    }
    if (val & ISTAT0_SIGP && s->st.running &&
        s->st.wait == LSI_WAIT_RESELECT) {
        lsi_set32(s, LSI_DSP, lsi_get32(s, LSI_DBC) & 1u << 26 ?
                  lsi_get32(s, LSI_DSP) +
                  ((int32_t)(lsi_get32(s, LSI_DSPS) << 8) >> 8) :
                  lsi_get32(s, LSI_DSPS));
        s->st.wait = LSI_RUN;
        s->slices = 0;
        lsi_run(s);
    }
    lsi_update_irq(s);
}

static void write_stime1(LSIState *s, uint8_t val)
{
    unsigned n = val & 0xf;

    timer_del(s->gen);
    if (n) {
        timer_mod(s->gen, qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) +
                  (125ULL << (n - 1)));
    }
}

void lsi_reg_write(LSIState *s, unsigned reg, uint8_t val)
{
    uint8_t *r = &s->st.reg[reg], old = *r;

    *r = (old & read_only[reg]) | (val & ~read_only[reg]);
    switch (reg) {
    case LSI_SCNTL0:
        if (val & SCNTL0_START &&
            !lsi_select(s, s->st.reg[LSI_SDID] & 0xf, val & SCNTL0_WATN)) {
            lsi_scsi_irq(s, SIST0_UDC, 0);
        }
        break;
    case LSI_SCNTL1:
        write_scntl1(s, old, val);
        break;
    case LSI_SOCL:
        if (s->st.reg[LSI_STEST2] & STEST2_SLB) {
            if (val & ~old & (SOCL_REQ | SOCL_ACK)) {
                loopback_handshake(s);
            }
        } else if (val & ~old & SOCL_ATN) {
            lsi_set_atn(s);
        }
        break;
    case LSI_ISTAT0:
        write_istat0(s, val);
        break;
    case LSI_DSP + 3:
        if (!(s->st.reg[LSI_DMODE] & DMODE_MAN) && !s->busy) {
            lsi_start(s);
        }
        break;
    case LSI_DCNTL:
        if (val & DCNTL_STD && !s->busy) {
            lsi_start(s);
        }
        lsi_update_irq(s);
        break;
    case LSI_DIEN:
    case LSI_SIEN0:
    case LSI_SIEN1:
        lsi_update_irq(s);
        lsi_kick(s);
        break;
    case LSI_STIME1:
        write_stime1(s, val);
        break;
    }
}

/* -- Access --------------------------------------------------------------- */

static MemTxResult regs_read(void *opaque, hwaddr addr, uint64_t *data,
                             unsigned size, MemTxAttrs attrs)
{
    LSIState *s = opaque;

    if (s->busy) {
        return MEMTX_ERROR;
    }
    *data = 0;
    for (unsigned i = 0; i < size; i++) {
        *data |= (uint64_t)lsi_reg_read(s, (addr + i) % LSI_REGS) << 8 * i;
    }
    return MEMTX_OK;
}

static MemTxResult regs_write(void *opaque, hwaddr addr, uint64_t data,
                              unsigned size, MemTxAttrs attrs)
{
    LSIState *s = opaque;

    if (s->busy) {
        return MEMTX_ERROR;
    }
    for (unsigned i = 0; i < size; i++) {
        lsi_reg_write(s, (addr + i) % LSI_REGS, data >> 8 * i);
    }
    return MEMTX_OK;
}

static const MemoryRegionOps regs_ops = {
    .read_with_attrs = regs_read,
    .write_with_attrs = regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
};

static uint64_t ram_read(void *opaque, hwaddr addr, unsigned size)
{
    LSIState *s = opaque;

    return ldn_le_p(s->st.ram + addr, size);
}

static void ram_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    LSIState *s = opaque;

    stn_le_p(s->st.ram + addr, size, val);
}

static const MemoryRegionOps ram_ops = {
    .read = ram_read,
    .write = ram_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* Whether all of the access is in a BAR; *@at: where. */
static bool in_bar(LSIState *s, int bar, uint64_t size, uint64_t addr,
                   unsigned len, uint64_t *at)
{
    uint64_t base = pci_get_bar_addr(&s->parent_obj, bar);

    *at = addr - base;
    return base != PCI_BAR_UNMAPPED && addr >= base && *at < size &&
        len <= size - *at;
}

bool lsi_mem_rw(LSIState *s, uint64_t addr, void *buf, unsigned len,
                bool is_write)
{
    uint8_t *p = buf;
    uint64_t at;

    if (in_bar(s, 2, LSI_RAM_SIZE, addr, len, &at)) {
        memcpy(is_write ? s->st.ram + at : p, is_write ? p : s->st.ram + at,
               len);
        return true;
    }
    if (in_bar(s, 1, 4 * LSI_REGS, addr, len, &at)) {
        for (unsigned i = 0; i < len; i++) {
            if (is_write) {
                lsi_reg_write(s, (at + i) % LSI_REGS, p[i]);
            } else {
                p[i] = lsi_reg_read(s, (at + i) % LSI_REGS);
            }
        }
        return true;
    }
    return pci_dma_rw(&s->parent_obj, addr, buf, len, is_write) == MEMTX_OK;
}

/* -- Life ----------------------------------------------------------------- */

/* Software reset: all but the RAM. */
static void registers_reset(LSIState *s)
{
    uint8_t *r = s->st.reg;

    qemu_bh_cancel(s->bh);
    timer_del(s->later);
    timer_del(s->gen);
    lsi_stop(s);
    memset(r, 0, LSI_REGS);
    s->st.dstat_stacked = s->st.sist0_stacked = s->st.sist1_stacked = 0;
    s->st.carry = false;
    r[LSI_SCNTL0] = 0xc0;
    r[LSI_GPREG] = 0x7f;
    r[LSI_CTEST1] = 0xf0;
    r[LSI_MACNTL] = 0x0f;
    r[LSI_GPCNTL] = 0x0f;
    r[LSI_STEST4] = 0xe0;       /* LVD, clock locked */
    lsi_update_irq(s);
}

static void lsi_device_reset(DeviceState *dev)
{
    LSIState *s = LSI53C895A(dev);

    if (s->busy) {
        s->reset_pending = true;
        return;
    }
    s->reset_pending = false;
    lsi_bus_reset(s);
    /* All that vmstate_lsi has, at once: there are many commands. */
    memset(&s->st, 0, sizeof(s->st));
    s->st.cur = LSI_NO_CMD;
    s->st.phase = PHASE_NONE;
    registers_reset(s);
}

static bool lsi_realize(PCIDevice *dev, Error **errp)
{
    LSIState *s = LSI53C895A(dev);
    AioContext *ctx = qdev_get_context(DEVICE(s));

    dev->config[PCI_LATENCY_TIMER] = 0xff;
    pci_config_set_interrupt_pin(dev->config, 1);
    memory_region_init_io(&s->io, OBJECT(s), &regs_ops, s, "lsi-io",
                          LSI_REGS);
    memory_region_init_io(&s->mmio, OBJECT(s), &regs_ops, s, "lsi-mmio",
                          4 * LSI_REGS);
    memory_region_init_io(&s->ram, OBJECT(s), &ram_ops, s, "lsi-ram",
                          LSI_RAM_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_IO, &s->io);
    pci_register_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->ram);
    s->bh = aio_bh_new(ctx, lsi_run_bh, s);
    s->later = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_US, lsi_run_bh,
                             s);
    s->gen = aio_timer_new(ctx, QEMU_CLOCK_VIRTUAL, SCALE_US, general_timer,
                           s);
    QTAILQ_INIT(&s->ready);
    scsi_bus_init(&s->bus, sizeof(s->bus), DEVICE(s), &lsi_bus_info);
    lsi_device_reset(DEVICE(s));
    return true;
}

static void lsi_exit(PCIDevice *dev)
{
    LSIState *s = LSI53C895A(dev);

    lsi_bus_reset(s);
    registers_reset(s);
    lsi_cmds_free(s);
    g_clear_pointer(&s->bh, qemu_bh_delete);
    g_clear_pointer(&s->later, timer_free);
    g_clear_pointer(&s->gen, timer_free);
    memory_region_finalize(&s->io);
    memory_region_finalize(&s->mmio);
    memory_region_finalize(&s->ram);
}

static void lsi_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = lsi_realize;
    pc->exit = lsi_exit;
    pc->vendor_id = PCI_VENDOR_ID_LSI_LOGIC;
    pc->device_id = 0x0012;
    pc->subsystem_vendor_id = PCI_VENDOR_ID_REDHAT_QUMRANET;
    pc->subsystem_id = 0x1000;
    pc->class_id = 0x0100;      /* mass storage, SCSI */
    dc->reset = lsi_device_reset;
    dc->vmsd = &vmstate_lsi;
    dc->desc = "LSI53C895A SCSI controller";
    dc->categories = 1 << DEVICE_CATEGORY_STORAGE;
}

static const TypeInfo lsi_types[] = {
    {
        .name = TYPE_LSI53C895A,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(LSIState),
        .class_init = lsi_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(lsi_types)
