/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvpanic as the firmware's tables need to know it. */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#include "hw/isa/isa.h"

#define TYPE_PVPANIC_ISA "pvpanic"

/* Its I/O port; 0 if @bus has none.  Main thread. */
uint16_t pvpanic_port(ISABus *bus);

#endif
