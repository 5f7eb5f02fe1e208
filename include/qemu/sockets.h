/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX stream sockets, and messages on them that carry descriptors.  Blocking
 * behaviour is the socket's own unless a function says otherwise.  Any thread.
 */
#ifndef QEMU_SOCKETS_H
#define QEMU_SOCKETS_H

/* Both return a close-on-exec descriptor, or -1 with @errp set. */
int unix_listen(const char *path, Error **errp);
int unix_connect(const char *path, Error **errp);
int unix_accept(int listen_fd, Error **errp);

/* True if @fd is open and an AF_UNIX stream socket. */
bool fd_is_unix_stream(int fd, Error **errp);
bool fd_is_socket(int fd);
int qemu_set_blocking(int fd, bool blocking);       /* 0 or -errno */

/* Sends all of @iov with @nfds descriptors on the first byte.  0 or -errno.
 * A full socket is waited for, up to @timeout_ms (-1: for ever). */
int socket_send_fds(int fd, const struct iovec *iov, int niov,
                    const int *fds, int nfds, int timeout_ms);

/*
 * Receives up to @len bytes; descriptors that came are stored in @fds
 * (room for *@nfds; set to how many came; those beyond are closed and
 * -EMSGSIZE returned).  Returns bytes, 0 at end of file, or -errno.
 */
ssize_t socket_recv_fds(int fd, void *buf, size_t len, int *fds, int *nfds,
                        int flags);

#endif
