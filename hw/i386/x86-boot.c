/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot: what all kernel formats have in common.  Files are opened and
 * checked once, when the machine is made; at each system reset their contents
 * go from the file into guest RAM, and the boot vCPU gets the registers that
 * the format wants.
 *
 * Whatever is in the files, nothing is read or written outside of them or of
 * guest RAM: all placing is by claims on the memory map.
 */
#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "system/kvm.h"
#include "system/memory.h"
#include "system/runstate.h"
#include "boot-internal.h"

/* -- Files --------------------------------------------------------------- */

static void boot_file_free(void *opaque)
{
    BootFile *f = opaque;

    qemu_close(&f->fd);
    g_free(f->name);
    g_free(f);
}

BootFile *boot_open(Boot *b, const char *name, const char *what, Error **errp)
{
    BootFile *f = g_new0(BootFile, 1);
    struct stat st;

    g_ptr_array_add(b->files, f);
    f->name = g_strdup(name);
    f->what = what;
    f->fd = RETRY_ON_EINTR(open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        error_setg_errno(errp, errno, "%s '%s'", what, name);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "%s '%s': not a regular file", what, name);
        return NULL;
    }
    f->size = st.st_size;
    if (!f->size) {
        error_setg(errp, "%s '%s': is empty", what, name);
        return NULL;
    }
    return f;
}

/* All of it or false. */
static bool pread_all(int fd, void *buf, uint64_t len, uint64_t offset)
{
    uint8_t *p = buf;

    while (len) {
        ssize_t n = RETRY_ON_EINTR(pread(fd, p, MIN(len, 1 << 30), offset));

        if (n <= 0) {
            return false;
        }
        p += n;
        offset += n;
        len -= n;
    }
    return true;
}

bool boot_read(BootFile *f, uint64_t offset, void *buf, uint64_t len,
               const char *part, Error **errp)
{
    if (offset > f->size || len > f->size - offset) {
        error_setg(errp, "%s '%s': ends before its %s does", f->what, f->name,
                   part);
        return false;
    }
    if (!pread_all(f->fd, buf, len, offset)) {
        error_setg(errp, "%s '%s': cannot be read", f->what, f->name);
        return false;
    }
    return true;
}

/* -- The memory map ------------------------------------------------------ */

static bool map_add(Boot *b, uint64_t start, uint64_t end, uint32_t type)
{
    if (start >= end) {
        return true;
    }
    if (b->map_entries == E820_MAX) {
        return false;
    }
    b->map[b->map_entries++] = (E820Entry){ start, end - start, type };
    return true;
}

static int compare_entries(const void *x, const void *y)
{
    const E820Entry *a = x, *b = y;

    return a->address < b->address ? -1 : a->address > b->address;
}

/* Adds RAM [start, end) without what @rest (sorted) says otherwise of. */
static bool map_add_ram(Boot *b, uint64_t start, uint64_t end,
                        const E820Entry *rest, unsigned n)
{
    for (unsigned i = 0; i < n && start < end; i++) {
        uint64_t from = rest[i].address, to = from + rest[i].length;

        if (to <= start || from >= end) {
            continue;
        }
        if (!map_add(b, start, MIN(from, end), E820_RAM)) {
            return false;
        }
        start = MAX(start, to);
    }
    return map_add(b, start, end, E820_RAM);
}

static bool map_init(Boot *b, uint64_t below_4g, uint64_t above_4g,
                     Error **errp)
{
    /* The firmware's and the display's part of the first megabyte; KVM's. */
    static const E820Entry always[] = {
        { 0x9fc00, 0xa0000 - 0x9fc00, E820_RESERVED },
        { 0xa0000, 0xf0000 - 0xa0000, 0 },      /* not RAM, but not told */
        { 0xf0000, 0x10000, E820_RESERVED },
        { KVM_IDENTITY_BASE, KVM_RESERVED_END - KVM_IDENTITY_BASE,
          E820_RESERVED },
    };
    E820Entry rest[E820_MAX + ARRAY_SIZE(always)];
    const E820Entry *machine;
    unsigned n = e820_get_table(&machine), nr_rest = 0;
    bool has_ram = false, ok = true;

    for (unsigned i = 0; i < n; i++) {
        if (machine[i].type == E820_RAM) {
            has_ram = true;
        } else {
            rest[nr_rest++] = machine[i];
        }
    }
    for (int i = 0; i < ARRAY_SIZE(always); i++) {
        rest[nr_rest++] = always[i];
    }
    qsort(rest, nr_rest, sizeof(rest[0]), compare_entries);
    if (!has_ram) {
        ok = map_add_ram(b, 0, below_4g, rest, nr_rest) &&
             (!above_4g ||
              map_add_ram(b, 4 * GiB, 4 * GiB + above_4g, rest, nr_rest));
    }
    for (unsigned i = 0; ok && has_ram && i < n; i++) {
        if (machine[i].type == E820_RAM) {
            ok = map_add_ram(b, machine[i].address,
                             machine[i].address + machine[i].length, rest,
                             nr_rest);
        }
    }
    /* Of what is not RAM, each address is told once. */
    for (uint64_t i = 0, seen = 0; ok && i < nr_rest; i++) {
        uint64_t end = rest[i].address + rest[i].length;

        if (rest[i].type) {
            ok = map_add(b, MAX(rest[i].address, seen), end, rest[i].type);
        }
        seen = MAX(seen, end);
    }
    if (!ok) {
        error_setg(errp, "the memory map has more than %d ranges", E820_MAX);
        return false;
    }
    qsort(b->map, b->map_entries, sizeof(b->map[0]), compare_entries);
    return true;
}

bool boot_is_ram(const Boot *b, uint64_t addr, uint64_t size)
{
    for (unsigned i = 0; i < b->map_entries; i++) {
        const E820Entry *e = &b->map[i];

        if (e->type == E820_RAM && addr >= e->address &&
            size <= e->length && addr - e->address <= e->length - size) {
            return true;
        }
    }
    return false;
}

/* -- Claims -------------------------------------------------------------- */

static const BootImage *claimant(const Boot *b, uint64_t addr, uint64_t size)
{
    for (unsigned i = 0; i < b->images->len; i++) {
        const BootImage *im = &g_array_index(b->images, BootImage, i);

        if (addr < im->addr + im->size && im->addr < addr + size) {
            return im;
        }
    }
    return NULL;
}

static bool claim(Boot *b, BootImage im, const char *what, Error **errp)
{
    if (!boot_is_ram(b, im.addr, im.size)) {
        error_setg(errp, "kernel '%s': its %s (%" PRIu64 " bytes at 0x%" PRIx64
                   ") does not fit into the guest's RAM; -m gives it more",
                   b->kernel->name, what, im.size, im.addr);
        return false;
    }
    if (claimant(b, im.addr, im.size)) {
        error_setg(errp, "kernel '%s': its %s (%" PRIu64 " bytes at 0x%" PRIx64
                   ") overlaps something else that is loaded",
                   b->kernel->name, what, im.size, im.addr);
        return false;
    }
    g_array_append_val(b->images, im);
    return true;
}

bool boot_place_file(Boot *b, uint64_t addr, uint64_t size, BootFile *f,
                     uint64_t offset, uint64_t file_size, const char *what,
                     Error **errp)
{
    if (offset > f->size || file_size > f->size - offset) {
        error_setg(errp, "%s '%s': ends before its %s does", f->what, f->name,
                   what);
        return false;
    }
    if (!size) {
        return true;
    }
    return claim(b, (BootImage){ .addr = addr, .size = size, .file = f,
                                 .offset = offset, .file_size = file_size },
                 what, errp);
}

bool boot_place_data(Boot *b, uint64_t addr, void *data, uint64_t size,
                     const char *what, Error **errp)
{
    BootImage im = { .addr = addr, .size = size, .file_size = size,
                     .data = data };

    if (!claim(b, im, what, errp)) {
        g_free(data);
        return false;
    }
    return true;
}

bool boot_reserve(Boot *b, uint64_t addr, uint64_t size, const char *what,
                  Error **errp)
{
    return claim(b, (BootImage){ .addr = addr, .size = size,
                                 .reserve_only = true }, what, errp);
}

/* In RAM [start, end) that is not claimed, going round what is. */
static uint64_t find_in(const Boot *b, uint64_t size, uint64_t align,
                        uint64_t start, uint64_t end, bool low)
{
    while (start < end && end - start >= size) {
        uint64_t at = low ? QEMU_ALIGN_UP(start, align)
                          : QEMU_ALIGN_DOWN(end - size, align);
        const BootImage *im;

        if (at < start || at > end - size) {
            break;
        }
        im = claimant(b, at, size);
        if (!im) {
            return at;
        }
        if (low) {
            start = im->addr + im->size;
        } else {
            end = im->addr;
        }
    }
    return UINT64_MAX;
}

uint64_t boot_find(const Boot *b, uint64_t size, uint64_t align, uint64_t min,
                   uint64_t end, bool low)
{
    for (unsigned i = 0; i < b->map_entries; i++) {
        const E820Entry *e = &b->map[low ? i : b->map_entries - 1 - i];
        uint64_t at;

        if (e->type != E820_RAM) {
            continue;
        }
        at = find_in(b, size, align, MAX(min, e->address),
                     MIN(end, e->address + e->length), low);
        if (at != UINT64_MAX) {
            return at;
        }
    }
    return UINT64_MAX;
}

bool boot_place_initrd(Boot *b, const char *name, const char *what,
                       uint64_t end, uint64_t *addr, uint64_t *size,
                       Error **errp)
{
    BootFile *f = boot_open(b, name, what, errp);

    if (!f) {
        return false;
    }
    *size = f->size;
    *addr = f->size < end ? boot_find(b, f->size, 4096, MiB, end, false)
                          : UINT64_MAX;
    if (*addr == UINT64_MAX) {
        error_setg(errp, "%s '%s': its %" PRIu64 " bytes do not fit into the "
                   "guest's RAM below 0x%" PRIx64 "; -m gives it more", what,
                   name, f->size, end);
        return false;
    }
    return boot_place_file(b, *addr, f->size, f, 0, f->size, what, errp);
}

bool boot_place_cmdline(Boot *b, uint64_t max, Error **errp)
{
    uint64_t len = strlen(b->cmdline);

    max = MIN(max, BOOT_CMDLINE_MAX - 1);
    if (len > max) {
        error_setg(errp, "-append: %" PRIu64 " characters are too many, the "
                   "kernel takes %" PRIu64, len, max);
        return false;
    }
    return boot_place_data(b, BOOT_CMDLINE, g_strdup(b->cmdline), len + 1,
                           "command line", errp);
}

/* -- What the vCPU starts with ------------------------------------------- */

/* Flat segments, at the selectors that Linux's boot protocol wants. */
static const uint64_t gdt[] = {
    0, 0,
    0x00cf9b000000ffff,         /* 0x10: code, 4 GiB; long: see below */
    0x00cf93000000ffff,         /* 0x18: data */
    0x00008b0000000067,         /* 0x20: TSS, busy */
};
#define GDT_CODE_64 0x00af9b000000ffff

static bool place_gdt(Boot *b, Error **errp)
{
    uint8_t *p = g_malloc(sizeof(gdt));

    for (int i = 0; i < ARRAY_SIZE(gdt); i++) {
        stq_le_p(p + i * 8, i == 2 && b->long_mode ? GDT_CODE_64 : gdt[i]);
    }
    return boot_place_data(b, BOOT_GDT, p, sizeof(gdt), "GDT", errp);
}

/* The first 4 GiB where they are, in pages of 2 MiB. */
static bool place_page_tables(Boot *b, Error **errp)
{
    enum { PRESENT = 1, WRITABLE = 2, LARGE = 0x80, PAGE = 4096 };
    uint8_t *p = g_malloc0(6 * PAGE);
    uint64_t at = BOOT_PAGE_TABLES;

    stq_le_p(p, (at + PAGE) | PRESENT | WRITABLE);
    for (uint64_t i = 0; i < 4; i++) {
        stq_le_p(p + PAGE + i * 8,
                 (at + (2 + i) * PAGE) | PRESENT | WRITABLE);
    }
    for (uint64_t i = 0; i < 4 * 512; i++) {
        stq_le_p(p + 2 * PAGE + i * 8,
                 i * 2 * MiB | PRESENT | WRITABLE | LARGE);
    }
    return boot_place_data(b, at, p, 6 * PAGE, "page tables", errp);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code64)
{
    return (struct kvm_segment){
        .limit = 0xffffffff, .selector = selector, .type = type,
        .present = 1, .s = 1, .g = 1, .db = !code64, .l = code64,
    };
}

static void set_registers(const Boot *b, struct kvm_sregs *s,
                          struct kvm_regs *r)
{
    enum { PE = 1, ET = 0x10, PG = 1u << 31, PAE = 0x20, LME_LMA = 0x500 };

    s->cs = segment(0x10, 11, b->long_mode);
    s->ds = s->es = s->fs = s->gs = s->ss = segment(0x18, 3, false);
    s->tr = (struct kvm_segment){ .limit = 0x67, .selector = 0x20, .type = 11,
                                  .present = 1 };
    s->gdt = (struct kvm_dtable){ .base = BOOT_GDT, .limit = sizeof(gdt) - 1 };
    s->idt = (struct kvm_dtable){ 0 };
    s->cr0 = PE | ET;
    s->cr4 = 0;
    if (b->long_mode) {
        s->cr0 |= PG;
        s->cr3 = BOOT_PAGE_TABLES;
        s->cr4 = PAE;
        s->efer = LME_LMA;
    }
    *r = (struct kvm_regs){
        .rip = b->rip, .rax = b->rax, .rbx = b->rbx, .rsi = b->rsi,
        .rsp = BOOT_INFO - 0x10, .rflags = 2,
    };
}

/* -- Reset --------------------------------------------------------------- */

static Boot *the_boot;          /* the machine's, once it is complete */

static bool load_image(const BootImage *im)
{
    uint64_t done = 0;

    while (done < im->size) {
        uint64_t from_file = im->file_size > done ? im->file_size - done : 0;
        uint64_t n = im->size - done;
        RAMBlock *block;
        uint8_t *to = address_space_map(&address_space_memory,
                                        im->addr + done, &n, true, &block);
        bool ok = true;

        if (!to) {
            return false;
        }
        from_file = MIN(from_file, n);
        if (im->data) {
            memcpy(to, (uint8_t *)im->data + done, from_file);
        } else if (im->file) {
            ok = pread_all(im->file->fd, to, from_file, im->offset + done);
        }
        memset(to + from_file, 0, n - from_file);
        address_space_unmap(block);
        if (!ok) {
            return false;
        }
        done += n;
    }
    return true;
}

static void load_all(void *opaque)
{
    const Boot *b = the_boot;

    for (unsigned i = 0; i < b->images->len; i++) {
        const BootImage *im = &g_array_index(b->images, BootImage, i);

        if (im->reserve_only || load_image(im)) {
            continue;
        }
        error_report("%s '%s' cannot be loaded into the guest's RAM again",
                     im->file ? im->file->what : "data of kernel",
                     im->file ? im->file->name : b->kernel->name);
        qemu_system_vmstop_request(RUN_STATE_INTERNAL_ERROR);
        return;
    }
}

void x86_boot_reset(CPUState *bsp)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (!the_boot || kvm_vcpu_ioctl(bsp, KVM_GET_SREGS, &sregs) < 0) {
        return;
    }
    set_registers(the_boot, &sregs, &regs);
    kvm_vcpu_ioctl(bsp, KVM_SET_SREGS, &sregs);
    kvm_vcpu_ioctl(bsp, KVM_SET_REGS, &regs);
}

bool x86_kernel_loaded(void)
{
    return the_boot;
}

/* -- Loading ------------------------------------------------------------- */

static void image_clear(void *opaque)
{
    g_free(((BootImage *)opaque)->data);
}

static void boot_free(Boot *b)
{
    g_array_free(b->images, true);
    g_ptr_array_free(b->files, true);
    g_free((char *)b->cmdline);
    g_free(b);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Boot, boot_free)

/* What firmware takes of the end of RAM for its tables: SeaBIOS 256 KiB. */
#define FIRMWARE_TOP (1 * MiB)

static Boot *boot_new(const char *cmdline, uint64_t rsdp_addr)
{
    Boot *b = g_new0(Boot, 1);

    b->files = g_ptr_array_new_with_free_func(boot_file_free);
    b->images = g_array_new(false, false, sizeof(BootImage));
    g_array_set_clear_func(b->images, image_clear);
    b->cmdline = g_strdup(cmdline ?: "");
    b->rsdp_addr = rsdp_addr;
    return b;
}

bool x86_load_kernel(MachineState *ms, const char *file, const char *initrd,
                     const char *cmdline, uint64_t below_4g,
                     uint64_t above_4g, uint64_t rsdp_addr, Error **errp)
{
    int (*const formats[])(Boot *, const char *, Error **) = {
        boot_linux, boot_multiboot, boot_pvh,
    };
    g_autoptr(Boot) b = boot_new(cmdline, rsdp_addr);
    int found = 0;

    b->kernel = boot_open(b, file, "kernel", errp);
    if (!b->kernel || !map_init(b, below_4g, above_4g, errp)) {
        return false;
    }
    for (int i = 0; !found && i < ARRAY_SIZE(formats); i++) {
        found = formats[i](b, initrd, errp);
    }
    if (!found) {
        error_setg(errp, "kernel '%s': is not a bzImage, a multiboot image or "
                   "an ELF with a PVH entry", file);
        return false;
    }
    if (found < 0 || !place_gdt(b, errp) ||
        (b->long_mode && !place_page_tables(b, errp))) {
        return false;
    }
    if (the_boot) {
        qemu_unregister_reset(load_all, NULL);
        boot_free(the_boot);
    }
    the_boot = g_steal_pointer(&b);
    qemu_register_reset(load_all, NULL);
    return true;
}

void x86_kernel_parts_clear(X86KernelParts *parts)
{
    g_free(parts->setup.data);
    g_free(parts->code.data);
    g_free(parts->initrd.data);
    g_free(parts->cmdline.data);
    memset(parts, 0, sizeof(*parts));
}

bool x86_split_kernel(const char *file, const char *initrd,
                      const char *cmdline, uint64_t below_4g,
                      uint64_t above_4g, X86KernelParts *parts, Error **errp)
{
    g_autoptr(Boot) b = boot_new(cmdline, 0);
    uint64_t end = below_4g - MIN(below_4g, FIRMWARE_TOP);
    int found;

    memset(parts, 0, sizeof(*parts));
    b->kernel = boot_open(b, file, "kernel", errp);
    if (!b->kernel || !map_init(b, below_4g, above_4g, errp)) {
        return false;
    }
    found = boot_linux_split(b, initrd, end, parts, errp);
    if (found > 0) {
        return true;
    }
    x86_kernel_parts_clear(parts);
    if (!found) {
        error_setg(errp, "kernel '%s': is not a bzImage, the only kind that "
                   "firmware starts; without -bios, multiboot images and ELFs "
                   "with a PVH entry are entered, too", file);
    }
    return false;
}
