/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the VM, and what asks for a change of it: the guest, the
 * operator, signals.
 *
 * A request is a word that any thread (or signal handler) writes and the main
 * loop takes; of several of a kind before it looks, one counts.  All that
 * stops or resets vCPUs therefore happens in the main thread.  From a vCPU
 * thread the functions want the BQL.
 */
#include "qemu/osdep.h"
#include <json-glib/json-glib.h>
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "qemu/timer.h"
#include "hw/qdev-core.h"
#include "system/cpus.h"
#include "system/runstate.h"

/* -- The state ----------------------------------------------------------- */

#define TO(s) (1u << RUN_STATE_##s)
static const struct {
    const char *name;
    unsigned to;                /* states that may follow */
    bool needs_reset;
} states[RUN_STATE_MAX] = {
    [RUN_STATE_PRELAUNCH] = {
        "prelaunch", TO(RUNNING) | TO(SHUTDOWN) | TO(INTERNAL_ERROR),
    },
    [RUN_STATE_RUNNING] = {
        "running", TO(PAUSED) | TO(SHUTDOWN) | TO(GUEST_PANICKED) |
                   TO(INTERNAL_ERROR),
    },
    [RUN_STATE_PAUSED] = {
        "paused", TO(RUNNING) | TO(SHUTDOWN) | TO(PRELAUNCH) |
                  TO(GUEST_PANICKED) | TO(INTERNAL_ERROR),
    },
    [RUN_STATE_SHUTDOWN] = {
        "shutdown", TO(PAUSED) | TO(PRELAUNCH), .needs_reset = true,
    },
    [RUN_STATE_GUEST_PANICKED] = {
        "guest-panicked", TO(RUNNING) | TO(PAUSED) | TO(SHUTDOWN) |
                          TO(PRELAUNCH),
    },
    [RUN_STATE_INTERNAL_ERROR] = {
        "internal-error", TO(PAUSED) | TO(SHUTDOWN) | TO(PRELAUNCH),
        .needs_reset = true,
    },
};

static RunState current_state = RUN_STATE_PRELAUNCH;
static bool reset_needed;       /* paused since in a state that needs it */

const char *RunState_str(RunState s)
{
    return states[s].name;
}

RunState runstate_get(void)
{
    return current_state;
}

bool runstate_is_running(void)
{
    return current_state == RUN_STATE_RUNNING;
}

bool runstate_needs_reset(void)
{
    return reset_needed;
}

bool runstate_can_change(RunState from, RunState to)
{
    return states[from].to & 1u << to;
}

static void runstate_set(RunState to)
{
    if (to == current_state) {
        return;
    }
    assert(runstate_can_change(current_state, to));
    current_state = to;
    if (states[to].needs_reset) {
        reset_needed = true;
    } else if (to == RUN_STATE_PRELAUNCH) {
        reset_needed = false;
    }
}

/* -- Who is told --------------------------------------------------------- */

typedef struct Listener {
    union {
        void (*change)(void *opaque, bool running, RunState state);
        void (*event)(void *opaque, RunStateEvent event, ShutdownCause cause);
        void (*plain)(void *opaque);
    };
    void *opaque;
} Listener;

static GArray *change_handlers, *event_handlers, *powerdown_notifiers,
    *reset_handlers;

static void listener_add(GArray **list, Listener l)
{
    if (!*list) {
        *list = g_array_new(false, false, sizeof(Listener));
    }
    g_array_append_val(*list, l);
}

static unsigned listener_count(const GArray *list)
{
    return list ? list->len : 0;
}

static Listener *listener_at(GArray *list, unsigned i)
{
    return &g_array_index(list, Listener, i);
}

void qemu_add_vm_change_state_handler(void (*fn)(void *opaque, bool running,
                                                 RunState state),
                                      void *opaque)
{
    listener_add(&change_handlers, (Listener){ .change = fn,
                                               .opaque = opaque });
}

void runstate_add_event_handler(void (*fn)(void *opaque, RunStateEvent event,
                                           ShutdownCause cause),
                                void *opaque)
{
    listener_add(&event_handlers, (Listener){ .event = fn, .opaque = opaque });
}

void qemu_register_powerdown_notifier(void (*fn)(void *opaque), void *opaque)
{
    listener_add(&powerdown_notifiers, (Listener){ .plain = fn,
                                                   .opaque = opaque });
}

void qemu_register_reset(void (*fn)(void *opaque), void *opaque)
{
    listener_add(&reset_handlers, (Listener){ .plain = fn, .opaque = opaque });
}

void qemu_unregister_reset(void (*fn)(void *opaque), void *opaque)
{
    for (unsigned i = 0; i < listener_count(reset_handlers); i++) {
        Listener *l = listener_at(reset_handlers, i);

        if (l->plain == fn && l->opaque == opaque) {
            g_array_remove_index(reset_handlers, i);
            return;
        }
    }
}

/* Models that run last are stopped first. */
static void tell_change(bool running, RunState state)
{
    unsigned n = listener_count(change_handlers);

    for (unsigned i = 0; i < n; i++) {
        Listener *l = listener_at(change_handlers, running ? i : n - 1 - i);

        l->change(l->opaque, running, state);
    }
}

static void tell_event(RunStateEvent event, ShutdownCause cause)
{
    for (unsigned i = 0; i < listener_count(event_handlers); i++) {
        Listener *l = listener_at(event_handlers, i);

        l->event(l->opaque, event, cause);
    }
}

static void call_all(GArray *list)
{
    for (unsigned i = 0; i < listener_count(list); i++) {
        listener_at(list, i)->plain(listener_at(list, i)->opaque);
    }
}

/* -- Requests ------------------------------------------------------------ */

RebootAction reboot_action = REBOOT_ACTION_RESET;
ShutdownAction shutdown_action = SHUTDOWN_ACTION_POWEROFF;
PanicAction panic_action = PANIC_ACTION_SHUTDOWN;

static int reset_requested, shutdown_requested, powerdown_requested,
    panic_requested, crashload_requested, killed_signal, killed_by;
static int vmstop_requested = RUN_STATE_MAX;
static int exit_code;

static void request(int *what, int value)
{
    __atomic_store_n(what, value, __ATOMIC_SEQ_CST);
    aio_notify(qemu_get_aio_context());
}

/* A vCPU that asks for a reset or a stop executes no more until then. */
static void request_and_stop(int *what, int value)
{
    request(what, value);
    if (current_cpu) {
        cpu_stop_current();
    }
}

static int take(int *what, int none)
{
    return __atomic_exchange_n(what, none, __ATOMIC_SEQ_CST);
}

static const struct {
    const char *name;
    bool by_guest;
    bool final;                 /* ends the program despite -no-shutdown */
} causes[SHUTDOWN_CAUSE_MAX] = {
    [SHUTDOWN_CAUSE_NONE] = { "none" },
    [SHUTDOWN_CAUSE_HOST_QMP_QUIT] = { "host-qmp-quit", .final = true },
    [SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET] = { "host-qmp-system-reset" },
    [SHUTDOWN_CAUSE_HOST_SIGNAL] = { "host-signal", .final = true },
    [SHUTDOWN_CAUSE_HOST_ERROR] = { "host-error", .final = true },
    [SHUTDOWN_CAUSE_GUEST_SHUTDOWN] = { "guest-shutdown", .by_guest = true },
    [SHUTDOWN_CAUSE_GUEST_RESET] = { "guest-reset", .by_guest = true },
    [SHUTDOWN_CAUSE_GUEST_PANIC] = { "guest-panic", .by_guest = true },
};

const char *ShutdownCause_str(ShutdownCause c)
{
    return causes[c].name;
}

bool shutdown_caused_by_guest(ShutdownCause cause)
{
    return causes[cause].by_guest;
}

void qemu_system_reset_request(ShutdownCause cause)
{
    if (reboot_action == REBOOT_ACTION_SHUTDOWN) {
        qemu_system_shutdown_request(cause);
    } else {
        request_and_stop(&reset_requested, cause);
    }
}

void qemu_system_shutdown_request(ShutdownCause cause)
{
    request_and_stop(&shutdown_requested, cause);
}

void qemu_system_shutdown_request_with_code(ShutdownCause cause, int code)
{
    __atomic_store_n(&exit_code, code, __ATOMIC_SEQ_CST);
    qemu_system_shutdown_request(cause);
}

void qemu_system_powerdown_request(void)
{
    request(&powerdown_requested, 1);
}

void qemu_system_vmstop_request(RunState state)
{
    request_and_stop(&vmstop_requested, state);
}

void qemu_system_guest_panicked(void)
{
    request(&panic_requested, 1);
}

void qemu_system_guest_crashloaded(void)
{
    request(&crashload_requested, 1);
}

/* Async-signal-safe.  An operator who asks to end it means it, whatever
 * -no-shutdown says. */
void qemu_system_killed(int signal_nr, pid_t pid)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    killed_by = pid;
    __atomic_store_n(&killed_signal, signal_nr, __ATOMIC_SEQ_CST);
    request(&shutdown_requested, SHUTDOWN_CAUSE_HOST_SIGNAL);
}

static void on_signal(int signal_nr, siginfo_t *info, void *context)
{
    qemu_system_killed(signal_nr, info->si_pid);
}

void os_setup_signal_handling(void)
{
    struct sigaction act = { .sa_sigaction = on_signal,
                             .sa_flags = SA_SIGINFO };

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    /* A peer that goes away is seen by the write that fails. */
    signal(SIGPIPE, SIG_IGN);
}

bool runstate_set_actions(const char *arg, Error **errp)
{
    static const struct {
        const char *key;
        const char *values[5];          /* in the order of the enumeration */
        void *action;
    } keys[] = {
        { "reboot", { "reset", "shutdown" }, &reboot_action },
        { "shutdown", { "poweroff", "pause" }, &shutdown_action },
        { "panic", { "shutdown", "exit-failure", "pause", "none" },
          &panic_action },
    };
    static const char *const known[] = { "reboot", "shutdown", "panic", NULL };
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);

    if (!opts) {
        return false;
    }
    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        g_autofree char *value = NULL;
        int v = 0;

        if (!keyval_take_str(opts, keys[i].key, &value, errp)) {
            return false;
        }
        if (!value) {
            continue;
        }
        while (keys[i].values[v] && strcmp(keys[i].values[v], value)) {
            v++;
        }
        if (!keys[i].values[v]) {
            g_autofree char *all = g_strjoinv(", ", (char **)keys[i].values);

            error_setg(errp, "Parameter '%s' is one of %s, not '%s'",
                       keys[i].key, all, value);
            return false;
        }
        *(int *)keys[i].action = v;
    }
    return keyval_check_empty(opts, "-action", known, errp);
}

/* -- Start, stop, reset -------------------------------------------------- */

void vm_start(void)
{
    if (runstate_is_running() || reset_needed) {
        return;
    }
    runstate_set(RUN_STATE_RUNNING);
    qemu_clock_virtual_enable(true);
    tell_change(true, RUN_STATE_RUNNING);
    tell_event(RUNSTATE_EVENT_RESUME, SHUTDOWN_CAUSE_NONE);
    resume_all_vcpus();
}

static void stop_now(RunState state, bool tell)
{
    if (!runstate_is_running()) {
        if (runstate_can_change(current_state, state)) {
            runstate_set(state);
        }
        return;
    }
    qemu_clock_virtual_enable(false);
    pause_all_vcpus();
    runstate_set(state);
    tell_change(false, state);
    if (tell) {
        tell_event(RUNSTATE_EVENT_STOP, SHUTDOWN_CAUSE_NONE);
    }
}

void vm_stop(RunState state)
{
    if (current_cpu) {
        qemu_system_vmstop_request(state);
        return;
    }
    /* Stopping what stands still changes nothing. */
    if (runstate_is_running() || state != RUN_STATE_PAUSED) {
        stop_now(state, true);
    }
}

void qemu_system_reset(ShutdownCause cause)
{
    bus_cold_reset(sysbus_get_default());
    call_all(reset_handlers);
    if (cause != SHUTDOWN_CAUSE_NONE) {
        tell_event(RUNSTATE_EVENT_RESET, cause);
    }
}

/* -- The main loop ------------------------------------------------------- */

static void reset_now(ShutdownCause cause)
{
    pause_all_vcpus();
    qemu_system_reset(cause);
    if (runstate_is_running()) {
        resume_all_vcpus();
    } else {
        runstate_set(RUN_STATE_PRELAUNCH);
    }
}

static void panic_now(void)
{
    tell_event(RUNSTATE_EVENT_GUEST_PANICKED, SHUTDOWN_CAUSE_GUEST_PANIC);
    if (panic_action == PANIC_ACTION_NONE) {
        return;
    }
    stop_now(RUN_STATE_GUEST_PANICKED, true);
    if (panic_action == PANIC_ACTION_EXIT_FAILURE) {
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_PANIC, 1);
    } else if (panic_action == PANIC_ACTION_SHUTDOWN &&
               shutdown_action == SHUTDOWN_ACTION_POWEROFF) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_PANIC);
    }
}

/* What a process is called, for a message. */
static char *process_name(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
    char *name = NULL;

    if (!g_file_get_contents(path, &name, NULL, NULL)) {
        return g_strdup("unknown process");
    }
    return g_strchomp(name);
}

static void report_signal(void)
{
    int signal_nr = take(&killed_signal, 0);

    if (signal_nr && killed_by) {
        g_autofree char *name = process_name(killed_by);

        error_report("terminating on signal %d from pid %d (%s)", signal_nr,
                     killed_by, name);
    } else if (signal_nr) {
        error_report("terminating on signal %d", signal_nr);
    }
}

/* True if the program is to end. */
static bool shutdown_now(ShutdownCause cause)
{
    bool fatal_panic = cause == SHUTDOWN_CAUSE_GUEST_PANIC &&
                       panic_action == PANIC_ACTION_EXIT_FAILURE;

    report_signal();
    if (cause == SHUTDOWN_CAUSE_HOST_ERROR && !exit_code) {
        exit_code = EXIT_FAILURE;
    }
    tell_event(RUNSTATE_EVENT_SHUTDOWN, cause);
    if (shutdown_action == SHUTDOWN_ACTION_PAUSE && !causes[cause].final &&
        !fatal_panic) {
        stop_now(RUN_STATE_SHUTDOWN, true);
        return false;
    }
    return true;
}

/* Does what was asked for; true if the program is to end. */
static bool serve_requests(void)
{
    int value;

    if (take(&panic_requested, 0)) {
        panic_now();
    }
    if (take(&crashload_requested, 0)) {
        tell_event(RUNSTATE_EVENT_GUEST_CRASHLOADED, SHUTDOWN_CAUSE_NONE);
    }
    value = take(&shutdown_requested, SHUTDOWN_CAUSE_NONE);
    if (value && shutdown_now(value)) {
        return true;
    }
    value = take(&reset_requested, SHUTDOWN_CAUSE_NONE);
    if (value) {
        reset_now(value);
    }
    if (take(&powerdown_requested, 0)) {
        tell_event(RUNSTATE_EVENT_POWERDOWN, SHUTDOWN_CAUSE_NONE);
        call_all(powerdown_notifiers);
    }
    value = take(&vmstop_requested, RUN_STATE_MAX);
    if (value != RUN_STATE_MAX) {
        vm_stop(value);
    }
    return false;
}

int qemu_main_loop(void)
{
    while (!serve_requests()) {
        main_loop_wait(false);
    }
    stop_now(RUN_STATE_SHUTDOWN, false);
    return take(&exit_code, 0);
}
