/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor: a line in, text out. */
#include "qemu/osdep.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "monitor/readline.h"
#include "monitor-internal.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/runstate.h"

static GPtrArray *commands;     /* of HMPCommand */

void hmp_register_commands(const HMPCommand *table)
{
    if (!commands) {
        commands = g_ptr_array_new();
    }
    for (; table->name; table++) {
        g_ptr_array_add(commands, (void *)table);
    }
}

/* The longest command that the line begins with; *@arg: what follows. */
static const HMPCommand *find_command(const char *line, const char **arg)
{
    const HMPCommand *best = NULL;
    size_t best_len = 0;

    for (unsigned i = 0; i < commands->len; i++) {
        const HMPCommand *cmd = g_ptr_array_index(commands, i);
        size_t len = strlen(cmd->name);

        if (len > best_len && g_str_has_prefix(line, cmd->name) &&
            (!line[len] || line[len] == ' ' || line[len] == '/')) {
            best = cmd;
            best_len = len;
        }
    }
    *arg = line + best_len;
    while (**arg == ' ') {
        (*arg)++;
    }
    return best;
}

static void add_report(void *opaque, const char *text)
{
    g_string_append(opaque, text);
}

char *hmp_run(const char *line)
{
    GString *out = g_string_new("");
    g_autofree char *trimmed = g_strstrip(g_strdup(line));
    const HMPCommand *cmd;
    const char *arg;

    cmd = find_command(trimmed, &arg);
    if (cmd && (cmd->params || !*arg)) {
        /* Warnings are for whoever has typed the command. */
        error_set_sink(add_report, out);
        cmd->run(out, arg);
        error_set_sink(NULL, NULL);
    } else if (cmd) {
        g_string_append_printf(out, "%s: takes no argument\n", cmd->name);
    } else if (*trimmed) {
        g_string_append_printf(out, "unknown command: '%s' (try 'help')\n",
                               trimmed);
    }
    return g_string_free(out, false);
}

/* -- A session ----------------------------------------------------------- */

#define PROMPT "(qemu) "

typedef struct HMPSession {
    Monitor mon;
    CharBackend chr;
    Readline readline;
} HMPSession;

static void session_print(HMPSession *s, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *crlf = g_strjoinv("\r\n", lines);

    qemu_chr_fe_write_all(&s->chr, (uint8_t *)crlf, strlen(crlf));
}

static int session_can_read(void *opaque)
{
    return 256;
}

static void session_read(void *opaque, const uint8_t *buf, int size)
{
    HMPSession *s = opaque;

    monitor_take_fds(&s->mon, &s->chr);
    for (int i = 0; i < size; i++) {
        g_autoptr(GString) shown = g_string_new("");
        g_autofree char *line = readline_feed(&s->readline, buf[i], shown);

        qemu_chr_fe_write_all(&s->chr, (uint8_t *)shown->str, shown->len);
        if (line) {
            g_autofree char *out = NULL;

            monitor_set_current(&s->mon);
            out = hmp_run(line);
            monitor_set_current(NULL);
            session_print(s, out);
            session_print(s, PROMPT);
        }
    }
}

static void session_event(void *opaque, QEMUChrEvent event)
{
    HMPSession *s = opaque;

    if (event == CHR_EVENT_OPENED) {
        readline_destroy(&s->readline);
        readline_init(&s->readline, PROMPT);
        session_print(s, "QEMU " QEMU_COMPAT_VERSION " monitor - type 'help' "
                      "for more information\n" PROMPT);
    } else if (event == CHR_EVENT_MUX_IN) {
        session_print(s, "\n" PROMPT);
    } else if (event == CHR_EVENT_CLOSED) {
        monitor_drop_fds(&s->mon);
    }
}

/* Sessions last as long as the process. */
static GSList *sessions;

bool hmp_session_new(Chardev *chr, Error **errp)
{
    HMPSession *s = g_new0(HMPSession, 1);

    if (!qemu_chr_fe_init(&s->chr, chr, errp)) {
        g_free(s);
        return false;
    }
    readline_init(&s->readline, PROMPT);
    qemu_chr_fe_set_handlers(&s->chr, session_can_read, session_read,
                             session_event, s);
    sessions = g_slist_prepend(sessions, s);
    return true;
}

/* -- What needs no other room -------------------------------------------- */

static gint by_name(gconstpointer a, gconstpointer b)
{
    const HMPCommand *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void hmp_help(GString *out, const char *arg)
{
    g_ptr_array_sort(commands, by_name);
    for (unsigned i = 0; i < commands->len; i++) {
        const HMPCommand *cmd = g_ptr_array_index(commands, i);

        if (!*arg || g_str_has_prefix(cmd->name, arg)) {
            g_string_append_printf(out, "%s%s%s -- %s\n", cmd->name,
                                   cmd->params ? " " : "", cmd->params ?: "",
                                   cmd->help);
        }
    }
}

static void hmp_quit(GString *out, const char *arg)
{
    shutdown_action = SHUTDOWN_ACTION_POWEROFF;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

static void hmp_stop(GString *out, const char *arg)
{
    vm_stop(RUN_STATE_PAUSED);
}

static void hmp_cont(GString *out, const char *arg)
{
    if (runstate_needs_reset()) {
        g_string_append(out, "Error: Resetting the Virtual Machine is "
                        "required\n");
        return;
    }
    vm_start();
}

static void hmp_system_reset(GString *out, const char *arg)
{
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
}

static void hmp_system_powerdown(GString *out, const char *arg)
{
    qemu_system_powerdown_request();
}

static void hmp_info_status(GString *out, const char *arg)
{
    g_string_append_printf(out, "VM status: %s%s%s%s\n",
                           runstate_is_running() ? "running" : "paused",
                           runstate_is_running() ? "" : " (",
                           runstate_is_running() ? ""
                           : RunState_str(runstate_get()),
                           runstate_is_running() ? "" : ")");
}

static const HMPCommand run_commands[] = {
    { "help", "[command]", "show the help", hmp_help },
    { "quit", NULL, "end the program", hmp_quit },
    { "stop", NULL, "stop the guest's CPUs", hmp_stop },
    { "cont", NULL, "let the guest's CPUs go on", hmp_cont },
    { "system_reset", NULL, "reset the machine", hmp_system_reset },
    { "system_powerdown", NULL, "press the power button",
      hmp_system_powerdown },
    { "info status", NULL, "show whether the guest runs", hmp_info_status },
    { }
};
HMP_TABLE(run_commands)
