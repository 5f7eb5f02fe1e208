/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -mon, -monitor, -qmp; and descriptors that monitor clients send. */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "monitor-internal.h"
#include "qemu/option.h"

static Monitor *current;

void monitor_set_current(Monitor *mon)
{
    current = mon;
}

/* -- Descriptors --------------------------------------------------------- */

void monitor_take_fds(Monitor *mon, CharBackend *chr)
{
    int room = ARRAY_SIZE(mon->received) - mon->num_received;
    int n = qemu_chr_fe_get_msgfds(chr, mon->received + mon->num_received,
                                   room);

    mon->num_received += MAX(n, 0);
}

void monitor_drop_fds(Monitor *mon)
{
    while (mon->num_received) {
        close(mon->received[--mon->num_received]);
    }
    g_clear_pointer(&mon->fds, g_hash_table_destroy);
}

static void close_named(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
}

int monitor_take_received(Monitor *mon)
{
    int fd = mon->received[0];

    mon->num_received--;
    memmove(mon->received, mon->received + 1,
            mon->num_received * sizeof(mon->received[0]));
    return fd;
}

static JsonNode *qmp_getfd(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *name = qmp_str(args, "fdname");

    if (!mon->num_received) {
        error_setg(errp, "No file descriptor supplied via SCM_RIGHTS");
        return NULL;
    }
    if (g_ascii_isdigit(name[0])) {
        error_setg(errp, "Parameter 'fdname' expects a name not starting with "
                   "a digit");
        return NULL;
    }
    if (!mon->fds) {
        mon->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         close_named);
    }
    g_hash_table_replace(mon->fds, g_strdup(name),
                         GINT_TO_POINTER(monitor_take_received(mon)));
    return NULL;
}

static JsonNode *qmp_closefd(JsonObject *args, Monitor *mon, Error **errp)
{
    const char *name = qmp_str(args, "fdname");

    if (!mon->fds || !g_hash_table_remove(mon->fds, name)) {
        error_setg(errp, "File descriptor named '%s' not found", name);
    }
    return NULL;
}

/* Who asks by the name has the descriptor from now on, as upstream. */
static int take_fd(const char *name, Error **errp)
{
    gpointer key, fd;

    if (!current || !current->fds ||
        !g_hash_table_steal_extended(current->fds, name, &key, &fd)) {
        error_setg(errp, "File descriptor named '%s' not found", name);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(fd);
}

static void __attribute__((constructor)) provide_fd_lookup(void)
{
    qdev_fd_lookup = take_fd;
}

static const QMPMember fdname[] = {
    { "fdname", "str", false, "name of the descriptor" }, { }
};
static const QMPCommand fd_commands[] = {
    { "getfd", fdname, NULL, qmp_getfd,
      "Gives a name to a descriptor that was sent with the command.  The device "
      "or object that is made with this name takes it." },
    { "closefd", fdname, NULL, qmp_closefd, "Closes one that nobody took." },
    { }
};
QMP_TABLE(commands, fd_commands)

/* -- Making monitors ----------------------------------------------------- */

bool monitor_new(JsonObject *opts, Error **errp)
{
    static unsigned number;
    g_autofree char *id = NULL, *desc = NULL, *mode = NULL, *name = NULL;
    g_autofree char *label = g_strdup_printf("compat_monitor%u", number);
    bool pretty = false;
    Chardev *chr;

    if (!keyval_take_str(opts, "chardev", &id, errp) ||
        !keyval_take_str(opts, "short", &desc, errp) ||
        !keyval_take_str(opts, "mode", &mode, errp) ||
        !keyval_take_str(opts, "id", &name, errp) ||
        !keyval_take_bool(opts, "pretty", &pretty, errp) ||
        !keyval_check_empty(opts, "-mon", (const char *const[]){
            "chardev", "id", "mode", "pretty", NULL }, errp)) {
        return false;
    }
    /* Nothing refers to a monitor, but management names each. */
    if (name && !id_wellformed(name)) {
        error_setg(errp, "id '%s' is not well formed", name);
        return false;
    }
    if (mode && strcmp(mode, "control") && strcmp(mode, "readline")) {
        error_setg(errp, "mode '%s' is neither 'control' nor 'readline'",
                   mode);
        return false;
    }
    if (!id && !desc) {
        error_setg(errp, "'chardev' is missing: name the id of a -chardev");
        return false;
    }
    number++;
    chr = id ? qemu_chr_find(id) : qemu_chr_new(label, desc, errp);
    if (!chr) {
        if (id) {
            error_setg(errp, "no chardev has the id '%s'", id);
        }
        return false;
    }
    if (!g_strcmp0(mode, "control")) {
        return qmp_session_new(chr, pretty, errp);
    }
    return hmp_session_new(chr, errp);
}
