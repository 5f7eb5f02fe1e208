/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"
#include "block-world.h"
#include "block/block-int.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const Way ways[] = {
    { "io_uring", ",aio=io_uring", .uring = true },
    { "io_uring-direct", ",aio=io_uring,cache=none", .uring = true,
      .direct = true },
    { "io_uring-main-loop", ",aio=io_uring", .uring = true,
      .main_loop = true },
    { "threads", ",aio=threads" },
    { "threads-direct", ",aio=threads,cache=none", .direct = true },
    { "threads-main-loop", ",aio=threads", .main_loop = true },
    { "device", "", .loop = true },
    { "device-direct", ",cache=none", .loop = true, .direct = true },
    { "memory", "", .memory = true },
};

char *make_file(uint64_t size)
{
    char *path = g_build_filename(g_get_tmp_dir(), "test-block-XXXXXX", NULL);
    int fd = mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    close(fd);
    return path;
}

int make_memory(uint64_t size)
{
    int fd = memfd_create("test-block", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(fallocate(fd, 0, 0, size), ==, 0);
    return fd;
}

BlockBackend *drive_add(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse_flat(arg, NULL, NULL,
                                                   &error_abort);

    return drive_new(opts, errp);
}

BlockBackend *open_drive(const char *path, const char *more)
{
    static unsigned n;
    g_autofree char *opts = g_strdup_printf(
        "if=none,id=d%u,format=raw,file=%s%s", n++, path, more);
    Error *err = NULL;
    BlockBackend *blk = drive_add(opts, &err);

    if (!blk && strstr(error_get_pretty(err), "direct access")) {
        g_test_skip(error_get_pretty(err));
        error_free(err);
        return NULL;
    }
    if (err) {
        g_error("%s: %s", opts, error_get_pretty(err));
    }
    return blk;
}

bool open_with(Fixture *f, const char *more)
{
    g_autofree char *opts = g_strconcat(f->way->opts, more, NULL);

    if (!f->path) {
        g_test_skip("no loop devices here");
        return false;
    }
    f->blk = open_drive(f->path, opts);
    if (f->blk) {
        blk_set_context(f->blk, f->ctx, &error_abort);
    }
    return f->blk;
}

/* The path of a block device that has @path for its disk; NULL: the system
 * has none for us.  It is gone when *@loop_fd is closed. */
static char *make_loop(const char *path, int *loop_fd)
{
    struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    char *name = NULL;
    int n = -1;

    *loop_fd = -1;
    c.fd = open(path, O_RDWR | O_CLOEXEC);
    /* Somebody else may take the free one first. */
    for (unsigned i = 0; i < 10 && control >= 0 && !name; i++) {
        n = ioctl(control, LOOP_CTL_GET_FREE);
        if (n < 0) {
            break;
        }
        name = g_strdup_printf("/dev/loop%d", n);
        *loop_fd = open(name, O_RDWR | O_CLOEXEC);
        if (*loop_fd < 0 || ioctl(*loop_fd, LOOP_CONFIGURE, &c) < 0) {
            qemu_close(loop_fd);
            g_clear_pointer(&name, g_free);
        }
    }
    qemu_close(&control);
    close(c.fd);
    return name;
}

static void set_up(Fixture *f, gconstpointer way)
{
    f->way = way;
    f->ctx = f->way->main_loop ? qemu_get_aio_context()
                               : aio_context_new(&error_abort);
    f->loop_fd = -1;
    f->memory_fd = -1;
    if (f->way->memory) {
        f->memory_fd = make_memory(SIZE);
        f->path = g_strdup_printf("/proc/self/fd/%d", f->memory_fd);
        return;
    }
    f->path = make_file(SIZE);
    if (f->way->loop) {
        f->backing = f->path;
        f->path = make_loop(f->backing, &f->loop_fd);
    }
}

static void tear_down(Fixture *f, gconstpointer way)
{
    if (f->blk) {
        g_assert_cmpuint(blk_in_flight(f->blk), ==, 0);
    }
    blk_close_all();
    if (!f->way->main_loop) {
        aio_context_free(f->ctx);
    }
    qemu_close(&f->loop_fd);
    if (f->way->memory) {
        close(f->memory_fd);
    } else {
        unlink(f->backing ? f->backing : f->path);
    }
    g_free(f->backing);
    g_free(f->path);
}

void on_done(BlockRequest *req, int ret)
{
    TestRequest *t = container_of(req, TestRequest, req);

    g_assert_false(t->done);
    t->done = true;
    t->ret = ret;
}

void start_request(BlockBackend *blk, TestRequest *t)
{
    t->req.done = t->req.done ? t->req.done : on_done;
    t->done = false;
    blk_submit(blk, &t->req);
    g_assert_false(t->done);
}

int run_request(BlockBackend *blk, TestRequest *t)
{
    start_request(blk, t);
    blk_drain(blk);
    g_assert_true(t->done);
    return t->ret;
}

int do_io(BlockBackend *blk, BlockOp op, uint64_t offset, void *buf,
          uint64_t bytes, unsigned flags)
{
    TestRequest t = {
        .req = { .op = op, .offset = offset, .bytes = bytes, .flags = flags,
                 .iov = &t.iov, .niov = buf ? 1 : 0 },
        .iov = { buf, bytes },
    };

    return run_request(blk, &t);
}

void fill_bytes(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = seed >> 24;
    }
}

bool is_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

void file_bytes(Fixture *f, uint64_t offset, void *buf, size_t n)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(pread(fd, buf, n, offset), ==, n);
    close(fd);
}

void *aligned_buf(size_t n)
{
    void *p = NULL;

    g_assert_cmpint(posix_memalign(&p, 4096, n), ==, 0);
    return p;
}

void *run_reads(void *opaque)
{
    Fixture *f = opaque;

    for (unsigned i = 0; i < 50; i++) {
        uint8_t *buf = aligned_buf(4096);

        g_assert_cmpint(do_io(f->blk, BLK_WRITE, i * 4096, buf, 4096, 0), ==,
                        0);
        g_assert_cmpint(do_io(f->blk, BLK_READ, i * 4096, buf, 4096, 0), ==,
                        0);
        free(buf);
    }
    return NULL;
}

static void add_some_ways(bool devices, bool memory, const char *name,
                          TestFn *fn)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        g_autofree char *path = g_strdup_printf("/block/%s/%s", ways[i].name,
                                                name);

        if ((!ways[i].uring || g_test_subprocess() ||
             block_ring_available()) && (devices || !ways[i].loop) &&
            (memory || !ways[i].memory)) {
            g_test_add(path, Fixture, &ways[i], set_up, fn, tear_down);
        }
    }
}

void add_ways(const char *name, TestFn *fn)
{
    add_some_ways(true, true, name, fn);
}

void add_file_ways(const char *name, TestFn *fn)
{
    add_some_ways(false, true, name, fn);
}

void add_kernel_ways(const char *name, TestFn *fn)
{
    add_some_ways(true, false, name, fn);
}
