/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUID table of a vCPU, made of its configuration and its place in the
 * topology.  Intel SDM vol. 2A, CPUID; vol. 3A, 9.9 (topology enumeration);
 * AMD APM vol. 3, appendix E.
 *
 * Caches are those of a typical processor of the vendor, unless the host's
 * are asked for (host-cache-info); who shares them follows -smp in both cases.
 */
#include "qemu/osdep.h"
#include <asm/kvm_para.h>
#include <linux/kvm.h>
#include "qemu/bswap.h"
#include "hw/boards.h"
#include "cpu-internal.h"

/* -- Topology ------------------------------------------------------------ */

static unsigned bits_for(unsigned n)
{
    return n <= 1 ? 0 : 32 - __builtin_clz(n - 1);
}

/* Where the fields of an APIC id begin: core, die, package. */
static unsigned core_shift(const X86CPUTopo *t)
{
    return bits_for(t->threads);
}

static unsigned die_shift(const X86CPUTopo *t)
{
    return core_shift(t) + bits_for(t->cores);
}

static unsigned pkg_shift(const X86CPUTopo *t)
{
    return die_shift(t) + bits_for(t->dies);
}

uint32_t x86_topo_apic_id(const X86CPUTopo *t, unsigned index)
{
    unsigned thread = index % t->threads;
    unsigned core = index / t->threads % t->cores;
    unsigned die = index / t->threads / t->cores % t->dies;
    unsigned socket = index / t->threads / t->cores / t->dies;

    return thread | core << core_shift(t) | die << die_shift(t) |
           socket << pkg_shift(t);
}

X86CPUTopo x86_machine_topo(const MachineState *ms)
{
    X86CPUTopo t = {
        .sockets = MAX(ms->smp_sockets, 1), .dies = MAX(ms->smp_dies, 1),
        .cores = MAX(ms->smp_cores, 1), .threads = MAX(ms->smp_threads, 1),
    };

    t.sockets = MAX(t.sockets, DIV_ROUND_UP(ms->smp_cpus,
                                            t.dies * t.cores * t.threads));
    return t;
}

/* -- Caches -------------------------------------------------------------- */

typedef struct Cache {
    uint8_t type;               /* 1 data, 2 instruction, 3 both */
    uint8_t level;
    uint32_t size;              /* bytes */
    uint8_t ways;
    bool inclusive;
} Cache;

enum { L1D, L1I, L2, L3, CACHES };
#define CACHE_LINE 64

static const Cache intel_caches[CACHES] = {
    [L1D] = { 1, 1, 32 * KiB, 8 },
    [L1I] = { 2, 1, 32 * KiB, 8 },
    [L2] = { 3, 2, 1 * MiB, 16 },
    [L3] = { 3, 3, 16 * MiB, 16, .inclusive = true },
};

static const Cache amd_caches[CACHES] = {
    [L1D] = { 1, 1, 32 * KiB, 8 },
    [L1I] = { 2, 1, 32 * KiB, 8 },
    [L2] = { 3, 2, 512 * KiB, 8, .inclusive = true },
    [L3] = { 3, 3, 16 * MiB, 16 },
};

/* APIC ids that share a cache of @level, as a count of addressable ids. */
static unsigned cache_sharers(const X86CPUTopo *t, unsigned level)
{
    return 1u << (level >= 3 ? die_shift(t) : core_shift(t));
}

/* AMD's code for associativity in leaf 0x80000006. */
static unsigned amd_ways(unsigned ways)
{
    static const struct { uint8_t ways, code; } codes[] = {
        { 1, 1 }, { 2, 2 }, { 4, 4 }, { 8, 6 }, { 16, 8 }, { 32, 10 },
        { 48, 11 }, { 64, 12 }, { 96, 13 }, { 128, 14 },
    };

    for (int i = 0; i < ARRAY_SIZE(codes); i++) {
        if (codes[i].ways == ways) {
            return codes[i].code;
        }
    }
    return 0;
}

/* -- The table ----------------------------------------------------------- */

typedef struct Build {
    const X86CPUConfig *cfg;
    const X86CPUTopo *topo;
    uint32_t apic_id;
    const struct kvm_cpuid2 *supported;
    const Cache *caches;
    bool amd;
    struct kvm_cpuid_entry2 *e;
    int nr, max;
    bool full;
    struct kvm_cpuid_entry2 spill;      /* what does not fit goes here */
} Build;

static struct kvm_cpuid_entry2 *add(Build *b, uint32_t leaf)
{
    struct kvm_cpuid_entry2 *e = &b->spill;

    if (b->nr < b->max) {
        e = &b->e[b->nr++];
    } else {
        b->full = true;
    }
    *e = (struct kvm_cpuid_entry2){ .function = leaf };
    return e;
}

static struct kvm_cpuid_entry2 *add_index(Build *b, uint32_t leaf,
                                          uint32_t index)
{
    struct kvm_cpuid_entry2 *e = add(b, leaf);

    e->index = index;
    e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    return e;
}

static uint32_t supported(const Build *b, uint32_t leaf, uint32_t index,
                          X86Register reg)
{
    return x86_cpuid_reg(b->supported, leaf, index, reg);
}

static unsigned threads_in_package(const Build *b)
{
    return b->topo->threads * b->topo->cores * b->topo->dies;
}

uint32_t x86_cpu_signature(const X86CPUConfig *cfg)
{
    uint32_t family = MIN(cfg->family, 15u);

    return cfg->stepping | (cfg->modelno & 15) << 4 | family << 8 |
           (cfg->modelno >> 4) << 16 | (cfg->family - family) << 20;
}

static void add_vendor(Build *b, uint32_t leaf, uint32_t last)
{
    struct kvm_cpuid_entry2 *e = add(b, leaf);

    e->eax = last;
    e->ebx = ldl_le_p(b->cfg->vendor);
    e->edx = ldl_le_p(b->cfg->vendor + 4);
    e->ecx = ldl_le_p(b->cfg->vendor + 8);
}

static void leaf_1(Build *b)
{
    struct kvm_cpuid_entry2 *e = add(b, 1);

    e->eax = x86_cpu_signature(b->cfg);
    e->ebx = (b->apic_id & 0xff) << 24 | (CACHE_LINE / 8) << 8;
    e->ecx = b->cfg->features[FEAT_1_ECX];
    e->edx = b->cfg->features[FEAT_1_EDX];
    if (threads_in_package(b) > 1) {
        e->ebx |= MIN(1u << pkg_shift(b->topo), 255u) << 16;
        e->edx |= 1u << 28;                             /* HTT */
    }
}

static void leaf_2(Build *b)
{
    struct kvm_cpuid_entry2 *e = add(b, 2);

    if (!b->amd) {
        e->eax = 0x00ff0001;            /* caches: see leaf 4 */
    }
}

/* Leaf 4 and its AMD twin, one sub-leaf a cache and one that ends them. */
static void leaf_caches(Build *b, uint32_t leaf)
{
    bool amd = leaf == 0x8000001d;
    unsigned cores = 1u << (pkg_shift(b->topo) - core_shift(b->topo));
    unsigned n = 0;

    for (int i = 0; i < CACHES; i++) {
        const Cache *c = &b->caches[i];
        struct kvm_cpuid_entry2 *e;

        if (c->level == 3 && !b->cfg->l3_cache) {
            continue;
        }
        e = add_index(b, leaf, n++);
        e->eax = c->type | c->level << 5 | 1u << 8 |
                 (MIN(cache_sharers(b->topo, c->level), 4096u) - 1) << 14 |
                 (amd ? 0 : (MIN(cores, 64u) - 1) << 26);
        e->ebx = (CACHE_LINE - 1) | (uint32_t)(c->ways - 1) << 22;
        e->ecx = c->size / c->ways / CACHE_LINE - 1;
        e->edx = c->inclusive ? 2 : 0;
    }
    add_index(b, leaf, n);
}

/* The host's caches, shared as -smp says. */
static void leaf_host_caches(Build *b, uint32_t leaf)
{
    bool amd = leaf == 0x8000001d;
    unsigned cores = 1u << (pkg_shift(b->topo) - core_shift(b->topo));
    unsigned n = 0;

    while (n < 8) {
        const struct kvm_cpuid_entry2 *host =
            x86_cpuid_find(b->supported, leaf, n);
        struct kvm_cpuid_entry2 *e = add_index(b, leaf, n++);
        unsigned level;

        if (!host || !(host->eax & 0x1f)) {
            break;
        }
        level = extract32(host->eax, 5, 3);
        e->eax = (host->eax & 0x3fff) |
                 (MIN(cache_sharers(b->topo, level), 4096u) - 1) << 14 |
                 (amd ? 0 : (MIN(cores, 64u) - 1) << 26);
        e->ebx = host->ebx;
        e->ecx = host->ecx;
        e->edx = host->edx;
    }
}

static void add_caches(Build *b, uint32_t leaf)
{
    if (b->cfg->host_cache_info &&
        (supported(b, leaf, 0, R_EAX) & 0x1f)) {
        leaf_host_caches(b, leaf);
    } else {
        leaf_caches(b, leaf);
    }
}

static void leaf_7(Build *b)
{
    const uint32_t *f = b->cfg->features;
    struct kvm_cpuid_entry2 *e = add_index(b, 7, 0);

    e->eax = f[FEAT_7_1_EAX] ? 1 : 0;
    e->ebx = f[FEAT_7_0_EBX];
    e->ecx = f[FEAT_7_0_ECX];
    e->edx = f[FEAT_7_0_EDX];
    if (f[FEAT_7_1_EAX]) {
        add_index(b, 7, 1)->eax = f[FEAT_7_1_EAX];
    }
}

/* 0xb, and 0x1f, which knows of dies. */
static void leaf_topology(Build *b, uint32_t leaf)
{
    const X86CPUTopo *t = b->topo;
    const struct { unsigned type, shift, count; } levels[] = {
        { 1, core_shift(t), t->threads },
        { 2, leaf == 0xb ? pkg_shift(t) : die_shift(t),
          t->threads * t->cores * (leaf == 0xb ? t->dies : 1) },
        { leaf == 0xb ? 0 : 5, pkg_shift(t), threads_in_package(b) },
        { 0 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        struct kvm_cpuid_entry2 *e = add_index(b, leaf, i);

        e->ecx = i;
        e->edx = b->apic_id;
        if (!levels[i].type) {
            break;
        }
        e->eax = levels[i].shift;
        e->ebx = levels[i].count;
        e->ecx |= levels[i].type << 8;
    }
}

/* XSAVE: the state components that the features shown have. */
static void leaf_d(Build *b)
{
    const X86CPUConfig *cfg = b->cfg;
    static const struct {
        const char *feature;
        uint32_t components;
    } parts[] = {
        { "xsave", 3 }, { "avx", 1 << 2 }, { "mpx", 3 << 3 },
        { "avx512f", 7 << 5 }, { "pku", 1 << 9 },
    };
    struct kvm_cpuid_entry2 *e;
    uint32_t xcr0 = 0, size = 512 + 64;

    if (!x86_config_has(cfg, "xsave")) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(parts); i++) {
        if (x86_config_has(cfg, parts[i].feature)) {
            xcr0 |= parts[i].components;
        }
    }
    xcr0 &= supported(b, 0xd, 0, R_EAX);
    for (int i = 2; i < 32; i++) {
        uint32_t bytes = supported(b, 0xd, i, R_EAX);
        uint32_t offset = supported(b, 0xd, i, R_EBX);

        if (xcr0 & 1u << i) {
            size = MAX(size, offset + bytes);
        }
    }
    e = add_index(b, 0xd, 0);
    e->eax = xcr0;
    e->ebx = size;                      /* KVM follows XCR0 */
    e->ecx = size;
    e = add_index(b, 0xd, 1);
    e->eax = cfg->features[FEAT_XSAVE];
    for (int i = 2; i < 32; i++) {
        if (xcr0 & 1u << i) {
            const struct kvm_cpuid_entry2 *host =
                x86_cpuid_find(b->supported, 0xd, i);

            e = add_index(b, 0xd, i);
            e->eax = host->eax;
            e->ebx = host->ebx;
            e->ecx = host->ecx;
        }
    }
}

static void leaf_pmu(Build *b)
{
    const struct kvm_cpuid_entry2 *host = x86_cpuid_find(b->supported, 0xa, 0);
    struct kvm_cpuid_entry2 *e = add(b, 0xa);

    if (b->cfg->pmu && host) {
        e->eax = host->eax;
        e->ebx = host->ebx;
        e->ecx = host->ecx;
        e->edx = host->edx;
    }
}

static void basic_leaves(Build *b)
{
    const X86CPUConfig *cfg = b->cfg;
    uint32_t level = cfg->level;

    if (b->topo->dies > 1 && level >= 0xb) {
        level = MAX(level, 0x1f);
    }
    add_vendor(b, 0, level);
    leaf_1(b);
    leaf_2(b);
    if (level >= 4 && !b->amd) {
        add_caches(b, 4);
    }
    if (level >= 6) {
        add(b, 6)->eax = cfg->features[FEAT_6_EAX];
    }
    if (level >= 7) {
        leaf_7(b);
    }
    if (level >= 0xa) {
        leaf_pmu(b);
    }
    if (level >= 0xb) {
        leaf_topology(b, 0xb);
    }
    if (level >= 0xd) {
        leaf_d(b);
    }
    if (b->topo->dies > 1 && level >= 0x1f) {
        leaf_topology(b, 0x1f);
    }
}

static void kvm_leaves(Build *b)
{
    static const char name[12] = "KVMKVMKVM";
    struct kvm_cpuid_entry2 *e;

    if (!b->cfg->kvm) {
        return;
    }
    e = add(b, KVM_CPUID_SIGNATURE);
    e->eax = KVM_CPUID_SIGNATURE + 1;
    e->ebx = ldl_le_p(name);
    e->ecx = ldl_le_p(name + 4);
    e->edx = ldl_le_p(name + 8);
    e = add(b, KVM_CPUID_SIGNATURE + 1);
    e->eax = b->cfg->features[FEAT_KVM];
    e->edx = b->cfg->features[FEAT_KVM_HINTS];
}

static void leaf_8000_0001(Build *b)
{
    struct kvm_cpuid_entry2 *e = add(b, 0x80000001);

    e->eax = x86_cpu_signature(b->cfg);
    e->ecx = b->cfg->features[FEAT_8000_0001_ECX];
    e->edx = b->cfg->features[FEAT_8000_0001_EDX];
    if (b->amd) {
        /* Bits that mean the same in both leaves. */
        e->edx |= b->cfg->features[FEAT_1_EDX] & 0x0183f3ff;
        if (threads_in_package(b) > 1) {
            e->ecx |= 1u << 1;                          /* CmpLegacy */
        }
    }
}

static void legacy_caches(Build *b)
{
    const Cache *c = b->caches;
    struct kvm_cpuid_entry2 *e;

    if (b->amd) {
        e = add(b, 0x80000005);
        e->ecx = c[L1D].size / KiB << 24 | c[L1D].ways << 16 | 1 << 8 |
                 CACHE_LINE;
        e->edx = c[L1I].size / KiB << 24 | c[L1I].ways << 16 | 1 << 8 |
                 CACHE_LINE;
    }
    e = add(b, 0x80000006);
    e->ecx = c[L2].size / KiB << 16 | amd_ways(c[L2].ways) << 12 | 1 << 8 |
             CACHE_LINE;
    if (b->amd && b->cfg->l3_cache) {
        e->edx = c[L3].size / (512 * KiB) << 18 | amd_ways(c[L3].ways) << 12 |
                 1 << 8 | CACHE_LINE;
    }
}

static void leaf_8000_0008(Build *b)
{
    struct kvm_cpuid_entry2 *e = add(b, 0x80000008);
    unsigned threads = threads_in_package(b);

    e->eax = b->cfg->phys_bits |
             (x86_config_has(b->cfg, "la57") ? 57 : 48) << 8;
    e->ebx = b->cfg->features[FEAT_8000_0008_EBX];
    if (b->amd && threads > 1) {
        e->ecx = pkg_shift(b->topo) << 12 | MIN(threads - 1, 255u);
    }
}

static void leaf_8000_001e(Build *b)
{
    const X86CPUTopo *t = b->topo;
    struct kvm_cpuid_entry2 *e = add(b, 0x8000001e);
    uint32_t in_package = b->apic_id & ((1u << pkg_shift(t)) - 1);

    e->eax = b->apic_id;
    e->ebx = (in_package >> core_shift(t)) | (t->threads - 1) << 8;
    e->ecx = b->apic_id >> die_shift(t) | (MIN(t->dies, 8u) - 1) << 8;
}

static void extended_leaves(Build *b)
{
    const X86CPUConfig *cfg = b->cfg;
    uint32_t last = cfg->xlevel;

    if (last < 0x80000000) {
        return;
    }
    add_vendor(b, 0x80000000, last);
    if (last >= 0x80000001) {
        leaf_8000_0001(b);
    }
    for (int i = 0; i < 3 && last >= 0x80000004; i++) {
        struct kvm_cpuid_entry2 *e = add(b, 0x80000002 + i);
        const char *id = cfg->model_id + i * 16;

        e->eax = ldl_le_p(id);
        e->ebx = ldl_le_p(id + 4);
        e->ecx = ldl_le_p(id + 8);
        e->edx = ldl_le_p(id + 12);
    }
    if (last >= 0x80000006) {
        legacy_caches(b);
    }
    if (last >= 0x80000007) {
        add(b, 0x80000007)->edx = cfg->features[FEAT_8000_0007_EDX];
    }
    if (last >= 0x80000008) {
        leaf_8000_0008(b);
    }
    if (last >= 0x8000000a && x86_config_has(cfg, "svm")) {
        struct kvm_cpuid_entry2 *e = add(b, 0x8000000a);

        e->eax = 1;                                     /* revision */
        e->ebx = supported(b, 0x8000000a, 0, R_EBX);    /* ASIDs */
        e->edx = cfg->features[FEAT_SVM];
    }
    if (last >= 0x8000001e && x86_config_has(cfg, "topoext")) {
        add_caches(b, 0x8000001d);
        leaf_8000_001e(b);
    }
    if (last >= 0x80000021) {
        add(b, 0x80000021)->eax = cfg->features[FEAT_8000_0021_EAX];
    }
}

int x86_cpu_build_cpuid(const X86CPUConfig *cfg, const X86CPUTopo *topo,
                        uint32_t apic_id, const struct kvm_cpuid2 *supp,
                        struct kvm_cpuid_entry2 *e, int max)
{
    bool amd = !strcmp(cfg->vendor, "AuthenticAMD") ||
               !strcmp(cfg->vendor, "HygonGenuine");
    Build b = {
        .cfg = cfg, .topo = topo, .apic_id = apic_id, .supported = supp,
        .caches = amd ? amd_caches : intel_caches, .amd = amd,
        .e = e, .max = max,
    };

    basic_leaves(&b);
    kvm_leaves(&b);
    extended_leaves(&b);
    return b.full ? -1 : b.nr;
}
