/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe log pages and asynchronous events (NVM Express 1.4, sections 5.14 and
 * 5.2): Error Information, SMART / Health, Firmware Slot, Changed Namespace
 * List, Commands Supported and Effects.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "nvme.h"

#define NVME_LOG_MAX 4096

/* -- Error Information (5.14.1.1) ------------------------------------------ */

void nvme_log_error(NvmeCtrl *n, uint16_t sqid, uint16_t cid, uint16_t status,
                    uint16_t location, uint64_t lba, uint32_t nsid)
{
    NvmeState *st = &n->state;

    st->error_log[st->error_count % NVME_ERROR_LOG_ENTRIES] = (NvmeErrorLog){
        .error_count = st->error_count + 1,
        .sqid = sqid,
        .cid = cid,
        .status = status << 1,
        .param_error_location = location,
        .lba = lba,
        .nsid = nsid,
    };
    st->error_count++;
}

static unsigned error_page(NvmeCtrl *n, void *buf)
{
    const NvmeState *st = &n->state;
    NvmeErrorLog *out = buf;
    uint64_t i, held = MIN(st->error_count, NVME_ERROR_LOG_ENTRIES);

    for (i = 0; i < held; i++) {
        out[i] = st->error_log[(st->error_count - 1 - i)
                               % NVME_ERROR_LOG_ENTRIES];
    }
    return sizeof(st->error_log);
}

/* -- The other pages ------------------------------------------------------- */

static unsigned smart_page(NvmeCtrl *n, void *buf)
{
    const NvmeState *st = &n->state;
    NvmeSmartLog *log = buf;
    uint64_t up_ms = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) - n->power_on_ms;

    log->critical_warning = nvme_critical_warning(n);
    log->temperature = NVME_TEMPERATURE;
    log->available_spare = 100;
    log->available_spare_threshold = 10;
    log->data_units_read[0] = DIV_ROUND_UP(st->blocks_read, 1000);
    log->data_units_written[0] = DIV_ROUND_UP(st->blocks_written, 1000);
    log->host_read_commands[0] = st->host_reads;
    log->host_write_commands[0] = st->host_writes;
    log->power_cycles[0] = 1;
    log->power_on_hours[0] = up_ms / (3600 * 1000);
    log->unsafe_shutdowns[0] = st->unsafe_shutdowns;
    log->media_errors[0] = st->media_errors;
    log->error_log_entries[0] = st->error_count;
    return sizeof(*log);
}

static unsigned firmware_page(NvmeCtrl *n, void *buf)
{
    NvmeFwSlotLog *log = buf;

    log->afi = 1;
    memset(log->frs[0], ' ', sizeof(log->frs[0]));
    memcpy(log->frs[0], QEMU_VERSION,
           MIN(strlen(QEMU_VERSION), sizeof(log->frs[0])));
    return sizeof(*log);
}

static unsigned changed_ns_page(NvmeCtrl *n, void *buf)
{
    if (n->state.ns_changed) {
        stl_le_p(buf, NVME_NSID);
    }
    return NVME_LOG_MAX;
}

static unsigned effects_page(NvmeCtrl *n, void *buf)
{
    NvmeEffectsLog *log = buf;
    unsigned i;

    for (i = 0; i < 256; i++) {
        if (nvme_admin_ops[i].fn
            && (i != NVME_ADM_DBBUF_CONFIG || n->dbcs)) {
            log->acs[i] = NVME_EFFECTS_CSUPP | nvme_admin_ops[i].effects;
        }
        if (nvme_io_ops[i].fn) {
            log->iocs[i] = NVME_EFFECTS_CSUPP | nvme_io_ops[i].effects;
        }
    }
    return sizeof(*log);
}

uint16_t nvme_get_log_page(NvmeCtrl *n, NvmeRequest *req)
{
    /* A page, and the type of events that reading it lets through again. */
    static const struct {
        unsigned (*fill)(NvmeCtrl *n, void *buf);       /* returns the size */
        uint8_t event;
    } pages[] = {
        [NVME_LOG_ERROR_INFO] = { error_page, 1 << NVME_AER_TYPE_ERROR },
        [NVME_LOG_SMART_INFO] = { smart_page, 1 << NVME_AER_TYPE_SMART },
        [NVME_LOG_FW_SLOT_INFO] = { firmware_page, 0 },
        [NVME_LOG_CHANGED_NSLIST] =
            { changed_ns_page, 1 << NVME_AER_TYPE_NOTICE },
        [NVME_LOG_CMD_EFFECTS] = { effects_page, 0 },
    };
    const NvmeCmd *cmd = nvme_cmd(req);
    uint8_t lid = cmd->cdw10 & 0xff;
    bool retain = cmd->cdw10 >> 15 & 1;
    uint64_t len = ((uint64_t)(cmd->cdw11 & 0xffff) << 16 | cmd->cdw10 >> 16)
        * 4 + 4;
    uint64_t offset = cmd->cdw12 | (uint64_t)cmd->cdw13 << 32;
    uint64_t buf[NVME_LOG_MAX / 8] = { 0 };
    uint16_t status = NVME_SUCCESS;
    unsigned size;

    if (lid >= ARRAY_SIZE(pages) || !pages[lid].fill) {
        return nvme_error(req, NVME_INVALID_LOG_ID, NVME_AT(cdw10, 0));
    }
    if (lid == NVME_LOG_SMART_INFO && cmd->nsid > NVME_NSID
        && cmd->nsid != NVME_NSID_BROADCAST) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    if (len > n->max_transfer) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 16));
    }
    size = pages[lid].fill(n, buf);
    if ((offset & 3) || offset > size) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw12, 0));
    }
    len = MIN(len, size - offset);
    if (len) {
        status = nvme_data_to_guest(req, (uint8_t *)buf + offset, len);
    }
    if (!status && !retain) {
        if (lid == NVME_LOG_CHANGED_NSLIST) {
            n->state.ns_changed = false;
        }
        n->state.event_masked &= ~pages[lid].event;
        nvme_report_events(n);
    }
    return status;
}

/* -- Asynchronous events --------------------------------------------------- */

void nvme_aer_remove(NvmeCtrl *n, NvmeRequest *req)
{
    QTAILQ_REMOVE(&n->aers, req, link);
    n->aer_nr--;
}

void nvme_report_events(NvmeCtrl *n)
{
    NvmeState *st = &n->state;
    NvmeRequest *req;
    unsigned i, kept = 0;

    for (i = 0; i < st->event_nr; i++) {
        NvmeEvent e = st->event[i];

        req = QTAILQ_FIRST(&n->aers);
        if (!req || (st->event_masked >> e.type & 1)) {
            st->event[kept++] = e;
            continue;
        }
        st->event_masked |= 1 << e.type;
        nvme_aer_remove(n, req);
        req->s->dw0 = e.type | e.info << 8 | e.log << 16;
        nvme_complete(req, NVME_SUCCESS);
    }
    st->event_nr = kept;
}

void nvme_event(NvmeCtrl *n, uint8_t type, uint8_t info, uint8_t log)
{
    NvmeState *st = &n->state;

    if (type == NVME_AER_TYPE_NOTICE
        && !(st->feat[NVME_FID_ASYNC_EVENT_CONF] & NVME_OAES_NS_ATTR)) {
        return;
    }
    if (st->event_nr < n->aer_max_queued) {
        st->event[st->event_nr++] = (NvmeEvent){ type, info, log };
        nvme_report_events(n);
    }
}

uint16_t nvme_async_event_request(NvmeCtrl *n, NvmeRequest *req)
{
    if (n->aer_nr > n->aerl) {
        return NVME_AER_LIMIT_EXCEEDED;
    }
    QTAILQ_INSERT_TAIL(&n->aers, req, link);
    n->aer_nr++;
    nvme_report_events(n);
    return NVME_NO_COMPLETE;
}
