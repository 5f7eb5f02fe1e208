/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, writes and flushes by io_uring (liburing, Linux 5.6 or newer): one
 * ring a context.  Results are seen in the ring's memory while the context
 * spins, and make its descriptor readable while it sleeps.
 *
 * A context with a thread of its own is the only one to enter its ring, so
 * the kernel need not interrupt it to complete a request (COOP_TASKRUN): the
 * flag IORING_SQ_TASKRUN tells when it has to fetch results.  The main loop's
 * ring is entered by whoever holds the big lock, and does without.
 * SINGLE_ISSUER would make a ring die with its first thread, and a boxed-in
 * process gets no other; DEFER_TASKRUN needs it.
 *
 * What goes through a ring is seen by no filter of system calls.  So a ring is
 * restricted, before its first use and for ever, to what is done here.
 */
#include "qemu/osdep.h"
#include "block/block-int.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"

#ifdef CONFIG_LINUX_IO_URING
#include <liburing.h>
#include <sys/syscall.h>

#define ENTRIES 256
#define FILES 32

struct BlockRing {
    struct io_uring ring;
    BlockEngine *engine;
    bool shared;                /* by the threads that hold the big lock */
    bool enabled;
    bool closed;                /* there is no ring */
    bool broken;                /* the kernel refuses it: the pool does all */
    uint64_t owner;             /* the thread that uses it, unless shared */
    unsigned in_flight;
    bool have_files;
    BlockFile *files[FILES];
};

/* A number that no other thread has or had: pthread_self() and the system's
 * are given again. */
static uint64_t this_thread(void)
{
    static uint64_t last;
    static __thread uint64_t id;

    if (unlikely(!id)) {
        id = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    }
    return id;
}

static bool ring_poll(void *opaque)
{
    return block_ring_reap(opaque);
}

static void ring_readable(void *opaque)
{
    block_ring_reap(opaque);
}

/* What not every liburing exports a function for. */
static int ring_register(BlockRing *r, unsigned op, void *arg, unsigned n)
{
    return syscall(__NR_io_uring_register, r->ring.ring_fd, op, arg, n) < 0
           ? -errno : 0;
}

/* Nothing but what prepare(), file_slot() and block_ring_forget() ask for. */
static int ring_restrict(BlockRing *r)
{
    struct io_uring_restriction only[] = {
        { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READ },
        { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV },
        { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITE },
        { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV },
        { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC },
        { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
          .sqe_flags = IOSQE_FIXED_FILE },
        { .opcode = IORING_RESTRICTION_REGISTER_OP,
          .register_op = IORING_REGISTER_FILES_UPDATE },
    };

    return ring_register(r, IORING_REGISTER_RESTRICTIONS, only,
                         ARRAY_SIZE(only));
}

/* The best that this kernel has; the last is for those before 5.10. */
static int ring_setup(BlockRing *r)
{
    static const unsigned flags[] = {
        IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_R_DISABLED,
        0,
    };
    int ret = -EINVAL;

    r->closed = true;
    for (unsigned i = r->shared ? 1 : 0;
         i < ARRAY_SIZE(flags) && ret == -EINVAL; i++) {
        ret = io_uring_queue_init(ENTRIES, &r->ring, flags[i]);
    }
    if (ret < 0) {
        return ret;
    }
    r->have_files = io_uring_register_files_sparse(&r->ring, FILES) == 0;
    if (r->ring.flags & IORING_SETUP_R_DISABLED) {
        ret = ring_restrict(r);
        if (ret < 0) {
            io_uring_queue_exit(&r->ring);
            return ret;
        }
    }
    r->closed = false;
    aio_set_fd_handler(r->engine->ctx, r->ring.ring_fd, ring_readable, NULL,
                       ring_poll, r);
    return 0;
}

static void ring_close(BlockRing *r)
{
    if (r->closed) {
        return;
    }
    r->closed = true;
    aio_set_fd_handler(r->engine->ctx, r->ring.ring_fd, NULL, NULL, NULL,
                       NULL);
    for (unsigned i = 0; i < FILES; i++) {
        if (r->files[i]) {
            r->files[i]->slot = -1;
            r->files[i] = NULL;
        }
    }
    io_uring_queue_exit(&r->ring);
}

bool block_ring_available(void)
{
    static gsize known;         /* 1: no, 2: yes */
    struct io_uring ring;

    if (g_once_init_enter(&known)) {
        bool ok = io_uring_queue_init(1, &ring, 0) == 0;

        if (ok) {
            struct io_uring_probe *p = io_uring_get_probe_ring(&ring);

            ok = p && io_uring_opcode_supported(p, IORING_OP_WRITE);
            io_uring_free_probe(p);
            io_uring_queue_exit(&ring);
        }
        g_once_init_leave(&known, ok ? 2 : 1);
    }
    return known == 2;
}

BlockRing *block_ring_new(BlockEngine *e, Error **errp)
{
    BlockRing *r = g_new0(BlockRing, 1);
    int ret;

    if (!block_ring_available()) {
        error_setg(errp, "The system does not allow io_uring");
        g_free(r);
        return NULL;
    }
    r->engine = e;
    r->shared = e->ctx == qemu_get_aio_context();
    ret = ring_setup(r);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "Cannot set up io_uring");
        g_free(r);
        return NULL;
    }
    return r;
}

void block_ring_free(BlockRing *r)
{
    ring_close(r);
    g_free(r);
}

/* The first use. */
static bool ring_enable(BlockRing *r)
{
    if ((r->ring.flags & IORING_SETUP_R_DISABLED) &&
        ring_register(r, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0) {
        return false;
    }
    r->owner = this_thread();
    r->enabled = true;
    return true;
}

/* Its thread has ended. */
static bool orphaned(BlockRing *r)
{
    return r->enabled && !r->shared && r->owner != this_thread();
}

/*
 * Whether this thread may use the ring now.  When the thread before it has
 * ended, the ring is this one's once the kernel has handed back what was in
 * flight.
 */
static bool ring_usable(BlockRing *r)
{
    if (r->broken) {
        return false;
    }
    if (r->enabled && !orphaned(r)) {
        return true;
    }
    if (r->enabled) {
        if (r->in_flight) {
            return false;
        }
        r->owner = this_thread();
        return true;
    }
    r->broken = !ring_enable(r);
    return !r->broken;
}

/* -1: not in the table, use the descriptor itself. */
static int file_slot(BlockRing *r, BlockFile *file)
{
    if (file->slot >= 0 || !r->have_files) {
        return file->slot;
    }
    for (int i = 0; i < FILES; i++) {
        if (!r->files[i]) {
            if (io_uring_register_files_update(&r->ring, i, &file->fd,
                                               1) == 1) {
                r->files[i] = file;
                file->slot = i;
            }
            break;
        }
    }
    return file->slot;
}

void block_ring_forget(BlockRing *r, BlockFile *file)
{
    int none = -1;

    if (file->slot < 0) {
        return;
    }
    /* Another thread may not; then the next file takes the slot over. */
    io_uring_register_files_update(&r->ring, file->slot, &none, 1);
    r->files[file->slot] = NULL;
    file->slot = -1;
}

static void prepare(struct io_uring_sqe *sqe, BlockRequest *req, int fd)
{
    uint64_t offset = req->offset + req->progress;
    const struct iovec *iov;
    unsigned n;

    if (req->op == BLK_FLUSH) {
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        return;
    }
    iov = block_req_rest(req, &n);
    if (req->op == BLK_READ) {
        if (n == 1) {
            io_uring_prep_read(sqe, fd, iov->iov_base, iov->iov_len, offset);
        } else {
            io_uring_prep_readv(sqe, fd, iov, n, offset);
        }
        return;
    }
    if (n == 1) {
        io_uring_prep_write(sqe, fd, iov->iov_base, iov->iov_len, offset);
    } else {
        io_uring_prep_writev(sqe, fd, iov, n, offset);
    }
    if (req->how & HOW_FUA) {
        sqe->rw_flags = RWF_DSYNC;
    }
}

bool block_ring_add(BlockRing *r, BlockRequest *req)
{
    BlockFile *file = req->blk->file;
    struct io_uring_sqe *sqe;
    int slot;

    if (!ring_usable(r)) {
        if (!r->broken) {
            return false;
        }
        req->how |= HOW_POOL;
        return true;            /* still in the queue */
    }
    /* More results than it has room for would cost the kernel memory. */
    if (r->in_flight >= *r->ring.cq.kring_entries) {
        return false;
    }
    sqe = io_uring_get_sqe(&r->ring);
    if (!sqe) {
        io_uring_submit(&r->ring);
        sqe = io_uring_get_sqe(&r->ring);
        if (!sqe) {
            return false;
        }
    }
    QTAILQ_REMOVE(&r->engine->queue, req, link);
    slot = file_slot(r, file);
    prepare(sqe, req, slot >= 0 ? slot : file->fd);
    if (slot >= 0) {
        sqe->flags |= IOSQE_FIXED_FILE;
    }
    io_uring_sqe_set_data(sqe, req);
    r->in_flight++;
    return true;
}

/* What the kernel has not taken goes back, for the pool. */
static void take_back(BlockRing *r)
{
    struct io_uring_sq *sq = &r->ring.sq;
    unsigned i = sq->sqe_tail;

    while (i-- != *sq->khead) {
        BlockRequest *req =
            (void *)(uintptr_t)sq->sqes[i & *sq->kring_mask].user_data;

        req->how |= HOW_POOL;
        r->in_flight--;
        block_engine_requeue(r->engine, req);
    }
}

bool block_ring_is_behind(BlockRing *r)
{
    return !r->closed && !r->broken && io_uring_sq_ready(&r->ring);
}

bool block_ring_submit(BlockRing *r)
{
    int ret;

    if (!block_ring_is_behind(r)) {
        return true;
    }
    ret = io_uring_submit(&r->ring);
    if (ret >= 0 || ret == -EAGAIN || ret == -EBUSY || ret == -EINTR) {
        if (block_ring_is_behind(r)) {
            qemu_bh_schedule(r->engine->bh);        /* soon again */
        }
        return true;
    }
    warn_report("io_uring is refused now (%s); going on with threads",
                g_strerror(-ret));
    r->broken = true;
    take_back(r);
    return false;
}

bool block_ring_reap(BlockRing *r)
{
    unsigned budget = ENTRIES;
    struct io_uring_cqe *cqe;
    int64_t now = 0;
    bool any = false;

    if (r->closed) {
        return false;
    }
    while (budget-- && io_uring_peek_cqe(&r->ring, &cqe) == 0) {
        BlockRequest *req = io_uring_cqe_get_data(cqe);
        int ret = cqe->res;

        io_uring_cqe_seen(&r->ring, cqe);
        r->in_flight--;
        any = true;
        if (ret == -EFAULT && orphaned(r)) {
            ret = -ECANCELED;   /* it was in the act when its thread ended */
        }
        ret = block_req_advance(req, ret);
        if (ret > 0) {
            block_engine_requeue(r->engine, req);
            continue;
        }
        if (!now) {
            now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        }
        block_engine_done(r->engine, req, ret, now);
    }
    return any;
}

int block_ring_fd(BlockRing *r)
{
    return r->closed ? -1 : r->ring.ring_fd;
}

#else /* !CONFIG_LINUX_IO_URING */

bool block_ring_available(void)
{
    return false;
}

BlockRing *block_ring_new(BlockEngine *e, Error **errp)
{
    error_setg(errp, "io_uring was not built in");
    return NULL;
}

/* No ring, nothing to do with it. */
void block_ring_free(BlockRing *r)
{
}

bool block_ring_add(BlockRing *r, BlockRequest *req)
{
    return false;
}

bool block_ring_submit(BlockRing *r)
{
    return true;
}

bool block_ring_reap(BlockRing *r)
{
    return false;
}

int block_ring_fd(BlockRing *r)
{
    return -1;
}

bool block_ring_is_behind(BlockRing *r)
{
    return false;
}

void block_ring_forget(BlockRing *r, BlockFile *file)
{
}
#endif
