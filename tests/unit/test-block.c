/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk back ends: what is read, written, freed and refused.  What the guest
 * would see is compared with a model of the disk in memory or with the file.
 */
#include "qemu/osdep.h"
#include "block-world.h"
#include "block/block-int.h"
#include "block/io-error.h"
#include "qemu/main-loop.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* -- Data -----------------------------------------------------------------*/

static void test_round_trip(Fixture *f, gconstpointer way)
{
    uint8_t *w = aligned_buf(64 * KiB), *r = aligned_buf(64 * KiB);

    if (open_with(f, "")) {
        fill_bytes(w, 64 * KiB, 1);
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
    fill_bytes(data, SIZE, 2);
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
    g_assert_cmpint(run_request(f->blk, &t), ==, 0);
    file_bytes(f, 512, seen, total);
    g_assert_cmpmem(seen, total, data, total);

    memset(scattered, 0xee, 2 * SIZE);
    t.req.op = BLK_READ;
    g_assert_cmpint(run_request(f->blk, &t), ==, 0);
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
            fill_bytes(p, bytes, i);
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
        fill_bytes(data, N * 512, 7);
        for (unsigned i = 0; i < N; i++) {
            /* Every eighth pair of blocks is written as a whole. */
            bool whole = i % 128 >= 112;
            unsigned n = whole ? (i % 8 ? 0 : 8) : 1;

            t[i].iov = (struct iovec) { data + i * 512, n * 512 };
            t[i].req = (BlockRequest) {
                .op = BLK_WRITE, .offset = i * 512, .bytes = n * 512,
                .iov = &t[i].iov, .niov = 1,
            };
            start_request(f->blk, &t[i]);
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
        fill_bytes(buf, 4096, 3);
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

            g_assert_cmpint(run_request(f->blk, &t), ==, cases[i].ret);
        }
    }
    free(buf);
}

/* No descriptor of the back end's may write the file at @path; a loop device
 * is also open to whoever made it. */
static void assert_open_read_only(const char *path, int but)
{
    struct stat file, st;
    unsigned found = 0;

    g_assert_cmpint(stat(path, &file), ==, 0);
    if (S_ISBLK(file.st_mode)) {
        return;
    }
    for (int fd = 0; fd < 256; fd++) {
        if (fd != but && fstat(fd, &st) == 0 && st.st_dev == file.st_dev &&
            st.st_ino == file.st_ino) {
            g_assert_cmpint(fcntl(fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
            found++;
        }
    }
    g_assert_cmpuint(found, >, 0);
}

static void test_read_only(Fixture *f, gconstpointer way)
{
    uint8_t *buf = aligned_buf(4096);

    if (open_with(f, ",readonly=on,discard=unmap")) {
        assert_open_read_only(f->path, f->memory_fd);
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
        fill_bytes(buf, 64 * KiB, 9);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
        ret = do_io(f->blk, BLK_WRITE, 224 * KiB, buf, 64 * KiB, 0);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
        g_assert_cmpint(ret, ==, -EFBIG);
        g_assert_cmpint(do_io(f->blk, BLK_WRITE, 224 * KiB, buf, 64 * KiB, 0),
                        ==, 0);
    }
    free(buf);
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
    add_kernel_ways("bad-memory-is-an-error", test_bad_memory);
    add_kernel_ways("error-ignored-on-demand", test_error_ignored);
    add_file_ways("no-room-is-an-error", test_no_room);
    return g_test_run();
}
