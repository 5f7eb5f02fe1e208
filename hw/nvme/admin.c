/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe admin commands (NVM Express 1.4, section 5): queues, Identify, Abort,
 * and the table of all.  Firmware, namespace management, self-test, directives
 * and Keep Alive are not offered (OACS, KAS) and are invalid opcodes.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "hw/pci/msi.h"
#include "nvme.h"

/* -- Queues (5.3 to 5.6) --------------------------------------------------- */

static uint16_t create_common(NvmeCtrl *n, NvmeRequest *req, uint16_t in_use,
                              bool entry_size_ok)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint32_t qid = cmd->cdw10 & 0xffff, qsize = (cmd->cdw10 >> 16) + 1;

    if (in_use) {
        return nvme_error(req, NVME_INVALID_QID, NVME_AT(cdw10, 0));
    }
    if (qsize < 2 || qsize > NVME_MAX_QUEUE_ENTRIES || !entry_size_ok) {
        return nvme_error(req, NVME_INVALID_QUEUE_SIZE, NVME_AT(cdw10, 16));
    }
    /* CAP.CQR: only physically contiguous queues. */
    if (!(cmd->cdw11 & 1)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 0));
    }
    if (cmd->prp1 & (n->page_size - 1)) {
        return nvme_error(req, NVME_INVALID_PRP_OFFSET, NVME_AT(prp1, 0));
    }
    trace_event("nvme_create_queue", "opcode %u qid %u entries %u",
                cmd->opcode, qid, qsize);
    return NVME_SUCCESS;
}

static bool qid_valid(const NvmeCtrl *n, uint32_t qid)
{
    return qid && qid <= n->max_ioqpairs;
}

static uint16_t nvme_create_cq(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint32_t qid = cmd->cdw10 & 0xffff, vector = cmd->cdw11 >> 16;
    uint16_t status = create_common(
        n, req, !qid_valid(n, qid) || n->state.cq[qid].size,
        NVME_CC_IOCQES(n->state.regs.cc) == NVME_CQES);

    if (status) {
        return status;
    }
    if (vector >= (msix_enabled(&n->parent_obj) ? n->msix_qsize : 1)) {
        return nvme_error(req, NVME_INVALID_IRQ_VECTOR, NVME_AT(cdw11, 16));
    }
    n->state.cq[qid] = (NvmeCQState){
        .addr = cmd->prp1,
        .size = (cmd->cdw10 >> 16) + 1,
        .vector = vector,
        .ien = cmd->cdw11 >> 1 & 1,
        .phase = true,
    };
    n->queue_end = MAX(n->queue_end, qid + 1);
    nvme_dbbuf_forget(n, 2 * qid + 1);
    return NVME_SUCCESS;
}

static uint16_t nvme_create_sq(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint32_t qid = cmd->cdw10 & 0xffff, cqid = cmd->cdw11 >> 16;
    uint16_t status = create_common(
        n, req, !qid_valid(n, qid) || n->state.sq[qid].size,
        NVME_CC_IOSQES(n->state.regs.cc) == NVME_SQES);

    if (status) {
        return status;
    }
    if (!qid_valid(n, cqid)) {
        return nvme_error(req, NVME_INVALID_QID, NVME_AT(cdw11, 16));
    }
    if (!n->state.cq[cqid].size) {
        return nvme_error(req, NVME_INVALID_CQID, NVME_AT(cdw11, 16));
    }
    n->state.sq[qid] = (NvmeSQState){
        .addr = cmd->prp1,
        .size = (cmd->cdw10 >> 16) + 1,
        .cqid = cqid,
        .prio = extract32(cmd->cdw11, 1, 2),
    };
    n->queue_end = MAX(n->queue_end, qid + 1);
    nvme_dbbuf_forget(n, 2 * qid);
    return NVME_SUCCESS;
}

static uint16_t nvme_delete_sq(NvmeCtrl *n, NvmeRequest *req)
{
    uint32_t qid = nvme_cmd(req)->cdw10 & 0xffff;

    if (!qid_valid(n, qid) || !n->state.sq[qid].size
        || n->state.sq[qid].deleting) {
        return nvme_error(req, NVME_INVALID_QID, NVME_AT(cdw10, 0));
    }
    return nvme_sq_delete(n, qid, req) ? NVME_SUCCESS : NVME_NO_COMPLETE;
}

static uint16_t nvme_delete_cq(NvmeCtrl *n, NvmeRequest *req)
{
    uint32_t qid = nvme_cmd(req)->cdw10 & 0xffff;
    unsigned i;

    if (!qid_valid(n, qid) || !n->state.cq[qid].size) {
        return nvme_error(req, NVME_INVALID_QID, NVME_AT(cdw10, 0));
    }
    for (i = 1; i < NVME_QUEUES; i++) {
        if (n->state.sq[i].size && n->state.sq[i].cqid == qid) {
            return nvme_error(req, NVME_INVALID_QUEUE_DEL, NVME_AT(cdw10, 0));
        }
    }
    n->state.cq[qid] = (NvmeCQState){ 0 };
    nvme_irq_update(n);
    return NVME_SUCCESS;
}

/* -- Identify (5.15) ------------------------------------------------------- */

static void set_text(char *to, size_t size, const char *text)
{
    memset(to, ' ', size);
    memcpy(to, text, MIN(strlen(text), size));
}

static uint16_t identify_ctrl(NvmeCtrl *n, NvmeRequest *req, void *buf)
{
    const uint8_t *config = n->parent_obj.config;
    NvmeIdCtrl *id = buf;

    id->vid = pci_get_word(config + PCI_VENDOR_ID);
    id->ssvid = pci_get_word(config + PCI_SUBSYSTEM_VENDOR_ID);
    set_text(id->sn, sizeof(id->sn), n->serial);
    set_text(id->mn, sizeof(id->mn), "QEMU NVMe Ctrl");
    set_text(id->fr, sizeof(id->fr), QEMU_VERSION);
    id->rab = 6;
    id->ieee[1] = 0x54;
    id->ieee[2] = 0x52;
    id->mdts = n->mdts;
    id->ver = NVME_VS_1_4;
    id->oaes = NVME_OAES_NS_ATTR;
    id->cntrltype = NVME_CNTRLTYPE_IO;
    id->oacs = NVME_OACS_FORMAT | (n->dbcs ? NVME_OACS_DBBUF : 0);
    id->acl = 3;
    id->aerl = n->aerl;
    id->frmw = 1 << 1 | NVME_FRMW_SLOT1_RO;
    id->lpa = NVME_LPA_NS_SMART | NVME_LPA_CMD_EFFECTS | NVME_LPA_EXTENDED;
    id->elpe = NVME_ERROR_LOG_ENTRIES - 1;
    id->wctemp = NVME_TEMPERATURE_WARNING;
    id->cctemp = NVME_TEMPERATURE_CRITICAL;
    id->sqes = NVME_SQES << 4 | NVME_SQES;
    id->cqes = NVME_CQES << 4 | NVME_CQES;
    id->nn = NVME_NSID;
    id->oncs = NVME_ONCS_COMPARE | NVME_ONCS_DSM | NVME_ONCS_WRITE_ZEROES
        | NVME_ONCS_FEATURES | NVME_ONCS_TIMESTAMP | NVME_ONCS_VERIFY;
    id->vwc = NVME_VWC_PRESENT | NVME_VWC_NSID_BROADCAST;
    snprintf(id->subnqn, sizeof(id->subnqn), "nqn.2019-08.org.qemu:%s",
             n->serial);
    id->psd[0].mp = 2500;
    id->psd[0].enlat = 16;
    id->psd[0].exlat = 4;
    return NVME_SUCCESS;
}

static uint16_t identify_ns(NvmeCtrl *n, NvmeRequest *req, void *buf)
{
    NvmeIdNs *id = buf;

    if (nvme_cmd(req)->nsid != NVME_NSID) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    id->nsze = id->ncap = id->nuse = nvme_nsze(n);
    id->nlbaf = NVME_LBAFS - 1;
    id->flbas = n->state.lbaf;
    id->dlfeat = NVME_DLFEAT_WZ_DEAC;
    id->fpi = NVME_FPI_SUPPORTED;
    if (n->format) {
        id->fpi |= 100 - n->format->offset * 100 / n->capacity;
    }
    stq_le_p(id->nvmcap, n->capacity);
    if (blk_is_read_only(n->blk)) {
        id->nsattr = NVME_NSATTR_WRITE_PROTECTED;
    }
    id->lbaf[0].lbads = 9;
    id->lbaf[1].lbads = 12;
    return NVME_SUCCESS;
}

static uint16_t identify_active_list(NvmeCtrl *n, NvmeRequest *req, void *buf)
{
    uint32_t nsid = nvme_cmd(req)->nsid;

    if (nsid >= NVME_NSID_BROADCAST - 1) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    if (nsid < NVME_NSID) {
        stl_le_p(buf, NVME_NSID);
    }
    return NVME_SUCCESS;
}

/* A UUID by name (RFC 4122, version 5) from the subsystem's NQN: the same in
 * every process that serves this disk. */
static void namespace_uuid(NvmeCtrl *n, uint8_t uuid[16])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guchar *)"nqn.2019-08.org.qemu:", -1);
    g_checksum_update(sum, (const guchar *)n->serial, -1);
    g_checksum_get_digest(sum, digest, &len);
    memcpy(uuid, digest, 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x50;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static uint16_t identify_descriptors(NvmeCtrl *n, NvmeRequest *req, void *buf)
{
    uint8_t *p = buf;

    if (nvme_cmd(req)->nsid != NVME_NSID) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    p[0] = NVME_NIDT_UUID;
    p[1] = 16;
    namespace_uuid(n, p + 4);
    return NVME_SUCCESS;
}

static uint16_t nvme_identify(NvmeCtrl *n, NvmeRequest *req)
{
    static uint16_t (*const table[])(NvmeCtrl *, NvmeRequest *, void *) = {
        [NVME_CNS_NS] = identify_ns,
        [NVME_CNS_CTRL] = identify_ctrl,
        [NVME_CNS_ACTIVE_NS_LIST] = identify_active_list,
        [NVME_CNS_NS_DESC_LIST] = identify_descriptors,
    };
    uint8_t cns = nvme_cmd(req)->cdw10 & 0xff;
    uint64_t buf[4096 / 8] = { 0 };
    uint16_t status;

    if (cns >= ARRAY_SIZE(table)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 0));
    }
    status = table[cns](n, req, buf);
    return status ? status : nvme_data_to_guest(req, buf, sizeof(buf));
}

/* -- Abort (5.1) ----------------------------------------------------------- */

static uint16_t nvme_abort(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint16_t sqid = cmd->cdw10 & 0xffff, cid = cmd->cdw10 >> 16;
    NvmeRequest *victim;

    if (sqid > n->max_ioqpairs || !n->state.sq[sqid].size) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 0));
    }
    req->s->dw0 = 1;            /* not aborted */
    victim = nvme_find_request(n, sqid, cid);
    if (!victim || victim == req || victim->s->done) {
        return NVME_SUCCESS;
    }
    if (sqid == 0 && nvme_cmd(victim)->opcode == NVME_ADM_ASYNC_EVENT) {
        req->s->dw0 = 0;
        nvme_aer_remove(n, victim);
        nvme_complete(victim, NVME_CMD_ABORT_REQ);
    } else {
        /* What the back end has it finishes; a chain of steps ends early.
         * Whether one will is not known yet. */
        victim->abort = true;
    }
    return NVME_SUCCESS;
}

const NvmeOp nvme_admin_ops[256] = {
    [NVME_ADM_DELETE_SQ] = { nvme_delete_sq, 0 },
    [NVME_ADM_CREATE_SQ] = { nvme_create_sq, 0 },
    [NVME_ADM_GET_LOG_PAGE] = { nvme_get_log_page, 0 },
    [NVME_ADM_DELETE_CQ] = { nvme_delete_cq, 0 },
    [NVME_ADM_CREATE_CQ] = { nvme_create_cq, 0 },
    [NVME_ADM_IDENTIFY] = { nvme_identify, 0 },
    [NVME_ADM_ABORT] = { nvme_abort, 0 },
    [NVME_ADM_SET_FEATURES] = { nvme_set_features, 0 },
    [NVME_ADM_GET_FEATURES] = { nvme_get_features, 0 },
    [NVME_ADM_ASYNC_EVENT] = { nvme_async_event_request, 0 },
    [NVME_ADM_DBBUF_CONFIG] = { nvme_dbbuf_config, 0 },
    [NVME_ADM_FORMAT_NVM] = { nvme_format, NVME_EFFECTS_LBCC | NVME_EFFECTS_NCC
                                           | NVME_EFFECTS_CSE_NS },
};
