/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSI53C895A: the SCSI bus behind the chip, from selection to bus free (SPI-3;
 * manual, chapter 2).  The targets are asynchronous and narrow.
 *
 * Data is not moved by the block moves themselves: these gather where guest
 * memory is, and once all of a command's data phase is known the drive reads
 * or writes it in place.  Meanwhile the target disconnects, if it may, as one
 * with a large buffer would, and reselects with the status.  Whatever could
 * make a guest look at the data before that flushes what was gathered.
 */
#include "qemu/osdep.h"
#include "lsi53c895a.h"
#include "qemu/log.h"

/* Whether the targets find the parity of what the chip sends wrong. */
static bool bad_parity(const LSIState *s)
{
    return s->st.reg[LSI_SCNTL1] & SCNTL1_AESP;
}

/* -- Commands ------------------------------------------------------------- */

static LSICmd *current(LSIState *s)
{
    return s->st.cur == LSI_NO_CMD ? NULL : s->cmd[s->st.cur];
}

static LSICmd *cmd_new(LSIState *s)
{
    for (unsigned i = 0; i < LSI_CMDS; i++) {
        LSICmdState *st = &s->st.cmd[i];

        if (st->used) {
            continue;
        }
        if (!s->cmd[i]) {
            s->cmd[i] = g_new0(LSICmd, 1);
            s->cmd[i]->s = s;
            s->cmd[i]->st = st;
        }
        *st = (LSICmdState){
            .used = true, .tagged = s->st.tagged, .tag = s->st.tag,
            .may_disconnect = s->st.may_disconnect,
            .target = s->st.target, .lun = s->st.lun,
        };
        s->st.cur = i;
        return s->cmd[i];
    }
    return NULL;
}

/* What was mapped for the transfer that has ended. */
static void release_data(LSICmd *c)
{
    while (c->nblock) {
        address_space_unmap(c->block[--c->nblock]);
    }
    c->niov = 0;
    c->gathered = 0;
    c->moving = c->bounced = false;
}

static void cmd_free(LSICmd *c)
{
    if (c->req) {
        scsi_req_cancel(c->req);
        c->req = NULL;
    }
    release_data(c);
    if (c->st->disconnected && c->st->complete) {
        QTAILQ_REMOVE(&c->s->ready, c, link);
    }
    c->st->used = false;
    if (current(c->s) == c) {
        c->s->st.cur = LSI_NO_CMD;
    }
}

void lsi_cmds_free(LSIState *s)
{
    for (unsigned i = 0; i < LSI_CMDS; i++) {
        if (s->cmd[i]) {
            free(s->cmd[i]->bounce);
            g_clear_pointer(&s->cmd[i], g_free);
        }
    }
}

/* -- Phases --------------------------------------------------------------- */

static void put_message(LSIState *s, uint8_t byte)
{
    if (s->st.msgin_len < sizeof(s->st.msgin)) {
        s->st.msgin[s->st.msgin_len++] = byte;
    }
}

/* What has been put goes to the initiator, then @action. */
static void send_message(LSIState *s, LSIMsgAction action, uint8_t next_phase)
{
    s->st.msg_action = action;
    s->st.next_phase = next_phase;
    s->st.phase = PHASE_MSG_IN;
}

static void clear_messages(LSIState *s)
{
    s->st.msgin_len = s->st.msgin_pos = s->st.msgout_len = 0;
    s->st.msgin_again = false;
}

/* All data is with the drive, which needs time: the bus is free for others
 * meanwhile, or waits. */
static void target_is_busy(LSIState *s, LSICmd *c)
{
    s->st.phase = PHASE_NONE;
    if (c->st->may_disconnect) {
        clear_messages(s);
        if (c->req->xfer) {
            put_message(s, 0x02);       /* SAVE DATA POINTERS */
        }
        put_message(s, 0x04);           /* DISCONNECT */
        send_message(s, LSI_MSG_DISCONNECT, PHASE_NONE);
    }
}

void lsi_bus_free(LSIState *s, bool expected)
{
    bool was = s->st.connected;

    s->st.connected = s->st.selecting = false;
    s->st.phase = PHASE_NONE;
    s->st.cur = LSI_NO_CMD;
    s->st.reg[LSI_SCNTL1] &= ~SCNTL1_CON;
    s->st.reg[LSI_SOCL] = 0;
    clear_messages(s);
    if (was && !expected && (s->st.reg[LSI_SCNTL2] & SCNTL2_SDU)) {
        lsi_scsi_irq(s, SIST0_UDC, 0);
    }
}

static void take_bus(LSIState *s, unsigned target)
{
    s->st.connected = true;
    s->st.selecting = false;
    s->st.target = target;
    s->st.reg[LSI_SCNTL1] |= SCNTL1_CON;
    clear_messages(s);
}

bool lsi_select(LSIState *s, unsigned target, bool atn)
{
    if (s->st.connected) {
        return false;
    }
    s->st.reg[LSI_SDID] = target;
    if (!scsi_bus_has_target(&s->bus, 0, target) || bad_parity(s) ||
        s->st.reg[LSI_STEST2] & STEST2_SLB) {
        s->st.selecting = true;
        return true;
    }
    take_bus(s, target);
    s->st.lun = 0;
    s->st.tagged = s->st.may_disconnect = false;
    s->st.cdb_len = 0;
    s->st.cur = LSI_NO_CMD;
    s->st.next_phase = PHASE_COMMAND;
    s->st.phase = atn ? PHASE_MSG_OUT : PHASE_COMMAND;
    s->st.maybe_msgout = !atn;
    if (atn) {
        s->st.reg[LSI_SOCL] |= SOCL_ATN;
    }
    trace_event("lsi_select", "target %u atn %d", target, atn);
    return true;
}

void lsi_try_reselect(LSIState *s)
{
    LSICmd *c = QTAILQ_FIRST(&s->ready);
    bool unasked = !s->st.running && s->st.reg[LSI_SIEN0] & SIST0_RSL
        && !(s->st.reg[LSI_SIST0] | s->st.reg[LSI_SIST1]);

    if (!c || s->st.connected || s->st.selecting ||
        !(unasked || s->st.wait == LSI_WAIT_RESELECT)) {
        return;
    }
    QTAILQ_REMOVE(&s->ready, c, link);
    c->st->disconnected = false;
    take_bus(s, c->st->target);
    s->st.cur = c->st - s->st.cmd;
    s->st.lun = c->st->lun;
    s->st.reg[LSI_SSID] = 0x80 | c->st->target;
    s->st.maybe_msgout = false;
    s->st.status = c->st->status;
    put_message(s, 0x80 | c->st->lun);
    if (c->st->tagged) {
        put_message(s, 0x20);
        put_message(s, c->st->tag);
    }
    send_message(s, LSI_MSG_RESUME, PHASE_STATUS);
    trace_event("lsi_reselect", "target %u tag 0x%x", c->st->target,
                c->st->tag);
    s->st.wait = LSI_RUN;
    if (s->st.reg[LSI_SIEN0] & SIST0_RSL) {
        lsi_scsi_irq(s, SIST0_RSL, 0);
    }
}

void lsi_kick(LSIState *s)
{
    if (!s->busy) {
        lsi_try_reselect(s);
        if (s->st.running && s->st.wait <= LSI_WAIT_TARGET) {
            s->slices = 0;
            lsi_run(s);
        }
    }
}

void lsi_bus_reset(LSIState *s)
{
    bool busy = s->busy;

    s->busy = true;             /* cancelling may wait for I/O */
    for (unsigned i = 0; i < LSI_CMDS; i++) {
        if (s->st.cmd[i].used) {
            cmd_free(s->cmd[i]);
        }
    }
    scsi_bus_reset(&s->bus);
    s->busy = busy;
    lsi_bus_free(s, true);
}

/* -- Data ----------------------------------------------------------------- */

static bool keep_block(LSICmd *c, RAMBlock *block)
{
    for (unsigned i = 0; i < c->nblock; i++) {
        if (c->block[i] == block) {
            address_space_unmap(block);
            return true;
        }
    }
    if (c->nblock == LSI_BLOCKS) {
        address_space_unmap(block);
        return false;
    }
    c->block[c->nblock++] = block;
    return true;
}

static bool add_iov(LSICmd *c, uint8_t *host, uint64_t len)
{
    struct iovec *last = c->niov ? &c->iov[c->niov - 1] : NULL;

    if (last && (uint8_t *)last->iov_base + last->iov_len == host) {
        last->iov_len += len;
    } else if (c->niov < LSI_IOV) {
        c->iov[c->niov++] = (struct iovec){ host, len };
    } else {
        return false;
    }
    c->gathered += len;
    return true;
}

bool lsi_flush_data(LSIState *s)
{
    LSICmd *c = current(s);

    if (c && c->gathered && !c->moving) {
        c->moving = true;
        scsi_req_transfer(c->req, c->iov, c->niov, c->gathered);
    }
    return !c || !c->moving;
}

/* Memory that cannot be mapped is copied.  Bytes taken; 0: a bus fault. */
static uint64_t bounce_data(LSIState *s, LSICmd *c, uint64_t addr,
                            uint64_t len)
{
    len = MIN(len, LSI_BOUNCE);
    if (!c->bounce) {
        c->bounce = aligned_alloc(4096, LSI_BOUNCE);
    }
    if (!c->bounce || (c->req->mode == SCSI_XFER_TO_DEV &&
                       !lsi_mem_rw(s, addr, c->bounce, len, false))) {
        return 0;
    }
    c->bounced = true;
    c->bounce_addr = addr;
    add_iov(c, c->bounce, len);
    lsi_flush_data(s);
    return len;
}

bool lsi_move_data(LSIState *s, uint64_t *addr, uint32_t *len, bool *fault)
{
    LSICmd *c = current(s);
    bool to_guest = c->req->mode == SCSI_XFER_FROM_DEV;

    *fault = false;
    if (c->moving) {
        return false;
    }
    if (!to_guest && *len && c->req && bad_parity(s)) {
        scsi_req_fail(c->req, SENSE_SCSI_PARITY);
        return true;
    }
    while (*len && c->req) {
        uint64_t left = c->req->xfer - c->req->done - c->gathered;
        uint64_t n = MIN(*len, left);
        RAMBlock *block;
        uint8_t *host;

        if (!n) {
            break;
        }
        host = pci_dma_map(&s->parent_obj, *addr, &n, to_guest, &block);
        if (host ? !keep_block(c, block) || !add_iov(c, host, n)
                 : c->gathered > 0) {
            /* What there is goes first, then this again. */
            if (!lsi_flush_data(s)) {
                return false;
            }
            continue;
        }
        if (!host) {
            n = bounce_data(s, c, *addr, n);
            if (!n) {
                *fault = true;
                return true;
            }
        }
        *addr += n;
        *len -= n;
        if (c->moving) {
            break;
        }
    }
    if (c->req && c->req->done + c->gathered == c->req->xfer) {
        if (!lsi_flush_data(s) && c->req) {
            target_is_busy(s, c);
        }
    }
    return !c->moving || s->st.phase != (to_guest ? PHASE_DATA_IN
                                                  : PHASE_DATA_OUT);
}

static void finish_data(LSICmd *c)
{
    if (c->bounced && c->req->mode == SCSI_XFER_FROM_DEV &&
        !c->req->cancelled) {
        /* A fault here is the guest's loss: the move is over. */
        lsi_mem_rw(c->s, c->bounce_addr, c->bounce, c->iov[0].iov_len, true);
    }
    release_data(c);
}

static void lsi_transferred(SCSIRequest *req)
{
    LSICmd *c = req->hba_private;

    finish_data(c);
    lsi_kick(c->s);
}

static void lsi_complete(SCSIRequest *req)
{
    LSICmd *c = req->hba_private;
    LSIState *s = c->s;

    finish_data(c);
    c->st->status = req->status;
    c->st->complete = true;
    c->req = NULL;
    scsi_req_free(req);
    if (c->st->disconnected) {
        QTAILQ_INSERT_TAIL(&s->ready, c, link);
    } else if (!(s->st.phase == PHASE_MSG_IN || s->st.phase == PHASE_MSG_OUT)) {
        s->st.status = c->st->status;
        s->st.phase = PHASE_STATUS;
    } else if (s->st.msg_action != LSI_MSG_DISCONNECT) {
        s->st.status = c->st->status;
        s->st.next_phase = PHASE_STATUS;
    }
    lsi_kick(s);
}

const SCSIBusInfo lsi_bus_info = {
    .max_channel = 0,
    .max_target = 15,
    .max_lun = 7,
    .initiator = LSI_INITIATOR,
    .transferred = lsi_transferred,
    .complete = lsi_complete,
};

/* -- COMMAND -------------------------------------------------------------- */

static void start_command(LSIState *s)
{
    LSICmd *c = cmd_new(s);

    s->st.phase = PHASE_NONE;
    if (c) {
        c->req = scsi_req_new(&s->bus, 0, s->st.target, s->st.lun, s->st.tag,
                              c);
    }
    if (!c || !c->req) {
        if (c) {
            cmd_free(c);
        }
        s->st.status = SCSI_TASK_SET_FULL;
        s->st.phase = PHASE_STATUS;
        return;
    }
    if (bad_parity(s)) {
        scsi_check(c->req, SENSE_SCSI_PARITY);
        return;
    }
    trace_event("lsi_command", "target %u lun %u opcode 0x%02x",
                s->st.target, s->st.lun, s->st.cdb[0]);
    scsi_req_start(c->req, s->st.cdb, s->st.cdb_len);
    if (!c->req) {
        return;                 /* complete: phase is STATUS */
    }
    if (c->req->mode == SCSI_XFER_NONE) {
        target_is_busy(s, c);
    } else {
        s->st.phase = c->req->mode == SCSI_XFER_FROM_DEV ? PHASE_DATA_IN
                                                         : PHASE_DATA_OUT;
    }
}

static int command_bytes(LSIState *s, uint64_t addr, unsigned len)
{
    unsigned n = MIN(len, SCSI_CDB_MAX - s->st.cdb_len);

    if (!lsi_mem_rw(s, addr, s->st.cdb + s->st.cdb_len, n, false)) {
        return -1;
    }
    s->st.cdb_len += n;
    if (s->st.cdb_len >= (scsi_cdb_length(s->st.cdb[0]) ?: 1)) {
        start_command(s);
        s->st.cdb_len = 0;
    }
    /* Drivers that always send the longest CDB are not left in the phase. */
    return n;
}

/* -- STATUS and messages to the initiator --------------------------------- */

static int status_byte(LSIState *s, uint64_t addr)
{
    if (!lsi_mem_rw(s, addr, &s->st.status, 1, true)) {
        return -1;
    }
    s->st.reg[LSI_SFBR] = s->st.status;
    lsi_latch(s, s->st.status);
    clear_messages(s);
    put_message(s, 0x00);       /* COMMAND COMPLETE */
    send_message(s, LSI_MSG_COMPLETE, PHASE_NONE);
    return 1;
}

static void message_is_read(LSIState *s)
{
    LSICmd *c = current(s);

    switch (s->st.msg_action) {
    case LSI_MSG_COMPLETE:
        if (c) {
            cmd_free(c);
        }
        lsi_bus_free(s, true);
        break;
    case LSI_MSG_DISCONNECT:
        c->st->disconnected = true;
        if (c->st->complete) {
            QTAILQ_INSERT_TAIL(&s->ready, c, link);
        }
        lsi_bus_free(s, true);
        break;
    default:
        s->st.phase = s->st.next_phase;
        clear_messages(s);
        break;
    }
}

static int message_in_bytes(LSIState *s, uint64_t addr, unsigned len)
{
    const uint8_t *from = s->st.msgin + s->st.msgin_pos;
    unsigned n = MIN(len, s->st.msgin_len - s->st.msgin_pos);

    if (n && !lsi_mem_rw(s, addr, (void *)from, n, true)) {
        return -1;
    }
    if (n) {
        s->st.reg[LSI_SFBR] = from[0];
        lsi_latch(s, from[n - 1]);
        s->st.reg[LSI_SOCL] |= SOCL_ACK;
        s->st.msgin_pos += n;
    }
    if (s->st.msgin_pos == s->st.msgin_len) {
        message_is_read(s);
    }
    return n;
}

/* -- Messages from the initiator ------------------------------------------ */

void lsi_set_atn(LSIState *s)
{
    s->st.reg[LSI_SOCL] |= SOCL_ATN;
    if (s->st.connected && s->st.phase != PHASE_MSG_OUT &&
        s->st.phase != PHASE_NONE) {
        if (s->st.phase != PHASE_MSG_IN) {
            s->st.next_phase = s->st.phase;
        } else {
            if (s->st.msg_action != LSI_MSG_RESUME) {
                return;
            }
            s->st.msgin_pos = 0;
            s->st.msgin_again = true;
        }
        s->st.msg_action = LSI_MSG_RESUME;
        s->st.phase = PHASE_MSG_OUT;
    }
}

/* Length of the message that begins at @m, 0 if that needs more bytes. */
static unsigned message_length(const uint8_t *m, unsigned have)
{
    if (m[0] == 0x01) {
        return have < 2 ? 0 : 2 + (m[1] ?: 256);
    }
    return m[0] >= 0x20 && m[0] <= 0x2f ? 2 : 1;
}

static void extended_message(LSIState *s, const uint8_t *m, unsigned len)
{
    if (m[2] == 0x01 && len == 5) {             /* SDTR: asynchronous */
        static const uint8_t reply[] = { 1, 3, 1, 0, 0 };

        for (unsigned i = 0; i < sizeof(reply); i++) {
            put_message(s, i == 3 ? m[3] : reply[i]);
        }
    } else if (m[2] == 0x03 && len == 4) {      /* WDTR: 8 bits */
        static const uint8_t reply[] = { 1, 2, 3, 0 };

        for (unsigned i = 0; i < sizeof(reply); i++) {
            put_message(s, reply[i]);
        }
    } else {
        put_message(s, 0x07);                   /* MESSAGE REJECT */
    }
}

/* Commands of this connection's logical unit: those with its tag, or all. */
static void abort_commands(LSIState *s, bool one)
{
    for (unsigned i = 0; i < LSI_CMDS; i++) {
        LSICmdState *c = &s->st.cmd[i];

        if (c->used && c->target == s->st.target && c->lun == s->st.lun &&
            (!one || i == s->st.cur ||
             (s->st.tagged && c->tagged && c->tag == s->st.tag))) {
            cmd_free(s->cmd[i]);
        }
    }
    lsi_bus_free(s, false);
}

static void reset_target(LSIState *s)
{
    unsigned target = s->st.target;

    for (unsigned i = 0; i < LSI_CMDS; i++) {
        if (s->st.cmd[i].used && s->st.cmd[i].target == target) {
            cmd_free(s->cmd[i]);
        }
    }
    scsi_target_reset(&s->bus, 0, target);
    lsi_bus_free(s, false);
}

/* The initiator could not use what it got: its command ends. */
static void initiator_error(LSIState *s)
{
    LSICmd *c = current(s);

    if (c && c->req) {
        scsi_req_fail(c->req, SENSE_INITIATOR_ERROR);
    }
}

/* False: the bus is free now. */
static bool one_message(LSIState *s, const uint8_t *m, unsigned len)
{
    if (m[0] == 0x09) {         /* MESSAGE PARITY ERROR: the same again */
        s->st.msgin_again = false;
        return true;
    }
    if (s->st.msgin_again) {    /* the rest of the target's own is lost */
        s->st.msgin_again = false;
        s->st.msgin_len = 0;
    }
    if (m[0] & 0x80) {
        s->st.lun = m[0] & 0x3f;
        s->st.may_disconnect = m[0] & 0x40;
        return true;
    }
    switch (m[0]) {
    case 0x01:
        extended_message(s, m, len);
        break;
    case 0x05:                  /* INITIATOR DETECTED ERROR */
        initiator_error(s);
        break;
    case 0x07:                  /* MESSAGE REJECT */
    case 0x08:                  /* NO OPERATION */
        break;
    case 0x06:                  /* ABORT TASK SET */
    case 0x0e:                  /* CLEAR TASK SET */
        abort_commands(s, false);
        return false;
    case 0x0d:                  /* ABORT TASK */
        abort_commands(s, true);
        return false;
    case 0x0c:                  /* TARGET RESET */
        reset_target(s);
        return false;
    case 0x20:                  /* SIMPLE, HEAD OF QUEUE, ORDERED */
    case 0x21:
    case 0x22:
        s->st.tagged = true;
        s->st.tag = m[1];
        break;
    default:
        put_message(s, 0x07);
        break;
    }
    return true;
}

static int message_out_bytes(LSIState *s, uint64_t addr, unsigned len)
{
    uint8_t *m = s->st.msgout;
    unsigned n = MIN(len, sizeof(s->st.msgout) - s->st.msgout_len), l;

    if (!lsi_mem_rw(s, addr, m + s->st.msgout_len, n, false)) {
        return -1;
    }
    if (bad_parity(s)) {        /* asks for all of them again */
        s->st.msgout_len = 0;
        return n;
    }
    s->st.msgout_len += n;
    while (s->st.msgout_len) {
        l = message_length(m, s->st.msgout_len);
        if (l > sizeof(s->st.msgout)) {
            put_message(s, 0x07);
            s->st.msgout_len = 0;
            break;
        }
        if (!l || l > s->st.msgout_len) {
            return n;           /* the rest comes with the next move */
        }
        if (!one_message(s, m, l)) {
            return n;
        }
        s->st.msgout_len -= l;
        memmove(m, m + l, s->st.msgout_len);
    }
    s->st.reg[LSI_SOCL] &= ~SOCL_ATN;
    s->st.maybe_msgout = false;
    if (s->st.msgin_len) {
        send_message(s, LSI_MSG_RESUME, s->st.next_phase);
    } else {
        s->st.phase = s->st.next_phase;
    }
    return n;
}

int lsi_move(LSIState *s, uint64_t addr, unsigned len)
{
    switch (s->st.phase) {
    case PHASE_COMMAND:
        return command_bytes(s, addr, len);
    case PHASE_STATUS:
        return status_byte(s, addr);
    case PHASE_MSG_OUT:
        return message_out_bytes(s, addr, len);
    default:
        return message_in_bytes(s, addr, len);
    }
}
