/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs under KVM: their threads' inner loop and what they leave the guest
 * for.
 *
 * A port or memory access that no chip in the kernel answers is dispatched
 * with the BQL; nothing here allocates.  A kick sets immediate_exit and sends
 * a signal: whether it comes before, in or after KVM_RUN, that call ends soon,
 * having finished the access under way.
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "system/memory.h"
#include "system/runstate.h"
#include "kvm-int.h"

/* -- Holding vCPUs out of the guest -------------------------------------- */

static int inhibited;                   /* atomic; written with the lock */
static QemuMutex inhibit_lock = { PTHREAD_MUTEX_INITIALIZER };
static QemuCond inhibit_cond = { PTHREAD_COND_INITIALIZER };

static void set_in_kvm_run(CPUState *cpu, bool in)
{
    __atomic_store_n(&cpu->in_kvm_run, in, __ATOMIC_SEQ_CST);
}

static bool is_inhibited(void)
{
    return __atomic_load_n(&inhibited, __ATOMIC_SEQ_CST);
}

static void enter_kvm_run(CPUState *cpu)
{
    set_in_kvm_run(cpu, true);
    while (unlikely(is_inhibited())) {
        qemu_mutex_lock(&inhibit_lock);
        set_in_kvm_run(cpu, false);
        qemu_cond_broadcast(&inhibit_cond);
        while (is_inhibited()) {
            qemu_cond_wait(&inhibit_cond, &inhibit_lock);
        }
        qemu_mutex_unlock(&inhibit_lock);
        set_in_kvm_run(cpu, true);
    }
}

static void leave_kvm_run(CPUState *cpu)
{
    set_in_kvm_run(cpu, false);
    if (unlikely(is_inhibited())) {
        qemu_mutex_lock(&inhibit_lock);
        qemu_cond_broadcast(&inhibit_cond);
        qemu_mutex_unlock(&inhibit_lock);
    }
}

static bool any_in_kvm_run(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (__atomic_load_n(&cpu->in_kvm_run, __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
    return false;
}

void kvm_inhibit_begin(void)
{
    CPUState *cpu;

    qemu_mutex_lock(&inhibit_lock);
    __atomic_store_n(&inhibited, 1, __ATOMIC_SEQ_CST);
    CPU_FOREACH(cpu) {
        if (__atomic_load_n(&cpu->in_kvm_run, __ATOMIC_SEQ_CST)) {
            kvm_kick_vcpu(cpu);
        }
    }
    while (any_in_kvm_run()) {
        qemu_cond_wait(&inhibit_cond, &inhibit_lock);
    }
    qemu_mutex_unlock(&inhibit_lock);
}

void kvm_inhibit_end(void)
{
    qemu_mutex_lock(&inhibit_lock);
    __atomic_store_n(&inhibited, 0, __ATOMIC_SEQ_CST);
    qemu_cond_broadcast(&inhibit_cond);
    qemu_mutex_unlock(&inhibit_lock);
}

/* -- Exits --------------------------------------------------------------- */

/* The state in which the guest ended, short enough for a line. */
static void describe(CPUState *cpu, GString *out)
{
    struct kvm_regs regs = { 0 };
    struct kvm_sregs sregs = { 0 };

    kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &regs);
    kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &sregs);
    g_string_append_printf(out, "rip %04x:%016llx cs.base %llx rsp %llx "
                           "rflags %llx rax %llx rbx %llx rcx %llx rdx %llx "
                           "cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx",
                           sregs.cs.selector, regs.rip, sregs.cs.base,
                           regs.rsp, regs.rflags, regs.rax, regs.rbx, regs.rcx,
                           regs.rdx, sregs.cr0, sregs.cr2, sregs.cr3,
                           sregs.cr4, sregs.efer);
}

/* The vCPU cannot go on: says so once and stops the VM. */
static void give_up(CPUState *cpu, const char *what, uint64_t reason,
                    const struct kvm_run *run)
{
    g_autoptr(GString) state = g_string_new("");

    describe(cpu, state);
    if (run && run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
        run->internal.ndata >= 1 &&
        (run->emulation_failure.flags &
         KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
        unsigned n = MIN(run->emulation_failure.insn_size,
                         sizeof(run->emulation_failure.insn_bytes));

        g_string_append(state, " code");
        for (unsigned i = 0; i < n; i++) {
            g_string_append_printf(state, " %02x",
                                   run->emulation_failure.insn_bytes[i]);
        }
    }
    error_report("KVM: vCPU %d: %s %" PRIu64 ": %s", cpu->cpu_index, what,
                 reason, state->str);
    ram_lost_check();
    bql_lock();
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    bql_unlock();
}

static void exit_io(CPUState *cpu, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    bool is_write = run->io.direction == KVM_EXIT_IO_OUT;

    trace_event("kvm_exit_io", "vcpu %d port 0x%x size %u count %u write %d",
                cpu->cpu_index, run->io.port, run->io.size, run->io.count,
                is_write);
    bql_lock();
    for (uint32_t i = 0; i < run->io.count; i++) {
        address_space_rw(&address_space_io, run->io.port,
                         MEMTXATTRS_UNSPECIFIED, data, run->io.size, is_write);
        data += run->io.size;
    }
    bql_unlock();
}

static void exit_mmio(CPUState *cpu, struct kvm_run *run)
{
    trace_event("kvm_exit_mmio", "vcpu %d addr 0x%llx size %u write %d",
                cpu->cpu_index, run->mmio.phys_addr, run->mmio.len,
                run->mmio.is_write);
    bql_lock();
    address_space_rw(&address_space_memory, run->mmio.phys_addr,
                     MEMTXATTRS_UNSPECIFIED, run->mmio.data, run->mmio.len,
                     run->mmio.is_write);
    bql_unlock();
}

/* A triple fault, which is how some guests restart. */
static void exit_shutdown(CPUState *cpu, struct kvm_run *run)
{
    bql_lock();
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    bql_unlock();
}

static void exit_system_event(CPUState *cpu, struct kvm_run *run)
{
    bql_lock();
    switch (run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        break;
    case KVM_SYSTEM_EVENT_RESET:
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case KVM_SYSTEM_EVENT_CRASH:
        qemu_system_guest_panicked();
        break;
    }
    bql_unlock();
}

static void exit_internal_error(CPUState *cpu, struct kvm_run *run)
{
    give_up(cpu, run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION
            ? "instruction cannot be emulated, suberror" : "internal error",
            run->internal.suberror, run);
}

static void exit_fail_entry(CPUState *cpu, struct kvm_run *run)
{
    give_up(cpu, "the processor refuses the guest's state, reason",
            run->fail_entry.hardware_entry_failure_reason, NULL);
}

static void exit_nothing(CPUState *cpu, struct kvm_run *run)
{
}

static void (*const exits[])(CPUState *cpu, struct kvm_run *run) = {
    [KVM_EXIT_IO] = exit_io,
    [KVM_EXIT_MMIO] = exit_mmio,
    [KVM_EXIT_SHUTDOWN] = exit_shutdown,
    [KVM_EXIT_SYSTEM_EVENT] = exit_system_event,
    [KVM_EXIT_INTERNAL_ERROR] = exit_internal_error,
    [KVM_EXIT_FAIL_ENTRY] = exit_fail_entry,
    [KVM_EXIT_INTR] = exit_nothing,
    [KVM_EXIT_IRQ_WINDOW_OPEN] = exit_nothing,
};

/* Until it is kicked. */
static void kvm_cpu_exec(CPUState *cpu)
{
    struct kvm_run *run = cpu->kvm_run;

    for (;;) {
        int ret;

        enter_kvm_run(cpu);
        ret = ioctl(cpu->kvm_fd, KVM_RUN, 0);
        leave_kvm_run(cpu);
        if (ret < 0 && (errno == EINTR || errno == EAGAIN)) {
            /* An access that ended with a kick has been finished. */
            __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
            return;
        }
        if (ret < 0) {
            give_up(cpu, "KVM_RUN fails, error", errno, NULL);
            return;
        }
        if (run->exit_reason < ARRAY_SIZE(exits) && exits[run->exit_reason]) {
            exits[run->exit_reason](cpu, run);
        } else {
            give_up(cpu, "unexpected exit", run->exit_reason, NULL);
        }
    }
}

/* -- Life ---------------------------------------------------------------- */

static size_t run_size;

static void on_ipi(int signal_nr)
{
    /* To be here ends KVM_RUN. */
}

void kvm_cpus_init(void)
{
    /* Not restarted: whatever else a vCPU waits in goes on by itself. */
    struct sigaction act = { .sa_handler = on_ipi };

    sigaction(KVM_SIG_IPI, &act, NULL);
    run_size = kvm_ioctl(KVM_GET_VCPU_MMAP_SIZE, NULL);
}

static void unblock_ipi(CPUState *cpu, void *data)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, KVM_SIG_IPI);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static bool open_vcpu(CPUState *cpu, Error **errp)
{
    cpu->kvm_fd = kvm_vm_ioctl(KVM_CREATE_VCPU,
                               (void *)(uintptr_t)cpu->apic_id);
    if (cpu->kvm_fd < 0) {
        error_setg_errno(errp, -cpu->kvm_fd, "KVM cannot make vCPU %d",
                         cpu->cpu_index);
        cpu->kvm_fd = -1;
        return false;
    }
    cpu->kvm_run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                        cpu->kvm_fd, 0);
    if (cpu->kvm_run == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map the state of vCPU %d",
                         cpu->cpu_index);
        cpu->kvm_run = NULL;
        return false;
    }
    return true;
}

bool kvm_create_vcpu(CPUState *cpu, Error **errp)
{
    g_autofree char *name = g_strdup_printf("CPU %d/KVM", cpu->cpu_index);

    if (!open_vcpu(cpu, errp) ||
        !cpu_thread_start(cpu, name, kvm_cpu_exec, errp)) {
        kvm_destroy_vcpu(cpu);
        return false;
    }
    run_on_cpu(cpu, unblock_ipi, NULL);
    return true;
}

void kvm_destroy_vcpu(CPUState *cpu)
{
    if (cpu->kvm_run) {
        munmap(cpu->kvm_run, run_size);
        cpu->kvm_run = NULL;
    }
    qemu_close(&cpu->kvm_fd);
}

void kvm_kick_vcpu(CPUState *cpu)
{
    if (!cpu->kvm_run) {
        return;
    }
    __atomic_store_n(&cpu->kvm_run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    pthread_kill(cpu->thread.thread, KVM_SIG_IPI);
}
