/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's pins: inputs that others drive, outputs that are connected to
 * lines.  Pins are numbered from 0 under a name, or under none.
 */
#include "qemu/osdep.h"
#include "hw/qdev-core.h"
#include "qdev-internal.h"

static NamedGPIOList *gpio_list(DeviceState *dev, const char *name)
{
    NamedGPIOList *list;

    QTAILQ_FOREACH(list, &dev->gpios, node) {
        if (!g_strcmp0(list->name, name)) {
            return list;
        }
    }
    list = g_new0(NamedGPIOList, 1);
    list->name = g_strdup(name);
    QTAILQ_INSERT_TAIL(&dev->gpios, list, node);
    return list;
}

void qdev_init_gpio_in_named(DeviceState *dev, qemu_irq_handler handler,
                             const char *name, int n)
{
    NamedGPIOList *list = gpio_list(dev, name);
    int total = list->num_in + n;

    list->in = g_renew(qemu_irq, list->in, total);
    for (; list->num_in < total; list->num_in++) {
        list->in[list->num_in] = qemu_allocate_irq(handler, dev, list->num_in);
    }
}

void qdev_init_gpio_in(DeviceState *dev, qemu_irq_handler handler, int n)
{
    qdev_init_gpio_in_named(dev, handler, NULL, n);
}

void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins,
                              const char *name, int n)
{
    NamedGPIOList *list = gpio_list(dev, name);

    list->out = g_renew(qemu_irq *, list->out, list->num_out + n);
    for (int i = 0; i < n; i++) {
        pins[i] = NULL;
        list->out[list->num_out++] = &pins[i];
    }
}

qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n)
{
    NamedGPIOList *list = gpio_list(dev, name);

    assert(n >= 0 && n < list->num_in);
    return list->in[n];
}

qemu_irq qdev_get_gpio_in(DeviceState *dev, int n)
{
    return qdev_get_gpio_in_named(dev, NULL, n);
}

void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n,
                                 qemu_irq line)
{
    NamedGPIOList *list = gpio_list(dev, name);

    assert(n >= 0 && n < list->num_out);
    *list->out[n] = line;
}

void qdev_free_gpios(DeviceState *dev)
{
    NamedGPIOList *list, *next;

    QTAILQ_FOREACH_SAFE(list, &dev->gpios, node, next) {
        qemu_free_irqs(list->in, list->num_in);
        g_free(list->out);
        g_free(list->name);
        g_free(list);
    }
    QTAILQ_INIT(&dev->gpios);
}
