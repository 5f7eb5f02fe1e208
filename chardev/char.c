/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of character back ends: made, found, deleted, described. */
#include "qemu/osdep.h"
#include "qemu/fdset.h"
#include "qemu/main-loop.h"
#include "char-internal.h"

static const ChardevOps *const kinds[] = {
    &chr_null_ops, &chr_stdio_ops, &chr_file_ops, &chr_pipe_ops,
    &chr_pty_ops, &chr_socket_ops, &chr_fd_ops,
};

static const char *const common_params[] = {
    "id", "backend", "mux", "logfile", "logappend",
};

static QTAILQ_HEAD(ChardevList, Chardev) chardevs =
    QTAILQ_HEAD_INITIALIZER(chardevs);

static void exit_cleanly(void)
{
    exit(0);
}

void (*chr_quit)(void) = exit_cleanly;

Chardev *chr_alloc(const ChardevOps *ops, const char *label)
{
    Chardev *chr = g_malloc0(ops->size);

    chr->ops = ops;
    chr->label = g_strdup(label);
    chr->filename = g_strdup(ops->name);
    chr->fd_in = chr->fd_out = chr->log_fd = -1;
    chr->watched_in = chr->watched_out = -1;
    chr->queue = g_byte_array_new();
    chr->broken_bh = aio_bh_new(qemu_get_aio_context(), chr_io_broken, chr);
    return chr;
}

void chr_free(Chardev *chr)
{
    if (chr->ops->close) {
        chr->ops->close(chr);
    }
    chr_io_close_fds(chr);
    qemu_close(&chr->log_fd);
    qemu_bh_delete(chr->broken_bh);
    g_byte_array_unref(chr->queue);
    g_free(chr->filename);
    g_free(chr->label);
    g_free(chr);
}

static const ChardevOps *find_kind(const char *name, Error **errp)
{
    const char *names[ARRAY_SIZE(kinds) + 1] = { NULL };
    const char *near;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        names[i] = kinds[i]->name;
        if (g_str_equal(name, names[i])) {
            return kinds[i];
        }
    }
    near = nearest_spelling(name, names);
    error_setg(errp, "'%s' is not a valid char driver%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "",
               near ? "'?" : " (\"help\" lists them)");
    return NULL;
}

static bool check_no_more(JsonObject *opts, const ChardevOps *ops,
                          Error **errp)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autofree char *what = g_strdup_printf("chardev '%s'", ops->name);

    for (const char *const *p = ops->params; p && *p; p++) {
        g_ptr_array_add(known, (void *)*p);
    }
    for (size_t i = 0; i < ARRAY_SIZE(common_params); i++) {
        g_ptr_array_add(known, (void *)common_params[i]);
    }
    g_ptr_array_add(known, NULL);
    return keyval_check_empty(opts, what, (const char *const *)known->pdata,
                              errp);
}

/* Its descriptor, -1 for none, -2 with @errp set. */
static int open_log(const char *path, bool append, Error **errp)
{
    int flags = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
    int fd;

    if (!path) {
        if (append) {
            error_setg(errp, "Parameter 'logappend' needs 'logfile'");
            return -2;
        }
        return -1;
    }
    fd = qemu_open(path, flags, 0666);
    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot open log file '%s'", path);
        return -2;
    }
    return fd;
}

/*
 * A back end has to refuse what it does not know before it does anything, but
 * only its open() takes what it knows: so its parameters' names are a table.
 */
static bool check_params(JsonObject *opts, const ChardevOps *ops,
                         Error **errp)
{
    g_autoptr(JsonObject) rest = json_object_new();
    g_autoptr(GList) names = json_object_get_members(opts);

    for (GList *l = names; l; l = l->next) {
        if (!ops->params || !g_strv_contains(ops->params, l->data)) {
            json_object_set_null_member(rest, l->data);
        }
    }
    return check_no_more(rest, ops, errp);
}

static Chardev *open_one(const ChardevOps *ops, const char *label,
                         const char *logfile, bool logappend,
                         JsonObject *opts, Error **errp)
{
    Chardev *chr;
    int log_fd;

    if (!check_params(opts, ops, errp)) {
        return NULL;
    }
    log_fd = open_log(logfile, logappend, errp);
    if (log_fd == -2) {
        return NULL;
    }
    chr = chr_alloc(ops, label);
    chr->log_fd = log_fd;
    if (!ops->open(chr, opts, errp)) {
        chr_free(chr);
        return NULL;
    }
    return chr;
}

static bool check_id(const char *id, Error **errp)
{
    if (!id) {
        error_setg(errp, "Parameter 'id' is missing");
    } else if (!id_wellformed(id)) {
        error_setg(errp, "Parameter 'id' expects an identifier, not '%s'",
                   id);
        error_append_hint(errp, "Identifiers consist of letters, digits, "
                          "'-', '.', '_', starting with a letter.\n");
    } else if (qemu_chr_find(id)) {
        error_setg(errp, "Chardev with id '%s' already exists", id);
    } else {
        return true;
    }
    return false;
}

Chardev *qemu_chr_new_from_opts(JsonObject *opts, Error **errp)
{
    g_autofree char *kind = NULL;
    g_autofree char *id = NULL;
    g_autofree char *base_label = NULL;
    g_autofree char *logfile = NULL;
    bool mux = false, logappend = false;
    const ChardevOps *ops;
    Chardev *chr;

    if (!keyval_take_str(opts, "backend", &kind, errp) ||
        !keyval_take_str(opts, "type", &kind, errp) ||
        !keyval_take_str(opts, "id", &id, errp) ||
        !keyval_take_bool(opts, "mux", &mux, errp) ||
        !keyval_take_str(opts, "logfile", &logfile, errp) ||
        !keyval_take_bool(opts, "logappend", &logappend, errp)) {
        return NULL;
    }
    if (!kind) {
        error_setg(errp, "Parameter 'backend' is missing");
        return NULL;
    }
    ops = find_kind(kind, errp);
    if (!ops || !check_id(id, errp)) {
        return NULL;
    }
    /* A reader that goes away is seen in what write() returns. */
    signal(SIGPIPE, SIG_IGN);
    if (mux) {
        base_label = g_strconcat(id, "-base", NULL);
    }
    chr = open_one(ops, mux ? base_label : id, logfile, logappend, opts, errp);
    if (!chr) {
        return NULL;
    }
    QTAILQ_INSERT_TAIL(&chardevs, chr, entry);
    if (mux) {
        chr = chr_mux_new(id, chr);
        QTAILQ_INSERT_TAIL(&chardevs, chr, entry);
    }
    return chr;
}

/* Short forms that are a name, a colon, and one parameter. */
static const struct {
    const char *prefix;
    const char *param;          /* its name; "": socket address */
} short_forms[] = {
    { "file:", "path" }, { "pipe:", "path" }, { "fd:", "fd" },
    { "unix:", "" }, { "tcp:", "" },
};

/* "unix:PATH,..." or "tcp:HOST:PORT,..." as options of a socket. */
static JsonObject *parse_socket(const char *desc, Error **errp)
{
    g_autofree char *host = NULL;
    g_autofree char *rest = NULL;
    const char *port;

    if (g_str_has_prefix(desc, "unix:")) {
        return keyval_parse(desc + strlen("unix:"), "path", NULL, errp);
    }
    desc += strlen("tcp:");
    port = *desc == '[' ? strstr(desc, "]:") : strchr(desc, ':');
    if (!port) {
        error_setg(errp, "'tcp:%s' is not of the form tcp:HOST:PORT", desc);
        return NULL;
    }
    if (*desc == '[') {
        host = g_strndup(desc + 1, port - desc - 1);
        port++;
    } else {
        host = g_strndup(desc, port - desc);
    }
    rest = g_strdup_printf("%s,host=%s", port + 1, host);
    return keyval_parse(rest, "port", NULL, errp);
}

static JsonObject *parse_short(const char *desc, Error **errp)
{
    JsonObject *opts;

    for (size_t i = 0; i < ARRAY_SIZE(short_forms); i++) {
        const char *prefix = short_forms[i].prefix;
        const char *param = short_forms[i].param;

        if (!g_str_has_prefix(desc, prefix)) {
            continue;
        }
        if (!*param) {
            opts = parse_socket(desc, errp);
            if (opts) {
                json_object_set_string_member(opts, "backend", "socket");
            }
        } else {
            g_autofree char *kind = g_strndup(prefix, strlen(prefix) - 1);

            opts = json_object_new();
            json_object_set_string_member(opts, "backend", kind);
            json_object_set_string_member(opts, param,
                                          desc + strlen(prefix));
        }
        return opts;
    }
    if (strchr(desc, ':')) {
        error_setg(errp, "'%s' is not a character device: stdio, null, pty, "
                   "none, file:, pipe:, fd:, unix:, tcp:, chardev: and mon: "
                   "are known", desc);
        return NULL;
    }
    return keyval_parse(desc, "backend", NULL, errp);
}

Chardev *qemu_chr_new(const char *label, const char *desc, Error **errp)
{
    g_autoptr(JsonObject) opts = NULL;
    Chardev *chr;

    if (g_str_equal(desc, "none")) {
        return NULL;
    }
    if (g_str_has_prefix(desc, "chardev:")) {
        desc += strlen("chardev:");
        chr = qemu_chr_find(desc);
        if (!chr) {
            error_setg(errp, "Chardev '%s' not found", desc);
        }
        return chr;
    }
    if (g_str_has_prefix(desc, "mon:")) {
        opts = parse_short(desc + strlen("mon:"), errp);
        if (opts) {
            json_object_set_boolean_member(opts, "mux", true);
            /* Ctrl-C is for the guest; the monitor can quit. */
            if (g_str_equal(desc, "mon:stdio")) {
                json_object_set_boolean_member(opts, "signal", false);
            }
        }
    } else {
        opts = parse_short(desc, errp);
    }
    if (!opts) {
        return NULL;
    }
    json_object_set_string_member(opts, "id", label);
    return qemu_chr_new_from_opts(opts, errp);
}

bool qemu_chr_any(void)
{
    return !QTAILQ_EMPTY(&chardevs);
}

Chardev *qemu_chr_find(const char *id)
{
    Chardev *chr;

    QTAILQ_FOREACH(chr, &chardevs, entry) {
        if (g_str_equal(chr->label, id)) {
            return chr;
        }
    }
    return NULL;
}

static void remove_chr(Chardev *chr)
{
    QTAILQ_REMOVE(&chardevs, chr, entry);
    chr_free(chr);
}

bool qemu_chr_delete(const char *id, Error **errp)
{
    g_autofree char *base_label = NULL;
    Chardev *chr = qemu_chr_find(id);
    bool mux;

    if (!chr) {
        error_setg(errp, "Chardev '%s' not found", id);
        return false;
    }
    if (chr->be) {
        error_setg(errp, "Chardev '%s' is busy", id);
        return false;
    }
    mux = chr->ops == &chr_mux_ops;
    base_label = g_strconcat(id, "-base", NULL);
    remove_chr(chr);
    if (mux) {
        remove_chr(qemu_chr_find(base_label));
    }
    return true;
}

const char *qemu_chr_label(const Chardev *chr)
{
    return chr->label;
}

JsonNode *qemu_chr_query(void)
{
    JsonArray *list = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    Chardev *chr;

    QTAILQ_FOREACH(chr, &chardevs, entry) {
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "label", chr->label);
        json_object_set_string_member(o, "filename", chr->filename);
        json_object_set_boolean_member(o, "frontend-open", chr->be != NULL);
        json_array_add_object_element(list, o);
    }
    json_node_take_array(node, list);
    return node;
}

bool qemu_chr_help(GString *out, const char *backend, Error **errp)
{
    if (backend) {
        const ChardevOps *ops = find_kind(backend, errp);

        if (!ops) {
            return false;
        }
        g_string_append_printf(out, "%s: %s\noptions:\n", ops->name,
                               ops->help);
        for (const char *const *p = ops->params; p && *p; p++) {
            g_string_append_printf(out, "  %s\n", *p);
        }
        g_string_append(out, "  id\n  mux\n  logfile\n  logappend\n");
        return true;
    }
    g_string_append(out, "Available chardev backend types:\n");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_string_append_printf(out, "  %-7s %s\n", kinds[i]->name,
                               kinds[i]->help);
    }
    g_string_append(out, "All: id=ID[,mux=on|off][,logfile=PATH"
                    "[,logappend=on|off]]\n");
    return true;
}

void qemu_chr_set_quit_handler(void (*quit)(void))
{
    chr_quit = quit ? quit : exit_cleanly;
}

void qemu_chr_cleanup(void)
{
    gint64 deadline = g_get_monotonic_time() + G_USEC_PER_SEC;
    Chardev *chr;

    QTAILQ_FOREACH(chr, &chardevs, entry) {
        chr_io_drain(chr, 0, deadline);
    }
    /* From the end: a mux before its base. */
    while ((chr = TAILQ_LAST(&chardevs, ChardevList))) {
        if (chr->be) {
            chr->be->chr = NULL;
        }
        remove_chr(chr);
    }
}
