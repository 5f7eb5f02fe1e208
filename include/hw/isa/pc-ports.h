/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type names of the small ISA chips that every PC has. */
#ifndef HW_ISA_PC_PORTS_H
#define HW_ISA_PC_PORTS_H

#define TYPE_PORT92 "port92"
#define TYPE_I8042 "i8042"

#endif
