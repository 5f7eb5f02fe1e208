/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "socket" property of both ends: {"type": "unix", "path": PATH}. */
#ifndef HW_REMOTE_SOCKET_H
#define HW_REMOTE_SOCKET_H

#include "qom/object.h"

/* Of a property's value: stores a copy of its path; false with @errp. */
bool remote_socket_set(JsonNode *value, char **path, Error **errp);
JsonNode *remote_socket_get(const char *path);
/* Exactly one of a descriptor and a path must be given. */
bool remote_socket_check(int fd, const char *path, Error **errp);
/* Tries for @timeout_ms, at least once: the other side may start later.  A
 * connected descriptor, or -1 with @errp. */
int remote_socket_connect(const char *path, uint32_t timeout_ms, Error **errp);

#endif
