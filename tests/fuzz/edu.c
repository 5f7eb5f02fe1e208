/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edu: nothing but remote.c. */
#include "qemu/osdep.h"
#include "fuzz-device.h"

const FuzzDevice fuzz_device = {
    .args = "-machine x-remote -nodefaults -device edu,id=d",
};
