/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image as the system sees it: a regular file or a block device.  Opening,
 * its alignment under O_DIRECT, the locks, and any request done at once in
 * the calling thread.
 *
 * Locks are open file description locks on single bytes, as QEMU's: byte 100
 * + p is locked (shared) by who uses permission p, byte 200 + p by who wants
 * nobody else to.
 */
#include "qemu/osdep.h"
#include "qemu/fdset.h"
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include "block/block-int.h"
#include "qemu/iov.h"
#include "qemu/map-guard.h"
#include "qemu/timer.h"

#define SECTOR 512
#define BOUNCE_SIZE (128 * KiB)
#define BOUNCE_ALIGN 4096
/* At most this much a call, so that no length overflows what takes it. */
#define MAX_TRANSFER (1 * GiB)
/* What is mapped costs the process 2 MiB of page tables a GiB. */
#define MAX_MAPPED (64 * GiB)
/* So often a write of memory goes to the kernel, which notes the time: no
 * later than its clock for files ticks. */
#define NOTE_NS SCALE_MS

/* -- Opening --------------------------------------------------------------*/

/* The block size that direct reads of @fd get along with, or 0. */
static uint32_t probe_align(int fd)
{
    static const uint32_t sizes[] = { 512, 1024, 2048, 4096 };
    uint32_t found = 0;
    void *buf = NULL;

    if (posix_memalign(&buf, BOUNCE_ALIGN, BOUNCE_ALIGN)) {
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes) && !found; i++) {
        if (RETRY_ON_EINTR(pread(fd, buf, sizes[i], 0)) >= 0) {
            found = sizes[i];
        }
    }
    free(buf);
    return found;
}

static bool set_direct(BlockFile *file, Error **errp)
{
    uint32_t align = 0, mem_align = 0;
    int sector;

    if (fcntl(file->fd, F_SETFL, fcntl(file->fd, F_GETFL) | O_DIRECT) < 0) {
        error_setg_errno(errp, errno, "Could not open '%s' for direct access "
                         "(cache.direct=on, cache=none)", file->filename);
        return false;
    }
#ifdef STATX_DIOALIGN
    struct statx stx;

    if (!statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) &&
        (stx.stx_mask & STATX_DIOALIGN)) {
        align = stx.stx_dio_offset_align;
        mem_align = stx.stx_dio_mem_align;
    }
#endif
    if (!align && file->is_device && !ioctl(file->fd, BLKSSZGET, &sector)) {
        align = sector;
    }
    if (!align) {
        align = probe_align(file->fd);
    }
    if (align < SECTOR || align > BOUNCE_ALIGN || (align & (align - 1))) {
        align = align <= SECTOR ? SECTOR : BOUNCE_ALIGN;
    }
    file->align = align;
    file->mem_align = mem_align ? MIN(mem_align, BOUNCE_ALIGN) : align;
    if (!file->read_only && file->length % align) {
        error_setg(errp, "Could not open '%s': its size is not a multiple of "
                   "%" PRIu32 ", which direct access (cache.direct=on, "
                   "cache=none) needs", file->filename, align);
        return false;
    }
    return true;
}

/* @fd: of the file, or -1 while it is not open. */
static bool check_kind(const BlockFileOptions *o, int fd, Error **errp)
{
    struct stat st;

    if ((fd < 0 ? stat(o->filename, &st) : fstat(fd, &st)) < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'", o->filename);
        return false;
    }
    if (!o->is_device && !S_ISREG(st.st_mode)) {
        error_setg(errp, "'file' driver requires '%s' to be a regular file",
                   o->filename);
        return false;
    }
    if (o->is_device && !S_ISBLK(st.st_mode)) {
        error_setg(errp, "'host_device' driver requires '%s' to be a block "
                   "device", o->filename);
        return false;
    }
    return true;
}

static bool get_length(BlockFile *file, Error **errp)
{
    uint64_t bytes = 0;
    struct stat st;

    if (file->is_device ? ioctl(file->fd, BLKGETSIZE64, &bytes) < 0
                        : fstat(file->fd, &st) < 0) {
        error_setg_errno(errp, errno, "Could not get the size of '%s'",
                         file->filename);
        return false;
    }
    if (!file->is_device) {
        bytes = st.st_size;
    }
    if (!bytes) {
        error_setg(errp, "Could not open '%s': It is empty", file->filename);
        return false;
    }
    file->length = bytes;
    return true;
}

static bool is_in_memory(const BlockFile *file)
{
    struct statfs st;

    return !file->is_device && !file->direct && fstatfs(file->fd, &st) == 0 &&
           st.f_type == TMPFS_MAGIC;
}

/*
 * What is in memory can be mapped, and be read and written without a system
 * call.  Only if nothing of it is a hole: to read one would fill it.
 */
static void map_memory(BlockFile *file)
{
    int prot = PROT_READ | (file->read_only ? 0 : PROT_WRITE);
    struct stat st;
    void *map;

    if (file->bytes > MAX_MAPPED || fstat(file->fd, &st) < 0 ||
        (uint64_t)st.st_blocks * 512 < file->bytes) {
        return;
    }
    map = mmap(NULL, file->bytes, prot, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED) {
        return;
    }
    madvise(map, file->bytes, MADV_DONTDUMP);
    map_guard_init(NULL);
    file->map_guard = map_guard_new(map, file->bytes, file->fd, NULL);
    if (!file->map_guard) {
        munmap(map, file->bytes);
        return;
    }
    file->map = map;
}

static void unmap_memory(BlockFile *file)
{
    if (file->map) {
        map_guard_free(file->map_guard);
        munmap(file->map, file->bytes);
        file->map = NULL;
    }
}

BlockFile *block_file_open(const BlockFileOptions *o, Error **errp)
{
    BlockFile *file;
    int flags;

    /* Looks before it opens: opening a FIFO waits. */
    if (!qemu_is_fdset(o->filename) && !check_kind(o, -1, errp)) {
        return NULL;
    }
    file = g_new0(BlockFile, 1);
    file->filename = g_strdup(o->filename);
    file->is_device = o->is_device;
    file->read_only = o->read_only;
    file->direct = o->direct;
    file->no_flush = o->no_flush;
    file->locking = o->locking;
    file->aio = o->aio;
    file->align = file->mem_align = 1;
    file->slot = -1;

    flags = o->read_only ? O_RDONLY : O_RDWR;
    file->fd = qemu_open(o->filename, flags, 0);
    if (file->fd < 0 && o->auto_read_only && !o->read_only &&
        (errno == EACCES || errno == EPERM || errno == EROFS)) {
        file->read_only = true;
        file->fd = qemu_open(o->filename, O_RDONLY, 0);
    }
    if (file->fd < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'", o->filename);
        goto fail;
    }
    if (!check_kind(o, file->fd, errp) || !get_length(file, errp)) {
        goto fail;
    }
    if (file->direct && !set_direct(file, errp)) {
        goto fail;
    }
    file->bytes = file->length;
    file->in_memory = is_in_memory(file);
    if (file->in_memory && !o->discard) {
        map_memory(file);
    }
    file->length = ROUND_UP(file->length, (uint64_t)SECTOR);
    return file;

fail:
    block_file_close(file);
    return NULL;
}

void block_file_close(BlockFile *file)
{
    if (!file) {
        return;
    }
    unmap_memory(file);
    if (file->fd >= 0) {
        block_file_unlock(file);
        qemu_close(&file->fd);
    }
    g_free(file->filename);
    g_free(file);
}

/* -- Locks ----------------------------------------------------------------*/

#define LOCK_USED 100
#define LOCK_NOT_SHARED 200
#define LOCK_RETRY_US 2000

/* Permissions, by their number in QEMU's locks. */
enum {
    PERM_CONSISTENT_READ,
    PERM_WRITE,
    PERM_WRITE_UNCHANGED,
    PERM_RESIZE,
    PERM_MAX,
};

static const char *const perm_names[PERM_MAX] = {
    "consistent read", "write", "write unchanged", "resize",
};

static bool lock_byte(int fd, off_t byte, off_t len, short type)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = len };

    return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

static bool locked_by_other(int fd, off_t byte)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
                       .l_start = byte, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* With @last, an error says why not. */
static bool try_lock(BlockFile *file, bool write, bool last, Error **errp)
{
    unsigned used = 1 << PERM_CONSISTENT_READ | (write ? 1 << PERM_WRITE : 0);
    unsigned not_shared = 1 << PERM_WRITE | 1 << PERM_RESIZE;
    const char *how = NULL;
    unsigned p;

    for (p = 0; p < PERM_MAX; p++) {
        if (((used >> p & 1) &&
             !lock_byte(file->fd, LOCK_USED + p, 1, F_RDLCK)) ||
            ((not_shared >> p & 1) &&
             !lock_byte(file->fd, LOCK_NOT_SHARED + p, 1, F_RDLCK))) {
            /* A file system without locks: upstream goes on, too. */
            block_file_unlock(file);
            return true;
        }
    }
    for (p = 0; p < PERM_MAX; p++) {
        if ((used >> p & 1) &&
            locked_by_other(file->fd, LOCK_NOT_SHARED + p)) {
            how = "";
            break;
        }
        if ((not_shared >> p & 1) &&
            locked_by_other(file->fd, LOCK_USED + p)) {
            how = "shared ";
            break;
        }
    }
    if (how) {
        block_file_unlock(file);
    }
    if (how && last) {
        error_setg(errp, "Failed to get %s\"%s\" lock", how, perm_names[p]);
        error_append_hint(errp, "Is another process using the image [%s]?\n",
                          file->filename);
    }
    return !how;
}

unsigned blk_lock_wait_ms;

bool block_file_lock(BlockFile *file, bool write, Error **errp)
{
    int64_t end = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + blk_lock_wait_ms;
    bool last = !blk_lock_wait_ms;

    if (!file->locking) {
        return true;
    }
    while (!try_lock(file, write, last, errp)) {
        if (last) {
            return false;
        }
        g_usleep(LOCK_RETRY_US);
        last = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) >= end;
    }
    return true;
}

void block_file_unlock(BlockFile *file)
{
    lock_byte(file->fd, LOCK_USED, PERM_MAX, F_UNLCK);
    lock_byte(file->fd, LOCK_NOT_SHARED, PERM_MAX, F_UNLCK);
}

/* -- Requests ------------------------------------------------------------- */

const struct iovec *block_req_rest(BlockRequest *req, unsigned *n)
{
    uint64_t skip = req->progress;
    unsigned i = 0;

    if (!skip && req->niov <= IOV_MAX && req->bytes <= MAX_TRANSFER) {
        *n = req->niov;
        return req->iov;
    }
    while (skip >= req->iov[i].iov_len) {
        skip -= req->iov[i++].iov_len;
    }
    if (skip || req->bytes - req->progress > MAX_TRANSFER) {
        /* One element, so that what follows begins with a whole one. */
        req->cut.iov_base = (char *)req->iov[i].iov_base + skip;
        req->cut.iov_len = MIN(req->iov[i].iov_len - skip, MAX_TRANSFER);
        *n = 1;
        return &req->cut;
    }
    *n = MIN(req->niov - i, IOV_MAX);
    return req->iov + i;
}

/* The file ends before the request does. */
static void zero_rest(BlockRequest *req)
{
    iov_memset(req->iov, req->niov, req->progress, 0,
               req->bytes - req->progress);
    req->progress = req->bytes;
}

int block_req_advance(BlockRequest *req, ssize_t n)
{
    bool odd;

    if (n < 0) {
        /* Cancelled: the thread that had submitted it to a ring ended. */
        return n == -EINTR || n == -EAGAIN || n == -ECANCELED ? 1 : n;
    }
    if (req->op == BLK_FLUSH) {
        return 0;
    }
    req->progress += n;
    if (req->progress >= req->bytes) {
        return 0;
    }
    odd = n % req->blk->file->align;
    if (req->op == BLK_READ && (n == 0 || odd)) {
        zero_rest(req);
        return 0;
    }
    return n == 0 || odd ? -EIO : 1;
}

static ssize_t pwrite_flags(BlockRequest *req, const struct iovec *iov,
                            unsigned n, uint64_t offset)
{
    int flags = req->how & HOW_FUA ? RWF_DSYNC : 0;

    return pwritev2(req->blk->file->fd, iov, n, offset, flags);
}

static int transfer(BlockRequest *req)
{
    int fd = req->blk->file->fd;
    const struct iovec *iov;
    unsigned niov;
    ssize_t n;
    int more;

    do {
        iov = block_req_rest(req, &niov);
        if (req->op == BLK_READ) {
            n = preadv(fd, iov, niov, req->offset + req->progress);
        } else {
            n = pwrite_flags(req, iov, niov, req->offset + req->progress);
        }
        more = block_req_advance(req, n < 0 ? -errno : n);
    } while (more > 0);
    return more;
}

bool block_file_copy(BlockRequest *req, int64_t now_ns)
{
    BlockFile *file = req->blk->file;

    if (!file->map || req->offset > file->bytes ||
        req->bytes > file->bytes - req->offset) {
        return false;
    }
    if (req->op == BLK_READ) {
        iov_from_buf(req->iov, req->niov, 0, file->map + req->offset,
                     req->bytes);
    } else if (now_ns - file->noted_ns >= NOTE_NS || (req->how & HOW_FUA)) {
        file->noted_ns = now_ns;
        return false;
    } else {
        iov_to_buf(req->iov, req->niov, 0, file->map + req->offset,
                   req->bytes);
    }
    if (map_guard_lost(file->map_guard)) {
        /* The kernel knows what is left of the file. */
        unmap_memory(file);
        return false;
    }
    return true;
}

/* All of [@offset, @offset + @bytes) into @buf, zeroes behind the end. */
static int read_block(BlockFile *file, uint8_t *buf, uint64_t offset,
                      size_t bytes)
{
    size_t got = 0;
    ssize_t n;

    while (got < bytes) {
        n = RETRY_ON_EINTR(pread(file->fd, buf + got, bytes - got,
                                 offset + got));
        if (n < 0) {
            return -errno;
        }
        got += n;
        if (n == 0 || n % file->align) {
            memset(buf + got, 0, bytes - got);
            break;
        }
    }
    return 0;
}

static int write_block(BlockRequest *req, uint8_t *buf, uint64_t offset,
                       size_t bytes)
{
    struct iovec iov = { buf, bytes };
    ssize_t n;

    while (iov.iov_len) {
        n = RETRY_ON_EINTR(pwrite_flags(req, &iov, 1, offset));
        if (n < 0) {
            return -errno;
        }
        if (n == 0 || n % req->blk->file->align) {
            return -EIO;
        }
        iov.iov_base = (char *)iov.iov_base + n;
        iov.iov_len -= n;
        offset += n;
    }
    return 0;
}

static void *get_bounce(void **bounce)
{
    if (!*bounce && posix_memalign(bounce, BOUNCE_ALIGN, BOUNCE_SIZE)) {
        *bounce = NULL;
    }
    return *bounce;
}

/*
 * By way of an aligned buffer, a window at a time.  A write that covers a
 * window in part reads it first, which is why it runs alone.
 */
static int transfer_bounced(BlockRequest *req, void **bounce)
{
    BlockFile *file = req->blk->file;
    uint32_t align = req->how & HOW_GUARD ? MAX(file->align, SECTOR)
                                          : file->align;
    uint8_t *buf = get_bounce(bounce);
    int ret = 0;

    if (!buf) {
        return -ENOMEM;
    }
    while (!ret && req->progress < req->bytes) {
        uint64_t at = req->offset + req->progress;
        uint64_t start = QEMU_ALIGN_DOWN(at, align);
        uint64_t end = MIN(ROUND_UP(req->offset + req->bytes, align),
                           start + BOUNCE_SIZE);
        size_t part = MIN(end, req->offset + req->bytes) - at;

        if (req->op == BLK_READ || at != start || at + part != end) {
            ret = read_block(file, buf, start, end - start);
            if (ret) {
                break;
            }
        }
        switch (req->op) {
        case BLK_READ:
            iov_from_buf(req->iov, req->niov, req->progress,
                         buf + (at - start), part);
            break;
        case BLK_WRITE:
            iov_to_buf(req->iov, req->niov, req->progress,
                       buf + (at - start), part);
            break;
        default:
            memset(buf + (at - start), 0, part);
            break;
        }
        if (req->op != BLK_READ) {
            if ((req->how & HOW_GUARD) && start == 0 &&
                block_format_probe(buf, MIN(end, SECTOR), NULL, 0)) {
                return -EPERM;
            }
            ret = write_block(req, buf, start, end - start);
        }
        req->progress += part;
    }
    return ret;
}

static int flush(BlockFile *file)
{
    return RETRY_ON_EINTR(fdatasync(file->fd)) < 0 ? -errno : 0;
}

/* Advice: who cannot follow it has done no wrong. */
static int discard(BlockRequest *req)
{
    BlockFile *file = req->blk->file;
    uint64_t range[2] = { req->offset, req->bytes };
    int r;

    if (file->is_device) {
        r = RETRY_ON_EINTR(ioctl(file->fd, BLKDISCARD, range));
    } else {
        r = RETRY_ON_EINTR(fallocate(file->fd, FALLOC_FL_PUNCH_HOLE |
                                     FALLOC_FL_KEEP_SIZE, req->offset,
                                     req->bytes));
    }
    if (r < 0) {
        return errno == EOPNOTSUPP || errno == EINVAL || errno == ENOTTY ||
               errno == ENOSYS ? 0 : -errno;
    }
    return 0;
}

/* fallocate() zeroes block devices, too. */
static int write_zeroes(BlockRequest *req, void **bounce)
{
    static const int modes[] = {
        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
    };
    BlockFile *file = req->blk->file;
    bool may_unmap = req->blk->discard && (req->flags & BLK_REQ_MAY_UNMAP);

    for (unsigned i = may_unmap ? 0 : 1; i < ARRAY_SIZE(modes); i++) {
        if (RETRY_ON_EINTR(fallocate(file->fd, modes[i], req->offset,
                                     req->bytes)) == 0) {
            return req->how & HOW_FUA ? flush(file) : 0;
        }
        if (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS) {
            return -errno;
        }
    }
    return transfer_bounced(req, bounce);
}

int block_file_do(BlockRequest *req, void **bounce)
{
    int ret;

    switch (req->op) {
    case BLK_READ:
    case BLK_WRITE:
        if (req->how & HOW_BOUNCE) {
            return transfer_bounced(req, bounce);
        }
        return transfer(req);
    case BLK_FLUSH:
        return flush(req->blk->file);
    case BLK_DISCARD:
        ret = discard(req);
        return ret == 0 && (req->how & HOW_FUA) ? flush(req->blk->file) : ret;
    case BLK_WRITE_ZEROES:
        return write_zeroes(req, bounce);
    default:
        return -EINVAL;
    }
}
