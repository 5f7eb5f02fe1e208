/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables made at run time (ACPI 6.4, 5.2; PCI Firmware 3.2, 4.1.2): RSDP,
 * RSDT, XSDT, FADT, FACS, MADT, MCFG, WAET, an SSDT with the processors, and
 * the compiled DSDT with its integers (PCI windows, COM ports) filled in.
 *
 * Everything but the RSDP lies in one blob.  A pointer holds the offset in the
 * blob of what it points to; the list of fix-ups says where pointers and
 * checksums are, and whoever places the blob applies it.
 */
#include "qemu/osdep.h"
#include "acpi-internal.h"
#include "qemu/bswap.h"
#include "hw/i386/acpi/dsdt_pc.hex"
#include "hw/i386/acpi/dsdt_q35.hex"

#define OEM_ID "MPQEMU"
#define OEM_TABLE_ID "MPQEMU  "
#define HEADER_SIZE 36
#define LENGTH_OFFSET 4
#define CHECKSUM_OFFSET 9
#define FACS_SIZE 64
#define FADT_SIZE 268
#define LAPIC_ADDR 0xfee00000
#define IOAPIC_ADDR 0xfec00000

/* FADT flags and boot architecture */
#define FADT_WBINVD (1 << 0)
#define FADT_PROC_C1 (1 << 2)
#define FADT_NO_SLP_BUTTON (1 << 5)
#define FADT_NO_FIX_RTC (1 << 6)
#define FADT_RESET_REG (1 << 10)
#define FADT_APIC_CLUSTER (1 << 18)
#define BOOT_ARCH_LEGACY (1 << 0)       /* ports and chips of an ISA PC */
#define BOOT_ARCH_NO_VGA (1 << 2)

/* MADT entry types and flags */
enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_ISO = 2, MADT_LAPIC_NMI = 4,
       MADT_X2APIC = 9, MADT_X2APIC_NMI = 10 };
#define MADT_PCAT_COMPAT 1
#define MADT_ENABLED 1
#define ISO_LEVEL_HIGH 0x000d
#define MAX_XAPIC_ID 254

/* -- Bytes --------------------------------------------------------------- */

static void put(GByteArray *b, uint64_t v, unsigned size)
{
    uint8_t bytes[8];

    stn_le_p(bytes, size, v);
    g_byte_array_append(b, bytes, size);
}

static void put_text(GByteArray *b, const char *s, unsigned size)
{
    g_byte_array_append(b, (const uint8_t *)s, size);
}

static void put_zeros(GByteArray *b, unsigned n)
{
    while (n--) {
        put(b, 0, 1);
    }
}

static void pad_to(GByteArray *b, unsigned alignment)
{
    put_zeros(b, ROUND_UP(b->len, alignment) - b->len);
}

/* A pointer of @size bytes to @target in the tables. */
static void put_pointer(ACPITables *t, ACPIFile file, uint32_t target,
                        unsigned size)
{
    ACPIFixup f = {
        .kind = ACPI_FIXUP_POINTER, .file = file,
        .offset = t->blob[file]->len, .size = size,
    };

    g_array_append_val(t->fixups, f);
    put(t->blob[file], target, size);
}

static void add_checksum(ACPITables *t, ACPIFile file, uint32_t start,
                         uint32_t length, uint32_t offset)
{
    ACPIFixup f = {
        .kind = ACPI_FIXUP_CHECKSUM, .file = file,
        .offset = offset, .start = start, .length = length,
    };

    g_array_append_val(t->fixups, f);
}

/* -- Tables -------------------------------------------------------------- */

/* Where the table begins; what is put next is its body. */
static uint32_t table_begin(ACPITables *t, const char *signature,
                            uint8_t revision)
{
    GByteArray *b = t->blob[ACPI_TABLES];
    uint32_t start;

    pad_to(b, 16);
    start = b->len;
    put_text(b, signature, 4);
    put(b, 0, 4);                       /* length */
    put(b, revision, 1);
    put(b, 0, 1);                       /* checksum */
    put_text(b, OEM_ID, 6);
    put_text(b, OEM_TABLE_ID, 8);
    put(b, 1, 4);                       /* OEM revision */
    put_text(b, "MPQE", 4);
    put(b, 1, 4);                       /* creator's revision */
    return start;
}

static void table_end(ACPITables *t, uint32_t start)
{
    GByteArray *b = t->blob[ACPI_TABLES];

    stl_le_p(b->data + start + LENGTH_OFFSET, b->len - start);
    add_checksum(t, ACPI_TABLES, start, b->len - start,
                 start + CHECKSUM_OFFSET);
}

static uint32_t build_facs(ACPITables *t)
{
    GByteArray *b = t->blob[ACPI_TABLES];
    uint32_t start;

    pad_to(b, 64);
    start = b->len;
    put_text(b, "FACS", 4);
    put(b, FACS_SIZE, 4);
    put_zeros(b, FACS_SIZE - 8);
    b->data[start + 32] = 1;            /* version */
    return start;
}

enum { AML_NAME = 0x08, AML_DWORD = 0x0c, AML_STRING = 0x0d, AML_SCOPE = 0x10,
       AML_EXT = 0x5b, AML_DEVICE = 0x82 };

/* Gives a PATCHED integer of the compiled table its value. */
static void patch_integer(uint8_t *aml, uint32_t len, const char *name,
                          uint32_t value)
{
    uint8_t pattern[6] = { AML_NAME, name[0], name[1], name[2], name[3],
                           AML_DWORD };
    uint8_t *at = memmem(aml, len, pattern, sizeof(pattern));

    assert(at);                         /* the ASL has it */
    stl_le_p(at + sizeof(pattern), value);
}

static uint32_t build_dsdt(ACPITables *t, const ACPIConfig *cfg)
{
    const struct { const char *name; uint32_t value; } integers[] = {
        { "P32S", cfg->pci32.first }, { "P32E", cfg->pci32.last },
        { "PLWS", cfg->pci_low.first }, { "PLWE", cfg->pci_low.last },
        { "P64S", cfg->pci64.first / MiB },
        { "P64E", (cfg->pci64.last + 1) / MiB },
        { "COMP", cfg->com_ports }, { "PVPP", cfg->pvpanic_port },
    };
    GByteArray *b = t->blob[ACPI_TABLES];
    uint32_t start;

    pad_to(b, 16);
    start = b->len;
    if (cfg->q35) {
        g_byte_array_append(b, dsdt_q35_aml_code, sizeof(dsdt_q35_aml_code));
    } else {
        g_byte_array_append(b, dsdt_pc_aml_code, sizeof(dsdt_pc_aml_code));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(integers); i++) {
        patch_integer(b->data + start, b->len - start, integers[i].name,
                      integers[i].value);
    }
    b->data[start + CHECKSUM_OFFSET] = 0;
    table_end(t, start);
    return start;
}

/* Generic address: @bytes of registers at I/O port @port. */
static void put_gas_io(GByteArray *b, uint16_t port, uint8_t bytes)
{
    uint8_t access = bytes > 4 ? 1 : bytes == 4 ? 3 : bytes;

    put(b, port ? 1 : 0, 1);
    put(b, bytes * 8, 1);
    put(b, 0, 1);
    put(b, access, 1);
    put(b, port, 8);
}

static uint32_t build_fadt(ACPITables *t, const ACPIConfig *cfg,
                           uint32_t facs, uint32_t dsdt)
{
    const ACPIPMModel *pm = cfg->pm;
    uint16_t gpe = pm->gpe_offset ? ACPI_PMBASE + pm->gpe_offset
                                  : pm->gpe_fixed_port;
    uint32_t start = table_begin(t, "FACP", 5);
    GByteArray *b = t->blob[ACPI_TABLES];

    put_pointer(t, ACPI_TABLES, facs, 4);
    put_pointer(t, ACPI_TABLES, dsdt, 4);
    put(b, 0, 1);
    put(b, 0, 1);                       /* profile: unspecified */
    put(b, ACPI_SCI_IRQ, 2);
    put(b, ACPI_APM_PORT, 4);
    put(b, pm->apm_enable, 1);
    put(b, pm->apm_disable, 1);
    put(b, 0, 2);                       /* S4BIOS, P-states */
    put(b, ACPI_PMBASE, 4);             /* PM1a event */
    put(b, 0, 4);
    put(b, ACPI_PMBASE + 4, 4);         /* PM1a control */
    put(b, 0, 4);
    put(b, 0, 4);                       /* PM2 control */
    put(b, ACPI_PMBASE + 8, 4);         /* timer */
    put(b, gpe, 4);
    put(b, 0, 4);                       /* GPE1 */
    put(b, 4, 1);
    put(b, 2, 1);
    put(b, 0, 1);
    put(b, 4, 1);
    put(b, 2 * pm->gpe_bytes, 1);
    put(b, 0, 3);                       /* GPE1 length and base, _CST */
    put(b, 0xfff, 2);                   /* C2 and C3: not supported */
    put(b, 0xfff, 2);
    put(b, 0, 8);                       /* flush size .. month alarm */
    put(b, 0x32, 1);                    /* century in CMOS */
    put(b, BOOT_ARCH_LEGACY | (cfg->has_vga ? 0 : BOOT_ARCH_NO_VGA), 2);
    put(b, 0, 1);
    put(b, FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLP_BUTTON | FADT_NO_FIX_RTC
        | FADT_RESET_REG | (cfg->nr_cpus > 8 ? FADT_APIC_CLUSTER : 0), 4);
    put_gas_io(b, 0xcf9, 1);            /* reset register, and value */
    put(b, 0x0f, 1);
    put(b, 0, 3);                       /* Arm; minor version */
    put(b, 0, 8);                       /* X_FIRMWARE_CTRL: the short one */
    put_pointer(t, ACPI_TABLES, dsdt, 8);
    put_gas_io(b, ACPI_PMBASE, 4);
    put_gas_io(b, 0, 0);
    put_gas_io(b, ACPI_PMBASE + 4, 2);
    put_gas_io(b, 0, 0);
    put_gas_io(b, 0, 0);
    put_gas_io(b, ACPI_PMBASE + 8, 4);
    put_gas_io(b, gpe, 2 * pm->gpe_bytes);
    put_gas_io(b, 0, 0);
    put_zeros(b, 24);                   /* sleep control and status */
    assert(b->len - start == FADT_SIZE);
    table_end(t, start);
    return start;
}

static void put_madt_iso(GByteArray *b, uint8_t irq, uint32_t gsi,
                         uint16_t flags)
{
    put(b, MADT_ISO, 1);
    put(b, 10, 1);
    put(b, 0, 1);                       /* ISA */
    put(b, irq, 1);
    put(b, gsi, 4);
    put(b, flags, 2);
}

static void put_madt_cpu(GByteArray *b, uint32_t uid, uint32_t apic_id)
{
    if (apic_id <= MAX_XAPIC_ID && uid <= UINT8_MAX) {
        put(b, MADT_LAPIC, 1);
        put(b, 8, 1);
        put(b, uid, 1);
        put(b, apic_id, 1);
        put(b, MADT_ENABLED, 4);
    } else {
        put(b, MADT_X2APIC, 1);
        put(b, 16, 1);
        put(b, 0, 2);
        put(b, apic_id, 4);
        put(b, MADT_ENABLED, 4);
        put(b, uid, 4);
    }
}

static uint32_t build_madt(ACPITables *t, const ACPIConfig *cfg)
{
    static const uint8_t level_irqs[] = { 5, ACPI_SCI_IRQ, 10, 11 };
    uint32_t start = table_begin(t, "APIC", 3);
    GByteArray *b = t->blob[ACPI_TABLES];
    bool x2apic = false;

    put(b, LAPIC_ADDR, 4);
    put(b, MADT_PCAT_COMPAT, 4);
    for (unsigned i = 0; i < cfg->nr_cpus; i++) {
        put_madt_cpu(b, i, cfg->apic_ids[i]);
        x2apic |= cfg->apic_ids[i] > MAX_XAPIC_ID;
    }
    put(b, MADT_IOAPIC, 1);
    put(b, 12, 1);
    put(b, 0, 2);                       /* its id */
    put(b, IOAPIC_ADDR, 4);
    put(b, 0, 4);                       /* first GSI */
    put_madt_iso(b, 0, 2, 0);           /* the timer is wired to input 2 */
    for (unsigned i = 0; i < ARRAY_SIZE(level_irqs); i++) {
        put_madt_iso(b, level_irqs[i], level_irqs[i], ISO_LEVEL_HIGH);
    }
    put(b, MADT_LAPIC_NMI, 1);
    put(b, 6, 1);
    put(b, 0xff, 1);                    /* all of them */
    put(b, 0, 2);
    put(b, 1, 1);                       /* LINT1 */
    if (x2apic) {
        put(b, MADT_X2APIC_NMI, 1);
        put(b, 12, 1);
        put(b, 0, 2);
        put(b, 0xffffffff, 4);
        put(b, 1, 1);
        put(b, 0, 3);
    }
    table_end(t, start);
    return start;
}

static uint32_t build_mcfg(ACPITables *t, const ACPIConfig *cfg)
{
    uint32_t start = table_begin(t, "MCFG", 1);
    GByteArray *b = t->blob[ACPI_TABLES];

    put(b, 0, 8);
    put(b, cfg->ecam_base, 8);
    put(b, 0, 2);                       /* segment */
    put(b, 0, 1);                       /* buses 0 to 255 */
    put(b, 0xff, 1);
    put(b, 0, 4);
    table_end(t, start);
    return start;
}

/* Windows Emulated Devices: the PM timer needs to be read only once. */
static uint32_t build_waet(ACPITables *t)
{
    uint32_t start = table_begin(t, "WAET", 1);

    put(t->blob[ACPI_TABLES], 1 << 1, 4);
    table_end(t, start);
    return start;
}

/* -- SSDT ---------------------------------------------------------------- */

/* A package length of three bytes, for what follows it; it counts itself. */
#define PKG_LENGTH_SIZE 3
static void put_pkg_length(GByteArray *b, uint32_t len)
{
    len += PKG_LENGTH_SIZE;
    assert(len < 1 << 20);
    put(b, 2 << 6 | (len & 0xf), 1);
    put(b, len >> 4, 2);
}

static void put_processor(GByteArray *b, unsigned uid)
{
    static const char hid[] = "ACPI0007";
    g_autofree char *name = g_strdup_printf("C%03X", uid);

    put(b, AML_EXT, 1);
    put(b, AML_DEVICE, 1);
    put_pkg_length(b, 4 + 6 + sizeof(hid) + 10);
    put_text(b, name, 4);
    put(b, AML_NAME, 1);
    put_text(b, "_HID", 4);
    put(b, AML_STRING, 1);
    put_text(b, hid, sizeof(hid));
    put(b, AML_NAME, 1);
    put_text(b, "_UID", 4);
    put(b, AML_DWORD, 1);
    put(b, uid, 4);
}

static uint32_t build_ssdt(ACPITables *t, const ACPIConfig *cfg)
{
    uint32_t start = table_begin(t, "SSDT", 2);
    GByteArray *b = t->blob[ACPI_TABLES];
    g_autoptr(GByteArray) cpus = g_byte_array_new();

    for (unsigned i = 0; i < cfg->nr_cpus; i++) {
        put_processor(cpus, i);
    }
    put(b, AML_SCOPE, 1);
    put_pkg_length(b, 4 + cpus->len);
    put_text(b, "_SB_", 4);
    g_byte_array_append(b, cpus->data, cpus->len);
    table_end(t, start);
    return start;
}

/* -- The whole ----------------------------------------------------------- */

static uint32_t build_root(ACPITables *t, const char *signature,
                           unsigned pointer_size, const uint32_t *tables,
                           unsigned n)
{
    uint32_t start = table_begin(t, signature, 1);

    for (unsigned i = 0; i < n; i++) {
        put_pointer(t, ACPI_TABLES, tables[i], pointer_size);
    }
    table_end(t, start);
    return start;
}

static void build_rsdp(ACPITables *t, uint32_t rsdt, uint32_t xsdt)
{
    GByteArray *b = t->blob[ACPI_RSDP];

    put_text(b, "RSD PTR ", 8);
    put(b, 0, 1);                       /* checksum of the first 20 bytes */
    put_text(b, OEM_ID, 6);
    put(b, 2, 1);                       /* revision */
    put_pointer(t, ACPI_RSDP, rsdt, 4);
    put(b, 36, 4);
    put_pointer(t, ACPI_RSDP, xsdt, 8);
    put(b, 0, 1);                       /* checksum of it all */
    put(b, 0, 3);
    add_checksum(t, ACPI_RSDP, 0, 20, 8);
    add_checksum(t, ACPI_RSDP, 0, 36, 32);
}

ACPITables *acpi_tables_new(const ACPIConfig *cfg)
{
    ACPITables *t = g_new0(ACPITables, 1);
    uint32_t tables[8], facs, dsdt, rsdt, xsdt;
    unsigned n = 0;

    t->blob[ACPI_TABLES] = g_byte_array_new();
    t->blob[ACPI_RSDP] = g_byte_array_new();
    t->fixups = g_array_new(false, false, sizeof(ACPIFixup));

    facs = build_facs(t);
    dsdt = build_dsdt(t, cfg);
    tables[n++] = build_fadt(t, cfg, facs, dsdt);
    tables[n++] = build_madt(t, cfg);
    tables[n++] = build_ssdt(t, cfg);
    if (cfg->ecam_base) {
        tables[n++] = build_mcfg(t, cfg);
    }
    tables[n++] = build_waet(t);
    rsdt = build_root(t, "RSDT", 4, tables, n);
    xsdt = build_root(t, "XSDT", 8, tables, n);
    build_rsdp(t, rsdt, xsdt);
    return t;
}

void acpi_tables_free(ACPITables *t)
{
    g_byte_array_unref(t->blob[ACPI_TABLES]);
    g_byte_array_unref(t->blob[ACPI_RSDP]);
    g_array_unref(t->fixups);
    g_free(t);
}
