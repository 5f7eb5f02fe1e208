/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bzImage: Linux's own kernel format.  Linux Documentation/arch/x86/boot.rst,
 * boot protocol 2.06 and later; entered at its 64-bit entry where it has one
 * (2.12), else at its 32-bit entry.  Or cut into the parts that firmware loads to
 * enter it at its 16-bit entry.  Kernels that load below 1 MiB (zImage) are
 * refused.
 */
#include "qemu/osdep.h"
#include <asm/bootparam.h>
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "boot-internal.h"
#include "kernel-rom.h"

#define HEADER_OFFSET 0x1f1
#define HEADER_MAGIC 0x53726448         /* "HdrS" */
#define BOOT_FLAG 0xaa55
#define VERSION_MIN 0x206
#define VERSION_INIT_SIZE 0x20a
#define VERSION_XLOADFLAGS 0x20c
#define LOADER_UNDEFINED 0xff
#define LOADER_QEMU 0xb0
#define NO_VIDEO_MODE 0xffff
#define HEAP_END_BIAS 0x200             /* of the field heap_end_ptr */

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

/* Its size in the file, after the real-mode part; 0 with @errp. */
static uint64_t code_size(const BootFile *f, uint64_t offset, Error **errp)
{
    if (offset >= f->size) {
        error_setg(errp, "kernel '%s': bzImage that ends before its code",
                   f->name);
        return 0;
    }
    return f->size - offset;
}

static uint64_t code_offset(const struct setup_header *h)
{
    return ((h->setup_sects ?: 4) + 1) * 512;
}

static uint64_t initrd_end(const struct setup_header *h)
{
    return MIN((uint64_t)(h->initrd_addr_max ?: 0x37ffffff) + 1, 4 * GiB);
}

/* Where the protected-mode kernel goes: where it wants to, or, if it can be
 * moved, elsewhere. */
static bool place_kernel(Boot *b, const struct setup_header *h, uint64_t *addr,
                         Error **errp)
{
    BootFile *f = b->kernel;
    uint64_t offset = code_offset(h), needs, align;
    uint64_t size = code_size(f, offset, errp);

    if (!size) {
        return false;
    }
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
    /* It clears what it needs clear: not touched here, pages of the rest that
     * it does not come to take no memory of the host. */
    return boot_place_file(b, *addr, size, f, offset, size, "code", errp) &&
           (needs == size ||
            boot_reserve(b, *addr + size, needs - size, "memory", errp));
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
    uint64_t addr, initrd_addr = 0, initrd_size = 0;
    struct setup_header h;
    int found = read_header(b->kernel, &h, errp);

    if (found <= 0) {
        return found;
    }
    b->long_mode = h.xloadflags & XLF_KERNEL_64;
    if (!boot_place_cmdline(b, h.cmdline_size ?: 255, errp) ||
        !place_kernel(b, &h, &addr, errp) ||
        (initrd && !boot_place_initrd(b, initrd, "initrd", initrd_end(&h),
                                      &initrd_addr, &initrd_size, errp)) ||
        !place_zero_page(b, &h, initrd_addr, initrd_size, errp)) {
        return -1;
    }
    b->rip = addr + (b->long_mode ? 0x200 : 0);
    b->rsi = BOOT_ZERO_PAGE;
    return 1;
}

/* -- For firmware -------------------------------------------------------- */

static bool take_part(X86KernelPart *part, BootFile *f, uint64_t offset,
                      uint64_t size, uint64_t addr, const char *what,
                      Error **errp)
{
    part->addr = addr;
    part->size = size;
    part->data = g_try_malloc(size);
    if (!part->data) {
        error_setg(errp, "%s '%s': no memory for its %" PRIu64 " bytes",
                   f->what, f->name, size);
        return false;
    }
    return boot_read(f, offset, part->data, size, what, errp);
}

/* At 1 MiB, free until where the kernel will have unpacked itself. */
static bool split_code(Boot *b, const struct setup_header *h,
                       X86KernelPart *part, Error **errp)
{
    uint64_t offset = code_offset(h), runs_at = MAX(h->pref_address, MiB);
    uint64_t size = code_size(b->kernel, offset, errp), end = MiB + size;

    if (!size) {
        return false;
    }
    if (runs_at < 4 * GiB) {
        end = MAX(end, runs_at + h->init_size);
    }
    return boot_place_file(b, MiB, end - MiB, b->kernel, offset, size, "code",
                           errp) &&
           take_part(part, b->kernel, offset, size, MiB, "code", errp);
}

static bool split_initrd(Boot *b, const char *name, uint64_t end,
                         X86KernelPart *part, Error **errp)
{
    uint64_t addr, size;
    BootFile *f;

    if (!name) {
        return true;
    }
    if (!boot_place_initrd(b, name, "initrd", end, &addr, &size, errp)) {
        return false;
    }
    f = g_ptr_array_index(b->files, b->files->len - 1);
    return take_part(part, f, 0, size, addr, "data", errp);
}

/* With the header as a boot loader leaves it. */
static bool split_setup(Boot *b, const struct setup_header *h,
                        X86KernelParts *parts, Error **errp)
{
    uint64_t size = code_offset(h);
    uint8_t *p;

    if (size > KERNEL_ROM_SETUP_MAX) {
        error_setg(errp, "kernel '%s': its real-mode part has %" PRIu64 " "
                   "bytes; with -bios it may have %d", b->kernel->name, size,
                   KERNEL_ROM_SETUP_MAX);
        return false;
    }
    if (!boot_reserve(b, KERNEL_ROM_SETUP, KERNEL_ROM_SETUP_SIZE,
                      "real-mode part", errp) ||
        !take_part(&parts->setup, b->kernel, 0, size, KERNEL_ROM_SETUP,
                   "real-mode part", errp)) {
        return false;
    }
    p = (uint8_t *)parts->setup.data + HEADER_OFFSET;
#define FIELD(name) (p + offsetof(struct setup_header, name))
    *FIELD(type_of_loader) = LOADER_QEMU;
    *FIELD(loadflags) |= CAN_USE_HEAP;
    stw_le_p(FIELD(vid_mode), NO_VIDEO_MODE);
    stw_le_p(FIELD(heap_end_ptr), KERNEL_ROM_STACK - HEAP_END_BIAS);
    stl_le_p(FIELD(code32_start), parts->code.addr);
    stl_le_p(FIELD(cmd_line_ptr), parts->cmdline.addr);
    stl_le_p(FIELD(ramdisk_image), parts->initrd.addr);
    stl_le_p(FIELD(ramdisk_size), parts->initrd.size);
#undef FIELD
    return true;
}

int boot_linux_split(Boot *b, const char *initrd, uint64_t end,
                     X86KernelParts *parts, Error **errp)
{
    struct setup_header h;
    int found = read_header(b->kernel, &h, errp);

    if (found <= 0) {
        return found;
    }
    if (!boot_place_cmdline(b, h.cmdline_size ?: 255, errp)) {
        return -1;
    }
    parts->cmdline = (X86KernelPart){
        .addr = BOOT_CMDLINE, .size = strlen(b->cmdline) + 1,
        .data = g_strdup(b->cmdline),
    };
    if (!split_code(b, &h, &parts->code, errp) ||
        !split_initrd(b, initrd, MIN(end, initrd_end(&h)), &parts->initrd,
                      errp) ||
        !split_setup(b, &h, parts, errp)) {
        return -1;
    }
    return 1;
}
