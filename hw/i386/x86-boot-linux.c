/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bzImage: Linux's own kernel format.  Linux Documentation/arch/x86/boot.rst,
 * boot protocol 2.06 and later; entered at its 64-bit entry where it has one
 * (2.12), else at its 32-bit entry.  Kernels that load below 1 MiB (zImage)
 * are refused.
 */
#include "qemu/osdep.h"
#include <asm/bootparam.h>
#include "qemu/bitops.h"
#include "boot-internal.h"

#define HEADER_OFFSET 0x1f1
#define HEADER_MAGIC 0x53726448         /* "HdrS" */
#define BOOT_FLAG 0xaa55
#define VERSION_MIN 0x206
#define VERSION_INIT_SIZE 0x20a
#define VERSION_XLOADFLAGS 0x20c
#define LOADER_UNDEFINED 0xff
#define NO_VIDEO_MODE 0xffff

/* The header, as much of it as the kernel's version has: it ends where the
 * jump at its beginning leads.  1, 0 or -1 as boot_linux(). */
static int read_header(BootFile *f, struct setup_header *h, Error **errp)
{
    uint8_t raw[sizeof(*h)] = { 0 };
    uint64_t len = MIN(sizeof(raw), f->size - MIN(f->size, HEADER_OFFSET));

    memset(h, 0, sizeof(*h));
    if (len < 0x20 || !boot_read(f, HEADER_OFFSET, raw, len, "header", NULL)) {
        return 0;
    }
    memcpy(h, raw, len);
    if (h->boot_flag != BOOT_FLAG || h->header != HEADER_MAGIC) {
        return 0;
    }
    /* "jmp short": 0xeb and a displacement from 0x202. */
    len = 0x202 - HEADER_OFFSET + (h->jump >> 8);
    if ((h->jump & 0xff) != 0xeb) {
        error_setg(errp, "kernel '%s': bzImage with a damaged header",
                   f->name);
        return -1;
    }
    if (h->version < VERSION_MIN) {
        error_setg(errp, "kernel '%s': its boot protocol %d.%02d is too old, "
                   "2.06 is the least", f->name, h->version >> 8,
                   h->version & 0xff);
        return -1;
    }
    if (len < sizeof(*h)) {
        memset((uint8_t *)h + len, 0, sizeof(*h) - len);
    }
    if (h->version < VERSION_INIT_SIZE) {
        h->pref_address = h->init_size = 0;
    }
    if (h->version < VERSION_XLOADFLAGS) {
        h->xloadflags = 0;
    }
    if (!(h->loadflags & LOADED_HIGH)) {
        error_setg(errp, "kernel '%s': is a zImage; a bzImage is needed",
                   f->name);
        return -1;
    }
    return 1;
}

/* Where the protected-mode kernel goes: where it wants to, or, if it can be
 * moved, elsewhere. */
static bool place_kernel(Boot *b, const struct setup_header *h, uint64_t *addr,
                         Error **errp)
{
    BootFile *f = b->kernel;
    uint64_t offset = ((h->setup_sects ?: 4) + 1) * 512;
    uint64_t size, needs, align;

    if (offset >= f->size) {
        error_setg(errp, "kernel '%s': bzImage that ends before its code",
                   f->name);
        return false;
    }
    size = f->size - offset;
    needs = MAX(size, h->init_size);
    align = is_power_of_2(h->kernel_alignment) ? h->kernel_alignment : 2 * MiB;
    *addr = h->pref_address ?: MiB;
    if (h->relocatable_kernel &&
        (*addr > UINT32_MAX || !boot_is_ram(b, *addr, needs))) {
        *addr = boot_find(b, needs, align, MiB, 4 * GiB, true);
        if (*addr == UINT64_MAX) {
            error_setg(errp, "kernel '%s': needs %" PRIu64 " bytes of RAM in "
                       "one piece, which the guest has not; -m gives it more",
                       f->name, needs);
            return false;
        }
    }
    if (*addr > 4 * GiB || needs > 4 * GiB - *addr) {
        error_setg(errp, "kernel '%s': wants to be at 0x%" PRIx64 ", above "
                   "4 GiB", f->name, *addr);
        return false;
    }
    return boot_place_file(b, *addr, needs, f, offset, size, "code", errp);
}

static void fill_e820(const Boot *b, struct boot_params *p)
{
    p->e820_entries = b->map_entries;
    for (unsigned i = 0; i < b->map_entries; i++) {
        p->e820_table[i] = (struct boot_e820_entry){
            .addr = b->map[i].address, .size = b->map[i].length,
            .type = b->map[i].type,
        };
    }
}

static bool place_zero_page(Boot *b, const struct setup_header *h,
                            uint64_t initrd_addr, uint64_t initrd_size,
                            Error **errp)
{
    struct boot_params *p = g_new0(struct boot_params, 1);

    QEMU_BUILD_BUG_ON(sizeof(*p) != 4096);
    QEMU_BUILD_BUG_ON(E820_MAX > E820_MAX_ENTRIES_ZEROPAGE);
    p->hdr = *h;
    p->hdr.type_of_loader = LOADER_UNDEFINED;
    p->hdr.vid_mode = NO_VIDEO_MODE;
    p->hdr.cmd_line_ptr = BOOT_CMDLINE;
    p->hdr.ramdisk_image = initrd_addr;
    p->hdr.ramdisk_size = initrd_size;
    p->hdr.setup_data = 0;
    p->acpi_rsdp_addr = b->rsdp_addr;
    fill_e820(b, p);
    return boot_place_data(b, BOOT_ZERO_PAGE, p, sizeof(*p), "zero page",
                           errp);
}

int boot_linux(Boot *b, const char *initrd, Error **errp)
{
    uint64_t addr, initrd_addr = 0, initrd_size = 0, end;
    struct setup_header h;
    int found = read_header(b->kernel, &h, errp);

    if (found <= 0) {
        return found;
    }
    b->long_mode = h.xloadflags & XLF_KERNEL_64;
    end = MIN((uint64_t)(h.initrd_addr_max ?: 0x37ffffff) + 1, 4 * GiB);
    if (!boot_place_cmdline(b, h.cmdline_size ?: 255, errp) ||
        !place_kernel(b, &h, &addr, errp) ||
        (initrd && !boot_place_initrd(b, initrd, "initrd", end, &initrd_addr,
                                      &initrd_size, errp)) ||
        !place_zero_page(b, &h, initrd_addr, initrd_size, errp)) {
        return -1;
    }
    b->rip = addr + (b->long_mode ? 0x200 : 0);
    b->rsi = BOOT_ZERO_PAGE;
    return 1;
}
