/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes under test, the qtest protocol, QMP; see libqtest.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hands.h"
#include "libqtest.h"

struct QTestState {
    pid_t pid;
    char *args;
    int err_fd;                 /* memfd that takes its standard error */
    GPtrArray *expected;        /* of words on it */
    int fd, qmp_fd;
    GString *in, *qmp_in;
    bool irq[256];
    GPtrArray *events;          /* of names */
    Hands *hands;               /* NULL: -accel qtest */
    bool killed;
};

/* -- Processes ------------------------------------------------------------ */

char *qtest_stderr(QTestState *s)
{
    off_t size = lseek(s->err_fd, 0, SEEK_END);
    char *text = g_malloc0(size + 1);

    g_assert_cmpint(pread(s->err_fd, text, size, 0), ==, size);
    return text;
}

int qtest_open_fds(QTestState *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)s->pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    int n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static void G_GNUC_NORETURN G_GNUC_PRINTF(2, 3)
failed(QTestState *s, const char *fmt, ...)
{
    g_autofree char *err = qtest_stderr(s), *why = NULL;
    va_list ap;

    va_start(ap, fmt);
    why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_error("%s\n  of: %s\n  which said: %s", why, s->args, err);
}

static void run_child(char **argv, const int *fds, int err_fd)
{
    dup2(err_fd, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (; fds && *fds >= 0; fds++) {
        fcntl(*fds, F_SETFD, 0);
    }
    execv(argv[0], argv);
    _exit(127);
}

/* Several spaces are one. */
static char **split(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    GPtrArray *argv = g_ptr_array_new();

    for (char **w = words; *w; w++) {
        if (**w) {
            g_ptr_array_add(argv, g_strdup(*w));
        }
    }
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, false);
}

static QTestState *spawn(bool drive, const int *fds, const char *args)
{
    const char *program = g_getenv("QTEST_QEMU_BINARY");
    QTestState *s = g_new0(QTestState, 1);
    int pair[2] = { -1, -1 }, qmp[2] = { -1, -1 };
    g_auto(GStrv) argv = NULL;
    GString *line;

    if (!program) {
        g_error("QTEST_QEMU_BINARY is not set");
    }
    line = g_string_new(program);
    g_string_append_printf(line, " %s", args);
    if (!g_strcmp0(g_getenv("TEST_SANDBOX"), "off") &&
        strstr(args, "x-remote") && !strstr(args, "-sandbox")) {
        g_string_append(line, " -sandbox off");
    }
    if (drive) {
        g_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        g_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp));
        g_string_append_printf(line, " -chardev socket,fd=%d,id=qtest0 -qtest "
                               "chardev:qtest0 -qtest-log none -chardev "
                               "socket,fd=%d,id=char0 -mon chardev=char0,"
                               "mode=control", pair[1], qmp[1]);
    }
    s->args = g_string_free(line, false);
    argv = split(s->args);
    s->err_fd = memfd_create("stderr", MFD_CLOEXEC);
    s->expected = g_ptr_array_new();
    s->events = g_ptr_array_new_with_free_func(g_free);
    s->in = g_string_new("");
    s->qmp_in = g_string_new("");
    s->fd = pair[0];
    s->qmp_fd = qmp[0];
    s->pid = fork();
    g_assert_cmpint(s->pid, >=, 0);
    if (!s->pid) {
        if (drive) {
            fcntl(pair[1], F_SETFD, 0);
            fcntl(qmp[1], F_SETFD, 0);
        }
        run_child(argv, fds, s->err_fd);
    }
    if (drive) {
        close(pair[1]);
        close(qmp[1]);
    }
    return s;
}

QTestState *qtest_spawn(bool drive, const int *fds, const char *fmt, ...)
{
    g_autofree char *args = NULL;
    QTestState *s;
    va_list ap;

    va_start(ap, fmt);
    args = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    s = spawn(drive, fds, args);
    if (drive) {
        qtest_qmp_ok(s, "qmp_capabilities");
    }
    return s;
}

QTestState *qtest_init(const char *fmt, ...)
{
    g_autofree char *args = NULL;
    va_list ap;

    va_start(ap, fmt);
    args = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return qtest_spawn(true, NULL, "-accel qtest -display none -nodefaults %s",
                       args);
}

void qtest_expect_stderr(QTestState *s, const char *words)
{
    g_ptr_array_add(s->expected, (void *)words);
}

/* What the system does not let a process give up is not what is tested. */
static char *without_sandbox_warning(char *text)
{
    char *line = strstr(text, "sandbox: going on without");

    if (line) {
        char *end = strchr(line, '\n');

        while (line > text && line[-1] != '\n') {
            line--;
        }
        memmove(line, end ? end + 1 : "", end ? strlen(end) : 1);
    }
    return text;
}

static void check_stderr(QTestState *s)
{
    g_autofree char *text = without_sandbox_warning(qtest_stderr(s));
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", 0);

    if (g_strv_length(lines) != s->expected->len) {
        failed(s, "%u lines on standard error, expected %u",
               g_strv_length(lines), s->expected->len);
    }
    for (unsigned i = 0; i < s->expected->len; i++) {
        if (!strstr(lines[i], g_ptr_array_index(s->expected, i))) {
            failed(s, "line %u does not have: %s", i + 1,
                   (char *)g_ptr_array_index(s->expected, i));
        }
    }
}

int qtest_wait(QTestState *s)
{
    gint64 end = g_get_monotonic_time() + QTEST_LIMIT_MS * 1000;
    int status;
    pid_t pid;

    while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0) {
        if (g_get_monotonic_time() > end) {
            kill(s->pid, SIGKILL);
            failed(s, "the process does not end");
        }
        g_usleep(200);
    }
    if (!WIFEXITED(status) && !s->killed) {
        failed(s, "killed by signal %d", WTERMSIG(status));
    }
    check_stderr(s);
    if (s->fd >= 0) {
        close(s->fd);
        close(s->qmp_fd);
    }
    close(s->err_fd);
    hands_free(s->hands);
    g_free(s->args);
    g_ptr_array_free(s->expected, true);
    g_ptr_array_free(s->events, true);
    g_string_free(s->in, true);
    g_string_free(s->qmp_in, true);
    g_free(s);
    return WEXITSTATUS(status);
}

void qtest_kill(QTestState *s)
{
    s->killed = true;
    kill(s->pid, SIGKILL);
    qtest_wait(s);
}

void qtest_stop(QTestState *s)
{
    int status;

    kill(s->pid, SIGSTOP);
    g_assert_cmpint(waitpid(s->pid, &status, WUNTRACED), ==, s->pid);
    g_assert_true(WIFSTOPPED(status));
}

void qtest_continue(QTestState *s)
{
    kill(s->pid, SIGCONT);
}

pid_t qtest_pid(QTestState *s)
{
    return s->pid;
}

void qtest_quit(QTestState *s)
{
    qtest_qmp_ok(s, "quit");
    g_assert_cmpint(qtest_wait(s), ==, 0);
}

/* -- Lines ---------------------------------------------------------------- */

/* One line, without its end; g_free.  NULL: none within @ms. */
static char *next_line(QTestState *s, int fd, GString *in, int ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000LL;
    char *newline, *line;

    while (!(newline = memchr(in->str, '\n', in->len))) {
        gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        char buf[65536];
        ssize_t len;

        if (poll(&pfd, 1, MAX(left, 0)) == 0) {
            return NULL;
        }
        len = read(fd, buf, sizeof(buf));
        if (len <= 0) {
            failed(s, "the connection is closed");
        }
        g_string_append_len(in, buf, len);
    }
    line = g_strndup(in->str, newline - in->str);
    g_string_erase(in, 0, newline + 1 - in->str);
    return g_strchomp(line);
}

static void send_all(QTestState *s, int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0) {
            failed(s, "sending: %s", strerror(errno));
        }
        text += n;
        len -= n;
    }
}

static bool is_irq(QTestState *s, const char *line)
{
    int n;

    if (sscanf(line, "IRQ raise %d", &n) == 1) {
        s->irq[n & 255] = true;
    } else if (sscanf(line, "IRQ lower %d", &n) == 1) {
        s->irq[n & 255] = false;
    } else {
        return false;
    }
    return true;
}

static char *get_answer(QTestState *s, const char *to)
{
    for (;;) {
        char *line = next_line(s, s->fd, s->in, QTEST_LIMIT_MS);

        if (!line) {
            failed(s, "no answer to: %.60s", to);
        }
        if (!is_irq(s, line)) {
            return line;
        }
        g_free(line);
    }
}

char *qtest_raw(QTestState *s, const char *line)
{
    g_autofree char *text = g_strconcat(line, "\n", NULL);

    send_all(s, s->fd, text, strlen(text));
    return get_answer(s, line);
}

char *qtest_command(QTestState *s, const char *fmt, ...)
{
    g_autofree char *line = NULL, *answer = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    answer = qtest_raw(s, line);
    if (!g_str_has_prefix(answer, "OK")) {
        failed(s, "%.60s: %s", line, answer);
    }
    return g_strdup(answer[2] ? answer + 3 : "");
}

/* -- Accesses ------------------------------------------------------------- */

void qtest_set_hands(QTestState *s, Hands *hands)
{
    s->hands = hands;
}

Hands *qtest_hands(QTestState *s)
{
    return s->hands;
}

static uint32_t by_hand(QTestState *s, HandsAction action, uint64_t addr,
                        uint32_t val, unsigned size)
{
    if (!hands_access(s->hands, action, addr, size, &val)) {
        failed(s, "the guest's CPU does not access 0x%" PRIx64, addr);
    }
    return val;
}

static char letter(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : size == 4 ? 'l' : 'q';
}

uint64_t qtest_in(QTestState *s, uint16_t port, unsigned size)
{
    g_autofree char *val = NULL;

    if (s->hands && hands_for_port(port)) {
        return by_hand(s, HANDS_IN, port, 0, size);
    }
    val = qtest_command(s, "in%c 0x%x", letter(size), port);
    return g_ascii_strtoull(val, NULL, 0);
}

void qtest_out(QTestState *s, uint16_t port, uint32_t val, unsigned size)
{
    if (s->hands && hands_for_port(port)) {
        by_hand(s, HANDS_OUT, port, val, size);
        return;
    }
    g_free(qtest_command(s, "out%c 0x%x 0x%x", letter(size), port, val));
}

uint64_t qtest_read(QTestState *s, uint64_t addr, unsigned size)
{
    g_autofree char *val = NULL;

    if (s->hands && hands_for_memory(addr)) {
        return by_hand(s, HANDS_READ, addr, 0, size);
    }
    val = qtest_command(s, "read%c 0x%" PRIx64, letter(size), addr);
    return g_ascii_strtoull(val, NULL, 0);
}

void qtest_write(QTestState *s, uint64_t addr, uint64_t val, unsigned size)
{
    if (s->hands && hands_for_memory(addr)) {
        by_hand(s, HANDS_WRITE, addr, val, size);
        return;
    }
    g_free(qtest_command(s, "write%c 0x%" PRIx64 " 0x%" PRIx64, letter(size),
                         addr, val));
}

void qtest_memread(QTestState *s, uint64_t addr, void *buf, size_t size)
{
    g_autofree char *text = qtest_command(s, "b64read 0x%" PRIx64 " 0x%zx",
                                          addr, size);
    gsize len;
    g_autofree guchar *data = g_base64_decode(text, &len);

    g_assert_cmpuint(len, ==, size);
    memcpy(buf, data, size);
}

void qtest_memwrite(QTestState *s, uint64_t addr, const void *buf, size_t size)
{
    g_autofree char *text = g_base64_encode(buf, size);

    g_free(qtest_command(s, "b64write 0x%" PRIx64 " 0x%zx %s", addr, size,
                         text));
}

void qtest_memset(QTestState *s, uint64_t addr, uint8_t c, size_t size)
{
    g_free(qtest_command(s, "memset 0x%" PRIx64 " 0x%zx 0x%x", addr, size, c));
}

int64_t qtest_clock_step(QTestState *s, int64_t ns)
{
    g_autofree char *now = qtest_command(s, "clock_step %" PRId64, ns);

    return g_ascii_strtoll(now, NULL, 0);
}

int64_t qtest_clock_set(QTestState *s, int64_t ns)
{
    g_autofree char *now = qtest_command(s, "clock_set %" PRId64, ns);

    return g_ascii_strtoll(now, NULL, 0);
}

void qtest_irq_intercept_in(QTestState *s, const char *path)
{
    g_free(qtest_command(s, "irq_intercept_in %s", path));
}

bool qtest_get_irq(QTestState *s, int n)
{
    /* What was said before the answer has arrived with it. */
    g_free(qtest_command(s, "endianness"));
    return s->irq[n];
}

void qtest_wait_irq(QTestState *s, int n, bool level)
{
    while (qtest_get_irq(s, n) != level) {
        g_autofree char *line = next_line(s, s->fd, s->in, QTEST_LIMIT_MS);

        if (!line) {
            failed(s, "interrupt line %d is never %d", n, level);
        }
        if (!is_irq(s, line)) {
            failed(s, "unexpected: %s", line);
        }
    }
}

/* -- QMP ------------------------------------------------------------------ */

/* The next object, or NULL after @ms; greetings and events are put aside. */
static JsonNode *next_reply(QTestState *s, int ms)
{
    for (;;) {
        g_autofree char *line = next_line(s, s->qmp_fd, s->qmp_in, ms);
        g_autoptr(JsonNode) node = NULL;
        JsonObject *obj;

        if (!line) {
            return NULL;
        }
        node = json_from_string(line, NULL);
        if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
            failed(s, "not QMP: %s", line);
        }
        obj = json_node_get_object(node);
        if (json_object_has_member(obj, "event")) {
            g_ptr_array_add(s->events, g_strdup(
                json_object_get_string_member(obj, "event")));
            if (ms == 0) {
                continue;
            }
            return NULL;
        }
        if (!json_object_has_member(obj, "QMP")) {
            return g_steal_pointer(&node);
        }
    }
}

static JsonNode *qmp(QTestState *s, const char *text)
{
    g_autofree char *json = text[0] == '{'
        ? g_strconcat(text, "\n", NULL)
        : g_strdup_printf("{\"execute\": \"%s\"}\n", text);
    gint64 end = g_get_monotonic_time() + QTEST_LIMIT_MS * 1000LL;
    g_autoptr(JsonNode) reply = NULL;
    JsonObject *obj;

    send_all(s, s->qmp_fd, json, strlen(json));
    while (!(reply = next_reply(s, QTEST_LIMIT_MS))) {
        if (g_get_monotonic_time() > end) {
            failed(s, "no answer to: %s", json);
        }
    }
    obj = json_node_get_object(reply);
    if (!json_object_has_member(obj, "return")) {
        g_autofree char *said = json_to_string(reply, false);

        failed(s, "%s: %s", g_strchomp(json), said);
    }
    return json_object_dup_member(obj, "return");
}

JsonNode *qtest_qmp(QTestState *s, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return qmp(s, text);
}

void qtest_qmp_ok(QTestState *s, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    json_node_unref(qmp(s, text));
}

unsigned qtest_qmp_events(QTestState *s, const char *name, bool wait)
{
    gint64 end = g_get_monotonic_time() + QTEST_LIMIT_MS * 1000LL;
    unsigned n = 0;

    next_reply(s, 0);
    do {
        n = 0;
        for (unsigned i = 0; i < s->events->len; i++) {
            n += !strcmp(g_ptr_array_index(s->events, i), name);
        }
        if (!n && wait) {
            next_reply(s, QTEST_LIMIT_MS);
            if (g_get_monotonic_time() > end) {
                failed(s, "no event %s", name);
            }
        }
    } while (!n && wait);
    return n;
}
