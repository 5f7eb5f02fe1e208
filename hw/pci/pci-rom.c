/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expansion ROMs: the image of property "romfile", or the one that the
 * device's class names, behind the ROM BAR (PCI Local Bus 3.0, 6.2.5.2).
 * With rombar=0 there is no BAR: the machine gives the image to firmware.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/datadir.h"
#include "pci-internal.h"

/* Larger ones would not fit a 32-bit BAR. */
#define ROM_MAX (1ULL << 31)

static bool choose_size(PCIDevice *dev, const char *file, uint64_t size,
                        uint64_t *bar_size, Error **errp)
{
    if (!size || size > ROM_MAX) {
        error_setg(errp, "romfile \"%s\" is %s", file,
                   size ? "larger than 2 GiB" : "empty");
        return false;
    }
    if (dev->romsize && !is_power_of_2(dev->romsize)) {
        error_setg(errp, "romsize %u is not a power of two", dev->romsize);
        return false;
    }
    if (dev->romsize && dev->romsize < size) {
        error_setg(errp, "romfile \"%s\" (%" PRIu64 " bytes) is larger than "
                   "romsize %u", file, size, dev->romsize);
        return false;
    }
    /* Software cannot size a ROM BAR of less than 2 KiB: bits 10-1 are
     * reserved. */
    *bar_size = dev->romsize ? dev->romsize : pow2ceil(size);
    *bar_size = MAX(*bar_size, 2 * KiB);
    return true;
}

bool pci_add_option_rom(PCIDevice *dev, Error **errp)
{
    const char *file = dev->romfile ? dev->romfile :
        PCI_DEVICE_GET_CLASS(dev)->romfile;
    g_autofree char *path = NULL, *data = NULL, *name = NULL;
    g_autoptr(GError) err = NULL;
    uint64_t bar_size;
    gsize size;

    if (!file || !*file) {
        if (dev->romsize) {
            error_setg(errp, "romsize without a romfile: there is no option "
                       "ROM that it could be the size of");
            return false;
        }
        return true;
    }
    path = access(file, F_OK) ? qemu_find_data_file(file) : g_strdup(file);
    if (!path) {
        g_autofree char *dirs = qemu_data_dirs(", ");

        error_setg(errp, "romfile \"%s\" not found, here or in %s", file,
                   dirs);
        return false;
    }
    if (!g_file_get_contents(path, &data, &size, &err)) {
        error_setg(errp, "romfile: %s", err->message);
        return false;
    }
    if (!choose_size(dev, file, size, &bar_size, errp)) {
        return false;
    }
    if (!dev->rombar) {
        dev->rom_file = g_bytes_new_take(g_steal_pointer(&data), size);
        return true;
    }
    name = g_strdup_printf("%s.rom", object_get_typename(OBJECT(dev)));
    if (!memory_region_init_rom(&dev->rom, OBJECT(dev), name, bar_size, errp)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&dev->rom), data, size);
    dev->has_rom = true;
    pci_register_bar(dev, PCI_ROM_SLOT, 0, &dev->rom);
    return true;
}

void pci_del_option_rom(PCIDevice *dev)
{
    if (dev->has_rom) {
        memory_region_finalize(&dev->rom);
        dev->has_rom = false;
    }
    g_clear_pointer(&dev->rom_file, g_bytes_unref);
}
