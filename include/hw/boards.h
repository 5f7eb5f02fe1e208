/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines: -machine NAME makes one object of type "NAME-machine". */
#ifndef HW_BOARDS_H
#define HW_BOARDS_H

#include "hw/qdev-core.h"
#include "system/hostmem.h"

#define TYPE_MACHINE "machine"
#define MACHINE_TYPE_SUFFIX "-machine"
#define MACHINE_TYPE_NAME(name) (name MACHINE_TYPE_SUFFIX)
DECLARE_OBJ_CHECKERS(MachineState, MachineClass, MACHINE, TYPE_MACHINE)

struct MachineClass {
    ObjectClass parent_class;
    const char *name;           /* "pc-q35-7.2" */
    const char *alias;          /* "q35" */
    const char *desc;
    /* Builds everything; may be NULL if there are no CPUs. */
    bool (*init)(MachineState *ms, Error **errp);
    /* After every -device, before the first reset. */
    bool (*ready)(MachineState *ms, Error **errp);
    uint64_t default_ram_size;  /* bytes */
    int max_cpus;
    const char *default_cpu;
    bool no_cpus;               /* no vCPUs, RAM, accelerator: x-remote, none */
    bool boxed_in;              /* gives up its rights before it serves */
    bool is_default;
};

struct MachineState {
    Object parent_obj;
    /* From the command line; set before init. */
    uint64_t ram_size;          /* bytes; 0: no -m, machine_create_ram sets it */
    unsigned smp_cpus, smp_max_cpus, smp_sockets, smp_dies, smp_cores,
        smp_threads;
    char *cpu_type;             /* "host,+x2apic"; NULL: default_cpu */
    char *kernel_filename, *initrd_filename, *kernel_cmdline;
    char *firmware;             /* -bios, or NULL */
    char *boot_order;           /* -boot order=, or NULL */
    char *boot_once;            /* in its place until the first reset */
    bool boot_menu, boot_strict;
    int boot_splash_ms;         /* how long the menu is offered; -1: default */
    int boot_retry_ms;          /* when nothing boots; -1: never */
    bool graphics;              /* false: -nographic, a serial console */
    char *memory_backend;       /* id, or NULL */
    bool mem_merge, dump_guest_core;
    MemoryRegion *ram;          /* all of it, one region */
    HostMemoryBackend *ram_backend;
};

extern MachineState *current_machine;

/* By name or alias; NULL if there is none. */
MachineClass *find_machine(const char *name);
/* "-machine help" (NULL) and "-machine NAME,help"; false: no such machine. */
bool machine_help(GString *out, const char *name, Error **errp);
/* Makes ms->ram of ms->ram_size bytes: the named backend, whose size counts
 * when ram_size is 0; or a shared memfd, of the class's default size then. */
bool machine_create_ram(MachineState *ms, Error **errp);

#endif
