/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scatter-gather lists, against a flat copy of the same bytes. */
#include "qemu/osdep.h"
#include "qemu/iov.h"

enum { TOTAL = 64 };

typedef struct List {
    struct iovec v[8];
    unsigned n;
    uint8_t bytes[TOTAL];       /* what the elements point to, in order */
} List;

/* Elements of random lengths, some empty, TOTAL bytes in all. */
static void fill(List *l, GRand *rnd)
{
    unsigned at = 0;

    l->n = ARRAY_SIZE(l->v);
    for (unsigned i = 0; i < l->n; i++) {
        unsigned len = i == l->n - 1 ? TOTAL - at
                                     : g_rand_int_range(rnd, 0,
                                                        (TOTAL - at) / 2 + 1);

        l->v[i] = (struct iovec) { l->bytes + at, len };
        at += len;
    }
    for (unsigned i = 0; i < TOTAL; i++) {
        l->bytes[i] = i;
    }
}

static void test_against_flat(void)
{
    g_autoptr(GRand) rnd = g_rand_new_with_seed(7);

    for (int round = 0; round < 2000; round++) {
        unsigned offset = g_rand_int_range(rnd, 0, TOTAL + 8);
        unsigned bytes = g_rand_int_range(rnd, 0, TOTAL + 8);
        unsigned want = offset >= TOTAL ? 0 : MIN(bytes, TOTAL - offset);
        uint8_t flat[TOTAL], buf[TOTAL + 8];
        List l;

        fill(&l, rnd);
        memcpy(flat, l.bytes, TOTAL);
        memset(buf, 0xee, sizeof(buf));
        g_assert_cmpuint(iov_size(l.v, l.n), ==, TOTAL);

        g_assert_cmpuint(iov_to_buf(l.v, l.n, offset, buf, bytes), ==, want);
        g_assert_cmpmem(buf, want, flat + MIN(offset, TOTAL), want);
        g_assert_cmpuint(want < sizeof(buf) ? buf[want] : 0xee, ==, 0xee);

        memset(buf, 0xaa, sizeof(buf));
        g_assert_cmpuint(iov_from_buf(l.v, l.n, offset, buf, bytes), ==, want);
        memset(flat + MIN(offset, TOTAL), 0xaa, want);
        g_assert_cmpmem(l.bytes, TOTAL, flat, TOTAL);

        g_assert_cmpuint(iov_memset(l.v, l.n, offset, 0x55, bytes), ==, want);
        memset(flat + MIN(offset, TOTAL), 0x55, want);
        g_assert_cmpmem(l.bytes, TOTAL, flat, TOTAL);
    }
}

static void test_discard(void)
{
    g_autoptr(GRand) rnd = g_rand_new_with_seed(8);

    for (int round = 0; round < 2000; round++) {
        unsigned bytes = g_rand_int_range(rnd, 0, TOTAL + 8);
        unsigned left = TOTAL - MIN(bytes, TOTAL);
        uint8_t buf[TOTAL];
        struct iovec *v;
        unsigned n;
        List l;

        fill(&l, rnd);
        v = l.v;
        n = l.n;
        iov_discard_front(&v, &n, bytes);
        g_assert_cmpuint(iov_size(v, n), ==, left);
        g_assert_cmpuint(iov_to_buf(v, n, 0, buf, TOTAL), ==, left);
        g_assert_cmpmem(buf, left, l.bytes + TOTAL - left, left);
    }
}

static void test_empty(void)
{
    struct iovec *v = NULL;
    unsigned n = 0;
    char c;

    g_assert_cmpuint(iov_size(NULL, 0), ==, 0);
    g_assert_cmpuint(iov_to_buf(NULL, 0, 0, &c, 1), ==, 0);
    iov_discard_front(&v, &n, 5);
    g_assert_cmpuint(n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/iov/copies-as-a-flat-buffer", test_against_flat);
    g_test_add_func("/iov/discard-front", test_discard);
    g_test_add_func("/iov/empty", test_empty);
    return g_test_run();
}
