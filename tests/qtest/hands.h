/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest under KVM that makes a test's accesses with a CPU (hands.S), for what
 * only a CPU can reach: the kernel's interrupt chips.
 */
#ifndef TESTS_HANDS_H
#define TESTS_HANDS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Hands Hands;

/* What keeps guests from running here; NULL: nothing. */
const char *hands_missing(void);

/* The guest's RAM, of @size bytes; @fd is for the process that runs it. */
Hands *hands_new(uint64_t size, int *fd);
void hands_free(Hands *h);

/* Whether an access is for the kernel's chips; the qtest server can make the
 * others, and needs no CPU that runs at the right time. */
bool hands_for_port(uint16_t port);
bool hands_for_memory(uint64_t addr);

typedef enum HandsAction {
    HANDS_IN,
    HANDS_OUT = 3,
    HANDS_READ = 6,
    HANDS_WRITE = 9,
    HANDS_TAKE = 12,
} HandsAction;

/* An access of 1, 2 or 4 bytes; false: the guest does not answer. */
bool hands_access(Hands *h, HandsAction action, uint32_t addr, unsigned size,
                  uint32_t *val);
/* Interrupts are on for a moment: the vector that was taken, or -1. */
bool hands_take(Hands *h, int *vector);

#endif
