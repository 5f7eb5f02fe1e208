/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images in memory, which are mapped: what must hold beside the kernel, and
 * when they must not be. */
#include "qemu/osdep.h"
#include "block-world.h"
#include "block/block-int.h"
#include "qemu/main-loop.h"

typedef struct Memory {
    int fd;
    char *path;
    BlockBackend *blk;
    uint8_t *buf;               /* of one page */
} Memory;

static bool is_mapped(const Memory *m)
{
    return m->blk->file->map;
}

static void open_memory(Memory *m, int fd, const char *more)
{
    m->fd = fd;
    m->path = g_strdup_printf("/proc/self/fd/%d", fd);
    m->blk = open_drive(m->path, more);
    m->buf = aligned_buf(4096);
}

static void close_memory(Memory *m)
{
    blk_close_all();
    free(m->buf);
    g_free(m->path);
    close(m->fd);
}

static void read_page(Memory *m, uint64_t offset)
{
    g_assert_cmpint(do_io(m->blk, BLK_READ, offset, m->buf, 4096, 0), ==, 0);
}

static void write_page(Memory *m, uint64_t offset, uint8_t byte)
{
    memset(m->buf, byte, 4096);
    g_assert_cmpint(do_io(m->blk, BLK_WRITE, offset, m->buf, 4096, 0), ==, 0);
}

static uint64_t allocated(const Memory *m)
{
    struct stat st;

    g_assert_cmpint(fstat(m->fd, &st), ==, 0);
    return (uint64_t)st.st_blocks * 512;
}

/* What one side writes the other reads at once. */
static void test_shared(void)
{
    Memory m;
    uint8_t seen[4096];

    open_memory(&m, make_memory(SIZE), "");
    g_assert_true(is_mapped(&m));
    for (unsigned i = 0; i < 100; i++) {
        write_page(&m, i * 4096, i + 1);
        g_assert_cmpint(pread(m.fd, seen, 4096, i * 4096), ==, 4096);
        g_assert_cmpmem(seen, 4096, m.buf, 4096);
        memset(seen, ~i, 4096);
        g_assert_cmpint(pwrite(m.fd, seen, 4096, i * 4096), ==, 4096);
        read_page(&m, i * 4096);
        g_assert_cmpmem(seen, 4096, m.buf, 4096);
    }
    close_memory(&m);
}

/* To read a mapped hole would fill it: a guest could have all memory. */
static void test_sparse(void)
{
    Memory m;

    open_memory(&m, make_memory(SIZE), "");
    close_memory(&m);
    open_memory(&m, make_memory(SIZE), ",discard=unmap");
    g_assert_false(is_mapped(&m));
    g_assert_cmpint(do_io(m.blk, BLK_DISCARD, 0, NULL, SIZE / 2, 0), ==, 0);
    g_assert_cmpuint(allocated(&m), ==, SIZE / 2);
    read_page(&m, 0);
    g_assert_true(is_zero(m.buf, 4096));
    g_assert_cmpuint(allocated(&m), ==, SIZE / 2);
    blk_close_all();
    m.blk = open_drive(m.path, "");
    g_assert_false(is_mapped(&m));
    for (uint64_t at = 0; at < SIZE; at += 4096) {
        read_page(&m, at);
    }
    g_assert_cmpuint(allocated(&m), ==, SIZE / 2);
    close_memory(&m);
}

/* A backup goes by the time of the last change, which is right to the
 * millisecond. */
static void test_time(void)
{
    const struct timespec long_ago[2] = { };
    struct timespec begin;
    struct stat st;
    Memory m;

    open_memory(&m, make_memory(SIZE), "");
    write_page(&m, 0, 1);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(futimens(m.fd, long_ago), ==, 0);
        clock_gettime(CLOCK_REALTIME_COARSE, &begin);
        g_usleep(2000);
        write_page(&m, 4096, i);
        g_assert_cmpint(fstat(m.fd, &st), ==, 0);
        g_assert_cmpint(st.st_mtime, >=, begin.tv_sec);
    }
    close_memory(&m);
}

static void test_read_only(void)
{
    Memory m;
    int fd = make_memory(SIZE);

    g_assert_cmpint(pwrite(fd, "x", 1, 4096), ==, 1);
    open_memory(&m, fd, ",readonly=on");
    g_assert_true(is_mapped(&m));
    read_page(&m, 4096);
    g_assert_cmpuint(m.buf[0], ==, 'x');
    g_assert_cmpint(do_io(m.blk, BLK_WRITE, 0, m.buf, 4096, 0), ==, -EROFS);
    close_memory(&m);
}

/* Sealed against writes of others' mappings: the kernel writes nothing. */
static void test_sealed(void)
{
    Memory m;
    int fd = make_memory(SIZE);

    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), ==, 0);
    open_memory(&m, fd, "");
    g_assert_false(is_mapped(&m));
    read_page(&m, 0);
    g_assert_cmpint(do_io(m.blk, BLK_WRITE, 0, m.buf, 4096, 0), ==, -EPERM);
    close_memory(&m);
}

/* What is left of a file that is cut is read, the rest is zero; what is
 * written behind makes it longer again. */
static void test_cut(void)
{
    enum { LEFT = 64 * KiB };
    uint8_t seen[4096];
    Memory m;

    for (unsigned write = 0; write < 2; write++) {
        open_memory(&m, make_memory(SIZE), "");
        for (uint64_t at = 0; at < SIZE; at += 4096) {
            write_page(&m, at, 0xaa);
        }
        g_assert_true(is_mapped(&m));
        g_assert_cmpint(ftruncate(m.fd, LEFT), ==, 0);
        if (write) {
            /* Two, since one in a while goes to the kernel. */
            write_page(&m, LEFT + 8192, 0xbb);
            write_page(&m, LEFT + 16384, 0xcc);
            g_assert_cmpint(pread(m.fd, seen, 4096, LEFT + 8192), ==, 4096);
            g_assert_cmpuint(seen[4095], ==, 0xbb);
            g_assert_cmpint(pread(m.fd, seen, 4096, LEFT + 16384), ==, 4096);
            g_assert_cmpuint(seen[4095], ==, 0xcc);
        }
        read_page(&m, LEFT);
        g_assert_true(is_zero(m.buf, 4096));
        read_page(&m, SIZE - 4096);
        g_assert_true(is_zero(m.buf, 4096));
        g_assert_false(is_mapped(&m));
        for (uint64_t at = 0; at < LEFT; at += 4096) {
            read_page(&m, at);
            g_assert_cmpuint(m.buf[0], ==, 0xaa);
            g_assert_cmpuint(m.buf[4095], ==, 0xaa);
        }
        close_memory(&m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qemu_init_main_loop();

    g_test_add_func("/block-memory/both-sides-see-what-is-written",
                    test_shared);
    g_test_add_func("/block-memory/holes-stay", test_sparse);
    g_test_add_func("/block-memory/time-of-change-is-kept", test_time);
    g_test_add_func("/block-memory/read-only", test_read_only);
    g_test_add_func("/block-memory/sealed", test_sealed);
    g_test_add_func("/block-memory/cut-while-open", test_cut);
    return g_test_run();
}
