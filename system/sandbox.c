/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -sandbox: system calls that an emulator never needs are taken away, by
 * seccomp(2).  A forbidden call ends the process, as it can only come from
 * somebody who has taken it over; those that a library may try in good faith
 * fail instead.
 */
#include "qemu/osdep.h"
#include "os.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "qemu/thread.h"
#include "system/sandbox.h"

#ifdef CONFIG_SECCOMP
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

enum {
    GROUP_ALWAYS = 1 << 0,
    GROUP_OBSOLETE = 1 << 1,
    GROUP_PRIVILEGES = 1 << 2,
    GROUP_SPAWN = 1 << 3,
    GROUP_RESOURCES = 1 << 4,
};

static unsigned denied;         /* groups; 0: no sandbox */
static bool no_new_privileges;
static GString *wider;          /* what was asked for that widens the box */
static bool any_group;          /* a group was mentioned */

static const struct {
    int nr;
    unsigned group;
    int error;                  /* what the call fails with; 0: the end */
} rules[] = {
    { SCMP_SYS(reboot), GROUP_ALWAYS },
    { SCMP_SYS(swapon), GROUP_ALWAYS },
    { SCMP_SYS(swapoff), GROUP_ALWAYS },
    { SCMP_SYS(syslog), GROUP_ALWAYS },
    { SCMP_SYS(mount), GROUP_ALWAYS },
    { SCMP_SYS(umount2), GROUP_ALWAYS },
    { SCMP_SYS(pivot_root), GROUP_ALWAYS },
    { SCMP_SYS(kexec_load), GROUP_ALWAYS },
    { SCMP_SYS(kexec_file_load), GROUP_ALWAYS },
    { SCMP_SYS(init_module), GROUP_ALWAYS },
    { SCMP_SYS(finit_module), GROUP_ALWAYS },
    { SCMP_SYS(delete_module), GROUP_ALWAYS },
    { SCMP_SYS(acct), GROUP_ALWAYS },
    { SCMP_SYS(quotactl), GROUP_ALWAYS },
    { SCMP_SYS(settimeofday), GROUP_ALWAYS },
    { SCMP_SYS(clock_settime), GROUP_ALWAYS },
    { SCMP_SYS(adjtimex), GROUP_ALWAYS },
    { SCMP_SYS(iopl), GROUP_ALWAYS },
    { SCMP_SYS(ioperm), GROUP_ALWAYS },
    { SCMP_SYS(ptrace), GROUP_ALWAYS },
    { SCMP_SYS(bpf), GROUP_ALWAYS },
    { SCMP_SYS(add_key), GROUP_ALWAYS },
    { SCMP_SYS(request_key), GROUP_ALWAYS },
    { SCMP_SYS(keyctl), GROUP_ALWAYS },
    { SCMP_SYS(_sysctl), GROUP_OBSOLETE },
    { SCMP_SYS(uselib), GROUP_OBSOLETE },
    { SCMP_SYS(ustat), GROUP_OBSOLETE },
    { SCMP_SYS(sysfs), GROUP_OBSOLETE },
    { SCMP_SYS(nfsservctl), GROUP_OBSOLETE },
    { SCMP_SYS(create_module), GROUP_OBSOLETE },
    { SCMP_SYS(get_kernel_syms), GROUP_OBSOLETE },
    { SCMP_SYS(query_module), GROUP_OBSOLETE },
    { SCMP_SYS(modify_ldt), GROUP_OBSOLETE },
    { SCMP_SYS(setuid), GROUP_PRIVILEGES },
    { SCMP_SYS(setgid), GROUP_PRIVILEGES },
    { SCMP_SYS(setreuid), GROUP_PRIVILEGES },
    { SCMP_SYS(setregid), GROUP_PRIVILEGES },
    { SCMP_SYS(setresuid), GROUP_PRIVILEGES },
    { SCMP_SYS(setresgid), GROUP_PRIVILEGES },
    { SCMP_SYS(setfsuid), GROUP_PRIVILEGES },
    { SCMP_SYS(setfsgid), GROUP_PRIVILEGES },
    { SCMP_SYS(setgroups), GROUP_PRIVILEGES },
    { SCMP_SYS(capset), GROUP_PRIVILEGES },
    { SCMP_SYS(fork), GROUP_SPAWN },
    { SCMP_SYS(vfork), GROUP_SPAWN },
    { SCMP_SYS(execve), GROUP_SPAWN },
    { SCMP_SYS(execveat), GROUP_SPAWN },
    /* Its flags cannot be looked at; the C library then uses clone. */
    { SCMP_SYS(clone3), GROUP_SPAWN, ENOSYS },
    { SCMP_SYS(setpriority), GROUP_RESOURCES, EPERM },
    { SCMP_SYS(ioprio_set), GROUP_RESOURCES, EPERM },
    { SCMP_SYS(sched_setparam), GROUP_RESOURCES, EPERM },
    { SCMP_SYS(sched_setscheduler), GROUP_RESOURCES, EPERM },
    { SCMP_SYS(sched_setattr), GROUP_RESOURCES, EPERM },
    { SCMP_SYS(sched_setaffinity), GROUP_RESOURCES, EPERM },
};

static SandboxMode mode;

SandboxMode os_sandbox_mode(void)
{
    return mode;
}

static bool take_group(JsonObject *opts, const char *key, unsigned group,
                       Error **errp)
{
    g_autofree char *value = NULL;

    if (!keyval_take_str(opts, key, &value, errp)) {
        return false;
    }
    if (!value) {
        /* Obsolete calls are denied unless they are asked for. */
        denied |= group == GROUP_OBSOLETE ? group : 0;
        return true;
    }
    any_group = true;
    if (strcmp(value, "deny")) {
        g_string_append_printf(wider, "%s%s=%s", wider->len ? "," : "", key,
                               value);
    }
    if (group == GROUP_PRIVILEGES && !strcmp(value, "children")) {
        no_new_privileges = true;
        return true;
    }
    if (strcmp(value, "allow") && strcmp(value, "deny")) {
        error_setg(errp, "'%s=%s': must be 'allow'%s or 'deny'", key, value,
                   group == GROUP_PRIVILEGES ? ", 'children'" : "");
        return false;
    }
    if (!strcmp(value, "deny")) {
        denied |= group;
        no_new_privileges |= group == GROUP_PRIVILEGES;
    }
    return true;
}

bool os_sandbox_parse(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, "enable", NULL, errp);
    bool enable = true;

    if (!strcmp(arg, "help")) {
        sandbox_print_help();
        exit(0);
    }
    denied = 0;
    no_new_privileges = any_group = false;
    if (!wider) {
        wider = g_string_new(NULL);
    }
    g_string_truncate(wider, 0);
    if (!opts || !keyval_take_bool(opts, "enable", &enable, errp) ||
        !take_group(opts, "obsolete", GROUP_OBSOLETE, errp) ||
        !take_group(opts, "elevateprivileges", GROUP_PRIVILEGES, errp) ||
        !take_group(opts, "spawn", GROUP_SPAWN, errp) ||
        !take_group(opts, "resourcecontrol", GROUP_RESOURCES, errp) ||
        !keyval_check_empty(opts, "-sandbox", (const char *const[]){
            "enable", "obsolete", "elevateprivileges", "spawn",
            "resourcecontrol", NULL }, errp)) {
        return false;
    }
    mode = enable ? SANDBOX_ON : SANDBOX_OFF;
    denied = enable ? denied | GROUP_ALWAYS : 0;
    no_new_privileges &= enable;
    if (!enable && any_group) {
        warn_report("-sandbox %s: the rest has no effect when it is off", arg);
    }
    return true;
}

void os_sandbox_check_boxed_in(void)
{
    if (mode == SANDBOX_ON && wider->len) {
        warn_report("-sandbox %s: without effect: what that allows, no device "
                    "process does", wider->str);
    }
}

static int add_rules(scmp_filter_ctx ctx)
{
    int ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    /* Not only the thread that makes a 32-bit program's call. */
    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (unsigned i = 0; ret == 0 && i < ARRAY_SIZE(rules); i++) {
        if (denied & rules[i].group) {
            ret = seccomp_rule_add(ctx, rules[i].error
                                   ? SCMP_ACT_ERRNO(rules[i].error)
                                   : SCMP_ACT_KILL_PROCESS, rules[i].nr, 0);
        }
    }
    if (ret == 0 && (denied & GROUP_SPAWN)) {
        /* A new process is a clone that is no thread. */
        ret = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    }
    return ret ?: seccomp_load(ctx);
}

bool os_sandbox_apply(Error **errp)
{
    scmp_filter_ctx ctx;
    int ret = -ENOMEM;

    if (!denied) {
        return true;
    }
    if (no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        error_setg_errno(errp, errno, "-sandbox: cannot give up privileges");
        return false;
    }
    ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (ctx) {
        ret = add_rules(ctx);
        seccomp_release(ctx);
    }
    if (ret < 0) {
        error_setg_errno(errp, -ret, "-sandbox: the kernel refuses the "
                         "filter");
    }
    /* Or the thread that first asks for a date opens a file. */
    tzset();
    qemu_thread_set_box(sandbox_guest_thread);
    return ret == 0;
}
#else
static SandboxMode mode;

SandboxMode os_sandbox_mode(void)
{
    return mode;
}

bool os_sandbox_parse(const char *arg, Error **errp)
{
    if (!strcmp(arg, "off")) {
        mode = SANDBOX_OFF;
        return true;
    }
    error_setg(errp, "this program was built without libseccomp");
    return false;
}

void os_sandbox_check_boxed_in(void)
{
}

bool os_sandbox_apply(Error **errp)
{
    return true;
}
#endif
