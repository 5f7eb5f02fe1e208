/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS structures (DMTF DSP0134, 2.8): system, chassis, processors, memory.
 * Firmware adds the BIOS structure (type 0).
 */
#include "qemu/osdep.h"
#include "hw/i386/smbios.h"
#include "qemu/bswap.h"

#define UNKNOWN_SPEED 0
#define DIMM_SIZE (16 * GiB)

enum { HANDLE_SYSTEM = 0x100, HANDLE_CHASSIS = 0x300, HANDLE_CPU = 0x400,
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

static void put_system(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    static const uint8_t field_size[] = { 4, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1 };
    const uint8_t *u = cfg->uuid;

    begin(b, 1, HANDLE_SYSTEM);
    put_string(b, cfg->manufacturer);
    put_string(b, cfg->product);
    put_string(b, cfg->version);
    put_string(b, NULL);            /* serial number */
    /* The first three fields are little-endian here (7.2.1). */
    for (unsigned i = 0; i < ARRAY_SIZE(field_size); u += field_size[i++]) {
        for (int j = field_size[i] - 1; j >= 0; j--) {
            put(b, u[j], 1);
        }
    }
    put(b, 6, 1);                   /* woken by the power switch */
    put_string(b, NULL);
    put_string(b, NULL);
    end(b);
}

static void put_chassis(SMBIOSBuilder *b, const SMBIOSConfig *cfg)
{
    begin(b, 3, HANDLE_CHASSIS);
    put_string(b, cfg->manufacturer);
    put(b, 1, 1);                   /* type: other */
    put_string(b, cfg->version);
    put_string(b, NULL);
    put_string(b, NULL);
    put(b, 3, 1);                   /* boot-up, power, thermal: safe */
    put(b, 3, 1);
    put(b, 3, 1);
    put(b, 2, 1);                   /* security: unknown */
    put(b, 0, 4);
    put(b, 0, 4);                   /* height, cords, contained elements */
    put_string(b, NULL);
    end(b);
}

static void put_cpu(SMBIOSBuilder *b, const SMBIOSConfig *cfg, unsigned n)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", n);
    uint8_t cores = MIN(cfg->cores, 255);
    uint8_t threads = MIN(cfg->cores * cfg->threads, 255);

    begin(b, 4, HANDLE_CPU + n);
    put_string(b, socket);
    put(b, 3, 1);                   /* central processor */
    put(b, 1, 1);                   /* family: other */
    put_string(b, cfg->manufacturer);
    put(b, 0, 8);                   /* id */
    put_string(b, cfg->version);
    put(b, 0, 1);                   /* voltage */
    put(b, UNKNOWN_SPEED, 2);       /* clock, highest, present */
    put(b, UNKNOWN_SPEED, 2);
    put(b, UNKNOWN_SPEED, 2);
    put(b, 0x41, 1);                /* in its socket, enabled */
    put(b, 1, 1);                   /* socket: other */
    put(b, 0xffff, 2);              /* caches: not told */
    put(b, 0xffff, 2);
    put(b, 0xffff, 2);
    put_string(b, NULL);
    put_string(b, NULL);
    put_string(b, NULL);
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
    g_autofree char *where = g_strdup_printf("DIMM %u", n);
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
    put_string(b, NULL);
    put(b, 7, 1);                   /* type: RAM */
    put(b, 1 << 1, 2);              /* detail: other */
    put(b, UNKNOWN_SPEED, 2);
    put_string(b, cfg->manufacturer);
    put_string(b, NULL);
    put_string(b, NULL);
    put_string(b, NULL);
    put(b, 0, 1);                   /* rank */
    put(b, mib < 0x7fff ? 0 : mib, 4);
    put(b, UNKNOWN_SPEED, 2);
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

GByteArray *smbios_build(const SMBIOSConfig *cfg,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE])
{
    uint64_t ram = cfg->below_4g + cfg->above_4g;
    unsigned dimms = DIV_ROUND_UP(ram, DIMM_SIZE);
    SMBIOSBuilder b = {
        .out = g_byte_array_new(),
        .strings = g_byte_array_new(),
    };

    put_system(&b, cfg);
    put_chassis(&b, cfg);
    for (unsigned i = 0; i < cfg->sockets; i++) {
        put_cpu(&b, cfg, i);
    }
    put_memory_array(&b, ram, dimms);
    for (unsigned i = 0; i < dimms; i++) {
        put_dimm(&b, cfg, i, MIN(DIMM_SIZE, ram - i * DIMM_SIZE));
    }
    put_range(&b, 0, 0, cfg->below_4g);
    if (cfg->above_4g) {
        put_range(&b, 1, 4 * GiB, cfg->above_4g);
    }
    begin(&b, 32, HANDLE_BOOT);
    put(&b, 0, 7);                  /* no errors detected */
    end(&b);
    begin(&b, 127, HANDLE_END);
    end(&b);
    make_anchor(&b, anchor);
    g_byte_array_unref(b.strings);
    return b.out;
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
