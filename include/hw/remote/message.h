/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link as the remote process serves it. */
#ifndef HW_REMOTE_MESSAGE_H
#define HW_REMOTE_MESSAGE_H

#include "hw/remote/iohub.h"
#include "hw/remote/mailbox.h"
#include "hw/remote/memory.h"

typedef struct RemoteLink {
    const char *name;           /* of the object, for messages */
    RemoteDevice *rd;
    RemoteIOHubState *iohub;
    MPQemuChannel ch;
    LinkStats stats;
    pid_t peer_pid;             /* 0: unknown */
    QemuMutex unplug_lock;
    int unplug_fd;              /* the proxy's, or -1 */
    QEMUBH *unplug_bh;          /* writes to it; under the lock */
    Mailbox *mailbox;           /* or NULL */
    unsigned looks;             /* into it */
    int64_t tell_ms;            /* when the operator has been told enough */
    unsigned untold;            /* ends that were kept from them */
    bool by_mailbox;            /* the request under way came by it */
    bool serving;               /* a request is under way */
    bool open;                  /* the thread goes on while it is */
    bool more;                  /* messages wait in the channel */
} RemoteLink;

/* Serves until the other side closes or talks nonsense, in the calling
 * thread, which runs the device's context from then on.  The device is left
 * reset, without interrupt descriptors and memory. */
void remote_link_serve(RemoteLink *link);

void remote_link_init(RemoteLink *link);
void remote_link_finalize(RemoteLink *link);

/* Tells the proxy that its guest should let go of the device.  False: it has
 * no ear for that.  Any thread. */
bool remote_link_ask_unplug(RemoteLink *link);

/* False with @errp: the descriptors are none that can carry interrupts. */
bool process_set_irqfd_msg(RemoteLink *link, MPQemuMsg *msg, Error **errp);

#endif
