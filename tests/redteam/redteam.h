/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-redteam (redteam.c) and what it can be told to do, in tables.
 */
#ifndef REDTEAM_H
#define REDTEAM_H

#include "hw/pci/pci.h"

typedef struct RedTeam {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    uint64_t result, arg[2], select;
} RedTeam;

typedef struct Attempt {
    const char *name;
    int64_t (*make)(RedTeam *r);        /* 0 or more, or minus an errno */
} Attempt;

/* Each ends with { }. */
extern const Attempt system_attempts[], device_attempts[], cost_attempts[];

/* The system's word, not the C library's, which would do without. */
#define SYS(nr, ...) sys_result(syscall(SYS_##nr, ##__VA_ARGS__))

static inline int64_t sys_result(long ret)
{
    return ret < 0 ? -errno : ret;
}

#endif /* REDTEAM_H */
