/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -machine q35 under machine.c, with a port for hot plug. */
#include "machine.h"

const char fuzz_machine[] =
    FUZZ_MACHINE("q35", " -device pcie-root-port,id=rp,chassis=1,addr=8");
