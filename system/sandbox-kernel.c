/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the sandbox that are not a list of system calls: name spaces,
 * Landlock (ABI 1 to 7), capabilities, limits.  See landlock(7),
 * namespaces(7), capabilities(7), pivot_root(2).
 *
 * Each part stands alone: what one of them forbids, most of the others forbid
 * too, so that a hole in one is none in the box.
 */
#include "qemu/osdep.h"
#include <dirent.h>
#include <dirent.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "sandbox-internal.h"

void sandbox_no_new_privileges(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        sandbox_missing("no_new_privs (%s)", g_strerror(errno));
    }
}

/* -- Descriptors ---------------------------------------------------------- */

/* Those that nobody has named: whatever is in use would not outlive an exec,
 * the standard ones excepted. */
void sandbox_close_inherited(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    if (!dir) {
        sandbox_missing("closing of what was inherited (%s)",
                        g_strerror(errno));
        return;
    }
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (fd > STDERR_FILENO && fcntl(fd, F_GETFD) == 0) {
            close(fd);
        }
    }
    closedir(dir);
}

/* -- Limits --------------------------------------------------------------- */

/* More than links, devices and their threads ever take. */
#define MAX_FILES 1024
#define MAX_THREADS 512
#define MAX_DATA GiB

static void limit(int resource, rlim_t most, const char *name)
{
    struct rlimit l;

    if (getrlimit(resource, &l) == 0) {
        l.rlim_max = MIN(l.rlim_max, most);
        l.rlim_cur = MIN(l.rlim_cur, l.rlim_max);
        if (setrlimit(resource, &l) == 0) {
            return;
        }
    }
    sandbox_missing("limit of %s (%s)", name, g_strerror(errno));
}

/* Private memory that the process has now, in bytes. */
static uint64_t data_size(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f) {
        if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void sandbox_limits(void)
{
    limit(RLIMIT_CORE, 0, "core dumps");
    limit(RLIMIT_MSGQUEUE, 0, "message queues");
    limit(RLIMIT_NOFILE, MAX_FILES, "descriptors");
    /* Guest memory is shared and does not count. */
    limit(RLIMIT_DATA, data_size() + MAX_DATA, "memory");
}

/* -- Name spaces ---------------------------------------------------------- */

static const struct {
    int flag;
    const char *name;
} namespaces[] = {
    { CLONE_NEWUSER, "user" },
    { CLONE_NEWNS, "mount" },
    { CLONE_NEWNET, "network" },
    { CLONE_NEWIPC, "IPC" },
    { CLONE_NEWUTS, "UTS" },
};

static unsigned entered;        /* flags */
static bool root_is_empty;

static unsigned all_namespaces(void)
{
    unsigned all = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(namespaces); i++) {
        all |= namespaces[i].flag;
    }
    return all;
}

/* All at once; where that is refused, one by one to learn what can be had. */
static void enter_namespaces(void)
{
    if (unshare(all_namespaces() & ~entered) == 0) {
        entered = all_namespaces();
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(namespaces); i++) {
        if (entered & namespaces[i].flag) {
            continue;
        }
        if (unshare(namespaces[i].flag) == 0) {
            entered |= namespaces[i].flag;
        } else {
            sandbox_missing("%s name space (%s)", namespaces[i].name,
                            g_strerror(errno));
        }
    }
}

/*
 * A root with nothing in it, and no way back: the old one is taken off the
 * tree.  What is open stays open.
 */
static bool empty_root(void)
{
    static const char *const places[] = { "/proc", "/tmp", "/dev", "/usr" };
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    bool mounted = false;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(places) && !mounted; i++) {
        mounted = mount("none", places[i], "tmpfs", flags,
                        "size=4k,nr_inodes=2,mode=0555") == 0 &&
                  chdir(places[i]) == 0;
    }
    return mounted && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
           mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags,
                 NULL) == 0;
}

/* Since Linux 5.14 processes are counted a user name space; before that, a
 * limit would count all that the user runs elsewhere. */
static bool counts_by_namespace(bool own_user_ns)
{
    struct utsname u;
    int major, minor;

    return own_user_ns && uname(&u) == 0 &&
           sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

void sandbox_namespaces(void)
{
    enter_namespaces();
    if (counts_by_namespace(entered & CLONE_NEWUSER)) {
        limit(RLIMIT_NPROC, MAX_THREADS, "threads");
    }
    if ((entered & CLONE_NEWNS) && !root_is_empty) {
        root_is_empty = empty_root();
        if (!root_is_empty) {
            sandbox_missing("empty root (%s)", g_strerror(errno));
        }
    }
}

void sandbox_namespaces_of_root(void)
{
    unsigned flags = all_namespaces() & ~CLONE_NEWUSER;

    if (unshare(flags) == 0) {
        entered = flags;
        root_is_empty = empty_root();
    }
}

bool sandbox_root_is_empty(void)
{
    return root_is_empty;
}

/* -- Files ---------------------------------------------------------------- */

/* The rights that each ABI of Landlock added, whatever <linux/landlock.h>
 * knows: the kernel that runs this may be newer than the one it was built on. */
#define LL_FS_ABI1 0x1fffULL
#define LL_FS_REFER (1ULL << 13)        /* 2 */
#define LL_FS_TRUNCATE (1ULL << 14)     /* 3 */
#define LL_NET_TCP 3ULL                 /* 4: bind, connect */
#define LL_FS_IOCTL_DEV (1ULL << 15)    /* 5 */
#define LL_SCOPES 3ULL                  /* 6: abstract sockets, signals */

/* No rule is added, so that all of it is refused. */
void sandbox_no_files(void)
{
    struct {
        uint64_t handled_access_fs, handled_access_net, scoped;
    } attr = { .handled_access_fs = LL_FS_ABI1 };
    size_t size = sizeof(uint64_t);
    int abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                      LANDLOCK_CREATE_RULESET_VERSION);
    int fd;

    if (abi < 1) {
        sandbox_missing("Landlock (%s)", g_strerror(errno));
        return;
    }
    attr.handled_access_fs |= (abi >= 2 ? LL_FS_REFER : 0) |
                              (abi >= 3 ? LL_FS_TRUNCATE : 0) |
                              (abi >= 5 ? LL_FS_IOCTL_DEV : 0);
    if (abi >= 4) {
        attr.handled_access_net = LL_NET_TCP;
        size = offsetof(typeof(attr), scoped);
    }
    if (abi >= 6) {
        attr.scoped = LL_SCOPES;
        size = sizeof(attr);
    }
    fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        sandbox_missing("Landlock (%s)", g_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* -- Capabilities --------------------------------------------------------- */

void sandbox_no_capabilities(void)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct none[2] = { { 0 } };
    bool bounded = true;

    /* Without CAP_SETPCAP the bounding set stays as it is, and is of no use
     * to who can gain nothing by an execve() either. */
    for (int cap = 0; bounded && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
         cap++) {
        bounded = prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, none) < 0) {
        sandbox_missing("no capabilities (%s)", g_strerror(errno));
    }
}
