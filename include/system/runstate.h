/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run state of the VM and requests to change it.  The *_request functions may
 * be called from any thread (a vCPU's: with the BQL; it then stands still) and
 * take effect in the main loop; all others are for the BQL holder.
 */
#ifndef SYSTEM_RUNSTATE_H
#define SYSTEM_RUNSTATE_H

#include "qapi/error.h"

typedef enum RunState {
    RUN_STATE_PRELAUNCH,
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,
    RUN_STATE_SHUTDOWN,
    RUN_STATE_GUEST_PANICKED,
    RUN_STATE_INTERNAL_ERROR,
    RUN_STATE_MAX,
} RunState;
const char *RunState_str(RunState s);           /* as query-status has it */

typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_ERROR,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC,
    SHUTDOWN_CAUSE_MAX,
} ShutdownCause;
const char *ShutdownCause_str(ShutdownCause c);

void qemu_system_reset_request(ShutdownCause cause);
void qemu_system_shutdown_request(ShutdownCause cause);
void qemu_system_shutdown_request_with_code(ShutdownCause cause, int code);
void qemu_system_powerdown_request(void);
void qemu_system_vmstop_request(RunState state);
void qemu_system_killed(int signal, pid_t pid);

RunState runstate_get(void);
bool runstate_is_running(void);
/* Only a reset leads out of it: `cont` refuses. */
bool runstate_needs_reset(void);
/* May the state change so? */
bool runstate_can_change(RunState from, RunState to);
/* From a vCPU thread vm_stop becomes a request. */
void vm_start(void);
void vm_stop(RunState state);
/* From now on the VM stops when the file of its RAM is shortened.  Main thread,
 * once. */
bool ram_lost_init(Error **errp);
/* Has that just happened?  The main loop will look.  Any thread. */
void ram_lost_check(void);
/* The guest says that it crashed (pvpanic).  BQL, vCPU threads too. */
void qemu_system_guest_panicked(void);
/* It crashed and goes on in a kernel for that.  As above; nothing stops. */
void qemu_system_guest_crashloaded(void);
/* @fn runs on each change, after vCPUs have stopped or before they start. */
void qemu_add_vm_change_state_handler(void (*fn)(void *opaque, bool running,
                                                 RunState state),
                                      void *opaque);

/* What -no-reboot, -no-shutdown and -action choose; set before the start. */
typedef enum RebootAction { REBOOT_ACTION_RESET, REBOOT_ACTION_SHUTDOWN }
    RebootAction;
typedef enum ShutdownAction { SHUTDOWN_ACTION_POWEROFF, SHUTDOWN_ACTION_PAUSE }
    ShutdownAction;
typedef enum PanicAction {
    PANIC_ACTION_SHUTDOWN,
    PANIC_ACTION_EXIT_FAILURE,
    PANIC_ACTION_PAUSE,
    PANIC_ACTION_NONE,
} PanicAction;
extern RebootAction reboot_action;
extern ShutdownAction shutdown_action;
extern PanicAction panic_action;
/* "reboot=reset|shutdown,shutdown=poweroff|pause,panic=..." */
bool runstate_set_actions(const char *arg, Error **errp);

/* What a management client is told (QMP events of the same names). */
typedef enum RunStateEvent {
    RUNSTATE_EVENT_SHUTDOWN,
    RUNSTATE_EVENT_RESET,
    RUNSTATE_EVENT_POWERDOWN,
    RUNSTATE_EVENT_STOP,
    RUNSTATE_EVENT_RESUME,
    RUNSTATE_EVENT_GUEST_PANICKED,
    RUNSTATE_EVENT_GUEST_CRASHLOADED,
} RunStateEvent;
bool shutdown_caused_by_guest(ShutdownCause cause);
/* @fn hears of each in the main loop's thread, BQL held. */
void runstate_add_event_handler(void (*fn)(void *opaque, RunStateEvent event,
                                           ShutdownCause cause),
                                void *opaque);

/* @fn runs when the operator presses the power button. */
void qemu_register_powerdown_notifier(void (*fn)(void *opaque), void *opaque);

/* Reset of what is on no bus; @fn runs at each system reset. */
void qemu_register_reset(void (*fn)(void *opaque), void *opaque);
void qemu_unregister_reset(void (*fn)(void *opaque), void *opaque);
void qemu_system_reset(ShutdownCause cause);

/* SIGINT, SIGTERM and SIGHUP ask for a shutdown. */
void os_setup_signal_handling(void);
/* The main loop until shutdown; returns the exit status. */
int qemu_main_loop(void);

#endif
