/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI, interrupt chips, and a machine with the device under test. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hands.h"
#include "libqtest.h"

/* -- PCI (configuration mechanism 1) --------------------------------------- */

static void select_config(QPCIDevice *d, uint8_t offset)
{
    qtest_out(d->s, 0xcf8, 0x80000000 | d->bus << 16 | d->devfn << 8 |
              (offset & ~3), 4);
}

uint32_t qpci_read(QPCIDevice *d, uint8_t offset, unsigned size)
{
    select_config(d, offset);
    return qtest_in(d->s, 0xcfc + (offset & 3), size);
}

void qpci_write(QPCIDevice *d, uint8_t offset, uint32_t val, unsigned size)
{
    select_config(d, offset);
    qtest_out(d->s, 0xcfc + (offset & 3), val, size);
}

static uint8_t bar_offset(int nr)
{
    return nr == 6 ? 0x30 : 0x10 + 4 * nr;
}

uint64_t qpci_bar_size(QPCIDevice *d, int nr, uint8_t *type)
{
    uint8_t at = bar_offset(nr);
    uint32_t was = qpci_read(d, at, 4), low, high = 0xffffffff, bits;

    qpci_write(d, at, nr == 6 ? 0xfffff800 : 0xffffffff, 4);
    low = qpci_read(d, at, 4);
    qpci_write(d, at, was, 4);
    if (!low) {
        return 0;
    }
    bits = nr == 6 ? 0x7ff : low & 1 ? 3 : 15;
    *type = low & bits;
    if (nr != 6 && !(low & 1) && (low & 4)) {
        was = qpci_read(d, at + 4, 4);
        qpci_write(d, at + 4, 0xffffffff, 4);
        high = qpci_read(d, at + 4, 4);
        qpci_write(d, at + 4, was, 4);
    }
    if (nr != 6 && low & 1) {
        low |= 0xffff0000;
    }
    return -((uint64_t)high << 32 | (low & ~bits));
}

void qpci_set_bar(QPCIDevice *d, int nr, uint64_t addr)
{
    uint8_t at = bar_offset(nr);
    bool wide = nr < 6 && (qpci_read(d, at, 4) & 7) == 4;

    qpci_write(d, at, addr, 4);
    if (wide) {
        qpci_write(d, at + 4, addr >> 32, 4);
    }
}

void qpci_enable(QPCIDevice *d)
{
    qpci_write(d, 4, qpci_read(d, 4, 2) | 7, 2);
}

/* -- Worlds --------------------------------------------------------------- */

static QTestState *start_remote(const QWorldConfig *c, const int *links)
{
    GString *args = g_string_new("-machine x-remote -nodefaults");
    QTestState *s;

    g_string_append_printf(args, " %s -device %s,id=d1", c->backend ?: "",
                           c->device);
    if (c->children) {
        g_string_append_printf(args, " %s", c->children);
    }
    if (c->device2) {
        g_string_append_printf(args, " -device %s,id=d2", c->device2);
    }
    for (int i = 0; links[i] >= 0; i++) {
        g_string_append_printf(args, " -object x-remote-object,id=o%d,"
                               "devid=d%d,fd=%d,auto-shutdown=on", i, i + 1,
                               links[i]);
    }
    s = qtest_spawn(false, links, "%s", args->str);
    g_string_free(args, true);
    return s;
}

/* Who makes the accesses, and in what memory. */
static Hands *add_accel(GString *args, const QWorldConfig *c, int *ram)
{
    const char *image = g_getenv("QTEST_HANDS");
    Hands *hands;

    if (!c->kvm) {
        g_string_append_printf(args, "-accel qtest -object memory-backend-memfd,"
                               "id=ram,size=%s", c->memory ?: "64M");
        return NULL;
    }
    if (!image) {
        g_error("QTEST_HANDS is not set: tests/qtest/hands.bin in the build");
    }
    g_assert_null(c->memory);
    hands = hands_new(64 << 20, ram);
    g_string_append_printf(args, "-accel kvm -kernel %s -object "
                           "memory-backend-file,id=ram,size=64M,share=on,"
                           "mem-path=/proc/self/fd/%d", image, *ram);
    return hands;
}

QWorld *qworld_new(const QWorldConfig *c)
{
    const char *devices[2] = { c->device, c->device2 };
    int here[4] = { -1, -1, -1, -1 }, there[3] = { -1, -1, -1 };
    int links = 0, ram = -1;
    GString *args = g_string_new("");
    QWorld *w = g_new0(QWorld, 1);
    Hands *hands = add_accel(args, c, &ram);

    g_string_append_printf(args, " -display none -nodefaults -m %s -machine "
                           "%s,memory-backend=ram%s%s", c->memory ?: "64M",
                           c->machine ?: "q35", c->extra ? " " : "",
                           c->extra ?: "");
    for (int i = 0; i < 2 && devices[i]; i++) {
        int pair[2], slot = 4 + 4 * i;

        if (!c->remote) {
            g_string_append_printf(args, "%s%s -device %s,id=d%d,addr=%d.0",
                                   !i && c->backend ? " " : "",
                                   !i && c->backend ? c->backend : "",
                                   devices[i], i + 1, slot);
            if (!i && c->children) {
                g_string_append_printf(args, " %s", c->children);
            }
            continue;
        }
        g_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
        here[i] = pair[0];
        there[i] = pair[1];
        links++;
        g_string_append_printf(args, " -device x-pci-proxy-dev,id=d%d,addr=%d"
                               ".0,fd=%d%s", i + 1, slot, here[i],
                               c->proxy ?: "");
    }
    w->config = c;
    if (c->remote) {
        w->remote = start_remote(c, there);
    }
    for (int i = 0; i < 2 && there[i] >= 0; i++) {
        close(there[i]);
    }
    here[links] = ram;
    w->main = qtest_spawn(true, here, "%s", args->str);
    qtest_set_hands(w->main, hands);
    for (int i = 0; i < links; i++) {
        close(here[i]);
    }
    g_string_free(args, true);
    w->dev = (QPCIDevice){ w->main, 0, QPCI_DEVFN(4, 0) };
    w->dev2 = (QPCIDevice){ w->main, 0, QPCI_DEVFN(8, 0) };
    return w;
}

void qworld_free(QWorld *w)
{
    qtest_quit(w->main);
    if (w->remote) {
        /* It follows by itself. */
        g_assert_cmpint(qtest_wait(w->remote), ==, 0);
    }
    g_free(w);
}

typedef struct WorldTest {
    QWorldConfig config;
    void (*fn)(QWorld *w);
} WorldTest;

static void run_world_test(gconstpointer data)
{
    const WorldTest *t = data;
    QWorld *w;

    if (t->config.kvm && hands_missing()) {
        g_test_skip(hands_missing());
        return;
    }
    w = qworld_new(&t->config);
    t->fn(w);
    qworld_free(w);
}

void qworld_add_tests(const char *suite, const char *name,
                      const QWorldConfig *config, void (*fn)(QWorld *w))
{
    for (int remote = config->only_remote; remote < 2; remote++) {
        g_autofree char *path = g_strdup_printf("/%s/%s/%s", suite,
                                                remote ? "remote" : "local",
                                                name);
        WorldTest *t = g_new(WorldTest, 1);

        t->config = *config;
        t->config.remote = remote;
        t->fn = fn;
        g_test_add_data_func_full(path, t, run_world_test, g_free);
    }
}

/* -- 8259s ---------------------------------------------------------------- */

void pic_init(QTestState *s)
{
    for (int nr = 0; nr < 2; nr++) {
        uint16_t port = nr ? 0xa0 : 0x20;

        qtest_out(s, port, 0x11, 1);
        qtest_out(s, port + 1, nr ? 0x28 : 0x20, 1);
        qtest_out(s, port + 1, nr ? 2 : 4, 1);
        qtest_out(s, port + 1, 1, 1);
        qtest_out(s, port + 1, nr ? 0xff : 0xfb, 1);
    }
}

void pic_unmask(QTestState *s, int irq, bool level)
{
    uint16_t mask = irq < 8 ? 0x21 : 0xa1, elcr = irq < 8 ? 0x4d0 : 0x4d1;
    uint8_t bit = 1 << (irq & 7);

    if (level) {
        qtest_out(s, elcr, qtest_in(s, elcr, 1) | bit, 1);
    }
    qtest_out(s, mask, qtest_in(s, mask, 1) & ~bit, 1);
}

static int pic_poll(QTestState *s, uint16_t port)
{
    uint8_t answer;

    qtest_out(s, port, 0x0c, 1);
    answer = qtest_in(s, port, 1);
    return answer & 0x80 ? answer & 7 : -1;
}

/* One that went while the CPU asked for its number is no interrupt. */
static bool pic_spurious(QTestState *s, int irq)
{
    uint16_t port = irq < 8 ? 0x20 : 0xa0;

    if ((irq & 7) != 7) {
        return false;
    }
    qtest_out(s, port, 0x0b, 1);
    if (qtest_in(s, port, 1) & 0x80) {
        return false;
    }
    if (irq == 15) {
        pic_end(s, 2);
    }
    return true;
}

static int cpu_take(QTestState *s)
{
    int vector;

    g_assert_true(hands_take(qtest_hands(s), &vector));
    return vector;
}

int pic_take(QTestState *s)
{
    int irq;

    if (qtest_hands(s)) {
        irq = cpu_take(s);
        if (irq < 0) {
            return -1;
        }
        g_assert_cmphex(irq & ~15, ==, 0x20);
        return pic_spurious(s, irq & 15) ? -1 : irq & 15;
    }
    irq = pic_poll(s, 0x20);
    if (irq == 2) {
        int second = pic_poll(s, 0xa0);

        g_assert_cmpint(second, >=, 0);
        return 8 + second;
    }
    return irq;
}

void pic_end(QTestState *s, int irq)
{
    if (irq >= 8) {
        qtest_out(s, 0xa0, 0x60 | (irq & 7), 1);
        irq = 2;
    }
    qtest_out(s, 0x20, 0x60 | irq, 1);
}

/* -- APICs ---------------------------------------------------------------- */

#define IOAPIC 0xfec00000
#define APIC 0xfee00000

static uint32_t ioapic_get(QTestState *s, uint8_t reg)
{
    qtest_write(s, IOAPIC, reg, 4);
    return qtest_read(s, IOAPIC + 0x10, 4);
}

static void ioapic_put(QTestState *s, uint8_t reg, uint32_t val)
{
    qtest_write(s, IOAPIC, reg, 4);
    qtest_write(s, IOAPIC + 0x10, val, 4);
}

void apic_init(QTestState *s)
{
    qtest_write(s, APIC + 0xf0, 0x1ff, 4);
}

void apic_route(QTestState *s, int pin, uint8_t vector, bool level)
{
    ioapic_put(s, 0x11 + 2 * pin, 0);
    ioapic_put(s, 0x10 + 2 * pin, vector | (level ? 1 << 15 : 0));
}

void apic_mask(QTestState *s, int pin)
{
    ioapic_put(s, 0x10 + 2 * pin, ioapic_get(s, 0x10 + 2 * pin) | 1 << 16);
}

bool apic_remote_irr(QTestState *s, int pin)
{
    return ioapic_get(s, 0x10 + 2 * pin) & 1 << 14;
}

static bool apic_bit(QTestState *s, unsigned reg, uint8_t vector)
{
    return qtest_read(s, APIC + reg + vector / 32 * 16, 4) >> (vector % 32) & 1;
}

static bool cpu_would_take(QTestState *s, uint8_t vector)
{
    return apic_bit(s, 0x200, vector) &&
           vector >> 4 > (qtest_read(s, APIC + 0xa0, 4) & 0xff) >> 4;
}

bool apic_in_service(QTestState *s, uint8_t vector)
{
    if (qtest_hands(s)) {
        return cpu_would_take(s, vector);
    }
    return apic_bit(s, 0x100, vector);
}

bool apic_waiting(QTestState *s, uint8_t vector)
{
    return apic_bit(s, 0x200, vector) &&
           !(qtest_hands(s) && cpu_would_take(s, vector));
}

void apic_end(QTestState *s)
{
    if (qtest_hands(s)) {
        g_assert_cmpint(cpu_take(s), >=, 0x30);
    }
    qtest_write(s, APIC + 0xb0, 0, 4);
}
