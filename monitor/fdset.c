/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of descriptors, as QMP sees them: add-fd, remove-fd, query-fdsets. */
#include "qemu/osdep.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "qemu/fdset.h"

static JsonNode *qmp_add_fd(JsonObject *args, Monitor *mon, Error **errp)
{
    int64_t set = args ? json_object_get_int_member_with_default(
        args, "fdset-id", -1) : -1;
    JsonObject *result;
    int fd;

    if (!mon->num_received) {
        error_setg(errp, "No file descriptor supplied via SCM_RIGHTS");
        return NULL;
    }
    if (args && json_object_has_member(args, "fdset-id") && set < 0) {
        error_setg(errp, "Parameter 'fdset-id' expects a non-negative value");
        return NULL;
    }
    fd = monitor_take_received(mon);
    if (!fdset_add(fd, &set, qmp_str(args, "opaque"), errp)) {
        close(fd);
        return NULL;
    }
    result = json_object_new();
    json_object_set_int_member(result, "fdset-id", set);
    json_object_set_int_member(result, "fd", fd);
    return qmp_take_object(result);
}

static JsonNode *qmp_remove_fd(JsonObject *args, Monitor *mon, Error **errp)
{
    int64_t set = json_object_get_int_member(args, "fdset-id");
    int64_t fd = json_object_get_int_member_with_default(args, "fd", -1);

    if (!fdset_remove(set, fd)) {
        error_setg(errp, "File descriptor named 'fdset-id:%" PRId64 "%s' not "
                   "found", set, fd >= 0 ? ", fd" : "");
    }
    return NULL;
}

static JsonNode *query_fdsets(JsonObject *args, Monitor *mon, Error **errp)
{
    JsonArray *list = json_array_new(), *fds = NULL;
    const FdSetMember *m;

    for (unsigned i = 0; (m = fdset_member(i)); i++) {
        JsonObject *entry = json_object_new();

        if (!i || m[-1].set != m->set) {
            JsonObject *set = json_object_new();

            fds = json_array_new();
            json_object_set_int_member(set, "fdset-id", m->set);
            json_object_set_array_member(set, "fds", fds);
            json_array_add_object_element(list, set);
        }
        json_object_set_int_member(entry, "fd", m->fd);
        if (m->opaque) {
            json_object_set_string_member(entry, "opaque", m->opaque);
        }
        json_array_add_object_element(fds, entry);
    }
    return qmp_take_array(list);
}

static const QMPMember add_args[] = {
    { "fdset-id", "int", true, "an existing set or a new one's number" },
    { "opaque", "str", true, "given back by query-fdsets" }, { }
};
static const QMPMember remove_args[] = {
    { "fdset-id", "int" }, { "fd", "int", true, "this one only" }, { }
};
static const QMPMember added[] = { { "fdset-id", "int" }, { "fd", "int" }, { } };
static const QMPMember fd_info[] = {
    { "fd", "int" }, { "opaque", "str", true }, { }
};
static const QMPMember set_info[] = {
    { "fdset-id", "int" }, { "fds", "[FdsetFdInfo]" }, { }
};
static const QMPType fdset_types[] = {
    { "AddfdInfo", NULL, added },
    { "FdsetFdInfo", NULL, fd_info },
    { "FdsetInfo", NULL, set_info },
    { }
};
QMP_TABLE(types, fdset_types)

static const QMPCommand fdset_commands[] = {
    { "add-fd", add_args, "AddfdInfo", qmp_add_fd,
      "Puts a descriptor that was sent with the command into a set." },
    { "remove-fd", remove_args, NULL, qmp_remove_fd,
      "Removes descriptors from a set." },
    { "query-fdsets", NULL, "[FdsetInfo]", query_fdsets,
      "The sets of descriptors." },
    { }
};
QMP_TABLE(commands, fdset_commands)
