/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An x86 vCPU's state in KVM: its CPUID, its reset, its registers for people.
 *
 * A vCPU that KVM has just made is in the state after RESET (Intel SDM vol. 3A,
 * table 10-1).  That state is read once, before the vCPU ever runs, and put
 * back at each system reset; the time stamp counter runs on, so that the
 * vCPUs' stay together.
 */
#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "system/kvm.h"
#include "cpu-internal.h"

typedef struct X86CPUResetState {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xcrs xcrs;
    struct kvm_debugregs debugregs;
    struct kvm_vcpu_events events;
    struct kvm_lapic_state lapic;
    struct kvm_mp_state mp_state;
    struct kvm_msrs *msrs;
    void *xsave;
    struct kvm_nested_state *nested;
} X86CPUResetState;

#define FIELD(f) offsetof(X86CPUResetState, f)
/* In the order in which they are put back: what ends nested guests first,
 * then what later parts depend on. */
static const struct {
    const char *name;
    unsigned long get, set;
    size_t offset;
    bool pointer;               /* the field is one, NULL where not there */
} parts[] = {
    { "nested state", KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE,
      FIELD(nested), .pointer = true },
    { "system registers", KVM_GET_SREGS, KVM_SET_SREGS, FIELD(sregs) },
    { "registers", KVM_GET_REGS, KVM_SET_REGS, FIELD(regs) },
    { "XCRs", KVM_GET_XCRS, KVM_SET_XCRS, FIELD(xcrs) },
    { "extended state", KVM_GET_XSAVE2, KVM_SET_XSAVE, FIELD(xsave),
      .pointer = true },
    { "MSRs", 0, KVM_SET_MSRS, FIELD(msrs), .pointer = true },
    { "local APIC", KVM_GET_LAPIC, KVM_SET_LAPIC, FIELD(lapic) },
    { "debug registers", KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
      FIELD(debugregs) },
    { "events", KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, FIELD(events) },
    { "run state", KVM_GET_MP_STATE, KVM_SET_MP_STATE, FIELD(mp_state) },
};

static void *part_of(X86CPUResetState *s, int i)
{
    void *field = (char *)s + parts[i].offset;

    return parts[i].pointer ? *(void **)field : field;
}

/* -- MSRs ---------------------------------------------------------------- */

#define MSR_IA32_TSC 0x10
#define MSR_MTRR_DEF_TYPE 0x2ff

/* Those that KVM does not list, because older ones do not save them. */
static const uint32_t more_msrs[] = {
    MSR_MTRR_DEF_TYPE,
    0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
    0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
    0x26d, 0x26e, 0x26f,
};

static struct kvm_msr_list *list_msrs(void)
{
    struct kvm_msr_list *list = g_malloc0(sizeof(*list));

    /* It is told how many there are by the first call. */
    if (kvm_ioctl(KVM_GET_MSR_INDEX_LIST, list) == -E2BIG) {
        uint32_t n = list->nmsrs;

        list = g_realloc(list, sizeof(*list) + n * sizeof(list->indices[0]));
        list->nmsrs = n;
        if (kvm_ioctl(KVM_GET_MSR_INDEX_LIST, list) == 0) {
            return list;
        }
    }
    list->nmsrs = 0;
    return list;
}

/* Runs a get or set over @msrs; entries that KVM does not take are dropped,
 * so that a later one takes them all. */
static void do_msrs(CPUState *cpu, unsigned long request,
                    struct kvm_msrs *msrs)
{
    struct {                    /* as struct kvm_msrs, with room */
        uint32_t nmsrs, pad;
        struct kvm_msr_entry entry[64];
    } some = { .pad = 0 };
    uint32_t kept = 0, i = 0;

    while (i < msrs->nmsrs) {
        uint32_t n = MIN(msrs->nmsrs - i, ARRAY_SIZE(some.entry));
        int done;

        some.nmsrs = n;
        memcpy(some.entry, &msrs->entries[i], n * sizeof(some.entry[0]));
        done = MAX(kvm_vcpu_ioctl(cpu, request, &some), 0);
        memmove(&msrs->entries[kept], some.entry,
                done * sizeof(some.entry[0]));
        kept += done;
        i += done < n ? done + 1 : n;
    }
    msrs->nmsrs = kept;
}

static struct kvm_msrs *read_msrs(CPUState *cpu)
{
    g_autofree struct kvm_msr_list *list = list_msrs();
    uint32_t max = list->nmsrs + ARRAY_SIZE(more_msrs);
    struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + max * sizeof(msrs->entries[0]));

    for (uint32_t i = 0; i < list->nmsrs; i++) {
        if (list->indices[i] != MSR_IA32_TSC) {
            msrs->entries[msrs->nmsrs++].index = list->indices[i];
        }
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(more_msrs); i++) {
        msrs->entries[msrs->nmsrs++].index = more_msrs[i];
    }
    do_msrs(cpu, KVM_GET_MSRS, msrs);
    do_msrs(cpu, KVM_SET_MSRS, msrs);
    return msrs;
}

/* -- Life ---------------------------------------------------------------- */

static bool set_cpuid(X86CPU *cpu, Error **errp)
{
    enum { MAX_ENTRIES = 100 };
    g_autofree struct kvm_cpuid2 *t =
        g_malloc0(sizeof(*t) + MAX_ENTRIES * sizeof(t->entries[0]));
    int n = x86_cpu_build_cpuid(&cpu->cfg, &cpu->topo,
                                cpu->parent_obj.apic_id,
                                kvm_get_supported_cpuid(), t->entries,
                                MAX_ENTRIES);
    int ret;

    assert(n > 0);
    t->nent = n;
    ret = kvm_vcpu_ioctl(&cpu->parent_obj, KVM_SET_CPUID2, t);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "KVM refuses the CPUID of model '%s'",
                         cpu->cfg.model->name);
        return false;
    }
    return true;
}

bool x86_kvm_init_vcpu(X86CPU *cpu, Error **errp)
{
    X86CPUResetState *s = g_new0(X86CPUResetState, 1);
    int xsave_size = kvm_check_extension(KVM_CAP_XSAVE2);
    int nested_size = kvm_check_extension(KVM_CAP_NESTED_STATE);

    cpu->reset_state = s;
    if (!set_cpuid(cpu, errp)) {
        return false;
    }
    if (xsave_size) {
        s->xsave = g_malloc0(xsave_size);
    }
    if (nested_size) {
        s->nested = g_malloc0(nested_size);
        s->nested->size = nested_size;
    }
    s->msrs = read_msrs(&cpu->parent_obj);
    for (int i = 0; i < ARRAY_SIZE(parts); i++) {
        int ret = parts[i].get && part_of(s, i)
                ? kvm_vcpu_ioctl(&cpu->parent_obj, parts[i].get, part_of(s, i))
                : 0;

        if (ret < 0) {
            error_setg_errno(errp, -ret, "KVM does not tell the %s of vCPU %d",
                             parts[i].name, cpu->parent_obj.cpu_index);
            return false;
        }
    }
    /* Processors report their type in EDX. */
    s->regs.rdx = x86_cpu_signature(&cpu->cfg);
    return true;
}

void x86_kvm_reset_vcpu(X86CPU *cpu)
{
    X86CPUResetState *s = cpu->reset_state;

    for (int i = 0; i < ARRAY_SIZE(parts); i++) {
        if (part_of(s, i)) {
            /* It came from KVM. */
            kvm_vcpu_ioctl(&cpu->parent_obj, parts[i].set, part_of(s, i));
        }
    }
}

void x86_kvm_enable_mtrrs(X86CPU *cpu)
{
    struct {                    /* as struct kvm_msrs, with room for one */
        uint32_t nmsrs, pad;
        struct kvm_msr_entry entry;
    } msrs = {
        /* MTRRs on; write-back where none of them says otherwise. */
        .nmsrs = 1, .entry = { .index = MSR_MTRR_DEF_TYPE, .data = 0x806 },
    };

    kvm_vcpu_ioctl(&cpu->parent_obj, KVM_SET_MSRS, &msrs);
}

void x86_kvm_fini_vcpu(X86CPU *cpu)
{
    X86CPUResetState *s = cpu->reset_state;

    if (s) {
        g_free(s->msrs);
        g_free(s->xsave);
        g_free(s->nested);
        g_free(s);
        cpu->reset_state = NULL;
    }
}

/* -- For people ---------------------------------------------------------- */

static void dump_segment(GString *out, const char *name,
                         const struct kvm_segment *s)
{
    g_string_append_printf(out, "%-3s=%04x %016llx %08x type %x dpl %x%s%s%s\n",
                           name, s->selector, s->base, s->limit, s->type,
                           s->dpl, s->present ? " present" : "",
                           s->l ? " 64" : s->db ? " 32" : " 16",
                           s->unusable ? " unusable" : "");
}

void x86_cpu_dump_state(CPUState *cpu, GString *out)
{
    struct kvm_regs r = { 0 };
    struct kvm_sregs s = { 0 };
    const struct { const char *name; const struct kvm_segment *s; } segs[] = {
        { "ES", &s.es }, { "CS", &s.cs }, { "SS", &s.ss }, { "DS", &s.ds },
        { "FS", &s.fs }, { "GS", &s.gs }, { "LDT", &s.ldt }, { "TR", &s.tr },
    };

    if (cpu->kvm_fd < 0) {
        return;
    }
    kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &r);
    kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &s);
    g_string_append_printf(out,
        "RAX=%016llx RBX=%016llx RCX=%016llx RDX=%016llx\n"
        "RSI=%016llx RDI=%016llx RBP=%016llx RSP=%016llx\n"
        "R8 =%016llx R9 =%016llx R10=%016llx R11=%016llx\n"
        "R12=%016llx R13=%016llx R14=%016llx R15=%016llx\n"
        "RIP=%016llx RFL=%08llx\n",
        r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9,
        r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip, r.rflags);
    for (int i = 0; i < ARRAY_SIZE(segs); i++) {
        dump_segment(out, segs[i].name, segs[i].s);
    }
    g_string_append_printf(out,
        "GDT=     %016llx %08x\nIDT=     %016llx %08x\n"
        "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx\n"
        "CR8=%llx EFER=%016llx APIC=%016llx\n",
        s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit, s.cr0, s.cr2, s.cr3,
        s.cr4, s.cr8, s.efer, s.apic_base);
}
