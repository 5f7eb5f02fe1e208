/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -machine x-remote: device models without a guest of their own. */
#ifndef HW_REMOTE_MACHINE_H
#define HW_REMOTE_MACHINE_H

#include "hw/boards.h"
#include "hw/pci-host/remote.h"
#include "hw/remote/iohub.h"

#define TYPE_REMOTE_MACHINE MACHINE_TYPE_NAME("x-remote")
OBJECT_DECLARE_SIMPLE_TYPE(RemoteMachineState, REMOTE_MACHINE)

struct RemoteMachineState {
    MachineState parent_obj;
    RemotePCIHost *host;
    RemoteIOHubState iohub;
    unsigned served;            /* links not ended yet */
    bool listens;               /* a link waits for its other side */
    bool stay;                  /* an object has auto-shutdown=off */
};

#endif
