/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci-testdev: nothing but remote.c. */
#include "qemu/osdep.h"
#include "fuzz-device.h"

const FuzzDevice fuzz_device = {
    .args = "-machine x-remote -nodefaults -device pci-testdev,id=d",
};
