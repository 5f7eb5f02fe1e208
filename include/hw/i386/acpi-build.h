/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of a machine: the DSDT compiled with it, the others made at
 * run time, and two ways to hand them to the guest.
 */
#ifndef HW_I386_ACPI_BUILD_H
#define HW_I386_ACPI_BUILD_H

#include "hw/acpi/acpi.h"
#include "hw/nvram/fw_cfg.h"

#define ACPI_PMBASE 0x600           /* as SeaBIOS and the DSDT have it */
#define ACPI_SCI_IRQ 9
#define ACPI_EBDA 0x9fc00           /* where a direct boot has the RSDP */
#define ACPI_EBDA_SIZE 0x400

/* First and last address; last 0: none. */
typedef struct ACPIWindow {
    uint64_t first, last;
} ACPIWindow;

typedef struct ACPIConfig {
    bool q35;
    const ACPIPMModel *pm;
    const uint32_t *apic_ids;       /* one a CPU */
    unsigned nr_cpus;
    /* What the PCI root decodes; low is the part below PCIEXBAR. */
    ACPIWindow pci_low, pci32, pci64;
    uint64_t ecam_base;             /* 0: no MCFG */
    uint8_t com_ports;              /* bit per COM port */
    uint16_t pvpanic_port;          /* 0: none */
    bool has_vga;
} ACPIConfig;

typedef struct ACPITables ACPITables;

ACPITables *acpi_tables_new(const ACPIConfig *cfg);
void acpi_tables_free(ACPITables *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ACPITables, acpi_tables_free)

/* For a machine with firmware: etc/acpi/tables, etc/acpi/rsdp and the
 * etc/table-loader that says how to place and link them.  Takes @t over. */
void acpi_tables_add_fw_cfg(ACPITables *t, FWCfgState *fw_cfg);

/**
 * acpi_tables_install - for a machine without: right into RAM, at each reset
 * @top: end of the RAM below 4 GiB; the tables end there
 *
 * Takes @t over, adds what it occupies to the e820 map and returns the address
 * of the RSDP, which is in the extended BIOS data area.
 */
uint64_t acpi_tables_install(ACPITables *t, uint64_t top);

/* The linked image as the guest will see it with the tables at @base, for
 * tests: the tables, then the RSDP. */
GByteArray *acpi_tables_image(const ACPITables *t, uint64_t base,
                              GByteArray **rsdp);

#endif
