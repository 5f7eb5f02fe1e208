/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unaligned little- and big-endian access, and byte swapping. */
#ifndef QEMU_BSWAP_H
#define QEMU_BSWAP_H

#include <endian.h>

#define cpu_to_le16 htole16
#define cpu_to_le32 htole32
#define cpu_to_le64 htole64
#define le16_to_cpu le16toh
#define le32_to_cpu le32toh
#define le64_to_cpu le64toh
#define cpu_to_be16 htobe16
#define cpu_to_be32 htobe32
#define cpu_to_be64 htobe64
#define be16_to_cpu be16toh
#define be32_to_cpu be32toh
#define be64_to_cpu be64toh

static inline int ldub_p(const void *p)
{
    return *(const uint8_t *)p;
}
static inline void stb_p(void *p, uint8_t v)
{
    *(uint8_t *)p = v;
}

#define DEFINE_UNALIGNED(bits, l, e)                                    \
    static inline uint##bits##_t ld##l##_##e##_p(const void *p)         \
    {                                                                   \
        uint##bits##_t v;                                               \
        memcpy(&v, p, sizeof(v));                                       \
        return e##bits##_to_cpu(v);                                     \
    }                                                                   \
    static inline void st##l##_##e##_p(void *p, uint##bits##_t v)       \
    {                                                                   \
        v = cpu_to_##e##bits(v);                                        \
        memcpy(p, &v, sizeof(v));                                       \
    }
DEFINE_UNALIGNED(16, w, le)
DEFINE_UNALIGNED(32, l, le)
DEFINE_UNALIGNED(64, q, le)
DEFINE_UNALIGNED(16, w, be)
DEFINE_UNALIGNED(32, l, be)
DEFINE_UNALIGNED(64, q, be)
#undef DEFINE_UNALIGNED

/* @n is 1, 2, 4 or 8 bytes. */
static inline uint64_t ldn_le_p(const void *p, unsigned n)
{
    uint64_t v = 0;

    memcpy(&v, p, n);
    return le64_to_cpu(v);
}
static inline void stn_le_p(void *p, unsigned n, uint64_t v)
{
    v = cpu_to_le64(v);
    memcpy(p, &v, n);
}

#endif
