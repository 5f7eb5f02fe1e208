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
    bool created, stop, stopped, halted, unplug;
    bool exit_request;          /* atomic */
    QemuCond halt_cond;
    void (*run_on_cpu)(CPUState *cpu, void *data);      /* queued work */
    void *run_on_cpu_data;
    int kvm_fd;
    struct kvm_run *kvm_run;
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

#endif
