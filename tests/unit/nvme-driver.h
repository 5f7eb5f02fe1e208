/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small NVMe driver for tests: a PCI bus with RAM, a disk on it, and calls
 * that do what a guest's driver does, by register and memory accesses alone.
 *
 * The address space: RAM from 0 to NT_RAM, a second block from NT_RAM2 on that
 * follows it without a gap, nothing at NT_HOLE, registers that remember what
 * is written at NT_MMIO, the disk's config space at NT_CONFIG (as an ECAM has
 * it), its BARs at NT_BAR and NT_MSIX_BAR.
 */
#ifndef TESTS_NVME_DRIVER_H
#define TESTS_NVME_DRIVER_H

#include "block/block.h"
#include "hw/nvme/nvme-spec.h"
#include "hw/pci/pci.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"

#define NT_RAM (32 * MiB)
#define NT_RAM2 NT_RAM
#define NT_RAM2_SIZE (1 * MiB)
#define NT_HOLE 0x10000000ULL
#define NT_MMIO 0x20000000ULL
#define NT_MMIO_SIZE 0x10000
#define NT_CONFIG 0x30000000ULL
#define NT_BAR 0xe0000000ULL
#define NT_MSIX_BAR 0xe0010000ULL
#define NT_DISK (4 * MiB)               /* of the disk in the tests */
#define NT_QUEUES 65
#define NT_DB_SQ(q) (NVME_REG_DOORBELLS + 8 * (q))
#define NT_DB_CQ(q) (NVME_REG_DOORBELLS + 8 * (q) + 4)

typedef struct NvmeTestQueue {
    uint64_t sq, cq;            /* guest addresses */
    unsigned sq_size, cq_size;
    uint16_t tail, head;
    bool phase;
    unsigned taken;             /* completions */
} NvmeTestQueue;

typedef struct NvmeTest {
    PCIBus *bus;
    PCIDevice *dev;
    MemoryRegion mem, io, ram, ram2, mmio, config;
    AddressSpace as;
    uint8_t *host;              /* of the RAM at 0 */
    uint8_t registers[NT_MMIO_SIZE];
    uint64_t free;              /* next free page of RAM */
    char *path;                 /* of the disk's file, or NULL */
    int irq;                    /* level of INTx */
    unsigned irq_raised;
    unsigned msi;               /* messages sent */
    uint32_t msi_data;          /* the last one's */
    uint16_t cid;
    uint32_t dw0;               /* of the last completion */
    NvmeTestQueue q[NT_QUEUES];
} NvmeTest;

/* @drive: as -drive has it, NULL: a file of NT_DISK bytes; @props: of the
 * device, "a=1,b=2", or NULL.  Not enabled yet. */
NvmeTest *nt_new(const char *drive, const char *props);
void nt_free(NvmeTest *t);
/* Makes the device without a world around it failing: for wrong properties. */
bool nt_try(NvmeTest *t, const char *props, Error **errp);

uint32_t nt_read(NvmeTest *t, uint64_t reg);
uint64_t nt_read64(NvmeTest *t, uint64_t reg);
void nt_write(NvmeTest *t, uint64_t reg, uint32_t val);
void nt_cfg_write(NvmeTest *t, unsigned reg, uint32_t val, int len);

/* Zeroed RAM, in whole pages of 4 KiB. */
uint64_t nt_alloc(NvmeTest *t, uint64_t len);
void *nt_ptr(NvmeTest *t, uint64_t addr);

/* Programs the BARs, memory and mastering on. */
void nt_pci_enable(NvmeTest *t);
/* CC.EN with an admin queue of @entries and pages of 4 KiB << @mps. */
void nt_enable_with(NvmeTest *t, unsigned entries, unsigned mps);
void nt_enable(NvmeTest *t);            /* 32 entries, 4 KiB */
void nt_disable(NvmeTest *t);           /* waits for RDY to go */
/* Pair @qid at the addresses and of the sizes in t->q[qid], by Create I/O CQ
 * (@cq_flags: cdw11) and SQ, which must succeed. */
void nt_create_at(NvmeTest *t, unsigned qid, uint32_t cq_flags);
/* The same in new memory, with interrupts by vector 0. */
void nt_create_pair(NvmeTest *t, unsigned qid, unsigned entries);
/* All of it: a disk with one pair of 64 entries. */
NvmeTest *nt_start(const char *drive, const char *props);

/* Puts a command on the queue, with a new cid, without the doorbell. */
uint16_t nt_put(NvmeTest *t, unsigned qid, NvmeCmd cmd);
void nt_ring(NvmeTest *t, unsigned qid);
uint16_t nt_submit(NvmeTest *t, unsigned qid, NvmeCmd cmd);     /* both */
/* The next completion there is now; false if there is none. */
bool nt_poll(NvmeTest *t, unsigned qid, NvmeCqe *cqe);
NvmeCqe nt_wait(NvmeTest *t, unsigned qid);
/* A command from start to end; the status without MORE. */
uint16_t nt_do(NvmeTest *t, unsigned qid, NvmeCmd cmd);
static inline uint16_t nt_status(const NvmeCqe *cqe)
{
    return cqe->status >> 1 & ~NVME_MORE;
}

/* Runs what is due, and what that makes due, without sleeping. */
void nt_run(void);
/* Runs the loop until @condition, for a limited time. */
#define nt_wait_for(condition)                          \
    do {                                                \
        int64_t nt_end_ = nt_deadline();                \
                                                        \
        while (!(condition)) {                          \
            nt_sleep(nt_end_);                          \
        }                                               \
    } while (0)
int64_t nt_deadline(void);
void nt_sleep(int64_t deadline);

static inline NvmeCmd nt_identify(uint64_t prp1)
{
    return (NvmeCmd){ .opcode = NVME_ADM_IDENTIFY, .prp1 = prp1, .cdw10 = 1 };
}
static inline NvmeCmd nt_flush(void)
{
    return (NvmeCmd){ .opcode = NVME_NVM_FLUSH, .nsid = 1 };
}

/* Read or write @nlb blocks at @slba by pair 1. */
uint16_t nt_rw(NvmeTest *t, uint8_t opcode, uint64_t slba, unsigned nlb,
               uint64_t prp1, uint64_t prp2);

#endif
