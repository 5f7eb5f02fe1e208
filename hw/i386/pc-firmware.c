/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware image: read-only, at the end of the first 4 GiB, and its last
 * 128 KiB in the PCI space at 0xe0000, where it shows as long as the chipset
 * shows PCI there.
 */
#include "qemu/osdep.h"
#include "hw/i386/pc.h"
#include "system/kvm.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"
#define FIRMWARE_UNIT (64 * KiB)
#define FIRMWARE_MAX (8 * MiB)
#define F_SEGMENT_END (1 * MiB)
#define F_SEGMENT_SIZE (128 * KiB)

/* A path as it is given, or a name in the directory of firmware. */
static char *find_firmware(const char *name, Error **errp)
{
    g_autofree char *path = g_build_filename(CONFIG_FIRMWARE_PATH, name, NULL);

    if (!access(name, R_OK)) {
        return g_strdup(name);
    }
    if (!strchr(name, '/') && !access(path, R_OK)) {
        return g_steal_pointer(&path);
    }
    error_setg_errno(errp, errno, "firmware '%s'", name);
    error_append_hint(errp, "SeaBIOS is in Debian's package 'seabios', under "
                      "%s; -bios FILE names another firmware, and -kernel "
                      "FILE needs none.\n", CONFIG_FIRMWARE_PATH);
    return NULL;
}

static bool check_firmware(const char *path, gsize size, Error **errp)
{
    if (!size || size % FIRMWARE_UNIT || size > FIRMWARE_MAX) {
        error_setg(errp, "firmware '%s' has %zu bytes: it must be a multiple "
                   "of 64 KiB, up to 8 MiB", path, size);
        return false;
    }
    return true;
}

bool pc_load_firmware(PCMachineState *pcms, Error **errp)
{
    MachineState *ms = MACHINE(pcms);
    g_autoptr(GError) gerr = NULL;
    g_autofree char *path = NULL, *data = NULL;
    Object *owner = OBJECT(pcms);
    uint64_t shown;
    gsize size;

    if (!ms->firmware && !kvm_enabled()) {
        return true;            /* there is nothing that would run it */
    }
    path = find_firmware(ms->firmware ?: DEFAULT_FIRMWARE, errp);
    if (!path) {
        return false;
    }
    if (!g_file_get_contents(path, &data, &size, &gerr)) {
        error_setg(errp, "firmware '%s': %s", path, gerr->message);
        return false;
    }
    if (!check_firmware(path, size, errp)
        || !memory_region_init_rom(&pcms->bios, owner, "pc.bios", size, errp)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&pcms->bios), data, size);
    memory_region_add_subregion_overlap(&pcms->pci_mem, PC_4G - size,
                                        &pcms->bios, 1);
    shown = MIN(size, F_SEGMENT_SIZE);
    memory_region_init_alias(&pcms->isa_bios, owner, "isa-bios", &pcms->bios,
                             size - shown, shown);
    memory_region_add_subregion_overlap(&pcms->pci_mem, F_SEGMENT_END - shown,
                                        &pcms->isa_bios, 1);
    return true;
}
