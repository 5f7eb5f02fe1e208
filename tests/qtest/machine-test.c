/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines themselves: protocol, interrupt chips, config space, routers,
 * fw_cfg, clock, power management, reset, memory map, limits of -m and -smp.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "libqtest.h"

typedef struct Case {
    const char *machine;
    void (*fn)(QTestState *s, const char *machine);
} Case;

static bool is_pc(const char *machine)
{
    return g_str_equal(machine, "pc");
}

/* -- Protocol ----------------------------------------------------------------- */

static void test_bad_lines(QTestState *s, const char *machine)
{
    static const char *const bad[][2] = {
        { "nonsense", "FAIL" }, { "outb 1", "ERR" }, { "outb 1 2 3", "ERR" },
        { "readl zz", "ERR" }, { "readl 0x", "ERR" }, { "writel 1 z", "ERR" },
        { "read 0 0x100000000000", "ERR" }, { "write 0 4 0123", "ERR" },
        { "write 0 4 0xzz", "ERR" }, { "clock_step abc", "ERR" },
        { "irq_intercept_in nowhere", "FAIL" },
        { "set_irq_in nowhere unnamed-gpio-in 0 1", "FAIL" },
        { "set_irq_in ioapic unnamed-gpio-in 24 1", "FAIL" },
        { "set_irq_in ioapic other 0 1", "FAIL" },
        { "irq_intercept_out ioapic", "FAIL" },
        { "readl 0xffffffffffffffffff", "ERR" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *answer = qtest_raw(s, bad[i][0]);

        if (!g_str_has_prefix(answer, bad[i][1])) {
            g_error("%s: %s", bad[i][0], answer);
        }
    }
}

static void test_memory_commands(QTestState *s, const char *machine)
{
    uint8_t data[300], got[300];
    g_autofree char *hex = NULL, *zeroes = NULL;

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = i * 31;
    }
    qtest_memwrite(s, 0x1001, data, sizeof(data));
    qtest_memread(s, 0x1001, got, sizeof(got));
    g_assert_cmpint(memcmp(data, got, sizeof(data)), ==, 0);
    qtest_memset(s, 0x1001, 0xab, 5);
    hex = qtest_command(s, "read 0x1000 7");
    g_assert_cmpstr(hex + 4, ==, "ababababab9b");
    g_free(qtest_command(s, "write 0x1000 4 0x1122"));
    zeroes = qtest_command(s, "read 0x1000 4");
    g_assert_cmpstr(zeroes, ==, "0x11220000");
    for (unsigned size = 1; size <= 8; size *= 2) {
        qtest_write(s, 0x2003, 0x1122334455667788, size);
        g_assert_cmphex(qtest_read(s, 0x2003, size), ==,
                        0x1122334455667788 & (size == 8 ? UINT64_MAX
                                              : (1ULL << 8 * size) - 1));
    }
}

static void test_clock(QTestState *s, const char *machine)
{
    g_assert_cmpint(qtest_clock_step(s, 0), ==, 0);
    g_assert_cmpint(qtest_clock_step(s, 12345), ==, 12345);
    g_assert_cmpint(qtest_clock_step(s, 1), ==, 12346);
    g_assert_cmpint(qtest_clock_set(s, 1000000), ==, 1000000);
    g_assert_cmpint(qtest_clock_set(s, 5), ==, 1000000);
}

/* -- Interrupt chips ------------------------------------------------------------ */

static void set_line(QTestState *s, const char *chip, int n, int level)
{
    g_free(qtest_command(s, "set_irq_in %s unnamed-gpio-in %d %d", chip, n,
                         level));
}

static void test_pic_every_line(QTestState *s, const char *machine)
{
    pic_init(s);
    for (int irq = 0; irq < 16; irq++) {
        if (irq == 2) {
            continue;
        }
        pic_unmask(s, irq, false);
        set_line(s, "i8259", irq, 1);
        g_assert_cmpint(pic_take(s), ==, irq);
        g_assert_cmpint(pic_take(s), ==, -1);
        pic_end(s, irq);
        g_assert_cmpint(pic_take(s), ==, -1);       /* an edge is one */
        set_line(s, "i8259", irq, 0);
    }
}

static void test_pic_priorities(QTestState *s, const char *machine)
{
    static const int order[] = { 1, 8, 10, 15, 3, 7 };

    pic_init(s);
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        pic_unmask(s, order[i], false);
        set_line(s, "i8259", order[G_N_ELEMENTS(order) - 1 - i], 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        g_assert_cmpint(pic_take(s), ==, order[i]);
        pic_end(s, order[i]);
    }
    g_assert_cmpint(pic_take(s), ==, -1);
}

static void test_pic_level_needs_service(QTestState *s, const char *machine)
{
    pic_init(s);
    pic_unmask(s, 11, true);
    set_line(s, "i8259", 11, 1);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(pic_take(s), ==, 11);
        pic_end(s, 11);
    }
    set_line(s, "i8259", 11, 0);
    g_assert_cmpint(pic_take(s), ==, -1);
}

static void test_pic_registers(QTestState *s, const char *machine)
{
    pic_init(s);
    g_assert_cmphex(qtest_in(s, 0x21, 1), ==, 0xfb);
    pic_unmask(s, 4, false);
    set_line(s, "i8259", 4, 1);
    qtest_out(s, 0x20, 0x0a, 1);
    g_assert_cmphex(qtest_in(s, 0x20, 1), ==, 0x10);
    g_assert_cmpint(pic_take(s), ==, 4);
    g_assert_cmphex(qtest_in(s, 0x20, 1), ==, 0);
    qtest_out(s, 0x20, 0x0b, 1);
    g_assert_cmphex(qtest_in(s, 0x20, 1), ==, 0x10);
    qtest_out(s, 0x20, 0x20, 1);
    g_assert_cmphex(qtest_in(s, 0x20, 1), ==, 0);
    qtest_out(s, 0x4d0, 0xff, 1);
    qtest_out(s, 0x4d1, 0xff, 1);
    g_assert_cmphex(qtest_in(s, 0x4d0, 1), ==, 0xf8);
    g_assert_cmphex(qtest_in(s, 0x4d1, 1), ==, 0xde);
}

static void test_ioapic_every_pin(QTestState *s, const char *machine)
{
    apic_init(s);
    for (int line = 0; line < 24; line++) {
        int pin = line ? line : 2;

        if (line == 2) {
            continue;
        }
        apic_route(s, pin, 0x30 + line, true);
        set_line(s, "ioapic", line, 1);
        g_assert_true(apic_in_service(s, 0x30 + line));
        g_assert_true(apic_remote_irr(s, pin));
        set_line(s, "ioapic", line, 0);
        apic_end(s);
        g_assert_false(apic_in_service(s, 0x30 + line));
        g_assert_false(apic_remote_irr(s, pin));
        apic_mask(s, pin);
    }
}

static void test_ioapic_edge(QTestState *s, const char *machine)
{
    apic_init(s);
    apic_route(s, 4, 0x41, false);
    set_line(s, "ioapic", 4, 1);
    g_assert_true(apic_in_service(s, 0x41));
    apic_end(s);
    g_assert_false(apic_in_service(s, 0x41));
    set_line(s, "ioapic", 4, 0);
    set_line(s, "ioapic", 4, 1);
    g_assert_true(apic_in_service(s, 0x41));
    apic_end(s);
    set_line(s, "ioapic", 4, 0);
    apic_mask(s, 4);
    set_line(s, "ioapic", 4, 1);    /* while masked: lost */
    apic_route(s, 4, 0x41, false);
    g_assert_false(apic_in_service(s, 0x41));
}

static void test_apic_nests(QTestState *s, const char *machine)
{
    apic_init(s);
    apic_route(s, 5, 0x45, true);
    apic_route(s, 6, 0x76, true);
    apic_route(s, 7, 0x47, true);
    set_line(s, "ioapic", 5, 1);
    set_line(s, "ioapic", 6, 1);
    set_line(s, "ioapic", 7, 1);
    g_assert_true(apic_in_service(s, 0x45));
    g_assert_true(apic_in_service(s, 0x76));        /* more urgent */
    g_assert_true(apic_waiting(s, 0x47));           /* the same class */
    g_assert_cmphex(qtest_read(s, 0xfee000a0, 4), ==, 0x70);
    for (int n = 5; n < 8; n++) {
        set_line(s, "ioapic", n, 0);
    }
    apic_end(s);
    g_assert_false(apic_in_service(s, 0x76));
    apic_end(s);
    g_assert_true(apic_in_service(s, 0x47));
    apic_end(s);
    g_assert_false(apic_in_service(s, 0x47));
}

static void test_apic_disabled_takes_nothing(QTestState *s,
                                             const char *machine)
{
    apic_route(s, 5, 0x45, true);
    set_line(s, "ioapic", 5, 1);
    g_assert_false(apic_in_service(s, 0x45));
    g_assert_false(apic_remote_irr(s, 5));
    apic_init(s);
    apic_route(s, 5, 0x45, true);
    g_assert_true(apic_in_service(s, 0x45));
}

static void test_ioapic_registers(QTestState *s, const char *machine)
{
    qtest_write(s, 0xfec00000, 1, 4);
    g_assert_cmphex(qtest_read(s, 0xfec00010, 4), ==, 0x170011);
    qtest_write(s, 0xfec00010, 0, 4);
    g_assert_cmphex(qtest_read(s, 0xfec00010, 4), ==, 0x170011);
    for (int reg = 0x10; reg < 0x100; reg++) {
        uint32_t want = reg >= 0x40 ? 0 : reg & 1 ? 0xff000000 : 0x10fff;

        qtest_write(s, 0xfec00000, reg, 4);
        g_assert_cmphex(qtest_read(s, 0xfec00010, 4), ==,
                        reg < 0x40 && !(reg & 1) ? 0x10000 : 0);
        qtest_write(s, 0xfec00010, 0xffff7fff, 4);
        g_assert_cmphex(qtest_read(s, 0xfec00010, 4) & ~0x7000, ==,
                        want & ~0x7000);
    }
}

/* -- Platform ------------------------------------------------------------------- */

static void test_host_bridge(QTestState *s, const char *machine)
{
    QPCIDevice host = { s, 0, 0 };

    g_assert_cmphex(qpci_read(&host, 0, 4), ==,
                    is_pc(machine) ? 0x12378086 : 0x29c08086);
    g_assert_cmphex(qpci_read(&host, 0x0a, 2), ==, 0x0600);
}

static void test_absent_functions(QTestState *s, const char *machine)
{
    for (int slot = 5; slot < 0x1d; slot++) {
        QPCIDevice d = { s, 0, QPCI_DEVFN(slot, 0) };

        g_assert_cmphex(qpci_read(&d, 0, 4), ==, 0xffffffff);
        qpci_write(&d, 0, 0, 4);
    }
}

static void test_route_registers(QTestState *s, const char *machine)
{
    QPCIDevice south = {
        s, 0, is_pc(machine) ? QPCI_DEVFN(1, 0) : QPCI_DEVFN(31, 0)
    };

    for (int reg = 0x60; reg < (is_pc(machine) ? 0x64 : 0x6c); reg++) {
        if (reg == 0x64) {
            reg = 0x68;
        }
        g_assert_cmphex(qpci_read(&south, reg, 1), ==, 0x80);
        qpci_write(&south, reg, 0xff, 1);
        g_assert_cmphex(qpci_read(&south, reg, 1), ==, 0x8f);
        qpci_write(&south, reg, 0x0b, 1);
        g_assert_cmphex(qpci_read(&south, reg, 1), ==, 0x0b);
    }
}

static uint64_t fw_cfg_le(QTestState *s, uint16_t key, int size)
{
    uint64_t val = 0;

    qtest_out(s, 0x510, key, 2);
    for (int i = 0; i < size; i++) {
        val |= (uint64_t)qtest_in(s, 0x511, 1) << (8 * i);
    }
    return val;
}

static void test_fw_cfg(QTestState *s, const char *machine)
{
    g_assert_cmphex(fw_cfg_le(s, 0, 4), ==, 0x554d4551);    /* "QEMU" */
    g_assert_cmphex(fw_cfg_le(s, 1, 4), ==, 3);
    g_assert_cmphex(fw_cfg_le(s, 5, 2), ==, 1);             /* CPUs */
    g_assert_cmphex(fw_cfg_le(s, 0x3fff, 4), ==, 0);
}

/* A file of fw_cfg's directory, for g_free(); NULL: there is none. */
static uint8_t *fw_cfg_file(QTestState *s, const char *name, unsigned *len)
{
    unsigned count, key = 0;
    uint8_t *data;

    qtest_out(s, 0x510, 0x19, 2);
    count = 0;
    for (int i = 0; i < 4; i++) {
        count = count << 8 | qtest_in(s, 0x511, 1);
    }
    while (count-- && !key) {
        uint8_t entry[64];

        for (unsigned i = 0; i < sizeof(entry); i++) {
            entry[i] = qtest_in(s, 0x511, 1);
        }
        if (g_str_equal((char *)entry + 8, name)) {
            *len = entry[0] << 24 | entry[1] << 16 | entry[2] << 8 | entry[3];
            key = entry[4] << 8 | entry[5];
        }
    }
    if (!key) {
        return NULL;
    }
    data = g_malloc(*len + 1);
    qtest_out(s, 0x510, key, 2);
    for (unsigned i = 0; i < *len; i++) {
        data[i] = qtest_in(s, 0x511, 1);
    }
    return data;
}

static void test_fw_cfg_option(void)
{
    g_autofree char *dir = g_dir_make_tmp("fw-cfg-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "file", NULL);
    g_autofree uint8_t *text = NULL, *file = NULL;
    QTestState *s;
    unsigned len;

    g_assert_true(g_file_set_contents(path, "a\0b", 3, NULL));
    s = qtest_init("-fw_cfg name=opt/org.example/text,string=two.words "
                   "-fw_cfg opt/org.example/file,file=%s", path);
    text = fw_cfg_file(s, "opt/org.example/text", &len);
    g_assert_nonnull(text);
    g_assert_cmpuint(len, ==, 9);
    g_assert_cmpint(memcmp(text, "two.words", len), ==, 0);
    file = fw_cfg_file(s, "opt/org.example/file", &len);
    g_assert_nonnull(file);
    g_assert_cmpuint(len, ==, 3);
    g_assert_cmpint(memcmp(file, "a\0b", len), ==, 0);
    g_assert_null(fw_cfg_file(s, "opt/org.example/other", &len));
    qtest_quit(s);
    g_remove(path);
    g_rmdir(dir);
}

/* Text @n of the structure at @p. */
static const char *smbios_text(const uint8_t *p, unsigned n)
{
    const char *text = (const char *)p + p[1];

    g_assert_cmpuint(n, >, 0);
    while (--n) {
        text += strlen(text) + 1;
    }
    return text;
}

/* The first structure of a type; NULL: there is none. */
static const uint8_t *smbios_find(const uint8_t *p, unsigned len, uint8_t type)
{
    const uint8_t *end = p + len;

    while (p < end && p[0] != type) {
        for (p += p[1]; p[0] || p[1]; p++) {
            g_assert_true(p + 1 < end);
        }
        p += 2;
    }
    return p < end ? p : NULL;
}

static void test_smbios_option(void)
{
    static const char whole[] = "\x0b\x05\0\x0b\x01" "of the maker\0";
    g_autofree char *dir = g_dir_make_tmp("smbios-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "file", NULL);
    g_autofree uint8_t *tables = NULL;
    const uint8_t *p;
    QTestState *s;
    unsigned len;

    s = qtest_init("-smbios type=1,serial=s.1,family=f -smbios type=1,sku=k "
                   "-smbios type=0,vendor=v,release=12.34,uefi=on "
                   "-smbios type=2,location=here -smbios type=3,asset=a "
                   "-smbios type=4,sock_pfx=S,max-speed=2000 "
                   "-smbios type=17,loc_pfx=D,speed=3200");
    tables = fw_cfg_file(s, "etc/smbios/smbios-tables", &len);
    g_assert_nonnull(tables);
    p = smbios_find(tables, len, 0);
    g_assert_cmpstr(smbios_text(p, p[4]), ==, "v");
    g_assert_cmpuint(p[0x14], ==, 12);
    g_assert_cmpuint(p[0x15], ==, 34);
    g_assert_cmphex(p[0x13] & 8, ==, 8);
    p = smbios_find(tables, len, 1);
    g_assert_cmpstr(smbios_text(p, p[4]), ==, "QEMU");
    g_assert_cmpstr(smbios_text(p, p[7]), ==, "s.1");
    g_assert_cmpstr(smbios_text(p, p[0x19]), ==, "k");
    g_assert_cmpstr(smbios_text(p, p[0x1a]), ==, "f");
    p = smbios_find(tables, len, 2);
    g_assert_cmpstr(smbios_text(p, p[0x0a]), ==, "here");
    p = smbios_find(tables, len, 3);
    g_assert_cmpstr(smbios_text(p, p[8]), ==, "a");
    p = smbios_find(tables, len, 4);
    g_assert_cmpstr(smbios_text(p, p[4]), ==, "S0");
    g_assert_cmpuint(p[0x14] | p[0x15] << 8, ==, 2000);
    p = smbios_find(tables, len, 17);
    g_assert_cmpstr(smbios_text(p, p[0x10]), ==, "D0");
    g_assert_cmpuint(p[0x15] | p[0x16] << 8, ==, 3200);
    qtest_quit(s);
    g_clear_pointer(&tables, g_free);

    /* The last of its two zeros is that of the literal. */
    g_assert_true(g_file_set_contents(path, whole, sizeof(whole), NULL));
    s = qtest_init("-smbios file=%s", path);
    tables = fw_cfg_file(s, "etc/smbios/smbios-tables", &len);
    p = smbios_find(tables, len, 11);
    g_assert_nonnull(p);
    g_assert_cmpstr(smbios_text(p, 1), ==, "of the maker");
    g_assert_nonnull(smbios_find(tables, len, 127));
    g_assert_null(smbios_find(tables, len, 0));
    qtest_quit(s);
    g_remove(path);
    g_rmdir(dir);
}

static uint8_t cmos(QTestState *s, uint8_t reg)
{
    qtest_out(s, 0x70, reg, 1);
    return qtest_in(s, 0x71, 1);
}

static void test_cmos_memory_size(QTestState *s, const char *machine)
{
    unsigned above_16m = cmos(s, 0x34) | cmos(s, 0x35) << 8;

    g_assert_cmpuint(above_16m, ==, ((128 << 20) - (16 << 20)) / 65536);
}

static void test_rtc_needs_the_clock(QTestState *s, const char *machine)
{
    qtest_irq_intercept_in(s, "ioapic");
    qtest_out(s, 0x70, 0x0a, 1);
    qtest_out(s, 0x71, 0x26, 1);            /* 1024 Hz */
    qtest_out(s, 0x70, 0x0b, 1);
    qtest_out(s, 0x71, 0x42, 1);            /* periodic interrupt, 24 h */
    g_assert_false(qtest_get_irq(s, 8));
    qtest_clock_step(s, 3000000);
    g_assert_true(qtest_get_irq(s, 8));
    g_assert_cmphex(cmos(s, 0x0c) & 0xc0, ==, 0xc0);
    g_assert_false(qtest_get_irq(s, 8));
}

static void test_low_memory_map(QTestState *s, const char *machine)
{
    qtest_write(s, 0, 0x1234, 4);
    g_assert_cmphex(qtest_read(s, 0, 4), ==, 0x1234);
    qtest_write(s, (128 << 20) - 4, 0x5678, 4);
    g_assert_cmphex(qtest_read(s, (128 << 20) - 4, 4), ==, 0x5678);
    g_assert_cmphex(qtest_read(s, 128 << 20, 4), ==, 0xffffffff);
    g_assert_cmphex(qtest_read(s, 0x100000000, 4), ==, 0xffffffff);
}

static void set_pam(QTestState *s, const char *machine, int nr, uint8_t val)
{
    QPCIDevice host = { s, 0, 0 };

    qpci_write(&host, (is_pc(machine) ? 0x59 : 0x90) + nr, val, 1);
}

/* What firmware does with shadow RAM, at the first segment, C0000h to C3FFFh,
 * where this machine has nothing on PCI. */
static void test_shadow_ram(QTestState *s, const char *machine)
{
    const uint64_t addr = 0xc0ff8;

    /* Closed: nothing, though there is RAM. */
    g_assert_cmphex(qtest_read(s, addr, 8), ==, UINT64_MAX);
    g_assert_cmphex(qtest_read(s, 0xfffff, 1), ==, 0xff);
    qtest_write(s, addr, 0x11, 8);
    set_pam(s, machine, 1, 0x03);               /* to be read and written */
    g_assert_cmphex(qtest_read(s, addr, 8), ==, 0);
    qtest_write(s, addr, 0x22, 8);
    set_pam(s, machine, 1, 0x01);               /* read only */
    qtest_write(s, addr, 0x33, 8);
    g_assert_cmphex(qtest_read(s, addr, 8), ==, 0x22);
    set_pam(s, machine, 1, 0x02);               /* write only */
    g_assert_cmphex(qtest_read(s, addr, 8), ==, UINT64_MAX);
    qtest_write(s, addr, 0x44, 8);
    g_assert_cmphex(qtest_read(s, addr, 8), ==, UINT64_MAX);
    /* Into the next segment, which is closed. */
    qtest_write(s, 0xc3ffc, 0x5555555566666666, 8);
    set_pam(s, machine, 1, 0x11);
    g_assert_cmphex(qtest_read(s, addr, 8), ==, 0x44);
    g_assert_cmphex(qtest_read(s, 0xc3ffc, 8), ==, 0x66666666);
    set_pam(s, machine, 1, 0);
    g_assert_cmphex(qtest_read(s, addr, 8), ==, UINT64_MAX);
}

/* Without a display there is nothing in its window, but there is RAM under
 * it: SMRAM, which firmware opens to fill it. */
static void test_video_window(QTestState *s, const char *machine)
{
    QPCIDevice host = { s, 0, 0 };
    unsigned smram = is_pc(machine) ? 0x72 : 0x9d;

    g_assert_cmphex(qtest_read(s, 0xa0000, 4), ==, UINT32_MAX);
    g_assert_cmphex(qtest_read(s, 0xbfffc, 4), ==, UINT32_MAX);
    qtest_write(s, 0xa0000, 0x1234, 4);
    qpci_write(&host, smram, 0x4a, 1);          /* enabled, open */
    g_assert_cmphex(qtest_read(s, 0xa0000, 4), ==, 0);
    qtest_write(s, 0xa0000, 0x5678, 4);
    qpci_write(&host, smram, 0x0a, 1);
    g_assert_cmphex(qtest_read(s, 0xa0000, 4), ==, UINT32_MAX);
    qpci_write(&host, smram, 0x4a, 1);
    g_assert_cmphex(qtest_read(s, 0xa0000, 4), ==, 0x5678);
}

static void test_system_reset(QTestState *s, const char *machine)
{
    pic_init(s);
    apic_init(s);
    apic_route(s, 5, 0x45, true);
    qtest_write(s, 0x1000, 0x77, 4);
    qtest_qmp_ok(s, "system_reset");
    qtest_qmp_events(s, "RESET", true);
    g_assert_cmphex(qtest_read(s, 0xfee000f0, 4), ==, 0xff);
    qtest_write(s, 0xfec00000, 0x1a, 4);
    g_assert_cmphex(qtest_read(s, 0xfec00010, 4), ==, 0x10000);
    g_assert_cmphex(qtest_in(s, 0x21, 1), ==, 0);
    g_assert_cmphex(qtest_read(s, 0x1000, 4), ==, 0x77);
}

static void test_reset_by_guest(QTestState *s, const char *machine)
{
    apic_init(s);
    qtest_out(s, 0x92, 1, 1);
    qtest_qmp_events(s, "RESET", true);
    g_assert_cmphex(qtest_read(s, 0xfee000f0, 4), ==, 0xff);
}

/* Every port, every byte: nothing ends the machine. */
static void test_any_port(QTestState *s, const char *machine)
{
    for (unsigned port = 0; port < 0x1000; port++) {
        qtest_in(s, port, 1);
        qtest_in(s, port, 2);
        qtest_in(s, port, 4);
    }
    qtest_in(s, 0xffff, 1);
    qtest_in(s, 0xffff, 4);
}

static const struct {
    const char *name;
    void (*fn)(QTestState *s, const char *machine);
} tests[] = {
    { "protocol/bad-lines-are-answered", test_bad_lines },
    { "protocol/memory", test_memory_commands },
    { "protocol/clock", test_clock },
    { "8259/every-line", test_pic_every_line },
    { "8259/priorities", test_pic_priorities },
    { "8259/level-needs-service", test_pic_level_needs_service },
    { "8259/registers", test_pic_registers },
    { "ioapic/every-pin", test_ioapic_every_pin },
    { "ioapic/edge", test_ioapic_edge },
    { "ioapic/registers", test_ioapic_registers },
    { "apic/nests", test_apic_nests },
    { "apic/disabled-takes-nothing", test_apic_disabled_takes_nothing },
    { "host-bridge", test_host_bridge },
    { "absent-functions", test_absent_functions },
    { "route-registers", test_route_registers },
    { "fw-cfg", test_fw_cfg },
    { "cmos-memory-size", test_cmos_memory_size },
    { "rtc-needs-the-clock", test_rtc_needs_the_clock },
    { "low-memory-map", test_low_memory_map },
    { "shadow-ram", test_shadow_ram },
    { "video-window", test_video_window },
    { "system-reset", test_system_reset },
    { "reset-by-guest", test_reset_by_guest },
    { "any-port", test_any_port },
};

static void run_case(gconstpointer data)
{
    const Case *c = data;
    QTestState *s = qtest_init("-machine %s", c->machine);

    c->fn(s, c->machine);
    qtest_quit(s);
}

/* -- Options -------------------------------------------------------------------- */

static const struct {
    const char *name, *args;
    const char *error;          /* NULL: it starts */
} starts[] = {
    { "m-1M", "-m 1M", NULL },
    { "m-4G", "-m 4G", NULL },
    { "m-0", "-m 0", "a guest needs memory" },
    { "m-words", "-m lots", "-m" },
    { "m-negative", "-m -5", "-m" },
    { "m-slots", "-m 64,slots=2", "hot plug" },
    { "smp-1", "-smp 1", NULL },
    { "smp-255", "-smp 255", NULL },
    { "smp-sockets", "-smp 4,sockets=2,cores=2,threads=1", NULL },
    { "smp-0-is-the-topology", "-smp cores=2", NULL },
    { "smp-too-many", "-smp 400", "-smp" },
    { "smp-topology", "-smp 3,sockets=2,cores=2", "sockets" },
    { "smp-words", "-smp some", "-smp" },
    { "smp-maxcpus", "-smp 1,maxcpus=2", "hot plug" },
    { "memory-read-only", "-m 4k -machine memory-backend=r -object "
      "memory-backend-file,id=r,size=4k,readonly=on,mem-path=/proc/self/exe",
      "read-only" },
    { "huge-pages-of-no-size", "-object memory-backend-memfd,id=r,size=4M,"
      "hugetlb=on,hugetlbsize=3M", "power of two" },
    { "size-of-no-huge-pages", "-object memory-backend-memfd,id=r,size=4M,"
      "hugetlbsize=2M", "hugetlb=on" },
    { "messages-with-name", "-msg guest-name=on -name zoo -m 0",
      "zoo qemu-system-x86_64: -m:" },
    { "remote-options", "-machine x-remote,mem-merge=off", "no options" },
    { "remote-kernel", "-machine x-remote -kernel none", "has no guest" },
    { "smbios-type", "-smbios type=9,vendor=v", "0, 1, 2, 3, 4 and 17" },
    { "smbios-nothing", "-smbios serial=1", "expects type=N" },
    { "smbios-release", "-smbios type=0,release=1.256", "MAJOR.MINOR" },
    { "smbios-uuid", "-smbios type=1,uuid=1", "is not a UUID" },
    { "smbios-uuids", "-uuid 550e8400-e29b-41d4-a716-446655440000 -smbios "
      "type=1,uuid=550e8400-e29b-41d4-a716-446655440001", "-uuid says" },
    { "smbios-file", "-smbios file=/nowhere/file", "No such file" },
    { "smbios-no-structure", "-smbios file=/proc/self/exe", "/proc/self/exe" },
    { "fw-cfg-name", "-fw_cfg string=x", "expects name=opt/NAME" },
    { "fw-cfg-both", "-fw_cfg opt/a,string=x,file=y", "either" },
    { "fw-cfg-twice", "-fw_cfg opt/a,string=x -fw_cfg opt/a,string=y",
      "there is one already" },
    { "fw-cfg-long-name", "-fw_cfg opt/0123456789012345678901234567890123456789"
      "0123456789012,string=x", "more than 55" },
    { "remote-smbios", "-machine x-remote -smbios type=1,serial=1",
      "has no guest" },
    { "remote-clock", "-machine x-remote -rtc base=utc", "has no guest" },
};

static void run_start(gconstpointer data)
{
    unsigned n = GPOINTER_TO_UINT(data);
    QTestState *s;

    if (!starts[n].error) {
        s = qtest_init("-machine q35 %s", starts[n].args);
        qtest_quit(s);
        return;
    }
    s = qtest_spawn(false, NULL, "-machine q35 -accel qtest -nodefaults %s",
                    starts[n].args);
    qtest_expect_stderr(s, starts[n].error);
    g_assert_cmpint(qtest_wait(s), ==, 1);
}

int main(int argc, char **argv)
{
    static const char *const machines[] = { "q35", "pc" };

    g_test_init(&argc, &argv, NULL);
    for (unsigned m = 0; m < G_N_ELEMENTS(machines); m++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
            g_autofree char *path = g_strdup_printf("/machine/%s/%s",
                                                    machines[m],
                                                    tests[i].name);
            Case *c = g_new(Case, 1);

            *c = (Case){ machines[m], tests[i].fn };
            g_test_add_data_func_full(path, c, run_case, g_free);
        }
    }
    g_test_add_func("/machine/option/fw-cfg", test_fw_cfg_option);
    g_test_add_func("/machine/option/smbios", test_smbios_option);
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autofree char *path = g_strdup_printf("/machine/start/%s",
                                                starts[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), run_start);
    }
    return g_test_run();
}
