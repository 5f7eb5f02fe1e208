/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX stream sockets, and messages on them that carry descriptors; TCP for
 * monitors and serial lines.  Blocking behaviour is the socket's own unless a
 * function says otherwise.  Any thread.
 */
#ifndef QEMU_SOCKETS_H
#define QEMU_SOCKETS_H

/* All return a close-on-exec, blocking descriptor, or -1 with @errp set.
 * unix_listen() replaces a socket left at @path, but no other kind of file. */
int unix_listen(const char *path, Error **errp);
int unix_connect(const char *path, Error **errp);
int unix_accept(int listen_fd, Error **errp);           /* TCP too */
int inet_listen(const char *host, const char *port, Error **errp);
/* With @pending the connect is only begun, on a non-blocking socket: when it
 * is writable, socket_error() says how it went. */
int inet_connect(const char *host, const char *port, bool pending,
                 Error **errp);
int socket_error(int fd);                   /* 0 or an errno; clears it */

/* Which file of the file system a listening socket is. */
typedef struct UnixSocketFile {
    dev_t dev;
    ino_t ino;
} UnixSocketFile;

/* What unix_listen() has just made at @path; all 0 if that is gone. */
UnixSocketFile unix_socket_file(const char *path);
/* Removes @path unless somebody else listens there by now.  To be called while
 * the socket is open, for as long no other file gets its number. */
void unix_socket_remove(const char *path, UnixSocketFile file);

/* True if @fd is open and an AF_UNIX stream socket. */
bool fd_is_unix_stream(int fd, Error **errp);
bool fd_is_socket(int fd);

/* Up to @ms milliseconds, -1: without a limit, for one of poll(2)'s @events.
 * Returns those that are, 0 when the time is over, or -errno. */
int fd_wait(int fd, short events, int ms);
bool socket_is_listening(int fd);
int qemu_set_blocking(int fd, bool blocking);       /* 0 or -errno */

/* Who made the connection or, of a pair, the pair: a process id; 0: unknown. */
pid_t socket_peer_pid(int fd);

/**
 * socket_send_fds - send all of a message, descriptors with its first byte.
 * @iov, @niov: what to send; not empty if there are descriptors
 * @timeout_ms: how long a full socket is waited for in all; -1: for ever
 *
 * Returns 0 or -errno (-ETIMEDOUT: part may have been sent).  A broken
 * connection is -EPIPE, without a signal.  Allocates nothing unless the socket
 * takes the message in parts.
 */
int socket_send_fds(int fd, const struct iovec *iov, int niov,
                    const int *fds, int nfds, int timeout_ms);

/**
 * socket_recv_fds - receive bytes and the descriptors that came with them.
 * @fds: where close-on-exec descriptors are stored
 * @nfds: room in @fds (at most 253 come at once); set to how many came.  NULL:
 *        none
 * @flags: as for recvmsg()
 *
 * Returns bytes, 0 at end of file, or -errno.  If more descriptors came than
 * there is room for, all are closed and -EMSGSIZE is returned; on any error
 * *@nfds is 0.
 */
ssize_t socket_recv_fds(int fd, void *buf, size_t len, int *fds, int *nfds,
                        int flags);

#endif
