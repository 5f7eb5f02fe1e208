/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where images of firmware and option ROMs are: the folders of -L, then that
 * of the installation.  Main thread. */
#ifndef QEMU_DATADIR_H
#define QEMU_DATADIR_H

/* A folder that is looked into after those added before it. */
void qemu_add_data_dir(const char *path);
/* All of them, in order, between @separator; for g_free(). */
char *qemu_data_dirs(const char *separator);
/* The file @name of the first folder that has one, for g_free(), or NULL. */
char *qemu_find_data_file(const char *name);

#endif
