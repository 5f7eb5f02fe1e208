/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads, mutexes, conditions on POSIX threads (which the thread sanitizer
 * understands), and the big lock of the main process.
 */
#ifndef QEMU_THREAD_H
#define QEMU_THREAD_H

#include <pthread.h>

typedef struct QemuMutex {
    pthread_mutex_t lock;
} QemuMutex;

typedef struct QemuCond {
    pthread_cond_t cond;
} QemuCond;

typedef struct QemuThread {
    pthread_t thread;
} QemuThread;

void qemu_mutex_init(QemuMutex *mutex);
void qemu_mutex_destroy(QemuMutex *mutex);
void qemu_mutex_lock(QemuMutex *mutex);
bool qemu_mutex_trylock(QemuMutex *mutex);      /* true: locked */
void qemu_mutex_unlock(QemuMutex *mutex);

void qemu_cond_init(QemuCond *cond);
void qemu_cond_destroy(QemuCond *cond);
void qemu_cond_signal(QemuCond *cond);
void qemu_cond_broadcast(QemuCond *cond);
void qemu_cond_wait(QemuCond *cond, QemuMutex *mutex);
/* Returns false when @ms milliseconds of the monotonic clock have passed. */
bool qemu_cond_timedwait(QemuCond *cond, QemuMutex *mutex, int ms);

/**
 * qemu_thread_create - start a thread with all signals blocked.
 * @name: at most 15 characters, seen in ps and top
 * @fn: its function, called with @arg
 *
 * Returns false with @errp set when the system refuses.  Every thread must be
 * joined.
 */
bool qemu_thread_create(QemuThread *thread, const char *name,
                        void *(*fn)(void *), void *arg, Error **errp);
void *qemu_thread_join(QemuThread *thread);
bool qemu_thread_is_self(const QemuThread *thread);

/**
 * qemu_thread_serve_guest - from here on this thread does what a guest causes.
 *
 * What "-sandbox on" takes from such threads of a main process is gone for it
 * and for those that it makes; otherwise nothing happens.
 */
void qemu_thread_serve_guest(void);
/* What that is; before the first thread. */
void qemu_thread_set_box(void (*enter)(void));

/* Scoped locking: QEMU_LOCK_GUARD(&m); until the end of the block. */
static inline QemuMutex *qemu_lock_guard_enter(QemuMutex *m)
{
    qemu_mutex_lock(m);
    return m;
}
static inline void qemu_lock_guard_leave(QemuMutex **m)
{
    qemu_mutex_unlock(*m);
}
#define QEMU_LOCK_GUARD(m)                                              \
    __attribute__((cleanup(qemu_lock_guard_leave), unused))             \
    QemuMutex *G_PASTE(guard_, __COUNTER__) = qemu_lock_guard_enter(m)

#endif
