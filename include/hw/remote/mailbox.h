/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mailbox of a link: a page that both processes map, through which one
 * request and its answer pass without a system call while both are awake
 * (docs/interop/mpqemu.md).
 *
 * Neither side believes what it finds: a request is copied out before it is
 * checked, and a state that the other side cannot have left ends the link.
 */
#ifndef HW_REMOTE_MAILBOX_H
#define HW_REMOTE_MAILBOX_H

#include "hw/remote/mpqemu-link.h"

typedef struct Mailbox Mailbox;

/**
 * mailbox_new - the proxy's.
 * @fd: set to its memfd, sealed against any change of size; the caller's
 *
 * NULL with @errp: no descriptors or memory left.  Any thread.
 */
Mailbox *mailbox_new(int *fd, Error **errp);
/* The device's view of one that was received; @fd stays the caller's.  NULL
 * with @errp: it is no memory of this size that is sealed against shrinking. */
Mailbox *mailbox_map(int fd, Error **errp);
/* NULL is ignored. */
void mailbox_unmap(Mailbox *mb);

/* -- The proxy's side, one thread at a time ------------------------------- */

/* Leaves @msg, a request of at most 24 bytes of payload.  False: the device's
 * thread sleeps, or soon will, and the request is for the socket. */
bool mailbox_post(Mailbox *mb, const MPQemuMsg *msg);
/* 1 with @value, the answer; 0: not yet; -EPROTO: nonsense. */
int mailbox_look(Mailbox *mb, uint64_t *value);
/**
 * mailbox_give_up - waits no longer.
 * Returns as mailbox_look(), or -ECANCELED: the request was not looked at and is
 * taken back; -EINPROGRESS: its answer will come by the socket, after which the
 * caller calls mailbox_clear().
 */
int mailbox_give_up(Mailbox *mb, uint64_t *value);
void mailbox_clear(Mailbox *mb);

/* -- The device's side, the thread of the link ---------------------------- */

/* True with @msg, as received: nothing of it is checked. */
bool mailbox_take(Mailbox *mb, MPQemuMsg *msg);
/* 1: done; 0: the answer has to go by the socket; -EPROTO: nonsense. */
int mailbox_answer(Mailbox *mb, uint64_t value);
/* Says whether the thread looks into the mailbox from now on.  False: it does
 * not look but something is in it, so the thread must not sleep. */
bool mailbox_set_awake(Mailbox *mb, bool awake);

#endif
