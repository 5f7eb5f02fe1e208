/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS structures (DMTF DSP0134, 2.8): system, chassis, processors, memory,
 * and what -smbios says.  Firmware adds the BIOS structure (type 0) if that is
 * not said.
 */
#include "qemu/osdep.h"
#include "hw/i386/smbios.h"
#include "qemu/bswap.h"
#include "qemu/option.h"

#define UNKNOWN_SPEED 0
#define DIMM_SIZE (16 * GiB)

enum { HANDLE_BIOS = 0, HANDLE_BOARD = 0x200, HANDLE_SYSTEM = 0x100, HANDLE_CHASSIS = 0x300, HANDLE_CPU = 0x400,
       HANDLE_ARRAY = 0x1000, HANDLE_DIMM = 0x1100, HANDLE_RANGE = 0x1300,
       HANDLE_BOOT = 0x2000, HANDLE_END = 0x7f00 };

typedef struct SMBIOSBuilder {
    GByteArray *out;
    GByteArray *strings;            /* of the structure being made */
    unsigned start;
    unsigned nr_strings, nr_structures, max_size;
} SMBIOSBuilder;

static void put(SMBIOSBuilder *b, uint64_t v, unsigned size)
{
    uint8_t bytes[8];

    stn_le_p(bytes, size, v);
    g_byte_array_append(b->out, bytes, size);
}

/* A reference to a text: its number in the structure's set, 0 for none. */
static void put_string(SMBIOSBuilder *b, const char *s)
{
    if (!s || !*s) {
        put(b, 0, 1);
        return;
    }
    g_byte_array_append(b->strings, (const uint8_t *)s, strlen(s) + 1);
    put(b, ++b->nr_strings, 1);
}

static void begin(SMBIOSBuilder *b, uint8_t type, uint16_t handle)
{
    b->start = b->out->len;
    b->nr_strings = 0;
    g_byte_array_set_size(b->strings, 0);
    put(b, type, 1);
    put(b, 0, 1);                   /* length */
    put(b, handle, 2);
}

static void end(SMBIOSBuilder *b)
{
    b->out->data[b->start + 1] = b->out->len - b->start;
    g_byte_array_append(b->out, b->strings->data, b->strings->len);
    put(b, 0, b->strings->len ? 1 : 2);
    b->nr_structures++;
    b->max_size = MAX(b->max_size, b->out->len - b->start);
}

static const char *said(const SMBIOSConfig *cfg, SMBIOSField f,
                        const char *otherwise)
{
    return cfg->user && cfg->user->text[f] ? cfg->user->text[f] : otherwise;
}

static uint16_t said_number(const SMBIOSConfig *cfg, SMBIOSField f)
{
    return strtoul(said(cfg, f, "0"), NULL, 0);
}

/* Whether any of the fields [first, last] is said. */
static bool any_said(const SMBIOSConfig *cfg, SMBIOSField first,
                     SMBIOSField last)
{
    for (int f = first; f <= last; f++) {
        if (said(cfg, f, NULL)) {
            return true;
        }
    }
    return false;
}

static void put_bios(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    uint8_t major = 0, minor = 0;
    bool uefi = false;

    smbios_parse_release(said(cfg, SMBIOS_0_RELEASE, "0.0"), &major, &minor);
    qemu_parse_bool("uefi", said(cfg, SMBIOS_0_UEFI, "off"), &uefi, NULL);
    begin(b, 0, HANDLE_BIOS);
    put_string(b, said(cfg, SMBIOS_0_VENDOR, NULL));
    put_string(b, said(cfg, SMBIOS_0_VERSION, NULL));
    put(b, 0xe800, 2);              /* segment */
    put_string(b, said(cfg, SMBIOS_0_DATE, NULL));
    put(b, 0, 1);                   /* size: 64 KiB */
    put(b, 1 << 3, 8);              /* characteristics: not told */
    put(b, 0, 1);
    put(b, 1 << 4 | uefi << 3 | 1 << 2, 1);     /* virtual; UEFI */
    put(b, major, 1);
    put(b, minor, 1);
    put(b, 0xffff, 2);              /* no embedded controller */
    end(b);
}

static void put_board(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    begin(b, 2, HANDLE_BOARD);
    put_string(b, said(cfg, SMBIOS_2_MANUFACTURER, cfg->manufacturer));
    put_string(b, said(cfg, SMBIOS_2_PRODUCT, cfg->product));
    put_string(b, said(cfg, SMBIOS_2_VERSION, cfg->version));
    put_string(b, said(cfg, SMBIOS_2_SERIAL, NULL));
    put_string(b, said(cfg, SMBIOS_2_ASSET, NULL));
    put(b, 1, 1);                   /* a hosting board */
    put_string(b, said(cfg, SMBIOS_2_LOCATION, NULL));
    put(b, HANDLE_CHASSIS, 2);
    put(b, 10, 1);                  /* motherboard */
    put(b, 0, 1);
    end(b);
}

static void put_system(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    static const uint8_t field_size[] = { 4, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1 };
    const uint8_t *u = cfg->uuid;

    begin(b, 1, HANDLE_SYSTEM);
    put_string(b, said(cfg, SMBIOS_1_MANUFACTURER, cfg->manufacturer));
    put_string(b, said(cfg, SMBIOS_1_PRODUCT, cfg->product));
    put_string(b, said(cfg, SMBIOS_1_VERSION, cfg->version));
    put_string(b, said(cfg, SMBIOS_1_SERIAL, NULL));
    /* The first three fields are little-endian here (7.2.1). */
    for (unsigned i = 0; i < ARRAY_SIZE(field_size); u += field_size[i++]) {
        for (int j = field_size[i] - 1; j >= 0; j--) {
            put(b, u[j], 1);
        }
    }
    put(b, 6, 1);                   /* woken by the power switch */
    put_string(b, said(cfg, SMBIOS_1_SKU, NULL));
    put_string(b, said(cfg, SMBIOS_1_FAMILY, NULL));
    end(b);
}

static void put_chassis(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    begin(b, 3, HANDLE_CHASSIS);
    put_string(b, said(cfg, SMBIOS_3_MANUFACTURER, cfg->manufacturer));
    put(b, 1, 1);                   /* type: other */
    put_string(b, said(cfg, SMBIOS_3_VERSION, cfg->version));
    put_string(b, said(cfg, SMBIOS_3_SERIAL, NULL));
    put_string(b, said(cfg, SMBIOS_3_ASSET, NULL));
    put(b, 3, 1);                   /* boot-up, power, thermal: safe */
    put(b, 3, 1);
    put(b, 3, 1);
    put(b, 2, 1);                   /* security: unknown */
    put(b, 0, 4);
    put(b, 0, 4);                   /* height, cords, contained elements */
    put_string(b, said(cfg, SMBIOS_3_SKU, NULL));
    end(b);
}

static void put_cpu(SMBIOSBuilder *b, const SMBIOSConfig *cfg, unsigned n)
{
    g_autofree char *socket =
        g_strdup_printf("%s%u", said(cfg, SMBIOS_4_SOCKET, "CPU "), n);
    uint8_t cores = MIN(cfg->cores, 255);
    uint8_t threads = MIN(cfg->cores * cfg->threads, 255);

    begin(b, 4, HANDLE_CPU + n);
    put_string(b, socket);
    put(b, 3, 1);                   /* central processor */
    put(b, 1, 1);                   /* family: other */
    put_string(b, said(cfg, SMBIOS_4_MANUFACTURER, cfg->manufacturer));
    put(b, 0, 8);                   /* id */
    put_string(b, said(cfg, SMBIOS_4_VERSION, cfg->version));
    put(b, 0, 1);                   /* voltage */
    put(b, UNKNOWN_SPEED, 2);       /* clock, highest, present */
    put(b, said_number(cfg, SMBIOS_4_MAX_SPEED), 2);
    put(b, said_number(cfg, SMBIOS_4_SPEED), 2);
    put(b, 0x41, 1);                /* in its socket, enabled */
    put(b, 1, 1);                   /* socket: other */
    put(b, 0xffff, 2);              /* caches: not told */
    put(b, 0xffff, 2);
    put(b, 0xffff, 2);
    put_string(b, said(cfg, SMBIOS_4_SERIAL, NULL));
    put_string(b, said(cfg, SMBIOS_4_ASSET, NULL));
    put_string(b, said(cfg, SMBIOS_4_PART, NULL));
    put(b, cores, 1);
    put(b, cores, 1);
    put(b, threads, 1);
    put(b, 1 << 1, 2);              /* characteristics: unknown */
    put(b, 1, 2);
    end(b);
}

static void put_memory_array(SMBIOSBuilder *b, uint64_t ram, unsigned dimms)
{
    begin(b, 16, HANDLE_ARRAY);
    put(b, 1, 1);                   /* location: other */
    put(b, 3, 1);                   /* system memory */
    put(b, 6, 1);                   /* multi-bit error correction */
    put(b, 0x80000000, 4);          /* capacity: see below */
    put(b, 0xfffe, 2);              /* no error information */
    put(b, dimms, 2);
    put(b, ram, 8);
    end(b);
}

static void put_dimm(SMBIOSBuilder *b, const SMBIOSConfig *cfg, unsigned n,
                     uint64_t size)
{
    g_autofree char *where =
        g_strdup_printf("%s%u", said(cfg, SMBIOS_17_LOCATOR, "DIMM "), n);
    uint16_t speed = said_number(cfg, SMBIOS_17_SPEED);
    uint64_t mib = size / MiB;

    begin(b, 17, HANDLE_DIMM + n);
    put(b, HANDLE_ARRAY, 2);
    put(b, 0xfffe, 2);
    put(b, 0xffff, 2);              /* widths: unknown */
    put(b, 0xffff, 2);
    put(b, mib < 0x7fff ? mib : 0x7fff, 2);
    put(b, 9, 1);                   /* DIMM */
    put(b, 0, 1);
    put_string(b, where);
    put_string(b, said(cfg, SMBIOS_17_BANK, NULL));
    put(b, 7, 1);                   /* type: RAM */
    put(b, 1 << 1, 2);              /* detail: other */
    put(b, speed, 2);
    put_string(b, said(cfg, SMBIOS_17_MANUFACTURER, cfg->manufacturer));
    put_string(b, said(cfg, SMBIOS_17_SERIAL, NULL));
    put_string(b, said(cfg, SMBIOS_17_ASSET, NULL));
    put_string(b, said(cfg, SMBIOS_17_PART, NULL));
    put(b, 0, 1);                   /* rank */
    put(b, mib < 0x7fff ? 0 : mib, 4);
    put(b, speed, 2);
    end(b);
}

static void put_range(SMBIOSBuilder *b, unsigned n, uint64_t start,
                      uint64_t size)
{
    begin(b, 19, HANDLE_RANGE + n);
    put(b, 0xffffffff, 4);          /* see the 64-bit ones */
    put(b, 0xffffffff, 4);
    put(b, HANDLE_ARRAY, 2);
    put(b, 1, 1);
    put(b, start, 8);
    put(b, start + size - 1, 8);
    end(b);
}

static void make_anchor(const SMBIOSBuilder *b,
                        uint8_t anchor[SMBIOS_ANCHOR_SIZE])
{
    memset(anchor, 0, SMBIOS_ANCHOR_SIZE);
    memcpy(anchor, "_SM_", 4);
    anchor[5] = SMBIOS_ANCHOR_SIZE;
    anchor[6] = 2;                  /* version 2.8 */
    anchor[7] = 8;
    stw_le_p(anchor + 8, b->max_size);
    memcpy(anchor + 16, "_DMI_", 5);
    stw_le_p(anchor + 22, b->out->len);
    stw_le_p(anchor + 28, b->nr_structures);
    anchor[30] = 0x28;
}

static uint8_t sum_to_zero(const uint8_t *p, unsigned len)
{
    uint8_t sum = 0;

    while (len--) {
        sum -= *p++;
    }
    return sum;
}

void smbios_finish_anchor(uint8_t anchor[SMBIOS_ANCHOR_SIZE], uint32_t addr)
{
    stl_le_p(anchor + 24, addr);
    anchor[21] = anchor[4] = 0;
    anchor[21] = sum_to_zero(anchor + 16, SMBIOS_ANCHOR_SIZE - 16);
    anchor[4] = sum_to_zero(anchor, SMBIOS_ANCHOR_SIZE);
}

static void put_whole(SMBIOSBuilder *b, const SMBIOSUser *user)
{
    for (unsigned i = 0; user->structures && i < user->structures->len; i++) {
        size_t len;
        const uint8_t *p =
            g_bytes_get_data(g_ptr_array_index(user->structures, i), &len);

        g_byte_array_append(b->out, p, len);
        b->nr_structures++;
        b->max_size = MAX(b->max_size, len);
    }
}

/* Types that a file has are the file's alone. */
static bool wanted(const SMBIOSConfig *cfg, uint8_t type)
{
    return !cfg->user || !cfg->user->replaced[type];
}

GByteArray *smbios_build(const SMBIOSConfig *cfg,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE])
{
    uint64_t ram = cfg->below_4g + cfg->above_4g;
    unsigned dimms = DIV_ROUND_UP(ram, DIMM_SIZE);
    SMBIOSBuilder b = {
        .out = g_byte_array_new(),
        .strings = g_byte_array_new(),
    };

    if (cfg->user) {
        put_whole(&b, cfg->user);
    }
    if (wanted(cfg, 0) && any_said(cfg, SMBIOS_0_VENDOR, SMBIOS_0_UEFI)) {
        put_bios(&b, cfg);
    }
    if (wanted(cfg, 1)) {
        put_system(&b, cfg);
    }
    if (wanted(cfg, 2) &&
        any_said(cfg, SMBIOS_2_MANUFACTURER, SMBIOS_2_LOCATION)) {
        put_board(&b, cfg);
    }
    if (wanted(cfg, 3)) {
        put_chassis(&b, cfg);
    }
    for (unsigned i = 0; wanted(cfg, 4) && i < cfg->sockets; i++) {
        put_cpu(&b, cfg, i);
    }
    if (wanted(cfg, 16)) {
        put_memory_array(&b, ram, dimms);
    }
    for (unsigned i = 0; wanted(cfg, 17) && i < dimms; i++) {
        put_dimm(&b, cfg, i, MIN(DIMM_SIZE, ram - i * DIMM_SIZE));
    }
    if (wanted(cfg, 19)) {
        put_range(&b, 0, 0, cfg->below_4g);
    }
    if (wanted(cfg, 19) && cfg->above_4g) {
        put_range(&b, 1, 4 * GiB, cfg->above_4g);
    }
    if (wanted(cfg, 32)) {
        begin(&b, 32, HANDLE_BOOT);
        put(&b, 0, 7);              /* no errors detected */
        end(&b);
    }
    begin(&b, 127, HANDLE_END);
    end(&b);
    make_anchor(&b, anchor);
    g_byte_array_unref(b.strings);
    return b.out;
}

bool smbios_parse_release(const char *text, uint8_t *major, uint8_t *minor)
{
    unsigned a, b;
    char rest;

    if (!g_ascii_isdigit(*text) ||
        sscanf(text, "%3u.%3u%c", &a, &b, &rest) != 2 || a > 255 || b > 255) {
        return false;
    }
    *major = a;
    *minor = b;
    return true;
}

bool uuid_parse(const char *text, uint8_t uuid[16])
{
    int n = 0;

    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    while (n < 16) {
        if (*text == '-') {
            text++;
            continue;
        }
        uuid[n++] = g_ascii_xdigit_value(text[0]) << 4
            | g_ascii_xdigit_value(text[1]);
        text += 2;
    }
    return true;
}
