/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the LSI53C895A under qtest: scripts go to guest memory, run, and
 * end with an interrupt that is waited for.
 */
#ifndef TESTS_QTEST_LSI_H
#define TESTS_QTEST_LSI_H

#include "libqtest.h"

#define LSI_REGS 0xfe000000u            /* BAR 1, 1 KiB */
#define LSI_RAM 0xfe002000u             /* BAR 2, 8 KiB */
#define LSI_IO 0xc000u                  /* BAR 0, 256 bytes */
#define LSI_SCRIPT 0x10000u
#define LSI_CDB 0x20000u
#define LSI_MSGOUT 0x20020u
#define LSI_STATUS 0x20040u
#define LSI_MSGIN 0x20050u              /* 16 bytes */
#define LSI_TABLE 0x20100u              /* where DSA points */
#define LSI_DATA 0x30000u

enum {
    SCNTL0 = 0x00, SCNTL1, SCNTL2, SCNTL3, SCID, SXFER, SDID, GPREG, SFBR,
    SOCL, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2, DSA = 0x10, ISTAT0 = 0x14,
    ISTAT1, CTEST2 = 0x1a, TEMP = 0x1c, DFIFO = 0x20, CTEST5 = 0x22, DBC = 0x24,
    DCMD = 0x27, DNAD = 0x28, DSP = 0x2c, DSPS = 0x30, SCRATCHA = 0x34,
    DMODE = 0x38, DIEN = 0x39, DCNTL = 0x3b, SIEN0 = 0x40, SIEN1, SIST0, SIST1,
    STIME0 = 0x48, STIME1, STEST2 = 0x4e, SIDL = 0x50, SODL = 0x54, SBDL = 0x58,
    CCNTL0 = 0x56, CCNTL1 = 0x57, SCRATCHB = 0x5c,
    SCRATCHC = 0x60, MMRS = 0xa0, MMWS = 0xa4, SFS = 0xa8, DRS = 0xac,
    SBMS = 0xb0, DBMS = 0xb4, PMJAD1 = 0xc0, PMJAD2 = 0xc4, RBC = 0xc8,
    UA = 0xcc,
};

/* DSTAT, with DFE which always is set; SIST with SIST1 in the upper byte. */
enum {
    IID = 0x81, SIR = 0x84, SSI = 0x88, ABRT = 0x90, BF = 0xa0,
    STO = 0x400, GEN = 0x200, MA = 0x80, CMP = 0x40, RSL = 0x10, UDC = 0x04,
    RST = 0x02,
};

/* Instructions: each is one or two words. */
#define INT(n) 0x98080000, (n)
#define SELECT(id) 0x40000000 | (id) << 16, LSI_SCRIPT + 0x1000
#define SELECT_ATN(id) 0x41000000 | (id) << 16, LSI_SCRIPT + 0x1000
#define WAIT_DISC 0x48000000, 0
#define WAIT_RESEL(to) 0x50000000, (to)
#define MOVE(phase, len, addr) 0x08000000 | (phase) << 24 | (len), (addr)
#define CHMOV(phase, len, addr) 0x00000000 | (phase) << 24 | (len), (addr)
#define CLEAR_ACK 0x60000040, 0

#define RW(opcode, operator, reg, data) \
    0x40000000u | (opcode) << 27 | (operator) << 24 | (reg) << 16 | \
    (data) << 8, 0
#define TO_REG(operator, reg, data) RW(7, operator, reg, data)
#define TO_SFBR(operator, reg, data) RW(6, operator, reg, data)
#define FROM_SFBR(operator, reg, data) RW(5, operator, reg, data)
#define SET_CARRY 0x58000400, 0
#define CLEAR_CARRY 0x60000400, 0
#define JUMP(cond, to) 0x80000000 | (cond), (to)
#define IF 0x00080000
#define IF_NOT 0
#define CARRY 0x00200000
#define DATA_IS(v) 0x00040000 | (v)

#define ENDING MOVE(STATUS, 1, LSI_STATUS), MOVE(MSG_IN, 1, LSI_MSGIN), \
    CLEAR_ACK, WAIT_DISC
enum { OUT, IN, COMMAND, STATUS, MSG_OUT = 6, MSG_IN };

/* BARs where the names above say. */
void lsi_map(QWorld *w);
/* The same, and interrupts on, DSA at LSI_TABLE. */
void lsi_init(QWorld *w);
uint8_t lsi_reset_value(unsigned reg);
void lsi_check_reset_values(QWorld *w);
uint32_t lsi_get(QWorld *w, unsigned reg, unsigned size);
void lsi_put(QWorld *w, unsigned reg, uint32_t val, unsigned size);

/* Puts a script in memory; starts one. */
void lsi_load(QWorld *w, uint64_t addr, const uint32_t *words, unsigned n);
#define LSI_LOAD(w, addr, ...) do {                                     \
        const uint32_t words_[] = { __VA_ARGS__ };                      \
        lsi_load(w, addr, words_, G_N_ELEMENTS(words_));                \
    } while (0)
#define LSI_START(w, ...) do {                                          \
        LSI_LOAD(w, LSI_SCRIPT, __VA_ARGS__);                           \
        lsi_put(w, DSP, LSI_SCRIPT, 4);                                 \
    } while (0)
/* ... and waits for the interrupt. */
#define LSI_RUN(w, ...) do {                                            \
        LSI_START(w, __VA_ARGS__);                                      \
        lsi_wait(w);                                                    \
    } while (0)
void lsi_wait(QWorld *w);
/* Its line, as the device's own status register has it. */
bool lsi_irq(QWorld *w);

/* The script ended with INT @n, for DSTAT @dstat, or for SIST @sist: and for
 * nothing else. */
void lsi_check_int(QWorld *w, uint32_t n);
void lsi_check_dstat(QWorld *w, uint8_t dstat);
void lsi_check_sist(QWorld *w, uint16_t sist);

/* -- SCSI ----------------------------------------------------------------- */

/* lsi_init(), and both units are past their unit attention. */
void scsi_start(QWorld *w);
/* Puts a CDB and messages to be sent in memory. */
void scsi_prepare(QWorld *w, const uint8_t *cdb, const char *msgout,
                  unsigned len);
#define READ10(lba, n) SCSI_CDB(0x28, 0, 0, 0, 0, lba, 0, 0, n)
/* A command with @len bytes of data in direction IN or OUT at LSI_DATA, from
 * selection to bus free; its status. */
uint8_t scsi_command(QWorld *w, unsigned target, unsigned lun,
                     const uint8_t *cdb, unsigned phase, uint32_t len);
#define SCSI_CDB(...) (const uint8_t[16]){ __VA_ARGS__ }
/* The bytes that the last command moved. */
uint32_t scsi_moved(QWorld *w);
/* The same, which must succeed. */
void scsi_good(QWorld *w, unsigned target, const uint8_t *cdb, unsigned phase,
               uint32_t len);
/* ... which must fail with this sense data. */
void scsi_fails(QWorld *w, unsigned target, const uint8_t *cdb, unsigned phase,
                uint32_t len, uint8_t key, uint8_t asc, uint8_t ascq);
/* A byte, or big-endian number, of the data. */
uint64_t scsi_data(QWorld *w, unsigned at, unsigned size);
void scsi_put(QWorld *w, unsigned at, uint64_t val, unsigned size);

/* -- Tests ---------------------------------------------------------------- */

typedef struct LSITest {
    const char *name;
    void (*fn)(QWorld *w);
    const char *memory;         /* NULL: 64M */
    unsigned ms;                /* of slow drives: commands stay in flight */
    const char *children;       /* NULL: a disk 0 on drive "disk" and a CD
                                 * 1 on drive "cd", which are the same file */
} LSITest;

/* Runs each with the device local and remote. */
int lsi_main(int argc, char **argv, const LSITest *tests, unsigned n);

#endif
