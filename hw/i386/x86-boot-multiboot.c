/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot 1 kernels (Multiboot Specification 0.6.96): 32-bit ELF, or any
 * file whose header gives its addresses.  -initrd is a list of modules, "FILE
 * STRING,FILE STRING", with ",," for a comma.  Kernels that want a video mode
 * are refused: there is nobody to set it.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "boot-internal.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define SEARCH_LENGTH 8192
#define MODULES_MAX 128

enum {                          /* flags in the header */
    WANT_PAGE_ALIGN = 1 << 0,
    WANT_MEMORY_INFO = 1 << 1,
    WANT_VIDEO = 1 << 2,
    HAS_ADDRESSES = 1 << 16,
    MUST_UNDERSTAND = 0xffff,
};

enum {                          /* flags in what the kernel is told */
    INFO_MEMORY = 1 << 0,
    INFO_CMDLINE = 1 << 2,
    INFO_MODULES = 1 << 3,
    INFO_MMAP = 1 << 6,
    INFO_LOADER_NAME = 1 << 9,
};

typedef struct Header {
    uint32_t magic, flags, checksum;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} Header;

typedef struct Info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count,
        mods_addr, syms[4], mmap_length, mmap_addr, drives_length, drives_addr,
        config_table, boot_loader_name;
} Info;

typedef struct Module {
    uint32_t start, end, string, reserved;
} Module;

typedef struct QEMU_PACKED MmapEntry {
    uint32_t size;
    uint64_t base, length;
    uint32_t type;
} MmapEntry;

#define INFO_MAP (BOOT_INFO + 0x100)

/* -- The header ---------------------------------------------------------- */

/* Where it is in the file, or -1. */
static int64_t find_header(BootFile *f, Header *h)
{
    uint8_t start[SEARCH_LENGTH + sizeof(Header)] = { 0 };
    uint64_t len = MIN(f->size, sizeof(start));

    if (!boot_read(f, 0, start, len, "header", NULL)) {
        return -1;
    }
    for (unsigned i = 0; i < SEARCH_LENGTH && i + 12 <= len; i += 4) {
        if (ldl_le_p(start + i) == HEADER_MAGIC &&
            ldl_le_p(start + i) + ldl_le_p(start + i + 4) +
            ldl_le_p(start + i + 8) == 0) {
            memcpy(h, start + i, sizeof(*h));
            return i;
        }
    }
    return -1;
}

/* The header says where everything goes. */
static bool place_by_addresses(Boot *b, const Header *h, uint64_t at,
                               Error **errp)
{
    uint64_t before, offset, file_size, size;

    if (h->header_addr < h->load_addr ||
        (before = h->header_addr - h->load_addr) > at ||
        (h->load_end_addr && h->load_end_addr < h->load_addr) ||
        (h->bss_end_addr && (h->bss_end_addr < h->load_end_addr ||
                             h->bss_end_addr < h->load_addr))) {
        error_setg(errp, "kernel '%s': the addresses in its multiboot header "
                   "contradict each other", b->kernel->name);
        return false;
    }
    offset = at - before;
    file_size = h->load_end_addr ? h->load_end_addr - h->load_addr
                                 : b->kernel->size - offset;
    size = h->bss_end_addr ? h->bss_end_addr - h->load_addr : file_size;
    b->rip = h->entry_addr;
    return boot_place_file(b, h->load_addr, MAX(size, file_size), b->kernel,
                           offset, file_size, "code", errp);
}

static bool place_elf(Boot *b, Error **errp)
{
    g_auto(ElfFile) elf = { 0 };

    if (!boot_elf_parse(b->kernel, &elf, errp)) {
        return false;
    }
    if (!elf.is_elf || elf.is_64) {
        error_setg(errp, "kernel '%s': a multiboot image without addresses in "
                   "its header must be a 32-bit ELF", b->kernel->name);
        return false;
    }
    b->rip = elf.entry;
    return boot_elf_place(b, &elf, errp);
}

/* -- Modules ------------------------------------------------------------- */

/* "a,b,,c" is "a" and "b,c". */
static GPtrArray *split_modules(const char *list)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    GString *part = g_string_new("");

    for (const char *p = list ?: ""; *p; p++) {
        if (*p != ',') {
            g_string_append_c(part, *p);
        } else if (p[1] == ',') {
            g_string_append_c(part, *p++);
        } else {
            g_ptr_array_add(parts, g_string_free(part, false));
            part = g_string_new("");
        }
    }
    if (part->len) {
        g_ptr_array_add(parts, g_string_free(part, false));
    } else {
        g_string_free(part, true);
    }
    return parts;
}

/* Appends a string to what goes to BOOT_CMDLINE; its address. */
static uint32_t add_string(GByteArray *strings, const char *s)
{
    uint32_t addr = BOOT_CMDLINE + strings->len;

    g_byte_array_append(strings, (const uint8_t *)s, strlen(s) + 1);
    return addr;
}

static bool place_modules(Boot *b, const GPtrArray *parts, GByteArray *strings,
                          Error **errp)
{
    Module *modules;

    if (parts->len > MODULES_MAX) {
        error_setg(errp, "-initrd: at most %d multiboot modules", MODULES_MAX);
        return false;
    }
    modules = g_new0(Module, MAX(parts->len, 1));
    for (unsigned i = 0; i < parts->len; i++) {
        const char *text = parts->pdata[i];
        g_autofree char *name = g_strndup(text, strcspn(text, " "));
        uint64_t addr, size;

        if (!boot_place_initrd(b, name, "multiboot module", 4 * GiB, &addr,
                               &size, errp)) {
            g_free(modules);
            return false;
        }
        modules[i] = (Module){ addr, addr + size, add_string(strings, text) };
    }
    return boot_place_data(b, BOOT_MODULES, modules,
                           MAX(parts->len, 1) * sizeof(Module), "module list",
                           errp);
}

/* -- What the kernel is told --------------------------------------------- */

static bool place_info(Boot *b, uint32_t cmdline, uint32_t loader,
                       unsigned modules, Error **errp)
{
    uint64_t size = INFO_MAP - BOOT_INFO + b->map_entries * sizeof(MmapEntry);
    uint8_t *p = g_malloc0(size);
    MmapEntry *map = (MmapEntry *)(p + INFO_MAP - BOOT_INFO);
    Info *info = (Info *)p;
    uint64_t upper = 0;

    QEMU_BUILD_BUG_ON(INFO_MAP + E820_MAX * sizeof(MmapEntry) >
                      BOOT_ZERO_PAGE);
    for (unsigned i = 0; i < b->map_entries; i++) {
        const E820Entry *e = &b->map[i];

        map[i] = (MmapEntry){ sizeof(*map) - 4, e->address, e->length,
                              e->type };
        if (e->type == E820_RAM && e->address == MiB) {
            upper = e->length / KiB;
        }
    }
    *info = (Info){
        .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MMAP | INFO_LOADER_NAME |
                 (modules ? INFO_MODULES : 0),
        .mem_lower = 639, .mem_upper = MIN(upper, UINT32_MAX),
        .cmdline = cmdline, .boot_loader_name = loader,
        .mods_count = modules, .mods_addr = BOOT_MODULES,
        .mmap_length = b->map_entries * sizeof(MmapEntry),
        .mmap_addr = INFO_MAP,
    };
    return boot_place_data(b, BOOT_INFO, p, size, "multiboot information",
                           errp);
}

int boot_multiboot(Boot *b, const char *initrd, Error **errp)
{
    g_autoptr(GByteArray) strings = g_byte_array_new();
    g_autoptr(GPtrArray) parts = split_modules(initrd);
    g_autofree char *cmdline =
        g_strdup_printf("%s%s%s", b->kernel->name, *b->cmdline ? " " : "",
                        b->cmdline);
    uint32_t cmdline_addr = add_string(strings, cmdline);
    uint32_t loader_addr = add_string(strings, "qemu");
    Header h;
    int64_t at = find_header(b->kernel, &h);

    if (at < 0) {
        return 0;
    }
    if (h.flags & MUST_UNDERSTAND & ~(WANT_PAGE_ALIGN | WANT_MEMORY_INFO)) {
        error_setg(errp, "kernel '%s': its multiboot header asks for %s",
                   b->kernel->name, h.flags & WANT_VIDEO
                   ? "a video mode" : "features that do not exist");
        return -1;
    }
    if (!(h.flags & HAS_ADDRESSES ? place_by_addresses(b, &h, at, errp)
                                  : place_elf(b, errp)) ||
        !place_modules(b, parts, strings, errp)) {
        return -1;
    }
    if (b->rip > UINT32_MAX || !boot_is_ram(b, b->rip, 1)) {
        error_setg(errp, "kernel '%s': its multiboot entry 0x%" PRIx64 " is "
                   "outside of the guest's RAM", b->kernel->name, b->rip);
        return -1;
    }
    if (strings->len > BOOT_CMDLINE_MAX) {
        error_setg(errp, "-append and -initrd: too long for a multiboot "
                   "kernel");
        return -1;
    }
    if (!place_info(b, cmdline_addr, loader_addr, parts->len, errp) ||
        !boot_place_data(b, BOOT_CMDLINE,
                         g_memdup2(strings->data, strings->len), strings->len,
                         "strings", errp)) {
        return -1;
    }
    b->rax = LOADER_MAGIC;
    b->rbx = BOOT_INFO;
    return 1;
}
