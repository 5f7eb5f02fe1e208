/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loaders of kernel formats share. */
#ifndef HW_I386_BOOT_INTERNAL_H
#define HW_I386_BOOT_INTERNAL_H

#include "hw/i386/boot.h"

#define BOOT_GDT 0x500
#define BOOT_INFO 0x6000                /* PVH start info, multiboot info */
#define BOOT_ZERO_PAGE 0x7000
#define BOOT_MODULES 0x8000             /* multiboot's module list */
#define BOOT_PAGE_TABLES 0x9000         /* six pages: 4 GiB */
#define BOOT_CMDLINE 0x20000
#define BOOT_CMDLINE_MAX 0x10000        /* with its NUL */

#define E820_MAX 128

/* A file from outside: every read is checked against its size. */
typedef struct BootFile {
    char *name;
    const char *what;           /* "kernel", "initrd": for messages */
    int fd;
    uint64_t size;
} BootFile;

/* What is in RAM when the kernel starts. */
typedef struct BootImage {
    uint64_t addr;
    uint64_t size;              /* in RAM; after @file_size it is zeros */
    BootFile *file;             /* borrowed, or NULL */
    uint64_t offset, file_size;
    void *data;                 /* @file_size bytes, if there is no file */
    bool reserve_only;          /* the kernel's to use: nothing is written */
} BootImage;

typedef struct Boot {
    BootFile *kernel;
    GPtrArray *files;           /* of BootFile, all that are open */
    GArray *images;             /* of BootImage */
    E820Entry map[E820_MAX];    /* sorted; what the kernel is told */
    unsigned map_entries;
    const char *cmdline;
    uint64_t rsdp_addr;
    /* The boot vCPU's registers. */
    bool long_mode;
    uint64_t rip, rax, rbx, rsi;
} Boot;

/* -- Files --------------------------------------------------------------- */

/* Opens @name for the boot, which closes it; NULL with @errp. */
BootFile *boot_open(Boot *b, const char *name, const char *what, Error **errp);
/* False with @errp if [offset, offset + len) is not in the file. */
bool boot_read(BootFile *f, uint64_t offset, void *buf, uint64_t len,
               const char *part, Error **errp);

/* -- Placing ------------------------------------------------------------- */

bool boot_is_ram(const Boot *b, uint64_t addr, uint64_t size);
/* Takes [addr, addr + size) for @what; false with @errp if it is not RAM or
 * taken. */
bool boot_place_file(Boot *b, uint64_t addr, uint64_t size, BootFile *f,
                     uint64_t offset, uint64_t file_size, const char *what,
                     Error **errp);
/* Takes @data over. */
bool boot_place_data(Boot *b, uint64_t addr, void *data, uint64_t size,
                     const char *what, Error **errp);
bool boot_reserve(Boot *b, uint64_t addr, uint64_t size, const char *what,
                  Error **errp);
/* The highest (@low: lowest) free place of @size at a multiple of @align in
 * [min, end); UINT64_MAX if there is none. */
uint64_t boot_find(const Boot *b, uint64_t size, uint64_t align, uint64_t min,
                   uint64_t end, bool low);
/* Puts the whole of file @name as high as it goes below @end, at a page. */
bool boot_place_initrd(Boot *b, const char *name, const char *what,
                       uint64_t end, uint64_t *addr, uint64_t *size,
                       Error **errp);
/* Puts the command line at BOOT_CMDLINE. */
bool boot_place_cmdline(Boot *b, uint64_t max, Error **errp);

/* -- Formats ------------------------------------------------------------- */

/* Each: 1 if @b->kernel is of the format and prepared, 0 if it is of another,
 * -1 with @errp if it is but cannot be started. */
int boot_linux(Boot *b, const char *initrd, Error **errp);
int boot_multiboot(Boot *b, const char *modules, Error **errp);
int boot_pvh(Boot *b, const char *initrd, Error **errp);

/* As boot_linux(), for firmware to load; initrds end below @initrd_end. */
int boot_linux_split(Boot *b, const char *initrd, uint64_t initrd_end,
                     X86KernelParts *parts, Error **errp);

/* -- ELF ----------------------------------------------------------------- */

typedef struct ElfSegment {
    uint32_t type;
    uint64_t offset, filesz, memsz, paddr, align;
} ElfSegment;

typedef struct ElfFile {
    bool is_elf;
    bool is_64;
    uint64_t entry;
    unsigned nr;
    ElfSegment *segments;
} ElfFile;

/* True: @elf is filled (is_elf says whether it is one); false with @errp. */
bool boot_elf_parse(BootFile *f, ElfFile *elf, Error **errp);
void boot_elf_clear(ElfFile *elf);
/* Places the PT_LOADs at their physical addresses. */
bool boot_elf_place(Boot *b, const ElfFile *elf, Error **errp);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ElfFile, boot_elf_clear)

#endif
