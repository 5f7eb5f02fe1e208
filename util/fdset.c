/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of descriptors, and opening by name what may be one of them. */
#include "qemu/osdep.h"
#include "qemu/fdset.h"

#define FDSET_PATH "/dev/fdset/"
#define CHANGEABLE (O_APPEND | O_DIRECT | O_NONBLOCK)

static GArray *members;         /* by set, then in order of addition */

static bool set_exists(int64_t set)
{
    const FdSetMember *m;

    for (unsigned i = 0; (m = fdset_member(i)); i++) {
        if (m->set == set) {
            return true;
        }
    }
    return false;
}

const FdSetMember *fdset_member(unsigned i)
{
    return members && i < members->len
        ? &g_array_index(members, FdSetMember, i) : NULL;
}

bool fdset_add(int fd, int64_t *set, const char *opaque, Error **errp)
{
    FdSetMember m = { .fd = fd };
    unsigned at = 0;

    if (*set < -1) {
        error_setg(errp, "Parameter 'fdset-id' expects a non-negative value");
        return false;
    }
    if (!members) {
        members = g_array_new(false, false, sizeof(FdSetMember));
    }
    if (*set == -1) {
        for (*set = 0; set_exists(*set); ) {
            (*set)++;
        }
    }
    m.set = *set;
    m.opaque = g_strdup(opaque);
    while (at < members->len && fdset_member(at)->set <= m.set) {
        at++;
    }
    g_array_insert_val(members, at, m);
    return true;
}

bool fdset_remove(int64_t set, int fd)
{
    bool found = false;

    for (unsigned i = 0; members && i < members->len; ) {
        FdSetMember *m = &g_array_index(members, FdSetMember, i);

        if (m->set != set || (fd >= 0 && m->fd != fd)) {
            i++;
            continue;
        }
        found = true;
        close(m->fd);
        g_free(m->opaque);
        g_array_remove_index(members, i);
    }
    return found;
}

static int fdset_open(int64_t set, int flags)
{
    const FdSetMember *m;

    for (unsigned i = 0; (m = fdset_member(i)); i++) {
        int has = m->set == set ? fcntl(m->fd, F_GETFL) : -1;
        int fd;

        if (has < 0 || (has & O_ACCMODE) != (flags & O_ACCMODE)) {
            continue;
        }
        fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0 && (has ^ flags) & CHANGEABLE &&
            fcntl(fd, F_SETFL, (has & ~CHANGEABLE) | (flags & CHANGEABLE))) {
            int err = errno;

            qemu_close(&fd);
            errno = err;
        }
        return fd;
    }
    errno = set_exists(set) ? EACCES : ENOENT;
    return -1;
}

bool qemu_is_fdset(const char *path)
{
    return g_str_has_prefix(path, FDSET_PATH);
}

int qemu_open(const char *path, int flags, mode_t mode)
{
    uint64_t set;

    if (!qemu_is_fdset(path)) {
        return RETRY_ON_EINTR(open(path, flags | O_CLOEXEC, mode));
    }
    if (!g_ascii_string_to_unsigned(path + strlen(FDSET_PATH), 10, 0,
                                    INT64_MAX, &set, NULL)) {
        errno = EINVAL;
        return -1;
    }
    return fdset_open(set, flags);
}
