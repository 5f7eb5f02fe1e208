/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Line editing with the usual control keys and the sequences of ECMA-48
 * terminals for arrows, Home, End and Delete.
 */
#include "qemu/osdep.h"
#include "monitor/readline.h"

#define CTRL(c) ((c) & 0x1f)
#define ESC 0x1b
#define HISTORY_MAX 100

void readline_init(Readline *rl, const char *prompt)
{
    *rl = (Readline){
        .prompt = prompt,
        .line = g_string_new(""),
        .escape = g_string_new(""),
        .history = g_ptr_array_new_with_free_func(g_free),
    };
}

void readline_destroy(Readline *rl)
{
    g_string_free(rl->line, true);
    g_string_free(rl->escape, true);
    g_ptr_array_free(rl->history, true);
}

static void redraw(Readline *rl, GString *out)
{
    gsize behind = rl->line->len - rl->cursor;

    g_string_append_printf(out, "\r%s%s\x1b[K", rl->prompt, rl->line->str);
    if (behind) {
        g_string_append_printf(out, "\x1b[%zuD", (size_t)behind);
    }
}

static void erase(Readline *rl, gsize from, gsize to)
{
    g_string_erase(rl->line, from, to - from);
    rl->cursor = from;
}

static void show_history(Readline *rl, int step)
{
    unsigned at = rl->at + step;

    if (at > rl->history->len) {        /* before the first, too */
        return;
    }
    rl->at = at;
    g_string_assign(rl->line, at < rl->history->len
                    ? g_ptr_array_index(rl->history, at) : "");
    rl->cursor = rl->line->len;
}

static gsize word_start(const Readline *rl)
{
    gsize i = rl->cursor;

    while (i && rl->line->str[i - 1] == ' ') {
        i--;
    }
    while (i && rl->line->str[i - 1] != ' ') {
        i--;
    }
    return i;
}

static char *complete(Readline *rl, GString *out)
{
    char *line = g_strdup(rl->line->str);
    GPtrArray *h = rl->history;

    if (*line && (!h->len || strcmp(h->pdata[h->len - 1], line))) {
        g_ptr_array_add(h, g_strdup(line));
        if (h->len > HISTORY_MAX) {
            g_ptr_array_remove_index(h, 0);
        }
    }
    rl->at = h->len;
    rl->cursor = 0;
    g_string_truncate(rl->line, 0);
    g_string_append(out, "\r\n");
    return line;
}

static void key(Readline *rl, uint8_t byte)
{
    switch (byte) {
    case CTRL('A'):
        rl->cursor = 0;
        break;
    case CTRL('E'):
        rl->cursor = rl->line->len;
        break;
    case CTRL('B'):
        rl->cursor -= rl->cursor > 0;
        break;
    case CTRL('F'):
        rl->cursor += rl->cursor < rl->line->len;
        break;
    case CTRL('D'):
        if (rl->cursor < rl->line->len) {
            erase(rl, rl->cursor, rl->cursor + 1);
        }
        break;
    case CTRL('H'):
    case 0x7f:
        if (rl->cursor) {
            erase(rl, rl->cursor - 1, rl->cursor);
        }
        break;
    case CTRL('K'):
        erase(rl, rl->cursor, rl->line->len);
        break;
    case CTRL('U'):
        erase(rl, 0, rl->cursor);
        break;
    case CTRL('W'):
        erase(rl, word_start(rl), rl->cursor);
        break;
    case CTRL('P'):
        show_history(rl, -1);
        break;
    case CTRL('N'):
        show_history(rl, 1);
        break;
    default:
        break;                  /* no key of ours */
    }
}

/* What follows ESC: true when the sequence is over. */
static bool escape(Readline *rl, uint8_t byte)
{
    static const struct { const char *sequence; uint8_t key; } keys[] = {
        { "[A", CTRL('P') }, { "[B", CTRL('N') }, { "[C", CTRL('F') },
        { "[D", CTRL('B') }, { "[H", CTRL('A') }, { "[F", CTRL('E') },
        { "[1~", CTRL('A') }, { "[4~", CTRL('E') }, { "[3~", CTRL('D') },
        { "OH", CTRL('A') }, { "OF", CTRL('E') },
    };

    g_string_append_c(rl->escape, byte);
    if (rl->escape->len == 2 && (byte == '[' || byte == 'O')) {
        return false;
    }
    if ((g_ascii_isdigit(byte) || byte == ';') && rl->escape->len < 16) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!strcmp(rl->escape->str + 1, keys[i].sequence)) {
            key(rl, keys[i].key);
        }
    }
    return true;
}

char *readline_feed(Readline *rl, uint8_t byte, GString *out)
{
    if (rl->escape->len) {
        if (escape(rl, byte)) {
            g_string_truncate(rl->escape, 0);
            redraw(rl, out);
        }
    } else if (byte == ESC) {
        g_string_append_c(rl->escape, byte);
    } else if (byte == '\n' || byte == '\r') {
        return complete(rl, out);
    } else if (byte < 0x20 || byte == 0x7f) {
        key(rl, byte);
        redraw(rl, out);
    } else if (rl->line->len < READLINE_MAX) {
        g_string_insert_c(rl->line, rl->cursor++, byte);
        if (rl->cursor == rl->line->len) {
            g_string_append_c(out, byte);
        } else {
            redraw(rl, out);
        }
    }
    return NULL;
}
