/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies from and to scatter-gather lists. */
#include "qemu/osdep.h"
#include "qemu/iov.h"

size_t iov_size(const struct iovec *iov, unsigned niov)
{
    size_t sum = 0;

    for (unsigned i = 0; i < niov; i++) {
        sum += iov[i].iov_len;
    }
    return sum;
}

/* What part of @v is in the range; moves the range behind it. */
static size_t next_piece(const struct iovec *v, size_t *offset, size_t left,
                         void **at)
{
    size_t n;

    if (*offset >= v->iov_len) {
        *offset -= v->iov_len;
        return 0;
    }
    *at = (char *)v->iov_base + *offset;
    n = MIN(v->iov_len - *offset, left);
    *offset = 0;
    return n;
}

size_t iov_from_buf(const struct iovec *iov, unsigned niov, size_t offset,
                    const void *buf, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < niov && done < bytes; i++) {
        void *at;
        size_t n = next_piece(&iov[i], &offset, bytes - done, &at);

        if (n) {
            memcpy(at, (const char *)buf + done, n);
            done += n;
        }
    }
    return done;
}

size_t iov_to_buf(const struct iovec *iov, unsigned niov, size_t offset,
                  void *buf, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < niov && done < bytes; i++) {
        void *at;
        size_t n = next_piece(&iov[i], &offset, bytes - done, &at);

        if (n) {
            memcpy((char *)buf + done, at, n);
            done += n;
        }
    }
    return done;
}

size_t iov_memset(const struct iovec *iov, unsigned niov, size_t offset,
                  int c, size_t bytes)
{
    size_t done = 0;

    for (unsigned i = 0; i < niov && done < bytes; i++) {
        void *at;
        size_t n = next_piece(&iov[i], &offset, bytes - done, &at);

        if (n) {
            memset(at, c, n);
            done += n;
        }
    }
    return done;
}

void iov_discard_front(struct iovec **iov, unsigned *niov, size_t bytes)
{
    while (*niov && bytes >= (*iov)->iov_len) {
        bytes -= (*iov)->iov_len;
        (*iov)++;
        (*niov)--;
    }
    if (*niov && bytes) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + bytes;
        (*iov)->iov_len -= bytes;
    }
}
