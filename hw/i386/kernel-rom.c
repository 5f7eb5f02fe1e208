/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel with -bios: firmware finds the option ROM of kernel-rom.S in fw_cfg
 * and, first of all there is to boot, the kernel's parts.  The ROM must be one
 * that firmware takes from there (SeaBIOS: files "genroms/...") and the
 * firmware one that calls bootstrap entry vectors.
 */
#include "qemu/osdep.h"
#include "hw/i386/boot.h"
#include "hw/i386/pc.h"
#include "qemu/bswap.h"
#include "kernel-rom.h"

#define ROM_FILE "genroms/linuxboot_dma.bin"
#define ROM_UNIT 512
#define ROM_UNITS_AT 2
#define PNP_SIZE 32
#define PNP_SUM_AT 9

extern const uint8_t kernel_rom[], kernel_rom_pnp[], kernel_rom_end[];

/* What makes bytes add up to 0. */
static uint8_t sum_to_zero(const uint8_t *data, size_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum -= *data++;
    }
    return sum;
}

static uint8_t *make_rom(size_t *size)
{
    size_t used = kernel_rom_end - kernel_rom;
    uint8_t *rom, *pnp;

    *size = QEMU_ALIGN_UP(used + 1, ROM_UNIT);
    rom = g_malloc0(*size);
    memcpy(rom, kernel_rom, used);
    pnp = rom + (kernel_rom_pnp - kernel_rom);
    pnp[PNP_SUM_AT] = sum_to_zero(pnp, PNP_SIZE);
    rom[ROM_UNITS_AT] = *size / ROM_UNIT;
    rom[*size - 1] = sum_to_zero(rom, *size);
    return rom;
}

/* Three items of fw_cfg; the data becomes fw_cfg's. */
static void offer(FWCfgState *fw, X86KernelPart *part, uint16_t addr_key,
                  uint16_t size_key, uint16_t data_key)
{
    fw_cfg_add_i32(fw, addr_key, part->addr);
    fw_cfg_add_i32(fw, size_key, part->size);
    fw_cfg_take_bytes(fw, data_key, g_steal_pointer(&part->data), part->size);
}

bool pc_offer_kernel(PCMachineState *pcms, Error **errp)
{
    g_auto(X86KernelParts) parts = { 0 };
    MachineState *ms = MACHINE(pcms);
    FWCfgState *fw = pcms->fw_cfg;
    uint8_t *rom;
    size_t size;

    if (!x86_split_kernel(ms->kernel_filename, ms->initrd_filename,
                          ms->kernel_cmdline, pcms->below_4g, pcms->above_4g,
                          &parts, errp)) {
        return false;
    }
    offer(fw, &parts.setup, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE,
          FW_CFG_SETUP_DATA);
    offer(fw, &parts.code, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE,
          FW_CFG_KERNEL_DATA);
    offer(fw, &parts.initrd, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE,
          FW_CFG_INITRD_DATA);
    offer(fw, &parts.cmdline, FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE,
          FW_CFG_CMDLINE_DATA);
    rom = make_rom(&size);
    fw_cfg_take_file(fw, ROM_FILE, rom, size);
    pcms->boot_first = "/rom@" ROM_FILE;
    return true;
}
