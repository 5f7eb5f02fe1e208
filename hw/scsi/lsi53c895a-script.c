/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSI53C895A: the SCRIPTS processor (manual, chapter 5).
 *
 * A script runs in slices of LSI_SLICE instructions, so that one that never
 * ends or that changes itself holds up nobody; after LSI_PATIENCE slices
 * without a wait it gets only part of the time.  An instruction that has to
 * wait for the target is kept in DCMD, DBC and DSPS, with st.loaded where its
 * operands have been fetched, and executed again.
 */
#include "qemu/osdep.h"
#include "lsi53c895a.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qemu/timer.h"

#define LSI_SLICE 500
#define LSI_PATIENCE 200
#define LSI_PAUSE_US 1000
#define MEMORY_MOVE_CHUNK 4096

/* What an instruction did. */
typedef enum Did {
    DONE,
    AGAIN,                      /* more of the same, without a fetch */
    WAITS,                      /* st.wait says for what */
    STOPPED,
} Did;

void lsi_start(LSIState *s)
{
    s->st.running = true;
    s->st.wait = LSI_RUN;
    s->st.loaded = false;
    s->slices = 0;
    lsi_try_reselect(s);
    lsi_run(s);
}

void lsi_stop(LSIState *s)
{
    s->st.running = false;
    s->st.wait = LSI_RUN;
    s->st.loaded = false;
}

static Did illegal(LSIState *s)
{
    qemu_log_mask(LOG_GUEST_ERROR, "lsi53c895a: illegal instruction 0x%08x at "
                  "0x%08x\n", lsi_get32(s, LSI_DBC), lsi_get32(s, LSI_DSP));
    lsi_dma_irq(s, DSTAT_IID);
    return STOPPED;
}

static Did bus_fault(LSIState *s)
{
    lsi_dma_irq(s, DSTAT_BF);
    return STOPPED;
}

static Did wait_for(LSIState *s, LSIWait what)
{
    s->st.wait = what;
    return WAITS;
}

static uint64_t wide(LSIState *s, unsigned upper_reg, uint32_t low)
{
    return (uint64_t)lsi_get32(s, upper_reg) << 32 | low;
}

/* An address that may be relative to the next instruction. */
static uint32_t target_address(LSIState *s, bool relative)
{
    uint32_t addr = lsi_get32(s, LSI_DSPS);

    return relative ? lsi_get32(s, LSI_DSP) + ((int32_t)(addr << 8) >> 8)
                    : addr;
}

static uint64_t dsa_address(LSIState *s, uint32_t offset)
{
    return wide(s, LSI_DRS, lsi_get32(s, LSI_DSA) +
                ((int32_t)(offset << 8) >> 8));
}

/* The target does not ask for anything now; nobody ever will if there is no
 * target, and the selection times out (its 250 ms are not waited for). */
static Did no_phase(LSIState *s)
{
    if (s->st.selecting) {
        s->st.selecting = false;
        lsi_scsi_irq(s, 0, SIST1_STO);
        return STOPPED;
    }
    return wait_for(s, LSI_WAIT_TARGET);
}

/* -- Block move ----------------------------------------------------------- */

/* Upper half of an address, by the selector in a table entry. */
static uint32_t table_upper(LSIState *s, uint8_t selector)
{
    static const uint8_t others[] = {
        LSI_MMRS, LSI_MMWS, LSI_SFS, LSI_DRS, LSI_SBMS, LSI_DBMS,
    };

    if (s->st.reg[LSI_CCNTL1] & CCNTL1_64TIMOD) {
        return selector;
    }
    selector &= 0x1f;
    if (selector < 16) {
        return lsi_get32(s, LSI_SCRATCHC + 4 * selector);
    }
    selector -= 16;
    return selector < ARRAY_SIZE(others) ? lsi_get32(s, others[selector]) : 0;
}

/* DNAD, DNAD64 and DBC from wherever the instruction has them. */
static Did load_block_move(LSIState *s, uint8_t dcmd)
{
    uint32_t addr = lsi_get32(s, LSI_DSPS), entry[2];
    uint32_t upper = lsi_get32(s, LSI_SBMS);
    uint8_t rbc_upper = dcmd;

    lsi_set32(s, LSI_IA, lsi_get32(s, LSI_DSP) - 8);
    if (dcmd & 0x10) {
        uint64_t at = dsa_address(s, addr);

        if (!lsi_mem_rw(s, at, entry, sizeof(entry), false)) {
            return bus_fault(s);
        }
        rbc_upper = le32_to_cpu(entry[0]) >> 24;
        lsi_set32(s, LSI_ESA, at);
        lsi_set24(s, LSI_DBC, le32_to_cpu(entry[0]));
        addr = le32_to_cpu(entry[1]);
        if (s->st.reg[LSI_CCNTL1] & CCNTL1_EN64TIBMV) {
            upper = table_upper(s, rbc_upper);
        }
    } else if (s->st.reg[LSI_CCNTL1] & CCNTL1_EN64DBMV) {
        uint64_t dsp = wide(s, LSI_SFS, lsi_get32(s, LSI_DSP));

        if (!lsi_mem_rw(s, dsp, entry, 4, false)) {
            return bus_fault(s);
        }
        lsi_set32(s, LSI_DSP, dsp + 4);
        upper = le32_to_cpu(entry[0]);
        lsi_set32(s, LSI_DBMS, upper);
    }
    if ((dcmd & 0x30) == 0x20) {
        if (!lsi_mem_rw(s, wide(s, LSI_SBMS, addr), entry, 4, false)) {
            return bus_fault(s);
        }
        addr = le32_to_cpu(entry[0]);
    }
    if (!lsi_get24(s, LSI_DBC)) {
        return illegal(s);
    }
    lsi_set32(s, LSI_DNAD, addr);
    lsi_set32(s, LSI_DNAD64, upper);
    lsi_set32(s, LSI_RBC, lsi_get24(s, LSI_DBC) | (uint32_t)rbc_upper << 24);
    lsi_set24(s, LSI_SBC, 0);
    s->st.loaded = true;
    return DONE;
}

/* Another phase than the instruction's (manual, 2.2.14): a jump, where that
 * is enabled, or an interrupt. */
static Did phase_mismatch(LSIState *s, unsigned want)
{
    uint8_t ctl = s->st.reg[LSI_CCNTL0];
    uint32_t rbc = lsi_get32(s, LSI_RBC);

    lsi_set32(s, LSI_RBC, (rbc & 0xff000000) | lsi_get24(s, LSI_DBC));
    lsi_set32(s, LSI_UA, lsi_get32(s, LSI_DNAD));
    s->st.loaded = false;
    if (!(ctl & CCNTL0_ENPMJ) ||
        (want > PHASE_DATA_IN && !(ctl & CCNTL0_ENNDJ))) {
        lsi_scsi_irq(s, SIST0_MA, 0);
        return STOPPED;
    }
    /* WSR is never set: PMJAD2 is by direction only. */
    lsi_set32(s, LSI_DSP, lsi_get32(s, ctl & CCNTL0_PMJCTL && want & 1 ?
                                    LSI_PMJAD2 : LSI_PMJAD1));
    return DONE;
}

static void block_moved(LSIState *s, uint64_t addr, uint32_t left)
{
    uint32_t n = lsi_get24(s, LSI_DBC) - left;

    lsi_set24(s, LSI_DBC, left);
    lsi_set32(s, LSI_DNAD, addr);
    lsi_set32(s, LSI_DNAD64, addr >> 32);
    lsi_set24(s, LSI_SBC, lsi_get24(s, LSI_SBC) + n);
    lsi_set32(s, LSI_CSBC, lsi_get32(s, LSI_CSBC) + n);
}

static Did block_move(LSIState *s, uint8_t dcmd)
{
    unsigned want = dcmd & 7;
    Did did = s->st.loaded ? DONE : load_block_move(s, dcmd);

    if (did != DONE) {
        return did;
    }
    while (lsi_get24(s, LSI_DBC)) {
        uint32_t left = lsi_get24(s, LSI_DBC);
        uint64_t addr = wide(s, LSI_DNAD64, lsi_get32(s, LSI_DNAD));

        if (!s->st.connected || s->st.phase == PHASE_NONE) {
            return no_phase(s);
        }
        if (want == PHASE_MSG_OUT && s->st.phase == PHASE_COMMAND &&
            s->st.maybe_msgout) {
            s->st.phase = PHASE_MSG_OUT;
        }
        if (s->st.phase != want) {
            return phase_mismatch(s, want);
        }
        if (want <= PHASE_DATA_IN) {
            bool fault, go_on = lsi_move_data(s, &addr, &left, &fault);

            block_moved(s, addr, left);
            if (fault) {
                return bus_fault(s);
            }
            if (!go_on) {
                return wait_for(s, LSI_WAIT_TARGET);
            }
        } else {
            int n = lsi_move(s, addr, left);

            if (n < 0) {
                return bus_fault(s);
            }
            block_moved(s, addr + n, left - n);
            if (!s->st.connected && lsi_get24(s, LSI_DBC)) {
                /* The target went, with bytes still to be moved. */
                s->st.loaded = false;
                lsi_scsi_irq(s, SIST0_UDC, 0);
            }
            if (!s->st.running) {
                return STOPPED;
            }
        }
    }
    s->st.loaded = false;
    return DONE;
}

/* -- I/O ------------------------------------------------------------------ */

static Did do_select(LSIState *s, uint32_t insn)
{
    unsigned id = insn >> 16 & 0xf;
    bool relative = insn & BIT(26), table = insn & BIT(25);

    if (s->st.reg[LSI_SCNTL0] & SCNTL0_TRG) {
        /* Reselect an initiator: there is no other. */
        lsi_scsi_irq(s, 0, SIST1_STO);
        return STOPPED;
    }
    if (table) {
        uint8_t entry[4];

        if (!lsi_mem_rw(s, dsa_address(s, insn), entry, 4, false)) {
            return bus_fault(s);
        }
        s->st.reg[LSI_SXFER] = entry[1];
        s->st.reg[LSI_SCNTL3] = entry[3];
        id = entry[2] & 0xf;
    }
    /* Whoever reselects wins the bus. */
    s->st.wait = LSI_WAIT_RESELECT;
    lsi_try_reselect(s);
    s->st.wait = LSI_RUN;
    if (!s->st.running) {
        return STOPPED;
    }
    if (s->st.connected && s->st.phase == PHASE_MSG_IN && !s->st.msgin_pos) {
        lsi_set32(s, LSI_DSP, target_address(s, relative));
    } else if (!lsi_select(s, id, insn & BIT(24))) {
        /* The driver has forgotten its connection: the target gives up. */
        lsi_bus_free(s, true);
        lsi_scsi_irq(s, SIST0_UDC, 0);
        return STOPPED;
    }
    return DONE;
}

static Did wait_disconnect(LSIState *s)
{
    if (s->st.reg[LSI_SCNTL0] & SCNTL0_TRG) {
        lsi_bus_free(s, true);
        return DONE;
    }
    if (s->st.selecting) {
        return no_phase(s);
    }
    return s->st.connected ? wait_for(s, LSI_WAIT_DISCONNECT) : DONE;
}

static Did wait_reselect(LSIState *s, uint32_t insn)
{
    if (s->st.connected) {
        return DONE;
    }
    if (s->st.selecting) {
        return no_phase(s);
    }
    if (s->st.reg[LSI_ISTAT0] & ISTAT0_SIGP) {
        lsi_set32(s, LSI_DSP, target_address(s, insn & BIT(26)));
        return DONE;
    }
    if (s->st.reg[LSI_SCNTL0] & SCNTL0_TRG) {
        return wait_for(s, LSI_WAIT_FOREVER);
    }
    s->st.wait = LSI_WAIT_RESELECT;
    lsi_try_reselect(s);
    if (!s->st.running) {
        return STOPPED;
    }
    return s->st.wait == LSI_RUN ? DONE : WAITS;
}

static Did set_or_clear(LSIState *s, uint32_t insn, bool set)
{
    uint8_t lines = insn & (SOCL_ACK | SOCL_ATN);

    if (insn & BIT(10)) {
        s->st.carry = set;
    }
    if (insn & BIT(9)) {
        s->st.reg[LSI_SCNTL0] = set ? s->st.reg[LSI_SCNTL0] | SCNTL0_TRG
                                    : s->st.reg[LSI_SCNTL0] & ~SCNTL0_TRG;
    }
    if (set) {
        s->st.reg[LSI_SOCL] |= lines;
        if (lines & SOCL_ATN) {
            lsi_set_atn(s);
        }
    } else {
        s->st.reg[LSI_SOCL] &= ~lines;
    }
    return DONE;
}

/* -- Read, write ---------------------------------------------------------- */

static uint8_t operate(LSIState *s, unsigned operator, uint8_t a, uint8_t b)
{
    unsigned sum;

    switch (operator) {
    case 0:
        return b;
    case 1:
        sum = a << 1 | s->st.carry;
        s->st.carry = a >> 7;
        return sum;
    case 2:
        return a | b;
    case 3:
        return a ^ b;
    case 4:
        return a & b;
    case 5:
        sum = a >> 1 | s->st.carry << 7;
        s->st.carry = a & 1;
        return sum;
    default:                    /* 6: add; 7: with carry */
        sum = a + b + (operator == 7 && s->st.carry);
        s->st.carry = sum >> 8;
        return sum;
    }
}

static Did read_write(LSIState *s, uint32_t insn)
{
    unsigned opcode = insn >> 27 & 7;
    unsigned reg = (insn >> 16 & 0x7f) | (insn & 0x80);
    uint8_t b = insn & BIT(23) ? s->st.reg[LSI_SFBR] : insn >> 8;
    uint8_t a = opcode == 5 ? s->st.reg[LSI_SFBR] : lsi_reg_read(s, reg);
    uint8_t v = operate(s, insn >> 24 & 7, a, b);

    lsi_reg_write(s, opcode == 6 ? LSI_SFBR : reg, v);
    return s->st.running ? DONE : STOPPED;
}

static Did io_instruction(LSIState *s, uint32_t insn)
{
    switch (insn >> 27 & 7) {
    case 0:
        return do_select(s, insn);
    case 1:
        return wait_disconnect(s);
    case 2:
        return wait_reselect(s, insn);
    case 3:
        return set_or_clear(s, insn, true);
    case 4:
        return set_or_clear(s, insn, false);
    default:
        return read_write(s, insn);
    }
}

/* -- Transfer control ----------------------------------------------------- */

static bool condition(LSIState *s, uint32_t insn)
{
    bool want = insn & BIT(19), holds = want;
    uint8_t mask = ~(insn >> 8);

    /* With "if not" none of what is compared may hold, else all must. */
    if (insn & BIT(21)) {
        holds = s->st.carry;
    }
    if (holds == want && insn & BIT(17)) {
        holds = s->st.connected && s->st.phase == (insn >> 24 & 7);
    }
    if (holds == want && insn & BIT(18)) {
        holds = (s->st.reg[LSI_SFBR] & mask) == (insn & mask & 0xff);
    }
    return holds == want;
}

static Did transfer_control(LSIState *s, uint32_t insn)
{
    unsigned opcode = insn >> 27 & 7;
    uint32_t addr = target_address(s, insn & BIT(23));

    if (opcode > 3) {
        return illegal(s);
    }
    if (insn & BIT(16) && (!s->st.connected || s->st.phase == PHASE_NONE)) {
        return no_phase(s);
    }
    /* Neither "if" nor anything compared: no operation. */
    if (!(insn & (BIT(21) | BIT(19) | BIT(18) | BIT(17))) ||
        !condition(s, insn)) {
        return DONE;
    }
    switch (opcode) {
    case 1:
        lsi_set32(s, LSI_TEMP, lsi_get32(s, LSI_DSP));
        /* fall through */
    case 0:
        lsi_set32(s, LSI_DSP, addr);
        break;
    case 2:
        lsi_set32(s, LSI_DSP, lsi_get32(s, LSI_TEMP));
        break;
    default:
        if (insn & BIT(20)) {
            s->st.reg[LSI_ISTAT0] |= ISTAT0_INTF;
            lsi_update_irq(s);
        } else {
            lsi_dma_irq(s, DSTAT_SIR);
            return STOPPED;
        }
    }
    return DONE;
}

/* -- Memory move, load, store --------------------------------------------- */

static Did memory_move(LSIState *s)
{
    uint8_t buf[MEMORY_MOVE_CHUNK];
    uint32_t left = lsi_get24(s, LSI_DBC), n = MIN(left, sizeof(buf));
    uint32_t from, to, third;

    if (!s->st.loaded) {
        uint64_t dsp = wide(s, LSI_SFS, lsi_get32(s, LSI_DSP));

        if (!lsi_mem_rw(s, dsp, &third, 4, false)) {
            return bus_fault(s);
        }
        lsi_set32(s, LSI_DSP, dsp + 4);
        lsi_set32(s, LSI_TEMP, le32_to_cpu(third));
        if (!left) {
            return illegal(s);
        }
        s->st.loaded = true;
    }
    from = lsi_get32(s, LSI_DSPS);
    to = lsi_get32(s, LSI_TEMP);
    if ((s->st.reg[LSI_DMODE] & (DMODE_SIOM | DMODE_DIOM)) ||
        !lsi_mem_rw(s, wide(s, LSI_MMRS, from), buf, n, false) ||
        !lsi_mem_rw(s, wide(s, LSI_MMWS, to), buf, n, true)) {
        return bus_fault(s);
    }
    if (!s->st.running) {
        return STOPPED;         /* by what it wrote */
    }
    lsi_set32(s, LSI_DSPS, from + n);
    lsi_set32(s, LSI_TEMP, to + n);
    lsi_set24(s, LSI_DBC, left - n);
    if (left == n) {
        s->st.loaded = false;
    }
    return left > n ? AGAIN : DONE;
}

static Did load_store(LSIState *s, uint32_t insn)
{
    unsigned n = insn & 7, reg = insn >> 16 & 0xff;
    bool load = insn & BIT(24);
    uint32_t dsps = lsi_get32(s, LSI_DSPS);
    uint64_t addr = insn & BIT(28) ? dsa_address(s, dsps) :
                    wide(s, load ? LSI_MMRS : LSI_MMWS, dsps);
    uint8_t buf[4];

    /* Within one dword, aligned alike on both sides. */
    if (!n || n > 4 || (reg & 3) + n > 4 || (addr & 3) != (reg & 3)) {
        return illegal(s);
    }
    if (load) {
        if (!lsi_mem_rw(s, addr, buf, n, false)) {
            return bus_fault(s);
        }
        for (unsigned i = 0; i < n && s->st.running; i++) {
            lsi_reg_write(s, reg + i, buf[i]);
        }
    } else {
        for (unsigned i = 0; i < n; i++) {
            buf[i] = lsi_reg_read(s, reg + i);
        }
        if (!lsi_mem_rw(s, addr, buf, n, true)) {
            return bus_fault(s);
        }
    }
    return s->st.running ? DONE : STOPPED;
}

/* -- The loop ------------------------------------------------------------- */

/* Whether data that was only gathered must be moved before @insn. */
static bool shows_data(uint32_t insn)
{
    unsigned opcode = insn >> 27 & 7;

    switch (insn >> 30) {
    case 0:
        return (insn >> 24 & 7) > PHASE_DATA_IN;
    case 1:
        return opcode < 3;
    case 2:
        return opcode == 3;
    default:
        return true;
    }
}

static Did execute(LSIState *s)
{
    uint32_t insn = lsi_get32(s, LSI_DBC);

    if (shows_data(insn) && !lsi_flush_data(s)) {
        if (s->st.phase <= PHASE_DATA_IN) {
            return wait_for(s, LSI_WAIT_TARGET);
        }
    }
    switch (insn >> 30) {
    case 0:
        return block_move(s, insn >> 24);
    case 1:
        return io_instruction(s, insn);
    case 2:
        return transfer_control(s, insn);
    default:
        return insn & BIT(29) ? load_store(s, insn) : memory_move(s);
    }
}

/* The next instruction into DCMD, DBC and DSPS. */
static Did fetch(LSIState *s)
{
    uint32_t dsp = lsi_get32(s, LSI_DSP), insn[2];

    if (!lsi_mem_rw(s, wide(s, LSI_SFS, dsp), insn, sizeof(insn), false)) {
        return bus_fault(s);
    }
    /* Zero is no instruction.  Firmware for virtual machines puts it where a
     * command has no data, and counts on it being passed over. */
    if (!insn[0]) {
        lsi_set32(s, LSI_DSP, dsp + 4);
        return AGAIN;
    }
    lsi_set32(s, LSI_DBC, le32_to_cpu(insn[0]));
    lsi_set32(s, LSI_DSPS, le32_to_cpu(insn[1]));
    lsi_set32(s, LSI_DSP, dsp + 8);
    trace_event("lsi_insn", "0x%08x: 0x%08x 0x%08x", dsp, insn[0], insn[1]);
    return DONE;
}

static void run_slice(LSIState *s)
{
    bool resume = s->st.loaded || s->st.wait == LSI_WAIT_TARGET;
    Did did = DONE;

    s->st.wait = LSI_RUN;
    for (int n = 0; n < LSI_SLICE && s->st.running; n++) {
        if (!resume) {
            did = fetch(s);
            if (did == AGAIN) {
                continue;
            }
        }
        if (resume || did == DONE) {
            did = execute(s);
        }
        if (did == WAITS) {
            return;
        }
        resume = did == AGAIN;
        if (did == DONE && s->st.reg[LSI_DCNTL] & DCNTL_SSM) {
            lsi_dma_irq(s, DSTAT_SSI);
        }
    }
}

void lsi_run(LSIState *s)
{
    if (s->busy || !s->st.running ||
        (s->st.wait > LSI_WAIT_TARGET)) {
        return;
    }
    s->busy = true;
    run_slice(s);
    s->busy = false;
    if (s->reset_pending) {
        device_cold_reset(DEVICE(s));
    } else if (s->st.running && s->st.wait == LSI_RUN) {
        if (++s->slices < LSI_PATIENCE) {
            qemu_bh_schedule(s->bh);
        } else {
            timer_mod(s->later, qemu_clock_get_us(QEMU_CLOCK_REALTIME) +
                      LSI_PAUSE_US);
        }
    }
}

void lsi_run_bh(void *opaque)
{
    LSIState *s = opaque;

    if (s->st.wait == LSI_RUN) {
        lsi_run(s);
    }
}
