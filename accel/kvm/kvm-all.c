/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM: /dev/kvm, the VM, and what it is asked about.  Linux
 * Documentation/virt/kvm/api.rst; the kernel must be 4.20 or later (immediate
 * exit, read-only memory, resampling irqfds, x2APIC ids).
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "system/runstate.h"
#include "kvm-int.h"

static int kvm_fd = -1, vm_fd = -1;
static struct kvm_cpuid2 *supported_cpuid;
static struct kvm_clock_data saved_clock;
static bool clock_saved;

int kvm_ioctl(unsigned long request, void *arg)
{
    int ret = ioctl(kvm_fd, request, arg);

    return ret < 0 ? -errno : ret;
}

int kvm_vm_ioctl(unsigned long request, void *arg)
{
    int ret = ioctl(vm_fd, request, arg);

    return ret < 0 ? -errno : ret;
}

int kvm_vcpu_ioctl(CPUState *cpu, unsigned long request, void *arg)
{
    int ret = ioctl(cpu->kvm_fd, request, arg);

    return ret < 0 ? -errno : ret;
}

int kvm_check_extension(int cap)
{
    int ret = kvm_vm_ioctl(KVM_CHECK_EXTENSION, (void *)(uintptr_t)cap);

    return MAX(ret, 0);
}

/* -- CPUID --------------------------------------------------------------- */

static struct kvm_cpuid_entry2 *cpuid_entry(uint32_t leaf)
{
    for (unsigned i = 0; i < supported_cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &supported_cpuid->entries[i];

        if (e->function == leaf && !e->index) {
            return e;
        }
    }
    return NULL;
}

/* What KVM's answer leaves to be known from elsewhere. */
static void cpuid_amend(void)
{
    struct kvm_cpuid_entry2 *e = cpuid_entry(1);
    uint32_t leaf1_edx = 0;

    if (e) {
        e->ecx |= 1u << 21;             /* x2APIC: the chip is in the kernel */
        e->ecx |= 1u << 31;             /* hypervisor */
        if (kvm_check_extension(KVM_CAP_TSC_DEADLINE_TIMER)) {
            e->ecx |= 1u << 24;
        }
        e->edx |= 1u << 28;             /* HTT: follows the topology */
        leaf1_edx = e->edx;
    }
    e = cpuid_entry(6);
    if (e) {
        e->eax |= 1u << 2;              /* ARAT: the timer is a host timer */
    }
    e = cpuid_entry(0x80000001);
    if (e) {
        e->edx |= leaf1_edx & 0x0183f3ff;       /* AMD's copies */
    }
    e = cpuid_entry(0x40000001);
    if (e) {
        e->eax |= 1u << 7;              /* PV unhalt, with that chip */
    }
}

static bool cpuid_init(Error **errp)
{
    for (unsigned max = 128; max <= 4096; max *= 2) {
        int ret;

        g_free(supported_cpuid);
        supported_cpuid = g_malloc0(sizeof(*supported_cpuid) +
                                    max * sizeof(struct kvm_cpuid_entry2));
        supported_cpuid->nent = max;
        ret = kvm_ioctl(KVM_GET_SUPPORTED_CPUID, supported_cpuid);
        if (!ret) {
            cpuid_amend();
            return true;
        }
        if (ret != -E2BIG) {
            error_setg_errno(errp, -ret, "KVM_GET_SUPPORTED_CPUID");
            return false;
        }
    }
    error_setg(errp, "KVM_GET_SUPPORTED_CPUID: too many entries");
    return false;
}

const struct kvm_cpuid2 *kvm_get_supported_cpuid(void)
{
    return supported_cpuid;
}

/* -- The VM -------------------------------------------------------------- */

static bool check_capabilities(Error **errp)
{
    static const struct { int cap; const char *name; } needed[] = {
        { KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
        { KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM" },
        { KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
        { KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
        { KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING" },
        { KVM_CAP_IRQFD_RESAMPLE, "KVM_CAP_IRQFD_RESAMPLE" },
        { KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
        { KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD" },
        { KVM_CAP_PIT2, "KVM_CAP_PIT2" },
        { KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
    };

    for (int i = 0; i < ARRAY_SIZE(needed); i++) {
        if (!kvm_check_extension(needed[i].cap)) {
            error_setg(errp, "this host's KVM lacks %s", needed[i].name);
            return false;
        }
    }
    return true;
}

static bool create_vm(Error **errp)
{
    int version;

    kvm_fd = RETRY_ON_EINTR(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (kvm_fd < 0) {
        int err = errno;

        error_setg_errno(errp, err, "-accel kvm: cannot open /dev/kvm");
        if (err == ENOENT) {
            error_append_hint(errp, "Is the module kvm_intel or kvm_amd "
                              "loaded, and virtualisation enabled?\n");
        } else if (err == EACCES) {
            error_append_hint(errp, "Its group is usually 'kvm'.\n");
        }
        return false;
    }
    version = kvm_ioctl(KVM_GET_API_VERSION, NULL);
    if (version != KVM_API_VERSION) {
        error_setg(errp, "-accel kvm: /dev/kvm has API version %d, not %d",
                   version, KVM_API_VERSION);
        return false;
    }
    do {
        vm_fd = kvm_ioctl(KVM_CREATE_VM, NULL);
    } while (vm_fd == -EINTR);
    if (vm_fd < 0) {
        error_setg_errno(errp, -vm_fd, "-accel kvm: cannot create a VM");
        return false;
    }
    return check_capabilities(errp);
}

/* APIC ids above 254 need the wide form everywhere. */
static void enable_x2apic_ids(void)
{
    struct kvm_enable_cap cap = {
        .cap = KVM_CAP_X2APIC_API,
        .args = { KVM_X2APIC_API_USE_32BIT_IDS |
                  KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
    };

    if (kvm_check_extension(KVM_CAP_X2APIC_API)) {
        kvm_vm_ioctl(KVM_ENABLE_CAP, &cap);     /* else 255 vCPUs are all */
    }
}

/* The guest's paravirtual clock stands while the VM is stopped. */
static void on_vm_change(void *opaque, bool running, RunState state)
{
    CPUState *cpu;

    if (!running) {
        clock_saved = kvm_vm_ioctl(KVM_GET_CLOCK, &saved_clock) == 0;
        return;
    }
    if (!clock_saved) {
        return;
    }
    saved_clock.flags = 0;
    kvm_vm_ioctl(KVM_SET_CLOCK, &saved_clock);
    CPU_FOREACH(cpu) {
        /* Keeps the guest's watchdog quiet; fails where it has no such
         * clock, which is harmless. */
        kvm_vcpu_ioctl(cpu, KVM_KVMCLOCK_CTRL, NULL);
    }
}

static bool kvm_init(MachineState *ms, Error **errp)
{
    uint64_t identity_base = KVM_IDENTITY_BASE;

    if (!create_vm(errp) || !cpuid_init(errp) || !kvm_memory_init(errp)) {
        qemu_close(&vm_fd);
        qemu_close(&kvm_fd);
        return false;
    }
    enable_x2apic_ids();
    /* Only Intel hosts without unrestricted guests use these pages. */
    kvm_vm_ioctl(KVM_SET_IDENTITY_MAP_ADDR, &identity_base);
    kvm_vm_ioctl(KVM_SET_TSS_ADDR,
                 (void *)(uintptr_t)(KVM_IDENTITY_BASE + 0x1000));
    kvm_cpus_init();
    qemu_add_vm_change_state_handler(on_vm_change, NULL);
    kvm_allowed = true;
    return true;
}

static int kvm_max_vcpus(void)
{
    return kvm_check_extension(KVM_CAP_MAX_VCPUS) ?:
           kvm_check_extension(KVM_CAP_NR_VCPUS) ?: 4;
}

static const AccelOps kvm_accel = {
    .name = "kvm",
    .init = kvm_init,
    .irqchip_create = kvm_irqchip_init,
    .set_gsi = kvm_set_gsi,
    .send_msi = kvm_send_msi,
    .add_irqfd = kvm_add_irqfd,
    .remove_irqfd = kvm_remove_irqfd,
    .create_vcpu = kvm_create_vcpu,
    .destroy_vcpu = kvm_destroy_vcpu,
    .kick_vcpu = kvm_kick_vcpu,
    .max_vcpus = kvm_max_vcpus,
};

static void register_kvm(void)
{
    accel_register(&kvm_accel);
}
type_init(register_kvm)
