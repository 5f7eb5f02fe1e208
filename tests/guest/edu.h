/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives the device "edu" (docs/system/edu.md); those on bus 0. */
#ifndef EDU_H
#define EDU_H

#include "guest.h"

enum {
    EDU_ID = 0x00,
    EDU_LIVENESS = 0x04,
    EDU_IRQ_STATUS = 0x24,
    EDU_IRQ_RAISE = 0x60,
    EDU_IRQ_ACK = 0x64,
    EDU_DMA_SRC = 0x80,
    EDU_DMA_DST = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_CMD = 0x98,
};

#define EDU_MAX 28
#define EDU_BAR_SIZE 0x100000u
#define EDU_BARS 0xe0000000u    /* where they are put, in order of slots */

typedef struct Edu {
    unsigned slot;
    uint32_t bar;
} Edu;

/* Finds them, gives each a place in memory space; returns how many. */
unsigned edu_find(Edu edus[EDU_MAX]);

#endif
