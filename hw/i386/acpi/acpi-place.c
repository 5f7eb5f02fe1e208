/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ways for ACPI tables into guest memory: files of fw_cfg with a script by
 * which firmware places and links them (the linker/loader interface of QEMU
 * that SeaBIOS and OVMF have), or written into RAM by the machine itself.
 */
#include "qemu/osdep.h"
#include "acpi-internal.h"
#include "hw/i386/boot.h"
#include "qemu/bswap.h"
#include "system/runstate.h"

#define FILE_NAME_SIZE 56
#define TABLES_ALIGNMENT 64
#define INSTALL_ALIGNMENT 0x1000
#define BDA_EBDA_SEGMENT 0x40e

static const char *const file_name[ACPI_FILES] = {
    [ACPI_TABLES] = "etc/acpi/tables",
    [ACPI_RSDP] = "etc/acpi/rsdp",
};

/* -- Script for firmware ------------------------------------------------- */

enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

/* Little-endian. */
typedef struct LoaderCommand {
    uint32_t command;
    union {
        struct {
            char file[FILE_NAME_SIZE];
            uint32_t alignment;
            uint8_t zone;
        } QEMU_PACKED allocate;
        struct {
            char file[FILE_NAME_SIZE];      /* that holds the pointer */
            char target[FILE_NAME_SIZE];
            uint32_t offset;
            uint8_t size;
        } QEMU_PACKED pointer;
        struct {
            char file[FILE_NAME_SIZE];
            uint32_t offset, start, length;
        } QEMU_PACKED checksum;
        uint8_t pad[124];
    };
} QEMU_PACKED LoaderCommand;
QEMU_BUILD_BUG_ON(sizeof(LoaderCommand) != 128);

static void loader_allocate(GArray *script, ACPIFile file, uint32_t alignment,
                            uint8_t zone)
{
    LoaderCommand c = {
        .command = cpu_to_le32(LOADER_ALLOCATE),
        .allocate.alignment = cpu_to_le32(alignment),
        .allocate.zone = zone,
    };

    g_strlcpy(c.allocate.file, file_name[file], FILE_NAME_SIZE);
    g_array_append_val(script, c);
}

static void loader_fixup(GArray *script, const ACPIFixup *f)
{
    LoaderCommand c = { 0 };

    if (f->kind == ACPI_FIXUP_POINTER) {
        c.command = cpu_to_le32(LOADER_ADD_POINTER);
        g_strlcpy(c.pointer.file, file_name[f->file], FILE_NAME_SIZE);
        g_strlcpy(c.pointer.target, file_name[ACPI_TABLES], FILE_NAME_SIZE);
        c.pointer.offset = cpu_to_le32(f->offset);
        c.pointer.size = f->size;
    } else {
        c.command = cpu_to_le32(LOADER_ADD_CHECKSUM);
        g_strlcpy(c.checksum.file, file_name[f->file], FILE_NAME_SIZE);
        c.checksum.offset = cpu_to_le32(f->offset);
        c.checksum.start = cpu_to_le32(f->start);
        c.checksum.length = cpu_to_le32(f->length);
    }
    g_array_append_val(script, c);
}

/* Calls @fn for pointers, then for checksums. */
#define FOR_EACH_FIXUP(t, f)                                            \
    for (int kind_ = ACPI_FIXUP_POINTER; kind_ <= ACPI_FIXUP_CHECKSUM;  \
         kind_++)                                                       \
        for (const ACPIFixup *f = (const ACPIFixup *)(t)->fixups->data, \
                 *end_ = f + (t)->fixups->len; f < end_; f++)           \
            if (f->kind == kind_)

void acpi_tables_add_fw_cfg(ACPITables *t, FWCfgState *fw_cfg)
{
    GArray *script = g_array_new(false, false, sizeof(LoaderCommand));
    size_t len;

    loader_allocate(script, ACPI_TABLES, TABLES_ALIGNMENT, ZONE_HIGH);
    loader_allocate(script, ACPI_RSDP, 16, ZONE_FSEG);
    FOR_EACH_FIXUP(t, f) {
        loader_fixup(script, f);
    }
    for (int i = 0; i < ACPI_FILES; i++) {
        len = t->blob[i]->len;
        fw_cfg_take_file(fw_cfg, file_name[i],
                         g_byte_array_free(t->blob[i], false), len);
    }
    len = script->len * sizeof(LoaderCommand);
    fw_cfg_take_file(fw_cfg, "etc/table-loader", g_array_free(script, false),
                     len);
    g_array_unref(t->fixups);
    g_free(t);
}

/* -- Straight into RAM --------------------------------------------------- */

static uint8_t byte_sum(const uint8_t *p, uint32_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return sum;
}

GByteArray *acpi_tables_image(const ACPITables *t, uint64_t base,
                              GByteArray **rsdp)
{
    GByteArray *image[ACPI_FILES];

    for (int i = 0; i < ACPI_FILES; i++) {
        image[i] = g_byte_array_append(g_byte_array_new(), t->blob[i]->data,
                                       t->blob[i]->len);
    }
    FOR_EACH_FIXUP(t, f) {
        uint8_t *data = image[f->file]->data;
        uint8_t *at = data + f->offset;

        if (f->kind == ACPI_FIXUP_POINTER) {
            stn_le_p(at, f->size, ldn_le_p(at, f->size) + base);
        } else {
            *at -= byte_sum(data + f->start, f->length);
        }
    }
    *rsdp = image[ACPI_RSDP];
    return image[ACPI_TABLES];
}

typedef struct ACPIInstalled {
    uint64_t base;
    GByteArray *tables, *rsdp;
} ACPIInstalled;

static void acpi_write_ram(void *opaque)
{
    ACPIInstalled *i = opaque;
    uint16_t segment = cpu_to_le16(ACPI_EBDA >> 4);
    AddressSpace *as = &address_space_memory;
    MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;

    address_space_write(as, i->base, attrs, i->tables->data, i->tables->len);
    address_space_write(as, ACPI_EBDA, attrs, i->rsdp->data, i->rsdp->len);
    address_space_write(as, BDA_EBDA_SEGMENT, attrs, &segment,
                        sizeof(segment));
}

uint64_t acpi_tables_install(ACPITables *t, uint64_t top)
{
    ACPIInstalled *i = g_new0(ACPIInstalled, 1);
    uint64_t size = ROUND_UP(t->blob[ACPI_TABLES]->len, INSTALL_ALIGNMENT);

    i->base = QEMU_ALIGN_DOWN(top - size, INSTALL_ALIGNMENT);
    i->tables = acpi_tables_image(t, i->base, &i->rsdp);
    acpi_tables_free(t);
    e820_add_entry(i->base, size, E820_ACPI);
    e820_add_entry(ACPI_EBDA, ACPI_EBDA_SIZE, E820_RESERVED);
    qemu_register_reset(acpi_write_ram, i);
    return ACPI_EBDA;
}
