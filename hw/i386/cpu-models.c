/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU models: what `-cpu NAME` stands for.  A model has its base's features,
 * those it adds, and not those it drops.  Family, model and stepping are those
 * of the real processors, so that guests apply the right errata.
 */
#include "qemu/osdep.h"
#include "hw/i386/cpu.h"

#define INTEL "GenuineIntel"
#define AMD "AuthenticAMD"

#define X86_64_BASE \
    "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 " \
    "clflush mmx fxsr sse sse2 "

const X86CPUModel x86_cpu_models[] = {
    {
        .name = "qemu64", .vendor = AMD, .family = 15, .model = 107,
        .stepping = 1, .level = 0xd, .xlevel = 0x8000000a,
        .model_id = "QEMU Virtual CPU version 2.5+",
        .desc = "the least that 64-bit systems want",
        .add = X86_64_BASE "pni cx16 syscall nx lm lahf-lm svm",
    }, {
        .name = "kvm64", .vendor = INTEL, .family = 15, .model = 6,
        .stepping = 1, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Common KVM processor",
        .desc = "the least common of processors that have KVM",
        .add = X86_64_BASE "vme pni cx16 syscall nx lm",
    },
    /* Intel */
    {
        .name = "Conroe", .vendor = INTEL, .family = 6, .model = 15,
        .stepping = 3, .level = 10, .xlevel = 0x80000008,
        .model_id = "Intel Celeron_4x0 (Conroe/Merom Class Core 2)",
        .add = X86_64_BASE "vme pni ssse3 syscall nx lm lahf-lm",
    }, {
        .name = "Penryn", .base = "Conroe", .family = 6, .model = 23,
        .stepping = 3, .level = 10, .xlevel = 0x80000008,
        .model_id = "Intel Core 2 Duo P9xxx (Penryn Class Core 2)",
        .add = "cx16 sse4.1",
    }, {
        .name = "Nehalem", .base = "Penryn", .family = 6, .model = 26,
        .stepping = 3, .level = 11, .xlevel = 0x80000008,
        .model_id = "Intel Core i7 9xx (Nehalem Class Core i7)",
        .add = "sse4.2 popcnt",
    }, {
        .name = "Westmere", .base = "Nehalem", .family = 6, .model = 44,
        .stepping = 1, .level = 11, .xlevel = 0x80000008,
        .model_id = "Westmere E56xx/L56xx/X56xx (Nehalem-C)",
        .add = "aes pclmulqdq arat",
    }, {
        .name = "SandyBridge", .base = "Westmere", .family = 6, .model = 42,
        .stepping = 1, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon E312xx (Sandy Bridge)",
        .add = "avx xsave xsaveopt tsc-deadline x2apic rdtscp",
    }, {
        .name = "IvyBridge", .base = "SandyBridge", .family = 6, .model = 58,
        .stepping = 9, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge)",
        .add = "f16c rdrand fsgsbase smep erms",
    }, {
        .name = "Haswell", .base = "IvyBridge", .family = 6, .model = 60,
        .stepping = 4, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Haswell)",
        .add = "fma movbe pcid bmi1 hle avx2 bmi2 invpcid rtm abm",
    }, {
        .name = "Haswell-noTSX", .base = "Haswell", .family = 6, .model = 60,
        .stepping = 1, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Haswell, no TSX)",
        .drop = "hle rtm",
    }, {
        .name = "Broadwell", .base = "Haswell", .family = 6, .model = 61,
        .stepping = 2, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Broadwell)",
        .add = "rdseed adx smap 3dnowprefetch",
    }, {
        .name = "Broadwell-noTSX", .base = "Broadwell", .family = 6,
        .model = 61, .stepping = 2, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Broadwell, no TSX)",
        .drop = "hle rtm",
    }, {
        .name = "Skylake-Client", .base = "Broadwell", .family = 6,
        .model = 94, .stepping = 3, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Skylake)",
        .add = "xsavec xgetbv1",
    }, {
        .name = "Skylake-Client-noTSX-IBRS", .base = "Skylake-Client",
        .family = 6, .model = 94, .stepping = 3, .level = 0xd,
        .xlevel = 0x80000008,
        .model_id = "Intel Core Processor (Skylake, IBRS, no TSX)",
        .add = "spec-ctrl", .drop = "hle rtm",
    }, {
        .name = "Skylake-Server", .base = "Skylake-Client", .family = 6,
        .model = 85, .stepping = 4, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Skylake)",
        .add = "pdpe1gb avx512f avx512dq clflushopt clwb avx512cd avx512bw "
               "avx512vl pku",
    }, {
        .name = "Skylake-Server-IBRS", .base = "Skylake-Server", .family = 6,
        .model = 85, .stepping = 4, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Skylake, IBRS)",
        .add = "spec-ctrl", .drop = "clflushopt pku",
    }, {
        .name = "Skylake-Server-noTSX-IBRS", .base = "Skylake-Server-IBRS",
        .family = 6, .model = 85, .stepping = 4, .level = 0xd,
        .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Skylake, IBRS, no TSX)",
        .drop = "hle rtm",
    }, {
        .name = "Cascadelake-Server", .base = "Skylake-Server", .family = 6,
        .model = 85, .stepping = 6, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Cascadelake)",
        .add = "avx512vnni spec-ctrl ssbd",
    }, {
        .name = "Cascadelake-Server-noTSX", .base = "Cascadelake-Server",
        .family = 6, .model = 85, .stepping = 6, .level = 0xd,
        .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Cascadelake, no TSX)",
        .add = "arch-capabilities", .drop = "hle rtm",
    }, {
        .name = "Icelake-Server", .base = "Cascadelake-Server", .family = 6,
        .model = 106, .stepping = 0, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Icelake)",
        .add = "avx512vbmi avx512vbmi2 gfni vaes vpclmulqdq avx512bitalg "
               "avx512-vpopcntdq umip la57 wbnoinvd",
    }, {
        .name = "Icelake-Server-noTSX", .base = "Icelake-Server", .family = 6,
        .model = 106, .stepping = 0, .level = 0xd, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (Icelake, no TSX)",
        .drop = "hle rtm",
    }, {
        .name = "SapphireRapids", .base = "Icelake-Server-noTSX", .family = 6,
        .model = 143, .stepping = 4, .level = 0x20, .xlevel = 0x80000008,
        .model_id = "Intel Xeon Processor (SapphireRapids)",
        .desc = "Intel Xeon Processor (SapphireRapids, no AMX)",
        .add = "avx512ifma sha-ni rdpid bus-lock-detect serialize tsx-ldtrk "
               "avx512-fp16 fsrm arch-capabilities avx-vnni avx512-bf16 fzrm "
               "fsrs fsrc xsaves",
    },
    /* AMD */
    {
        .name = "Opteron_G3", .vendor = AMD, .family = 16, .model = 2,
        .stepping = 3, .level = 5, .xlevel = 0x80000008,
        .model_id = "AMD Opteron 23xx (Gen 3 Class Opteron)",
        .add = X86_64_BASE "vme pni monitor cx16 popcnt syscall nx rdtscp lm "
               "lahf-lm svm abm sse4a misalignsse",
    }, {
        .name = "Opteron_G4", .base = "Opteron_G3", .family = 21, .model = 1,
        .stepping = 2, .level = 0xd, .xlevel = 0x8000001a,
        .model_id = "AMD Opteron 62xx class CPU",
        .add = "pclmulqdq ssse3 sse4.1 sse4.2 aes xsave avx pdpe1gb "
               "3dnowprefetch xop fma4 npt nrip-save",
        .drop = "monitor",
    }, {
        .name = "Opteron_G5", .base = "Opteron_G4", .family = 21, .model = 2,
        .stepping = 0, .level = 0xd, .xlevel = 0x8000001a,
        .model_id = "AMD Opteron 63xx class CPU",
        .add = "fma f16c tbm",
    }, {
        .name = "EPYC", .vendor = AMD, .family = 23, .model = 1,
        .stepping = 2, .level = 0xd, .xlevel = 0x8000001e,
        .model_id = "AMD EPYC Processor",
        .add = X86_64_BASE "vme pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 "
               "movbe popcnt aes xsave avx f16c rdrand fsgsbase bmi1 avx2 "
               "smep bmi2 rdseed adx smap clflushopt sha-ni xsaveopt xsavec "
               "xgetbv1 arat syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm "
               "lahf-lm svm cr8legacy abm sse4a misalignsse 3dnowprefetch "
               "osvw topoext npt nrip-save",
    }, {
        .name = "EPYC-IBPB", .base = "EPYC", .family = 23, .model = 1,
        .stepping = 2, .level = 0xd, .xlevel = 0x8000001e,
        .model_id = "AMD EPYC Processor (with IBPB)",
        .add = "ibpb",
    }, {
        .name = "EPYC-Rome", .base = "EPYC-IBPB", .family = 23, .model = 49,
        .stepping = 0, .level = 0xd, .xlevel = 0x8000001e,
        .model_id = "AMD EPYC-Rome Processor",
        .add = "clwb umip rdpid wbnoinvd amd-stibp clzero xsaveerptr "
               "perfctr-core",
    }, {
        .name = "EPYC-Milan", .base = "EPYC-Rome", .family = 25, .model = 1,
        .stepping = 1, .level = 0xd, .xlevel = 0x8000001e,
        .model_id = "AMD EPYC-Milan Processor",
        .add = "pcid erms invpcid fsrm pku ibrs amd-ssbd",
    }, {
        .name = "EPYC-Genoa", .base = "EPYC-Milan", .family = 25, .model = 17,
        .stepping = 0, .level = 0xd, .xlevel = 0x80000022,
        .model_id = "AMD EPYC-Genoa Processor",
        .add = "avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl "
               "avx512vbmi avx512vbmi2 gfni vaes vpclmulqdq avx512vnni "
               "avx512bitalg avx512-vpopcntdq avx512-bf16 la57 "
               "stibp-always-on amd-psfd no-nested-data-bp "
               "lfence-always-serializing null-sel-clr-base auto-ibrs "
               "vgif v-vmsave-vmload",
    },
    /* What others are described against */
    {
        .name = "base", .vendor = AMD, .model_id = "",
        .desc = "no feature but those that are asked for", .add = "",
    },
    /* What the host has */
    {
        .name = "host", .host = true,
        .desc = "the host's processor with all that KVM passes on",
    }, {
        .name = "max", .host = true,
        .desc = "everything that can be had here: as host",
    },
    { }
};

const X86CPUModel *x86_cpu_model_find(const char *name)
{
    for (const X86CPUModel *m = x86_cpu_models; m->name; m++) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}
