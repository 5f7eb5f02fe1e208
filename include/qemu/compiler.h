/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between compilers, and names for their attributes. */
#ifndef QEMU_COMPILER_H
#define QEMU_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define QEMU_PACKED __attribute__((packed))
#define QEMU_ALIGNED(n) __attribute__((aligned(n)))
#define QEMU_BUILD_BUG_ON(x) _Static_assert(!(x), "not expecting: " #x)

#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))

#define type_check(t1, t2) \
    (0 * sizeof(char[__builtin_types_compatible_p(t1, t2) ? 1 : -1]))

#endif
