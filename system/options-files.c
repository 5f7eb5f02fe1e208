/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that bring others, or what others name: -readconfig and -add-fd.
 *
 * A configuration file has sections, each of which is one option:
 *
 *     # comment
 *     [device "disk0"]
 *       driver = "nvme"
 *
 * The word in quotation marks is its id.  The names are upstream's.
 */
#include "qemu/osdep.h"
#include "qemu/fdset.h"
#include "qemu/option.h"
#include "options.h"

/* -- -add-fd ------------------------------------------------------------- */

bool opt_add_fd(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);
    uint64_t fd = UINT64_MAX, set = UINT64_MAX;
    g_autofree char *opaque = NULL;
    int64_t number;
    int flags;

    if (!opts || !keyval_take_uint(opts, "fd", INT_MAX, &fd, errp) ||
        !keyval_take_uint(opts, "set", INT64_MAX, &set, errp) ||
        !keyval_take_str(opts, "opaque", &opaque, errp) ||
        !keyval_check_empty(opts, "-add-fd", (const char *const[]){
            "fd", "set", "opaque", NULL }, errp)) {
        return false;
    }
    if (fd == UINT64_MAX || set == UINT64_MAX) {
        error_setg(errp, "Parameter '%s' is missing",
                   fd == UINT64_MAX ? "fd" : "set");
        return false;
    }
    if (fd <= STDERR_FILENO) {
        error_setg(errp, "fd=%" PRIu64 " is a standard stream", fd);
        return false;
    }
    flags = fcntl(fd, F_GETFD);
    if (flags < 0) {
        error_setg(errp, "fd=%" PRIu64 " is not open: the process that starts "
                   "this one has to pass it on", fd);
        return false;
    }
    if (flags & FD_CLOEXEC) {
        error_setg(errp, "fd=%" PRIu64 " is in use", fd);
        return false;
    }
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    number = set;
    return fdset_add(fd, &number, opaque, errp);
}

/* -- -readconfig --------------------------------------------------------- */

typedef struct Section {
    const char *option;         /* NULL: none has begun */
    char *group;
    GString *arg;
    int line;
} Section;

static void put_value(GString *arg, const char *key, const char *value)
{
    g_string_append_printf(arg, "%s%s=", arg->len ? "," : "", key);
    for (; *value; value++) {
        g_string_append(arg, *value == ',' ? ",," : (char[]){ *value, 0 });
    }
}

/* The section as the option's argument; "global" is a case of its own. */
static bool section_end(Section *s, const char *path, Error **errp)
{
    g_autofree char *global = NULL;
    const char *arg = s->arg->str;
    bool ok = true;

    if (!s->option) {
        return true;
    }
    if (g_str_equal(s->option, "global")) {
        g_autofree char *driver = NULL, *property = NULL, *value = NULL;
        g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);

        ok = opts && keyval_take_str(opts, "driver", &driver, errp) &&
             keyval_take_str(opts, "property", &property, errp) &&
             keyval_take_str(opts, "value", &value, errp) &&
             keyval_check_empty(opts, "global", (const char *const[]){
                 "driver", "property", "value", NULL }, errp);
        if (ok && !(driver && property && value)) {
            error_setg(errp, "driver, property and value are all needed");
            ok = false;
        }
        arg = global = g_strdup_printf("%s.%s=%s", driver, property, value);
    }
    if (!ok || !options_handle(s->option, arg, errp)) {
        error_prepend(errp, "%s:%d: [%s]: ", path, s->line, s->group);
        return false;
    }
    return true;
}

static bool section_begin(Section *s, const char *line, Error **errp)
{
    g_autofree char *group = g_new0(char, strlen(line) + 1);
    g_autofree char *id = g_new0(char, strlen(line) + 1);
    int end = 0;

    if (sscanf(line, "[%[a-z-] \"%[^\"]\"]%n", group, id, &end) != 2 || !end) {
        end = 0;
        *id = '\0';
        if (sscanf(line, "[%[a-z-]]%n", group, &end) != 1) {
            end = 0;
        }
    }
    if (!end || line[end]) {
        error_setg(errp, "'%s': a section begins with [NAME] or [NAME \"ID\"]",
                   line);
        return false;
    }
    g_free(s->group);
    s->group = g_strdup(group);
    s->option = options_of_group(s->group);
    if (!options_takes_keyval(s->option)) {
        const char *near = options_nearest(group);

        if (near && options_takes_keyval(near)) {
            error_setg(errp, "there is no section [%s]; did you mean [%s]?",
                       group, near);
        } else {
            error_setg(errp, "there is no section [%s]: they are named as "
                       "options are, or 'memory', 'smp-opts', 'boot-opts'",
                       group);
        }
        return false;
    }
    g_string_truncate(s->arg, 0);
    if (*id) {
        put_value(s->arg, "id", id);
    }
    return true;
}

static bool section_member(Section *s, const char *line, Error **errp)
{
    g_autofree char *key = g_new0(char, strlen(line) + 1);
    g_autofree char *value = g_new0(char, strlen(line) + 1);
    int end = 0;

    if (sscanf(line, "%[^ \t=\"] = \"%[^\"]\"%n", key, value, &end) != 2 ||
        !end || line[end]) {
        end = 0;
        *value = '\0';
        sscanf(line, "%[^ \t=\"] = \"\"%n", key, &end);
    }
    if (!end || line[end]) {
        error_setg(errp, "'%s': a member is NAME = \"VALUE\"", line);
        return false;
    }
    if (!s->option) {
        error_setg(errp, "'%s' is before any [SECTION]", key);
        return false;
    }
    put_value(s->arg, key, value);
    return true;
}

static bool read_line(Section *s, char *line, const char *path, int nr,
                      Error **errp)
{
    g_strstrip(line);
    if (!*line || *line == '#') {
        return true;
    }
    if (*line == '[') {
        if (!section_end(s, path, errp)) {
            return false;
        }
        s->line = nr;
        if (section_begin(s, line, errp)) {
            return true;
        }
    } else if (section_member(s, line, errp)) {
        return true;
    }
    error_prepend(errp, "%s:%d: ", path, nr);
    return false;
}

bool opt_readconfig(const char *arg, Error **errp)
{
    Section s = { .arg = g_string_new(NULL) };
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GError *err = NULL;
    bool ok = true;

    if (!g_file_get_contents(arg, &text, NULL, &err)) {
        error_setg(errp, "%s", err->message);
        g_error_free(err);
        ok = false;
    } else {
        lines = g_strsplit(text, "\n", -1);
    }
    for (int i = 0; ok && lines[i]; i++) {
        ok = read_line(&s, lines[i], arg, i + 1, errp);
    }
    ok = ok && section_end(&s, arg, errp);
    g_string_free(s.arg, true);
    g_free(s.group);
    return ok;
}
