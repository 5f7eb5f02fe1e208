/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machines "q35" and "pc" share. */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "hw/boards.h"
#include "hw/isa/isa.h"
#include "hw/i386/acpi-build.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "hw/pci-host/pam.h"
#include "hw/rtc/mc146818rtc.h"

#define PC_GSIS 24
#define PC_4G (4 * GiB)
#define PC_PCI_WINDOW_END 0xfec00000ULL     /* IO-APIC and up are not PCI's */
#define PC_PCI64_WINDOW (32 * GiB)
#define PC_ECAM_BASE 0xb0000000ULL          /* q35: PCI Express config space */
#define PC_ECAM_SIZE (256 * MiB)

#define TYPE_PC_MACHINE "generic-pc-machine"
typedef struct PCMachineState PCMachineState;
typedef struct PCMachineClass PCMachineClass;
DECLARE_OBJ_CHECKERS(PCMachineState, PCMachineClass, PC_MACHINE,
                     TYPE_PC_MACHINE)

struct PCMachineState {
    MachineState parent_obj;
    uint64_t below_4g, above_4g;    /* bytes of RAM */
    MemoryRegion ram_below, ram_above, pci_mem, bios, isa_bios;
    qemu_irq *gsi;                  /* PC_GSIS; lines 0 to 15 are ISA's */
    PCIBus *bus;
    ISABus *isa_bus;
    PCIDevice *south;               /* has the PIRQ router */
    PCIDevice *pm;                  /* has power management */
    RTCState *rtc;
    FWCfgState *fw_cfg;
    bool direct;                    /* a kernel is entered without firmware */
    const char *boot_first;         /* before any bootindex: a path or NULL */
};

struct PCMachineClass {
    MachineClass parent_class;
    bool q35;
    const char *product;            /* as SMBIOS has it */
    const ACPIPMModel *pm_model;
    /* Host and south bridge: sets bus, isa_bus, south, pm. */
    bool (*init_chipset)(PCMachineState *pcms, const ChipsetMemory *mem,
                         Error **errp);
    /* After a reset without firmware: what SeaBIOS would have programmed into
     * the chipset and kernels take for granted. */
    void (*program_chipset)(PCMachineState *pcms);
};

/* Where RAM goes: all of it below 4 GiB if it fits there. */
void pc_split_ram(bool q35, uint64_t ram_size, uint64_t *below_4g,
                  uint64_t *above_4g);
/* What is left for PCI devices; cfg->q35 is set. */
void pc_pci_windows(ACPIConfig *cfg, uint64_t below_4g, uint64_t above_4g);
/* For class_init: names "pc-q35-7.2", "q35". */
void pc_machine_class_set(PCMachineClass *pc, const char *name,
                          const char *alias, const char *desc);

/* -- Parts, in files of their own ---------------------------------------- */

/* PC_GSIS lines to the accelerator's chips, and the way of messages there;
 * both are counted for `info irq`. */
qemu_irq *pc_init_gsis(void);

/* Firmware below 4 GiB and in the F segment of the PCI space. */
bool pc_load_firmware(PCMachineState *pcms, Error **errp);
/* Items of fw_cfg that need every device to be there. */
void pc_fill_fw_cfg(PCMachineState *pcms);
/* Of -boot's parameter @name; @order may be NULL. */
bool pc_check_boot_order(const char *name, const char *order, Error **errp);
void pc_fill_cmos(PCMachineState *pcms);
ACPITables *pc_build_acpi(PCMachineState *pcms);

/* For firmware to start: -kernel's parts in fw_cfg, and the ROM that loads
 * them. */
bool pc_offer_kernel(PCMachineState *pcms, Error **errp);

/* -smbios, before the machine is made. */
bool pc_smbios_option(JsonObject *opts, Error **errp);
/* SMBIOS without firmware: into the F segment, which must be RAM, at resets. */
bool pc_install_smbios(PCMachineState *pcms, Error **errp);

/* Paths of the devices with a bootindex, in its order, one a line, after @first
 * if not NULL; "HALT" ends a strict list.  @len: with the final NUL, 0 if there
 * are none. */
char *pc_bootorder(const char *first, bool strict, size_t *len);

#endif
