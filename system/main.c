/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: all that it does before its main loop is qemu_init()'s. */
#include "qemu/osdep.h"
#include "block/block.h"
#include "chardev/char.h"
#include "monitor/monitor.h"
#include "system/runstate.h"
#include "system/system.h"

int main(int argc, char **argv)
{
    int status;

    if (!qemu_init(argc, argv)) {
        return 1;
    }
    status = qemu_main_loop();
    blk_unlock_all();
    monitor_flush_events();
    qemu_chr_cleanup();
    return status;
}
