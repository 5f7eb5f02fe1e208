/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Line editing on a terminal in raw mode, with a history.  No I/O of its own. */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#define READLINE_MAX 4096

typedef struct Readline {
    const char *prompt;
    GString *line;
    gsize cursor;
    GPtrArray *history;         /* of strings, the oldest first */
    unsigned at;                /* entry shown; history->len: the new line */
    GString *escape;            /* of a sequence that is not complete */
} Readline;

void readline_init(Readline *rl, const char *prompt);
void readline_destroy(Readline *rl);
/* Takes a byte; appends to @out what the terminal is to show.  Returns a line
 * when one is complete (g_free), or NULL. */
char *readline_feed(Readline *rl, uint8_t byte, GString *out);

#endif
