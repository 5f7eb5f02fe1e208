/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the other end is, when it is named by path; see hw/remote/socket.h. */
#include "qemu/osdep.h"
#include "hw/remote/socket.h"
#include "qemu/option.h"
#include "qemu/sockets.h"

#include <sys/un.h>

#define RETRY_US 10000

bool remote_socket_set(JsonNode *value, char **path, Error **errp)
{
    g_autoptr(JsonNode) copy = json_node_copy(value);
    g_autofree char *type = NULL, *new_path = NULL;
    JsonObject *address;

    if (!JSON_NODE_HOLDS_OBJECT(copy)) {
        error_setg(errp, "Parameter 'socket' expects socket.type=unix,"
                   "socket.path=PATH");
        return false;
    }
    address = json_node_get_object(copy);
    if (!keyval_take_str(address, "type", &type, errp) ||
        !keyval_take_str(address, "path", &new_path, errp) ||
        !keyval_check_empty(address, "socket", (const char *const[]){
            "type", "path", NULL }, errp)) {
        return false;
    }
    if (g_strcmp0(type, "unix")) {
        error_setg(errp, "Parameter 'socket.type' must be 'unix'%s%s%s",
                   type ? ", not '" : "", type ?: "", type ? "'" : "");
        return false;
    }
    if (!new_path || !*new_path) {
        error_setg(errp, "Parameter 'socket.path' is missing");
        return false;
    }
    if (strlen(new_path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        error_setg(errp, "socket.path=%s is too long for a UNIX socket",
                   new_path);
        return false;
    }
    g_free(*path);
    *path = g_steal_pointer(&new_path);
    return true;
}

JsonNode *remote_socket_get(const char *path)
{
    JsonNode *node;
    JsonObject *address;

    if (!path) {
        return json_node_init_null(json_node_alloc());
    }
    address = json_object_new();
    json_object_set_string_member(address, "type", "unix");
    json_object_set_string_member(address, "path", path);
    node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, address);
    return node;
}

bool remote_socket_check(int fd, const char *path, Error **errp)
{
    if (fd >= 0 && path) {
        error_setg(errp, "properties 'fd' and 'socket' exclude each other");
        return false;
    }
    if (fd < 0 && !path) {
        error_setg(errp, "property 'fd' is missing: give the number of a "
                   "connected UNIX stream socket, or the name that getfd gave "
                   "it; or socket.type=unix,socket.path=PATH");
        return false;
    }
    if (fd >= 0 && !fd_is_unix_stream(fd, errp)) {
        error_prepend(errp, "fd=%d: ", fd);
        return false;
    }
    return true;
}

int remote_socket_connect(const char *path, uint32_t timeout_ms, Error **errp)
{
    int64_t end = g_get_monotonic_time() + (int64_t)timeout_ms * 1000;

    for (;;) {
        bool last = g_get_monotonic_time() >= end;
        int fd = unix_connect(path, last ? errp : NULL);

        if (fd >= 0 || last) {
            return fd;
        }
        g_usleep(RETRY_US);
    }
}
