/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients of the monitors and a test send, as bytes: requests and lines
 * cut anywhere, keys of a terminal, connections that end in the middle.
 *
 *     op 0 n(1) bytes     n bytes to QMP (with n = 255 too, a descriptor)
 *     op 1 n(1) bytes     n keys typed at the human monitor
 *     op 2 n(1) bytes     n bytes to the qtest server
 *     op 3 which(1)       the client of QMP (0) or qtest (1) hangs up
 *     op 4                the main loop
 *
 * QMP and qtest are sockets with a client after the other; each whole answer
 * must be JSON, or a line of the protocol's.  Text that would reach other files
 * or much memory of whoever fuzzes, or far in time, is left out (options.c).
 */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "fuzz.h"
#include "hw/qdev-properties.h"
#include "monitor/monitor.h"
#include "monitor/readline.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"
#include "qemu/option.h"
#include "qemu/sockets.h"
#include "qom/object.h"
#include "system/runstate.h"
#include "text.h"

#define MOST_OPS 100

typedef struct Client {
    bool (*answered)(const char *line);
    struct sockaddr_un addr;
    socklen_t addr_len;
    int fd;
    GString *in;                /* answers, up to the last whole line */
} Client;

static int some_fd;

static bool is_json(const char *line)
{
    g_autoptr(JsonNode) node = json_parse(line, NULL);

    return node != NULL;
}

static bool is_answer(const char *line)
{
    return g_str_has_prefix(line, "OK") || g_str_has_prefix(line, "FAIL ") ||
           g_str_has_prefix(line, "ERR ") || g_str_has_prefix(line, "IRQ ");
}

static Client clients[2] = { { is_json }, { is_answer } };

static void take_answers(Client *c)
{
    char buf[4096];
    ssize_t n;
    char *end;

    while ((n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
        g_string_append_len(c->in, buf, n);
    }
    while ((end = memchr(c->in->str, '\n', c->in->len))) {
        *end = '\0';
        if (end > c->in->str && !c->answered(c->in->str)) {
            fuzz_fail("an answer that is none: %s", c->in->str);
        }
        g_string_erase(c->in, 0, end + 1 - c->in->str);
    }
}

static void settle(void)
{
    fuzz_settle(qemu_get_aio_context(), 16);
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        if (clients[i].fd >= 0) {
            take_answers(&clients[i]);
        }
    }
}

static void hang_up(Client *c)
{
    if (c->fd >= 0) {
        qemu_close(&c->fd);
        fuzz_settle(qemu_get_aio_context(), 16);
        g_string_truncate(c->in, 0);
    }
}

static void client_send(Client *c, const uint8_t *p, unsigned len,
                        bool with_fd)
{
    struct iovec iov = { (void *)p, len };

    if (c->fd < 0) {
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&c->addr,
                                 c->addr_len) < 0) {
            fuzz_fail("no connection: %s", strerror(errno));
        }
        settle();
    }
    if (len) {
        socket_send_fds(c->fd, &iov, 1, &some_fd, with_fd, 1);
    }
    settle();
}

static void type_keys(Readline *rl, const uint8_t *p, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        g_autoptr(GString) shown = g_string_new("");
        g_autofree char *line = readline_feed(rl, p[i], shown);

        if (rl->cursor > rl->line->len || rl->line->len > READLINE_MAX ||
            rl->at > rl->history->len) {
            fuzz_fail("the cursor is at %zu of %zu", (size_t)rl->cursor,
                      (size_t)rl->line->len);
        }
        if (line && !fuzz_text_dangerous(line)) {
            g_free(hmp_run(line));
        }
    }
}

/* -- What is sent at all --------------------------------------------------- */

/* All that one client ever sends, wherever it is cut. */
static char *all_of(FuzzInput in, unsigned which)
{
    GString *all = g_string_new("");

    for (int n = 0; fuzz_more(&in) && n < MOST_OPS; n++) {
        unsigned op = fuzz_get(&in, 1) % 5, len;
        const uint8_t *p;

        if (op < 3) {
            p = fuzz_bytes(&in, fuzz_get(&in, 1), &len);
            for (unsigned i = 0; op == which && i < len; i++) {
                /* C strings end at a zero byte. */
                g_string_append_c(all, p[i] ?: ' ');
            }
        } else if (op == 3) {
            fuzz_get(&in, 1);
        }
    }
    return g_string_free(all, false);
}

/* Much memory, much time, or what no later command takes back. */
static bool qtest_dangerous(const char *text)
{
    static const struct { const char *command; unsigned word; } most[] = {
        { "memset ", 2 }, { "read ", 2 }, { "write ", 2 }, { "b64read ", 2 },
        { "b64write ", 2 }, { "clock_step ", 1 }, { "clock_set ", 1 },
    };
    g_auto(GStrv) list = g_strsplit(text, "\n", -1);

    for (char **line = list; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 0);

        for (size_t i = 0; i < ARRAY_SIZE(most); i++) {
            if (g_str_has_prefix(*line, most[i].command) &&
                g_strv_length(words) > most[i].word &&
                g_ascii_strtoull(words[most[i].word], NULL, 0) > MiB) {
                return true;
            }
        }
    }
    return strstr(text, "intercept") != NULL;
}

/* -- One input ------------------------------------------------------------- */

static void operation(FuzzInput *in, Readline *rl)
{
    unsigned op = fuzz_get(in, 1) % 5, len, which;
    const uint8_t *p;

    switch (op) {
    case 0:
    case 2:
        len = fuzz_get(in, 1);
        p = fuzz_bytes(in, len, &len);
        client_send(&clients[op / 2], p, len, op == 0 && len == 255);
        break;
    case 1:
        p = fuzz_bytes(in, fuzz_get(in, 1), &len);
        type_keys(rl, p, len);
        break;
    case 3:
        which = fuzz_get(in, 1);
        hang_up(&clients[which & 1]);
        break;
    default:
        settle();
        break;
    }
}

void fuzz_one(FuzzInput *in)
{
    g_autofree char *to_qmp = all_of(*in, 0), *to_qtest = all_of(*in, 2);
    Readline rl;

    if (fuzz_text_dangerous(to_qmp) || qtest_dangerous(to_qtest)) {
        return;
    }
    readline_init(&rl, "");
    for (int n = 0; fuzz_more(in) && n < MOST_OPS; n++) {
        operation(in, &rl);
    }
    readline_destroy(&rl);
    hang_up(&clients[0]);
    hang_up(&clients[1]);
    fuzz_take_back();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    vm_start();
    fuzz_settle(qemu_get_aio_context(), 16);
}

/* A listening socket with a name of the kernel's choice. */
static int listener(Client *c)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    c->fd = -1;
    c->in = g_string_new("");
    c->addr.sun_family = AF_UNIX;
    c->addr_len = sizeof(c->addr);
    if (fd < 0 ||
        bind(fd, (struct sockaddr *)&c->addr, sizeof(sa_family_t)) < 0 ||
        listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&c->addr, &c->addr_len) < 0) {
        fuzz_fail("no socket: %s", strerror(errno));
    }
    return fd;
}

void fuzz_init(void)
{
    int qmp = listener(&clients[0]), qtest = listener(&clients[1]);
    g_autofree char *args = g_strdup_printf(
        "-accel qtest -display none -nodefaults -m 2M -machine pc "
        "-chardev socket,id=q,fd=%d,server=on,wait=off -mon chardev=q,"
        "mode=control -chardev socket,id=t,fd=%d,server=on,wait=off "
        "-qtest chardev:t -qtest-log none", qmp, qtest);

    fuzz_start_emulator(args);
    some_fd = fuzz_memfd(4096);
}
