/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that a boxed-in process may make, by libseccomp (seccomp(2)).
 *
 * A device process has a list of what it may: one table for what every such
 * process does, one a kind of back end, one a device model where it needs more.
 * A table counts when what it is for is there at the start.  Any other call
 * fails with EPERM and does nothing; clone3() fails as on a kernel that has
 * none, since its flags lie in memory, where no filter sees them.
 *
 * The main process opens files for hot plug, so that "-sandbox on" takes from
 * it only what no emulator needs (sandbox.c).  Its threads that do what a guest
 * causes have a list all the same, as seccomp goes by thread: opening is left
 * to the main loop, where the operator's commands arrive.
 *
 * What a process that serves calls all the time is allowed without conditions,
 * but for sends: the kernel (5.11) then knows so from a bitmap and does not run
 * the filter.
 *
 * No table has a call that opens, connects, executes or changes rights.
 * io_uring_setup() is in none: a new ring could ask for anything without a
 * system call.  Those made before are restricted to reads and writes.
 */
#include "qemu/osdep.h"
#include "os.h"
#include "sandbox-internal.h"
#include "system/sandbox.h"

#ifdef CONFIG_SECCOMP
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include "block/block.h"
#include "chardev/char.h"
#include "hw/remote/machine.h"
#include "qemu/error-report.h"
#include "qemu/thread.h"

/* One row allows a call, if its arguments are as @only says. */
typedef struct SandboxCall {
    const char *name;
    const char *only;           /* in words; NULL: any arguments */
    const char *rare;           /* why a test may not see it; or NULL */
    struct scmp_arg_cmp args[2];
    bool self;                  /* its first argument: this process */
} SandboxCall;

typedef struct SandboxTable {
    const char *name;
    const char *what;
    bool (*used)(void);
    const SandboxCall *calls;   /* ends with { } */
} SandboxTable;

#define ARG(n, value) { n, SCMP_CMP_EQ, value, 0 }
#define ARG_BITS(n, mask, value) { n, SCMP_CMP_MASKED_EQ, mask, value }

#define NEW_SPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
                    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
                    CLONE_NEWNET)
#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES)
#define UNCOUNTED (MAP_GROWSDOWN | MAP_HUGETLB)
/* Data may open a TCP connection without connect(): MSG_FASTOPEN. */
#define CONNECTED "to who is connected"

#define ABORT "an assertion that fails"

/* -- What every device process does --------------------------------------- */

static const SandboxCall base_calls[] = {
    /* links, eventfds */
    { "write" },
    { "close" },
    { "preadv2" },
    { "recvmsg" },
    { "sendto", CONNECTED, NULL, { ARG_BITS(3, MSG_FASTOPEN, 0) } },
    { "sendmsg", CONNECTED, NULL, { ARG_BITS(2, MSG_FASTOPEN, 0) } },
    { "ppoll" },
    { "fcntl", "F_GETFD", NULL, { ARG(1, F_GETFD) } },
    { "fcntl", "F_GETFL", NULL, { ARG(1, F_GETFL) } },
    { "fcntl", "F_GET_SEALS", NULL, { ARG(1, F_GET_SEALS) } },
    { "fcntl", "F_SETFL with O_NONBLOCK", NULL,
      { ARG(1, F_SETFL), ARG_BITS(2, O_NONBLOCK, O_NONBLOCK) } },
    { "fstat", .rare = "C libraries other than Debian 12's" },
    { "newfstatat", "of a descriptor", NULL,
      { ARG_BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH) } },
    /* memory: nothing executable, nothing shared that has no descriptor, and
     * nothing that its limit does not count: stacks, huge pages that are read */
    { "brk", .rare = "a heap that grows" },
    { "mmap", "private, not executable", NULL,
      { ARG_BITS(2, PROT_EXEC, 0),
        ARG_BITS(3, MAP_TYPE | UNCOUNTED, MAP_PRIVATE) } },
    { "mmap", "of a descriptor, not executable", NULL,
      { ARG_BITS(2, PROT_EXEC, 0),
        ARG_BITS(3, MAP_ANONYMOUS | UNCOUNTED, 0) } },
    { "mprotect", "not executable", NULL, { ARG_BITS(2, PROT_EXEC, 0) } },
    { "munmap" },
    { "madvise" },
    /* threads */
    { "clone", "a thread with the same descriptors and name spaces", NULL,
      { ARG_BITS(0, THREAD | NEW_SPACES, THREAD) } },
    { "set_robust_list" },
    { "rseq" },
    { "prctl", "PR_SET_NAME", NULL, { ARG(0, PR_SET_NAME) } },
    { "futex" },
    { "sched_yield", .rare = "poll-max-ns of milliseconds" },
    { "sched_getaffinity" },
    { "exit" },
    /* signals and the end */
    { "rt_sigprocmask" },
    { "rt_sigaction" },
    { "rt_sigreturn" },
    { "restart_syscall", .rare = "a wait that a stop of the process cuts" },
    { "getpid", .rare = ABORT },
    { "gettid", .rare = ABORT },
    { "tgkill", "SIGABRT to itself", ABORT, { ARG(2, SIGABRT) }, true },
    { "exit_group" },
    /* clocks, where the kernel has no page for them */
    { "clock_gettime", .rare = "where the kernel has no page for it" },
    { }
};

/* -- Back ends ------------------------------------------------------------ */

static const SandboxCall block_calls[] = {
    { "io_uring_enter" },
    { "io_uring_register", "IORING_REGISTER_ENABLE_RINGS", NULL,
      { ARG(1, IORING_REGISTER_ENABLE_RINGS) } },
    { "io_uring_register", "IORING_REGISTER_FILES_UPDATE", NULL,
      { ARG(1, IORING_REGISTER_FILES_UPDATE) } },
    { "pread64" },
    { "preadv" },
    { "pwritev2" },
    { "fdatasync" },
    { "fallocate" },
    { "ioctl", "BLKDISCARD", "block devices", { ARG(1, BLKDISCARD) } },
    { "fcntl", "F_OFD_SETLK", NULL, { ARG(1, F_OFD_SETLK) } },
    { "fcntl", "F_OFD_GETLK", "disks that come or go", { ARG(1, F_OFD_GETLK) } },
    { }
};

static const SandboxCall char_calls[] = {
    { "accept4" },
    { "read", .rare = "terminals, pipes" },
    { "getsockopt" },
    { "setsockopt", "TCP_NODELAY", NULL,
      { ARG(1, IPPROTO_TCP), ARG(2, TCP_NODELAY) } },
    { "shutdown", .rare = "a client that is left" },
    { "fcntl", "F_DUPFD_CLOEXEC", "descriptors of add-fd",
      { ARG(1, F_DUPFD_CLOEXEC) } },
    { "eventfd2" },
    { "ioctl", "TCGETS", "terminals", { ARG(1, TCGETS) } },
    { "ioctl", "TCSETS", "terminals", { ARG(1, TCSETS) } },
    { "fcntl", "F_SETFL", "terminals", { ARG(1, F_SETFL) } },
    { }
};

static const SandboxCall listen_calls[] = {
    { "accept4" },
    { "getsockopt" },
    { }
};

static const SandboxCall daemon_calls[] = {
    { "dup2" },                 /* /dev/null for the terminal, at last */
    { }
};

/* -- Threads of a main process that do what a guest causes ---------------- */

static const SandboxCall guest_calls[] = {
    { "ioctl", "KVM's", NULL, { ARG_BITS(1, 0xff00, KVMIO << 8) } },
    { "tgkill", "to itself", NULL, { }, true }, /* out of KVM_RUN */
    { "shutdown" },             /* a link that is given up */
    /* what a link will send: memory, interrupts that move */
    { "fcntl", "F_DUPFD_CLOEXEC", NULL, { ARG(1, F_DUPFD_CLOEXEC) } },
    { "eventfd2" },             /* the same */
    { "read" },                 /* a terminal that has been kept waiting */
    { }
};

static bool always(void)
{
    return true;
}

static bool has_block(void)
{
    return blk_any();
}

static bool has_chardev(void)
{
    return qemu_chr_any();
}

static bool listens(void)
{
    return REMOTE_MACHINE(current_machine)->listens;
}

static const SandboxTable tables[] = {
    { "base", "every device process", always, base_calls },
    { "block", "-drive, -blockdev; nvme and all other disks", has_block,
      block_calls },
    { "chardev", "-qmp, -monitor, -chardev", has_chardev, char_calls },
    { "daemon", "-daemonize", os_is_daemon, daemon_calls },
    { "listen", "x-remote-object,socket.path=", listens, listen_calls },
};

static const SandboxTable guest_tables[] = {
    { "base", NULL, NULL, base_calls },
    { "block", NULL, NULL, block_calls },
    { "guest", "vCPUs, block threads, proxies that return, with -sandbox on; "
      "besides base and block", NULL, guest_calls },
};

/* -- Filters -------------------------------------------------------------- */

static int add(scmp_filter_ctx ctx, uint32_t action, const SandboxCall *call)
{
    int nr = seccomp_syscall_resolve_name(call->name);
    struct scmp_arg_cmp args[1 + ARRAY_SIZE(call->args)];
    unsigned n = 0;

    if (nr == __NR_SCMP_ERROR) {
        return 0;               /* this libseccomp knows no such call */
    }
    if (call->self) {
        args[n++] = SCMP_A0(SCMP_CMP_EQ, getpid());
    }
    for (unsigned i = 0; i < ARRAY_SIZE(call->args); i++) {
        if (call->args[i].op) {
            args[n++] = call->args[i];
        }
    }
    return seccomp_rule_add_array(ctx, action, nr, n, args);
}

/* A filter of the tables that are in use; NULL with *@err if there is none. */
static scmp_filter_ctx make_filter(const SandboxTable *from, unsigned n,
                                   int *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    const SandboxCall clone3_call = { "clone3" };
    int ret = ctx ? add(ctx, SCMP_ACT_ERRNO(ENOSYS), &clone3_call) : -ENOMEM;

    for (unsigned t = 0; t < n; t++) {
        const SandboxCall *call = from[t].calls;

        for (; (!from[t].used || from[t].used()) && !ret && call->name;
             call++) {
            ret = add(ctx, SCMP_ACT_ALLOW, call);
        }
    }
    if (ret) {
        seccomp_release(ctx);
        *err = ret;
        return NULL;
    }
    /* A binary search: a process of many calls a second pays each. */
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    return ctx;
}

void sandbox_allow_listed(void)
{
    int ret = 0;
    scmp_filter_ctx ctx = make_filter(tables, ARRAY_SIZE(tables), &ret);

    if (ctx) {
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
        ret = seccomp_load(ctx);
        seccomp_release(ctx);
    }
    if (ret) {
        sandbox_missing("filter of system calls (%s)", g_strerror(-ret));
    }
}

void sandbox_guest_thread(void)
{
    static QemuMutex lock = { PTHREAD_MUTEX_INITIALIZER };
    static scmp_filter_ctx ctx;
    int ret = 0;

    QEMU_LOCK_GUARD(&lock);
    if (!ctx) {
        ctx = make_filter(guest_tables, ARRAY_SIZE(guest_tables), &ret);
    }
    if (ctx) {
        ret = seccomp_load(ctx);
    }
    if (ret) {
        /* The process has a filter, so that only memory can be short. */
        error_report("-sandbox on: no filter for a thread: %s",
                     g_strerror(-ret));
        exit(1);
    }
}

static void print_table(const SandboxTable *t)
{
    printf("\n%s: %s\n", t->name, t->what);
    for (const SandboxCall *c = t->calls; c->name; c++) {
        printf("    %s%s%s%s%s%s\n", c->name, c->only ? ": " : "",
               c->only ?: "", c->rare ? " [" : "", c->rare ?: "",
               c->rare ? "]" : "");
    }
}

void sandbox_print_help(void)
{
    printf("System calls of a device process (-machine x-remote):\n");
    for (unsigned t = 0; t < ARRAY_SIZE(tables); t++) {
        print_table(&tables[t]);
    }
    printf("\nSystem calls of a main process's threads that serve a guest:\n");
    for (unsigned t = 0; t < ARRAY_SIZE(guest_tables); t++) {
        if (guest_tables[t].what) {
            print_table(&guest_tables[t]);
        }
    }
}

#else /* !CONFIG_SECCOMP */

void sandbox_allow_listed(void)
{
    sandbox_missing("filter of system calls (built without libseccomp)");
}

void sandbox_print_help(void)
{
    printf("This program was built without libseccomp: it filters no system "
           "calls.\n");
}
#endif
