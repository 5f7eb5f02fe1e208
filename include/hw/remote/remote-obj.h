/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x-remote-object: a device of this process and its connection. */
#ifndef HW_REMOTE_REMOTE_OBJ_H
#define HW_REMOTE_REMOTE_OBJ_H

#include "hw/remote/message.h"
#include "qemu/sockets.h"

#define TYPE_REMOTE_OBJECT "x-remote-object"
OBJECT_DECLARE_SIMPLE_TYPE(RemoteObject, REMOTE_OBJECT)

struct RemoteObject {
    Object parent_obj;
    int fd;                     /* property; the link's once it runs */
    char *socket_path;          /* property: listens there, without fd */
    UnixSocketFile file;        /* which it made there */
    int listen_fd;              /* -1: not listening; else watched unless
                                   running */
    char *devid;                /* property */
    bool auto_shutdown;         /* property */
    uint64_t poll_max_ns;       /* property */

    RemoteLink link;
    QemuThread thread;
    bool running;
};

#endif
