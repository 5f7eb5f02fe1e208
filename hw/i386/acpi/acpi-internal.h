/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that make the ACPI tables and place them. */
#ifndef HW_I386_ACPI_INTERNAL_H
#define HW_I386_ACPI_INTERNAL_H

#include "hw/i386/acpi-build.h"

typedef enum ACPIFile { ACPI_TABLES, ACPI_RSDP, ACPI_FILES } ACPIFile;

/* In the order in which they are to be applied, but for pointers, which all
 * come before checksums. */
typedef struct ACPIFixup {
    enum { ACPI_FIXUP_POINTER, ACPI_FIXUP_CHECKSUM } kind;
    ACPIFile file;
    uint32_t offset;                /* of the pointer or the checksum byte */
    uint8_t size;                   /* of the pointer */
    uint32_t start, length;         /* what is summed */
} ACPIFixup;

struct ACPITables {
    GByteArray *blob[ACPI_FILES];
    GArray *fixups;
};

#endif
