/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends: the same cases by io_uring, by threads, and in the main
 * loop's context.  What the guest would see is compared with a model of the
 * disk in memory or with the file itself.
 */
#include "qemu/osdep.h"
#include "block/io-error.h"
#include "block/block-int.h"
#include "qapi/error.h"
#include "qemu/option.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

typedef struct Way {
    const char *name;
    const char *opts;           /* for drive_add */
    bool uring, main_loop, direct, loop;
} Way;

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
};

#define SIZE (1 * MiB)

typedef struct Fixture {
    const Way *way;
    AioContext *ctx;
    char *path;                 /* what is opened */
    char *backing;              /* of a loop device: its file */
    int loop_fd;
    BlockBackend *blk;
} Fixture;

typedef struct TestRequest {
    BlockRequest req;
    struct iovec iov;
    int ret;
    bool done;
    unsigned left;              /* resubmit so often */
} TestRequest;

/* -- A world in a few lines -----------------------------------------------*/

static char *make_file(uint64_t size)
{
    char *path = g_build_filename(g_get_tmp_dir(), "test-block-XXXXXX", NULL);
    int fd = mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    close(fd);
    return path;
}

static BlockBackend *drive_add(const char *arg, Error **errp)
{
    g_autoptr(JsonObject) opts = keyval_parse_flat(arg, NULL, NULL,
                                                   &error_abort);

    return drive_new(opts, errp);
}

/* NULL: this system cannot; the test is skipped. */
static BlockBackend *open_drive(const char *path, const char *more)
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

static bool open_with(Fixture *f, const char *more)
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
    unlink(f->backing ? f->backing : f->path);
    g_free(f->backing);
    g_free(f->path);
}

static void on_done(BlockRequest *req, int ret)
{
    TestRequest *t = container_of(req, TestRequest, req);

    g_assert_false(t->done);
    t->done = true;
    t->ret = ret;
}

static void start(BlockBackend *blk, TestRequest *t)
{
    t->req.done = t->req.done ? t->req.done : on_done;
    t->done = false;
    blk_submit(blk, &t->req);
    g_assert_false(t->done);
}

static int run(BlockBackend *blk, TestRequest *t)
{
    start(blk, t);
    blk_drain(blk);
    g_assert_true(t->done);
    return t->ret;
}

static int do_io(BlockBackend *blk, BlockOp op, uint64_t offset, void *buf,
                 uint64_t bytes, unsigned flags)
{
    TestRequest t = {
        .req = { .op = op, .offset = offset, .bytes = bytes, .flags = flags,
                 .iov = &t.iov, .niov = buf ? 1 : 0 },
        .iov = { buf, bytes },
    };

    return run(blk, &t);
}

static void fill(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = seed >> 24;
    }
}

static bool is_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

static void file_bytes(Fixture *f, uint64_t offset, void *buf, size_t n)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(pread(fd, buf, n, offset), ==, n);
    close(fd);
}

static void *aligned_buf(size_t n)
{
    void *p = NULL;

    g_assert_cmpint(posix_memalign(&p, 4096, n), ==, 0);
    return p;
}

/* -- Data -----------------------------------------------------------------*/

static void test_round_trip(Fixture *f, gconstpointer way)
{
    uint8_t *w = aligned_buf(64 * KiB), *r = aligned_buf(64 * KiB);

    if (open_with(f, "")) {
        fill(w, 64 * KiB, 1);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 4096, w, 64 * KiB, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 4096, r, 64 * KiB, 0), ==, 0);
        g_assert_cmpmem(w, 64 * KiB, r, 64 * KiB);
        file_bytes(f, 4096, r, 64 * KiB);
        g_assert_cmpmem(w, 64 * KiB, r, 64 * KiB);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, r, 4096, 0), ==, 0);
        g_assert_true(is_zero(r, 4096));
    }
    free(w);
    free(r);
}

/* Elements of all lengths at all addresses, more than a system call takes. */
static void test_vectored(Fixture *f, gconstpointer way)
{
    enum { N = 1500 };
    g_autofree struct iovec *iov = g_new0(struct iovec, N);
    g_autofree uint8_t *data = g_malloc(SIZE), *seen = g_malloc(SIZE);
    g_autofree uint8_t *scattered = g_malloc0(2 * SIZE);
    TestRequest t = { .req = { .iov = iov, .niov = N } };
    size_t at = 0, total = 0;

    if (!open_with(f, "")) {
        return;
    }
    fill(data, SIZE, 2);
    for (unsigned i = 0; i < N; i++) {
        iov[i].iov_base = scattered + at;
        iov[i].iov_len = i == N - 1 ? ROUND_UP(total, 512) - total : i % 400;
        memcpy(iov[i].iov_base, data + total, iov[i].iov_len);
        at += iov[i].iov_len + i % 3;
        total += iov[i].iov_len;
    }
    t.req.op = BLK_WRITE;
    t.req.offset = 512;
    t.req.bytes = total;
    g_assert_cmpint(run(f->blk, &t), ==, 0);
    file_bytes(f, 512, seen, total);
    g_assert_cmpmem(seen, total, data, total);

    memset(scattered, 0xee, 2 * SIZE);
    t.req.op = BLK_READ;
    g_assert_cmpint(run(f->blk, &t), ==, 0);
    at = total = 0;
    for (unsigned i = 0; i < N; i++) {
        g_assert_cmpmem(iov[i].iov_base, iov[i].iov_len, data + total,
                        iov[i].iov_len);
        at += iov[i].iov_len;
        total += iov[i].iov_len;
        if (i % 3) {
            g_assert_cmpuint(scattered[at], ==, 0xee);
        }
        at += i % 3;
    }
}

/* A size that is no multiple of a sector: the rest reads as zeroes. */
static void test_eof(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(8192);
    int fd = open(f->path, O_RDWR | O_CLOEXEC);

    memset(buf, 0xaa, 8192);
    g_assert_cmpint(pwrite(fd, buf, 5000, 0), ==, 5000);
    g_assert_cmpint(ftruncate(fd, 5000), ==, 0);
    close(fd);
    if (open_with(f, ",readonly=on")) {
        g_assert_cmpuint(blk_getlength(f->blk), ==, 5120);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, 5120, 0), ==, 0);
        g_assert_cmpuint(buf[4999], ==, 0xaa);
        g_assert_true(is_zero(buf + 5000, 120));
        g_assert_cmpuint(buf[5120], ==, 0xaa);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 4608, buf, 512, 0), ==, 0);
        g_assert_true(is_zero(buf + 392, 120));
        g_assert_cmpint(do_io(f->blk, BLK_READ, 4608, buf, 1024, 0), ==, -EIO);
    }
    free(buf);
}

/* The file was cut while it was open. */
static void test_shrunk(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(8192);

    if (open_with(f, "")) {
        memset(buf, 0xaa, 8192);
        g_assert_cmpint(truncate(f->path, 4096), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 8192, buf, 8192, 0), ==, 0);
        g_assert_true(is_zero(buf, 8192));
    }
    free(buf);
}

/* Every alignment of offset, length and memory against a model. */
static void test_misaligned(Fixture *f, gconstpointer way)
{
    enum { AREA = 256 * 1024 };
    g_autofree uint8_t *model = g_malloc0(AREA), *seen = g_malloc(AREA);
    g_autofree uint8_t *buf = g_malloc(AREA + 64);

    if (!open_with(f, "")) {
        return;
    }
    for (unsigned i = 0; i < 150; i++) {
        unsigned unit = i % 3 == 0 ? 512 : i % 3 == 1 ? 1 : 100;
        uint64_t bytes = (1 + g_random_int_range(0, 3000)) * unit;
        uint64_t offset;
        uint8_t *p = buf + (i % 5) * 4;

        bytes = MIN(bytes, AREA - unit) / unit * unit;
        offset = g_random_int_range(0, AREA - bytes) / unit * unit;
        if (i & 1) {
            g_assert_cmpint(do_io(f->blk, BLK_READ, offset, p, bytes, 0), ==,
                            0);
            g_assert_cmpmem(p, bytes, model + offset, bytes);
        } else if (i % 8 == 6) {
            g_assert_cmpint(do_io(f->blk, BLK_WRITE_ZEROES, offset, NULL,
                                  bytes, 0), ==, 0);
            memset(model + offset, 0, bytes);
        } else {
            fill(p, bytes, i);
            memcpy(model + offset, p, bytes);
            g_assert_cmpint(do_io(f->blk, BLK_WRITE, offset, p, bytes,
                                  i % 4 ? 0 : BLK_REQ_FUA), ==, 0);
        }
    }
    file_bytes(f, 0, seen, AREA);
    g_assert_cmpmem(seen, AREA, model, AREA);
}

/*
 * Writes of parts of the same blocks at the same time, and of whole blocks
 * around them: none may undo another.
 */
static void test_neighbours(Fixture *f, gconstpointer way)
{
    enum { N = 256 };
    g_autofree TestRequest *t = g_new0(TestRequest, N);
    uint8_t *data = aligned_buf(N * 512), *seen = aligned_buf(N * 512);

    if (open_with(f, "")) {
        if (f->way->direct) {
            f->blk->file->align = 4096;     /* a disk of such blocks */
        }
        fill(data, N * 512, 7);
        for (unsigned i = 0; i < N; i++) {
            /* Every eighth pair of blocks is written as a whole. */
            bool whole = i % 128 >= 112;
            unsigned n = whole ? (i % 8 ? 0 : 8) : 1;

            t[i].iov = (struct iovec) { data + i * 512, n * 512 };
            t[i].req = (BlockRequest) {
                .op = BLK_WRITE, .offset = i * 512, .bytes = n * 512,
                .iov = &t[i].iov, .niov = 1,
            };
            start(f->blk, &t[i]);
        }
        blk_drain(f->blk);
        for (unsigned i = 0; i < N; i++) {
            g_assert_true(t[i].done);
            g_assert_cmpint(t[i].ret, ==, 0);
        }
        file_bytes(f, 0, seen, N * 512);
        g_assert_cmpmem(seen, N * 512, data, N * 512);
    }
    free(data);
    free(seen);
}

/* -- Other operations -----------------------------------------------------*/

static uint64_t allocated(Fixture *f)
{
    struct stat st;

    g_assert_cmpint(stat(f->backing ? f->backing : f->path, &st), ==, 0);
    return (uint64_t)st.st_blocks * 512;
}

static void test_discard(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(SIZE);
    uint64_t before;

    if (open_with(f, ",discard=unmap")) {
        g_assert_true(blk_can_discard(f->blk));
        memset(buf, 0xaa, SIZE);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, SIZE, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
        before = allocated(f);
        g_assert_cmpint(do_io(f->blk, BLK_DISCARD, 0, NULL, SIZE / 2, 0), ==,
                        0);
        g_assert_cmpuint(allocated(f), <=, before - SIZE / 2);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, SIZE, 0), ==, 0);
        g_assert_true(is_zero(buf, SIZE / 2));
        g_assert_cmpuint(buf[SIZE / 2], ==, 0xaa);
    }
    free(buf);
}

static void test_discard_ignored(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(4096);

    if (open_with(f, "")) {
        g_assert_false(blk_can_discard(f->blk));
        memset(buf, 0xaa, 4096);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_DISCARD, 0, NULL, 4096, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpuint(buf[0], ==, 0xaa);
    }
    free(buf);
}

static void test_zeroes(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(SIZE);
    uint64_t before;

    if (open_with(f, ",discard=unmap")) {
        memset(buf, 0xaa, SIZE);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, SIZE, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
        before = allocated(f);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE_ZEROES, 0, NULL, SIZE / 4,
                              BLK_REQ_FUA), ==, 0);
        g_assert_cmpuint(allocated(f), >=, before);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE_ZEROES, SIZE / 2, NULL,
                              SIZE / 4, BLK_REQ_MAY_UNMAP), ==, 0);
        g_assert_cmpuint(allocated(f), <=, before - SIZE / 4);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, SIZE, 0), ==, 0);
        g_assert_true(is_zero(buf, SIZE / 4));
        g_assert_cmpuint(buf[SIZE / 4], ==, 0xaa);
        g_assert_true(is_zero(buf + SIZE / 2, SIZE / 4));
        g_assert_cmpuint(buf[SIZE / 4 * 3], ==, 0xaa);
    }
    free(buf);
}

/* FUA and a drive without write cache take their own way to the disk. */
static void test_write_through(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(4096), *seen = aligned_buf(4096);

    if (open_with(f, ",cache.writeback=off")) {
        g_assert_false(blk_enable_write_cache(f->blk));
        fill(buf, 4096, 3);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        file_bytes(f, 0, seen, 4096);
        g_assert_cmpmem(seen, 4096, buf, 4096);
        blk_set_write_cache(f->blk, true);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 4096, buf, 4096,
                              BLK_REQ_FUA), ==, 0);
        file_bytes(f, 4096, seen, 4096);
        g_assert_cmpmem(seen, 4096, buf, 4096);
    }
    free(buf);
    free(seen);
}

/* -- Errors ---------------------------------------------------------------*/

static void test_refused(Fixture *f, gconstpointer way)
{
    static const struct {
        BlockOp op;
        uint64_t offset, bytes;
        int ret;
    } cases[] = {
        { BLK_READ, SIZE, 4096, -EIO },
        { BLK_READ, SIZE - 4096, 8192, -EIO },
        { BLK_READ, UINT64_MAX - 4095, 8192, -EIO },
        { BLK_WRITE, SIZE, 4096, -EIO },
        { BLK_DISCARD, SIZE, UINT64_MAX, -EIO },
        { BLK_WRITE_ZEROES, UINT64_MAX, 1, -EIO },
        { BLK_READ, SIZE, 0, 0 },
        { BLK_WRITE, 0, 0, 0 },
        { BLK_WRITE_ZEROES, 0, 0, 0 },
        { BLK_READ, 0, 4096, -EINVAL },     /* one element of 8192 */
    };
    uint8_t *buf = aligned_buf(8192);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
            TestRequest t = {
                .req = { .op = cases[i].op, .offset = cases[i].offset,
                         .bytes = cases[i].bytes, .iov = &t.iov, .niov = 1 },
                .iov = { buf, cases[i].ret == -EINVAL ? 8192
                                                      : cases[i].bytes },
            };

            g_assert_cmpint(run(f->blk, &t), ==, cases[i].ret);
        }
    }
    free(buf);
}

static void test_read_only(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(4096);

    if (open_with(f, ",readonly=on,discard=unmap")) {
        g_assert_true(blk_is_read_only(f->blk));
        g_assert_false(blk_can_discard(f->blk));
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, 4096, 0), ==, -EROFS);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE_ZEROES, 0, NULL, 4096, 0), ==,
                        -EROFS);
        g_assert_cmpint(do_io(f->blk, BLK_DISCARD, 0, NULL, 4096, 0), ==,
                        -EROFS);
        g_assert_cmpint(do_io(f->blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
    }
    free(buf);
}

/* The kernel cannot reach the buffer. */
static void test_bad_memory(Fixture *f, gconstpointer way)
{
    uint8_t *hole = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
    const BlockStats *s;

    if (open_with(f, "")) {
        s = blk_get_stats(f->blk);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, hole, 8192, 0), ==,
                        -EFAULT);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, hole, 8192, 0), ==,
                        -EFAULT);
        g_assert_cmpuint(s->errors[BLK_READ], ==, 1);
        g_assert_cmpuint(s->errors[BLK_WRITE], ==, 1);
        g_assert_cmpuint(s->ops[BLK_READ], ==, 0);
    }
    munmap(hole, 8192);
}

static BlockIOError told;
static unsigned times_told;

static void tell(const BlockIOError *e)
{
    told = *e;
    times_told++;
}

static void test_error_ignored(Fixture *f, gconstpointer way)
{
    uint8_t *hole = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);

    times_told = 0;
    blk_io_error_hook = tell;
    if (open_with(f, ",werror=ignore,rerror=report")) {
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, hole, 8192, 0), ==, 0);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, hole, 8192, 0), ==,
                        -EFAULT);
        g_assert_cmpuint(blk_get_stats(f->blk)->errors[BLK_WRITE], ==, 1);
        /* Told of the first; the second came within a second of it. */
        g_assert_cmpuint(times_told, ==, 1);
        g_assert_true(told.ignored && !told.read);
        g_assert_cmpint(told.error, ==, EFAULT);
    }
    blk_io_error_hook = NULL;
    munmap(hole, 8192);
}

/* A write that gets through in part: first short, then the limit's error. */
static void test_no_room(Fixture *f, gconstpointer way)
{
    struct rlimit old, low;
    uint8_t *buf = aligned_buf(64 * KiB);
    int ret;

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    if (open_with(f, "")) {
        signal(SIGXFSZ, SIG_IGN);
        low = old;
        low.rlim_cur = 256 * KiB;
        fill(buf, 64 * KiB, 9);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
        ret = do_io(f->blk, BLK_WRITE, 224 * KiB, buf, 64 * KiB, 0);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
        g_assert_cmpint(ret, ==, -EFBIG);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 224 * KiB, buf, 64 * KiB, 0),
                        ==, 0);
    }
    free(buf);
}

/* -- Many, and from within ------------------------------------------------*/

static void test_many(Fixture *f, gconstpointer way)
{
    enum { N = 3000 };
    g_autofree TestRequest *t = g_new0(TestRequest, N);
    uint8_t *buf = aligned_buf(N * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < N; i++) {
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = i % 7 == 0 ? BLK_FLUSH : BLK_READ,
                .offset = i % 256 * 4096, .bytes = 4096,
                .iov = &t[i].iov, .niov = 1,
            };
            start(f->blk, &t[i]);
        }
        g_assert_cmpuint(blk_in_flight(f->blk), ==, N);
        blk_drain(f->blk);
        for (unsigned i = 0; i < N; i++) {
            g_assert_true(t[i].done);
            g_assert_cmpint(t[i].ret, ==, 0);
        }
        g_assert_cmpuint(blk_get_stats(f->blk)->ops[BLK_READ] +
                         blk_get_stats(f->blk)->ops[BLK_FLUSH], ==, N);
    }
    free(buf);
}

static void resubmit(BlockRequest *req, int ret)
{
    TestRequest *t = container_of(req, TestRequest, req);

    g_assert_cmpint(ret, ==, 0);
    if (t->left--) {
        blk_submit(req->blk, req);
    } else {
        t->done = true;
    }
}

static void test_resubmit(Fixture *f, gconstpointer way)
{
    TestRequest t[4] = { };
    uint8_t *buf = aligned_buf(4 * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < 4; i++) {
            t[i].left = 500;
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = BLK_READ, .bytes = 4096, .iov = &t[i].iov, .niov = 1,
                .done = resubmit,
            };
            start(f->blk, &t[i]);
        }
        blk_drain(f->blk);
        for (unsigned i = 0; i < 4; i++) {
            g_assert_true(t[i].done);
        }
    }
    free(buf);
}

static void drain_inside(BlockRequest *req, int ret)
{
    blk_drain(req->blk);
    g_assert_cmpuint(blk_in_flight(req->blk), ==, 0);
    on_done(req, ret);
}

/* A device that is reset by what it reads. */
static void test_drain_inside(Fixture *f, gconstpointer way)
{
    enum { N = 40 };
    TestRequest t[N] = { };
    uint8_t *buf = aligned_buf(N * 4096);

    if (open_with(f, "")) {
        for (unsigned i = 0; i < N; i++) {
            t[i].iov = (struct iovec) { buf + i * 4096, 4096 };
            t[i].req = (BlockRequest) {
                .op = i % 3 ? BLK_READ : BLK_WRITE_ZEROES, .bytes = 4096,
                .offset = i * 4096, .iov = &t[i].iov, .niov = 1,
                .done = i % 5 ? NULL : drain_inside,
            };
            start(f->blk, &t[i]);
        }
        /* Some that fail at once, too. */
        t[1].req.op = BLK_READ;
        blk_drain(f->blk);
        for (unsigned i = 0; i < N; i++) {
            g_assert_true(t[i].done);
            g_assert_cmpint(t[i].ret, ==, 0);
        }
    }
    free(buf);
}

/* Served by the loop alone, without draining. */
static void test_loop(Fixture *f, gconstpointer way)
{
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 4096, .iov = &t.iov,
                               .niov = 1 } };

    t.iov = (struct iovec) { aligned_buf(4096), 4096 };
    if (open_with(f, "")) {
        start(f->blk, &t);
        while (!t.done) {
            if (f->way->main_loop) {
                main_loop_wait(false);
            } else {
                aio_poll(f->ctx, true);
            }
        }
        g_assert_cmpint(t.ret, ==, 0);
    }
    free(t.iov.iov_base);
}

static void test_spin(Fixture *f, gconstpointer way)
{
    aio_context_set_poll_params(f->ctx, 50 * SCALE_US);
    for (unsigned i = 0; i < 20 && !g_test_failed(); i++) {
        if (f->blk) {
            blk_free(f->blk);
            f->blk = NULL;
        }
        test_loop(f, way);
    }
}

/* Two drives share a context's engine; each may leave it. */
static void test_share_context(Fixture *f, gconstpointer way)
{
    g_autofree char *path = make_file(SIZE);
    uint8_t *buf = aligned_buf(4096);
    BlockBackend *other;

    if (open_with(f, "")) {
        other = open_drive(path, f->way->opts);
        blk_set_context(other, f->ctx, &error_abort);
        memset(buf, 1, 4096);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        memset(buf, 2, 4096);
        g_assert_cmpint(do_io(other, BLK_WRITE, 0, buf, 4096, 0), ==, 0);
        blk_set_context(f->blk, NULL, &error_abort);
        g_assert_cmpint(do_io(other, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpuint(buf[0], ==, 2);
        blk_set_context(f->blk, f->ctx, &error_abort);
        g_assert_cmpint(do_io(f->blk, BLK_READ, 0, buf, 4096, 0), ==, 0);
        g_assert_cmpuint(buf[0], ==, 1);
    }
    unlink(path);
    free(buf);
}

/* -- Contexts and threads -------------------------------------------------*/

static void *run_reads(void *opaque)
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

/* A drive moves from its thread's context to the main loop's and back. */
static void test_move(Fixture *f, gconstpointer way)
{
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 4096, .iov = &t.iov,
                               .niov = 1 } };
    QemuThread thread;
    Error *err = NULL;

    if (f->way->main_loop || !open_with(f, "")) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        AioContext *ctx = aio_context_new(&error_abort);

        blk_set_context(f->blk, ctx, &error_abort);
        qemu_thread_create(&thread, "test", run_reads, f, &error_abort);
        qemu_thread_join(&thread);
        blk_set_context(f->blk, qemu_get_aio_context(), &error_abort);
        run_reads(f);
        aio_context_free(ctx);
    }
    t.iov = (struct iovec) { aligned_buf(4096), 4096 };
    start(f->blk, &t);
    g_assert_false(blk_set_context(f->blk, f->ctx, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "in flight"));
    error_free(err);
    blk_drain(f->blk);
    free(t.iov.iov_base);
}

typedef struct Orphans {
    Fixture *f;
    TestRequest t[32];
    uint8_t *buf;
} Orphans;

static void *leave_requests(void *opaque)
{
    Orphans *o = opaque;

    for (unsigned i = 0; i < ARRAY_SIZE(o->t); i++) {
        TestRequest *t = &o->t[i];

        t->iov = (struct iovec) { o->buf + i * 4096, 4096 };
        t->req = (BlockRequest) {
            .op = i % 4 ? BLK_READ : i % 8 ? BLK_FLUSH : BLK_WRITE_ZEROES,
            .offset = i * 4096, .bytes = 4096, .iov = &t->iov, .niov = 1,
        };
        start(o->f->blk, t);
        if (i == 16) {
            aio_poll(o->f->ctx, false);
        }
    }
    aio_poll(o->f->ctx, false);
    return NULL;
}

/* The thread of a context ends with requests in flight; another drains. */
static void test_orphans(Fixture *f, gconstpointer way)
{
    Orphans o = { .f = f, .buf = aligned_buf(32 * 4096) };
    QemuThread thread;

    if (!f->way->main_loop && open_with(f, "")) {
        for (unsigned round = 0; round < 5; round++) {
            qemu_thread_create(&thread, "test", leave_requests, &o,
                               &error_abort);
            qemu_thread_join(&thread);
            blk_drain(f->blk);
            for (unsigned i = 0; i < ARRAY_SIZE(o.t); i++) {
                g_assert_true(o.t[i].done);
                g_assert_cmpint(o.t[i].ret, ==, 0);
            }
        }
    }
    free(o.buf);
}

/* -- Nodes and users ------------------------------------------------------*/

static void test_null_latency(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *slow = drive_add("driver=null-co,size=1M,if=none,id=slow,"
                                   "latency-ns=20000000", &error_abort);
    BlockBackend *fast = drive_add("driver=null-co,size=1M,if=none,id=fast,"
                                   "latency-ns=1000000", &error_abort);
    uint8_t buf[512];
    TestRequest t[3];
    int64_t begin = g_get_monotonic_time();

    for (int i = 0; i < 3; i++) {
        t[i] = (TestRequest){ .req = { .op = BLK_WRITE, .bytes = 512,
                                       .iov = &t[i].iov, .niov = 1 },
                              .iov = { buf, 512 } };
        blk_set_context(i == 1 ? fast : slow, ctx, &error_abort);
        start(i == 1 ? fast : slow, &t[i]);
    }
    blk_drain(fast);
    g_assert_true(t[1].done && !t[0].done && !t[2].done);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 1000);
    blk_drain(slow);
    g_assert_true(t[0].done && t[2].done);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 20000);
    blk_close_all();
    aio_context_free(ctx);
}

static void test_null(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    BlockBackend *blk = drive_add("driver=null-co,size=64M,read-zeroes=on,"
                                  "if=none,id=n", &error_abort);
    uint8_t buf[512];
    TestRequest t = { .req = { .op = BLK_READ, .bytes = 512, .iov = &t.iov,
                               .niov = 1, .done = resubmit },
                      .iov = { buf, 512 }, .left = 1000 };

    blk_set_context(blk, ctx, &error_abort);
    g_assert_cmpuint(blk_getlength(blk), ==, 64 * MiB);
    memset(buf, 0xaa, 512);
    start(blk, &t);
    blk_drain(blk);
    g_assert_true(t.done && is_zero(buf, 512));
    g_assert_cmpint(do_io(blk, BLK_WRITE, 0, buf, 512, 0), ==, 0);
    g_assert_cmpint(do_io(blk, BLK_FLUSH, 0, NULL, 0, 0), ==, 0);
    g_assert_cmpint(do_io(blk, BLK_READ, 64 * MiB, buf, 512, 0), ==, -EIO);
    blk_close_all();
    aio_context_free(ctx);
}

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
    Fixture f = { .way = &ways[0], .path = make_file(SIZE) };
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
    Fixture f = { .way = &ways[0], .path = make_file(SIZE) };

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

    fill(buf, 64 * KiB, 5);
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
    while (count_threads() > before) {
        aio_poll(f.ctx, true);
    }
    run_reads(&f);
    blk_close_all();
    g_assert_cmpuint(count_threads(), ==, before);
    aio_context_free(f.ctx);
    block_pool_idle_ms = old_ms;
    unlink(f.path);
    g_free(f.path);
}

typedef void TestFn(Fixture *f, gconstpointer way);

/* Some cases are about files, not about devices. */
static void add_ways_but(bool devices, const char *name, TestFn *fn)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        g_autofree char *path = g_strdup_printf("/block/%s/%s", ways[i].name,
                                                name);

        if ((!ways[i].uring || g_test_subprocess() ||
             block_ring_available()) && (devices || !ways[i].loop)) {
            g_test_add(path, Fixture, &ways[i], set_up, fn, tear_down);
        }
    }
}

static void add_ways(const char *name, TestFn *fn)
{
    add_ways_but(true, name, fn);
}

static void add_file_ways(const char *name, TestFn *fn)
{
    add_ways_but(false, name, fn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    add_ways("reads-what-was-written", test_round_trip);
    add_ways("vectors-of-any-shape", test_vectored);
    add_file_ways("zeroes-behind-the-end", test_eof);
    add_file_ways("zeroes-where-file-was-cut", test_shrunk);
    add_ways("any-alignment", test_misaligned);
    add_ways("neighbours-undo-nothing", test_neighbours);
    add_ways("discard-frees", test_discard);
    add_ways("discard-ignored-keeps", test_discard_ignored);
    add_ways("zeroes-read-as-zeroes", test_zeroes);
    add_ways("write-through", test_write_through);
    add_ways("out-of-range-is-refused", test_refused);
    add_ways("read-only-is-kept", test_read_only);
    add_ways("bad-memory-is-an-error", test_bad_memory);
    add_ways("error-ignored-on-demand", test_error_ignored);
    add_file_ways("no-room-is-an-error", test_no_room);
    add_ways("more-than-the-ring-holds", test_many);
    add_ways("resubmit-from-done", test_resubmit);
    add_ways("drain-from-done", test_drain_inside);
    add_ways("served-by-the-loop", test_loop);
    add_ways("served-while-spinning", test_spin);
    add_ways("two-in-one-context", test_share_context);
    add_ways("moves-between-contexts", test_move);
    add_ways("thread-ends-with-requests", test_orphans);

    g_test_add_func("/block/null-completes", test_null);
    g_test_add_func("/block/null-takes-its-time", test_null_latency);
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
