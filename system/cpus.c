/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads: the frame around whatever an accelerator does to run a guest.
 *
 * A vCPU is in its accelerator's exec function, without the BQL, until it is
 * kicked; then it does what was asked for (work, standing still, ending) with
 * the BQL held.  Flags are set under the BQL before the kick, and looked at
 * under the BQL after it, so no kick is lost.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "system/cpus.h"
#include "system/kvm.h"

CPUTailQ cpus = QTAILQ_HEAD_INITIALIZER(cpus);
__thread CPUState *current_cpu;

typedef struct ThreadStart {
    CPUState *cpu;
    void (*exec)(CPUState *cpu);
} ThreadStart;

/* Signalled when any vCPU stands still, or has finished a piece of work. */
static QemuCond changed = { PTHREAD_COND_INITIALIZER };

CPUState *qemu_get_cpu(int index)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (cpu->cpu_index == index) {
            return cpu;
        }
    }
    return NULL;
}

void cpu_list_add(CPUState *cpu)
{
    CPUState *last = QTAILQ_LAST(&cpus, CPUTailQ);

    cpu->cpu_index = last ? last->cpu_index + 1 : 0;
    cpu->stopped = true;
    qemu_cond_init(&cpu->halt_cond);
    QTAILQ_INSERT_TAIL(&cpus, cpu, node);
}

void cpu_list_remove(CPUState *cpu)
{
    QTAILQ_REMOVE(&cpus, cpu, node);
    qemu_cond_destroy(&cpu->halt_cond);
}

static void cpu_kick(CPUState *cpu)
{
    qemu_cond_signal(&cpu->halt_cond);
    if (accel && accel->kick_vcpu) {
        accel->kick_vcpu(cpu);
    }
}

static void do_work(CPUState *cpu)
{
    cpu->run_on_cpu(cpu, cpu->run_on_cpu_data);
    cpu->run_on_cpu = NULL;
    qemu_cond_broadcast(&changed);
}

static void *cpu_thread(void *opaque)
{
    g_autofree ThreadStart *start = opaque;
    CPUState *cpu = start->cpu;

    qemu_thread_serve_guest();
    bql_lock();
    current_cpu = cpu;
    cpu->thread_id = gettid();
    cpu->created = true;
    qemu_cond_broadcast(&changed);
    while (!cpu->unplug || cpu->run_on_cpu) {
        if (cpu->run_on_cpu) {
            do_work(cpu);
        } else if (cpu->stop) {
            cpu->stop = false;
            cpu->stopped = true;
            qemu_cond_broadcast(&changed);
        } else if (cpu->stopped) {
            bql_cond_wait(&cpu->halt_cond);
        } else {
            bql_unlock();
            start->exec(cpu);
            bql_lock();
        }
    }
    cpu->created = false;
    bql_unlock();
    return NULL;
}

bool cpu_thread_start(CPUState *cpu, const char *name,
                      void (*exec)(CPUState *cpu), Error **errp)
{
    ThreadStart *start = g_new0(ThreadStart, 1);

    *start = (ThreadStart){ cpu, exec };
    if (!qemu_thread_create(&cpu->thread, name, cpu_thread, start, errp)) {
        g_free(start);
        return false;
    }
    while (!cpu->created) {
        bql_cond_wait(&changed);
    }
    return true;
}

void cpu_stop_current(void)
{
    current_cpu->stop = true;
    cpu_kick(current_cpu);
}

void cpu_thread_end(CPUState *cpu)
{
    cpu->unplug = true;
    cpu_kick(cpu);
    bql_unlock();
    qemu_thread_join(&cpu->thread);
    bql_lock();
}

static bool all_stopped(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (cpu->created && !cpu->stopped) {
            return false;
        }
    }
    return true;
}

void pause_all_vcpus(void)
{
    CPUState *cpu;

    assert(!current_cpu);
    CPU_FOREACH(cpu) {
        if (cpu->created && !cpu->stopped) {
            cpu->stop = true;
            cpu_kick(cpu);
        }
    }
    while (!all_stopped()) {
        bql_cond_wait(&changed);
    }
}

void resume_all_vcpus(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        cpu->stop = false;
        cpu->stopped = false;
        qemu_cond_signal(&cpu->halt_cond);
    }
}

void run_on_cpu(CPUState *cpu, void (*fn)(CPUState *cpu, void *data),
                void *data)
{
    if (cpu == current_cpu || !cpu->created) {
        fn(cpu, data);
        return;
    }
    while (cpu->run_on_cpu) {           /* somebody else's */
        bql_cond_wait(&changed);
    }
    cpu->run_on_cpu = fn;
    cpu->run_on_cpu_data = data;
    cpu_kick(cpu);
    while (cpu->run_on_cpu == fn && cpu->run_on_cpu_data == data) {
        bql_cond_wait(&changed);
    }
}
