/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial ports: 16550A chips on the ISA bus. */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "chardev/char.h"
#include "hw/isa/isa.h"

#define MAX_ISA_SERIAL_PORTS 4
#define TYPE_ISA_SERIAL "isa-serial"

/**
 * serial_hds_isa_init - COM ports @from to @to - 1 for those -serial that exist
 * Ports without a back end are left out.
 */
bool serial_hds_isa_init(ISABus *bus, int from, int to, Error **errp);

#endif
