/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller's state, field by field. */
#include "qemu/osdep.h"
#include "migration/vmstate.h"
#include "nvme.h"

static const VMStateField regs_fields[] = {
    VMSTATE_UINT64(cap, NvmeRegs),
    VMSTATE_UINT32(vs, NvmeRegs),
    VMSTATE_UINT32(intms, NvmeRegs),
    VMSTATE_UINT32(cc, NvmeRegs),
    VMSTATE_UINT32(csts, NvmeRegs),
    VMSTATE_UINT32(aqa, NvmeRegs),
    VMSTATE_UINT64(asq, NvmeRegs),
    VMSTATE_UINT64(acq, NvmeRegs),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_regs = {
    .name = "nvme-regs", .version_id = 1, .fields = regs_fields,
};

static const VMStateField sq_fields[] = {
    VMSTATE_UINT64(addr, NvmeSQState),
    VMSTATE_UINT16(size, NvmeSQState),
    VMSTATE_UINT16(head, NvmeSQState),
    VMSTATE_UINT16(tail, NvmeSQState),
    VMSTATE_UINT16(cqid, NvmeSQState),
    VMSTATE_UINT8(prio, NvmeSQState),
    VMSTATE_BOOL(deleting, NvmeSQState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_sq = {
    .name = "nvme-sq", .version_id = 1, .fields = sq_fields,
};

static const VMStateField cq_fields[] = {
    VMSTATE_UINT64(addr, NvmeCQState),
    VMSTATE_UINT16(size, NvmeCQState),
    VMSTATE_UINT16(head, NvmeCQState),
    VMSTATE_UINT16(tail, NvmeCQState),
    VMSTATE_UINT16(vector, NvmeCQState),
    VMSTATE_BOOL(ien, NvmeCQState),
    VMSTATE_BOOL(phase, NvmeCQState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_cq = {
    .name = "nvme-cq", .version_id = 1, .fields = cq_fields,
};

static const VMStateField slot_fields[] = {
    VMSTATE_BOOL(busy, NvmeSlotState),
    VMSTATE_BOOL(done, NvmeSlotState),
    VMSTATE_UINT16(sqid, NvmeSlotState),
    VMSTATE_UINT16(status, NvmeSlotState),
    VMSTATE_UINT32(dw0, NvmeSlotState),
    VMSTATE_BUFFER(cmd, NvmeSlotState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_slot = {
    .name = "nvme-slot", .version_id = 1, .fields = slot_fields,
};

static const VMStateField event_fields[] = {
    VMSTATE_UINT8(type, NvmeEvent),
    VMSTATE_UINT8(info, NvmeEvent),
    VMSTATE_UINT8(log, NvmeEvent),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_event = {
    .name = "nvme-event", .version_id = 1, .fields = event_fields,
};

static const VMStateField state_fields[] = {
    VMSTATE_STRUCT(regs, NvmeState, &vmstate_regs),
    VMSTATE_BOOL(resetting, NvmeState),
    VMSTATE_STRUCT_ARRAY(sq, NvmeState, &vmstate_sq),
    VMSTATE_STRUCT_ARRAY(cq, NvmeState, &vmstate_cq),
    VMSTATE_STRUCT_ARRAY(slot, NvmeState, &vmstate_slot),
    VMSTATE_UINT_ARRAY(feat, NvmeState),
    VMSTATE_UINT32(temp_under, NvmeState),
    VMSTATE_UINT_ARRAY(no_coalescing, NvmeState),
    VMSTATE_UINT64(timestamp, NvmeState),
    VMSTATE_UINT64(timestamp_at, NvmeState),
    VMSTATE_BOOL(timestamp_by_host, NvmeState),
    VMSTATE_STRUCT_ARRAY(event, NvmeState, &vmstate_event),
    VMSTATE_UINT16(event_nr, NvmeState),
    VMSTATE_UINT8(event_masked, NvmeState),
    VMSTATE_BOOL(ns_changed, NvmeState),
    VMSTATE_BOOL(dbbuf, NvmeState),
    VMSTATE_UINT64(dbbuf_shadow, NvmeState),
    VMSTATE_UINT64(dbbuf_eventidx, NvmeState),
    VMSTATE_UINT_ARRAY(shadow, NvmeState),
    VMSTATE_BUFFER(shadowed, NvmeState),
    VMSTATE_UINT8(lbaf, NvmeState),
    VMSTATE_BUFFER(error_log, NvmeState),
    VMSTATE_UINT64(error_count, NvmeState),
    VMSTATE_UINT64(blocks_read, NvmeState),
    VMSTATE_UINT64(blocks_written, NvmeState),
    VMSTATE_UINT64(host_reads, NvmeState),
    VMSTATE_UINT64(host_writes, NvmeState),
    VMSTATE_UINT64(media_errors, NvmeState),
    VMSTATE_UINT64(unsafe_shutdowns, NvmeState),
    VMSTATE_END_OF_LIST()
};
static const VMStateDescription vmstate_state = {
    .name = "nvme-state", .version_id = 1, .fields = state_fields,
};

static const VMStateField nvme_fields[] = {
    VMSTATE_STRUCT(state, NvmeCtrl, &vmstate_state),
    VMSTATE_END_OF_LIST()
};
const VMStateDescription vmstate_nvme = {
    .name = TYPE_NVME, .version_id = 1, .fields = nvme_fields,
};
