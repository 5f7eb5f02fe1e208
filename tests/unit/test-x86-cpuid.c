/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU models, the -cpu option, and the CPUID tables made of them. */
#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/i386/cpu-internal.h"

/* A KVM that can do everything that has a name, on a 46-bit host. */
static struct kvm_cpuid2 *full_kvm(void)
{
    struct kvm_cpuid2 *t =
        g_malloc0(sizeof(*t) + 64 * sizeof(struct kvm_cpuid_entry2));
    static const uint32_t xsave[][3] = {
        { 2, 0x100, 0x240 }, { 5, 0x40, 0x440 }, { 6, 0x200, 0x480 },
        { 7, 0x400, 0x680 }, { 9, 8, 0xa80 },
    };
    struct kvm_cpuid_entry2 *e;

    for (int w = 0; w < FEATURE_WORDS; w++) {
        const FeatureWordInfo *fi = &feature_word_info[w];
        uint32_t bits = 0;
        uint32_t *regs[4];

        for (int i = 0; i < 32; i++) {
            bits |= fi->names[i] ? 1u << i : 0;
        }
        e = (struct kvm_cpuid_entry2 *)x86_cpuid_find(t, fi->leaf, fi->index);
        if (!e) {
            e = &t->entries[t->nent++];
            e->function = fi->leaf;
            e->index = fi->index;
            e->flags = fi->has_index ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
        }
        regs[R_EAX] = &e->eax;
        regs[R_EBX] = &e->ebx;
        regs[R_ECX] = &e->ecx;
        regs[R_EDX] = &e->edx;
        *regs[fi->reg] |= bits;
        if (fi->leaf == 0x80000008) {
            e->eax = 46 | 57 << 8;
        }
    }
    t->entries[t->nent++] = (struct kvm_cpuid_entry2){
        .function = 0xd, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        .eax = 0x2e7,
    };
    for (int i = 0; i < ARRAY_SIZE(xsave); i++) {
        t->entries[t->nent++] = (struct kvm_cpuid_entry2){
            .function = 0xd, .index = xsave[i][0],
            .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
            .eax = xsave[i][1], .ebx = xsave[i][2],
        };
    }
    t->entries[t->nent++] = (struct kvm_cpuid_entry2){
        .function = 0, .eax = 0x1f,
    };
    t->entries[t->nent++] = (struct kvm_cpuid_entry2){
        .function = 0x80000000, .eax = 0x80000021,
    };
    return t;
}

static struct kvm_cpuid_entry2 *edit(struct kvm_cpuid2 *t, uint32_t leaf,
                                     uint32_t index)
{
    return (struct kvm_cpuid_entry2 *)x86_cpuid_find(t, leaf, index);
}

typedef struct Table {
    X86CPUConfig cfg;
    struct kvm_cpuid2 *t;
} Table;

static void table_free(Table *t)
{
    g_free(t->t);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_free)

static Table build(const char *cpu, X86CPUTopo topo, unsigned index,
                   const struct kvm_cpuid2 *kvm)
{
    Error *err = NULL;
    Table r = {
        .t = g_malloc0(sizeof(*r.t) + 100 * sizeof(struct kvm_cpuid_entry2)),
    };
    int n;

    if (!x86_cpu_config_parse(&r.cfg, cpu, kvm, &err) ||
        !x86_cpu_config_filter(&r.cfg, kvm, &err)) {
        g_error("%s: %s", cpu, error_get_pretty(err));
    }
    n = x86_cpu_build_cpuid(&r.cfg, &topo, x86_topo_apic_id(&topo, index),
                            kvm, r.t->entries, 100);
    g_assert_cmpint(n, >, 0);
    r.t->nent = n;
    return r;
}

#define UP ((X86CPUTopo){ 1, 1, 1, 1 })
#define REG(tab, leaf, index, reg) \
    x86_cpuid_reg((tab).t, leaf, index, reg)

static void assert_refused(const char *cpu, const char *part)
{
    X86CPUConfig cfg;
    g_autoptr(Error) err = NULL;

    g_assert_false(x86_cpu_config_parse(&cfg, cpu, NULL, &err));
    g_assert_nonnull(err);
    if (!strstr(error_get_pretty(err), part)) {
        g_error("'%s' is not in: %s", part, error_get_pretty(err));
    }
}

static bool has(const char *cpu, const char *feature)
{
    X86CPUConfig cfg;

    g_assert_true(x86_cpu_config_parse(&cfg, cpu, NULL, NULL));
    return x86_config_has(&cfg, feature);
}

/* -- Names --------------------------------------------------------------- */

static void test_names_unique(void)
{
    for (int w = 0; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *names = feature_word_info[w].names[bit];
            g_auto(GStrv) each = g_strsplit(names ?: "", "|", 0);

            for (char **n = each; *n; n++) {
                FeatureWord word;
                uint32_t mask;

                g_assert_true(x86_feature_find(*n, &word, &mask));
                g_assert_cmpint(word, ==, w);
                g_assert_true(mask & 1u << bit);
            }
        }
    }
}

static void test_both_spellings(void)
{
    FeatureWord w;
    uint32_t m;

    g_assert_true(x86_feature_find("sse4_1", &w, &m));
    g_assert_true(w == FEAT_1_ECX && m == 1u << 19);
    g_assert_true(x86_feature_find("sse4-1", &w, &m));
    g_assert_true(x86_feature_find("sse4.1", &w, &m));
    g_assert_true(x86_feature_find("tsc_adjust", &w, &m));
    g_assert_true(w == FEAT_7_0_EBX && m == 2);
    g_assert_false(x86_feature_find("sse4", &w, &m));
    g_assert_false(x86_feature_find("", &w, &m));
    g_assert_false(x86_feature_find("avx|f16c", &w, &m));
}

/* -- The option ---------------------------------------------------------- */

static void test_models_build(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();

    for (const X86CPUModel *m = x86_cpu_models; m->name; m++) {
        g_auto(Table) t = build(m->name, UP, 0, kvm);

        g_assert_cmpuint(REG(t, 0, 0, R_EAX), ==, t.cfg.level);
        /* fpu, but in the model that has no features */
        g_assert_cmpuint(REG(t, 1, 0, R_EDX) & 1, ==,
                         strcmp(m->name, "base") != 0);
        if (!m->host && strcmp(m->name, "base")) {
            g_assert_true(REG(t, 1, 0, R_ECX) & 1u << 31);  /* hypervisor */
            g_assert_true(x86_config_has(&t.cfg, "lm"));
            g_assert_false(x86_config_has(&t.cfg, "svm"));
        }
    }
}

static void test_inheritance(void)
{
    g_assert_true(has("Haswell", "rtm"));
    g_assert_true(has("Haswell", "sse3"));
    g_assert_false(has("Haswell-noTSX", "rtm"));
    g_assert_false(has("Nehalem", "avx"));
}

static void test_plus_minus_order(void)
{
    g_assert_true(has("qemu64,+avx", "avx"));
    g_assert_true(has("qemu64,avx", "avx"));
    g_assert_true(has("qemu64,avx=on", "avx"));
    g_assert_false(has("Haswell,avx2=off", "avx2"));
    g_assert_false(has("Haswell,-avx2", "avx2"));
    /* '+' after '=', '-' last, wherever they stand. */
    g_assert_true(has("qemu64,+avx,avx=off", "avx"));
    g_assert_false(has("qemu64,-avx,+avx,avx=on", "avx"));
    g_assert_true(has("qemu64,avx=off,avx=on", "avx"));
}

static void test_bad_options(void)
{
    assert_refused("Skylake", "'Skylake'");
    assert_refused("", "CPU model");
    assert_refused("qemu64,+avx3", "avx3");
    assert_refused("qemu64,+avx3", "did you mean");
    assert_refused("qemu64,avx=maybe", "avx");
    assert_refused("qemu64,hv_relaxed", "hv_relaxed");
    assert_refused("qemu64,vendor=me", "12 characters");
    assert_refused("qemu64,family=9999", "family");
    assert_refused("qemu64,family=-1", "family");
    assert_refused("qemu64,stepping=16", "stepping");
    assert_refused("qemu64,phys-bits=53", "phys-bits");
    assert_refused("qemu64,phys-bits=31", "phys-bits");
    assert_refused("qemu64,model-id=0123456789012345678901234567890123456789"
                   "012345678", "48");
    assert_refused("qemu64,,", "feature ''");
    assert_refused("qemu64,+", "feature ''");
}

static void test_keys(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("kvm64,vendor=AuthenticAMD,family=0x19,model=0x21,"
                            "stepping=2,model-id=Mine,level=0x10,phys-bits=39,"
                            "kvm=off", UP, 0, kvm);

    g_assert_cmphex(REG(t, 0, 0, R_EBX), ==, 0x68747541);
    g_assert_cmphex(REG(t, 1, 0, R_EAX), ==, 0x00a20f12);
    g_assert_cmphex(REG(t, 0, 0, R_EAX), ==, 0x10);
    g_assert_cmphex(REG(t, 0x80000002, 0, R_EAX), ==, 0x656e694d);
    g_assert_cmpuint(REG(t, 0x80000008, 0, R_EAX) & 0xff, ==, 39);
    g_assert_null(x86_cpuid_find(t.t, 0x40000000, 0));
}

/* -- The filter ---------------------------------------------------------- */

static void test_filter_names_missing(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    X86CPUConfig cfg;
    g_autoptr(Error) err = NULL;

    edit(kvm, 7, 0)->ebx &= ~(1u << 5);                 /* avx2 */
    edit(kvm, 1, 0)->ecx &= ~(1u << 30);                /* rdrand */
    g_assert_true(x86_cpu_config_parse(&cfg, "Haswell,enforce=on", kvm, NULL));
    g_assert_false(x86_cpu_config_filter(&cfg, kvm, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "avx2"));
    g_assert_nonnull(strstr(error_get_pretty(err), "rdrand"));
    g_assert_null(strstr(error_get_pretty(err), "sse4"));
    g_assert_cmphex(cfg.filtered[FEAT_7_0_EBX], ==, 1u << 5);

    /* What the operator took out is not missed. */
    g_assert_true(x86_cpu_config_parse(&cfg, "Haswell,enforce=on,-avx2,-rdrand",
                                       kvm, NULL));
    g_assert_true(x86_cpu_config_filter(&cfg, kvm, NULL));
}

static void test_filter_dependencies(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();

    {
        g_auto(Table) t = build("Skylake-Server,-xsave", UP, 0, kvm);

        g_assert_false(x86_config_has(&t.cfg, "avx"));
        g_assert_false(x86_config_has(&t.cfg, "avx512f"));
        g_assert_false(x86_config_has(&t.cfg, "avx512bw"));
        g_assert_false(x86_config_has(&t.cfg, "xsavec"));
        g_assert_true(x86_config_has(&t.cfg, "sse4.2"));
        g_assert_null(x86_cpuid_find(t.t, 0xd, 0));
    }
    {
        g_auto(Table) t = build("EPYC,+svm", UP, 0, kvm);

        g_assert_true(x86_config_has(&t.cfg, "npt"));
        g_assert_cmphex(REG(t, 0x8000000a, 0, R_EAX), ==, 1);
    }
}

static void test_filter_host(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("host", UP, 0, kvm);
    g_auto(Table) u = build("host,migratable=off", UP, 0, kvm);

    g_assert_false(x86_config_has(&t.cfg, "invtsc"));
    g_assert_true(x86_config_has(&u.cfg, "invtsc"));
    g_assert_cmphex(t.cfg.features[FEAT_KVM_HINTS], ==, 0);
    g_assert_cmpuint(t.cfg.phys_bits, ==, 46);
    /* osxsave and ospke are KVM's to show. */
    g_assert_false(REG(t, 1, 0, R_ECX) & 1u << 27);
    g_assert_false(REG(t, 7, 0, R_ECX) & 1u << 4);
}

static void test_filter_phys_bits(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("qemu64", UP, 0, kvm);
    g_auto(Table) u = build("qemu64,host-phys-bits=on", UP, 0, kvm);

    g_assert_cmpuint(t.cfg.phys_bits, ==, 40);
    g_assert_cmpuint(u.cfg.phys_bits, ==, 46);
}

static void test_hint_is_operators(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("qemu64,+kvm-hint-dedicated", UP, 0, kvm);

    g_assert_cmphex(REG(t, 0x40000001, 0, R_EDX), ==, 1);
    g_assert_true(REG(t, 0x40000001, 0, R_EAX) & 1u << 3);
}

/* -- Leaves -------------------------------------------------------------- */

static void test_apic_ids(void)
{
    X86CPUTopo t = { 2, 2, 3, 2 };      /* 1 + 2 + 1 bits */
    uint32_t last = 0;

    g_assert_cmpuint(x86_topo_apic_id(&t, 0), ==, 0);
    g_assert_cmpuint(x86_topo_apic_id(&t, 5), ==, 5);
    g_assert_cmpuint(x86_topo_apic_id(&t, 6), ==, 8);       /* next die */
    g_assert_cmpuint(x86_topo_apic_id(&t, 12), ==, 16);     /* socket */
    for (int i = 1; i < 24; i++) {
        uint32_t id = x86_topo_apic_id(&t, i);

        g_assert_cmpuint(id, >, last);
        last = id;
    }
    t = (X86CPUTopo){ 255, 1, 1, 1 };
    g_assert_cmpuint(x86_topo_apic_id(&t, 254), ==, 254);
}

static void test_topology_leaves(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    X86CPUTopo topo = { 2, 1, 4, 2 };
    g_auto(Table) t = build("Skylake-Server", topo, 11, kvm);
    uint32_t id = 8 + 3;

    g_assert_cmpuint(REG(t, 1, 0, R_EBX) >> 24, ==, id);
    g_assert_cmpuint(REG(t, 1, 0, R_EBX) >> 16 & 0xff, ==, 8);
    g_assert_true(REG(t, 1, 0, R_EDX) & 1u << 28);
    g_assert_cmpuint(REG(t, 0xb, 0, R_EAX), ==, 1);
    g_assert_cmpuint(REG(t, 0xb, 0, R_EBX), ==, 2);
    g_assert_cmphex(REG(t, 0xb, 0, R_ECX), ==, 0x100);
    g_assert_cmpuint(REG(t, 0xb, 1, R_EAX), ==, 3);
    g_assert_cmpuint(REG(t, 0xb, 1, R_EBX), ==, 8);
    g_assert_cmphex(REG(t, 0xb, 1, R_ECX), ==, 0x201);
    g_assert_cmphex(REG(t, 0xb, 2, R_ECX), ==, 2);
    g_assert_cmpuint(REG(t, 0xb, 2, R_EDX), ==, id);
    g_assert_null(x86_cpuid_find(t.t, 0x1f, 0));
    /* L1 between the threads, L3 in the package. */
    g_assert_cmpuint(REG(t, 4, 0, R_EAX) >> 14 & 0xfff, ==, 1);
    g_assert_cmpuint(REG(t, 4, 3, R_EAX) >> 14 & 0xfff, ==, 7);
    g_assert_cmpuint(REG(t, 4, 0, R_EAX) >> 26, ==, 3);
    g_assert_cmpuint(REG(t, 4, 4, R_EAX), ==, 0);
}

static void test_topology_dies(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    X86CPUTopo topo = { 1, 2, 4, 2 };
    g_auto(Table) t = build("Skylake-Server", topo, 9, kvm);

    g_assert_cmphex(REG(t, 0, 0, R_EAX), >=, 0x1f);
    g_assert_cmphex(REG(t, 0x1f, 1, R_ECX), ==, 0x201);
    g_assert_cmpuint(REG(t, 0x1f, 1, R_EAX), ==, 3);
    g_assert_cmpuint(REG(t, 0x1f, 1, R_EBX), ==, 8);
    g_assert_cmphex(REG(t, 0x1f, 2, R_ECX), ==, 0x502);
    g_assert_cmpuint(REG(t, 0x1f, 2, R_EAX), ==, 4);
    g_assert_cmphex(REG(t, 0x1f, 3, R_ECX), ==, 3);
    g_assert_cmpuint(REG(t, 0xb, 1, R_EAX), ==, 4);
    g_assert_cmpuint(REG(t, 0xb, 1, R_EBX), ==, 16);
}

static void test_topology_amd(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    X86CPUTopo topo = { 1, 1, 4, 2 };
    g_auto(Table) t = build("EPYC", topo, 5, kvm);

    g_assert_cmpuint(REG(t, 0x8000001e, 0, R_EAX), ==, 5);
    g_assert_cmphex(REG(t, 0x8000001e, 0, R_EBX), ==, 0x102);
    g_assert_cmphex(REG(t, 0x8000001e, 0, R_ECX), ==, 0);
    g_assert_cmphex(REG(t, 0x80000008, 0, R_ECX), ==, 0x3007);
    g_assert_true(REG(t, 0x80000001, 0, R_ECX) & 2);
    g_assert_true(REG(t, 0x80000001, 0, R_EDX) & 1);    /* copy of fpu */
    g_assert_cmpuint(REG(t, 0x8000001d, 3, R_EAX) >> 14 & 0xfff, ==, 7);
    g_assert_null(x86_cpuid_find(t.t, 4, 0));
}

static void test_uniprocessor(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("qemu64", UP, 0, kvm);

    g_assert_false(REG(t, 1, 0, R_EDX) & 1u << 28);
    g_assert_cmpuint(REG(t, 0xb, 0, R_EAX), ==, 0);
    g_assert_cmpuint(REG(t, 0xb, 0, R_EBX), ==, 1);
}

static void test_xsave_size(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("Haswell", UP, 0, kvm);
    g_auto(Table) u = build("Skylake-Server", UP, 0, kvm);

    g_assert_cmphex(REG(t, 0xd, 0, R_EAX), ==, 7);
    g_assert_cmpuint(REG(t, 0xd, 0, R_ECX), ==, 0x340);
    g_assert_null(x86_cpuid_find(t.t, 0xd, 5));
    g_assert_cmphex(REG(u, 0xd, 0, R_EAX), ==, 0x2e7);
    g_assert_cmpuint(REG(u, 0xd, 0, R_ECX), ==, 0xa88);
    g_assert_cmpuint(REG(u, 0xd, 6, R_EBX), ==, 0x480);
}

static void test_kvm_signature(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    g_auto(Table) t = build("qemu64", UP, 0, kvm);
    uint32_t name[3] = { REG(t, 0x40000000, 0, R_EBX),
                         REG(t, 0x40000000, 0, R_ECX),
                         REG(t, 0x40000000, 0, R_EDX) };

    g_assert_cmpmem(name, 12, "KVMKVMKVM\0\0\0", 12);
    g_assert_cmphex(REG(t, 0x40000000, 0, R_EAX), ==, 0x40000001);
}

static void test_table_too_small(void)
{
    g_autofree struct kvm_cpuid2 *kvm = full_kvm();
    X86CPUTopo topo = UP;
    X86CPUConfig cfg;
    struct kvm_cpuid_entry2 e[5];

    g_assert_true(x86_cpu_config_parse(&cfg, "qemu64", kvm, NULL));
    g_assert_cmpint(x86_cpu_build_cpuid(&cfg, &topo, 0, kvm, e, 5), ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid/each-name-means-one-bit", test_names_unique);
    g_test_add_func("/cpuid/dash-and-underscore-are-one", test_both_spellings);
    g_test_add_func("/cpuid/every-model-builds", test_models_build);
    g_test_add_func("/cpuid/model-has-its-bases-features", test_inheritance);
    g_test_add_func("/cpuid/plus-after-keys-minus-last", test_plus_minus_order);
    g_test_add_func("/cpuid/bad-options-are-refused-by-name",
                    test_bad_options);
    g_test_add_func("/cpuid/keys-reach-their-leaves", test_keys);
    g_test_add_func("/cpuid/enforce-names-what-is-missing",
                    test_filter_names_missing);
    g_test_add_func("/cpuid/a-feature-goes-with-what-it-needs",
                    test_filter_dependencies);
    g_test_add_func("/cpuid/host-has-what-kvm-has", test_filter_host);
    g_test_add_func("/cpuid/phys-bits-within-the-hosts",
                    test_filter_phys_bits);
    g_test_add_func("/cpuid/hints-are-the-operators", test_hint_is_operators);
    g_test_add_func("/cpuid/apic-ids-take-whole-bits", test_apic_ids);
    g_test_add_func("/cpuid/topology-leaves-agree", test_topology_leaves);
    g_test_add_func("/cpuid/dies-are-in-leaf-1f", test_topology_dies);
    g_test_add_func("/cpuid/amd-topology", test_topology_amd);
    g_test_add_func("/cpuid/one-cpu-has-no-threads", test_uniprocessor);
    g_test_add_func("/cpuid/xsave-area-fits-its-parts", test_xsave_size);
    g_test_add_func("/cpuid/kvm-signs-itself", test_kvm_signature);
    g_test_add_func("/cpuid/full-table-is-told", test_table_too_small);
    return g_test_run();
}
