/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs as the machine sees them; the accelerator runs them. */
#ifndef SYSTEM_CPUS_H
#define SYSTEM_CPUS_H

#include "qemu/thread.h"
#include "qemu/queue.h"
#include "hw/qdev-core.h"

struct CPUState {
    DeviceState parent_obj;
    int cpu_index;
    uint32_t apic_id;
    QemuThread thread;
    int thread_id;              /* gettid() */
    bool created;               /* its thread runs */
    bool stop;                  /* asked to stand still */
    bool stopped;               /* does */
    bool unplug;                /* its thread is to end */
    QemuCond halt_cond;         /* what it waits for while it stands still */
    void (*run_on_cpu)(CPUState *cpu, void *data);      /* queued work */
    void *run_on_cpu_data;
    int kvm_fd;
    struct kvm_run *kvm_run;
    bool in_kvm_run;            /* atomic: in the guest, or nearly */
    QTAILQ_ENTRY(CPUState) node;
};
#define TYPE_CPU "cpu"

typedef QTAILQ_HEAD(CPUTailQ, CPUState) CPUTailQ;
extern CPUTailQ cpus;
#define CPU_FOREACH(cpu) QTAILQ_FOREACH(cpu, &cpus, node)

void pause_all_vcpus(void);             /* returns when all have stopped */
void resume_all_vcpus(void);
/* Runs @fn in the vCPU's thread with the BQL and waits for it. */
void run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *data),
                void *data);
extern __thread CPUState *current_cpu;

CPUState *qemu_get_cpu(int index);              /* NULL if there is none */

/* -- For accelerators and CPU models (BQL) ------------------------------- */

/* Adds to and removes from the list; the first gets index 0 and so on. */
void cpu_list_add(CPUState *cpu);
void cpu_list_remove(CPUState *cpu);

/**
 * cpu_thread_start - start a vCPU's thread, standing still.
 * @exec: runs the guest without the BQL until the vCPU is kicked
 */
bool cpu_thread_start(CPUState *cpu, const char *name,
                      void (*exec)(CPUState *cpu), Error **errp);
/* The calling vCPU stands still when it gets back to its frame. */
void cpu_stop_current(void);
/* Ends and joins it. */
void cpu_thread_end(CPUState *cpu);

#endif
