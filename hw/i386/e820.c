/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's e820 map (ACPI 6.4, 15). */
#include "qemu/osdep.h"
#include "boot-internal.h"

static E820Entry table[E820_MAX];
static unsigned entries;

bool e820_add_entry(uint64_t address, uint64_t length, uint32_t type)
{
    if (entries == E820_MAX || !length || length > UINT64_MAX - address) {
        return false;
    }
    table[entries++] = (E820Entry){ address, length, type };
    return true;
}

unsigned e820_get_table(const E820Entry **t)
{
    *t = table;
    return entries;
}

void e820_clear(void)
{
    entries = 0;
}
