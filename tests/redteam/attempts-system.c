/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attempts of x-redteam: what an attacker would ask of the kernel.
 */
#include "qemu/osdep.h"
#include <dirent.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
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
#include "redteam.h"

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

/* A TCP socket that it has, if there is one, begins anew. */
static int a_socket(void)
{
    for (int fd = 3; fd < 64; fd++) {
        int domain = 0;
        socklen_t len = sizeof(domain);

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
            domain == AF_INET) {
            shutdown(fd, SHUT_RD);
            return fd;
        }
    }
    return 0;
}

/* By data that opens a connection (TCP Fast Open): ARG1 is the port. */
static int64_t connect_by_sending(RedTeam *r)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons(r->arg[1]),
                               .sin_addr = { htonl(INADDR_LOOPBACK) } };

    return SYS(sendto, a_socket(), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &sin,
               sizeof(sin));
}

static int64_t connect_by_message(RedTeam *r)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons(r->arg[1]),
                               .sin_addr = { htonl(INADDR_LOOPBACK) } };
    char data[1] = "x";
    struct iovec iov = { data, sizeof(data) };
    struct msghdr msg = { .msg_name = &sin, .msg_namelen = sizeof(sin),
                          .msg_iov = &iov, .msg_iovlen = 1 };

    return SYS(sendmsg, a_socket(), &msg, MSG_FASTOPEN | MSG_NOSIGNAL);
}

static int64_t filter_link(RedTeam *r)
{
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    struct sock_fprog program = { 1, &all };

    return SYS(setsockopt, (int)r->arg[0], SOL_SOCKET, SO_ATTACH_FILTER,
               &program, sizeof(program));
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

static int end_thread(void *opaque)
{
    syscall(SYS_exit, 0);
    return 0;
}

/* Each such thread could have as many as the limit says. */
static int64_t clone_descriptors(RedTeam *r)
{
    static char stack[64 * KiB] __attribute__((aligned(16)));

    return sys_result(clone(end_thread, stack + sizeof(stack),
                            CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, NULL));
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

/* What no limit of memory counts. */
static int64_t unmap_again(void *map, size_t size)
{
    if (map == MAP_FAILED) {
        return -errno;
    }
    munmap(map, size);
    return 0;
}

static int64_t map_stack(RedTeam *r)
{
    size_t size = 4 * GiB;

    return unmap_again(mmap(NULL, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN |
                            MAP_NORESERVE, -1, 0), size);
}

static int64_t map_file_as_stack(RedTeam *r)
{
    int64_t ret = -EBADF;

    for (int fd = 3; fd < 64 && (ret == -EBADF || ret == -ENODEV ||
                                 ret == -EACCES); fd++) {
        ret = unmap_again(mmap(NULL, 4 * GiB, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_GROWSDOWN | MAP_NORESERVE,
                               fd, 0), 4 * GiB);
    }
    return ret;
}

static int64_t map_huge_page(RedTeam *r)
{
    return unmap_again(mmap(NULL, 2 * MiB, PROT_READ,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0),
                       2 * MiB);
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

const Attempt system_attempts[] = {
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
    { "connect by sending", connect_by_sending },
    { "connect by a message", connect_by_message },
    { "attach a filter to the link", filter_link },
    { "fork", do_fork },
    { "clone a process", do_clone },
    { "clone a process by clone3()", do_clone3 },
    { "clone a thread with its own descriptors", clone_descriptors },
    { "clone into a user name space", clone_into_namespace },
    { "execute a program", do_exec },
    { "execute a descriptor", exec_descriptor },
    { "make a memfd", make_memfd },
    { "map executable memory", map_executable },
    { "make memory executable", make_executable },
    { "map a stack", map_stack },
    { "map a file as a stack", map_file_as_stack },
    { "map a huge page", map_huge_page },
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
    { }
};
