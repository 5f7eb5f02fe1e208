/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stream sockets, and descriptors in messages (unix(7), SCM_RIGHTS). */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/iov.h"
#include "qemu/sockets.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BACKLOG 16
#define SCM_MAX_FDS 253         /* the kernel's limit a message */

typedef union FdControl {
    char buf[CMSG_SPACE(SCM_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
} FdControl;

/* -- Making connections --------------------------------------------------- */

static bool unix_address(const char *path, struct sockaddr_un *sun,
                         Error **errp)
{
    *sun = (struct sockaddr_un) { .sun_family = AF_UNIX };
    if (!*path) {
        error_setg(errp, "The path of a UNIX socket is empty");
        return false;
    }
    if (strlen(path) >= sizeof(sun->sun_path)) {
        error_setg(errp, "UNIX socket path '%s' is too long: at most %zu "
                   "bytes", path, sizeof(sun->sun_path) - 1);
        return false;
    }
    strcpy(sun->sun_path, path);
    return true;
}

static int new_socket(int family, int flags, Error **errp)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot create a socket");
    }
    return fd;
}

/* A socket that is to have, or to find, the address of @path. */
static int new_unix_socket(const char *path, struct sockaddr_un *sun,
                           Error **errp)
{
    return unix_address(path, sun, errp) ? new_socket(AF_UNIX, 0, errp) : -1;
}

/* A server that has died leaves its socket behind. */
static void remove_old_socket(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);           /* if not, bind() says so */
    }
}

int unix_listen(const char *path, Error **errp)
{
    struct sockaddr_un sun;
    int fd = new_unix_socket(path, &sun, errp);

    if (fd < 0) {
        return -1;
    }
    remove_old_socket(path);
    if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        error_setg_errno(errp, errno, "Cannot listen on UNIX socket '%s'",
                         path);
        qemu_close(&fd);
    }
    return fd;
}

UnixSocketFile unix_socket_file(const char *path)
{
    UnixSocketFile file = { 0 };
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        file = (UnixSocketFile){ st.st_dev, st.st_ino };
    }
    return file;
}

void unix_socket_remove(const char *path, UnixSocketFile file)
{
    UnixSocketFile now = unix_socket_file(path);

    if (now.ino && now.ino == file.ino && now.dev == file.dev) {
        unlink(path);
    }
}

int unix_connect(const char *path, Error **errp)
{
    struct sockaddr_un sun;
    int fd = new_unix_socket(path, &sun, errp);

    if (fd < 0) {
        return -1;
    }
    /* Who listens and accepts nobody is not waited for. */
    qemu_set_blocking(fd, false);
    if (RETRY_ON_EINTR(connect(fd, (struct sockaddr *)&sun,
                               sizeof(sun))) < 0) {
        error_setg_errno(errp, errno, "Cannot connect to UNIX socket '%s'",
                         path);
        qemu_close(&fd);
        return -1;
    }
    qemu_set_blocking(fd, true);
    return fd;
}

int unix_accept(int listen_fd, Error **errp)
{
    int fd = RETRY_ON_EINTR(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC));

    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot accept a connection");
    }
    return fd;
}

static struct addrinfo *inet_resolve(const char *host, const char *port,
                                     int flags, Error **errp)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags,
    };
    struct addrinfo *found = NULL;
    int ret = getaddrinfo(host && *host ? host : NULL, port, &hints, &found);

    if (ret) {
        error_setg(errp, "Cannot resolve '%s' port '%s': %s",
                   host ? host : "", port, gai_strerror(ret));
    }
    return found;
}

static int listen_at(const struct addrinfo *ai)
{
    int one = 1;
    int fd = new_socket(ai->ai_family, 0, NULL);

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
            listen(fd, BACKLOG) < 0) {
            int err = errno;

            qemu_close(&fd);
            errno = err;
        }
    }
    return fd;
}

static int connect_to(const struct addrinfo *ai, bool pending)
{
    int fd = new_socket(ai->ai_family, pending ? SOCK_NONBLOCK : 0, NULL);

    if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 &&
        !(pending && errno == EINPROGRESS)) {
        int err = errno;

        qemu_close(&fd);
        errno = err;
    }
    return fd;
}

int inet_listen(const char *host, const char *port, Error **errp)
{
    struct addrinfo *list = inet_resolve(host, port, AI_PASSIVE, errp);
    int fd = -1;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        fd = listen_at(ai);
    }
    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot listen on '%s' port '%s'",
                         host ? host : "", port);
    }
    freeaddrinfo(list);
    return fd;
}

int inet_connect(const char *host, const char *port, bool pending,
                 Error **errp)
{
    struct addrinfo *list = inet_resolve(host, port, 0, errp);
    int fd = -1;

    if (!list) {
        return -1;
    }
    for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        fd = connect_to(ai, pending);
    }
    if (fd < 0) {
        error_setg_errno(errp, errno, "Cannot connect to '%s' port '%s'",
                         host ? host : "", port);
    }
    freeaddrinfo(list);
    return fd;
}

int socket_error(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

/* -- What a descriptor is ------------------------------------------------- */

bool fd_is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool socket_is_listening(int fd)
{
    int listening = 0;
    socklen_t len = sizeof(listening);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
           listening;
}

pid_t socket_peer_pid(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ? 0 : cred.pid;
}

bool fd_is_unix_stream(int fd, Error **errp)
{
    int domain, type;
    socklen_t len = sizeof(int);

    if (fcntl(fd, F_GETFD) < 0) {
        error_setg(errp, "Descriptor %d is not open", fd);
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        domain != AF_UNIX || type != SOCK_STREAM) {
        error_setg(errp, "Descriptor %d is not a UNIX stream socket", fd);
        return false;
    }
    return true;
}

int qemu_set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0) {
        return -errno;
    }
    flags = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_wait(int fd, short events, int ms)
{
    struct pollfd p = { fd, events, 0 };
    struct timespec ts = { ms / 1000, ms % 1000 * SCALE_MS };
    int ret = RETRY_ON_EINTR(ppoll(&p, 1, ms < 0 ? NULL : &ts, NULL));

    return ret < 0 ? -errno : p.revents;
}

/* -- Messages with descriptors -------------------------------------------- */

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* Until @fd takes more or @deadline (-1: none) is past. */
static int wait_writable(int fd, int64_t deadline)
{
    int64_t left = deadline < 0 ? -1 : MAX(deadline - now_ms(), 0);
    int ret = fd_wait(fd, POLLOUT, MIN(left, INT_MAX));

    return ret < 0 ? ret : ret == 0 ? -ETIMEDOUT : 0;
}

/* One sendmsg() that waits, up to @deadline, until it can send anything. */
static ssize_t send_some(int fd, struct msghdr *msg, int64_t deadline)
{
    for (;;) {
        ssize_t n = RETRY_ON_EINTR(sendmsg(fd, msg, MSG_NOSIGNAL |
                                                    MSG_DONTWAIT));
        int ret;

        if (n >= 0) {
            return n;
        }
        if (errno != EAGAIN) {
            return -errno;
        }
        ret = wait_writable(fd, deadline);
        if (ret < 0) {
            return ret;
        }
    }
}

/* The rest of a message, after @done bytes of it. */
static int send_rest(int fd, const struct iovec *iov, int niov, size_t done,
                     int64_t deadline)
{
    g_autofree struct iovec *copy = g_memdup2(iov, niov * sizeof(*iov));
    struct iovec *rest = copy;
    unsigned nrest = niov;

    iov_discard_front(&rest, &nrest, done);
    while (nrest) {
        struct msghdr msg = { .msg_iov = rest, .msg_iovlen = nrest };
        ssize_t n = send_some(fd, &msg, deadline);

        if (n < 0) {
            return n;
        }
        iov_discard_front(&rest, &nrest, n);
    }
    return 0;
}

int socket_send_fds(int fd, const struct iovec *iov, int niov,
                    const int *fds, int nfds, int timeout_ms)
{
    struct msghdr msg = {
        .msg_iov = (struct iovec *)iov, .msg_iovlen = niov,
    };
    size_t total = iov_size(iov, niov);
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    FdControl control;
    ssize_t n;

    if (nfds < 0 || nfds > SCM_MAX_FDS || (nfds && !total)) {
        return -EINVAL;
    }
    if (!total) {
        return 0;
    }
    if (nfds) {
        struct cmsghdr *cmsg = &control.align;
        size_t size = nfds * sizeof(int);

        memset(&control, 0, CMSG_SPACE(size));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(size);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(cmsg), fds, size);
    }
    n = send_some(fd, &msg, deadline);
    if (n < 0) {
        return n;
    }
    return n == total ? 0 : send_rest(fd, iov, niov, n, deadline);
}

/* Stores those of @msg in @fds, @room of them; returns how many came, and
 * closes what does not fit. */
static int take_fds(struct msghdr *msg, int *fds, int room)
{
    struct cmsghdr *cmsg;
    int came = 0;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        size_t n;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            if (came < room) {
                fds[came] = fd;
            } else {
                close(fd);
            }
            came++;
        }
    }
    return came;
}

ssize_t socket_recv_fds(int fd, void *buf, size_t len, int *fds, int *nfds,
                        int flags)
{
    FdControl control;
    struct iovec iov = { buf, len };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof(control),
    };
    int room = nfds ? *nfds : 0;
    int came;
    ssize_t n;

    if (nfds) {
        *nfds = 0;
    }
    n = RETRY_ON_EINTR(recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC));
    if (n < 0) {
        return -errno;
    }
    if (!msg.msg_controllen) {
        return n;
    }
    came = take_fds(&msg, fds, room);
    if (came > room || (msg.msg_flags & MSG_CTRUNC)) {
        for (int i = 0; i < MIN(came, room); i++) {
            close(fds[i]);
        }
        return -EMSGSIZE;
    }
    if (nfds) {
        *nfds = came;
    }
    return n;
}
