/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host bridges of both chipsets do to the first MiB: thirteen
 * segments of 0xc0000-0xfffff that show RAM or the PCI space (Programmable
 * Attribute Map), and the RAM under the video window (SMRAM).
 */
#ifndef HW_PCI_HOST_PAM_H
#define HW_PCI_HOST_PAM_H

#include "hw/pci/pci.h"
#include "system/memory.h"

#define PAM_SEGMENTS 13
#define PAM_REGISTERS 7
/* A segment's four bits. */
#define PAM_READ 0x1
#define PAM_WRITE 0x2
/* SMRAM register, the same in both chipsets. */
#define SMRAM_C_BASE_SEG 0x02       /* always 2: 0xa0000 */
#define SMRAM_G_SMRAME 0x08
#define SMRAM_D_LCK 0x10
#define SMRAM_D_CLS 0x20
#define SMRAM_D_OPEN 0x40

/* The spaces that a machine gives its host bridge before it is realized. */
typedef struct ChipsetMemory {
    MemoryRegion *system;       /* what CPUs see */
    MemoryRegion *ram;          /* guest RAM; its first MiB is the guest's */
    MemoryRegion *pci;          /* PCI memory space */
    MemoryRegion *io;           /* I/O ports */
    uint64_t below_4g;          /* bytes of RAM that begin at 0 */
} ChipsetMemory;

typedef struct PAMState {
    MemoryRegion *guest_ram;    /* the machine's */
    MemoryRegion ram[PAM_SEGMENTS];
    /* What shows instead: the PCI space, and nothing where that is empty. */
    MemoryRegion shown[PAM_SEGMENTS], pci[PAM_SEGMENTS];
    MemoryRegion video, video_pci;      /* 0xa0000-0xbffff */
} PAMState;

/* Places the windows in @mem->system, all showing the PCI space. */
void pam_init(PAMState *s, Object *owner, const ChipsetMemory *mem);
/* @pam: the PAM_REGISTERS registers; @smram: SMRAM's. */
void pam_update(PAMState *s, const uint8_t *pam, uint8_t smram);
void pam_finalize(PAMState *s);
/* Makes RAM of every segment, for a system without firmware; @pam0: offset of
 * the first register in @bridge. */
void pam_open_all(PCIDevice *bridge, int pam0);

/* In a device's wmask: which bits software may write. */
void pam_init_wmask(uint8_t *pam_wmask, uint8_t *smram_wmask);
/* SMRAM after a write that left @val where @old was: once locked it cannot be
 * opened, and stays as it is. */
uint8_t smram_written(uint8_t old, uint8_t val);

#endif
