/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI bus, as a host adapter uses it.
 *
 * A command's life: scsi_req_new(), scsi_req_start() with the CDB; then as
 * long as req->done < req->xfer the adapter says where the next bytes of the
 * data phase are, by scsi_req_transfer(); info->complete() gives the status,
 * and scsi_req_free() ends it.  The device reads and writes the adapter's
 * memory itself, so guest RAM that is mapped is not copied.  A bus, its
 * adapter and its devices run in one context.
 */
#ifndef HW_SCSI_SCSI_H
#define HW_SCSI_SCSI_H

#include "block/block.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"

#define TYPE_SCSI_BUS "SCSI"
OBJECT_DECLARE_SIMPLE_TYPE(SCSIBus, SCSI_BUS)
#define TYPE_SCSI_DEVICE "scsi-device"
typedef struct SCSIDevice SCSIDevice;
typedef struct SCSIDeviceClass SCSIDeviceClass;
DECLARE_OBJ_CHECKERS(SCSIDevice, SCSIDeviceClass, SCSI_DEVICE,
                     TYPE_SCSI_DEVICE)

#define SCSI_CDB_MAX 16
#define SCSI_SENSE_SIZE 18              /* fixed format */
#define SCSI_BUF_SIZE 4096
#define SCSI_IOV 64
#define SCSI_REQS_MAX 256               /* in flight on one bus */

/* Status (SAM-3, 5.3) */
enum {
    SCSI_GOOD = 0x00,
    SCSI_CHECK_CONDITION = 0x02,
    SCSI_BUSY = 0x08,
    SCSI_TASK_SET_FULL = 0x28,
};

typedef enum SCSIXferMode {
    SCSI_XFER_NONE,
    SCSI_XFER_FROM_DEV,                 /* the initiator reads */
    SCSI_XFER_TO_DEV,
} SCSIXferMode;

typedef struct SCSISense {
    uint8_t key, asc, ascq;
} SCSISense;

typedef struct SCSIRequest SCSIRequest;

struct SCSIRequest {
    SCSIBus *bus;
    SCSIDevice *dev;                    /* NULL: no such logical unit */
    void *hba_private;
    uint32_t tag;
    uint8_t channel, target, lun;
    uint8_t cdb[SCSI_CDB_MAX];
    unsigned cdb_len;
    SCSIXferMode mode;
    uint64_t xfer;                      /* bytes of the data phase */
    uint64_t done;                      /* bytes of these transferred */
    uint8_t status;                     /* when complete */

    /* The device's own. */
    bool cancelled;
    bool in_blk;                        /* blk is with the back end */
    BlockRequest blk;
    void (*step)(SCSIRequest *req, int ret);    /* after blk */
    void (*transfer)(SCSIRequest *req);         /* of part */
    void (*execute)(SCSIRequest *req);  /* when all of buf came from the HBA */
    const struct iovec *part;           /* what scsi_req_transfer was given */
    unsigned part_niov;
    uint64_t part_bytes;
    uint64_t offset, bytes;             /* on the medium: begin, rest */
    uint32_t flags;                     /* BLK_REQ_* */
    unsigned index;                     /* of a descriptor in buf */
    uint8_t *buf;                       /* SCSI_BUF_SIZE */
    struct iovec iov[SCSI_IOV];
    QTAILQ_ENTRY(SCSIRequest) link;     /* bus: free or in use */
};

typedef struct SCSIBusInfo {
    uint8_t max_channel, max_target, max_lun;   /* the highest there may be */
    uint8_t initiator;                  /* its id, or 0xff */
    /* What scsi_req_transfer() was given is moved; more is wanted. */
    void (*transferred)(SCSIRequest *req);
    /* req->status is there.  Either may be called within start/transfer. */
    void (*complete)(SCSIRequest *req);
} SCSIBusInfo;

struct SCSIBus {
    BusState qbus;
    const SCSIBusInfo *info;
    QTAILQ_HEAD(SCSIRequestList, SCSIRequest) active, free;
    unsigned nr_reqs;
};

/* What the initiator can see of a logical unit of any kind. */
typedef struct SCSIUnitState {
    uint8_t sense[SCSI_SENSE_SIZE];     /* of the last command; [0] 0: none */
    uint8_t ua_asc, ua_ascq;            /* unit attention; asc 0: none */
} SCSIUnitState;

struct SCSIDevice {
    DeviceState qdev;
    uint32_t channel;
    int32_t id, lun;                    /* -1: the next that is free */
    int32_t bootindex;
    SCSIUnitState unit;
};

struct SCSIDeviceClass {
    DeviceClass parent_class;
    bool (*realize)(SCSIDevice *dev, Error **errp);
    void (*unrealize)(SCSIDevice *dev);
    /* Sets mode and xfer, or completes. */
    void (*execute)(SCSIRequest *req);
    void (*drain)(SCSIDevice *dev);     /* until no I/O is in flight */
};

/* -- For host adapters --------------------------------------------------- */

void scsi_bus_init(SCSIBus *bus, size_t size, DeviceState *hba,
                   const SCSIBusInfo *info);
/* Whether anything answers at this address. */
bool scsi_bus_has_target(SCSIBus *bus, unsigned channel, unsigned target);
SCSIDevice *scsi_device_find(SCSIBus *bus, unsigned channel, unsigned target,
                             unsigned lun);
/* The bus was reset: all requests are cancelled, a unit attention is due. */
void scsi_bus_reset(SCSIBus *bus);
/* A device, by message: cancels its requests; unit attention if @reset. */
void scsi_target_reset(SCSIBus *bus, unsigned channel, unsigned target);

/* Bytes of a CDB by its first byte; 0: vendor specific or reserved. */
unsigned scsi_cdb_length(uint8_t opcode);

/* A request; NULL if SCSI_REQS_MAX are in use. */
SCSIRequest *scsi_req_new(SCSIBus *bus, unsigned channel, unsigned target,
                          unsigned lun, uint32_t tag, void *hba_private);
void scsi_req_start(SCSIRequest *req, const uint8_t *cdb, unsigned len);
/**
 * scsi_req_transfer - where the next bytes of the data phase are.
 * @iov: @bytes in all, not 0, at most xfer - done; the list and its memory
 *       stay until one of the callbacks
 */
void scsi_req_transfer(SCSIRequest *req, const struct iovec *iov,
                       unsigned niov, uint64_t bytes);
/* Ends it without a callback.  When this returns, its memory is not used any
 * more; that may mean waiting for I/O.  Frees it. */
void scsi_req_cancel(SCSIRequest *req);
void scsi_req_free(SCSIRequest *req);
/* Ends it, with complete(), by CHECK CONDITION: something went wrong on the
 * way between the two.  The same holds of its memory. */
void scsi_req_fail(SCSIRequest *req, SCSISense sense);

/* -- For devices --------------------------------------------------------- */

#define SENSE_NONE ((SCSISense){ 0x0, 0x00, 0x00 })
#define SENSE_INIT_COMMAND_REQUIRED ((SCSISense){ 0x2, 0x04, 0x02 })
#define SENSE_NO_MEDIUM ((SCSISense){ 0x2, 0x3a, 0x00 })
#define SENSE_NO_MEDIUM_TRAY_OPEN ((SCSISense){ 0x2, 0x3a, 0x02 })
#define SENSE_READ_ERROR ((SCSISense){ 0x3, 0x11, 0x00 })
#define SENSE_WRITE_ERROR ((SCSISense){ 0x3, 0x0c, 0x00 })
#define SENSE_TARGET_FAILURE ((SCSISense){ 0x4, 0x44, 0x00 })
#define SENSE_PARAM_LIST_LENGTH ((SCSISense){ 0x5, 0x1a, 0x00 })
#define SENSE_INVALID_OPCODE ((SCSISense){ 0x5, 0x20, 0x00 })
#define SENSE_LBA_OUT_OF_RANGE ((SCSISense){ 0x5, 0x21, 0x00 })
#define SENSE_INVALID_FIELD ((SCSISense){ 0x5, 0x24, 0x00 })
#define SENSE_LUN_NOT_SUPPORTED ((SCSISense){ 0x5, 0x25, 0x00 })
#define SENSE_INVALID_PARAM ((SCSISense){ 0x5, 0x26, 0x00 })
#define SENSE_SAVING_NOT_SUPPORTED ((SCSISense){ 0x5, 0x39, 0x00 })
#define SENSE_REMOVAL_PREVENTED ((SCSISense){ 0x5, 0x53, 0x02 })
#define SENSE_INCOMPATIBLE_MEDIUM ((SCSISense){ 0x5, 0x30, 0x00 })
#define SENSE_POWER_ON ((SCSISense){ 0x6, 0x29, 0x00 })
#define SENSE_BUS_RESET ((SCSISense){ 0x6, 0x29, 0x02 })
#define SENSE_TARGET_RESET ((SCSISense){ 0x6, 0x29, 0x03 })
#define SENSE_MEDIUM_CHANGED ((SCSISense){ 0x6, 0x28, 0x00 })
#define SENSE_MODE_CHANGED ((SCSISense){ 0x6, 0x2a, 0x01 })
#define SENSE_WRITE_PROTECTED ((SCSISense){ 0x7, 0x27, 0x00 })
#define SENSE_SPACE_ALLOC_FAILED ((SCSISense){ 0x7, 0x27, 0x07 })
#define SENSE_SCSI_PARITY ((SCSISense){ 0xb, 0x47, 0x00 })
#define SENSE_INITIATOR_ERROR ((SCSISense){ 0xb, 0x48, 0x00 })
#define SENSE_MISCOMPARE ((SCSISense){ 0xe, 0x1d, 0x00 })

void scsi_good(SCSIRequest *req);
/* CHECK CONDITION with this sense data. */
void scsi_check(SCSIRequest *req, SCSISense sense);
/* The same, and which byte (and bit; -1: all of it) of the CDB or of the
 * parameter list is wrong. */
void scsi_bad_cdb(SCSIRequest *req, unsigned byte, int bit);
void scsi_bad_param(SCSIRequest *req, unsigned byte, int bit);
/* The same, and at which block. */
void scsi_check_lba(SCSIRequest *req, SCSISense sense, uint64_t lba);
void scsi_unit_attention(SCSIDevice *dev, SCSISense sense);
/* If a unit attention is due, reports it and returns true. */
bool scsi_report_attention(SCSIRequest *req);
/* Data in: @len bytes of req->buf, cut to @alloc. */
void scsi_data_in(SCSIRequest *req, uint64_t len, uint64_t alloc);
/* Data out: @len bytes to req->buf, then execute(). */
void scsi_data_out(SCSIRequest *req, unsigned len,
                   void (*execute)(SCSIRequest *req));
/* The part given is moved, by the device's transfer(). */
void scsi_part_done(SCSIRequest *req);
void scsi_submit(SCSIRequest *req, BlockBackend *blk, BlockOp op,
                 uint64_t offset, uint64_t bytes, const struct iovec *iov,
                 unsigned niov, uint32_t flags,
                 void (*step)(SCSIRequest *req, int ret));
/* REQUEST SENSE, REPORT LUNS and the INQUIRY of no logical unit. */
void scsi_request_sense(SCSIRequest *req);
void scsi_report_luns(SCSIRequest *req);

extern const VMStateDescription vmstate_scsi_unit;

#endif
