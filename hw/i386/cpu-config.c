/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From "-cpu MODEL,+feature,-feature,key=value" to a configuration, and what
 * KVM cannot do taken out of it.  Nothing here needs /dev/kvm: KVM's answer is
 * an argument.
 */
#include "qemu/osdep.h"
#include <cpuid.h>
#include <linux/kvm.h>
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "cpu-internal.h"

/* What every named model gets under KVM where KVM has it, and what it does
 * not get unless asked for: nested virtualisation is the operator's choice,
 * and MONITOR would make an idle vCPU spin. */
static const char kvm_adds[] =
    "kvmclock kvm-nopiodelay kvm-asyncpf kvm-steal-time kvm-pv-eoi "
    "kvmclock-stable-bit x2apic tsc-deadline arat";
static const char kvm_drops[] = "svm monitor acpi";

/* A feature is nothing without another. */
static const struct {
    const char *need, *features;
} dependencies[] = {
    { "xsave", "avx xsaveopt xsavec xgetbv1 xsaves pku mpx" },
    { "avx", "avx2 fma f16c fma4 xop vaes vpclmulqdq avx512f avx-vnni" },
    { "avx512f",
      "avx512dq avx512ifma avx512cd avx512bw avx512vl avx512pf avx512er "
      "avx512vbmi avx512vbmi2 avx512vnni avx512bitalg avx512-vpopcntdq "
      "avx512-bf16 avx512-fp16 avx512-vp2intersect avx512-4vnniw "
      "avx512-4fmaps" },
    { "svm",
      "npt lbrv svm-lock nrip-save tsc-scale vmcb-clean flushbyasid "
      "decodeassists pause-filter pfthreshold avic v-vmsave-vmload vgif "
      "svme-addr-chk" },
    { "lm", "la57 pdpe1gb" },
};

/* -- Sets of features ---------------------------------------------------- */

static void features_from_list(const char *list, FeatureWordArray set)
{
    g_auto(GStrv) names = g_strsplit(list ?: "", " ", 0);

    for (char **n = names; *n; n++) {
        FeatureWord word;
        uint32_t mask;

        if (**n) {
            bool known = x86_feature_find(*n, &word, &mask);

            g_assert(known);            /* the tables above and in models */
            set[word] |= mask;
        }
    }
}

static void features_of_model(const X86CPUModel *m, FeatureWordArray set)
{
    FeatureWordArray drop = { 0 };

    if (m->base) {
        features_of_model(x86_cpu_model_find(m->base), set);
    }
    features_from_list(m->add, set);
    features_from_list(m->drop, drop);
    for (int w = 0; w < FEATURE_WORDS; w++) {
        set[w] &= ~drop[w];
    }
}

static uint32_t named_bits(FeatureWord w)
{
    uint32_t mask = 0;

    for (int i = 0; i < 32; i++) {
        mask |= feature_word_info[w].names[i] ? 1u << i : 0;
    }
    return mask;
}

bool x86_config_has(const X86CPUConfig *cfg, const char *feature)
{
    FeatureWord w;
    uint32_t mask;

    return x86_feature_find(feature, &w, &mask) && (cfg->features[w] & mask);
}

/* -- KVM's table --------------------------------------------------------- */

const struct kvm_cpuid_entry2 *
x86_cpuid_find(const struct kvm_cpuid2 *t, uint32_t leaf, uint32_t index)
{
    for (unsigned i = 0; t && i < t->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &t->entries[i];

        if (e->function == leaf &&
            (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
             e->index == index)) {
            return e;
        }
    }
    return NULL;
}

uint32_t x86_cpuid_reg(const struct kvm_cpuid2 *t, uint32_t leaf,
                       uint32_t index, X86Register reg)
{
    const struct kvm_cpuid_entry2 *e = x86_cpuid_find(t, leaf, index);

    return !e ? 0 : reg == R_EAX ? e->eax : reg == R_EBX ? e->ebx
                  : reg == R_ECX ? e->ecx : e->edx;
}

static uint32_t supported_word(const struct kvm_cpuid2 *t, FeatureWord w)
{
    const FeatureWordInfo *fi = &feature_word_info[w];

    if (w == FEAT_KVM_HINTS) {
        return named_bits(w);       /* the operator's word, not KVM's */
    }
    return x86_cpuid_reg(t, fi->leaf, fi->index, fi->reg) & named_bits(w);
}

/* -- Models -------------------------------------------------------------- */

static void config_from_host(X86CPUConfig *cfg,
                             const struct kvm_cpuid2 *supported)
{
    uint32_t a, b, c, d;
    char *id = cfg->model_id;

    __cpuid(0, a, b, c, d);
    stl_le_p(cfg->vendor, b);
    stl_le_p(cfg->vendor + 4, d);
    stl_le_p(cfg->vendor + 8, c);
    __cpuid(1, a, b, c, d);
    cfg->family = extract32(a, 8, 4);
    cfg->modelno = extract32(a, 4, 4) | extract32(a, 16, 4) << 4;
    cfg->stepping = extract32(a, 0, 4);
    if (cfg->family == 15) {
        cfg->family += extract32(a, 20, 8);
    }
    __cpuid(0x80000000, a, b, c, d);
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000004 && leaf <= a; leaf++) {
        uint32_t r[4];

        __cpuid(leaf, r[0], r[1], r[2], r[3]);
        for (int i = 0; i < 4; i++, id += 4) {
            stl_le_p(id, r[i]);
        }
    }
    cfg->level = MIN(x86_cpuid_reg(supported, 0, 0, R_EAX), 0x1f);
    cfg->xlevel = x86_cpuid_reg(supported, 0x80000000, 0, R_EAX);
    for (int w = 0; w < FEATURE_WORDS; w++) {
        cfg->features[w] = supported_word(supported, w);
    }
    cfg->features[FEAT_KVM_HINTS] = 0;          /* a promise, not a feature */
    cfg->pmu = true;
}

void x86_cpu_config_init(X86CPUConfig *cfg, const X86CPUModel *m,
                         const struct kvm_cpuid2 *supported)
{
    const X86CPUModel *root = m;

    *cfg = (X86CPUConfig){
        .model = m, .kvm = true, .check = true, .migratable = true,
        .l3_cache = true,
    };
    if (m->host) {
        config_from_host(cfg, supported);
        return;
    }
    while (root->base) {
        root = x86_cpu_model_find(root->base);
    }
    g_strlcpy(cfg->vendor, root->vendor, sizeof(cfg->vendor));
    g_strlcpy(cfg->model_id, m->model_id, sizeof(cfg->model_id));
    cfg->family = m->family;
    cfg->modelno = m->model;
    cfg->stepping = m->stepping;
    cfg->level = m->level;
    cfg->xlevel = m->xlevel;
    features_of_model(m, cfg->features);
}

/* -- Options ------------------------------------------------------------- */

static bool set_vendor(X86CPUConfig *cfg, const char *value, Error **errp)
{
    if (strlen(value) != 12) {
        error_setg(errp, "CPU vendor '%s': must be 12 characters, such as "
                   "GenuineIntel", value);
        return false;
    }
    g_strlcpy(cfg->vendor, value, sizeof(cfg->vendor));
    return true;
}

static bool set_model_id(X86CPUConfig *cfg, const char *value, Error **errp)
{
    if (strlen(value) >= sizeof(cfg->model_id)) {
        error_setg(errp, "CPU model-id '%s': at most 48 characters", value);
        return false;
    }
    memset(cfg->model_id, 0, sizeof(cfg->model_id));
    memcpy(cfg->model_id, value, strlen(value));
    return true;
}

static bool set_phys_bits(X86CPUConfig *cfg, const char *value, Error **errp)
{
    uint64_t bits;

    if (!qemu_parse_uint("phys-bits", value, 52, &bits, errp)) {
        return false;
    }
    if (bits && bits < 32) {
        error_setg(errp, "phys-bits must be from 32 to 52 (or 0), not %" PRIu64,
                   bits);
        return false;
    }
    cfg->phys_bits = bits;
    cfg->host_phys_bits = false;
    return true;
}

#define FIELD(f) .offset = offsetof(X86CPUConfig, f)
static const struct {
    const char *key;
    bool (*set)(X86CPUConfig *cfg, const char *value, Error **errp);
    bool string;
    uint32_t max;               /* a number; else, if no string, a bool */
    size_t offset;
} keys[] = {
    { "vendor", .set = set_vendor, .string = true, FIELD(vendor) },
    { "model-id", .set = set_model_id, .string = true, FIELD(model_id) },
    { "phys-bits", .set = set_phys_bits, .max = 52, FIELD(phys_bits) },
    { "family", .max = 0xff + 0xf, FIELD(family) },
    { "model", .max = 0xff, FIELD(modelno) },
    { "stepping", .max = 0xf, FIELD(stepping) },
    { "level", .max = UINT32_MAX, FIELD(level) },
    { "xlevel", .max = UINT32_MAX, FIELD(xlevel) },
    { "kvm", FIELD(kvm) },
    { "pmu", FIELD(pmu) },
    { "l3-cache", FIELD(l3_cache) },
    { "host-cache-info", FIELD(host_cache_info) },
    { "host-phys-bits", FIELD(host_phys_bits) },
    { "migratable", FIELD(migratable) },
    { "check", FIELD(check) },
    { "enforce", FIELD(enforce) },
};

/* The spelling nearest to @word among keys and features, or NULL. */
static char *suggestion(const char *word)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        g_ptr_array_add(known, g_strdup(keys[i].key));
    }
    for (int w = 0; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *name = feature_word_info[w].names[bit];

            if (name) {
                g_ptr_array_add(known,
                                g_strndup(name, strcspn(name, "|")));
            }
        }
    }
    g_ptr_array_add(known, NULL);
    return g_strdup(nearest_spelling(word, (const char *const *)known->pdata));
}

static bool unknown_key(const X86CPUConfig *cfg, const char *key, Error **errp)
{
    g_autofree char *near = suggestion(key);

    error_setg(errp, "CPU model '%s' has no property or feature '%s'%s%s%s",
               cfg->model->name, key, near ? "; did you mean '" : "",
               near ?: "", near ? "'?" : "");
    return false;
}

static bool set_feature(X86CPUConfig *cfg, const char *name, bool on,
                        Error **errp)
{
    FeatureWord w;
    uint32_t mask;

    if (!x86_feature_find(name, &w, &mask)) {
        return unknown_key(cfg, name, errp);
    }
    cfg->user[w] |= mask;
    if (on) {
        cfg->features[w] |= mask;
    } else {
        cfg->features[w] &= ~mask;
    }
    return true;
}

bool x86_cpu_config_set(X86CPUConfig *cfg, const char *key, const char *value,
                        Error **errp)
{
    bool on;

    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        void *field = (char *)cfg + keys[i].offset;
        uint64_t n;

        if (strcmp(keys[i].key, key)) {
            continue;
        }
        if (keys[i].set) {
            return keys[i].set(cfg, value, errp);
        }
        if (!keys[i].max) {
            return qemu_parse_bool(key, value, field, errp);
        }
        if (!qemu_parse_uint(key, value, keys[i].max, &n, errp)) {
            return false;
        }
        *(uint32_t *)field = n;
        return true;
    }
    if (!x86_feature_find(key, &(FeatureWord){ 0 }, &(uint32_t){ 0 })) {
        return unknown_key(cfg, key, errp);
    }
    return qemu_parse_bool(key, value, &on, errp) &&
           set_feature(cfg, key, on, errp);
}

void x86_cpu_config_foreach(void (*fn)(const char *name, const char *type,
                                       void *opaque), void *opaque)
{
    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        fn(keys[i].key, keys[i].string ? "string"
                        : keys[i].max ? "uint32" : "bool", opaque);
    }
    for (int w = 0; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *names = feature_word_info[w].names[bit];

            if (names) {
                g_autofree char *name = g_strndup(names, strcspn(names, "|"));

                fn(name, "bool", opaque);
            }
        }
    }
}

JsonNode *x86_cpu_config_get(const X86CPUConfig *cfg, const char *name)
{
    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        const void *field = (const char *)cfg + keys[i].offset;
        JsonNode *node;

        if (strcmp(keys[i].key, name)) {
            continue;
        }
        node = json_node_alloc();
        if (keys[i].string) {
            return json_node_init_string(node, field);
        }
        if (keys[i].max) {
            return json_node_init_int(node, *(const uint32_t *)field);
        }
        return json_node_init_boolean(node, *(const bool *)field);
    }
    return json_node_init_boolean(json_node_alloc(),
                                  x86_config_has(cfg, name));
}

JsonNode *x86_cpu_config_unavailable(const X86CPUConfig *cfg)
{
    JsonArray *list = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    for (int w = 0; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *names = feature_word_info[w].names[bit];

            if (names && (cfg->filtered[w] & 1u << bit)) {
                g_autofree char *name = g_strndup(names, strcspn(names, "|"));

                json_array_add_string_element(list, name);
            }
        }
    }
    json_node_take_array(node, list);
    return node;
}

/* One pass over the elements: which, '=' or '+' or '-', is handled now. */
static bool apply_elements(X86CPUConfig *cfg, char **elements, char pass,
                           Error **errp)
{
    for (char **e = elements; *e; e++) {
        char *eq = strchr(*e, '=');

        if (pass != '=') {
            if (**e == pass && !set_feature(cfg, *e + 1, pass == '+', errp)) {
                return false;
            }
            continue;
        }
        if (**e == '+' || **e == '-') {
            continue;
        }
        if (eq) {
            g_autofree char *key = g_strndup(*e, eq - *e);

            if (!x86_cpu_config_set(cfg, key, eq + 1, errp)) {
                return false;
            }
        } else if (!x86_cpu_config_set(cfg, *e, "on", errp)) {
            return false;
        }
    }
    return true;
}

const X86CPUModel *x86_cpu_model_of(const char *cpu_type, Error **errp)
{
    g_autofree char *name = g_strndup(cpu_type, strcspn(cpu_type, ","));
    const X86CPUModel *m = x86_cpu_model_find(name);

    if (!m) {
        error_setg(errp, "unknown CPU model '%s'; -cpu help lists them", name);
    }
    return m;
}

bool x86_cpu_config_apply(X86CPUConfig *cfg, const char *cpu_type,
                          Error **errp)
{
    const char *options = strchr(cpu_type, ',');
    g_auto(GStrv) parts = g_strsplit(options ? options + 1 : "", ",", 0);

    return apply_elements(cfg, parts, '=', errp) &&
           apply_elements(cfg, parts, '+', errp) &&
           apply_elements(cfg, parts, '-', errp);
}

bool x86_cpu_config_parse(X86CPUConfig *cfg, const char *cpu_type,
                          const struct kvm_cpuid2 *supported, Error **errp)
{
    const X86CPUModel *m = x86_cpu_model_of(cpu_type, errp);

    if (!m) {
        return false;
    }
    x86_cpu_config_init(cfg, m, supported);
    return x86_cpu_config_apply(cfg, cpu_type, errp);
}

/* -- Filter -------------------------------------------------------------- */

static void apply_dependencies(X86CPUConfig *cfg)
{
    for (int i = 0; i < ARRAY_SIZE(dependencies); i++) {
        FeatureWordArray set = { 0 };

        if (x86_config_has(cfg, dependencies[i].need)) {
            continue;
        }
        features_from_list(dependencies[i].features, set);
        for (int w = 0; w < FEATURE_WORDS; w++) {
            cfg->features[w] &= ~set[w];
        }
    }
}

/* The leaf ranges must reach what is shown in them. */
static void raise_levels(X86CPUConfig *cfg)
{
    for (int w = 0; w < FEATURE_WORDS; w++) {
        uint32_t leaf = feature_word_info[w].leaf;
        bool kvm_leaf = leaf >> 28 == 4;

        if (!cfg->features[w] || kvm_leaf) {
            continue;
        }
        if (leaf < 0x80000000) {
            cfg->level = MAX(cfg->level, leaf);
        } else {
            cfg->xlevel = MAX(cfg->xlevel, leaf);
        }
    }
    if (x86_config_has(cfg, "x2apic")) {
        cfg->level = MAX(cfg->level, 0xb);
    }
    if (x86_config_has(cfg, "xsave")) {
        cfg->level = MAX(cfg->level, 0xd);
    }
    if (x86_config_has(cfg, "topoext")) {
        cfg->xlevel = MAX(cfg->xlevel, 0x8000001e);
    }
    if (x86_config_has(cfg, "lm")) {
        cfg->xlevel = MAX(cfg->xlevel, 0x80000008);
    }
}

static void name_bits(GString *text, FeatureWord w, uint32_t mask)
{
    for (int bit = 0; bit < 32; bit++) {
        const char *name = feature_word_info[w].names[bit];

        if ((mask & 1u << bit) && name) {
            g_string_append_printf(text, "%s%.*s", text->len ? ", " : "",
                                   (int)strcspn(name, "|"), name);
        }
    }
}

bool x86_cpu_config_filter(X86CPUConfig *cfg,
                           const struct kvm_cpuid2 *supported, Error **errp)
{
    g_autoptr(GString) missing = g_string_new("");
    FeatureWordArray adds = { 0 }, drops = { 0 };
    uint32_t host_bits = x86_cpuid_reg(supported, 0x80000008, 0, R_EAX) & 0xff;

    if (!cfg->model->host) {
        features_from_list(kvm_adds, adds);
        features_from_list(kvm_drops, drops);
        features_from_list("hypervisor", adds);
    } else if (cfg->migratable) {
        features_from_list("invtsc", drops);
    }
    if (!cfg->kvm) {
        drops[FEAT_KVM] = drops[FEAT_KVM_HINTS] = UINT32_MAX;
    }
    if (!cfg->pmu) {
        features_from_list("perfctr-core perfctr-nb pdcm", drops);
    }
    for (int w = 0; w < FEATURE_WORDS; w++) {
        uint32_t can = supported_word(supported, w);

        cfg->features[w] &= ~(drops[w] & ~cfg->user[w]);
        cfg->features[w] |= adds[w] & ~cfg->user[w] & can;
        if (!cfg->kvm && (w == FEAT_KVM || w == FEAT_KVM_HINTS)) {
            cfg->features[w] = 0;
        }
        cfg->filtered[w] = cfg->features[w] & ~can;
        cfg->features[w] &= can;
        name_bits(missing, w, cfg->filtered[w]);
    }
    apply_dependencies(cfg);
    raise_levels(cfg);

    if (cfg->model->host || cfg->host_phys_bits) {
        cfg->phys_bits = cfg->phys_bits ?: host_bits;
    }
    cfg->phys_bits = cfg->phys_bits ?: 40;
    if (host_bits && cfg->phys_bits > host_bits) {
        warn_report("CPU: the host has %u physical address bits, not %u; the "
                    "guest is shown %u", host_bits, cfg->phys_bits, host_bits);
        cfg->phys_bits = host_bits;
    }

    if (missing->len && cfg->enforce) {
        error_setg(errp, "CPU model '%s' (enforce=on): this host's KVM does "
                   "not support %s", cfg->model->name, missing->str);
        return false;
    }
    if (missing->len && cfg->check) {
        warn_report("CPU model '%s': this host's KVM does not support %s; the "
                    "guest does not see it", cfg->model->name, missing->str);
    }
    return true;
}
