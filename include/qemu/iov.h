/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scatter-gather lists. */
#ifndef QEMU_IOV_H
#define QEMU_IOV_H

size_t iov_size(const struct iovec *iov, unsigned niov);
/* Copy up to @bytes from or to the list beginning at byte @offset of it;
 * return how many were copied. */
size_t iov_from_buf(const struct iovec *iov, unsigned niov, size_t offset,
                    const void *buf, size_t bytes);
size_t iov_to_buf(const struct iovec *iov, unsigned niov, size_t offset,
                  void *buf, size_t bytes);
size_t iov_memset(const struct iovec *iov, unsigned niov, size_t offset,
                  int c, size_t bytes);
/* Drop bytes from the front; the list is changed in place. */
void iov_discard_front(struct iovec **iov, unsigned *niov, size_t bytes);

#endif
