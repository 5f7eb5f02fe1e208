/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware image: read-only, at the end of the first 4 GiB, and its last
 * 128 KiB in the PCI space at 0xe0000, where it shows as long as the chipset
 * shows PCI there.
 */
#include "qemu/osdep.h"
#include "hw/i386/pc.h"
#include "qemu/datadir.h"
#include "system/kvm.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"
#define FIRMWARE_UNIT (64 * KiB)
#define FIRMWARE_MAX (8 * MiB)
#define F_SEGMENT_END (1 * MiB)
#define F_SEGMENT_SIZE (128 * KiB)

/* A path as it is given, or a name in a folder of firmware. */
static char *find_firmware(const char *name, Error **errp)
{
    g_autofree char *dirs = NULL;
    char *path;

    if (strchr(name, '/') || !access(name, F_OK)) {
        return g_strdup(name);
    }
    path = qemu_find_data_file(name);
    if (path) {
        return path;
    }
    dirs = qemu_data_dirs(", ");
    error_setg(errp, "firmware '%s': there is no such file here or in %s",
               name, dirs);
    error_append_hint(errp, "SeaBIOS is in Debian's package 'seabios'; -bios "
                      "FILE names another firmware, and -kernel FILE alone "
                      "needs none.\n");
    return NULL;
}

/* All of the file @path, for g_free(). */
static uint8_t *read_firmware(const char *path, uint64_t *size, Error **errp)
{
    int fd = RETRY_ON_EINTR(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    g_autofree uint8_t *data = NULL;
    struct stat st;
    ssize_t got;

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "firmware '%s'", path);
    } else if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "firmware '%s': not a regular file", path);
    } else if (!st.st_size || st.st_size % FIRMWARE_UNIT
               || st.st_size > FIRMWARE_MAX) {
        error_setg(errp, "firmware '%s' has %jd bytes: it must be a multiple "
                   "of 64 KiB, up to 8 MiB", path, (intmax_t)st.st_size);
    } else {
        *size = st.st_size;
        data = g_malloc(*size);
        got = RETRY_ON_EINTR(pread(fd, data, *size, 0));
        if (got != *size) {
            error_setg(errp, "firmware '%s': cannot be read", path);
            g_clear_pointer(&data, g_free);
        }
    }
    qemu_close(&fd);
    return g_steal_pointer(&data);
}

bool pc_load_firmware(PCMachineState *pcms, Error **errp)
{
    MachineState *ms = MACHINE(pcms);
    g_autofree uint8_t *data = NULL;
    g_autofree char *path = NULL;
    Object *owner = OBJECT(pcms);
    uint64_t shown, size;

    if (!ms->firmware && !kvm_enabled()) {
        return true;            /* there is nothing that would run it */
    }
    path = find_firmware(ms->firmware ?: DEFAULT_FIRMWARE, errp);
    data = path ? read_firmware(path, &size, errp) : NULL;
    if (!data ||
        !memory_region_init_rom(&pcms->bios, owner, "pc.bios", size, errp)) {
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
