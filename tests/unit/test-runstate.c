/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run state, requests, and vCPU threads, with an accelerator whose guest does
 * nothing until it is kicked.  Each test runs in a process of its own.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/qdev-core.h"
#include "system/cpus.h"
#include "system/kvm.h"
#include "system/runstate.h"

#define N_CPUS 3

static CPUState vcpu[N_CPUS];
static QemuMutex kick_lock = { PTHREAD_MUTEX_INITIALIZER };
static QemuCond kick_cond = { PTHREAD_COND_INITIALIZER };
static bool kicked[N_CPUS];
static int in_guest;                    /* atomic */
static int kicks;                       /* atomic */
static GString *seen;                   /* events and changes, in order */
static RunStateEvent end_on;            /* asks for the end of the loop */
static int resets;
static void (*guest_code)(CPUState *cpu);

static void fake_exec(CPUState *cpu)
{
    int i = cpu->cpu_index;

    if (i == 0) {
        bql_lock();
        if (guest_code) {
            guest_code(cpu);
            guest_code = NULL;
        }
        bql_unlock();
    }
    __atomic_fetch_add(&in_guest, 1, __ATOMIC_SEQ_CST);
    qemu_mutex_lock(&kick_lock);
    while (!kicked[i]) {
        qemu_cond_wait(&kick_cond, &kick_lock);
    }
    kicked[i] = false;
    qemu_mutex_unlock(&kick_lock);
    __atomic_fetch_sub(&in_guest, 1, __ATOMIC_SEQ_CST);
}

static void fake_kick(CPUState *cpu)
{
    qemu_mutex_lock(&kick_lock);
    kicked[cpu->cpu_index] = true;
    __atomic_fetch_add(&kicks, 1, __ATOMIC_SEQ_CST);
    qemu_cond_broadcast(&kick_cond);
    qemu_mutex_unlock(&kick_lock);
}

static bool fake_init(MachineState *ms, Error **errp)
{
    return true;
}

static bool broken_init(MachineState *ms, Error **errp)
{
    error_setg(errp, "broken cannot work");
    return false;
}

static const AccelOps fake = { .name = "fake", .init = fake_init,
                               .kick_vcpu = fake_kick };
static const AccelOps broken = { .name = "broken", .init = broken_init };

static void on_event(void *opaque, RunStateEvent event, ShutdownCause cause)
{
    static const char *const names[] = {
        "SHUTDOWN", "RESET", "POWERDOWN", "STOP", "RESUME", "PANIC", "CRASHLOADED",
    };

    g_string_append_printf(seen, "%s", names[event]);
    if (cause) {
        g_string_append_printf(seen, "(%s)", ShutdownCause_str(cause));
    }
    g_string_append_c(seen, ' ');
    if (event == end_on) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    }
}

static void on_change(void *opaque, bool running, RunState state)
{
    g_string_append_printf(seen, "%s:%s ", (const char *)opaque,
                           RunState_str(state));
    if (!running) {
        g_assert_cmpint(__atomic_load_n(&in_guest, __ATOMIC_SEQ_CST), ==, 0);
    }
}

static void on_reset(void *opaque)
{
    g_assert_cmpint(__atomic_load_n(&in_guest, __ATOMIC_SEQ_CST), ==, 0);
    resets++;
}

static void on_powerdown(void *opaque)
{
    g_string_append(seen, "button ");
}

static void start_cpus(void)
{
    for (int i = 0; i < N_CPUS; i++) {
        cpu_list_add(&vcpu[i]);
        g_assert_cmpint(vcpu[i].cpu_index, ==, i);
        g_assert_true(cpu_thread_start(&vcpu[i], "vcpu", fake_exec,
                                       &error_abort));
        g_assert_cmpint(vcpu[i].thread_id, >, 0);
    }
}

static void end_cpus(void)
{
    for (int i = 0; i < N_CPUS; i++) {
        cpu_thread_end(&vcpu[i]);
        cpu_list_remove(&vcpu[i]);
    }
}

static void world_up(void)
{
    qemu_init_main_loop();
    seen = g_string_new("");
    end_on = -1;
    accel = &fake;
    runstate_add_event_handler(on_event, NULL);
    qemu_add_vm_change_state_handler(on_change, (void *)"a");
    qemu_add_vm_change_state_handler(on_change, (void *)"b");
    qemu_register_reset(on_reset, NULL);
    qemu_register_powerdown_notifier(on_powerdown, NULL);
    start_cpus();
}

static void world_down(void)
{
    end_cpus();
    g_string_free(seen, true);
}

static void assert_seen(const char *what)
{
    g_assert_cmpstr(seen->str, ==, what);
    g_string_truncate(seen, 0);
}

/* -- The tests ----------------------------------------------------------- */

static void test_transitions(void)
{
    static const char *const allowed[] = {
        "prelaunch>running", "prelaunch>shutdown", "prelaunch>internal-error",
        "running>paused", "running>shutdown", "running>guest-panicked",
        "running>internal-error",
        "paused>prelaunch", "paused>running", "paused>shutdown",
        "paused>guest-panicked", "paused>internal-error",
        "shutdown>prelaunch", "shutdown>paused",
        "guest-panicked>prelaunch", "guest-panicked>running",
        "guest-panicked>paused", "guest-panicked>shutdown",
        "internal-error>prelaunch", "internal-error>paused",
        "internal-error>shutdown", NULL,
    };
    int n = 0;

    for (int a = 0; a < RUN_STATE_MAX; a++) {
        for (int b = 0; b < RUN_STATE_MAX; b++) {
            g_autofree char *t = g_strdup_printf("%s>%s", RunState_str(a),
                                                 RunState_str(b));
            bool ok = g_strv_contains(allowed, t);

            g_test_message("%s", t);
            g_assert_cmpint(runstate_can_change(a, b), ==, ok);
            n += ok;
        }
    }
    g_assert_cmpint(n, ==, ARRAY_SIZE(allowed) - 1);
}

static void test_start_stop(void)
{
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_PRELAUNCH);
    vm_start();
    assert_seen("a:running b:running RESUME ");
    vm_start();
    assert_seen("");
    vm_stop(RUN_STATE_PAUSED);
    assert_seen("b:paused a:paused STOP ");
    vm_stop(RUN_STATE_PAUSED);
    assert_seen("");
    for (int i = 0; i < N_CPUS; i++) {
        g_assert_true(vcpu[i].stopped);
    }
    vm_start();
    g_assert_true(runstate_is_running());
}

static void test_clock_stands(void)
{
    int64_t t, limit = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    vm_start();
    vm_stop(RUN_STATE_PAUSED);
    t = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    g_assert_cmpint(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), ==, t);
    vm_start();
    while (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) == t) {
        g_assert_cmpint(g_get_monotonic_time(), <, limit);
    }
}

static void test_reset(void)
{
    end_on = RUNSTATE_EVENT_RESET;
    vm_start();
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    g_assert_cmpint(resets, ==, 1);
    assert_seen("a:running b:running RESUME RESET(guest-reset) "
                "SHUTDOWN(host-qmp-quit) b:shutdown a:shutdown ");
}

static void test_first_reset_silent(void)
{
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    g_assert_cmpint(resets, ==, 1);
    assert_seen("");
    qemu_unregister_reset(on_reset, NULL);
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    g_assert_cmpint(resets, ==, 1);
}

static void test_no_reboot(void)
{
    g_assert_true(runstate_set_actions("reboot=shutdown", &error_abort));
    vm_start();
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    g_assert_cmpint(resets, ==, 0);
    g_assert_nonnull(strstr(seen->str, "SHUTDOWN(guest-reset)"));
}

static void test_exit_code(void)
{
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 43);
    g_assert_cmpint(qemu_main_loop(), ==, 43);
}

static void test_host_error(void)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_ERROR);
    g_assert_cmpint(qemu_main_loop(), ==, 1);
}

static void press_power(void *opaque)
{
    qemu_system_powerdown_request();
}

static void test_no_shutdown(void)
{
    g_assert_true(runstate_set_actions("shutdown=pause", &error_abort));
    vm_start();
    end_on = RUNSTATE_EVENT_POWERDOWN;
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), press_power, NULL);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    assert_seen("a:running b:running RESUME SHUTDOWN(guest-shutdown) "
                "b:shutdown a:shutdown STOP POWERDOWN button "
                "SHUTDOWN(host-qmp-quit) ");
}

static void test_needs_reset(void)
{
    vm_start();
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    g_assert_true(runstate_needs_reset());
    vm_start();
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_INTERNAL_ERROR);
    end_on = RUNSTATE_EVENT_RESET;
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    g_assert_nonnull(strstr(seen->str, "RESET(host-qmp-system-reset)"));
}

static void start_again(void *opaque)
{
    g_assert_cmpint(runstate_get(), ==, RUN_STATE_PRELAUNCH);
    g_assert_false(runstate_needs_reset());
    end_on = RUNSTATE_EVENT_RESUME;
    vm_start();
}

static void test_reset_clears(void)
{
    vm_start();
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    qemu_system_reset_request(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), start_again, NULL);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
}

static void stop_from_guest(CPUState *cpu)
{
    g_assert_true(current_cpu == cpu);
    vm_stop(RUN_STATE_PAUSED);
    g_assert_true(runstate_is_running());
}

static void test_stop_from_vcpu(void)
{
    guest_code = stop_from_guest;
    end_on = RUNSTATE_EVENT_STOP;
    vm_start();
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    assert_seen("a:running b:running RESUME b:paused a:paused STOP "
                "SHUTDOWN(host-qmp-quit) ");
}

static void panic_in_guest(CPUState *cpu)
{
    qemu_system_guest_panicked();
}

static void test_panic(void)
{
    guest_code = panic_in_guest;
    vm_start();
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    assert_seen("a:running b:running RESUME PANIC(guest-panic) "
                "b:guest-panicked a:guest-panicked STOP "
                "SHUTDOWN(guest-panic) ");
}

static void test_panic_exit_failure(void)
{
    g_assert_true(runstate_set_actions("panic=exit-failure,shutdown=pause",
                                       &error_abort));
    guest_code = panic_in_guest;
    vm_start();
    g_assert_cmpint(qemu_main_loop(), ==, 1);
}

static void test_bad_actions(void)
{
    static const struct { const char *arg, *part; } bad[] = {
        { "reboot=never", "reset, shutdown" },
        { "panic=", "exit-failure" },
        { "rebot=reset", "rebot" },
        { "watchdog=none", "watchdog" },
    };

    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_false(runstate_set_actions(bad[i].arg, &err));
        g_test_message("%s: %s", bad[i].arg, error_get_pretty(err));
        g_assert_nonnull(strstr(error_get_pretty(err), bad[i].part));
    }
    g_assert_cmpint(reboot_action, ==, REBOOT_ACTION_RESET);
    g_assert_cmpint(panic_action, ==, PANIC_ACTION_SHUTDOWN);
}

static void test_signal(void)
{
    os_setup_signal_handling();
    g_assert_true(runstate_set_actions("shutdown=pause", &error_abort));
    vm_start();
    kill(getpid(), SIGTERM);
    g_assert_cmpint(qemu_main_loop(), ==, 0);
    g_assert_nonnull(strstr(seen->str, "SHUTDOWN(host-signal)"));
}

static void count_up(CPUState *cpu, void *data)
{
    g_assert_true(current_cpu == cpu);
    g_assert_true(bql_locked());
    ++*(int *)data;
}

static void *worker(void *opaque)
{
    for (int i = 0; i < 500; i++) {
        bql_lock();
        run_on_cpu(&vcpu[i % N_CPUS], count_up, opaque);
        bql_unlock();
    }
    return NULL;
}

static void test_run_on_cpu(void)
{
    QemuThread threads[2];
    int n = 0;

    run_on_cpu(&vcpu[1], count_up, &n);         /* while it stands still */
    g_assert_cmpint(n, ==, 1);
    vm_start();
    run_on_cpu(&vcpu[1], count_up, &n);
    g_assert_cmpint(n, ==, 2);
    for (int i = 0; i < 2; i++) {
        g_assert_true(qemu_thread_create(&threads[i], "worker", worker, &n,
                                         &error_abort));
    }
    for (int i = 0; i < 50; i++) {
        vm_stop(RUN_STATE_PAUSED);
        vm_start();
    }
    bql_unlock();
    for (int i = 0; i < 2; i++) {
        qemu_thread_join(&threads[i]);
    }
    bql_lock();
    g_assert_cmpint(n, ==, 1002);
}

static void test_cpu_list(void)
{
    g_assert_true(qemu_get_cpu(2) == &vcpu[2]);
    g_assert_null(qemu_get_cpu(3));
    g_assert_null(qemu_get_cpu(-1));
}

static bool configure(const char *accel_list, Error **errp)
{
    g_autoptr(JsonObject) opts = json_object_new();

    if (accel_list) {
        json_object_set_string_member(opts, "accel", accel_list);
    }
    return accel_configure(NULL, opts, errp);
}

static void assert_accel_refused(const char *list, const char *part)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(configure(list, &err));
    g_test_message("%s: %s", list, error_get_pretty(err));
    g_assert_nonnull(strstr(error_get_pretty(err), part));
}

static void test_accel(void)
{
    accel_register(&broken);
    accel_register(&fake);
    accel = NULL;
    assert_accel_refused("tcg", "'tcg' is not part");
    assert_accel_refused("hax", "available: broken, fake");
    assert_accel_refused("broken:tcg", "broken cannot work");
    assert_accel_refused("", "no accelerator");
    g_assert_null(accel);
    g_assert_true(configure("fake:tcg", &error_abort));
    g_assert_true(accel == &fake);
    accel = NULL;
    g_assert_true(configure("broken:fake", &error_abort));
    g_assert_true(accel == &fake);
    g_assert_cmpint(kvm_irqchip_add_irqfd_notifier_gsi(NULL, NULL, 5), ==,
                    -ENOSYS);
}

static void run_alone(gconstpointer data)
{
    void (*test)(void) = data;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC,
                               G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    world_up();
    test();
    world_down();
}

#define ADD(path, fn) g_test_add_data_func("/runstate/" path, fn, run_alone)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/runstate/only-sensible-changes", test_transitions);
    ADD("vcpus-stand-still-when-stopped", test_start_stop);
    ADD("virtual-clock-stands-when-stopped", test_clock_stands);
    ADD("reset-with-vcpus-stopped-then-goes-on", test_reset);
    ADD("first-reset-is-no-event", test_first_reset_silent);
    ADD("no-reboot-ends-instead", test_no_reboot);
    ADD("guests-exit-code-is-ours", test_exit_code);
    ADD("host-error-exits-1", test_host_error);
    ADD("no-shutdown-keeps-a-stopped-vm", test_no_shutdown);
    ADD("internal-error-cannot-go-on", test_needs_reset);
    ADD("reset-leads-out-of-internal-error", test_reset_clears);
    ADD("stop-from-a-vcpu-is-a-request", test_stop_from_vcpu);
    ADD("panic-shuts-down", test_panic);
    ADD("panic-can-exit-1", test_panic_exit_failure);
    ADD("bad-actions-are-refused", test_bad_actions);
    ADD("signal-ends-despite-no-shutdown", test_signal);
    ADD("work-runs-in-the-vcpus-thread", test_run_on_cpu);
    ADD("vcpus-are-found-by-index", test_cpu_list);
    ADD("accelerators-in-order", test_accel);
    return g_test_run();
}
