/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machines "q35" and "pc" share: where RAM lies, interrupt lines,
 * the chips on ISA, firmware or a kernel entered directly.  The chipsets are
 * in pc-q35.c and pc-piix.c.
 */
#include "qemu/osdep.h"
#include "hw/char/serial.h"
#include "hw/i386/boot.h"
#include "hw/i386/cpu.h"
#include "hw/i386/pc.h"
#include "hw/isa/pc-ports.h"
#include "hw/misc/pvpanic.h"
#include "qemu/bitops.h"
#include "system/kvm.h"
#include "system/runstate.h"

/* -- Memory -------------------------------------------------------------- */

static void pc_init_memory(PCMachineState *pcms, MemoryRegion *system)
{
    MachineState *ms = MACHINE(pcms);
    Object *owner = OBJECT(pcms);

    memory_region_init_alias(&pcms->ram_below, owner, "ram-below-4g", ms->ram,
                             0, pcms->below_4g);
    memory_region_add_subregion(system, 0, &pcms->ram_below);
    if (pcms->above_4g) {
        memory_region_init_alias(&pcms->ram_above, owner, "ram-above-4g",
                                 ms->ram, pcms->below_4g, pcms->above_4g);
        memory_region_add_subregion(system, PC_4G, &pcms->ram_above);
    }
    memory_region_init(&pcms->pci_mem, owner, "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(system, 0, &pcms->pci_mem, -1);
}

/* -- Chips --------------------------------------------------------------- */

static bool pc_init_isa(PCMachineState *pcms, Error **errp)
{
    static const char *const chips[] = { TYPE_PORT92, TYPE_I8042 };

    isa_bus_irqs(pcms->isa_bus, pcms->gsi);
    for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
        if (!isa_realize_and_unref(isa_new(chips[i]), pcms->isa_bus, errp)) {
            return false;
        }
    }
    pcms->rtc = mc146818_rtc_init(pcms->isa_bus, errp);
    return pcms->rtc && serial_hds_isa_init(pcms->isa_bus, 0,
                                            MAX_ISA_SERIAL_PORTS, errp);
}

static bool pc_init(MachineState *ms, Error **errp)
{
    PCMachineState *pcms = PC_MACHINE(ms);
    PCMachineClass *pc = PC_MACHINE_GET_CLASS(pcms);
    ChipsetMemory mem = {
        .system = get_system_memory(),
        .io = get_system_io(),
        .ram = ms->ram,
        .pci = &pcms->pci_mem,
    };

    if (!pc_check_boot_order("order", ms->boot_order, errp) ||
        !pc_check_boot_order("once", ms->boot_once, errp)) {
        return false;
    }
    pcms->direct = ms->kernel_filename && !ms->firmware;
    pc_split_ram(pc->q35, ms->ram_size, &pcms->below_4g, &pcms->above_4g);
    mem.below_4g = pcms->below_4g;

    if (accel->irqchip_create && !accel->irqchip_create(ms, errp)) {
        return false;
    }
    if (!x86_cpus_init(ms, errp)) {
        return false;
    }
    pc_init_memory(pcms, mem.system);
    pcms->gsi = pc_init_gsis();
    if (!pc->init_chipset(pcms, &mem, errp)) {
        return false;
    }
    pci_set_primary_bus(pcms->bus);
    if (!pc_init_isa(pcms, errp)) {
        return false;
    }
    pcms->fw_cfg = fw_cfg_init_io_dma(mem.io, &address_space_memory);
    return pcms->direct || pc_load_firmware(pcms, errp);
}

/* -- When all devices are there ------------------------------------------ */

/* Which COM ports stand where the DSDT says. */
static uint8_t pc_com_ports(PCMachineState *pcms)
{
    static const struct { int iobase, irq; } com[MAX_ISA_SERIAL_PORTS] = {
        { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 }
    };
    uint8_t ports = 0;
    DeviceState *dev;

    QTAILQ_FOREACH(dev, &pcms->isa_bus->parent_obj.children, sibling) {
        if (!object_dynamic_cast(OBJECT(dev), TYPE_ISA_SERIAL)) {
            continue;
        }
        for (int i = 0; i < MAX_ISA_SERIAL_PORTS; i++) {
            if (object_property_get_int(OBJECT(dev), "iobase", &error_abort)
                == com[i].iobase
                && object_property_get_int(OBJECT(dev), "irq", &error_abort)
                == com[i].irq) {
                ports |= BIT(i);
            }
        }
    }
    return ports;
}

static void find_vga(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    bool *found = opaque;

    *found |= pci_get_word(dev->config + PCI_CLASS_DEVICE) == 0x0300;
}

ACPITables *pc_build_acpi(PCMachineState *pcms)
{
    PCMachineClass *pc = PC_MACHINE_GET_CLASS(pcms);
    MachineState *ms = MACHINE(pcms);
    g_autofree uint32_t *apic_ids = g_new0(uint32_t, ms->smp_cpus);
    X86CPUTopo topo = x86_machine_topo(ms);
    ACPIConfig cfg = {
        .q35 = pc->q35,
        .pm = pc->pm_model,
        .apic_ids = apic_ids,
        .nr_cpus = ms->smp_cpus,
        .com_ports = pc_com_ports(pcms),
        .pvpanic_port = pvpanic_port(pcms->isa_bus),
    };

    pc_pci_windows(&cfg, pcms->below_4g, pcms->above_4g);
    for (unsigned i = 0; i < ms->smp_cpus; i++) {
        apic_ids[i] = x86_topo_apic_id(&topo, i);
    }
    pci_for_each_device(pcms->bus, find_vga, &cfg.has_vga);
    return acpi_tables_new(&cfg);
}

static void pc_program_chipset(void *opaque)
{
    PC_MACHINE_GET_CLASS(opaque)->program_chipset(opaque);
}

static bool pc_load_kernel(PCMachineState *pcms, Error **errp)
{
    MachineState *ms = MACHINE(pcms);
    uint64_t rsdp = acpi_tables_install(pc_build_acpi(pcms), pcms->below_4g);

    if (PC_MACHINE_GET_CLASS(pcms)->q35) {
        e820_add_entry(PC_ECAM_BASE, PC_ECAM_SIZE, E820_RESERVED);
    }
    qemu_register_reset(pc_program_chipset, pcms);
    return pc_install_smbios(pcms, errp) &&
           x86_load_kernel(ms, ms->kernel_filename, ms->initrd_filename,
                           ms->kernel_cmdline, pcms->below_4g,
                           pcms->above_4g, rsdp, errp);
}

static bool pc_ready(MachineState *ms, Error **errp)
{
    PCMachineState *pcms = PC_MACHINE(ms);

    pc_fill_cmos(pcms);
    if (pcms->direct) {
        return pc_load_kernel(pcms, errp);
    }
    acpi_tables_add_fw_cfg(pc_build_acpi(pcms), pcms->fw_cfg);
    if (ms->kernel_filename && !pc_offer_kernel(pcms, errp)) {
        return false;
    }
    pc_fill_fw_cfg(pcms);
    return true;
}

/* -- Types --------------------------------------------------------------- */

void pc_machine_class_set(PCMachineClass *pc, const char *name,
                          const char *alias, const char *desc)
{
    MachineClass *mc = &pc->parent_class;

    mc->name = name;
    mc->alias = alias;
    mc->desc = desc;
}

static void pc_class_init(ObjectClass *klass, void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->init = pc_init;
    mc->ready = pc_ready;
    mc->default_ram_size = 128 * MiB;
    mc->max_cpus = 288;
    mc->default_cpu = "qemu64";
}

static const TypeInfo pc_types[] = {
    {
        .name = TYPE_PC_MACHINE,
        .parent = TYPE_MACHINE,
        .abstract = true,
        .instance_size = sizeof(PCMachineState),
        .class_size = sizeof(PCMachineClass),
        .class_init = pc_class_init,
    },
};
DEFINE_TYPES(pc_types)
