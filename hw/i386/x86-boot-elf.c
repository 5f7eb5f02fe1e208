/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels with a PVH entry: Linux's vmlinux (CONFIG_PVH), FreeBSD and more.
 * System V ABI, object files; Xen docs/misc/pvh.pandoc and
 * include/public/arch-x86/hvm/start_info.h for the entry and what it is told.
 */
#include "qemu/osdep.h"
#include <elf.h>
#include "qemu/bswap.h"
#include "boot-internal.h"

#define SEGMENTS_MAX 256
#define NOTES_MAX (1 * MiB)
#define XEN_ELFNOTE_PHYS32_ENTRY 18

/* -- ELF ----------------------------------------------------------------- */

void boot_elf_clear(ElfFile *elf)
{
    g_clear_pointer(&elf->segments, g_free);
}

static bool elf_bad(BootFile *f, const char *why, Error **errp)
{
    error_setg(errp, "%s '%s': damaged ELF: %s", f->what, f->name, why);
    return false;
}

static ElfSegment segment_of(const uint8_t *raw, bool is_64)
{
    if (is_64) {
        const Elf64_Phdr *p = (const void *)raw;

        return (ElfSegment){ p->p_type, p->p_offset, p->p_filesz, p->p_memsz,
                             p->p_paddr, p->p_align };
    } else {
        const Elf32_Phdr *p = (const void *)raw;

        return (ElfSegment){ p->p_type, p->p_offset, p->p_filesz, p->p_memsz,
                             p->p_paddr, p->p_align };
    }
}

bool boot_elf_parse(BootFile *f, ElfFile *elf, Error **errp)
{
    union {
        unsigned char ident[EI_NIDENT];
        Elf32_Ehdr e32;
        Elf64_Ehdr e64;
    } h = { 0 };
    uint64_t phoff, phnum, phentsize, machine, want;
    g_autofree uint8_t *raw = NULL;

    *elf = (ElfFile){ 0 };
    if (!boot_read(f, 0, &h, MIN(sizeof(h), f->size), "header", errp)) {
        return false;
    }
    if (memcmp(h.ident, ELFMAG, SELFMAG)) {
        return true;
    }
    elf->is_elf = true;
    elf->is_64 = h.ident[EI_CLASS] == ELFCLASS64;
    if (f->size < (elf->is_64 ? sizeof(h.e64) : sizeof(h.e32))) {
        return elf_bad(f, "shorter than its header", errp);
    }
#define H(field) (elf->is_64 ? h.e64.field : h.e32.field)
    machine = H(e_machine);
    elf->entry = H(e_entry);
    phoff = H(e_phoff);
    phnum = H(e_phnum);
    phentsize = H(e_phentsize);
#undef H
    want = elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if ((!elf->is_64 && h.ident[EI_CLASS] != ELFCLASS32) ||
        h.ident[EI_DATA] != ELFDATA2LSB ||
        (machine != EM_386 && machine != EM_X86_64)) {
        error_setg(errp, "%s '%s': ELF for another processor", f->what,
                   f->name);
        return false;
    }
    if (!phnum || phnum > SEGMENTS_MAX || phentsize != want) {
        return elf_bad(f, "its program headers are wrong in number or size",
                       errp);
    }
    raw = g_malloc(phnum * phentsize);
    if (!boot_read(f, phoff, raw, phnum * phentsize, "program headers",
                   errp)) {
        return false;
    }
    elf->nr = phnum;
    elf->segments = g_new(ElfSegment, phnum);
    for (unsigned i = 0; i < phnum; i++) {
        elf->segments[i] = segment_of(raw + i * phentsize, elf->is_64);
    }
    return true;
}

bool boot_elf_place(Boot *b, const ElfFile *elf, Error **errp)
{
    unsigned loaded = 0;

    for (unsigned i = 0; i < elf->nr; i++) {
        const ElfSegment *s = &elf->segments[i];

        if (s->type != PT_LOAD || !s->memsz) {
            continue;
        }
        if (s->filesz > s->memsz) {
            return elf_bad(b->kernel, "a segment is larger in the file than "
                           "in memory", errp);
        }
        if (!boot_place_file(b, s->paddr, s->memsz, b->kernel, s->offset,
                             s->filesz, "segment", errp)) {
            return false;
        }
        loaded++;
    }
    return loaded || elf_bad(b->kernel, "it has nothing to load", errp);
}

/* -- The PVH note -------------------------------------------------------- */

/* One note at @p of @left bytes: its length with padding, or 0 if it is cut
 * short.  *@entry is set if it is the one. */
static uint64_t one_note(const uint8_t *p, uint64_t left, uint64_t align,
                         uint64_t *entry)
{
    uint64_t namesz, descsz, desc, end;

    if (left < 12) {
        return 0;
    }
    namesz = ldl_le_p(p);
    descsz = ldl_le_p(p + 4);
    desc = ROUND_UP(12 + namesz, align);
    end = ROUND_UP(desc + descsz, align);
    if (desc + descsz > left) {
        return 0;
    }
    if (ldl_le_p(p + 8) == XEN_ELFNOTE_PHYS32_ENTRY && namesz == 4 &&
        !memcmp(p + 12, "Xen", 4) && (descsz == 4 || descsz == 8)) {
        *entry = ldn_le_p(p + desc, descsz);
    }
    return end;
}

/* False with @errp; *@entry stays UINT64_MAX if there is no such note. */
static bool find_pvh_entry(BootFile *f, const ElfFile *elf, uint64_t *entry,
                           Error **errp)
{
    *entry = UINT64_MAX;
    for (unsigned i = 0; i < elf->nr; i++) {
        const ElfSegment *s = &elf->segments[i];
        g_autofree uint8_t *notes = NULL;
        uint64_t at = 0;

        if (s->type != PT_NOTE || !s->filesz) {
            continue;
        }
        if (s->filesz > NOTES_MAX) {
            return elf_bad(f, "its notes are too long", errp);
        }
        notes = g_malloc(s->filesz);
        if (!boot_read(f, s->offset, notes, s->filesz, "notes", errp)) {
            return false;
        }
        while (at < s->filesz) {
            uint64_t n = one_note(notes + at, s->filesz - at,
                                  s->align == 8 ? 8 : 4, entry);

            if (!n) {
                return elf_bad(f, "a note is cut short", errp);
            }
            at += n;
        }
    }
    return true;
}

/* -- What a PVH kernel is told ------------------------------------------- */

#define START_MAGIC 0x336ec578
#define START_MODULES (BOOT_INFO + 0x40)
#define START_MAP (BOOT_INFO + 0x80)

typedef struct StartInfo {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries, reserved;
} StartInfo;

typedef struct StartModule {
    uint64_t paddr, size, cmdline_paddr, reserved;
} StartModule;

typedef struct StartMapEntry {
    uint64_t addr, size;
    uint32_t type, reserved;
} StartMapEntry;

static bool place_start_info(Boot *b, uint64_t initrd_addr,
                             uint64_t initrd_size, Error **errp)
{
    uint64_t size = START_MAP - BOOT_INFO +
                    b->map_entries * sizeof(StartMapEntry);
    uint8_t *p = g_malloc0(size);
    StartInfo *info = (StartInfo *)p;
    StartModule *module = (StartModule *)(p + START_MODULES - BOOT_INFO);
    StartMapEntry *map = (StartMapEntry *)(p + START_MAP - BOOT_INFO);

    QEMU_BUILD_BUG_ON(sizeof(StartInfo) > START_MODULES - BOOT_INFO);
    QEMU_BUILD_BUG_ON(START_MAP + E820_MAX * sizeof(StartMapEntry) >
                      BOOT_ZERO_PAGE);
    *info = (StartInfo){
        .magic = START_MAGIC, .version = 1,
        .cmdline_paddr = BOOT_CMDLINE, .rsdp_paddr = b->rsdp_addr,
        .memmap_paddr = START_MAP, .memmap_entries = b->map_entries,
    };
    if (initrd_size) {
        info->nr_modules = 1;
        info->modlist_paddr = START_MODULES;
        *module = (StartModule){ .paddr = initrd_addr, .size = initrd_size };
    }
    for (unsigned i = 0; i < b->map_entries; i++) {
        map[i] = (StartMapEntry){ b->map[i].address, b->map[i].length,
                                  b->map[i].type };
    }
    return boot_place_data(b, BOOT_INFO, p, size, "start info", errp);
}

int boot_pvh(Boot *b, const char *initrd, Error **errp)
{
    uint64_t initrd_addr = 0, initrd_size = 0;
    g_auto(ElfFile) elf = { 0 };

    if (!boot_elf_parse(b->kernel, &elf, errp)) {
        return -1;
    }
    if (!elf.is_elf) {
        return 0;
    }
    if (!find_pvh_entry(b->kernel, &elf, &b->rip, errp)) {
        return -1;
    }
    if (b->rip == UINT64_MAX) {
        error_setg(errp, "kernel '%s': ELF without a PVH entry note (Linux "
                   "needs CONFIG_PVH) or a multiboot header",
                   b->kernel->name);
        return -1;
    }
    if (b->rip > UINT32_MAX) {
        elf_bad(b->kernel, "its PVH entry is above 4 GiB", errp);
        return -1;
    }
    if (!boot_place_cmdline(b, BOOT_CMDLINE_MAX, errp) ||
        !boot_elf_place(b, &elf, errp) ||
        (initrd && !boot_place_initrd(b, initrd, "initrd", 4 * GiB,
                                      &initrd_addr, &initrd_size, errp)) ||
        !place_start_info(b, initrd_addr, initrd_size, errp)) {
        return -1;
    }
    b->rbx = BOOT_INFO;
    return 1;
}
