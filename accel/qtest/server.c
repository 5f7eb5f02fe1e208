/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The qtest server: a test's commands, one a line, and an answer to each, in
 * upstream's text protocol (docs/devel/testing.md lists the commands).
 *
 * "OK ..." is what was asked for; "FAIL ..." says that it cannot be done, "ERR
 * ..." that the line makes no sense.  Changes of an intercepted interrupt line
 * are told in between as "IRQ raise N" and "IRQ lower N".
 */
#include "qemu/osdep.h"
#include "chardev/char.h"
#include "hw/qdev-core.h"
#include "qemu/aio.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/memory.h"
#include "system/qtest.h"
#include "system/system.h"

#define MAX_TRANSFER (256 * MiB)        /* of one command */

/* An intercepted line. */
typedef struct Intercept {
    int n;
    int level;
    qemu_irq line;              /* outputs: where the model's level goes on to */
} Intercept;

static struct {
    CharBackend chr;
    GString *in;
    bool busy;                  /* a command is being served */
    FILE *log;
    int64_t opened_ns;
    DeviceState *intercepted;
    GPtrArray *intercepts;      /* of Intercept */
} qtest;

/* -- Lines --------------------------------------------------------------- */

static void G_GNUC_PRINTF(2, 3) log_line(char direction, const char *fmt, ...)
{
    int64_t us = (qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - qtest.opened_ns) /
                 SCALE_US;
    va_list ap;

    if (!qtest.log) {
        return;
    }
    fprintf(qtest.log, "[%c +%" PRId64 ".%06" PRId64 "] ", direction,
            us / 1000000, us % 1000000);
    va_start(ap, fmt);
    vfprintf(qtest.log, fmt, ap);
    va_end(ap);
    fputc('\n', qtest.log);
    fflush(qtest.log);
}

static void G_GNUC_PRINTF(1, 2) answer(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    log_line('S', "%s", text);
    qemu_chr_fe_write_all(&qtest.chr, (const uint8_t *)text, strlen(text));
    qemu_chr_fe_write_all(&qtest.chr, (const uint8_t *)"\n", 1);
}

/* A number of C; or answers what is wrong. */
static bool number(const char *word, uint64_t *val)
{
    char *end;

    errno = 0;
    *val = g_ascii_strtoull(word, &end, 0);
    if (end == word || *end || errno) {
        answer("ERR '%s' is not a number", word);
        return false;
    }
    return true;
}

static bool transfer(char **words, uint64_t *addr, uint64_t *size)
{
    if (!number(words[1], addr) || !number(words[2], size)) {
        return false;
    }
    if (*size > MAX_TRANSFER) {
        answer("ERR size %s is too large", words[2]);
        return false;
    }
    return true;
}

/* -- Accesses ------------------------------------------------------------ */

/* The access that the last letter of a command stands for, in bytes. */
static unsigned width(const char *command)
{
    switch (command[strlen(command) - 1]) {
    case 'b':
        return 1;
    case 'w':
        return 2;
    case 'l':
        return 4;
    default:
        return 8;
    }
}

static void access_write(AddressSpace *as, char **words)
{
    unsigned size = width(words[0]);
    uint64_t addr, val;
    uint8_t data[8];

    if (number(words[1], &addr) && number(words[2], &val)) {
        stq_le_p(data, val);
        address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, data, size);
        answer("OK");
    }
}

static bool access_read(AddressSpace *as, char **words, uint64_t *val)
{
    uint8_t data[8] = { 0 };
    uint64_t addr;

    if (!number(words[1], &addr)) {
        return false;
    }
    address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, data,
                       width(words[0]));
    *val = ldq_le_p(data);
    return true;
}

static void do_out(char **words)
{
    access_write(&address_space_io, words);
}

static void do_in(char **words)
{
    uint64_t val;

    if (access_read(&address_space_io, words, &val)) {
        answer("OK 0x%04" PRIx64, val);
    }
}

static void do_write_word(char **words)
{
    access_write(&address_space_memory, words);
}

static void do_read_word(char **words)
{
    uint64_t val;

    if (access_read(&address_space_memory, words, &val)) {
        answer("OK 0x%016" PRIx64, val);
    }
}

static uint8_t *read_block(char **words, uint64_t *size)
{
    uint64_t addr;
    uint8_t *data;

    if (!transfer(words, &addr, size)) {
        return NULL;
    }
    data = g_malloc(*size + 1);
    address_space_read(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                       data, *size);
    return data;
}

static void do_read(char **words)
{
    uint64_t size;
    g_autofree uint8_t *data = read_block(words, &size);
    g_autofree char *hex = NULL;

    if (data) {
        hex = g_malloc(2 * size + 1);
        for (uint64_t i = 0; i < size; i++) {
            hex[2 * i] = "0123456789abcdef"[data[i] >> 4];
            hex[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
        }
        hex[2 * size] = '\0';
        answer("OK 0x%s", hex);
    }
}

static void do_b64read(char **words)
{
    uint64_t size;
    g_autofree uint8_t *data = read_block(words, &size);
    g_autofree char *text = NULL;

    if (data) {
        text = g_base64_encode(data, size);
        answer("OK %s", text);
    }
}

/* Data shorter than the size is followed by zeroes. */
static void do_write(char **words)
{
    g_autofree uint8_t *data = NULL;
    const char *hex = words[3];
    uint64_t addr, size, given;

    if (!transfer(words, &addr, &size)) {
        return;
    }
    given = strlen(hex);
    if (given < 3 || strncmp(hex, "0x", 2)) {
        answer("ERR invalid argument size");
        return;
    }
    data = g_malloc0(size + 1);
    hex += 2;
    for (uint64_t i = 0; i < MIN(size, (given - 2) / 2); i++) {
        int high = g_ascii_xdigit_value(hex[2 * i]);
        int low = g_ascii_xdigit_value(hex[2 * i + 1]);

        if (high < 0 || low < 0) {
            answer("ERR byte %" PRIu64 " is not hexadecimal", i);
            return;
        }
        data[i] = high << 4 | low;
    }
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                        data, size);
    answer("OK");
}

static void do_b64write(char **words)
{
    g_autofree uint8_t *data = NULL;
    uint64_t addr, size;
    gsize given;

    if (!transfer(words, &addr, &size)) {
        return;
    }
    data = g_base64_decode(words[3], &given);
    address_space_write(&address_space_memory, addr, MEMTXATTRS_UNSPECIFIED,
                        data, MIN(size, given));
    answer("OK");
}

static void do_memset(char **words)
{
    uint64_t addr, size, val;

    if (number(words[1], &addr) && number(words[2], &size) &&
        number(words[3], &val)) {
        address_space_set(&address_space_memory, addr, val, size,
                          MEMTXATTRS_UNSPECIFIED);
        answer("OK");
    }
}

static void do_endianness(char **words)
{
    answer("OK little");
}

/* -- The clock ----------------------------------------------------------- */

/* Stops at each timer on the way, so that one sees the time it asked for. */
static void clock_go_to(int64_t end)
{
    AioContext *ctx = qemu_get_aio_context();
    int64_t now;

    while ((now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) < end) {
        int64_t next = aio_next_deadline(ctx, QEMU_CLOCK_VIRTUAL);

        qemu_clock_virtual_set_ns(next >= 0 && next < end ? MAX(next, now)
                                                          : end);
        while (aio_poll(ctx, false)) {
            next = aio_next_deadline(ctx, QEMU_CLOCK_VIRTUAL);
            if (next < 0 || next > qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) {
                break;
            }
        }
    }
    answer("OK %" PRId64, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
}

static bool clock_is_ours(void)
{
    if (!qtest_enabled()) {
        answer("FAIL the clock runs by itself without -accel qtest");
    }
    return qtest_enabled();
}

static void do_clock_step(char **words)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t next = aio_next_deadline(qemu_get_aio_context(),
                                     QEMU_CLOCK_VIRTUAL);
    uint64_t step = next > now ? next - now : 0;

    if (clock_is_ours() && (!words[1] || number(words[1], &step))) {
        clock_go_to(step > INT64_MAX - now ? INT64_MAX : now + (int64_t)step);
    }
}

static void do_clock_set(char **words)
{
    uint64_t to;

    if (clock_is_ours() && number(words[1], &to)) {
        clock_go_to(MIN(to, INT64_MAX));
    }
}

/* -- Interrupt lines ------------------------------------------------------ */

static void line_changed(void *opaque, int n, int level)
{
    Intercept *icpt = opaque;

    if (icpt->level != !!level) {
        icpt->level = !!level;
        answer("IRQ %s %d", level ? "raise" : "lower", icpt->n);
    }
    qemu_set_irq(icpt->line, level);
}

static DeviceState *device_at(const char *path)
{
    Object *obj = object_resolve_path(path, NULL);
    DeviceState *dev = (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);

    if (!dev) {
        answer("FAIL Unknown device");
    }
    return dev;
}

static Intercept *add_intercept(int n)
{
    Intercept *icpt = g_new0(Intercept, 1);

    icpt->n = n;
    g_ptr_array_add(qtest.intercepts, icpt);
    return icpt;
}

static void intercept_list(NamedGPIOList *list, bool outputs)
{
    for (int i = 0; !outputs && i < list->num_in; i++) {
        qemu_irq_intercept(list->in[i], line_changed, add_intercept(i), true);
    }
    for (int i = 0; outputs && i < list->num_out; i++) {
        Intercept *icpt = add_intercept(i);

        icpt->line = *list->out[i];
        *list->out[i] = qemu_allocate_irq(line_changed, icpt, i);
    }
}

/* irq_intercept_in PATH, irq_intercept_out PATH, irq_intercept_out_named PATH
 * NAME: for one device in a test. */
static void do_intercept(char **words)
{
    DeviceState *dev = device_at(words[1]);
    NamedGPIOList *list;

    if (!dev) {
        return;
    }
    if (qtest.intercepted) {
        answer(qtest.intercepted == dev
               ? "OK" : "FAIL IRQ intercept already enabled");
        return;
    }
    QTAILQ_FOREACH(list, &dev->gpios, node) {
        if (!g_strcmp0(list->name, words[2])) {
            intercept_list(list, g_str_has_prefix(words[0],
                                                  "irq_intercept_out"));
        }
    }
    if (!qtest.intercepts->len) {
        answer("FAIL No intercepts installed");
        return;
    }
    qtest.intercepted = dev;
    answer("OK");
}

static void do_set_irq_in(char **words)
{
    const char *name = strcmp(words[2], "unnamed-gpio-in") ? words[2] : NULL;
    DeviceState *dev = device_at(words[1]);
    NamedGPIOList *list;
    uint64_t n, level;

    if (!dev || !number(words[3], &n) || !number(words[4], &level)) {
        return;
    }
    QTAILQ_FOREACH(list, &dev->gpios, node) {
        if (!g_strcmp0(list->name, name) && n < list->num_in) {
            qemu_set_irq(list->in[n], level);
            answer("OK");
            return;
        }
    }
    answer("FAIL Unknown IRQ");
}

/* -- Commands ------------------------------------------------------------- */

static const struct {
    const char *name;
    int min_args, max_args;
    void (*run)(char **words);  /* NULL after the last */
} commands[] = {
    { "inb", 1, 1, do_in },
    { "inw", 1, 1, do_in },
    { "inl", 1, 1, do_in },
    { "outb", 2, 2, do_out },
    { "outw", 2, 2, do_out },
    { "outl", 2, 2, do_out },
    { "readb", 1, 1, do_read_word },
    { "readw", 1, 1, do_read_word },
    { "readl", 1, 1, do_read_word },
    { "readq", 1, 1, do_read_word },
    { "writeb", 2, 2, do_write_word },
    { "writew", 2, 2, do_write_word },
    { "writel", 2, 2, do_write_word },
    { "writeq", 2, 2, do_write_word },
    { "read", 2, 2, do_read },
    { "write", 3, 3, do_write },
    { "b64read", 2, 2, do_b64read },
    { "b64write", 3, 3, do_b64write },
    { "memset", 3, 3, do_memset },
    { "endianness", 0, 0, do_endianness },
    { "clock_step", 0, 1, do_clock_step },
    { "clock_set", 1, 1, do_clock_set },
    { "irq_intercept_in", 1, 1, do_intercept },
    { "irq_intercept_out", 1, 1, do_intercept },
    { "irq_intercept_out_named", 2, 2, do_intercept },
    { "set_irq_in", 4, 4, do_set_irq_in },
};

static void run_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    int args = (int)g_strv_length(words) - 1;

    log_line('R', "%s", line);
    if (args < 0) {
        return;                 /* an empty line */
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(words[0], commands[i].name)) {
            continue;
        }
        if (args < commands[i].min_args || args > commands[i].max_args) {
            answer("ERR %s with %d arguments", words[0], args);
        } else {
            commands[i].run(words);
        }
        return;
    }
    answer("FAIL Unknown command '%s'", words[0]);
}

/* -- The connection -------------------------------------------------------- */

static int can_read(void *opaque)
{
    return 4096;
}

/* A command may run the main loop, which may bring the next one: that waits. */
static void read_some(void *opaque, const uint8_t *buf, int size)
{
    char *end;

    g_string_append_len(qtest.in, (const char *)buf, size);
    if (qtest.busy) {
        return;
    }
    qtest.busy = true;
    while ((end = memchr(qtest.in->str, '\n', qtest.in->len))) {
        g_autofree char *line = g_strndup(qtest.in->str, end - qtest.in->str);

        g_string_erase(qtest.in, 0, end + 1 - qtest.in->str);
        run_line(line);
    }
    qtest.busy = false;
}

static void chr_event(void *opaque, QEMUChrEvent event)
{
    if (event == CHR_EVENT_OPENED) {
        qtest.opened_ns = qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        g_string_truncate(qtest.in, 0);
        for (unsigned i = 0; i < qtest.intercepts->len; i++) {
            ((Intercept *)g_ptr_array_index(qtest.intercepts, i))->level = 0;
        }
        log_line('I', "OPENED");
    } else if (event == CHR_EVENT_CLOSED) {
        log_line('I', "CLOSED");
    }
}

static void start_serving(void *opaque)
{
    qemu_chr_fe_set_handlers(&qtest.chr, can_read, read_some, chr_event, NULL);
}

bool qtest_server_init(const char *chardev, const char *log, Error **errp)
{
    Chardev *chr = qemu_chr_new("qtest", chardev, errp);

    if (!chr) {
        if (!strcmp(chardev, "none")) {
            error_setg(errp, "'none' is not a back end to be driven by");
        }
        return false;
    }
    if (!log) {
        qtest.log = stderr;
    } else if (strcmp(log, "none")) {
        qtest.log = fopen(log, "we");
        if (!qtest.log) {
            error_setg_errno(errp, errno, "-qtest-log %s", log);
            return false;
        }
    }
    if (!qemu_chr_fe_init(&qtest.chr, chr, errp)) {
        return false;
    }
    qtest.in = g_string_new("");
    qtest.intercepts = g_ptr_array_new();
    qemu_add_machine_ready(start_serving, NULL);
    return true;
}
