/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSI53C895A: registers, state, and what its files call of each other.  Names
 * are those of the LSI53C895A Technical Manual, version 2.2.
 */
#ifndef HW_SCSI_LSI53C895A_H
#define HW_SCSI_LSI53C895A_H

#include "hw/pci/pci.h"
#include "hw/scsi/scsi.h"
#include "qemu/aio.h"

#define TYPE_LSI53C895A "lsi53c895a"
OBJECT_DECLARE_SIMPLE_TYPE(LSIState, LSI53C895A)

#define LSI_REGS 0x100
#define LSI_RAM_SIZE 0x2000
#define LSI_INITIATOR 7
#define LSI_CMDS SCSI_REQS_MAX
#define LSI_IOV 128
#define LSI_BLOCKS 4
#define LSI_BOUNCE 4096

enum {
    LSI_SCNTL0 = 0x00, LSI_SCNTL1, LSI_SCNTL2, LSI_SCNTL3, LSI_SCID,
    LSI_SXFER, LSI_SDID, LSI_GPREG, LSI_SFBR, LSI_SOCL, LSI_SSID, LSI_SBCL,
    LSI_DSTAT, LSI_SSTAT0, LSI_SSTAT1, LSI_SSTAT2,
    LSI_DSA = 0x10, LSI_ISTAT0 = 0x14, LSI_ISTAT1, LSI_MBOX0, LSI_MBOX1,
    LSI_CTEST0, LSI_CTEST1, LSI_CTEST2, LSI_CTEST3, LSI_TEMP = 0x1c,
    LSI_DFIFO = 0x20, LSI_CTEST4, LSI_CTEST5, LSI_CTEST6, LSI_DBC = 0x24,
    LSI_DCMD = 0x27, LSI_DNAD = 0x28, LSI_DSP = 0x2c, LSI_DSPS = 0x30,
    LSI_SCRATCHA = 0x34, LSI_DMODE = 0x38, LSI_DIEN, LSI_SBR, LSI_DCNTL,
    LSI_ADDER = 0x3c, LSI_SIEN0 = 0x40, LSI_SIEN1, LSI_SIST0, LSI_SIST1,
    LSI_SLPAR, LSI_SWIDE, LSI_MACNTL, LSI_GPCNTL, LSI_STIME0, LSI_STIME1,
    LSI_RESPID0, LSI_RESPID1, LSI_STEST0, LSI_STEST1, LSI_STEST2, LSI_STEST3,
    LSI_SIDL = 0x50, LSI_STEST4 = 0x52, LSI_SODL = 0x54, LSI_CCNTL0 = 0x56,
    LSI_CCNTL1 = 0x57, LSI_SBDL = 0x58, LSI_SCRATCHB = 0x5c,
    LSI_SCRATCHC = 0x60, LSI_MMRS = 0xa0, LSI_MMWS = 0xa4, LSI_SFS = 0xa8,
    LSI_DRS = 0xac, LSI_SBMS = 0xb0, LSI_DBMS = 0xb4, LSI_DNAD64 = 0xb8,
    LSI_PMJAD1 = 0xc0, LSI_PMJAD2 = 0xc4, LSI_RBC = 0xc8, LSI_UA = 0xcc,
    LSI_ESA = 0xd0, LSI_IA = 0xd4, LSI_SBC = 0xd8, LSI_CSBC = 0xdc,
};

enum {
    SCNTL0_TRG = 0x01, SCNTL0_AAP = 0x02, SCNTL0_EPC = 0x08,
    SCNTL0_WATN = 0x10, SCNTL0_START = 0x20,
    SCNTL1_AESP = 0x04, SCNTL1_RST = 0x08, SCNTL1_CON = 0x10,
    SCNTL1_ADB = 0x40,
    SCNTL2_SDU = 0x80, SCNTL3_EWS = 0x08,
    SOCL_ATN = 0x08, SOCL_ACK = 0x40, SOCL_REQ = 0x80,
    SBCL_REQ = 0x80, SBCL_BSY = 0x20,
    DSTAT_IID = 0x01, DSTAT_SIR = 0x04, DSTAT_SSI = 0x08, DSTAT_ABRT = 0x10,
    DSTAT_BF = 0x20, DSTAT_DFE = 0x80,
    SSTAT0_SDP0 = 0x01, SSTAT0_RST = 0x02, SSTAT1_SDP0L = 0x08,
    SSTAT2_SDP1 = 0x01, SSTAT2_LDSC = 0x02, SSTAT2_SPL1 = 0x08,
    STEST2_SLB = 0x10,
    ISTAT0_DIP = 0x01, ISTAT0_SIP = 0x02, ISTAT0_INTF = 0x04,
    ISTAT0_CON = 0x08, ISTAT0_SEM = 0x10, ISTAT0_SIGP = 0x20,
    ISTAT0_SRST = 0x40, ISTAT0_ABRT = 0x80,
    ISTAT1_SRUN = 0x02,
    CTEST2_DACK = 0x01, CTEST2_PCICIE = 0x08, CTEST2_CM = 0x10,
    CTEST2_CIO = 0x20, CTEST2_SIGP = 0x40, CTEST2_DDIR = 0x80,
    CTEST5_DFS = 0x20,
    DMODE_MAN = 0x01, DMODE_DIOM = 0x10, DMODE_SIOM = 0x20,
    DCNTL_STD = 0x04, DCNTL_SSM = 0x10, DCNTL_IRQD = 0x02,
    SIST0_PAR = 0x01, SIST0_RST = 0x02, SIST0_UDC = 0x04, SIST0_RSL = 0x10, SIST0_SEL = 0x20,
    SIST0_CMP = 0x40, SIST0_MA = 0x80,
    SIST1_HTH = 0x01, SIST1_GEN = 0x02, SIST1_STO = 0x04,
    CCNTL0_ENNDJ = 0x20, CCNTL0_PMJCTL = 0x40, CCNTL0_ENPMJ = 0x80,
    CCNTL1_EN64DBMV = 0x01, CCNTL1_EN64TIBMV = 0x02, CCNTL1_64TIMOD = 0x04,
};

/* MSG, C/D and I/O as in SSTAT1 and in instructions. */
enum {
    PHASE_DATA_OUT, PHASE_DATA_IN, PHASE_COMMAND, PHASE_STATUS,
    PHASE_MSG_OUT = 6, PHASE_MSG_IN,
    PHASE_NONE = 0xff,          /* the target does not assert REQ */
};

typedef enum LSIWait {
    LSI_RUN,
    LSI_WAIT_TARGET,            /* a phase, or data on its way */
    LSI_WAIT_RESELECT,
    LSI_WAIT_DISCONNECT,
    LSI_WAIT_FOREVER,           /* to be selected */
} LSIWait;

/* What the target does after its message is read. */
typedef enum LSIMsgAction {
    LSI_MSG_RESUME,             /* back to the phase before */
    LSI_MSG_COMPLETE,           /* the command ends, bus free */
    LSI_MSG_DISCONNECT,
} LSIMsgAction;

typedef struct LSICmdState {
    bool used;
    bool tagged, may_disconnect;
    bool disconnected;          /* not on the bus */
    bool complete;
    uint8_t target, lun, tag, status;
} LSICmdState;

#define LSI_NO_CMD 0xffff

/* What the guest can see or cause. */
typedef struct LSIVisible {
    uint8_t reg[LSI_REGS];
    uint8_t ram[LSI_RAM_SIZE];
    uint8_t dstat_stacked, sist0_stacked, sist1_stacked;

    /* SCRIPTS processor */
    bool running, carry;
    bool loaded;                /* the instruction at work has its operands */
    uint8_t wait;               /* LSIWait */

    /* The bus */
    bool connected, selecting;
    bool maybe_msgout;          /* selected without ATN */
    uint8_t phase, next_phase;  /* now, and after a message */
    uint8_t target, lun, tag, status;
    bool tagged, may_disconnect;
    uint8_t msgout[16], msgout_len;
    uint8_t msgin[16], msgin_len, msgin_pos;
    uint8_t msg_action;         /* LSIMsgAction */
    bool msgin_again;           /* msgin was broken off by ATN */
    uint8_t cdb[SCSI_CDB_MAX], cdb_len;
    uint16_t cur;               /* command on the bus, or LSI_NO_CMD */
    LSICmdState cmd[LSI_CMDS];
} LSIVisible;

typedef struct LSICmd {
    LSIState *s;
    LSICmdState *st;
    SCSIRequest *req;           /* NULL: complete */
    bool moving;                /* req has been given iov */
    uint64_t gathered;          /* bytes in iov */
    unsigned niov, nblock;
    RAMBlock *block[LSI_BLOCKS];
    uint64_t bounce_addr;       /* where bounce goes */
    bool bounced;
    uint8_t *bounce;
    struct iovec iov[LSI_IOV];
    QTAILQ_ENTRY(LSICmd) link;  /* in LSIState.ready */
} LSICmd;

struct LSIState {
    PCIDevice parent_obj;
    SCSIBus bus;
    MemoryRegion io, mmio, ram;
    QEMUBH *bh;                 /* goes on with a long script */
    QEMUTimer *later;           /* the same for one that never ends */
    QEMUTimer *gen;             /* general purpose timer */
    unsigned slices;            /* run without a wait */
    bool busy;                  /* at work: no access from outside */
    bool reset_pending;
    LSIVisible st;
    LSICmd *cmd[LSI_CMDS];      /* made when first needed */
    QTAILQ_HEAD(, LSICmd) ready;        /* want to reselect */
};

extern const VMStateDescription vmstate_lsi;

static inline uint32_t lsi_get32(const LSIState *s, unsigned reg)
{
    return ldl_le_p(s->st.reg + reg);
}
static inline void lsi_set32(LSIState *s, unsigned reg, uint32_t v)
{
    stl_le_p(s->st.reg + reg, v);
}
static inline uint32_t lsi_get24(const LSIState *s, unsigned reg)
{
    return lsi_get32(s, reg) & 0xffffff;
}
static inline void lsi_set24(LSIState *s, unsigned reg, uint32_t v)
{
    stw_le_p(s->st.reg + reg, v);
    s->st.reg[reg + 2] = v >> 16;
}

/* -- lsi53c895a.c: registers, interrupts, life ---------------------------- */

uint8_t lsi_reg_read(LSIState *s, unsigned reg);
void lsi_reg_write(LSIState *s, unsigned reg, uint8_t val);
void lsi_update_irq(LSIState *s);
void lsi_dma_irq(LSIState *s, uint8_t dstat);
void lsi_scsi_irq(LSIState *s, uint8_t sist0, uint8_t sist1);
/* A byte, the last of a phase, has come from a target. */
void lsi_latch(LSIState *s, uint8_t byte);
/* Memory as the chip sees it: its own registers and RAM, else the bus. */
bool lsi_mem_rw(LSIState *s, uint64_t addr, void *buf, unsigned len,
                bool is_write);

/* -- lsi53c895a-script.c -------------------------------------------------- */

void lsi_start(LSIState *s);
void lsi_stop(LSIState *s);
/* Goes on, for a slice, unless the script waits. */
void lsi_run(LSIState *s);
void lsi_run_bh(void *opaque);

/* -- lsi53c895a-bus.c ----------------------------------------------------- */

extern const SCSIBusInfo lsi_bus_info;
/* False: connected already. */
bool lsi_select(LSIState *s, unsigned target, bool atn);
void lsi_bus_free(LSIState *s, bool expected);
/* A target that waits for it takes the bus, if it may. */
void lsi_try_reselect(LSIState *s);
void lsi_set_atn(LSIState *s);
/* Something may have ended a wait. */
void lsi_kick(LSIState *s);
/* Cancels all commands and frees the bus. */
void lsi_bus_reset(LSIState *s);
/* One block move in a phase other than data: @len bytes at most at @addr;
 * the bytes moved, or -1 after a bus fault. */
int lsi_move(LSIState *s, uint64_t addr, unsigned len);
/* The same for data.  False: wait for the target first. */
bool lsi_move_data(LSIState *s, uint64_t *addr, uint32_t *len, bool *fault);
/* What was gathered goes to the target.  False: that takes time. */
bool lsi_flush_data(LSIState *s);
void lsi_cmds_free(LSIState *s);

#endif
