/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -daemonize, -pidfile and -run-with. */
#include "qemu/osdep.h"
#include <grp.h>
#include <pwd.h>
#include "os.h"
#include "qemu/option.h"

/* -- Daemon -------------------------------------------------------------- */

static int to_parent = -1;      /* a byte in it: the start has succeeded */
static int null = -1;           /* opened while files can be */
static bool in_root;

/* The parent's part: never returns. */
static void G_GNUC_NORETURN wait_for_child(int fd)
{
    char byte;

    _exit(RETRY_ON_EINTR(read(fd, &byte, 1)) == 1 ? 0 : 1);
}

bool os_daemonize(Error **errp)
{
    int pipe_fds[2];
    pid_t pid;

    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        error_setg_errno(errp, errno, "-daemonize: /dev/null");
        return false;
    }
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        error_setg_errno(errp, errno, "-daemonize: no pipe");
        return false;
    }
    pid = fork();
    if (pid > 0) {
        close(pipe_fds[1]);
        wait_for_child(pipe_fds[0]);
    }
    if (pid == 0) {
        close(pipe_fds[0]);
        setsid();
        /* Not a session's leader: no terminal becomes ours by being opened. */
        pid = fork();
        if (pid > 0) {
            _exit(0);
        }
    }
    if (pid < 0) {
        error_setg_errno(errp, errno, "-daemonize: cannot fork");
        return false;
    }
    to_parent = pipe_fds[1];
    return true;
}

bool os_is_daemon(void)
{
    return to_parent >= 0;
}

void os_daemon_leave_folder(void)
{
    if (os_is_daemon() && !in_root && chdir("/") < 0) {
        /* It stays in a folder that somebody may want to unmount. */
    }
    in_root = true;
}

void os_daemon_ready(void)
{
    if (to_parent < 0) {
        return;
    }
    for (int fd = 0; fd <= 2; fd++) {
        dup2(null, fd);
    }
    qemu_close(&null);
    os_daemon_leave_folder();
    if (RETRY_ON_EINTR(write(to_parent, "", 1)) != 1) {
        /* The parent has been killed: there is nobody to tell. */
    }
    qemu_close(&to_parent);
}

/* -- PID file ------------------------------------------------------------ */

static char *pidfile;
static pid_t pidfile_owner;

static void remove_pidfile(void)
{
    if (getpid() == pidfile_owner) {
        unlink(pidfile);
    }
}

bool os_write_pidfile(const char *path, Error **errp)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    /* Kept open: the lock lives as long as the process. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0) {
        error_setg_errno(errp, errno, "-pidfile %s", path);
        return false;
    }
    if (fcntl(fd, F_SETLK, &lock) < 0) {
        error_setg(errp, "-pidfile %s: another process has it", path);
        close(fd);
        return false;
    }
    if (ftruncate(fd, 0) < 0 ||
        RETRY_ON_EINTR(write(fd, text, strlen(text))) != strlen(text)) {
        error_setg_errno(errp, errno, "-pidfile %s", path);
        close(fd);
        return false;
    }
    pidfile = realpath(path, NULL);
    pidfile_owner = getpid();
    if (pidfile) {
        atexit(remove_pidfile);
    }
    return true;
}

/* -- User and root -------------------------------------------------------- */

static struct {
    char *user, *root;          /* as they were given, or NULL */
    char *name;                 /* of the user, if it was given by name */
    uid_t uid;
    gid_t gid;
} run_with;

/* All ones are no id: the kernel takes them for "as it is". */
static bool parse_id(const char *text, guint64 *id)
{
    return g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX - 1, id, NULL);
}

static bool parse_user(Error **errp)
{
    g_auto(GStrv) ids = g_strsplit(run_with.user, ":", 2);
    guint64 uid, gid;
    struct passwd *pw;

    if (ids[0] && ids[1] && parse_id(ids[0], &uid) && parse_id(ids[1], &gid)) {
        run_with.uid = uid;
        run_with.gid = gid;
        return true;
    }
    pw = getpwnam(run_with.user);
    if (!pw) {
        error_setg(errp, "user=%s: neither the name of a user nor "
                   "UID:GID", run_with.user);
        return false;
    }
    run_with.name = run_with.user;
    run_with.uid = pw->pw_uid;
    run_with.gid = pw->pw_gid;
    return true;
}

bool os_run_with_parse(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse(arg, NULL, NULL, errp);

    return opts && keyval_take_str(opts, "user", &run_with.user, errp) &&
           keyval_take_str(opts, "chroot", &run_with.root, errp) &&
           keyval_check_empty(opts, "-run-with", (const char *const[]){
               "user", "chroot", NULL }, errp) &&
           (!run_with.user || parse_user(errp));
}

static bool become_user(void)
{
    return setresgid(run_with.gid, run_with.gid, run_with.gid) == 0 &&
           setresuid(run_with.uid, run_with.uid, run_with.uid) == 0;
}

bool os_run_with_prepare(Error **errp)
{
    /* By name, while there are files that know names. */
    if (run_with.user &&
        (run_with.name ? initgroups(run_with.name, run_with.gid)
                       : setgroups(1, &run_with.gid)) < 0) {
        error_setg_errno(errp, errno, "-run-with user=%s: its groups",
                         run_with.user);
        return false;
    }
    if (run_with.root && !g_file_test(run_with.root, G_FILE_TEST_IS_DIR)) {
        error_setg(errp, "-run-with chroot=%s: no such folder",
                   run_with.root);
        return false;
    }
    return true;
}

bool os_run_with_root(Error **errp)
{
    if (run_with.root && (chroot(run_with.root) < 0 || chdir("/") < 0)) {
        error_setg_errno(errp, errno, "-run-with chroot=%s", run_with.root);
        return false;
    }
    return true;
}

bool os_run_with_has_user(void)
{
    return run_with.user;
}

bool os_run_with_user(Error **errp)
{
    if (run_with.user && !become_user()) {
        error_setg_errno(errp, errno, "-run-with user=%s", run_with.user);
        return false;
    }
    if (run_with.user && run_with.uid && setuid(0) == 0) {
        error_setg(errp, "-run-with user=%s: it could become root again",
                   run_with.user);
        return false;
    }
    return true;
}

bool os_run_with_apply(Error **errp)
{
    return os_run_with_prepare(errp) && os_run_with_root(errp) &&
           os_run_with_user(errp);
}
