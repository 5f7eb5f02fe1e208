/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends and their host: who may open a file together, systems without
 * io_uring, full disks, and threads that end.
 */
#include "qemu/osdep.h"
#include "block-world.h"
#include "block/block-int.h"
#include "qemu/main-loop.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* -- Nodes and users ------------------------------------------------------*/

static void assert_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, text);
    error_free(err);
}

static void test_one_user(void)
{
    g_autofree char *path = make_file(SIZE);
    BlockBackend *blk = open_drive(path, "");
    Object *dev = (Object *)&path;      /* only compared */
    Error *err = NULL;

    g_assert_true(blk_attach_dev(blk, dev, &error_abort));
    g_assert_false(blk_attach_dev(blk, dev, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "is already in use"));
    error_free(err);
    blk_detach_dev(blk);
    g_assert_true(blk_attach_dev(blk, dev, &error_abort));
    blk_detach_dev(blk);
    blk_close_all();
    unlink(path);
}

/* Locks are the open file's, so one process is enough to see them. */
static void test_locks(void)
{
    g_autofree char *path = make_file(SIZE);
    BlockBackend *a = open_drive(path, ""), *b = open_drive(path, "");
    BlockBackend *r1 = open_drive(path, ",readonly=on");
    BlockBackend *r2 = open_drive(path, ",readonly=on");
    BlockBackend *free_one = open_drive(path, ",file.locking=off");
    Object *dev = (Object *)&path;
    Error *err = NULL;

    blk_attach_dev(a, dev, &error_abort);
    g_assert_false(blk_attach_dev(b, dev, &err));
    g_assert_nonnull(strstr(error_get_hint(err), path));
    assert_error(err, "Failed to get \"write\" lock");
    err = NULL;
    g_assert_false(blk_attach_dev(r1, dev, &err));
    assert_error(err, "Failed to get shared \"write\" lock");
    err = NULL;
    blk_attach_dev(free_one, dev, &error_abort);
    blk_detach_dev(a);
    blk_attach_dev(r1, dev, &error_abort);
    blk_attach_dev(r2, dev, &error_abort);
    g_assert_false(blk_attach_dev(b, dev, &err));
    assert_error(err, "Failed to get \"write\" lock");
    blk_detach_dev(r1);
    blk_detach_dev(r2);
    blk_attach_dev(b, dev, &error_abort);
    blk_close_all();
    unlink(path);
}

/* What would be another format the next time is not written to a guessed raw
 * image, whole or in parts. */
static void test_guard(void)
{
    g_autofree char *path = make_file(SIZE);
    g_autofree char *opts = g_strdup_printf("if=none,id=g,file=%s", path);
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *blk;
    uint8_t buf[1024] = "QFI\xfb\0\0\0\3";

    blk = drive_add(opts, &error_abort);
    blk_set_context(blk, ctx, &error_abort);
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 1024, 0), ==, -EPERM);
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 2, 0), ==, 0);
    g_assert_cmpint(do_io(blk, BLK_WRITE, 2, buf + 2, 2, 0), ==, -EPERM);
    g_assert_cmpint(do_io(blk, BLK_WRITE, 512, buf, 512, 0), ==, 0);
    buf[0] = 'R';
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 1024, 0), ==, 0);
    blk_free(blk);
    blk = open_drive(path, "");
    blk_set_context(blk, ctx, &error_abort);
    buf[0] = 'Q';
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 1024, 0), ==, 0);
    blk_close_all();
    aio_context_free(ctx);
    unlink(path);
}

/* -- Without io_uring -----------------------------------------------------*/

static void forbid(long nr)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { ARRAY_SIZE(code), code };

    g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
    g_assert_cmpint(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), ==, 0);
}

static void test_forbidden_child(void)
{
    Fixture f = { .path = make_file(SIZE) };
    g_autofree char *opts = g_strdup_printf(
        "if=none,id=x,format=raw,aio=io_uring,file=%s", f.path);
    Error *err = NULL;

    f.ctx = aio_context_new(&error_abort);
    forbid(__NR_io_uring_setup);
    g_assert_null(drive_add(opts, &err));
    assert_error(err, "aio=io_uring is not possible: the system does not "
                 "allow io_uring; use aio=threads");
    f.blk = open_drive(f.path, "");
    blk_set_context(f.blk, f.ctx, &error_abort);
    run_reads(&f);
    blk_close_all();
    aio_context_free(f.ctx);
    unlink(f.path);
    g_free(f.path);
}

static void test_forbidden_later_child(void)
{
    Fixture f = { .path = make_file(SIZE) };

    f.ctx = aio_context_new(&error_abort);
    f.blk = open_drive(f.path, "");
    blk_set_context(f.blk, f.ctx, &error_abort);
    run_reads(&f);
    forbid(__NR_io_uring_enter);
    run_reads(&f);
    blk_close_all();
    aio_context_free(f.ctx);
    unlink(f.path);
    g_free(f.path);
}

static void test_forbidden(void)
{
    g_test_trap_subprocess("/block/no-io_uring/subprocess", 0, 0);
    g_test_trap_assert_passed();
}

static void test_forbidden_later(void)
{
    g_test_trap_subprocess("/block/io_uring-refused-later/subprocess", 0, 0);
    g_test_trap_assert_passed();
}

/* -- A full disk ----------------------------------------------------------*/

static void write_until_full(const char *path, const char *opts)
{
    g_autofree uint8_t *buf = g_malloc(64 * KiB);
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *blk = open_drive(path, opts);
    int ret = 0;

    fill_bytes(buf, 64 * KiB, 5);
    blk_set_context(blk, ctx, &error_abort);
    for (uint64_t at = 0; at < SIZE && !ret; at += 64 * KiB) {
        ret = do_io(blk, BLK_WRITE, at, buf, 64 * KiB, 0);
    }
    g_assert_cmpint(ret, ==, -ENOSPC);
    g_assert_cmpint(do_io(blk, BLK_READ, 0, buf, 64 * KiB, 0), ==, 0);
    blk_close_all();
    aio_context_free(ctx);
}

#define CANNOT_MOUNT 77

static bool write_proc(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = write(fd, text, strlen(text)) == strlen(text);

    qemu_close(&fd);
    return ok;
}

static bool enter_mount_namespace(void)
{
    g_autofree char *uids = g_strdup_printf("0 %u 1", getuid());
    g_autofree char *gids = g_strdup_printf("0 %u 1", getgid());

    if (unshare(CLONE_NEWNS) < 0 &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
         !write_proc("/proc/self/uid_map", uids) ||
         !write_proc("/proc/self/setgroups", "deny") ||
         !write_proc("/proc/self/gid_map", gids))) {
        return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void test_full_child(void)
{
    const char *dir = g_get_tmp_dir();
    g_autofree char *path = g_build_filename(dir, "disk", NULL);
    int fd;

    if (!enter_mount_namespace() ||
        mount("none", dir, "tmpfs", 0, "size=256k") < 0) {
        exit(CANNOT_MOUNT);
    }
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    close(fd);
    write_until_full(path, "");
    g_assert_cmpint(truncate(path, 0), ==, 0);
    g_assert_cmpint(truncate(path, SIZE), ==, 0);
    write_until_full(path, ",aio=threads");
}

static void test_full(void)
{
    g_test_trap_subprocess("/block/full-disk-is-an-error/subprocess", 0, 0);
    if (g_test_trap_has_passed()) {
        return;
    }
    g_test_trap_assert_stderr("");
    g_test_skip("no tmpfs may be mounted here");
}

/* -- Threads --------------------------------------------------------------*/

static unsigned count_threads(void)
{
    g_autoptr(GDir) d = g_dir_open("/proc/self/task", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(d)) {
        n++;
    }
    return n;
}

/* One that was joined is counted for a moment still. */
static void wait_for_threads(AioContext *ctx, unsigned most)
{
    int64_t end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    while (count_threads() > most) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        aio_poll(ctx, false);
        g_usleep(100);
    }
}

/* The end of a thread is told to the loop, which joins it. */
static void test_threads_end(void)
{
    unsigned before = count_threads(), old_ms = block_pool_idle_ms;
    Fixture f = { .path = make_file(SIZE) };

    block_pool_idle_ms = 1;
    f.ctx = aio_context_new(&error_abort);
    f.blk = open_drive(f.path, ",aio=threads");
    blk_set_context(f.blk, f.ctx, &error_abort);
    run_reads(&f);
    wait_for_threads(f.ctx, before);
    run_reads(&f);
    blk_close_all();
    wait_for_threads(f.ctx, before);
    aio_context_free(f.ctx);
    block_pool_idle_ms = old_ms;
    unlink(f.path);
    g_free(f.path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    g_test_add_func("/block/one-user-each", test_one_user);
    g_test_add_func("/block/locks-exclude-writers", test_locks);
    g_test_add_func("/block/guessed-raw-stays-raw", test_guard);
    g_test_add_func("/block/no-io_uring", test_forbidden);
    g_test_add_func("/block/io_uring-refused-later", test_forbidden_later);
    g_test_add_func("/block/full-disk-is-an-error", test_full);
    g_test_add_func("/block/full-disk-is-an-error/subprocess",
                    test_full_child);
    g_test_add_func("/block/idle-threads-end", test_threads_end);
    g_test_add_func("/block/no-io_uring/subprocess", test_forbidden_child);
    g_test_add_func("/block/io_uring-refused-later/subprocess",
                    test_forbidden_later_child);
    return g_test_run();
}
