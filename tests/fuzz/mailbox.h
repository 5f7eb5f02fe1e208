/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mailbox.c and mailbox-page.c share. */
#ifndef TESTS_FUZZ_MAILBOX_H
#define TESTS_FUZZ_MAILBOX_H

/* Called before each access of the tested side to the page. */
void fuzz_meanwhile(void);

#endif
