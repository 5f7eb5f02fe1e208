/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVM Express base specification 1.4: registers, commands, data structures
 * and status codes, under the specification's names.  Section numbers are of
 * revision 1.4.  All structures are little-endian in memory, as are all hosts
 * that this emulator runs on; the fields are used as they are.
 */
#ifndef HW_NVME_NVME_SPEC_H
#define HW_NVME_NVME_SPEC_H

#include "qemu/bitops.h"

/* -- Registers (3.1) ------------------------------------------------------- */

enum {
    NVME_REG_CAP = 0x00,
    NVME_REG_VS = 0x08,
    NVME_REG_INTMS = 0x0c,
    NVME_REG_INTMC = 0x10,
    NVME_REG_CC = 0x14,
    NVME_REG_CSTS = 0x1c,
    NVME_REG_NSSR = 0x20,
    NVME_REG_AQA = 0x24,
    NVME_REG_ASQ = 0x28,
    NVME_REG_ACQ = 0x30,
    NVME_REG_CMBLOC = 0x38,
    NVME_REG_DOORBELLS = 0x1000,
};

#define NVME_VS_1_4 0x00010400u

#define NVME_CAP_MQES(n) ((uint64_t)(n))            /* zero based */
#define NVME_CAP_CQR BIT_ULL(16)
#define NVME_CAP_TO(half_seconds) ((uint64_t)(half_seconds) << 24)
#define NVME_CAP_CSS_NVM BIT_ULL(37)
#define NVME_CAP_MPSMAX(n) ((uint64_t)(n) << 52)    /* 2 ^ (12 + n) */

#define NVME_CC_EN BIT(0)
#define NVME_CC_CSS(cc) extract32(cc, 4, 3)
#define NVME_CC_MPS(cc) extract32(cc, 7, 4)
#define NVME_CC_AMS(cc) extract32(cc, 11, 3)
#define NVME_CC_SHN(cc) extract32(cc, 14, 2)
#define NVME_CC_IOSQES(cc) extract32(cc, 16, 4)
#define NVME_CC_IOCQES(cc) extract32(cc, 20, 4)
#define NVME_CC_WRITABLE 0x00fffff1u

#define NVME_CSTS_RDY BIT(0)
#define NVME_CSTS_CFS BIT(1)
#define NVME_CSTS_SHST_MASK (3u << 2)
#define NVME_CSTS_SHST_OCCURRING (1u << 2)
#define NVME_CSTS_SHST_COMPLETE (2u << 2)

#define NVME_AQA_ASQS(aqa) (extract32(aqa, 0, 12) + 1)      /* entries */
#define NVME_AQA_ACQS(aqa) (extract32(aqa, 16, 12) + 1)

/* -- Queue entries (4.2, 4.6) ---------------------------------------------- */

typedef struct NvmeCmd {
    uint8_t opcode;
    uint8_t flags;              /* 1:0 FUSE, 7:6 PSDT */
    uint16_t cid;
    uint32_t nsid;
    uint32_t cdw2, cdw3;
    uint64_t mptr;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
} NvmeCmd;
QEMU_BUILD_BUG_ON(sizeof(NvmeCmd) != 64);

#define NVME_CMD_FUSE(flags) ((flags) & 3)
#define NVME_CMD_PSDT(flags) ((flags) >> 6)

typedef struct NvmeCqe {
    uint32_t dw0, dw1;
    uint16_t sqhd, sqid;
    uint16_t cid;
    uint16_t status;            /* bit 0: phase; the status field from bit 1 */
} NvmeCqe;
QEMU_BUILD_BUG_ON(sizeof(NvmeCqe) != 16);

#define NVME_SQES 6             /* log2 of the sizes above */
#define NVME_CQES 4

#define NVME_NSID_BROADCAST 0xffffffffu

/* -- Opcodes (5, 6) -------------------------------------------------------- */

enum {
    NVME_ADM_DELETE_SQ = 0x00,
    NVME_ADM_CREATE_SQ = 0x01,
    NVME_ADM_GET_LOG_PAGE = 0x02,
    NVME_ADM_DELETE_CQ = 0x04,
    NVME_ADM_CREATE_CQ = 0x05,
    NVME_ADM_IDENTIFY = 0x06,
    NVME_ADM_ABORT = 0x08,
    NVME_ADM_SET_FEATURES = 0x09,
    NVME_ADM_GET_FEATURES = 0x0a,
    NVME_ADM_ASYNC_EVENT = 0x0c,
    NVME_ADM_FW_COMMIT = 0x10,
    NVME_ADM_FW_DOWNLOAD = 0x11,
    NVME_ADM_KEEP_ALIVE = 0x18,
    NVME_ADM_DBBUF_CONFIG = 0x7c,
    NVME_ADM_FORMAT_NVM = 0x80,
};

enum {
    NVME_NVM_FLUSH = 0x00,
    NVME_NVM_WRITE = 0x01,
    NVME_NVM_READ = 0x02,
    NVME_NVM_WRITE_UNCORRECTABLE = 0x04,
    NVME_NVM_COMPARE = 0x05,
    NVME_NVM_WRITE_ZEROES = 0x08,
    NVME_NVM_DSM = 0x09,
    NVME_NVM_VERIFY = 0x0c,
};

#define NVME_RW_NLB(cdw12) (((cdw12) & 0xffff) + 1)         /* blocks */
#define NVME_RW_FUA BIT(30)
#define NVME_WZ_DEAC BIT(25)
#define NVME_DSM_NR(cdw10) (((cdw10) & 0xff) + 1)           /* ranges */
#define NVME_DSM_AD BIT(2)

typedef struct NvmeDsmRange {
    uint32_t cattr, nlb;
    uint64_t slba;
} NvmeDsmRange;

/* -- Status: type << 8 | code (4.6.1) -------------------------------------- */

enum {
    NVME_SUCCESS = 0x000,
    NVME_INVALID_OPCODE = 0x001,
    NVME_INVALID_FIELD = 0x002,
    NVME_CID_CONFLICT = 0x003,
    NVME_DATA_TRAS_ERROR = 0x004,
    NVME_INTERNAL_DEV_ERROR = 0x006,
    NVME_CMD_ABORT_REQ = 0x007,
    NVME_CMD_ABORT_SQ_DEL = 0x008,
    NVME_INVALID_NSID = 0x00b,
    NVME_CMD_SEQ_ERROR = 0x00c,
    NVME_INVALID_PRP_OFFSET = 0x013,
    NVME_NS_WRITE_PROTECTED = 0x020,
    NVME_LBA_RANGE = 0x080,
    NVME_CAP_EXCEEDED = 0x081,
    NVME_FORMAT_IN_PROGRESS = 0x084,
    NVME_INVALID_CQID = 0x100,
    NVME_INVALID_QID = 0x101,
    NVME_INVALID_QUEUE_SIZE = 0x102,
    NVME_AER_LIMIT_EXCEEDED = 0x105,
    NVME_INVALID_IRQ_VECTOR = 0x108,
    NVME_INVALID_LOG_ID = 0x109,
    NVME_INVALID_FORMAT = 0x10a,
    NVME_INVALID_QUEUE_DEL = 0x10c,
    NVME_FID_NOT_SAVEABLE = 0x10d,
    NVME_FEAT_NOT_CHANGEABLE = 0x10e,
    NVME_FEAT_NOT_NS_SPEC = 0x10f,
    NVME_WRITE_FAULT = 0x280,
    NVME_UNRECOVERED_READ = 0x281,
    NVME_COMPARE_FAILURE = 0x285,
    NVME_MORE = 0x2000,
    NVME_DNR = 0x4000,
};

/* -- Identify (5.15) ------------------------------------------------------- */

enum {
    NVME_CNS_NS = 0x00,
    NVME_CNS_CTRL = 0x01,
    NVME_CNS_ACTIVE_NS_LIST = 0x02,
    NVME_CNS_NS_DESC_LIST = 0x03,
};

typedef struct QEMU_PACKED NvmePowerState {
    uint16_t mp;                /* in 10 mW */
    uint8_t rsvd2, flags;
    uint32_t enlat, exlat;      /* us */
    uint8_t rrt, rrl, rwt, rwl;
    uint8_t rsvd16[16];
} NvmePowerState;

typedef struct QEMU_PACKED NvmeIdCtrl {
    uint16_t vid, ssvid;
    char sn[20], mn[40], fr[8];
    uint8_t rab, ieee[3], cmic, mdts;
    uint16_t cntlid;
    uint32_t ver, rtd3r, rtd3e, oaes, ctratt;
    uint16_t rrls;
    uint8_t rsvd102[9], cntrltype, fguid[16];
    uint16_t crdt[3];
    uint8_t rsvd134[122];
    uint16_t oacs;
    uint8_t acl, aerl, frmw, lpa, elpe, npss, avscc, apsta;
    uint16_t wctemp, cctemp, mtfa;
    uint32_t hmpre, hmmin;
    uint8_t tnvmcap[16], unvmcap[16];
    uint32_t rpmbs;
    uint16_t edstt;
    uint8_t dsto, fwug;
    uint16_t kas, hctma, mntmt, mxtmt;
    uint32_t sanicap, hmminds;
    uint16_t hmmaxd, nsetidmax, endgidmax;
    uint8_t anatt, anacap;
    uint32_t anagrpmax, nanagrpid, pels;
    uint8_t rsvd356[156];
    uint8_t sqes, cqes;
    uint16_t maxcmd;
    uint32_t nn;
    uint16_t oncs, fuses;
    uint8_t fna, vwc;
    uint16_t awun, awupf;
    uint8_t nvscc, nwpc;
    uint16_t acwu, rsvd534;
    uint32_t sgls, mnan;
    uint8_t rsvd544[224];
    char subnqn[256];
    uint8_t rsvd1024[1024];
    NvmePowerState psd[32];
    uint8_t vs[1024];
} NvmeIdCtrl;
QEMU_BUILD_BUG_ON(offsetof(NvmeIdCtrl, oacs) != 256);
QEMU_BUILD_BUG_ON(offsetof(NvmeIdCtrl, kas) != 320);
QEMU_BUILD_BUG_ON(offsetof(NvmeIdCtrl, sqes) != 512);
QEMU_BUILD_BUG_ON(offsetof(NvmeIdCtrl, subnqn) != 768);
QEMU_BUILD_BUG_ON(offsetof(NvmeIdCtrl, psd) != 2048);
QEMU_BUILD_BUG_ON(sizeof(NvmeIdCtrl) != 4096);

enum {
    NVME_CNTRLTYPE_IO = 1,
    NVME_OAES_NS_ATTR = 1 << 8,
    NVME_OACS_FORMAT = 1 << 1,
    NVME_OACS_DBBUF = 1 << 8,
    NVME_FRMW_SLOT1_RO = 1 << 0,
    NVME_LPA_NS_SMART = 1 << 0,
    NVME_LPA_CMD_EFFECTS = 1 << 1,
    NVME_LPA_EXTENDED = 1 << 2,
    NVME_ONCS_COMPARE = 1 << 0,
    NVME_ONCS_DSM = 1 << 2,
    NVME_ONCS_WRITE_ZEROES = 1 << 3,
    NVME_ONCS_FEATURES = 1 << 4,
    NVME_ONCS_TIMESTAMP = 1 << 6,
    NVME_ONCS_VERIFY = 1 << 7,
    NVME_VWC_PRESENT = 1 << 0,
    NVME_VWC_NSID_BROADCAST = 3 << 1,
};

typedef struct NvmeLbaf {
    uint16_t ms;
    uint8_t lbads, rp;
} NvmeLbaf;

typedef struct QEMU_PACKED NvmeIdNs {
    uint64_t nsze, ncap, nuse;
    uint8_t nsfeat, nlbaf, flbas, mc, dpc, dps, nmic, rescap, fpi, dlfeat;
    uint16_t nawun, nawupf, nacwu, nabsn, nabo, nabspf, noiob;
    uint8_t nvmcap[16];
    uint16_t npwg, npwa, npdg, npda, nows;
    uint8_t rsvd74[18];
    uint32_t anagrpid;
    uint8_t rsvd96[3], nsattr;
    uint16_t nvmsetid, endgid;
    uint8_t nguid[16];
    uint64_t eui64;
    NvmeLbaf lbaf[16];
    uint8_t rsvd192[192], vs[3712];
} NvmeIdNs;
QEMU_BUILD_BUG_ON(offsetof(NvmeIdNs, nguid) != 104);
QEMU_BUILD_BUG_ON(offsetof(NvmeIdNs, lbaf) != 128);
QEMU_BUILD_BUG_ON(sizeof(NvmeIdNs) != 4096);

enum {
    NVME_DLFEAT_READS_ZERO = 1,
    NVME_DLFEAT_WZ_DEAC = 1 << 3,
    NVME_NSATTR_WRITE_PROTECTED = 1 << 0,
    NVME_FPI_SUPPORTED = 1 << 7,        /* 6:0 percent left */
    NVME_NIDT_UUID = 3,
};

/* -- Log pages (5.14.1) ---------------------------------------------------- */

enum {
    NVME_LOG_ERROR_INFO = 0x01,
    NVME_LOG_SMART_INFO = 0x02,
    NVME_LOG_FW_SLOT_INFO = 0x03,
    NVME_LOG_CHANGED_NSLIST = 0x04,
    NVME_LOG_CMD_EFFECTS = 0x05,
};

typedef struct NvmeErrorLog {
    uint64_t error_count;
    uint16_t sqid, cid;
    uint16_t status;            /* as in a completion: from bit 1 */
    uint16_t param_error_location;      /* byte, bit << 8; ffffh: none */
    uint64_t lba;
    uint32_t nsid;
    uint8_t vs, trtype, rsvd30[2];
    uint64_t cs;
    uint16_t trtype_specific;
    uint8_t rsvd42[22];
} NvmeErrorLog;
QEMU_BUILD_BUG_ON(sizeof(NvmeErrorLog) != 64);

typedef struct QEMU_PACKED NvmeSmartLog {
    uint8_t critical_warning;
    uint16_t temperature;       /* kelvin */
    uint8_t available_spare, available_spare_threshold, percentage_used;
    uint8_t endurance_group_summary, rsvd7[25];
    uint64_t data_units_read[2];        /* in 1000 x 512 bytes */
    uint64_t data_units_written[2];
    uint64_t host_read_commands[2], host_write_commands[2];
    uint64_t controller_busy_time[2];
    uint64_t power_cycles[2], power_on_hours[2], unsafe_shutdowns[2];
    uint64_t media_errors[2], error_log_entries[2];
    uint32_t warning_temp_time, critical_temp_time;
    uint8_t rsvd200[312];
} NvmeSmartLog;
QEMU_BUILD_BUG_ON(offsetof(NvmeSmartLog, warning_temp_time) != 192);
QEMU_BUILD_BUG_ON(sizeof(NvmeSmartLog) != 512);

enum {
    NVME_SMART_TEMPERATURE = 1 << 1,
    NVME_SMART_READ_ONLY = 1 << 3,
};

typedef struct NvmeFwSlotLog {
    uint8_t afi, rsvd1[7];
    char frs[7][8];
    uint8_t rsvd64[448];
} NvmeFwSlotLog;
QEMU_BUILD_BUG_ON(sizeof(NvmeFwSlotLog) != 512);

typedef struct NvmeEffectsLog {
    uint32_t acs[256], iocs[256];
    uint8_t rsvd2048[2048];
} NvmeEffectsLog;
QEMU_BUILD_BUG_ON(sizeof(NvmeEffectsLog) != 4096);

enum {
    NVME_EFFECTS_CSUPP = 1 << 0,
    NVME_EFFECTS_LBCC = 1 << 1,         /* changes blocks */
    NVME_EFFECTS_NCC = 1 << 2,          /* changes namespace capabilities */
    NVME_EFFECTS_CSE_NS = 1 << 16,      /* alone on its namespace */
};

/* -- Asynchronous events (5.2) --------------------------------------------- */

enum {
    NVME_AER_TYPE_ERROR = 0,
    NVME_AER_TYPE_SMART = 1,
    NVME_AER_TYPE_NOTICE = 2,
    NVME_AER_TYPES = 8,
};

enum {
    NVME_AER_INFO_ERR_INVALID_DB_REGISTER = 0x00,
    NVME_AER_INFO_ERR_INVALID_DB_VALUE = 0x01,
    NVME_AER_INFO_SMART_TEMPERATURE = 0x01,
    NVME_AER_INFO_NOTICE_NS_ATTR_CHANGED = 0x00,
};

/* -- Features (5.21.1) ----------------------------------------------------- */

enum {
    NVME_FID_ARBITRATION = 0x01,
    NVME_FID_POWER_MANAGEMENT = 0x02,
    NVME_FID_TEMPERATURE_THRESHOLD = 0x04,
    NVME_FID_ERROR_RECOVERY = 0x05,
    NVME_FID_VOLATILE_WRITE_CACHE = 0x06,
    NVME_FID_NUMBER_OF_QUEUES = 0x07,
    NVME_FID_INTERRUPT_COALESCING = 0x08,
    NVME_FID_INTERRUPT_VECTOR_CONF = 0x09,
    NVME_FID_WRITE_ATOMICITY = 0x0a,
    NVME_FID_ASYNC_EVENT_CONF = 0x0b,
    NVME_FID_TIMESTAMP = 0x0e,
    NVME_FID_COUNT,
};

enum {
    NVME_SEL_CURRENT = 0,
    NVME_SEL_DEFAULT = 1,
    NVME_SEL_SAVED = 2,
    NVME_SEL_CAPABILITIES = 3,
};

enum {                          /* what NVME_SEL_CAPABILITIES gives */
    NVME_FEAT_CAP_SAVE = 1 << 0,
    NVME_FEAT_CAP_NS = 1 << 1,
    NVME_FEAT_CAP_CHANGE = 1 << 2,
};

#define NVME_FEAT_SV BIT(31)            /* cdw10 of Set Features */
#define NVME_AB_NO_LIMIT 7              /* arbitration burst */

#endif
