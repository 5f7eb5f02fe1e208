/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Line editing: keys in, lines out. */
#include "qemu/osdep.h"
#include "monitor/readline.h"

/* The last line that the keys complete. */
static void check(const char *keys, const char *expected)
{
    g_autoptr(GString) out = g_string_new("");
    g_autofree char *line = NULL;
    Readline rl;

    readline_init(&rl, "> ");
    for (; *keys; keys++) {
        char *got = readline_feed(&rl, *keys, out);

        if (got) {
            g_free(line);
            line = got;
        }
    }
    g_assert_cmpstr(line, ==, expected);
    readline_destroy(&rl);
}

static void test_keys(void)
{
    check("stop\r", "stop");
    check("sto\x7f\x7ftop\n", "stop");
    check("\x7f\x08" "a\r", "a");
    check("top\x01s\x05!\r", "stop!");
    check("sp\x02to\x06!\r", "stop!");
    check("one two\x17six\r", "one six");
    check("one\x15two\r", "two");
    check("one\x02\x0b\r", "on");
    check("abc\x01\x04\r", "bc");
    check("ac\x1b[Db\r", "abc");
    check("bc\x1b[Ha\x1b[Fd\r", "abcd");
    check("xa\x1b[1~\x1b[3~\r", "a");
    check("a\x1b[99;5~b\r", "ab");      /* a key that we do not know */
    check("\x02\x06\x04\x0b\x17\x15\x10\x0e\r", "");
}

static void test_history(void)
{
    check("one\rtwo\r\x10\r", "two");
    check("one\rtwo\r\x10\x10\r", "one");
    check("one\rtwo\r\x10\x10\x10\x10\x0e\r", "two");
    check("one\r\x1b[A\x1b[B\r", "");
    check("one\r\r\x10\r", "one");
}

static void test_long(void)
{
    g_autofree char *keys = g_strnfill(READLINE_MAX + 10, 'x');
    g_autofree char *line = g_strnfill(READLINE_MAX, 'x');
    g_autofree char *all = g_strconcat(keys, "\r", NULL);

    check(all, line);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/readline/keys-edit-the-line", test_keys);
    g_test_add_func("/readline/history-comes-back", test_history);
    g_test_add_func("/readline/line-has-a-limit", test_long);
    return g_test_run();
}
