/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/remote/mailbox.c once more, in which the other side has its turn before
 * each access to the page.  The linker has all others call these functions
 * (--wrap in meson.build).
 */
#include "qemu/osdep.h"
#include "mailbox.h"

#define mailbox_new __wrap_mailbox_new
#define mailbox_map __wrap_mailbox_map
#define mailbox_unmap __wrap_mailbox_unmap
#define mailbox_post __wrap_mailbox_post
#define mailbox_look __wrap_mailbox_look
#define mailbox_give_up __wrap_mailbox_give_up
#define mailbox_clear __wrap_mailbox_clear
#define mailbox_take __wrap_mailbox_take
#define mailbox_answer __wrap_mailbox_answer
#define mailbox_set_awake __wrap_mailbox_set_awake

#include "hw/remote/mailbox.h"

#define __atomic_load_n(...) (fuzz_meanwhile(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...) (fuzz_meanwhile(), __atomic_store_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) \
    (fuzz_meanwhile(), __atomic_compare_exchange_n(__VA_ARGS__))

#include "../../hw/remote/mailbox.c"
