/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 vCPUs: models, features, CPUID, topology.  Registers live in KVM.
 *
 * A configuration (X86CPUConfig) is a plain thing: it is made of a model's
 * name and "+feat,-feat,key=value", filtered by what KVM can do, and gives the
 * CPUID leaves.  All vCPUs of a machine have the same one.
 */
#ifndef HW_I386_CPU_H
#define HW_I386_CPU_H

#include "system/cpus.h"

struct kvm_cpuid2;
struct kvm_cpuid_entry2;

#define TYPE_X86_CPU "x86_64-cpu"
#define X86_CPU_TYPE_SUFFIX "-" TYPE_X86_CPU

/* Feature words: registers of CPUID leaves whose bits have names. */
typedef enum FeatureWord {
    FEAT_1_EDX,
    FEAT_1_ECX,
    FEAT_6_EAX,
    FEAT_7_0_EBX,
    FEAT_7_0_ECX,
    FEAT_7_0_EDX,
    FEAT_7_1_EAX,
    FEAT_XSAVE,                 /* 0xd.1 EAX */
    FEAT_8000_0001_EDX,
    FEAT_8000_0001_ECX,
    FEAT_8000_0007_EDX,
    FEAT_8000_0008_EBX,
    FEAT_8000_0021_EAX,
    FEAT_SVM,                   /* 0x8000000a EDX */
    FEAT_KVM,                   /* 0x40000001 EAX */
    FEAT_KVM_HINTS,             /* 0x40000001 EDX */
    FEATURE_WORDS,
} FeatureWord;
typedef uint32_t FeatureWordArray[FEATURE_WORDS];

typedef enum X86Register { R_EAX, R_EBX, R_ECX, R_EDX } X86Register;

typedef struct FeatureWordInfo {
    uint32_t leaf, index;
    bool has_index;
    X86Register reg;
    const char *names[32];      /* NULL: no name; "a|b": two spellings */
} FeatureWordInfo;
extern const FeatureWordInfo feature_word_info[FEATURE_WORDS];

typedef struct X86CPUModel {
    const char *name;
    const char *base;           /* model whose features it has too, or NULL */
    const char *vendor;
    uint8_t family, model, stepping;
    uint32_t level, xlevel;
    const char *model_id;
    const char *add;            /* feature names separated by spaces */
    const char *drop;           /* of the base's */
    const char *desc;
    bool host;                  /* what the host has: host, max */
} X86CPUModel;
extern const X86CPUModel x86_cpu_models[];      /* ends with name NULL */
const X86CPUModel *x86_cpu_model_find(const char *name);

typedef struct X86CPUConfig {
    const X86CPUModel *model;
    char vendor[13];
    char model_id[49];
    uint32_t family, modelno, stepping;
    uint32_t level, xlevel;     /* highest leaf of each range */
    uint32_t phys_bits;         /* 0: the host's for host models, else 40 */
    FeatureWordArray features;
    FeatureWordArray user;      /* bits the operator set or cleared */
    FeatureWordArray filtered;  /* wanted, but KVM has them not */
    bool kvm, l3_cache, host_cache_info, host_phys_bits, pmu, migratable;
    bool check, enforce;        /* warn, or fail, when something is filtered */
} X86CPUConfig;

typedef struct X86CPUTopo {
    unsigned sockets, dies, cores, threads;     /* each at least 1 */
} X86CPUTopo;

typedef struct X86CPU {
    CPUState parent_obj;
    X86CPUConfig cfg;
    X86CPUTopo topo;
    struct X86CPUResetState *reset_state;       /* as KVM made it */
} X86CPU;
DECLARE_OBJ_CHECKERS(X86CPU, DeviceClass, X86_CPU, TYPE_X86_CPU)

/* -- Configuration (no KVM needed) --------------------------------------- */

/* @supported: KVM's CPUID, from which host models take everything; or NULL. */
void x86_cpu_config_init(X86CPUConfig *cfg, const X86CPUModel *model,
                         const struct kvm_cpuid2 *supported);
/**
 * x86_cpu_config_apply - what follows the model in "MODEL,+f,-f,key=value".
 *
 * As upstream: key=value in order, then all "+f", then all "-f".  False with
 * @errp naming the unknown feature or bad value and the nearest spelling.
 */
bool x86_cpu_config_apply(X86CPUConfig *cfg, const char *cpu_type,
                          Error **errp);
/* The model that "MODEL,..." names; NULL with @errp. */
const X86CPUModel *x86_cpu_model_of(const char *cpu_type, Error **errp);
/* All three. */
bool x86_cpu_config_parse(X86CPUConfig *cfg, const char *cpu_type,
                          const struct kvm_cpuid2 *supported, Error **errp);
/* One key=value. */
bool x86_cpu_config_set(X86CPUConfig *cfg, const char *key, const char *value,
                        Error **errp);
/* Looks a feature up by name ('_' and '-' are the same); false: unknown. */
bool x86_feature_find(const char *name, FeatureWord *word, uint32_t *mask);

/**
 * x86_cpu_config_filter - take away what @supported has not.
 *
 * Warns of each missing feature of a named model by name (check), or returns
 * false with @errp naming them (enforce).
 */
bool x86_cpu_config_filter(X86CPUConfig *cfg,
                           const struct kvm_cpuid2 *supported, Error **errp);

/**
 * x86_cpu_build_cpuid - the CPUID table of one vCPU.
 * @supported: KVM's, for leaves that describe the host's XSAVE and PMU; or NULL
 * @e: at least @max entries, 100 are always enough
 *
 * Returns how many entries it filled, or -1 if @max is too small.
 */
int x86_cpu_build_cpuid(const X86CPUConfig *cfg, const X86CPUTopo *topo,
                        uint32_t apic_id, const struct kvm_cpuid2 *supported,
                        struct kvm_cpuid_entry2 *e, int max);

/* The APIC id of CPU @index: each level takes whole bits. */
uint32_t x86_topo_apic_id(const X86CPUTopo *topo, unsigned index);
X86CPUTopo x86_machine_topo(const MachineState *ms);

/* -cpu help */
void x86_cpu_list(void);

/* -- Machine ------------------------------------------------------------- */

/**
 * x86_cpus_init - make the machine's vCPUs from smp_* and cpu_type.
 *
 * After the accelerator's irqchip_create, before devices.  They stand still
 * until vm_start().  False with @errp set.
 */
bool x86_cpus_init(MachineState *ms, Error **errp);

/* Registers in KVM, for `info registers` and one-line reports.  The vCPU
 * stands still or the caller is its thread. */
void x86_cpu_dump_state(CPUState *cpu, GString *out);

#endif
