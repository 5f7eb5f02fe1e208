/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550A: registers, FIFOs, interrupts, loop back, a peer that is slow. */
#include "qemu/osdep.h"
#include <sys/socket.h>
#include "chardev/char.h"
#include "hw/char/serial.h"
#include "qemu/bswap.h"
#include "system/system.h"
#include "isa-world.h"

#define COM 0x3f8
#define COM_IRQ 4
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static Chardev *cable;
static ISADevice *uart;
static int peer;                        /* the other end of the cable */

Chardev *serial_hd(int i)
{
    return i ? NULL : cable;
}

static void set_up(void)
{
    int sv[2];
    g_autofree char *desc = NULL;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv),
                    ==, 0);
    peer = sv[1];
    desc = g_strdup_printf("fd:%d", sv[0]);
    cable = qemu_chr_new("cable", desc, &error_abort);
    g_assert_true(serial_hds_isa_init(isa_bus, 0, 4, &error_abort));
    uart = ISA_DEVICE(QTAILQ_FIRST(&isa_bus->parent_obj.children));
    memset(isa_line, 0, sizeof(isa_line));
}

static void tear_down(void)
{
    qdev_unparent(&uart->parent_obj);
    g_assert_true(qemu_chr_delete("cable", &error_abort));
    close(peer);
}

static void reg_write(int reg, uint8_t v)
{
    outb(COM + reg, v);
}

static uint8_t reg_read(int reg)
{
    return inb(COM + reg);
}

/* The peer sends; the UART gets what it takes. */
static void peer_send(const char *s)
{
    g_assert_cmpint(write(peer, s, strlen(s)), ==, strlen(s));
    for (int i = 0; i < 4; i++) {
        main_loop_wait(true);
    }
}

static void assert_peer_gets(const char *want)
{
    char buf[64] = "";
    ssize_t n = read(peer, buf, sizeof(buf) - 1);

    g_assert_cmpint(MAX(n, 0), ==, strlen(want));
    g_assert_cmpstr(buf, ==, want);
}

/* -- Tests --------------------------------------------------------------- */

static void test_sends(void)
{
    set_up();
    for (const char *s = "hello"; *s; s++) {
        g_assert_cmphex(reg_read(LSR) & 0x60, ==, 0x60);
        reg_write(DATA, *s);
    }
    assert_peer_gets("hello");
    tear_down();
}

static void test_divisor_behind_dlab(void)
{
    set_up();
    reg_write(LCR, 0x83);
    reg_write(DATA, 0x34);
    reg_write(IER, 0x12);
    g_assert_cmphex(reg_read(DATA), ==, 0x34);
    g_assert_cmphex(reg_read(IER), ==, 0x12);
    reg_write(LCR, 0x03);
    g_assert_cmphex(reg_read(IER), ==, 0);
    reg_write(SCR, 0xa5);
    g_assert_cmphex(reg_read(SCR), ==, 0xa5);
    g_assert_cmphex(reg_read(LCR), ==, 0x03);
    tear_down();
}

static void test_fifo_is_a_16550a(void)
{
    set_up();
    g_assert_cmphex(reg_read(IIR), ==, 0x01);
    reg_write(FCR, 0x01);
    g_assert_cmphex(reg_read(IIR), ==, 0xc1);
    reg_write(FCR, 0x00);
    g_assert_cmphex(reg_read(IIR), ==, 0x01);
    tear_down();
}

static void test_receives_one_without_fifo(void)
{
    set_up();
    reg_write(IER, 0x01);
    peer_send("ab");
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 1);
    g_assert_cmphex(reg_read(IIR), ==, 0x04);
    g_assert_cmphex(reg_read(LSR) & 0x03, ==, 0x01);
    g_assert_cmphex(reg_read(DATA), ==, 'a');
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    main_loop_wait(true);
    main_loop_wait(true);
    g_assert_cmphex(reg_read(DATA), ==, 'b');
    g_assert_cmphex(reg_read(LSR) & 0x01, ==, 0);
    tear_down();
}

static void test_fifo_trigger_and_timeout(void)
{
    set_up();
    reg_write(FCR, 0x81);               /* 8 characters */
    reg_write(IER, 0x01);
    peer_send("1234567");
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    clock_step(100 * SCALE_MS);         /* far over four characters */
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 1);
    g_assert_cmphex(reg_read(IIR), ==, 0xcc);
    g_assert_cmphex(reg_read(DATA), ==, '1');
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    peer_send("89");
    g_assert_cmphex(reg_read(IIR), ==, 0xc4);
    for (char c = '2'; c <= '9'; c++) {
        g_assert_cmphex(reg_read(DATA), ==, c);
    }
    g_assert_cmphex(reg_read(IIR), ==, 0xc1);
    clock_step(100 * SCALE_MS);
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    tear_down();
}

static void test_input_waits_for_room(void)
{
    char all[101] = "";

    set_up();
    reg_write(FCR, 0x01);
    memset(all, 'x', 100);
    peer_send(all);
    for (int i = 0; i < 100; i++) {
        g_assert_cmphex(reg_read(LSR) & 0x03, ==, 0x01);    /* no overrun */
        g_assert_cmphex(reg_read(DATA), ==, 'x');
        main_loop_wait(true);
        main_loop_wait(true);
    }
    g_assert_cmphex(reg_read(LSR) & 0x01, ==, 0);
    tear_down();
}

static void test_transmitter_interrupt(void)
{
    unsigned before;

    set_up();
    reg_write(IER, 0x02);               /* empty already: at once */
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 1);
    g_assert_cmphex(reg_read(IIR), ==, 0x02);
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    before = isa_line[COM_IRQ].raised;
    reg_write(DATA, 'x');
    reg_write(DATA, 'y');
    /* An edge for each, or an edge-triggered controller loses one. */
    g_assert_cmpint(isa_line[COM_IRQ].raised, ==, before + 2);
    reg_write(IER, 0);
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    tear_down();
}

static void test_loop_back(void)
{
    set_up();
    reg_write(MCR, 0x1a);               /* loop, OUT2, RTS */
    g_assert_cmphex(reg_read(MSR) & 0xf0, ==, 0x90);
    reg_write(DATA, 'L');
    g_assert_cmphex(reg_read(DATA), ==, 'L');
    assert_peer_gets("");
    tear_down();
}

static void test_loop_back_overrun(void)
{
    set_up();
    reg_write(MCR, 0x10);
    reg_write(IER, 0x04);
    reg_write(DATA, 'a');
    reg_write(DATA, 'b');
    g_assert_cmphex(reg_read(IIR), ==, 0x06);
    g_assert_cmphex(reg_read(LSR) & 0x03, ==, 0x03);
    g_assert_cmphex(reg_read(LSR) & 0x02, ==, 0);
    g_assert_cmpint(isa_line[COM_IRQ].level, ==, 0);
    g_assert_cmphex(reg_read(DATA), ==, 'b');
    tear_down();
}

/* A peer that does not read makes the guest wait; nothing is lost. */
static void test_slow_peer_holds_transmitter(void)
{
    unsigned sent = 0, got = 0, full = 0;
    char buf[4096];

    set_up();
    reg_write(FCR, 0x01);
    while (full < 3 && sent < 10 * 1000 * 1000) {
        if (reg_read(LSR) & 0x20) {
            reg_write(DATA, 'a' + sent++ % 26);
        } else {
            full++;
            main_loop_wait(true);
        }
    }
    g_assert_cmpuint(full, ==, 3);
    while (got < sent) {
        ssize_t n = read(peer, buf, sizeof(buf));

        for (ssize_t i = 0; i < n; i++) {
            g_assert_cmpint(buf[i], ==, 'a' + got++ % 26);
        }
        main_loop_wait(true);
    }
    g_assert_cmphex(reg_read(LSR) & 0x60, ==, 0x60);
    tear_down();
}

static void test_wide_access_is_bytes(void)
{
    set_up();
    reg_write(SCR, 0x77);
    g_assert_cmphex(port_in(COM + MSR, 2), ==, 0x77b0);
    tear_down();
}

static void test_bad_properties(void)
{
    static const struct { const char *name; uint32_t value; } bad[] = {
        { "index", 4 }, { "iobase", 0xfff9 }, { "irq", 16 },
    };

    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        ISADevice *dev = isa_new(TYPE_ISA_SERIAL);
        g_autoptr(Error) err = NULL;

        qdev_prop_set_uint32(&dev->parent_obj, bad[i].name, bad[i].value);
        g_assert_false(isa_realize_and_unref(dev, isa_bus, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), bad[i].name));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    g_test_add_func("/serial/sends", test_sends);
    g_test_add_func("/serial/divisor-behind-dlab", test_divisor_behind_dlab);
    g_test_add_func("/serial/fifo-is-a-16550a", test_fifo_is_a_16550a);
    g_test_add_func("/serial/receives-one-without-fifo",
                    test_receives_one_without_fifo);
    g_test_add_func("/serial/fifo-trigger-and-timeout",
                    test_fifo_trigger_and_timeout);
    g_test_add_func("/serial/input-waits-for-room", test_input_waits_for_room);
    g_test_add_func("/serial/transmitter-interrupt-is-an-edge-each",
                    test_transmitter_interrupt);
    g_test_add_func("/serial/loop-back", test_loop_back);
    g_test_add_func("/serial/loop-back-overrun", test_loop_back_overrun);
    g_test_add_func("/serial/slow-peer-loses-nothing",
                    test_slow_peer_holds_transmitter);
    g_test_add_func("/serial/wide-access-is-bytes", test_wide_access_is_bytes);
    g_test_add_func("/serial/bad-properties-are-refused", test_bad_properties);
    return g_test_run();
}
