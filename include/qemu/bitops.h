/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bits and bit fields. */
#ifndef QEMU_BITOPS_H
#define QEMU_BITOPS_H

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define MAKE_64BIT_MASK(shift, length) \
    (((~0ULL) >> (64 - (length))) << (shift))

static inline uint32_t extract32(uint32_t v, int start, int length)
{
    return (v >> start) & (~0U >> (32 - length));
}
static inline uint64_t extract64(uint64_t v, int start, int length)
{
    return (v >> start) & (~0ULL >> (64 - length));
}
static inline uint32_t deposit32(uint32_t v, int start, int length, uint32_t f)
{
    uint32_t mask = (~0U >> (32 - length)) << start;

    return (v & ~mask) | ((f << start) & mask);
}
static inline int ctz32(uint32_t v)
{
    return v ? __builtin_ctz(v) : 32;
}
static inline int ctz64(uint64_t v)
{
    return v ? __builtin_ctzll(v) : 64;
}
static inline int clz64(uint64_t v)
{
    return v ? __builtin_clzll(v) : 64;
}
static inline bool is_power_of_2(uint64_t v)
{
    return v && !(v & (v - 1));
}
/* The smallest power of two that is not below @v; 0 if it does not fit. */
static inline uint64_t pow2ceil(uint64_t v)
{
    if (v <= 1) {
        return 1;
    }
    return v > (1ULL << 63) ? 0 : 1ULL << (64 - clz64(v - 1));
}

#endif
