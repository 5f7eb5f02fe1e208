/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For targets whose input is commands in words. */
#ifndef TESTS_FUZZ_TEXT_H
#define TESTS_FUZZ_TEXT_H

#include <stdbool.h>

/* Would reach files, descriptors or much memory of whoever fuzzes, or end the
 * program. */
bool fuzz_text_dangerous(const char *text);
/* Devices and objects that commands have made go. */
void fuzz_take_back(void);

#endif
