/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -machine pc under machine.c. */
#include "machine.h"

const char fuzz_machine[] = FUZZ_MACHINE("pc", "");
