/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe features (NVM Express 1.4, sections 5.13 and 5.21).  None is saveable:
 * the controller keeps nothing of its own on stable storage, so that the
 * saved value is always the default and every reset brings that back.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "nvme.h"

typedef struct NvmeFeature {
    bool known;
    uint8_t caps;               /* NVME_FEAT_CAP_* */
    uint32_t mask;              /* bits of cdw11 that are kept */
    uint32_t defval;            /* see also default_value() */
} NvmeFeature;

static const NvmeFeature features[NVME_FID_COUNT] = {
    [NVME_FID_ARBITRATION] =
        { true, NVME_FEAT_CAP_CHANGE, 0xffffff07, NVME_AB_NO_LIMIT },
    [NVME_FID_POWER_MANAGEMENT] =
        { true, NVME_FEAT_CAP_CHANGE, 0xff, 0 },
    [NVME_FID_TEMPERATURE_THRESHOLD] =
        { true, NVME_FEAT_CAP_CHANGE, 0xffff, NVME_TEMPERATURE_WARNING },
    [NVME_FID_ERROR_RECOVERY] =
        { true, NVME_FEAT_CAP_CHANGE | NVME_FEAT_CAP_NS, 0xffff, 0 },
    [NVME_FID_VOLATILE_WRITE_CACHE] =
        { true, NVME_FEAT_CAP_CHANGE, 1, 0 },
    [NVME_FID_NUMBER_OF_QUEUES] =
        { true, NVME_FEAT_CAP_CHANGE, 0, 0 },
    [NVME_FID_INTERRUPT_COALESCING] =
        { true, NVME_FEAT_CAP_CHANGE, 0xffff, 0 },
    [NVME_FID_INTERRUPT_VECTOR_CONF] =
        { true, NVME_FEAT_CAP_CHANGE, 0, 0 },
    [NVME_FID_WRITE_ATOMICITY] =
        { true, NVME_FEAT_CAP_CHANGE, 1, 0 },
    [NVME_FID_ASYNC_EVENT_CONF] =
        { true, NVME_FEAT_CAP_CHANGE, 0xff | NVME_OAES_NS_ATTR, 0 },
    [NVME_FID_TIMESTAMP] =
        { true, NVME_FEAT_CAP_CHANGE, 0, 0 },
};

static uint64_t clock_ms(void)
{
    return qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
}

static uint32_t default_value(const NvmeCtrl *n, uint8_t fid)
{
    switch (fid) {
    case NVME_FID_VOLATILE_WRITE_CACHE:
        return n->write_cache;
    case NVME_FID_NUMBER_OF_QUEUES:
        return (n->max_ioqpairs - 1) | (n->max_ioqpairs - 1) << 16;
    }
    return features[fid].defval;
}

void nvme_features_reset(NvmeCtrl *n)
{
    NvmeState *st = &n->state;
    unsigned i;

    for (i = 0; i < NVME_FID_COUNT; i++) {
        st->feat[i] = default_value(n, i);
    }
    st->temp_under = 0;
    memset(st->no_coalescing, 0, sizeof(st->no_coalescing));
    st->no_coalescing[0] = 1;           /* the admin queue's vector */
    st->timestamp = 0;
    st->timestamp_at = clock_ms();
    st->timestamp_by_host = false;
    blk_set_write_cache(n->blk, n->write_cache);
}

uint8_t nvme_critical_warning(NvmeCtrl *n)
{
    const NvmeState *st = &n->state;
    uint8_t warning = 0;

    if (NVME_TEMPERATURE >= st->feat[NVME_FID_TEMPERATURE_THRESHOLD]
        || NVME_TEMPERATURE <= st->temp_under) {
        warning |= NVME_SMART_TEMPERATURE;
    }
    if (blk_is_read_only(n->blk)) {
        warning |= NVME_SMART_READ_ONLY;
    }
    return warning;
}

/* Where cdw11's TMPSEL and THSEL say; NULL: no such sensor or threshold. */
static uint32_t *threshold(NvmeCtrl *n, uint32_t cdw11, bool set)
{
    unsigned tmpsel = extract32(cdw11, 16, 4), thsel = extract32(cdw11, 20, 2);

    /* There is the composite temperature alone; 15 sets all there are. */
    if (tmpsel != 0 && !(set && tmpsel == 15)) {
        return NULL;
    }
    return thsel == 0 ? &n->state.feat[NVME_FID_TEMPERATURE_THRESHOLD]
        : thsel == 1 ? &n->state.temp_under : NULL;
}

static bool vector_valid(const NvmeCtrl *n, uint32_t iv)
{
    return iv < (n->msix ? n->msix_qsize : 1);
}

static uint16_t get_timestamp(NvmeCtrl *n, NvmeRequest *req, bool current)
{
    const NvmeState *st = &n->state;
    uint64_t v = 0;

    if (current) {
        v = (st->timestamp + clock_ms() - st->timestamp_at)
            & MAKE_64BIT_MASK(0, 48);
        v |= (uint64_t)st->timestamp_by_host << (48 + 1);
    }
    return nvme_data_to_guest(req, &v, sizeof(v));
}

static uint16_t feature_find(NvmeRequest *req)
{
    uint8_t fid = nvme_cmd(req)->cdw10 & 0xff;

    return fid < NVME_FID_COUNT && features[fid].known ? NVME_SUCCESS
        : nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 0));
}

uint16_t nvme_get_features(NvmeCtrl *n, NvmeRequest *req)
{
    const NvmeCmd *cmd = nvme_cmd(req);
    uint8_t fid = cmd->cdw10 & 0xff;
    unsigned sel = extract32(cmd->cdw10, 8, 3);
    uint32_t iv = cmd->cdw11 & 0xffff, *where;
    uint16_t status = feature_find(req);
    bool current = sel == NVME_SEL_CURRENT;

    if (status) {
        return status;
    }
    if (sel > NVME_SEL_CAPABILITIES) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw10, 8));
    }
    if (sel == NVME_SEL_CAPABILITIES) {
        req->s->dw0 = features[fid].caps;
        return NVME_SUCCESS;
    }
    if ((features[fid].caps & NVME_FEAT_CAP_NS) && cmd->nsid != NVME_NSID) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    req->s->dw0 = current ? n->state.feat[fid] : default_value(n, fid);

    switch (fid) {
    case NVME_FID_TEMPERATURE_THRESHOLD:
        where = threshold(n, cmd->cdw11, false);
        if (!where) {
            return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 16));
        }
        if (current) {
            req->s->dw0 = *where;
        } else if (where == &n->state.temp_under) {
            req->s->dw0 = 0;
        }
        break;
    case NVME_FID_INTERRUPT_VECTOR_CONF:
        if (!vector_valid(n, iv)) {
            return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 0));
        }
        req->s->dw0 = iv;
        if (current ? n->state.no_coalescing[iv / 64] >> iv % 64 & 1
                    : iv == 0) {
            req->s->dw0 |= 1u << 16;
        }
        break;
    case NVME_FID_TIMESTAMP:
        return get_timestamp(n, req, current);
    }
    return NVME_SUCCESS;
}

/* -- Set: features with more to do than to keep the value ------------------ */

static uint16_t set_power(NvmeCtrl *n, NvmeRequest *req)
{
    /* One power state. */
    if (nvme_cmd(req)->cdw11 & 0x1f) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 0));
    }
    return NVME_SUCCESS;
}

static uint16_t set_temperature(NvmeCtrl *n, NvmeRequest *req)
{
    uint32_t cdw11 = nvme_cmd(req)->cdw11;
    uint32_t *where = threshold(n, cdw11, true);

    if (!where) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 16));
    }
    *where = cdw11 & 0xffff;
    if (nvme_critical_warning(n) & n->state.feat[NVME_FID_ASYNC_EVENT_CONF]
        & NVME_SMART_TEMPERATURE) {
        nvme_event(n, NVME_AER_TYPE_SMART, NVME_AER_INFO_SMART_TEMPERATURE,
                   NVME_LOG_SMART_INFO);
    }
    return NVME_SUCCESS;
}

static uint16_t set_error_recovery(NvmeCtrl *n, NvmeRequest *req)
{
    /* DULBE is not offered (NSFEAT). */
    if (nvme_cmd(req)->cdw11 >> 16 & 1) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 16));
    }
    return NVME_SUCCESS;
}

static uint16_t set_write_cache(NvmeCtrl *n, NvmeRequest *req)
{
    bool on = nvme_cmd(req)->cdw11 & 1;

    blk_set_write_cache(n->blk, on);
    /* What was cached until now goes to stable storage first. */
    return on ? NVME_SUCCESS : nvme_flush(n, req);
}

static uint16_t set_number_of_queues(NvmeCtrl *n, NvmeRequest *req)
{
    uint32_t cdw11 = nvme_cmd(req)->cdw11;
    unsigned i;

    if ((cdw11 & 0xffff) == 0xffff || cdw11 >> 16 == 0xffff) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 0));
    }
    for (i = 1; i < NVME_QUEUES; i++) {
        if (n->state.cq[i].size || n->state.sq[i].size) {
            return NVME_CMD_SEQ_ERROR | NVME_DNR;
        }
    }
    req->s->dw0 = n->state.feat[NVME_FID_NUMBER_OF_QUEUES];
    return NVME_SUCCESS;
}

static uint16_t set_vector_conf(NvmeCtrl *n, NvmeRequest *req)
{
    uint32_t cdw11 = nvme_cmd(req)->cdw11, iv = cdw11 & 0xffff;
    uint64_t bit = 1ULL << iv % 64;

    if (!vector_valid(n, iv)) {
        return nvme_error(req, NVME_INVALID_FIELD, NVME_AT(cdw11, 0));
    }
    if (cdw11 >> 16 & 1) {
        n->state.no_coalescing[iv / 64] |= bit;
    } else {
        n->state.no_coalescing[iv / 64] &= ~bit;
    }
    return NVME_SUCCESS;
}

static uint16_t set_timestamp(NvmeCtrl *n, NvmeRequest *req)
{
    uint64_t v;
    uint16_t status = nvme_data_from_guest(req, &v, sizeof(v));

    if (!status) {
        n->state.timestamp = v & MAKE_64BIT_MASK(0, 48);
        n->state.timestamp_at = clock_ms();
        n->state.timestamp_by_host = true;
    }
    return status;
}

uint16_t nvme_set_features(NvmeCtrl *n, NvmeRequest *req)
{
    static uint16_t (*const set[NVME_FID_COUNT])(NvmeCtrl *, NvmeRequest *) = {
        [NVME_FID_POWER_MANAGEMENT] = set_power,
        [NVME_FID_TEMPERATURE_THRESHOLD] = set_temperature,
        [NVME_FID_ERROR_RECOVERY] = set_error_recovery,
        [NVME_FID_VOLATILE_WRITE_CACHE] = set_write_cache,
        [NVME_FID_NUMBER_OF_QUEUES] = set_number_of_queues,
        [NVME_FID_INTERRUPT_VECTOR_CONF] = set_vector_conf,
        [NVME_FID_TIMESTAMP] = set_timestamp,
    };
    const NvmeCmd *cmd = nvme_cmd(req);
    uint8_t fid = cmd->cdw10 & 0xff;
    uint16_t status = feature_find(req);
    const NvmeFeature *f = &features[fid % NVME_FID_COUNT];

    if (status) {
        return status;
    }
    if (cmd->cdw10 & NVME_FEAT_SV) {
        return nvme_error(req, NVME_FID_NOT_SAVEABLE, NVME_AT(cdw10, 31));
    }
    if (cmd->nsid > NVME_NSID && cmd->nsid != NVME_NSID_BROADCAST) {
        return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
    }
    if (f->caps & NVME_FEAT_CAP_NS) {
        if (cmd->nsid == 0) {
            return nvme_error(req, NVME_INVALID_NSID, NVME_AT(nsid, 0));
        }
    } else if (cmd->nsid == NVME_NSID) {
        return nvme_error(req, NVME_FEAT_NOT_NS_SPEC, NVME_AT(nsid, 0));
    }
    if (set[fid]) {
        status = set[fid](n, req);
    }
    if (f->mask && fid != NVME_FID_TEMPERATURE_THRESHOLD
        && (status == NVME_SUCCESS || status == NVME_NO_COMPLETE)) {
        n->state.feat[fid] = cmd->cdw11 & f->mask;
    }
    return status;
}
