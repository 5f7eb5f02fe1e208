/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP events of the run state. */
#include "qemu/osdep.h"
#include "monitor/monitor.h"
#include "monitor/qmp.h"
#include "system/runstate.h"

static JsonObject *with_cause(ShutdownCause cause)
{
    JsonObject *data = json_object_new();

    json_object_set_boolean_member(data, "guest",
                                   shutdown_caused_by_guest(cause));
    json_object_set_string_member(data, "reason", ShutdownCause_str(cause));
    return data;
}

static JsonObject *with_action(const char *action)
{
    JsonObject *data = json_object_new();

    json_object_set_string_member(data, "action", action);
    return data;
}

static void tell(void *opaque, RunStateEvent event, ShutdownCause cause)
{
    static const char *const names[] = {
        [RUNSTATE_EVENT_SHUTDOWN] = "SHUTDOWN",
        [RUNSTATE_EVENT_RESET] = "RESET",
        [RUNSTATE_EVENT_POWERDOWN] = "POWERDOWN",
        [RUNSTATE_EVENT_STOP] = "STOP",
        [RUNSTATE_EVENT_RESUME] = "RESUME",
        [RUNSTATE_EVENT_GUEST_PANICKED] = "GUEST_PANICKED",
        [RUNSTATE_EVENT_GUEST_CRASHLOADED] = "GUEST_CRASHLOADED",
    };
    JsonObject *data = NULL;

    if (event == RUNSTATE_EVENT_SHUTDOWN || event == RUNSTATE_EVENT_RESET) {
        data = with_cause(cause);
    } else if (event == RUNSTATE_EVENT_GUEST_PANICKED) {
        data = with_action(panic_action == PANIC_ACTION_PAUSE ? "pause" :
                           panic_action == PANIC_ACTION_NONE ? "run" :
                           "poweroff");
    } else if (event == RUNSTATE_EVENT_GUEST_CRASHLOADED) {
        data = with_action("run");
    }
    monitor_event(names[event], data);
}

static void __attribute__((constructor)) hear_of_run_state(void)
{
    runstate_add_event_handler(tell, NULL);
}

static const char *const causes[] = {
    "none", "host-error", "host-qmp-quit", "host-qmp-system-reset",
    "host-signal", "guest-shutdown", "guest-reset", "guest-panic", NULL
};
static const char *const panic_actions[] = {
    "pause", "poweroff", "run", NULL
};
static const QMPType event_types[] = {
    { "ShutdownCause", causes },
    { "GuestPanicAction", panic_actions },
    { }
};
QMP_TABLE(types, event_types)

static const QMPMember cause_data[] = {
    { "guest", "bool", false, "whether the guest wanted it" },
    { "reason", "ShutdownCause" }, { }
};
static const QMPMember panic_members[] = {
    { "action", "GuestPanicAction", false, "what follows" }, { }
};
static const QMPEvent run_events[] = {
    { "SHUTDOWN", cause_data, "The machine is switched off." },
    { "RESET", cause_data, "The machine has been reset." },
    { "POWERDOWN", NULL, "The power button has been pressed." },
    { "STOP", NULL, "The guest's CPUs stand still." },
    { "RESUME", NULL, "The guest's CPUs run again." },
    { "GUEST_PANICKED", panic_members, "The guest says that it has crashed." },
    { "GUEST_CRASHLOADED", panic_members,
      "The guest says that it has crashed and runs its crash kernel." },
    { }
};
QMP_TABLE(events, run_events)
