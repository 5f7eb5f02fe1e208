/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * type_init(fn): fn registers types and runs before main().  Libraries with
 * types are linked whole.
 */
#ifndef QEMU_MODULE_H
#define QEMU_MODULE_H

#define type_init(fn)                                                   \
    static void __attribute__((constructor)) do_type_init_##fn(void)    \
    {                                                                   \
        fn();                                                           \
    }

#endif
