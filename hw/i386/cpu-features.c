/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of CPUID feature bits, as -cpu NAME,+feature takes them and libvirt
 * knows them.  Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E; Linux
 * Documentation/virt/kvm/x86/cpuid.rst for the KVM leaf.
 *
 * A bit without a name cannot be had: osxsave and ospke follow the guest's
 * CR4, and the AMD copies of leaf 1 EDX follow leaf 1.
 */
#include "qemu/osdep.h"
#include "hw/i386/cpu.h"

const FeatureWordInfo feature_word_info[FEATURE_WORDS] = {
    [FEAT_1_EDX] = {
        .leaf = 1, .reg = R_EDX, .names = {
            "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
            "cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov",
            "pat", "pse36", "pn", "clflush", NULL, "ds", "acpi", "mmx",
            "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
        },
    },
    [FEAT_1_ECX] = {
        .leaf = 1, .reg = R_ECX, .names = {
            "pni|sse3", "pclmulqdq|pclmuldq", "dtes64", "monitor",
            "ds-cpl", "vmx", "smx", "est",
            "tm2", "ssse3", "cid", NULL, "fma", "cx16", "xtpr", "pdcm",
            NULL, "pcid", "dca", "sse4.1|sse4-1", "sse4.2|sse4-2", "x2apic",
            "movbe", "popcnt",
            "tsc-deadline", "aes", "xsave", NULL, "avx", "f16c", "rdrand",
            "hypervisor",
        },
    },
    [FEAT_6_EAX] = {
        .leaf = 6, .reg = R_EAX, .names = { [2] = "arat" },
    },
    [FEAT_7_0_EBX] = {
        .leaf = 7, .has_index = true, .reg = R_EBX, .names = {
            "fsgsbase", "tsc-adjust", "sgx", "bmi1", "hle", "avx2",
            "fdp-excptn-only", "smep",
            "bmi2", "erms", "invpcid", "rtm", NULL, "zero-fcs-fds", "mpx",
            NULL,
            "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma",
            "pcommit", "clflushopt",
            "clwb", "intel-pt", "avx512pf", "avx512er", "avx512cd", "sha-ni",
            "avx512bw", "avx512vl",
        },
    },
    [FEAT_7_0_ECX] = {
        .leaf = 7, .has_index = true, .reg = R_ECX, .names = {
            NULL, "avx512vbmi", "umip", "pku", NULL, "waitpkg", "avx512vbmi2",
            NULL,
            "gfni", "vaes", "vpclmulqdq", "avx512vnni", "avx512bitalg", NULL,
            "avx512-vpopcntdq", NULL,
            "la57", NULL, NULL, NULL, NULL, NULL, "rdpid", NULL,
            "bus-lock-detect", "cldemote", NULL, "movdiri", "movdir64b", NULL,
            "sgxlc", "pks",
        },
    },
    [FEAT_7_0_EDX] = {
        .leaf = 7, .has_index = true, .reg = R_EDX, .names = {
            NULL, NULL, "avx512-4vnniw", "avx512-4fmaps", "fsrm", NULL, NULL,
            NULL,
            "avx512-vp2intersect", NULL, "md-clear", NULL, NULL, NULL,
            "serialize", NULL,
            "tsx-ldtrk", NULL, NULL, "arch-lbr", NULL, NULL, "amx-bf16",
            "avx512-fp16",
            "amx-tile", "amx-int8", "spec-ctrl", "stibp", "flush-l1d",
            "arch-capabilities", "core-capability", "ssbd",
        },
    },
    [FEAT_7_1_EAX] = {
        .leaf = 7, .index = 1, .has_index = true, .reg = R_EAX, .names = {
            [4] = "avx-vnni", [5] = "avx512-bf16", [7] = "cmpccxadd",
            [10] = "fzrm", [11] = "fsrs", [12] = "fsrc", [21] = "amx-fp16",
            [23] = "avx-ifma",
        },
    },
    [FEAT_XSAVE] = {
        .leaf = 0xd, .index = 1, .has_index = true, .reg = R_EAX, .names = {
            "xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd",
        },
    },
    [FEAT_8000_0001_EDX] = {
        .leaf = 0x80000001, .reg = R_EDX, .names = {
            [11] = "syscall", [19] = "mp", [20] = "nx|xd", [22] = "mmxext",
            [25] = "fxsr-opt|ffxsr", [26] = "pdpe1gb", [27] = "rdtscp",
            [29] = "lm|i64", [30] = "3dnowext", [31] = "3dnow",
        },
    },
    [FEAT_8000_0001_ECX] = {
        .leaf = 0x80000001, .reg = R_ECX, .names = {
            "lahf-lm", "cmp-legacy", "svm", "extapic", "cr8legacy", "abm",
            "sse4a", "misalignsse",
            "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL,
            "lwp",
            "fma4", "tce", NULL, "nodeid-msr", NULL, "tbm", "topoext",
            "perfctr-core",
            "perfctr-nb",
        },
    },
    [FEAT_8000_0007_EDX] = {
        .leaf = 0x80000007, .reg = R_EDX, .names = { [8] = "invtsc" },
    },
    [FEAT_8000_0008_EBX] = {
        .leaf = 0x80000008, .reg = R_EBX, .names = {
            [0] = "clzero", [2] = "xsaveerptr", [9] = "wbnoinvd",
            [12] = "ibpb", [14] = "ibrs", [15] = "amd-stibp",
            [17] = "stibp-always-on", [24] = "amd-ssbd", [25] = "virt-ssbd",
            [26] = "amd-no-ssb", [28] = "amd-psfd",
        },
    },
    [FEAT_8000_0021_EAX] = {
        .leaf = 0x80000021, .reg = R_EAX, .names = {
            [0] = "no-nested-data-bp", [2] = "lfence-always-serializing",
            [6] = "null-sel-clr-base", [8] = "auto-ibrs",
        },
    },
    [FEAT_SVM] = {
        .leaf = 0x8000000a, .reg = R_EDX, .names = {
            "npt", "lbrv", "svm-lock", "nrip-save", "tsc-scale", "vmcb-clean",
            "flushbyasid", "decodeassists",
            [10] = "pause-filter", [12] = "pfthreshold", [13] = "avic",
            [15] = "v-vmsave-vmload", [16] = "vgif", [28] = "svme-addr-chk",
        },
    },
    [FEAT_KVM] = {
        .leaf = 0x40000001, .reg = R_EAX, .names = {
            [0] = "kvmclock", [1] = "kvm-nopiodelay", [2] = "kvm-mmu",
            [3] = "kvmclock2", [4] = "kvm-asyncpf", [5] = "kvm-steal-time",
            [6] = "kvm-pv-eoi", [7] = "kvm-pv-unhalt",
            [9] = "kvm-pv-tlb-flush", [11] = "kvm-pv-ipi",
            [12] = "kvm-poll-control", [13] = "kvm-pv-sched-yield",
            [14] = "kvm-asyncpf-int", [24] = "kvmclock-stable-bit",
        },
    },
    [FEAT_KVM_HINTS] = {
        .leaf = 0x40000001, .reg = R_EDX, .names = { "kvm-hint-dedicated" },
    },
};

/* '_' and '-' are one; ends at @n or a NUL. */
static bool name_equal(const char *a, size_t n, const char *b)
{
    size_t i;

    for (i = 0; i < n && b[i]; i++) {
        char x = a[i] == '_' ? '-' : a[i];
        char y = b[i] == '_' ? '-' : b[i];

        if (x != y) {
            return false;
        }
    }
    return i == n && !b[i];
}

bool x86_feature_find(const char *name, FeatureWord *word, uint32_t *mask)
{
    /* Upstream's "kvmclock" stands for both interfaces. */
    if (name_equal("kvmclock", 8, name)) {
        *word = FEAT_KVM;
        *mask = 1u << 0 | 1u << 3;
        return true;
    }
    for (int w = 0; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *p = feature_word_info[w].names[bit];

            while (p) {
                const char *end = strchrnul(p, '|');

                if (name_equal(p, end - p, name)) {
                    *word = w;
                    *mask = 1u << bit;
                    return true;
                }
                p = *end ? end + 1 : NULL;
            }
        }
    }
    return false;
}
