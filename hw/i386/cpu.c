/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 vCPUs as devices, one type a model ("Haswell-x86_64-cpu"), and the
 * machine's set of them.  Each feature and each key of -cpu is a property,
 * which can be read always and set before the device is realized.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/option.h"
#include <linux/kvm.h>
#include "hw/boards.h"
#include "hw/i386/boot.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "cpu-internal.h"

/* -- Properties ---------------------------------------------------------- */

static JsonNode *get_property(Object *obj, const char *name, void *opaque,
                              Error **errp)
{
    return x86_cpu_config_get(&X86_CPU(obj)->cfg, name);
}

static bool set_property(Object *obj, const char *name, JsonNode *value,
                         void *opaque, Error **errp)
{
    X86CPU *cpu = X86_CPU(obj);
    g_autofree char *text = NULL;

    if (DEVICE(obj)->realized) {
        error_setg(errp, "CPU property '%s' cannot be changed any more", name);
        return false;
    }
    if (JSON_NODE_HOLDS_VALUE(value) &&
        json_node_get_value_type(value) == G_TYPE_STRING) {
        text = g_strdup(json_node_get_string(value));
    } else if (JSON_NODE_HOLDS_VALUE(value) &&
               json_node_get_value_type(value) == G_TYPE_BOOLEAN) {
        text = g_strdup(json_node_get_boolean(value) ? "on" : "off");
    } else {
        text = json_text(value, false);
    }
    return x86_cpu_config_set(&cpu->cfg, name, text, errp);
}

static JsonNode *get_apic_id(Object *obj, const char *name, void *opaque,
                             Error **errp)
{
    return json_node_new_int(X86_CPU(obj)->parent_obj.apic_id);
}

static JsonNode *get_unavailable(Object *obj, const char *name, void *opaque,
                                 Error **errp)
{
    return x86_cpu_config_unavailable(&X86_CPU(obj)->cfg);
}

static void add_property(const char *name, const char *type, void *opaque)
{
    object_class_property_add(opaque, name, type, get_property, set_property,
                              NULL);
}

/* -- Life ---------------------------------------------------------------- */

static void x86_cpu_init(Object *obj)
{
    X86CPU *cpu = X86_CPU(obj);

    cpu->parent_obj.kvm_fd = -1;
    cpu->topo = (X86CPUTopo){ 1, 1, 1, 1 };
}

static void x86_cpu_model_init(Object *obj)
{
    const char *type = object_get_typename(obj);
    g_autofree char *model = g_strndup(type, strlen(type) -
                                       strlen(X86_CPU_TYPE_SUFFIX));

    x86_cpu_config_init(&X86_CPU(obj)->cfg, x86_cpu_model_find(model),
                        kvm_enabled() ? kvm_get_supported_cpuid() : NULL);
}

static void x86_cpu_reset(void *opaque)
{
    X86CPU *cpu = opaque;

    if (!cpu->reset_state) {
        return;
    }
    x86_kvm_reset_vcpu(cpu);
    if (x86_kernel_loaded()) {
        x86_kvm_enable_mtrrs(cpu);
    }
    if (!cpu->parent_obj.cpu_index) {
        x86_boot_reset(&cpu->parent_obj);
    }
}

static void x86_cpu_unrealize(DeviceState *dev)
{
    X86CPU *cpu = X86_CPU(dev);
    CPUState *cs = &cpu->parent_obj;

    qemu_unregister_reset(x86_cpu_reset, cpu);
    if (cs->created) {
        cpu_thread_end(cs);
    }
    if (accel && accel->destroy_vcpu) {
        accel->destroy_vcpu(cs);
    }
    x86_kvm_fini_vcpu(cpu);
    cpu_list_remove(cs);
}

static bool x86_cpu_realize(DeviceState *dev, Error **errp)
{
    X86CPU *cpu = X86_CPU(dev);
    CPUState *cs = &cpu->parent_obj;

    cpu_list_add(cs);
    if ((accel && accel->create_vcpu && !accel->create_vcpu(cs, errp)) ||
        (kvm_enabled() && !x86_kvm_init_vcpu(cpu, errp))) {
        x86_cpu_unrealize(dev);
        return false;
    }
    qemu_register_reset(x86_cpu_reset, cpu);
    return true;
}

static void cpu_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->categories = 1u << DEVICE_CATEGORY_CPU;
    dc->user_creatable = false;
    dc->hotpluggable = false;
}

static void x86_cpu_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = x86_cpu_realize;
    dc->unrealize = x86_cpu_unrealize;
    x86_cpu_config_foreach(add_property, klass);
    object_class_property_add(klass, "apic-id", "uint32", get_apic_id, NULL,
                              NULL);
    object_class_property_add(klass, "unavailable-features", "strList",
                              get_unavailable, NULL, NULL);
}

static const TypeInfo cpu_types[] = {
    {
        .name = TYPE_CPU,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CPUState),
        .abstract = true,
        .class_init = cpu_class_init,
    }, {
        .name = TYPE_X86_CPU,
        .parent = TYPE_CPU,
        .instance_size = sizeof(X86CPU),
        .abstract = true,
        .instance_init = x86_cpu_init,
        .class_init = x86_cpu_class_init,
    },
};
DEFINE_TYPES(cpu_types)

static void register_models(void)
{
    for (const X86CPUModel *m = x86_cpu_models; m->name; m++) {
        TypeInfo info = {
            .name = g_strconcat(m->name, X86_CPU_TYPE_SUFFIX, NULL),
            .parent = TYPE_X86_CPU,
            .instance_init = x86_cpu_model_init,
        };

        type_register_static(&info);
    }
}
type_init(register_models)

/* -- The machine's ------------------------------------------------------- */

static bool check_counts(const MachineState *ms, const X86CPUTopo *topo,
                         Error **errp)
{
    unsigned cpus = ms->smp_cpus;
    int max = accel && accel->max_vcpus ? accel->max_vcpus() : 255;
    int max_id = kvm_enabled() ? kvm_check_extension(KVM_CAP_MAX_VCPU_ID) : 0;
    uint32_t last_id = x86_topo_apic_id(topo, cpus - 1);

    if (cpus > max) {
        error_setg(errp, "-smp %u: at most %d vCPUs are possible with "
                   "accelerator '%s' on this host", cpus, max, accel->name);
        return false;
    }
    /* The I/O APIC and messages name a vCPU by eight bits. */
    max_id = MIN(max_id ?: 255, 255);
    if (last_id >= max_id) {
        error_setg(errp, "-smp %u,sockets=%u,dies=%u,cores=%u,threads=%u: the "
                   "last vCPU would have APIC id %u, the highest possible is "
                   "%d", cpus, topo->sockets, topo->dies, topo->cores,
                   topo->threads, last_id, max_id - 1);
        return false;
    }
    return true;
}

/* What the operator asked for, on top of the model and of -global. */
static bool configure_first(X86CPU *cpu, const MachineState *ms,
                            const char *cpu_type, Error **errp)
{
    X86CPUConfig *cfg = &cpu->cfg;

    if (!x86_cpu_config_apply(cfg, cpu_type, errp)) {
        return false;
    }
    cfg->check &= ms->cpu_type != NULL; /* nobody asked for what is missing */
    return !kvm_enabled() ||
           x86_cpu_config_filter(cfg, kvm_get_supported_cpuid(), errp);
}

bool x86_cpus_init(MachineState *ms, Error **errp)
{
    const char *cpu_type = ms->cpu_type ?: MACHINE_GET_CLASS(ms)->default_cpu;
    const X86CPUModel *model = x86_cpu_model_of(cpu_type, errp);
    X86CPUTopo topo = x86_machine_topo(ms);
    g_autofree char *type = NULL;
    X86CPUConfig cfg;

    if (!model || !check_counts(ms, &topo, errp)) {
        return false;
    }
    type = g_strconcat(model->name, X86_CPU_TYPE_SUFFIX, NULL);
    for (unsigned i = 0; i < ms->smp_cpus; i++) {
        X86CPU *cpu = X86_CPU(qdev_new(type));

        if (!i && !configure_first(cpu, ms, cpu_type, errp)) {
            object_unref(cpu);
            return false;
        }
        cfg = i ? cfg : cpu->cfg;
        cpu->cfg = cfg;
        cpu->topo = topo;
        cpu->parent_obj.apic_id = x86_topo_apic_id(&topo, i);
        if (!qdev_realize_and_unref(DEVICE(cpu), NULL, errp)) {
            return false;
        }
    }
    return true;
}

static int compare_models(const void *a, const void *b)
{
    const X86CPUModel *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

void x86_cpu_list(void)
{
    g_autoptr(GPtrArray) models = g_ptr_array_new();

    for (const X86CPUModel *m = x86_cpu_models; m->name; m++) {
        g_ptr_array_add(models, (void *)m);
    }
    g_ptr_array_sort(models, compare_models);
    printf("Available CPUs:\n");
    for (unsigned i = 0; i < models->len; i++) {
        const X86CPUModel *m = models->pdata[i];

        printf("x86 %-26s  %s\n", m->name, m->desc ?: m->model_id);
    }
    printf("\nRecognized CPUID flags:");
    for (int w = 0, column = 80; w < FEATURE_WORDS; w++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *name = feature_word_info[w].names[bit];
            int n = name ? strcspn(name, "|") : 0;

            if (!name) {
                continue;
            }
            if (column + n + 1 > 78) {
                printf("\n ");
                column = 1;
            }
            printf(" %.*s", n, name);
            column += n + 1;
        }
    }
    printf("\n");
}
