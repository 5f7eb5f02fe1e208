/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests of character back ends: front ends that record what they are
 * told, and a folder for files and sockets.
 */
#ifndef TESTS_UNIT_CHAR_WORLD_H
#define TESTS_UNIT_CHAR_WORLD_H

#include "chardev/char.h"
#include "qemu/main-loop.h"

typedef struct FrontEnd {
    CharBackend be;
    GString *got;
    GString *events;            /* O C B I U */
    int room;
    unsigned writable;
} FrontEnd;

typedef struct Fixture {
    char *dir;
    char *path;                 /* in it */
    FrontEnd fe, fe2;
} Fixture;

void char_set_up(Fixture *f, gconstpointer unused);
void char_tear_down(Fixture *f, gconstpointer unused);
#define ADD(path, fn) \
    g_test_add(path, Fixture, NULL, char_set_up, fn, char_tear_down)

void fe_set_up(FrontEnd *fe);
/* All handlers, and room for 1000 bytes. */
void fe_attach(FrontEnd *fe, Chardev *chr);
int fe_say(FrontEnd *fe, const char *text);

/* As -chardev has it. */
Chardev *make(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The fixture's first front end on a socket that listens at its path. */
FrontEnd *serve(Fixture *f);

/* Main loop until @cond; never true ends in the test's time limit. */
#define WAIT_FOR(cond)              \
    do {                            \
        while (!(cond)) {           \
            main_loop_wait(false);  \
        }                           \
    } while (0)

/* All that is due now. */
void settle(void);
void expect_bytes(int fd, const char *want);
void assert_file(const char *path, const char *want);

#endif
