/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line has for machines and objects. */
#ifndef SYSTEM_SYSTEM_H
#define SYSTEM_SYSTEM_H

/* -name and -uuid; NULL if not given. */
extern char *qemu_name, *qemu_uuid;

/* Back end of the i-th -serial, or NULL. */
Chardev *serial_hd(int i);

/**
 * qemu_add_machine_ready - run @fn when the machine is complete.
 *
 * That is after every -device and the first reset, before anything else
 * happens; at once if it is complete already.  Main thread.
 */
void qemu_add_machine_ready(void (*fn)(void *opaque), void *opaque);

/**
 * qemu_init - everything up to the main loop, which the caller runs.
 * @argv: the command line, with the program's name
 *
 * False after the error has been reported; the process is then to end.  Main
 * thread, once; it holds the BQL afterwards.
 */
bool qemu_init(int argc, char **argv);

#endif
