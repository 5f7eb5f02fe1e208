/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel files: each format as it should be, and with every field damaged.
 * What is loaded is looked at in guest RAM; nothing runs.
 */
#include "qemu/osdep.h"
#include <asm/bootparam.h>
#include <elf.h>
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "../../hw/i386/boot-internal.h"
#include "../../hw/i386/kernel-rom.h"
#include "system/memory.h"
#include "system/runstate.h"

#define RAM_SIZE (64 * MiB)
#define HIGH_SIZE (16 * MiB)
#define RSDP 0xe0000

static MemoryRegion ram, high;
static char *dir, *kernel_path, *initrd_path;

/* -- The world ----------------------------------------------------------- */

static void world_up(void)
{
    qemu_init_main_loop();
    memory_init();
    memory_region_init_ram(&ram, NULL, "ram", RAM_SIZE, &error_abort);
    memory_region_init_ram(&high, NULL, "high", HIGH_SIZE, &error_abort);
    memory_region_add_subregion(get_system_memory(), 0, &ram);
    memory_region_add_subregion(get_system_memory(), 4 * GiB, &high);
    /* Thousands of files, one after the other, in memory. */
    dir = g_mkdtemp(g_strdup("/dev/shm/test-boot-XXXXXX"));
    g_assert_nonnull(dir);
    kernel_path = g_build_filename(dir, "kernel", NULL);
    initrd_path = g_build_filename(dir, "initrd", NULL);
}

static void world_down(void)
{
    unlink(kernel_path);
    unlink(initrd_path);
    rmdir(dir);
}

static uint8_t *ram_at(uint64_t addr)
{
    return (uint8_t *)memory_region_get_ram_ptr(&ram) + addr;
}

/* One that is replaced would be synced each time. */
static void put_file(const char *path, const void *data, size_t len)
{
    unlink(path);
    g_assert_true(g_file_set_contents(path, data, len, NULL));
}

static bool load(const GByteArray *kernel, const char *initrd,
                 const char *cmdline, Error **errp)
{
    put_file(kernel_path, kernel->data, kernel->len);
    return x86_load_kernel(NULL, kernel_path, initrd, cmdline, RAM_SIZE,
                           HIGH_SIZE, RSDP, errp);
}

static void load_ok(const GByteArray *kernel, const char *initrd,
                    const char *cmdline)
{
    Error *err = NULL;

    if (!load(kernel, initrd, cmdline, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    memset(ram_at(0), 0xee, RAM_SIZE);
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
}

static void assert_refused(const GByteArray *kernel, const char *initrd,
                           const char *cmdline, const char *part)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(load(kernel, initrd, cmdline, &err));
    g_assert_nonnull(err);
    g_test_message("%s", error_get_pretty(err));
    if (!strstr(error_get_pretty(err), part)) {
        g_error("'%s' is not in: %s", part, error_get_pretty(err));
    }
    if (!strstr(error_get_pretty(err), dir) &&
        !strstr(error_get_pretty(err), "-append")) {
        g_error("does not name the file: %s", error_get_pretty(err));
    }
}

/* A field to damage. */
typedef struct Damage {
    size_t offset;
    unsigned size;
    uint64_t value;
    const char *error;          /* NULL: it is harmless */
} Damage;

static void try_damage(GByteArray *(*make)(void), const Damage *d, int n)
{
    for (int i = 0; i < n; i++) {
        g_autoptr(GByteArray) image = make();

        g_test_message("offset 0x%zx = 0x%" PRIx64, d[i].offset, d[i].value);
        stn_le_p(image->data + d[i].offset, d[i].size, d[i].value);
        if (d[i].error) {
            assert_refused(image, NULL, NULL, d[i].error);
        } else {
            load_ok(image, NULL, NULL);
        }
    }
}

/* Cut short anywhere an image is refused or runs; nothing else happens. */
static void try_truncations(GByteArray *(*make)(void), unsigned step)
{
    g_autoptr(GByteArray) whole = make();
    unsigned refused = 0;

    for (unsigned len = 1; len < whole->len; len += step) {
        g_autoptr(GByteArray) image = make();
        g_autoptr(Error) err = NULL;

        g_byte_array_set_size(image, len);
        refused += !load(image, NULL, NULL, &err);
    }
    g_assert_cmpuint(refused, >, 0);
}

/* Random bytes in the headers. */
static void try_noise(GByteArray *(*make)(void), unsigned header)
{
    for (int i = 0; i < 2000; i++) {
        g_autoptr(GByteArray) image = make();
        g_autoptr(Error) err = NULL;

        for (int k = g_test_rand_int_range(1, 5); k; k--) {
            image->data[g_test_rand_int_range(0, header)] =
                g_test_rand_bit() ? 0xff : g_test_rand_int_range(0, 256);
        }
        if (load(image, NULL, "x", &err)) {
            qemu_system_reset(SHUTDOWN_CAUSE_NONE);
        } else {
            g_assert_nonnull(strstr(error_get_pretty(err), dir));
        }
    }
}

/* -- bzImage -------------------------------------------------------------- */

#define SETUP_SECTS 3
#define CODE_OFFSET ((SETUP_SECTS + 1) * 512)
#define HDR(f) (0x1f1 + offsetof(struct setup_header, f))

static GByteArray *make_bzimage(void)
{
    GByteArray *image = g_byte_array_new();
    struct setup_header h = {
        .setup_sects = SETUP_SECTS, .boot_flag = 0xaa55,
        .jump = 0xeb | (sizeof(h) - 0x11) << 8, .header = 0x53726448,
        .version = 0x20f, .loadflags = LOADED_HIGH, .code32_start = 0x100000,
        .initrd_addr_max = 0x7fffffff, .kernel_alignment = 0x200000,
        .relocatable_kernel = 1, .xloadflags = XLF_KERNEL_64,
        .cmdline_size = 2047, .pref_address = 0x1000000,
        .init_size = 0x400000,
    };

    g_byte_array_set_size(image, CODE_OFFSET + 4096);
    memset(image->data, 0, image->len);
    memcpy(image->data + 0x1f1, &h, sizeof(h));
    memset(image->data + CODE_OFFSET, 0xc5, 4096);
    return image;
}

static struct boot_params *zero_page(void)
{
    return (struct boot_params *)ram_at(BOOT_ZERO_PAGE);
}

static void test_linux(void)
{
    g_autoptr(GByteArray) image = make_bzimage();
    g_autofree char *initrd = g_strnfill(10000, 'i');
    const struct boot_params *p;
    uint64_t addr;

    put_file(initrd_path, initrd, 10000);
    load_ok(image, initrd_path, "console=ttyS0");
    p = zero_page();
    g_assert_cmphex(*ram_at(0x1000000), ==, 0xc5);
    g_assert_cmphex(*ram_at(0x1000fff), ==, 0xc5);
    g_assert_cmphex(*ram_at(0x1001000), ==, 0xee);      /* the kernel's own */
    g_assert_cmphex(*ram_at(0x13fffff), ==, 0xee);
    g_assert_cmpstr((char *)ram_at(p->hdr.cmd_line_ptr), ==, "console=ttyS0");
    g_assert_cmpuint(p->hdr.ramdisk_size, ==, 10000);
    addr = p->hdr.ramdisk_image;
    g_assert_cmphex(addr, ==, RAM_SIZE - 12288);
    g_assert_cmpmem(ram_at(addr), 10000, initrd, 10000);
    g_assert_cmphex(p->acpi_rsdp_addr, ==, RSDP);
    g_assert_cmphex(p->hdr.header, ==, 0x53726448);
    g_assert_cmphex(p->hdr.init_size, ==, 0x400000);
    g_assert_cmphex(p->hdr.type_of_loader, ==, 0xff);
    /* Nothing of the boot sector is in the zero page. */
    g_assert_cmphex(p->screen_info.orig_video_mode, ==, 0);
}

static void test_linux_map(void)
{
    g_autoptr(GByteArray) image = make_bzimage();
    static const E820Entry want[] = {
        { 0, 0x9fc00, E820_RAM },
        { 0x9fc00, 0x400, E820_RESERVED },
        { 0xf0000, 0x10000, E820_RESERVED },
        { MiB, RAM_SIZE - MiB - 0x10000, E820_RAM },
        { RAM_SIZE - 0x10000, 0x10000, E820_ACPI },
        { 0xb0000000, 0x10000000, E820_RESERVED },
        { 0xfeffc000, 0x4000, E820_RESERVED },
        { 4 * GiB, HIGH_SIZE, E820_RAM },
    };
    const struct boot_params *p;

    put_file(initrd_path, "i", 1);
    g_assert_true(e820_add_entry(0xb0000000, 0x10000000, E820_RESERVED));
    g_assert_true(e820_add_entry(RAM_SIZE - 0x10000, 0x10000, E820_ACPI));
    g_assert_true(e820_add_entry(0x9fc00, 0x400, E820_RESERVED));
    load_ok(image, initrd_path, NULL);
    p = zero_page();
    g_assert_cmpuint(p->e820_entries, ==, ARRAY_SIZE(want));
    for (int i = 0; i < ARRAY_SIZE(want); i++) {
        g_assert_cmphex(p->e820_table[i].addr, ==, want[i].address);
        g_assert_cmphex(p->e820_table[i].size, ==, want[i].length);
        g_assert_cmpuint(p->e820_table[i].type, ==, want[i].type);
    }
    /* The initrd keeps off the ACPI tables. */
    g_assert_cmphex(p->hdr.ramdisk_image, ==, RAM_SIZE - 0x11000);
    e820_clear();
}

static void test_e820_table(void)
{
    const E820Entry *t;

    g_assert_false(e820_add_entry(0, 0, E820_RAM));
    g_assert_false(e820_add_entry(UINT64_MAX, 2, E820_RAM));
    for (int i = 0; i < 128; i++) {
        g_assert_true(e820_add_entry(i * 16, 8, E820_RAM));
    }
    g_assert_false(e820_add_entry(0x10000, 8, E820_RAM));
    g_assert_cmpuint(e820_get_table(&t), ==, 128);
    {
        g_autoptr(GByteArray) image = make_bzimage();
        g_autoptr(Error) err = NULL;

        /* With what is always there it is too much. */
        g_assert_false(load(image, NULL, NULL, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "128"));
    }
    e820_clear();
}

static void test_linux_damaged(void)
{
    static const Damage damage[] = {
        { HDR(boot_flag), 2, 0, "is not a bzImage" },
        { HDR(header), 4, 0, "is not a bzImage" },
        { HDR(jump), 1, 0, "damaged header" },
        { HDR(version), 2, 0x205, "2.05 is too old" },
        { HDR(version), 2, 0x206 },
        { HDR(loadflags), 1, 0, "zImage" },
        { HDR(setup_sects), 1, 255, "ends before its code" },
        { HDR(setup_sects), 1, 0 },                     /* stands for 4 */
        { HDR(init_size), 4, 0xffffffff, "needs 4294967295 bytes" },
        { HDR(init_size), 4, RAM_SIZE, "-m gives it more" },
        { HDR(init_size), 4, 0 },
        { HDR(pref_address), 8, 0x40000000 },           /* is moved */
        { HDR(pref_address), 8, UINT64_MAX },
        { HDR(pref_address), 8, 0x20000 },              /* is moved, too */
        { HDR(kernel_alignment), 4, 0 },
        { HDR(kernel_alignment), 4, 3 },
        { HDR(kernel_alignment), 4, 0x80000000 },
        { HDR(initrd_addr_max), 4, 0 },
        { HDR(cmdline_size), 4, 0 },
        { HDR(setup_data), 8, 0x1234 },                 /* not handed on */
        { HDR(xloadflags), 2, 0 },
    };

    try_damage(make_bzimage, damage, ARRAY_SIZE(damage));
}

static GByteArray *make_fixed_bzimage(void)
{
    GByteArray *image = make_bzimage();

    image->data[HDR(relocatable_kernel)] = 0;
    return image;
}

static void test_linux_not_relocatable(void)
{
    static const Damage damage[] = {
        { HDR(pref_address), 8, 0x1000000 },
        { HDR(pref_address), 8, 0x40000000, "does not fit" },
        { HDR(pref_address), 8, 0x100000000, "above 4 GiB" },
        { HDR(pref_address), 8, UINT64_MAX, "above 4 GiB" },
        { HDR(pref_address), 8, 0x7000, "does not fit" },
        { HDR(pref_address), 8, 0 },                    /* 1 MiB */
    };

    try_damage(make_fixed_bzimage, damage, ARRAY_SIZE(damage));
}

static void test_linux_cmdline(void)
{
    g_autoptr(GByteArray) image = make_bzimage();
    g_autofree char *fits = g_strnfill(2047, 'c');
    g_autofree char *more = g_strnfill(2048, 'c');

    load_ok(image, NULL, fits);
    assert_refused(image, NULL, more, "2048 characters are too many");
    /* A kernel that claims to take more than there is room for. */
    stl_le_p(image->data + HDR(cmdline_size), UINT32_MAX);
    g_free(more);
    more = g_strnfill(65535, 'c');
    load_ok(image, NULL, more);
    g_free(more);
    more = g_strnfill(65536, 'c');
    assert_refused(image, NULL, more, "takes 65535");
}

static void test_initrd_refused(void)
{
    g_autoptr(GByteArray) image = make_bzimage();
    int fd;

    assert_refused(image, dir, NULL, "not a regular file");
    put_file(initrd_path, "", 0);
    assert_refused(image, initrd_path, NULL, "is empty");
    fd = open(initrd_path, O_RDWR);
    g_assert_cmpint(ftruncate(fd, RAM_SIZE), ==, 0);
    assert_refused(image, initrd_path, NULL, "do not fit");
    g_assert_cmpint(ftruncate(fd, 8LL * 1024 * GiB), ==, 0);
    assert_refused(image, initrd_path, NULL, "do not fit");
    close(fd);
    put_file(initrd_path, "i", 1);
    stl_le_p(image->data + HDR(initrd_addr_max), 0x80000);
    assert_refused(image, initrd_path, NULL, "below 0x80001");
    unlink(initrd_path);
    assert_refused(image, initrd_path, NULL, "No such file");
}

static void test_linux_truncated(void)
{
    try_truncations(make_bzimage, 7);
}

static void test_linux_noise(void)
{
    try_noise(make_bzimage, 0x280);
}

/* -- bzImage, by firmware ------------------------------------------------- */

static bool split(const GByteArray *kernel, const char *initrd,
                  const char *cmdline, X86KernelParts *parts, Error **errp)
{
    put_file(kernel_path, kernel->data, kernel->len);
    return x86_split_kernel(kernel_path, initrd, cmdline, RAM_SIZE, HIGH_SIZE,
                            parts, errp);
}

static void test_split(void)
{
    g_autoptr(GByteArray) image = make_bzimage();
    g_autofree char *initrd = g_strnfill(10000, 'i');
    g_auto(X86KernelParts) p = { 0 };
    const struct setup_header *h;

    put_file(initrd_path, initrd, 10000);
    g_assert_true(split(image, initrd_path, "quiet", &p, &error_abort));
    g_assert_cmpmem(p.code.data, p.code.size, image->data + CODE_OFFSET, 4096);
    g_assert_cmphex(p.code.addr, ==, MiB);
    g_assert_cmpmem(p.initrd.data, p.initrd.size, initrd, 10000);
    /* As high as it goes below what firmware takes. */
    g_assert_cmphex(p.initrd.addr, ==, RAM_SIZE - MiB - 12288);
    g_assert_cmpmem(p.cmdline.data, p.cmdline.size, "quiet", 6);
    g_assert_cmphex(p.setup.addr, ==, KERNEL_ROM_SETUP);
    g_assert_cmpuint(p.setup.size, ==, CODE_OFFSET);
    h = (const void *)((uint8_t *)p.setup.data + 0x1f1);
    g_assert_cmphex(h->type_of_loader, ==, 0xb0);
    g_assert_cmphex(h->loadflags, ==, LOADED_HIGH | CAN_USE_HEAP);
    g_assert_cmphex(h->heap_end_ptr, ==, KERNEL_ROM_STACK - 0x200);
    g_assert_cmphex(h->cmd_line_ptr, ==, p.cmdline.addr);
    g_assert_cmphex(h->ramdisk_image, ==, p.initrd.addr);
    g_assert_cmpuint(h->ramdisk_size, ==, 10000);
    g_assert_cmphex(h->code32_start, ==, MiB);
    g_assert_cmphex(h->init_size, ==, 0x400000);
}

static void test_split_damaged(void)
{
    static const Damage damage[] = {
        { HDR(header), 4, 0, "the only kind that firmware starts" },
        { HDR(loadflags), 1, 0, "zImage" },
        { HDR(setup_sects), 1, 80, "real-mode part has 41472 bytes" },
        { HDR(setup_sects), 1, 255, "ends before its code" },
        { HDR(setup_sects), 1, 0 },
        { HDR(init_size), 4, 0xffffffff, "-m gives it more" },
        { HDR(init_size), 4, 0 },
        { HDR(pref_address), 8, 0x40000000, "does not fit" },
        { HDR(pref_address), 8, UINT64_MAX },           /* cannot be meant */
        { HDR(initrd_addr_max), 4, 0x1fffff, "do not fit" },
        { HDR(xloadflags), 2, 0 },
    };

    put_file(initrd_path, "initrd", 6);
    for (int i = 0; i < ARRAY_SIZE(damage); i++) {
        const Damage *d = &damage[i];
        g_autoptr(GByteArray) image = make_bzimage();
        g_auto(X86KernelParts) p = { 0 };
        g_autoptr(Error) err = NULL;

        g_test_message("offset 0x%zx = 0x%" PRIx64, d->offset, d->value);
        g_byte_array_set_size(image, 81 * 512 + 4096);
        if (d->value == 255) {
            g_byte_array_set_size(image, 256 * 512);
        }
        stn_le_p(image->data + d->offset, d->size, d->value);
        g_assert_cmpint(split(image, initrd_path, NULL, &p, &err), ==,
                        !d->error);
        if (d->error && !strstr(error_get_pretty(err), d->error)) {
            g_error("'%s' is not in: %s", d->error, error_get_pretty(err));
        }
        g_assert_true(!d->error || !p.setup.data);
    }
}

static void test_split_noise(void)
{
    put_file(initrd_path, "initrd", 6);
    for (int i = 0; i < 2000; i++) {
        g_autoptr(GByteArray) image = make_bzimage();
        g_auto(X86KernelParts) p = { 0 };
        g_autoptr(Error) err = NULL;

        for (int k = g_test_rand_int_range(1, 5); k; k--) {
            image->data[g_test_rand_int_range(0x1f1, 0x280)] =
                g_test_rand_bit() ? 0xff : g_test_rand_int_range(0, 256);
        }
        if (split(image, initrd_path, "x", &p, &err)) {
            g_assert_cmphex(p.initrd.addr + p.initrd.size, <=, RAM_SIZE - MiB);
            g_assert_cmphex(p.setup.size, <=, KERNEL_ROM_SETUP_MAX);
        } else {
            g_assert_nonnull(strstr(error_get_pretty(err), dir));
        }
    }
}

/* -- PVH ------------------------------------------------------------------ */

typedef struct Pvh64 {
    Elf64_Ehdr e;
    Elf64_Phdr note, code;
    Elf64_Nhdr other;
    char other_name[4];
    uint32_t other_desc;
    Elf64_Nhdr n;
    char name[4];
    uint64_t entry;
    uint8_t text[64];
} QEMU_PACKED Pvh64;

static GByteArray *make_pvh(void)
{
    GByteArray *image = g_byte_array_new();
    Pvh64 k = {
        .e = {
            .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
            .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1,
            .e_entry = 0x1000000, .e_phoff = offsetof(Pvh64, note),
            .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
        },
        .note = {
            .p_type = PT_NOTE, .p_offset = offsetof(Pvh64, other),
            .p_filesz = offsetof(Pvh64, text) - offsetof(Pvh64, other),
            .p_align = 4,
        },
        .code = {
            .p_type = PT_LOAD, .p_offset = offsetof(Pvh64, text),
            .p_paddr = 0x200000, .p_filesz = 64, .p_memsz = 0x3000,
        },
        .other = { 4, 4, 99 }, .other_name = "GNU",
        .n = { 4, 8, 18 }, .name = "Xen", .entry = 0x200010,
    };

    memset(k.text, 0xc5, sizeof(k.text));
    g_byte_array_append(image, (uint8_t *)&k, sizeof(k));
    return image;
}

static void test_pvh(void)
{
    g_autoptr(GByteArray) image = make_pvh();
    const uint8_t *info = ram_at(BOOT_INFO), *module, *map;

    put_file(initrd_path, "initrd", 6);
    load_ok(image, initrd_path, "quiet");
    g_assert_cmphex(*ram_at(0x200000), ==, 0xc5);
    g_assert_cmphex(*ram_at(0x20003f), ==, 0xc5);
    g_assert_cmphex(*ram_at(0x200040), ==, 0);
    g_assert_cmphex(*ram_at(0x202fff), ==, 0);
    g_assert_cmphex(*ram_at(0x203000), ==, 0xee);
    g_assert_cmphex(ldl_le_p(info), ==, 0x336ec578);
    g_assert_cmpuint(ldl_le_p(info + 4), ==, 1);
    g_assert_cmpuint(ldl_le_p(info + 12), ==, 1);
    module = ram_at(ldq_le_p(info + 16));
    g_assert_cmpmem(ram_at(ldq_le_p(module)), 6, "initrd", 6);
    g_assert_cmpuint(ldq_le_p(module + 8), ==, 6);
    g_assert_cmpstr((char *)ram_at(ldq_le_p(info + 24)), ==, "quiet");
    g_assert_cmphex(ldq_le_p(info + 32), ==, RSDP);
    map = ram_at(ldq_le_p(info + 40));
    g_assert_cmpuint(ldl_le_p(info + 48), ==, 6);
    g_assert_cmphex(ldq_le_p(map + 8), ==, 0x9fc00);
    g_assert_cmpuint(ldl_le_p(map + 16), ==, E820_RAM);
}

static void test_pvh_short_entry(void)
{
    g_autoptr(GByteArray) image = make_pvh();
    Pvh64 *k = (Pvh64 *)image->data;

    k->n.n_descsz = 4;
    k->note.p_filesz -= 4;
    load_ok(image, NULL, NULL);
}

#define P(f) offsetof(Pvh64, f), sizeof(((Pvh64 *)0)->f)

static void test_pvh_damaged(void)
{
    static const Damage damage[] = {
        { P(e.e_ident[EI_CLASS]), 0, "another processor" },
        { P(e.e_ident[EI_CLASS]), ELFCLASS32, "ELF" },
        { P(e.e_ident[EI_DATA]), ELFDATA2MSB, "another processor" },
        { P(e.e_machine), EM_AARCH64, "another processor" },
        { P(e.e_phoff), 0xffffff00, "ends before its program headers" },
        { P(e.e_phoff), UINT64_MAX, "ends before its program headers" },
        { P(e.e_phnum), 0, "program headers are wrong" },
        { P(e.e_phnum), 0xffff, "program headers are wrong" },
        { P(e.e_phentsize), 55, "program headers are wrong" },
        { P(e.e_phentsize), 0, "program headers are wrong" },
        { P(note.p_type), PT_NULL, "without a PVH entry" },
        { P(note.p_offset), UINT64_MAX, "ends before its notes" },
        { P(note.p_filesz), UINT64_MAX, "too long" },
        { P(note.p_filesz), 0x1000, "ends before its notes" },
        { P(note.p_filesz), 21, "cut short" },
        { P(note.p_filesz), 20, "without a PVH entry" },
        { P(note.p_filesz), 0, "without a PVH entry" },
        { P(other.n_namesz), 0xffffffff, "cut short" },
        { P(other.n_descsz), 0xffffffff, "cut short" },
        { P(n.n_type), 1, "without a PVH entry" },
        { P(n.n_namesz), 3, "without a PVH entry" },
        { P(n.n_descsz), 2, "cut short" },
        { P(entry), 0x100000000, "above 4 GiB" },
        { P(code.p_type), PT_NULL, "nothing to load" },
        { P(code.p_memsz), 0, "nothing to load" },
        { P(code.p_memsz), 63, "larger in the file" },
        { P(code.p_filesz), UINT64_MAX, "larger in the file" },
        { P(code.p_filesz), 128, "ends before its segment" },
        { P(code.p_offset), UINT64_MAX, "ends before its segment" },
        { P(code.p_memsz), RAM_SIZE, "does not fit" },
        { P(code.p_memsz), UINT64_MAX, "does not fit" },
        { P(code.p_paddr), UINT64_MAX, "does not fit" },
        { P(code.p_paddr), 0xa0000, "does not fit" },
        { P(code.p_paddr), RAM_SIZE, "does not fit" },
        { P(code.p_paddr), 0x20000, "overlaps" },
        { P(code.p_paddr), 0x6000, "overlaps" },
        { P(code.p_paddr), 0x100000000 },               /* high RAM */
        { P(note.p_align), 8, "cut short" },
    };

    try_damage(make_pvh, damage, ARRAY_SIZE(damage));
}

static void test_pvh_truncated(void)
{
    try_truncations(make_pvh, 1);
}

static void test_pvh_noise(void)
{
    try_noise(make_pvh, offsetof(Pvh64, text));
}

/* -- Multiboot ------------------------------------------------------------ */

static GByteArray *make_multiboot(void)
{
    GByteArray *image = g_byte_array_new();
    uint32_t h[8] = {
        0x1badb002, 0x10003, 0, 0x100010, 0x100000, 0x100040, 0x102000,
        0x100020,
    };

    h[2] = -(h[0] + h[1]);
    g_byte_array_set_size(image, 0x90);
    memset(image->data, 0xc5, image->len);
    memcpy(image->data + 0x20, h, sizeof(h));
    return image;
}

static void test_multiboot(void)
{
    g_autoptr(GByteArray) image = make_multiboot();
    g_autofree char *list = NULL;
    const uint8_t *info = ram_at(BOOT_INFO), *module;
    g_autofree char *cmdline = NULL;

    put_file(initrd_path, "module", 6);
    list = g_strdup_printf("%s a,,b,%s", initrd_path, initrd_path);
    load_ok(image, list, "quiet");
    /* Its header is at 0x20 of the file and at 0x100010 of RAM. */
    g_assert_cmphex(ldl_le_p(ram_at(0x100010)), ==, 0x1badb002);
    g_assert_cmphex(*ram_at(0x10003f), ==, 0xc5);
    g_assert_cmphex(*ram_at(0x100040), ==, 0);
    g_assert_cmphex(*ram_at(0x102000), ==, 0xee);
    g_assert_cmphex(ldl_le_p(info), ==, 0x24d);
    g_assert_cmpuint(ldl_le_p(info + 4), ==, 639);
    g_assert_cmpuint(ldl_le_p(info + 8), ==, (RAM_SIZE - MiB) / KiB);
    cmdline = g_strconcat(kernel_path, " quiet", NULL);
    g_assert_cmpstr((char *)ram_at(ldl_le_p(info + 16)), ==, cmdline);
    g_assert_cmpuint(ldl_le_p(info + 20), ==, 2);
    module = ram_at(ldl_le_p(info + 24));
    g_assert_cmpmem(ram_at(ldl_le_p(module)), 6, "module", 6);
    g_assert_cmpuint(ldl_le_p(module + 4) - ldl_le_p(module), ==, 6);
    g_assert_true(g_str_has_suffix((char *)ram_at(ldl_le_p(module + 8)),
                                   " a,b"));
    g_assert_cmphex(ldl_le_p(module), !=, ldl_le_p(module + 16));
    g_assert_cmpuint(ldl_le_p(info + 44), ==, 6 * 24);
    g_assert_cmpuint(ldl_le_p(ram_at(ldl_le_p(info + 48))), ==, 20);
}

static void test_multiboot_damaged(void)
{
    static const Damage damage[] = {
        { 0x20, 4, 0, "is not a bzImage" },
        { 0x28, 4, 0, "is not a bzImage" },             /* checksum */
        { 0x2c, 4, 0x100021, "contradict" },            /* header_addr */
        { 0x2c, 4, 0xfffff, "contradict" },
        { 0x2c, 4, 0xffffffff, "contradict" },
        { 0x30, 4, 0x100011, "contradict" },            /* load_addr */
        { 0x30, 4, 0, "contradict" },
        { 0x34, 4, 0xfffff, "contradict" },             /* load_end_addr */
        { 0x34, 4, 0x101000, "ends before its code" },
        { 0x34, 4, 0xffffffff, "contradict" },
        { 0x34, 4, 0 },                                 /* the whole file */
        { 0x38, 4, 0x10003f, "contradict" },            /* bss_end_addr */
        { 0x38, 4, 0xffffffff, "does not fit" },
        { 0x38, 4, 0 },
        { 0x3c, 4, 0xffffffff, "outside" },             /* entry_addr */
        { 0x3c, 4, 0xa0000, "outside" },
    };
    static const uint32_t bad_flags[] = { 0x10007, 0x10103 };

    try_damage(make_multiboot, damage, ARRAY_SIZE(damage));
    for (int i = 0; i < ARRAY_SIZE(bad_flags); i++) {
        g_autoptr(GByteArray) image = make_multiboot();

        stl_le_p(image->data + 0x24, bad_flags[i]);
        stl_le_p(image->data + 0x28, -(0x1badb002 + bad_flags[i]));
        assert_refused(image, NULL, NULL, i ? "do not exist" : "video mode");
    }
}

static void test_multiboot_elf(void)
{
    g_autoptr(GByteArray) image = make_pvh();
    uint32_t h[3] = { 0x1badb002, 3, -(0x1badb002 + 3u) };

    g_byte_array_set_size(image, ROUND_UP(image->len, 4));
    g_byte_array_append(image, (uint8_t *)h, sizeof(h));
    assert_refused(image, NULL, NULL, "32-bit ELF");
}

static void test_multiboot_modules(void)
{
    g_autoptr(GByteArray) image = make_multiboot();
    g_autoptr(GString) list = g_string_new("");

    put_file(initrd_path, "m", 1);
    for (int i = 0; i < 128; i++) {
        g_string_append_printf(list, "%s%s", i ? "," : "", initrd_path);
    }
    load_ok(image, list->str, NULL);
    g_string_append_printf(list, ",%s", initrd_path);
    {
        g_autoptr(Error) err = NULL;

        g_assert_false(load(image, list->str, NULL, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "128"));
    }
    g_string_printf(list, "%s/nowhere", dir);
    assert_refused(image, list->str, NULL, "No such file");
}

static void test_multiboot_late(void)
{
    g_autoptr(GByteArray) image = make_multiboot();
    g_autoptr(GByteArray) late = g_byte_array_new();

    /* The header must end within 8 KiB... or be found before. */
    g_byte_array_set_size(late, 8192);
    memset(late->data, 0, late->len);
    g_byte_array_append(late, image->data, image->len);
    assert_refused(late, NULL, NULL, "is not a bzImage");
}

static void test_multiboot_truncated(void)
{
    try_truncations(make_multiboot, 1);
}

static void test_multiboot_noise(void)
{
    try_noise(make_multiboot, 0x40);
}

/* -- What is none --------------------------------------------------------- */

static void test_no_kernel(void)
{
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_autoptr(Error) err = NULL;

    g_byte_array_append(text, (const uint8_t *)"#!/bin/sh\n", 10);
    assert_refused(text, NULL, NULL, "is not a bzImage, a multiboot image or");
    g_byte_array_set_size(text, 0);
    assert_refused(text, NULL, NULL, "is empty");
    g_assert_false(x86_load_kernel(NULL, dir, NULL, NULL, RAM_SIZE, 0, 0,
                                   &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "not a regular file"));
}

static void end_loop(void *opaque)
{
    qemu_system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

/* A file that changes later: the VM stops and says why. */
static void test_kernel_shrinks(void)
{
    g_autoptr(GByteArray) image = make_bzimage();

    load_ok(image, NULL, NULL);
    g_assert_cmpint(truncate(kernel_path, 100), ==, 0);
    vm_start();
    qemu_system_reset(SHUTDOWN_CAUSE_NONE);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), end_loop, NULL);
    qemu_main_loop();
    g_assert_true(runstate_needs_reset());
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    world_up();
    g_test_add_func("/boot/linux-is-where-it-wants-to-be", test_linux);
    g_test_add_func("/boot/linux-is-told-the-memory-map", test_linux_map);
    g_test_add_func("/boot/e820-has-a-limit", test_e820_table);
    g_test_add_func("/boot/linux-each-field-damaged", test_linux_damaged);
    g_test_add_func("/boot/linux-that-cannot-move", test_linux_not_relocatable);
    g_test_add_func("/boot/linux-command-line-length", test_linux_cmdline);
    g_test_add_func("/boot/initrd-bad-files", test_initrd_refused);
    g_test_add_func("/boot/linux-cut-anywhere", test_linux_truncated);
    g_test_add_func("/boot/linux-noise", test_linux_noise);
    g_test_add_func("/boot/firmware-gets-the-parts", test_split);
    g_test_add_func("/boot/firmware-each-field-damaged", test_split_damaged);
    g_test_add_func("/boot/firmware-noise", test_split_noise);
    g_test_add_func("/boot/pvh-is-told-everything", test_pvh);
    g_test_add_func("/boot/pvh-entry-of-4-bytes", test_pvh_short_entry);
    g_test_add_func("/boot/pvh-each-field-damaged", test_pvh_damaged);
    g_test_add_func("/boot/pvh-cut-anywhere", test_pvh_truncated);
    g_test_add_func("/boot/pvh-noise", test_pvh_noise);
    g_test_add_func("/boot/multiboot-is-told-everything", test_multiboot);
    g_test_add_func("/boot/multiboot-each-field-damaged",
                    test_multiboot_damaged);
    g_test_add_func("/boot/multiboot-elf-must-be-32-bit", test_multiboot_elf);
    g_test_add_func("/boot/multiboot-modules", test_multiboot_modules);
    g_test_add_func("/boot/multiboot-header-in-first-8-kib",
                    test_multiboot_late);
    g_test_add_func("/boot/multiboot-cut-anywhere", test_multiboot_truncated);
    g_test_add_func("/boot/multiboot-noise", test_multiboot_noise);
    g_test_add_func("/boot/what-is-no-kernel-is-named", test_no_kernel);
    g_test_add_func("/boot/kernel-that-shrinks-stops-the-vm",
                    test_kernel_shrinks);
    ret = g_test_run();
    world_down();
    return ret;
}
