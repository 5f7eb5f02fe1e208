/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intrusive lists: the C library's, under the names used here, and loops in
 * which the element may be removed. */
#ifndef QEMU_QUEUE_H
#define QEMU_QUEUE_H

#include <sys/queue.h>

#define QTAILQ_HEAD(name, type) TAILQ_HEAD(name, type)
#define QTAILQ_ENTRY(type) TAILQ_ENTRY(type)
#define QTAILQ_HEAD_INITIALIZER(h) TAILQ_HEAD_INITIALIZER(h)
#define QTAILQ_INIT TAILQ_INIT
#define QTAILQ_EMPTY TAILQ_EMPTY
#define QTAILQ_FIRST TAILQ_FIRST
#define QTAILQ_LAST TAILQ_LAST
#define QTAILQ_NEXT TAILQ_NEXT
#define QTAILQ_INSERT_HEAD TAILQ_INSERT_HEAD
#define QTAILQ_INSERT_TAIL TAILQ_INSERT_TAIL
#define QTAILQ_INSERT_BEFORE TAILQ_INSERT_BEFORE
#define QTAILQ_INSERT_AFTER TAILQ_INSERT_AFTER
#define QTAILQ_REMOVE TAILQ_REMOVE
#define QTAILQ_FOREACH TAILQ_FOREACH
#define QTAILQ_FOREACH_SAFE(var, head, field, next)                     \
    for ((var) = TAILQ_FIRST(head);                                     \
         (var) && ((next) = TAILQ_NEXT(var, field), 1); (var) = (next))

#define QLIST_HEAD(name, type) LIST_HEAD(name, type)
#define QLIST_ENTRY(type) LIST_ENTRY(type)
#define QLIST_INIT LIST_INIT
#define QLIST_EMPTY LIST_EMPTY
#define QLIST_FIRST LIST_FIRST
#define QLIST_NEXT LIST_NEXT
#define QLIST_INSERT_HEAD LIST_INSERT_HEAD
#define QLIST_REMOVE LIST_REMOVE
#define QLIST_FOREACH LIST_FOREACH
#define QLIST_FOREACH_SAFE(var, head, field, next)                      \
    for ((var) = LIST_FIRST(head);                                      \
         (var) && ((next) = LIST_NEXT(var, field), 1); (var) = (next))

#endif
