/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads, mutexes, conditions.  A call that fails here was misused (unlocked
 * by a stranger, destroyed while in use), so it aborts with the system's word.
 */
#include "qemu/osdep.h"
#include <sys/prctl.h>
#include "qemu/thread.h"
#include "qapi/error.h"

static void must(int err, const char *call)
{
    if (unlikely(err)) {
        fprintf(stderr, "%s: %s\n", call, g_strerror(err));
        abort();
    }
}

void qemu_mutex_init(QemuMutex *mutex)
{
    must(pthread_mutex_init(&mutex->lock, NULL), "pthread_mutex_init");
}

void qemu_mutex_destroy(QemuMutex *mutex)
{
    must(pthread_mutex_destroy(&mutex->lock), "pthread_mutex_destroy");
}

void qemu_mutex_lock(QemuMutex *mutex)
{
    must(pthread_mutex_lock(&mutex->lock), "pthread_mutex_lock");
}

bool qemu_mutex_trylock(QemuMutex *mutex)
{
    int err = pthread_mutex_trylock(&mutex->lock);

    if (err != EBUSY) {
        must(err, "pthread_mutex_trylock");
    }
    return err == 0;
}

void qemu_mutex_unlock(QemuMutex *mutex)
{
    must(pthread_mutex_unlock(&mutex->lock), "pthread_mutex_unlock");
}

void qemu_cond_init(QemuCond *cond)
{
    pthread_condattr_t attr;

    /* A timed wait must not stretch when somebody sets the wall clock. */
    must(pthread_condattr_init(&attr), "pthread_condattr_init");
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC),
         "pthread_condattr_setclock");
    must(pthread_cond_init(&cond->cond, &attr), "pthread_cond_init");
    pthread_condattr_destroy(&attr);
}

void qemu_cond_destroy(QemuCond *cond)
{
    must(pthread_cond_destroy(&cond->cond), "pthread_cond_destroy");
}

void qemu_cond_signal(QemuCond *cond)
{
    must(pthread_cond_signal(&cond->cond), "pthread_cond_signal");
}

void qemu_cond_broadcast(QemuCond *cond)
{
    must(pthread_cond_broadcast(&cond->cond), "pthread_cond_broadcast");
}

void qemu_cond_wait(QemuCond *cond, QemuMutex *mutex)
{
    must(pthread_cond_wait(&cond->cond, &mutex->lock), "pthread_cond_wait");
}

bool qemu_cond_timedwait(QemuCond *cond, QemuMutex *mutex, int ms)
{
    struct timespec ts;
    int64_t ns;
    int err;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ns = ts.tv_nsec + (int64_t)MAX(ms, 0) * SCALE_MS;
    ts.tv_sec += ns / NANOSECONDS_PER_SECOND;
    ts.tv_nsec = ns % NANOSECONDS_PER_SECOND;
    err = pthread_cond_timedwait(&cond->cond, &mutex->lock, &ts);
    if (err != ETIMEDOUT) {
        must(err, "pthread_cond_timedwait");
    }
    return err == 0;
}

static void (*enter_box)(void);
static __thread bool boxed_in;  /* by itself, or as its creator is */

void qemu_thread_set_box(void (*enter)(void))
{
    enter_box = enter;
}

void qemu_thread_serve_guest(void)
{
    if (enter_box && !boxed_in) {
        enter_box();
        boxed_in = true;
    }
}

typedef struct Start {
    void *(*fn)(void *);
    void *arg;
    char comm[16];              /* the kernel's limit */
    bool boxed_in;
} Start;

/* A thread names itself: from outside that takes a file of /proc, which a
 * boxed-in process has not. */
static void *thread_start(void *opaque)
{
    Start s = *(Start *)opaque;

    g_free(opaque);
    boxed_in = s.boxed_in;
    prctl(PR_SET_NAME, s.comm, 0, 0, 0);
    return s.fn(s.arg);
}

bool qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*fn)(void *), void *arg, Error **errp)
{
    Start *start = g_new(Start, 1);
    sigset_t all, old;
    int err;

    start->fn = fn;
    start->arg = arg;
    start->boxed_in = boxed_in;
    g_strlcpy(start->comm, name, sizeof(start->comm));
    /* A thread starts with its creator's mask: signals are the main thread's,
     * but for those that a thread's own access to memory causes. */
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    must(pthread_sigmask(SIG_SETMASK, &all, &old), "pthread_sigmask");
    err = pthread_create(&thread->thread, NULL, thread_start, start);
    must(pthread_sigmask(SIG_SETMASK, &old, NULL), "pthread_sigmask");
    if (err) {
        error_setg_errno(errp, err, "Cannot start thread '%s'", name);
        g_free(start);
        return false;
    }
    return true;
}

void *qemu_thread_join(QemuThread *thread)
{
    void *result = NULL;

    must(pthread_join(thread->thread, &result), "pthread_join");
    return result;
}

bool qemu_thread_is_self(const QemuThread *thread)
{
    return pthread_equal(pthread_self(), thread->thread);
}
