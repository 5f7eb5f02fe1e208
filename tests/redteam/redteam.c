/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-redteam: a device model that does on command what an attacker would who
 * has taken a device process over.  Built into a program of its own, for
 * tests only (redteam.py).
 *
 * BAR 0: a write of an attempt's number to COMMAND makes it, in the thread of
 * the link; RESULT is then what came of it: 0 or more, or a negative errno.
 * ARG0 and ARG1 are what the attempt needs to know.  NAME reads the name of
 * attempt SELECT, a byte at a time; "" is behind the last.
 */
#include "qemu/osdep.h"
#include <dirent.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include "hw/pci/pci.h"
#include "qemu/bswap.h"

#define TYPE_REDTEAM "x-redteam"
OBJECT_DECLARE_SIMPLE_TYPE(RedTeam, REDTEAM)

enum {
    REG_COMMAND = 0x00,
    REG_RESULT = 0x08,
    REG_ARG0 = 0x10,
    REG_ARG1 = 0x18,
    REG_SELECT = 0x20,
    REG_NAME = 0x40,
    BAR_SIZE = 0x1000,
};

struct RedTeam {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    uint64_t result, arg[2], select;
};

/* The system's word, not the C library's, which would do without. */
#define SYS(nr, ...) sys_result(syscall(SYS_##nr, ##__VA_ARGS__))

static int64_t sys_result(long ret)
{
    return ret < 0 ? -errno : ret;
}

/* A descriptor is proof enough. */
static int64_t close_again(int64_t fd)
{
    if (fd >= 0) {
        close(fd);
    }
    return fd;
}

/* -- Files ---------------------------------------------------------------- */

static int64_t open_file(RedTeam *r)
{
    return close_again(SYS(openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int64_t open_old(RedTeam *r)
{
    return close_again(SYS(open, "/etc/passwd", O_RDONLY));
}

static int64_t open_new(RedTeam *r)
{
    struct open_how how = { .flags = O_RDONLY };

    return close_again(SYS(openat2, AT_FDCWD, "/etc/passwd", &how,
                           sizeof(how)));
}

static int64_t open_own_memory(RedTeam *r)
{
    return close_again(SYS(openat, AT_FDCWD, "/proc/self/mem", O_RDWR));
}

static int64_t create_file(RedTeam *r)
{
    return close_again(SYS(openat, AT_FDCWD, "/tmp/redteam", O_RDWR | O_CREAT,
                           0600));
}

/* By way of each folder that happens to be open. */
static int64_t open_by_descriptor(RedTeam *r)
{
    int64_t ret = -EBADF;

    for (int fd = 3; fd < 64 && ret < 0; fd++) {
        ret = SYS(openat, fd, "..", O_RDONLY);
    }
    return close_again(ret);
}

static int64_t open_by_handle(RedTeam *r)
{
    char handle[sizeof(struct file_handle) + 8] = { 8 };

    return close_again(SYS(open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
}

static int64_t list_proc(RedTeam *r)
{
    return close_again(SYS(openat, AT_FDCWD, "/proc",
                           O_RDONLY | O_DIRECTORY));
}

static int64_t stat_file(RedTeam *r)
{
    struct stat st;

    return SYS(newfstatat, AT_FDCWD, "/etc/passwd", &st, 0);
}

static int64_t read_link(RedTeam *r)
{
    char buf[64];

    return SYS(readlink, "/proc/self/exe", buf, sizeof(buf));
}

static int64_t remove_file(RedTeam *r)
{
    return SYS(unlinkat, AT_FDCWD, "/tmp/redteam", 0);
}

static int64_t rename_file(RedTeam *r)
{
    return SYS(rename, "/tmp/redteam", "/tmp/redteam2");
}

static int64_t change_mode(RedTeam *r)
{
    return SYS(chmod, "/tmp", 0777);
}

static int64_t change_folder(RedTeam *r)
{
    return SYS(chdir, "/tmp");
}

/* What the guest's RAM is in, and any disk. */
static int64_t cut_files(RedTeam *r)
{
    int64_t ret = -EBADF;

    for (int fd = 3; fd < 64 && ret < 0; fd++) {
        ret = SYS(ftruncate, fd, 0);
        if (ret == -EPERM) {
            break;
        }
    }
    return ret;
}

/* -- Descriptors that nobody meant it to have ----------------------------- */

static int64_t write_inherited(RedTeam *r)
{
    return SYS(write, (int)r->arg[0], "redteam", 7);
}

static int64_t own_signals(RedTeam *r)
{
    return SYS(fcntl, 0, F_SETOWN, (int)r->arg[0]);
}

static int64_t type_into_terminal(RedTeam *r)
{
    return SYS(ioctl, 0, TIOCSTI, "x");
}

/* -- The network ---------------------------------------------------------- */

static int64_t inet_socket(RedTeam *r)
{
    return close_again(SYS(socket, AF_INET, SOCK_STREAM, 0));
}

static int64_t unix_socket(RedTeam *r)
{
    return close_again(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
}

static int64_t netlink_socket(RedTeam *r)
{
    return close_again(SYS(socket, AF_NETLINK, SOCK_RAW, 0));
}

static int64_t socket_pair(RedTeam *r)
{
    int fds[2];

    return SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, fds);
}

/* With a socket that it has. */
static int64_t connect_elsewhere(RedTeam *r)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX,
                               .sun_path = "/run/systemd/private" };

    return SYS(connect, (int)r->arg[0], &sun, sizeof(sun));
}

static int64_t listen_again(RedTeam *r)
{
    return SYS(listen, (int)r->arg[0], 1);
}

/* -- Programs and processes ----------------------------------------------- */

static int64_t reap(int64_t pid)
{
    if (pid == 0) {
        _exit(0);
    }
    return pid;
}

static int64_t do_fork(RedTeam *r)
{
    return reap(SYS(fork));
}

static int64_t do_clone(RedTeam *r)
{
    return reap(SYS(clone, SIGCHLD, 0, 0, 0, 0));
}

static int64_t do_clone3(RedTeam *r)
{
    uint64_t args[8] = { [4] = SIGCHLD };

    return reap(SYS(clone3, args, sizeof(args)));
}

static int64_t clone_into_namespace(RedTeam *r)
{
    return reap(SYS(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static char *const no_args[] = { (char *)"sh", NULL };

static int64_t do_exec(RedTeam *r)
{
    return SYS(execve, "/bin/true", no_args, NULL);
}

static int64_t exec_descriptor(RedTeam *r)
{
    return SYS(execveat, 3, "", no_args, NULL, AT_EMPTY_PATH);
}

static int64_t make_memfd(RedTeam *r)
{
    return close_again(SYS(memfd_create, "program", 0));
}

static int64_t map_executable(RedTeam *r)
{
    return SYS(mmap, NULL, 4096, PROT_READ | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int64_t make_executable(RedTeam *r)
{
    static char page[2 * 4096] __attribute__((aligned(4096)));

    return SYS(mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

/* -- Other processes: ARG0 is the main process ---------------------------- */

static int64_t trace_main(RedTeam *r)
{
    return SYS(ptrace, PTRACE_SEIZE, (pid_t)r->arg[0], 0, 0);
}

static int64_t read_main(RedTeam *r)
{
    char buf[8];
    struct iovec to = { buf, sizeof(buf) }, from = { no_args[0], 8 };

    return SYS(process_vm_readv, (pid_t)r->arg[0], &to, 1, &from, 1, 0);
}

static int64_t write_main(RedTeam *r)
{
    char buf[8] = "";
    struct iovec from = { buf, sizeof(buf) }, to = { no_args[0], 8 };

    return SYS(process_vm_writev, (pid_t)r->arg[0], &from, 1, &to, 1, 0);
}

static int64_t signal_main(RedTeam *r)
{
    return SYS(kill, (pid_t)r->arg[0], SIGCONT);
}

static int64_t signal_thread(RedTeam *r)
{
    return SYS(tgkill, (pid_t)r->arg[0], (pid_t)r->arg[0], SIGCONT);
}

static int64_t signal_all(RedTeam *r)
{
    return SYS(kill, -1, 0);
}

static int64_t handle_of_main(RedTeam *r)
{
    return close_again(SYS(pidfd_open, (pid_t)r->arg[0], 0));
}

static int64_t slow_main(RedTeam *r)
{
    return SYS(setpriority, PRIO_PROCESS, (pid_t)r->arg[0], 0);
}

static int64_t limit_main(RedTeam *r)
{
    return SYS(prlimit64, (pid_t)r->arg[0], RLIMIT_NOFILE, NULL, NULL);
}

/* -- Rights --------------------------------------------------------------- */

static int64_t do_mount(RedTeam *r)
{
    return SYS(mount, "none", "/", "tmpfs", 0, NULL);
}

static int64_t do_unmount(RedTeam *r)
{
    return SYS(umount2, "/", MNT_DETACH);
}

static int64_t change_root(RedTeam *r)
{
    return SYS(chroot, "/");
}

static int64_t new_namespace(RedTeam *r)
{
    return SYS(unshare, CLONE_NEWNET);
}

static int64_t old_namespace(RedTeam *r)
{
    return SYS(setns, 3, 0);
}

static int64_t become_root(RedTeam *r)
{
    return SYS(setresuid, 0, 0, 0);
}

static int64_t take_capabilities(RedTeam *r)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct all[2] = {
        { ~0, ~0, 0 }, { ~0, ~0, 0 },
    };

    return SYS(capset, &head, all);
}

static int64_t raise_limit(RedTeam *r)
{
    struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };

    return SYS(setrlimit, RLIMIT_NOFILE, &l);
}

static int64_t be_dumpable(RedTeam *r)
{
    return SYS(prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int64_t filter_anew(RedTeam *r)
{
    return SYS(seccomp, SECCOMP_GET_NOTIF_SIZES, 0, NULL);
}

/* -- Dark corners of the kernel ------------------------------------------- */

static int64_t new_ring(RedTeam *r)
{
    struct io_uring_params p = { 0 };

    return close_again(SYS(io_uring_setup, 1, &p));
}

/* Rings that it has: what could they do, and more than was meant? */
static int64_t widen_ring(RedTeam *r)
{
    uint64_t probe[(sizeof(struct io_uring_probe) +
                    64 * sizeof(struct io_uring_probe_op)) / 8];
    int64_t ret = -EBADF;

    for (int fd = 3; fd < 64 && (ret == -EBADF || ret == -EOPNOTSUPP); fd++) {
        memset(probe, 0, sizeof(probe));
        SYS(io_uring_register, fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
        ret = SYS(io_uring_register, fd, IORING_REGISTER_PROBE, probe, 64);
    }
    return ret;
}

static int64_t load_bpf(RedTeam *r)
{
    union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
                            .value_size = 4, .max_entries = 1 };

    return close_again(SYS(bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int64_t count_events(RedTeam *r)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(attr) };

    return close_again(SYS(perf_event_open, &attr, 0, -1, -1, 0));
}

static int64_t handle_faults(RedTeam *r)
{
    return close_again(SYS(userfaultfd, 0));
}

static int64_t take_keys(RedTeam *r)
{
    return SYS(keyctl, 0, -3, 1);
}

static int64_t load_module(RedTeam *r)
{
    return SYS(finit_module, 3, "", 0);
}

static int64_t open_kernel(RedTeam *r)
{
    return SYS(syslog, 3, NULL, 0);
}

static int64_t share_memory(RedTeam *r)
{
    return SYS(shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0600);
}

/* By the calls of 32-bit programs: number 5 is open() there. */
static int64_t open_as_32_bit(RedTeam *r)
{
    static char path[] = "/etc/passwd";
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    int ret;

    if (low == MAP_FAILED) {
        return -errno;
    }
    memcpy(low, path, sizeof(path));
    asm volatile("int $0x80" : "=a"(ret)
                 : "a"(5), "b"(low), "c"(0), "d"(0)
                 : "memory", "r8", "r9", "r10", "r11");
    munmap(low, 4096);
    return close_again(ret);
}

/* -- Exhaustion: the result is how much it got ---------------------------- */

#define PIECE (64 * MiB)

static int64_t eat_memory(RedTeam *r)
{
    enum { MOST = 64 };         /* 4 GiB */
    void *pieces[MOST];
    int64_t got = 0;

    while (got < MOST) {
        pieces[got] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pieces[got] == MAP_FAILED) {
            break;
        }
        got++;
    }
    for (int i = 0; i < got; i++) {
        munmap(pieces[i], PIECE);
    }
    return got * (PIECE / MiB);
}

static int64_t eat_descriptors(RedTeam *r)
{
    enum { MOST = 4096 };
    g_autofree int *fds = g_new(int, MOST);
    int64_t got = 0;

    while (got < MOST && (fds[got] = fcntl(0, F_DUPFD, 3)) >= 0) {
        got++;
    }
    for (int i = 0; i < got; i++) {
        close(fds[i]);
    }
    return got;
}

static void *sleeper(void *opaque)
{
    int *gate = opaque;

    while (!__atomic_load_n(gate, __ATOMIC_RELAXED)) {
        syscall(SYS_futex, gate, 128 /* wait, private */, 0, NULL, NULL, 0);
    }
    return NULL;
}

static int64_t eat_threads(RedTeam *r)
{
    enum { MOST = 4096 };
    g_autofree pthread_t *threads = g_new(pthread_t, MOST);
    pthread_attr_t attr;
    int64_t got = 0;
    int gate = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, MiB);
    while (got < MOST &&
           pthread_create(&threads[got], &attr, sleeper, &gate) == 0) {
        got++;
    }
    __atomic_store_n(&gate, 1, __ATOMIC_RELAXED);
    syscall(SYS_futex, &gate, 129 /* wake, private */, INT_MAX, NULL, NULL, 0);
    for (int i = 0; i < got; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_attr_destroy(&attr);
    return got;
}

static int64_t raise_interrupts(RedTeam *r)
{
    int64_t end = g_get_monotonic_time() + (int64_t)r->arg[0] * 1000, n = 0;

    for (; g_get_monotonic_time() < end; n++) {
        pci_set_irq(&r->parent_obj, n & 1);
    }
    pci_set_irq(&r->parent_obj, 0);
    return n;
}

/* In the thread of its link, as a loop in a device model would. */
static int64_t hang(RedTeam *r)
{
    int64_t end = g_get_monotonic_time() + (int64_t)r->arg[0] * 1000;

    while (g_get_monotonic_time() < end) {
    }
    return 0;
}

/* -- Memory that is not its guest's --------------------------------------- */

static int64_t dma_read(RedTeam *r)
{
    uint64_t value;

    return pci_dma_read(&r->parent_obj, r->arg[0], &value, sizeof(value))
           ? -EFAULT : 0;
}

static int64_t dma_write(RedTeam *r)
{
    uint64_t value = ldq_le_p("redteam!");

    return pci_dma_write(&r->parent_obj, r->arg[0], &value, sizeof(value))
           ? -EFAULT : 0;
}

/* An address of this process is none of the guest's. */
static int64_t dma_own_memory(RedTeam *r)
{
    uint64_t value;

    return pci_dma_read(&r->parent_obj, (uintptr_t)r, &value, sizeof(value))
           ? -EFAULT : 0;
}

/* -- The proxy: ARG0 is the link's descriptor ----------------------------- */

static int64_t send_garbage(RedTeam *r)
{
    uint8_t noise[512];

    memset(noise, 0xa5, sizeof(noise));
    for (int i = 0; i < 100; i++) {
        if (send((int)r->arg[0], noise, sizeof(noise),
                 MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            break;
        }
    }
    return 0;
}

static int64_t send_descriptors(RedTeam *r)
{
    union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
    uint64_t reply[3] = { 1, 8, 0 };
    struct iovec iov = { reply, sizeof(reply) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    int fd = 0;

    memset(&control, 0, sizeof(control));
    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    return sys_result(sendmsg((int)r->arg[0], &msg, MSG_NOSIGNAL));
}

static int64_t crash(RedTeam *r)
{
    *(volatile int *)NULL = 0;
    return 0;
}

static int64_t fail_assertion(RedTeam *r)
{
    abort();
}

static const struct {
    const char *name;
    int64_t (*make)(RedTeam *r);
} attempts[] = {
    { "open a file", open_file },
    { "open a file by open()", open_old },
    { "open a file by openat2()", open_new },
    { "open a file as a 32-bit program", open_as_32_bit },
    { "open its own memory", open_own_memory },
    { "create a file", create_file },
    { "open the parent of what is open", open_by_descriptor },
    { "open a file by handle", open_by_handle },
    { "list processes", list_proc },
    { "stat a file", stat_file },
    { "read a symbolic link", read_link },
    { "remove a file", remove_file },
    { "rename a file", rename_file },
    { "change a file's mode", change_mode },
    { "change folder", change_folder },
    { "truncate what is open", cut_files },
    { "write to an inherited descriptor", write_inherited },
    { "direct signals of a descriptor", own_signals },
    { "type into the terminal", type_into_terminal },
    { "make an IP socket", inet_socket },
    { "make a UNIX socket", unix_socket },
    { "make a netlink socket", netlink_socket },
    { "make a pair of sockets", socket_pair },
    { "connect the link elsewhere", connect_elsewhere },
    { "listen at the link", listen_again },
    { "fork", do_fork },
    { "clone a process", do_clone },
    { "clone a process by clone3()", do_clone3 },
    { "clone into a user name space", clone_into_namespace },
    { "execute a program", do_exec },
    { "execute a descriptor", exec_descriptor },
    { "make a memfd", make_memfd },
    { "map executable memory", map_executable },
    { "make memory executable", make_executable },
    { "trace the main process", trace_main },
    { "read the main process's memory", read_main },
    { "write the main process's memory", write_main },
    { "signal the main process", signal_main },
    { "signal a thread of the main process", signal_thread },
    { "signal all processes", signal_all },
    { "get a handle of the main process", handle_of_main },
    { "change the main process's priority", slow_main },
    { "read the main process's limits", limit_main },
    { "mount", do_mount },
    { "unmount", do_unmount },
    { "change root", change_root },
    { "make a name space", new_namespace },
    { "enter a name space", old_namespace },
    { "become root", become_root },
    { "take capabilities", take_capabilities },
    { "raise its limits", raise_limit },
    { "become dumpable", be_dumpable },
    { "ask for another filter", filter_anew },
    { "make an io_uring", new_ring },
    { "ask more of an io_uring", widen_ring },
    { "load BPF", load_bpf },
    { "count events", count_events },
    { "handle page faults", handle_faults },
    { "take the session's keys", take_keys },
    { "load a module", load_module },
    { "read the kernel's log", open_kernel },
    { "make shared memory", share_memory },
    { "eat memory", eat_memory },
    { "eat descriptors", eat_descriptors },
    { "eat threads", eat_threads },
    { "raise interrupts without end", raise_interrupts },
    { "hang", hang },
    { "DMA read", dma_read },
    { "DMA write", dma_write },
    { "DMA read of its own memory", dma_own_memory },
    { "send garbage to the proxy", send_garbage },
    { "send descriptors to the proxy", send_descriptors },
    { "crash", crash },
    { "fail an assertion", fail_assertion },
};

/* -- The device ----------------------------------------------------------- */

static uint64_t redteam_read(void *opaque, hwaddr addr, unsigned size)
{
    RedTeam *r = opaque;

    if (addr >= REG_NAME && r->select < ARRAY_SIZE(attempts)) {
        const char *name = attempts[r->select].name;
        uint64_t at = addr - REG_NAME;

        return at < strlen(name) ? (uint8_t)name[at] : 0;
    }
    return addr == REG_RESULT ? r->result : 0;
}

static void redteam_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    RedTeam *r = opaque;

    if (addr == REG_COMMAND && val < ARRAY_SIZE(attempts)) {
        r->result = attempts[val].make(r);
    } else if (addr == REG_ARG0 || addr == REG_ARG1) {
        r->arg[addr == REG_ARG1] = val;
    } else if (addr == REG_SELECT) {
        r->select = val;
    }
}

static const MemoryRegionOps redteam_ops = {
    .read = redteam_read,
    .write = redteam_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static bool redteam_realize(PCIDevice *pci_dev, Error **errp)
{
    RedTeam *r = REDTEAM(pci_dev);

    pci_config_set_interrupt_pin(pci_dev->config, 1);
    memory_region_init_io(&r->mmio, OBJECT(r), &redteam_ops, r, "redteam",
                          BAR_SIZE);
    pci_register_bar(pci_dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &r->mmio);
    return true;
}

static void redteam_finalize(Object *obj)
{
    memory_region_finalize(&REDTEAM(obj)->mmio);
}

static void redteam_class_init(ObjectClass *oc, void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(oc);

    pc->realize = redteam_realize;
    pc->vendor_id = PCI_VENDOR_ID_QEMU;
    pc->device_id = 0x11ed;
    pc->class_id = 0x00ff;
    DEVICE_CLASS(oc)->desc = "Attempts to get out of the box (for tests)";
}

static const TypeInfo redteam_types[] = {
    {
        .name = TYPE_REDTEAM,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(RedTeam),
        .instance_finalize = redteam_finalize,
        .class_init = redteam_class_init,
        .interfaces = (const InterfaceInfo[]){
            { INTERFACE_CONVENTIONAL_PCI_DEVICE }, { }
        },
    },
};
DEFINE_TYPES(redteam_types)
