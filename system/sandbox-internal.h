/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the sandbox have for each other; see sandbox-device.c. */
#ifndef SYSTEM_SANDBOX_INTERNAL_H
#define SYSTEM_SANDBOX_INTERNAL_H

#include "qapi/error.h"

/* What could not be had: names, to be reported together. */
void G_GNUC_PRINTF(1, 2) sandbox_missing(const char *fmt, ...);

/* -- sandbox-kernel.c: each reports by sandbox_missing() ------------------ */

void sandbox_no_new_privileges(void);
void sandbox_close_inherited(void);
void sandbox_limits(void);
/* User, network, IPC, UTS and mount namespaces, and an empty root. */
void sandbox_namespaces(void);
/* Before that, those which root may have without one for users. */
void sandbox_namespaces_of_root(void);
bool sandbox_root_is_empty(void);
void sandbox_no_files(void);
void sandbox_no_capabilities(void);

/* -- sandbox-calls.c ------------------------------------------------------ */

/* Everything but the calls of the tables in use fails. */
void sandbox_allow_listed(void);

#endif
