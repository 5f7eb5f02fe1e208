/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of the guest as a remote device may reach it. */
#ifndef HW_REMOTE_MEMORY_H
#define HW_REMOTE_MEMORY_H

#include "hw/pci-host/remote.h"
#include "hw/remote/mpqemu-link.h"

/**
 * remote_sysmem_reconfig - replace the device's memory table.
 * @msg: a valid SYNC_SYSMEM; its descriptors are taken from it
 *
 * Each entry is checked against its descriptor (kind, size) and the others
 * (overlap) before anything changes.  False with @errp: the old table stands.
 * The device's context's owner.
 */
bool remote_sysmem_reconfig(RemoteDevice *rd, MPQemuMsg *msg, Error **errp);
/* Has the other side taken away memory that was used? */
bool remote_sysmem_lost(const RemoteDevice *rd);
/* No memory any more. */
void remote_sysmem_clear(RemoteDevice *rd);

#endif
