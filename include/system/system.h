/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line hands to the machine. */
#ifndef SYSTEM_SYSTEM_H
#define SYSTEM_SYSTEM_H

/* The back end of the @i-th -serial; NULL if there is none. */
Chardev *serial_hd(int i);

#endif
