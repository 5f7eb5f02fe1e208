/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables as a guest finds them: every pointer leads to a table, every
 * sum is right, firmware's script gives the same; and, where ACPICA's tools
 * are, their interpreter routes interrupts and reads windows from them.
 * SMBIOS structures can be walked.  RAM is split as upstream does.
 */
#include "qemu/osdep.h"
#include "hw/i386/boot.h"
#include "hw/i386/pc.h"
#include "hw/i386/smbios.h"
#include "qemu/bswap.h"
#include "system/runstate.h"
#include "isa-world.h"

#define BASE 0x7fe0000

/* What acpi_tables_install() tells others. */
static struct { uint64_t at, len; uint32_t type; } reserved[4];
static unsigned nr_reserved;
bool e820_add_entry(uint64_t address, uint64_t length, uint32_t type)
{
    reserved[nr_reserved].at = address;
    reserved[nr_reserved].len = length;
    reserved[nr_reserved++].type = type;
    return true;
}

static void (*reset_fn)(void *opaque);
static void *reset_opaque;
void qemu_register_powerdown_notifier(void (*fn)(void *opaque), void *opaque)
{
}

void qemu_system_shutdown_request(ShutdownCause cause)
{
}

void qemu_register_reset(void (*fn)(void *opaque), void *opaque)
{
    reset_fn = fn;
    reset_opaque = opaque;
}

static ACPITables *make_tables(bool q35, unsigned cpus)
{
    g_autofree uint32_t *apic_ids = g_new(uint32_t, cpus);
    ACPIConfig cfg = {
        .q35 = q35,
        .pm = q35 ? &acpi_pm_ich9 : &acpi_pm_piix4,
        .apic_ids = apic_ids,
        .nr_cpus = cpus,
        .com_ports = 0x1,
    };
    uint64_t below, above;

    for (unsigned i = 0; i < cpus; i++) {
        apic_ids[i] = i;
    }
    pc_split_ram(q35, 6 * GiB, &below, &above);
    pc_pci_windows(&cfg, below, above);
    return acpi_tables_new(&cfg);
}

static uint8_t sum(const uint8_t *p, unsigned n)
{
    uint8_t v = 0;

    while (n--) {
        v += *p++;
    }
    return v;
}

/* The table at a guest address of an image, checked. */
static const uint8_t *table_at(GByteArray *image, uint64_t addr,
                               const char *signature)
{
    const uint8_t *p = image->data + (addr - BASE);

    g_assert_cmphex(addr, >=, BASE);
    g_assert_cmphex(addr + 36, <=, BASE + image->len);
    g_assert_cmphex(addr + ldl_le_p(p + 4), <=, BASE + image->len);
    if (signature) {
        g_assert_cmpmem(p, 4, signature, 4);
    }
    if (memcmp(p, "FACS", 4)) {
        g_assert_cmphex(sum(p, ldl_le_p(p + 4)), ==, 0);
    }
    return p;
}

/* -- Structure ----------------------------------------------------------- */

static void check_fadt(GByteArray *image, const uint8_t *fadt, bool q35)
{
    g_assert_cmpuint(ldl_le_p(fadt + 4), ==, 268);
    table_at(image, ldl_le_p(fadt + 36), "FACS");
    g_assert_cmphex(ldl_le_p(fadt + 36) % 64, ==, 0);
    table_at(image, ldl_le_p(fadt + 40), "DSDT");
    g_assert_cmphex(ldq_le_p(fadt + 140), ==, ldl_le_p(fadt + 40));
    g_assert_cmpuint(ldw_le_p(fadt + 46), ==, 9);
    g_assert_cmphex(ldl_le_p(fadt + 48), ==, 0xb2);
    g_assert_cmphex(fadt[52], ==, q35 ? 0x02 : 0xf1);
    g_assert_cmphex(ldl_le_p(fadt + 56), ==, 0x600);
    g_assert_cmphex(ldl_le_p(fadt + 64), ==, 0x604);
    g_assert_cmphex(ldl_le_p(fadt + 76), ==, 0x608);
    g_assert_cmphex(ldl_le_p(fadt + 80), ==, q35 ? 0x620 : 0xafe0);
    g_assert_cmpuint(fadt[92], ==, q35 ? 16 : 4);
    g_assert_cmphex(fadt[108], ==, 0x32);
    g_assert_cmphex(ldq_le_p(fadt + 120), ==, 0xcf9);
    g_assert_cmphex(ldq_le_p(fadt + 148 + 4), ==, 0x600);
}

static unsigned count_madt(const uint8_t *madt, uint8_t type)
{
    const uint8_t *p = madt + 44, *end = madt + ldl_le_p(madt + 4);
    unsigned n = 0;

    for (; p < end; p += p[1]) {
        g_assert_cmpuint(p[1], >, 1);
        n += p[0] == type;
    }
    g_assert_true(p == end);
    return n;
}

static void check_image(bool q35, unsigned cpus)
{
    g_autoptr(ACPITables) t = make_tables(q35, cpus);
    g_autoptr(GByteArray) rsdp = NULL;
    g_autoptr(GByteArray) image = acpi_tables_image(t, BASE, &rsdp);
    const uint8_t *rsdt, *xsdt;
    g_autoptr(GString) seen = g_string_new(NULL);
    unsigned n;

    g_assert_cmpuint(rsdp->len, ==, 36);
    g_assert_cmpmem(rsdp->data, 8, "RSD PTR ", 8);
    g_assert_cmphex(sum(rsdp->data, 20), ==, 0);
    g_assert_cmphex(sum(rsdp->data, 36), ==, 0);
    rsdt = table_at(image, ldl_le_p(rsdp->data + 16), "RSDT");
    xsdt = table_at(image, ldq_le_p(rsdp->data + 24), "XSDT");
    n = (ldl_le_p(rsdt + 4) - 36) / 4;
    g_assert_cmpuint(n, ==, (ldl_le_p(xsdt + 4) - 36) / 8);
    for (unsigned i = 0; i < n; i++) {
        uint64_t addr = ldq_le_p(xsdt + 36 + 8 * i);
        const uint8_t *p = table_at(image, addr, NULL);

        g_assert_cmphex(ldl_le_p(rsdt + 36 + 4 * i), ==, addr);
        g_string_append_printf(seen, "%.4s ", p);
        if (!memcmp(p, "FACP", 4)) {
            check_fadt(image, p, q35);
        } else if (!memcmp(p, "APIC", 4)) {
            g_assert_cmpuint(count_madt(p, 0) + count_madt(p, 9), ==, cpus);
            g_assert_cmpuint(count_madt(p, 9), ==, cpus > 255 ? cpus - 255 : 0);
            g_assert_cmpuint(count_madt(p, 1), ==, 1);
            g_assert_cmpuint(count_madt(p, 2), ==, 5);
        } else if (!memcmp(p, "MCFG", 4)) {
            g_assert_cmphex(ldq_le_p(p + 44), ==, 0xb0000000);
        }
    }
    g_assert_cmpstr(seen->str, ==, q35 ? "FACP APIC SSDT MCFG WAET "
                                       : "FACP APIC SSDT WAET ");
}

static void test_linked_image(void)
{
    check_image(true, 1);
    check_image(true, 288);
    check_image(false, 4);
    check_image(false, 255);
}

/* -- The two ways -------------------------------------------------------- */

#define LOADER_COMMAND 128

/* Firmware's part: runs the script on copies of the files. */
static void run_script(GByteArray *script, GByteArray *tables,
                       GByteArray *rsdp, uint64_t base)
{
    for (unsigned i = 0; i < script->len; i += LOADER_COMMAND) {
        const uint8_t *c = script->data + i;
        GByteArray *file = strcmp((char *)c + 4, "etc/acpi/rsdp") ? tables
                                                                  : rsdp;
        uint32_t offset;

        switch (ldl_le_p(c)) {
        case 1:
            g_assert_cmpuint(i, <, 2 * LOADER_COMMAND);
            g_assert_cmpuint(ldl_le_p(c + 60), ==, file == rsdp ? 16 : 64);
            g_assert_cmpuint(c[64], ==, file == rsdp ? 2 : 1);
            break;
        case 2:
            offset = ldl_le_p(c + 116);
            g_assert_cmpstr((char *)c + 60, ==, "etc/acpi/tables");
            g_assert_cmpuint(offset + c[120], <=, file->len);
            g_assert_cmpuint(ldn_le_p(file->data + offset, c[120]), <,
                             tables->len);
            stn_le_p(file->data + offset, c[120],
                     ldn_le_p(file->data + offset, c[120]) + base);
            break;
        case 3:
            offset = ldl_le_p(c + 60);
            file->data[offset] -= sum(file->data + ldl_le_p(c + 64),
                                      ldl_le_p(c + 68));
            break;
        default:
            g_assert_not_reached();
        }
    }
}

static GByteArray *read_fw_cfg_file(const char *name)
{
    GByteArray *out = g_byte_array_new();
    uint32_t n, size = 0;
    uint16_t key = 0;

    port_out(0x510, FW_CFG_FILE_DIR, 2);
    n = inb(0x511) << 24 | inb(0x511) << 16;
    n |= inb(0x511) << 8;
    n |= inb(0x511);
    while (n--) {
        uint8_t entry[64];

        for (int i = 0; i < sizeof(entry); i++) {
            entry[i] = inb(0x511);
        }
        if (!strcmp((char *)entry + 8, name)) {
            size = ldl_be_p(entry);
            key = ldw_be_p(entry + 4);
        }
    }
    g_assert_cmphex(key, !=, 0);
    port_out(0x510, key, 2);
    g_byte_array_set_size(out, size);
    for (uint32_t i = 0; i < size; i++) {
        out->data[i] = inb(0x511);
    }
    return out;
}

static void test_firmware_gets_the_same(void)
{
    FWCfgState *fw = fw_cfg_init_io_dma(get_system_io(),
                                        &address_space_memory);
    g_autoptr(ACPITables) t = make_tables(true, 4);
    g_autoptr(GByteArray) want_rsdp = NULL, want = NULL;
    g_autoptr(GByteArray) script = NULL, tables = NULL, rsdp = NULL;

    want = acpi_tables_image(t, BASE, &want_rsdp);
    acpi_tables_add_fw_cfg(make_tables(true, 4), fw);
    script = read_fw_cfg_file("etc/table-loader");
    tables = read_fw_cfg_file("etc/acpi/tables");
    rsdp = read_fw_cfg_file("etc/acpi/rsdp");
    run_script(script, tables, rsdp, BASE);
    g_assert_cmpmem(tables->data, tables->len, want->data, want->len);
    g_assert_cmpmem(rsdp->data, rsdp->len, want_rsdp->data, want_rsdp->len);
    qdev_unparent((DeviceState *)fw);
}

static void test_install_survives_reset(void)
{
    static MemoryRegion ram;
    uint8_t *host;

    memory_region_init_ram(&ram, NULL, "ram", 1 * MiB, &error_abort);
    memory_region_add_subregion(get_system_memory(), 0, &ram);
    host = memory_region_get_ram_ptr(&ram);
    g_assert_cmphex(acpi_tables_install(make_tables(true, 1), 640 * KiB), ==,
                    ACPI_EBDA);
    g_assert_cmpuint(nr_reserved, ==, 2);
    g_assert_cmphex(reserved[0].at % 4096, ==, 0);
    g_assert_cmphex(reserved[0].at + reserved[0].len, ==, 640 * KiB);
    g_assert_cmpuint(reserved[0].type, ==, E820_ACPI);
    for (int i = 0; i < 2; i++) {
        memset(host, 0xaa, 1 * MiB);
        reset_fn(reset_opaque);
        g_assert_cmpmem(host + (ldw_le_p(host + 0x40e) << 4), 8,
                        "RSD PTR ", 8);
        g_assert_cmphex(ldl_le_p(host + ACPI_EBDA + 16), >=, reserved[0].at);
    }
    memory_region_del_subregion(get_system_memory(), &ram);
}

/* -- What an interpreter makes of it ------------------------------------- */

/* acpiexec's answer to commands on the tables; skips without the tools. */
static char *acpi_exec(bool q35, const char *commands)
{
    g_autoptr(ACPITables) t = make_tables(q35, 2);
    g_autoptr(GByteArray) rsdp = NULL;
    g_autoptr(GByteArray) image = acpi_tables_image(t, BASE, &rsdp);
    g_autofree char *dir = g_dir_make_tmp("acpi-XXXXXX", NULL);
    g_autofree char *tool = g_find_program_in_path("acpiexec");
    g_autofree char *dsdt = NULL, *ssdt = NULL;
    const uint8_t *xsdt, *fadt, *p;
    char *argv[6] = { NULL }, *out = NULL;

    if (!tool) {
        g_test_skip("no acpiexec (Debian package acpica-tools)");
        rmdir(dir);
        return NULL;
    }
    xsdt = table_at(image, ldq_le_p(rsdp->data + 24), "XSDT");
    fadt = table_at(image, ldq_le_p(xsdt + 36), "FACP");
    p = table_at(image, ldl_le_p(fadt + 40), "DSDT");
    dsdt = g_build_filename(dir, "dsdt.aml", NULL);
    g_file_set_contents(dsdt, (char *)p, ldl_le_p(p + 4), NULL);
    p = table_at(image, ldq_le_p(xsdt + 36 + 16), "SSDT");
    ssdt = g_build_filename(dir, "ssdt.aml", NULL);
    g_file_set_contents(ssdt, (char *)p, ldl_le_p(p + 4), NULL);
    argv[0] = tool;
    argv[1] = (char *)"-b";
    argv[2] = (char *)commands;
    argv[3] = dsdt;
    argv[4] = ssdt;
    g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                               &out, NULL, NULL, NULL));
    unlink(dsdt);
    unlink(ssdt);
    rmdir(dir);
    return out;
}

static void assert_says(const char *out, const char *what)
{
    if (!strstr(out, what)) {
        g_error("'%s' is not in:\n%s", what, out);
    }
}

static void test_windows_in_aml(void)
{
    g_autofree char *q35 = acpi_exec(true, "resources \\_SB.PCI0");
    g_autofree char *pc = NULL;

    if (q35) {
        assert_says(q35, "Address Minimum : 80000000\n"
                    "            Address Maximum : AFFFFFFF\n");
        assert_says(q35, "Address Minimum : C0000000\n"
                    "            Address Maximum : FEBFFFFF\n");
        assert_says(q35, "Address Minimum : 0000000200000000\n"
                    "            Address Maximum : 00000009FFFFFFFF\n");
        pc = acpi_exec(false, "resources \\_SB.PCI0");
        assert_says(pc, "Address Minimum : C0000000\n"
                    "            Address Maximum : FEBFFFFF\n");
        g_assert_null(strstr(pc, "Address Maximum : AFFFFFFF"));
    }
}

/* _SRS of a link goes to the router's register, _CRS tells it. */
static void test_links_in_aml(void)
{
    g_autofree char *out = acpi_exec(true,
        "evaluate \\_SB.LNKB._SRS (89 06 00 09 01 0b 00 00 00 79 00);"
        "evaluate \\_SB.PCI0.ISA.PRQB;"
        "evaluate \\_SB.LNKB._CRS;"
        "evaluate \\_SB.LNKB._DIS;"
        "evaluate \\_SB.LNKB._STA;"
        "evaluate \\_SB.GSIH._CRS");

    if (out) {
        assert_says(out, "[Integer] = 000000000000000B");
        assert_says(out, "89 06 00 09 01 0B 00 00 00 79 00");
        assert_says(out, "[Integer] = 0000000000000009");
        assert_says(out, "89 06 00 09 01 17 00 00 00 79 00");
    }
}

static void test_devices_in_aml(void)
{
    g_autofree char *out = acpi_exec(true,
        "evaluate \\_SB.PCI0.ISA.COM1._STA;evaluate \\_SB.C001._UID;"
        "evaluate \\_S5;evaluate \\_SB.PCI0._OSC "
        "(5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66) 1 3 "
        "(00 00 00 00 1f 00 00 00 1f 00 00 00)");
    g_autofree char *none = NULL;

    if (out) {
        assert_says(out, "[Integer] = 000000000000000F");
        assert_says(out, "[Integer] = 0000000000000001");
        assert_says(out, "[Package] Contains 4 Elements");
        assert_says(out, "10 00 00 00 1F 00 00 00 1D 00 00 00");
        g_assert_null(strstr(out, "AE_"));
        none = acpi_exec(false, "evaluate \\_SB.PCI0.ISA.COM2._STA;"
                         "evaluate \\_SB.LNKS._CRS");
        assert_says(none, "[Integer] = 0000000000000000");
        assert_says(none, "89 06 00 09 01 09 00 00 00 79 00");
    }
}

/* -- SMBIOS -------------------------------------------------------------- */

static void test_smbios_walk(void)
{
    SMBIOSConfig cfg = {
        .manufacturer = "QEMU", .product = "p", .version = "",
        .uuid = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55 },
        .sockets = 2, .cores = 3, .threads = 2,
        .below_4g = 2 * GiB, .above_4g = 38 * GiB,
    };
    uint8_t anchor[SMBIOS_ANCHOR_SIZE];
    g_autoptr(GByteArray) t = smbios_build(&cfg, anchor);
    unsigned count = 0, biggest = 0, dimms = 0, types = 0;
    uint64_t mib = 0;

    for (unsigned i = 0, start = 0; i < t->len; start = i, count++) {
        const uint8_t *p = t->data + i;

        types |= p[0] < 32 ? 1u << p[0] : 0;
        if (p[0] == 1) {
            g_assert_cmpmem(p + 8, 6, "\x33\x22\x11\x00\x55\x44", 6);
        } else if (p[0] == 17) {
            dimms++;
            mib += ldw_le_p(p + 12) == 0x7fff ? ldl_le_p(p + 28)
                                               : ldw_le_p(p + 12);
        }
        i += p[1];
        while (t->data[i] || t->data[i + 1]) {
            g_assert_cmpuint(++i + 1, <, t->len);
        }
        i += 2;
        biggest = MAX(biggest, i - start);
    }
    g_assert_cmphex(types, ==, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 16 | 1 << 17
                    | 1 << 19);
    g_assert_cmpuint(dimms, ==, 3);
    g_assert_cmpuint(mib, ==, 40 * 1024);
    g_assert_cmpuint(ldw_le_p(anchor + 8), ==, biggest);
    g_assert_cmpuint(ldw_le_p(anchor + 22), ==, t->len);
    g_assert_cmpuint(ldw_le_p(anchor + 28), ==, count);
}

static void test_uuid(void)
{
    uint8_t u[16];

    g_assert_true(uuid_parse("00112233-4455-6677-8899-aabbccddeeff", u));
    for (int i = 0; i < 16; i++) {
        g_assert_cmphex(u[i], ==, i * 0x11);
    }
    g_assert_false(uuid_parse("00112233-4455-6677-8899-aabbccddeef", u));
    g_assert_false(uuid_parse("", u));
}

/* -- Memory -------------------------------------------------------------- */

static void test_ram_split(void)
{
    static const struct { uint64_t ram; bool q35; uint64_t below, above; }
    want[] = {
        { 128 * MiB, true, 128 * MiB, 0 },
        { 2 * GiB, true, 2 * GiB, 0 },
        { 0xaffff000, true, 0xaffff000, 0 },
        { 0xb0000000, true, 2 * GiB, 0x30000000 },
        { 8 * GiB, true, 2 * GiB, 6 * GiB },
        { 3 * GiB, false, 3 * GiB, 0 },
        { 0xdffff000, false, 0xdffff000, 0 },
        { 0xe0000000, false, 3 * GiB, 0x20000000 },
        { 8 * GiB, false, 3 * GiB, 5 * GiB },
    };

    for (int i = 0; i < ARRAY_SIZE(want); i++) {
        uint64_t below, above;

        pc_split_ram(want[i].q35, want[i].ram, &below, &above);
        g_assert_cmphex(below, ==, want[i].below);
        g_assert_cmphex(above, ==, want[i].above);
    }
}

static void assert_window(ACPIWindow w, uint64_t first, uint64_t last)
{
    g_assert_cmphex(w.first, ==, first);
    g_assert_cmphex(w.last, ==, last);
}

static void test_pci_windows(void)
{
    ACPIConfig q35 = { .q35 = true }, pc = { 0 };

    pc_pci_windows(&q35, 2 * GiB, 6 * GiB + MiB);
    assert_window(q35.pci_low, 2 * GiB, 0xafffffff);
    assert_window(q35.pci32, 0xc0000000, 0xfebfffff);
    assert_window(q35.pci64, 11 * GiB, 43 * GiB - 1);
    pc_pci_windows(&pc, 0xc0000000, 0);
    g_assert_cmphex(pc.pci_low.last, ==, 0);
    assert_window(pc.pci32, 0xc0000000, 0xfebfffff);
    assert_window(pc.pci64, 4 * GiB, 36 * GiB - 1);
    g_assert_cmphex(pc.ecam_base, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_world_init();
    g_test_add_func("/acpi/linked-image", test_linked_image);
    g_test_add_func("/acpi/firmware-gets-the-same",
                    test_firmware_gets_the_same);
    g_test_add_func("/acpi/install-survives-reset",
                    test_install_survives_reset);
    g_test_add_func("/acpi/windows-in-aml", test_windows_in_aml);
    g_test_add_func("/acpi/links-in-aml", test_links_in_aml);
    g_test_add_func("/acpi/devices-in-aml", test_devices_in_aml);
    g_test_add_func("/smbios/can-be-walked", test_smbios_walk);
    g_test_add_func("/smbios/uuid", test_uuid);
    g_test_add_func("/pc/ram-split", test_ram_split);
    g_test_add_func("/pc/pci-windows", test_pci_windows);
    return g_test_run();
}
