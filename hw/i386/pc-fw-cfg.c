/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware learns from the machine: CMOS bytes (as SeaBIOS reads them),
 * fw_cfg items, SMBIOS and the order in which to try boot devices.
 */
#include "qemu/osdep.h"
#include "hw/i386/boot.h"
#include "hw/i386/pc.h"
#include "hw/i386/smbios.h"
#include "qemu/bswap.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "system/system.h"

/* -- Boot order ---------------------------------------------------------- */

/* Letters of -boot order= and what the BIOS calls the devices in CMOS. */
static int boot_device_code(char letter)
{
    static const char letters[] = "acdn";
    const char *p = letter ? strchr(letters, letter) : NULL;

    return p ? p - letters + 1 : 0;
}

bool pc_check_boot_order(const char *name, const char *order, Error **errp)
{
    size_t len = order ? strlen(order) : 0;

    for (size_t i = 0; i < len; i++) {
        if (!boot_device_code(order[i]) || strchr(order, order[i])
            != order + i || len > 3) {
            error_setg(errp, "-boot %s=%s: expects up to three different "
                       "letters of a (floppy), c (disk), d (CD), n (network)",
                       name, order);
            return false;
        }
    }
    return true;
}

typedef struct BootEntry {
    int64_t index;
    char *path;
} BootEntry;

/* A SCSI adapter's place is that of its disks, in the order of their targets:
 * firmware names no less than a disk, and those of a remote one are unknown. */
static char *boot_path(DeviceState *dev)
{
    PCIDevice *pdev = (PCIDevice *)object_dynamic_cast(OBJECT(dev),
                                                       TYPE_PCI_DEVICE);
    g_autofree char *own = qdev_get_fw_dev_path(dev);
    GString *paths;

    if (!pdev || pci_get_word(pdev->config + PCI_CLASS_DEVICE) != 0x0100) {
        return g_steal_pointer(&own);
    }
    paths = g_string_new(own);
    for (int target = 0; target < 16; target++) {
        g_string_append_printf(paths, "\n%s/channel@0/disk@%x,0", own, target);
    }
    return g_string_free(paths, false);
}

static int add_boot_entry(DeviceState *dev, void *opaque)
{
    Object *obj = OBJECT(dev);
    BootEntry e;

    if (object_property_find(obj, "bootindex")) {
        e.index = object_property_get_int(obj, "bootindex", &error_abort);
        if (e.index >= 0) {
            e.path = boot_path(dev);
            g_array_append_val((GArray *)opaque, e);
        }
    }
    return 0;
}

static int compare_boot_entries(const void *a, const void *b)
{
    int64_t x = ((const BootEntry *)a)->index, y = ((const BootEntry *)b)->index;

    return x < y ? -1 : x > y;
}

char *pc_bootorder(const char *first, bool strict, size_t *len)
{
    g_autoptr(GArray) entries = g_array_new(false, false, sizeof(BootEntry));
    GString *list = g_string_new(first);

    qbus_walk(sysbus_get_default(), add_boot_entry, NULL, entries);
    g_array_sort(entries, compare_boot_entries);
    for (unsigned i = 0; i < entries->len; i++) {
        BootEntry *e = &g_array_index(entries, BootEntry, i);

        g_string_append_printf(list, "%s%s", list->len ? "\n" : "", e->path);
        g_free(e->path);
    }
    if (strict && list->len) {
        g_string_append(list, "\nHALT");
    }
    *len = list->len ? list->len + 1 : 0;
    return g_string_free(list, false);
}

/* -- Option ROMs without a BAR ------------------------------------------- */

/* Firmware runs what it finds below "genroms/". The device's path makes the
 * name that of one device only. */
static int add_rom_file(DeviceState *dev, void *opaque)
{
    PCIDevice *pdev = (PCIDevice *)object_dynamic_cast(OBJECT(dev),
                                                       TYPE_PCI_DEVICE);
    g_autofree char *path = NULL, *name = NULL;
    gconstpointer data;
    gsize len;

    if (pdev && pdev->rom_file) {
        path = qdev_get_dev_path(dev);
        name = g_strdup_printf("genroms/%.40s.rom", path);
        data = g_bytes_get_data(pdev->rom_file, &len);
        fw_cfg_take_file(opaque, name, g_memdup2(data, len), len);
    }
    return 0;
}

/* -- CMOS ---------------------------------------------------------------- */

static void set_cmos16(RTCState *rtc, int addr, uint16_t v)
{
    mc146818rtc_set_cmos_data(rtc, addr, v & 0xff);
    mc146818rtc_set_cmos_data(rtc, addr + 1, v >> 8);
}

static void set_boot_order(RTCState *rtc, const char *order)
{
    int boot[3] = { 0 };

    for (int i = 0; i < 3 && order[i]; i++) {
        boot[i] = boot_device_code(order[i]);
    }
    mc146818rtc_set_cmos_data(rtc, 0x3d, boot[1] << 4 | boot[0]);
    /* Bit 0: no check of a floppy's signature. */
    mc146818rtc_set_cmos_data(rtc, 0x38, boot[2] << 4 | 1);
}

static const char *usual_order(const MachineState *ms)
{
    return ms->boot_order && *ms->boot_order ? ms->boot_order : "cad";
}

/* The first of all resets is the machine's start. */
static void boot_order_reset(void *opaque)
{
    PCMachineState *pcms = opaque;
    MachineState *ms = MACHINE(pcms);

    set_boot_order(pcms->rtc, ms->boot_once ?: usual_order(ms));
    g_clear_pointer(&ms->boot_once, g_free);
}

void pc_fill_cmos(PCMachineState *pcms)
{
    MachineState *ms = MACHINE(pcms);
    RTCState *rtc = pcms->rtc;
    uint64_t above_1m = pcms->below_4g - MIN(pcms->below_4g, 1 * MiB);
    uint64_t above_16m = pcms->below_4g - MIN(pcms->below_4g, 16 * MiB);
    uint64_t high = MIN(pcms->above_4g / (64 * KiB), 0xffffff);

    mc146818rtc_set_cmos_data(rtc, 0x14, 0x02);     /* FPU */
    set_cmos16(rtc, 0x15, 640);
    set_cmos16(rtc, 0x17, MIN(above_1m / KiB, UINT16_MAX));
    set_cmos16(rtc, 0x30, MIN(above_1m / KiB, UINT16_MAX));
    set_cmos16(rtc, 0x34, MIN(above_16m / (64 * KiB), UINT16_MAX));
    set_cmos16(rtc, 0x5b, high & 0xffff);
    mc146818rtc_set_cmos_data(rtc, 0x5d, high >> 16);
    mc146818rtc_set_cmos_data(rtc, 0x5f, MIN(ms->smp_cpus - 1, UINT8_MAX));
    set_boot_order(rtc, usual_order(ms));
    if (ms->boot_once && *ms->boot_once) {
        qemu_register_reset(boot_order_reset, pcms);
    }
}

/* -- fw_cfg -------------------------------------------------------------- */

static void add_e820(PCMachineState *pcms)
{
    const E820Entry *table;
    unsigned n;

    if (kvm_enabled()) {
        e820_add_entry(KVM_IDENTITY_BASE,
                       KVM_RESERVED_END - KVM_IDENTITY_BASE, E820_RESERVED);
    }
    e820_add_entry(0, pcms->below_4g, E820_RAM);
    if (pcms->above_4g) {
        e820_add_entry(PC_4G, pcms->above_4g, E820_RAM);
    }
    n = e820_get_table(&table);
    fw_cfg_take_file(pcms->fw_cfg, "etc/e820",
                     g_memdup2(table, n * sizeof(*table)), n * sizeof(*table));
}

/* A file with one little-endian number. */
static void add_number(FWCfgState *fw, const char *name, uint32_t value,
                       unsigned size)
{
    uint8_t *data = g_malloc(size);

    stn_le_p(data, size, value);
    fw_cfg_take_file(fw, name, data, size);
}

#define SMBIOS_ANCHOR 0xf0000
#define SMBIOS_TABLES 0xf0020
#define F_SEGMENT_END 0x100000

static SMBIOSUser smbios_user;

bool pc_smbios_option(JsonObject *opts, Error **errp)
{
    return smbios_user_add(&smbios_user, opts, errp);
}

static GByteArray *build_smbios(PCMachineState *pcms,
                                uint8_t anchor[SMBIOS_ANCHOR_SIZE])
{
    MachineState *ms = MACHINE(pcms);
    SMBIOSConfig cfg = {
        .manufacturer = "QEMU",
        .product = PC_MACHINE_GET_CLASS(pcms)->product,
        .version = MACHINE_GET_CLASS(ms)->name,
        .sockets = ms->smp_sockets,
        .cores = ms->smp_dies * ms->smp_cores,
        .threads = ms->smp_threads,
        .below_4g = pcms->below_4g,
        .above_4g = pcms->above_4g,
        .user = &smbios_user,
    };

    if (qemu_uuid) {
        uuid_parse(qemu_uuid, cfg.uuid);    /* the option has checked it */
    }
    return smbios_build(&cfg, anchor);
}

static void add_smbios(PCMachineState *pcms)
{
    uint8_t *anchor = g_malloc(SMBIOS_ANCHOR_SIZE);
    GByteArray *tables = build_smbios(pcms, anchor);
    size_t len = tables->len;

    fw_cfg_take_file(pcms->fw_cfg, "etc/smbios/smbios-tables",
                     g_byte_array_free(tables, false), len);
    fw_cfg_take_file(pcms->fw_cfg, "etc/smbios/smbios-anchor", anchor,
                     SMBIOS_ANCHOR_SIZE);
}

/* What firmware would have put into its segment. */
typedef struct SMBIOSInstall {
    uint8_t anchor[SMBIOS_ANCHOR_SIZE];
    GByteArray *tables;
} SMBIOSInstall;

static void write_smbios(void *opaque)
{
    const SMBIOSInstall *i = opaque;

    address_space_write(&address_space_memory, SMBIOS_ANCHOR,
                        MEMTXATTRS_UNSPECIFIED, i->anchor, sizeof(i->anchor));
    address_space_write(&address_space_memory, SMBIOS_TABLES,
                        MEMTXATTRS_UNSPECIFIED, i->tables->data,
                        i->tables->len);
}

bool pc_install_smbios(PCMachineState *pcms, Error **errp)
{
    static SMBIOSInstall install;

    install.tables = build_smbios(pcms, install.anchor);
    if (install.tables->len > F_SEGMENT_END - SMBIOS_TABLES) {
        error_setg(errp, "-smbios: %u bytes of structures do not fit into "
                   "the 64 KiB there are without firmware",
                   install.tables->len);
        return false;
    }
    smbios_finish_anchor(install.anchor, SMBIOS_TABLES);
    qemu_register_reset(write_smbios, &install);
    return true;
}

void pc_fill_fw_cfg(PCMachineState *pcms)
{
    MachineState *ms = MACHINE(pcms);
    FWCfgState *fw = pcms->fw_cfg;
    uint8_t *uuid = g_malloc0(16);
    char *order;
    size_t len;

    if (qemu_uuid) {
        uuid_parse(qemu_uuid, uuid);    /* the option has checked it */
    }
    fw_cfg_add_bytes(fw, FW_CFG_UUID, uuid, 16);
    fw_cfg_add_i64(fw, FW_CFG_RAM_SIZE, ms->ram_size);
    fw_cfg_add_i16(fw, FW_CFG_NOGRAPHIC, !ms->graphics);
    fw_cfg_add_i16(fw, FW_CFG_NB_CPUS, ms->smp_cpus);
    fw_cfg_add_i16(fw, FW_CFG_MAX_CPUS, ms->smp_max_cpus);
    fw_cfg_add_i16(fw, FW_CFG_BOOT_MENU, ms->boot_menu);
    fw_cfg_add_i32(fw, FW_CFG_IRQ0_OVERRIDE, 1);
    add_e820(pcms);
    add_smbios(pcms);
    if (ms->boot_splash_ms >= 0) {
        add_number(fw, "etc/boot-menu-wait", ms->boot_splash_ms, 2);
    }
    add_number(fw, "etc/boot-fail-wait", ms->boot_retry_ms, 4);
    qbus_walk(sysbus_get_default(), add_rom_file, NULL, fw);
    order = pc_bootorder(pcms->boot_first, ms->boot_strict, &len);
    fw_cfg_take_file(fw, "bootorder", order, len);
}
