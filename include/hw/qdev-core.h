/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices and buses.
 *
 * A device is created, gets its properties, and is realized on a bus; from
 * then on it is served by its owner: the BQL in the main process, its link's
 * thread in a remote one.  A device model calls qdev_get_context() for
 * everything that comes back to it later and needs no lock.
 */
#ifndef HW_QDEV_CORE_H
#define HW_QDEV_CORE_H

#include "qom/object.h"
#include "qemu/queue.h"
#include "hw/irq.h"

#define TYPE_DEVICE "device"
DECLARE_OBJ_CHECKERS(DeviceState, DeviceClass, DEVICE, TYPE_DEVICE)
#define TYPE_BUS "bus"
DECLARE_OBJ_CHECKERS(BusState, BusClass, BUS, TYPE_BUS)

typedef enum DeviceCategory {
    DEVICE_CATEGORY_BRIDGE,
    DEVICE_CATEGORY_STORAGE,
    DEVICE_CATEGORY_NETWORK,
    DEVICE_CATEGORY_INPUT,
    DEVICE_CATEGORY_DISPLAY,
    DEVICE_CATEGORY_MISC,
    DEVICE_CATEGORY_CPU,
    DEVICE_CATEGORY_MAX,
} DeviceCategory;

typedef struct NamedGPIOList {
    char *name;                 /* NULL: unnamed */
    qemu_irq *in;
    int num_in;
    qemu_irq **out;             /* addresses of the model's outputs */
    int num_out;
    QTAILQ_ENTRY(NamedGPIOList) node;
} NamedGPIOList;

struct DeviceClass {
    ObjectClass parent_class;

    unsigned categories;        /* bit per DeviceCategory */
    const char *desc;
    bool user_creatable;        /* by -device; default true */
    bool hotpluggable;          /* default true */
    const char *bus_type;       /* TYPE_..._BUS it plugs into; NULL: the
                                   system bus, or none */
    const char *fw_name;        /* firmware's name for it where its bus has
                                   none: "pci@i0cf8"; NULL: the type's */
    const Property *props;      /* ends with { } ; see device_class_set_props */
    const VMStateDescription *vmsd;

    /* False with @errp set: nothing is left behind. */
    bool (*realize)(DeviceState *dev, Error **errp);
    void (*unrealize)(DeviceState *dev);
    void (*reset)(DeviceState *dev);
};

struct DeviceState {
    Object parent_obj;

    char *id;                   /* of -device, or NULL */
    BusState *parent_bus;
    bool realized;
    bool hotplugged;            /* made when the machine was complete */
    bool pending_unplug;        /* asked for; the guest has not answered */
    unsigned resetting;         /* it, or a bus of its own, is being reset */
    bool leaves_after_reset;
    int64_t unplug_asked_us;    /* when, by g_get_monotonic_time() */
    char *path;                 /* see qdev_get_printable_name */
    Error *init_error;          /* of a bad -global; realize returns it */
    AioContext *context;        /* NULL: the parent's; see qdev_get_context */
    JsonObject *opts;           /* what it was made from, or NULL */
    QTAILQ_HEAD(ChildBuses, BusState) child_bus;
    int num_child_bus;
    QTAILQ_HEAD(, NamedGPIOList) gpios;
    QTAILQ_ENTRY(DeviceState) sibling;
};

struct BusClass {
    ObjectClass parent_class;

    bool (*realize)(BusState *bus, Error **errp);
    void (*unrealize)(BusState *bus);
    /* Refuses a device whose address is taken or out of range. */
    bool (*check_address)(BusState *bus, DeviceState *dev, Error **errp);
    void (*reset)(BusState *bus);           /* after its devices */
    char *(*get_dev_path)(DeviceState *dev);        /* "04.0", g_free */
    char *(*get_fw_dev_path)(DeviceState *dev);     /* "scsi@4", g_free */
    void (*print_dev)(GString *out, DeviceState *dev, int indent);
    int max_dev;                /* 0: no limit */
};

struct BusState {
    Object parent_obj;

    DeviceState *parent;        /* whose bus it is; NULL: the machine's */
    char *name;                 /* unique, what bus= names */
    HotplugHandler *hotplug_handler;    /* NULL: no hot plug */
    bool full;
    bool realized;
    QTAILQ_HEAD(DeviceChildren, DeviceState) children;
    QTAILQ_ENTRY(BusState) sibling;
    QTAILQ_ENTRY(BusState) all;
};

/* -- Life ---------------------------------------------------------------- */

DeviceState *qdev_new(const char *type);
/* Plugs into @bus (NULL: none) and realizes; false: @errp, not plugged.  A
 * device without a place in the object tree gets one below
 * /machine/unattached.  On no bus it is reset only by who made it. */
bool qdev_realize(DeviceState *dev, BusState *bus, Error **errp);
/* The same and drops the caller's reference, on success and on failure. */
bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, Error **errp);
/* The reverse: takes away what is on its buses, then itself off its bus. */
void qdev_unrealize(DeviceState *dev);
void qdev_unparent(DeviceState *dev);   /* and out of the object tree: gone */

/* The context in which this device runs: its own, else that of the nearest
 * parent that has one, else the main context.  Valid from realize on. */
AioContext *qdev_get_context(DeviceState *dev);

void device_class_set_props(DeviceClass *dc, const Property *props);

/* Resets @dev and everything below it, children first. */
void device_cold_reset(DeviceState *dev);
void bus_cold_reset(BusState *bus);

/* -- Buses --------------------------------------------------------------- */

/* @name: NULL makes one: the parent's id or the type in lower case, and ".N".
 * With a @parent the bus is the parent's child and goes with it; without one
 * the caller has the reference. */
BusState *qbus_new(const char *type, DeviceState *parent, const char *name);
void qbus_init(void *bus, size_t size, const char *type, DeviceState *parent,
               const char *name);
bool qbus_realize(BusState *bus, Error **errp);
void qbus_set_hotplug_handler(BusState *bus, Object *handler);
BusState *qbus_find(const char *name, Error **errp);
/* The first of @type that is not full, below @root; NULL: of all buses, the
 * oldest. */
BusState *qbus_find_by_type(BusState *root, const char *type);
#define TYPE_SYSTEM_BUS "System"
BusState *sysbus_get_default(void);             /* the machine's own bus */

/* Depth first, parents before children; stops at what is not 0. */
int qbus_walk(BusState *bus, int (*devfn)(DeviceState *, void *),
              int (*busfn)(BusState *, void *), void *opaque);

/* -- Finding ------------------------------------------------------------- */

DeviceState *qdev_find_by_id(const char *id);   /* NULL if there is none */
char *qdev_get_dev_path(DeviceState *dev);      /* its bus's; may be NULL */
/* The firmware's whole path, as in bootorder: "/pci@i0cf8/scsi@4". */
char *qdev_get_fw_dev_path(DeviceState *dev);
/* Id, or QOM path when it has none: what messages and events call it. */
const char *qdev_get_printable_name(DeviceState *dev);

/* -- -device ------------------------------------------------------------- */

/**
 * qdev_device_add - make a device as -device and device_add do.
 * @opts: "driver", "id", "bus" (name), "addr" and properties
 * Returns the realized device, or NULL with @errp set and nothing left.
 */
DeviceState *qdev_device_add(JsonObject *opts, Error **errp);
/* Asks for an orderly unplug through the bus's hot-plug handler; a handler
 * without unplug_request unplugs at once. */
bool qdev_unplug(DeviceState *dev, Error **errp);
/* The guest has let go of it: unplugs and removes. */
void qdev_unplug_complete(DeviceState *dev);
/* The guest keeps it, if it was asked for it; may be asked again. */
void qdev_unplug_refused(DeviceState *dev);
/* Called after a device is gone that was realized; set by the monitor.  @id
 * may be NULL. */
extern void (*qdev_deleted_hook)(const char *id, const char *path);
/* Called when the guest has refused to let go of one; likewise. */
extern void (*qdev_kept_hook)(const char *id, const char *path);
/* "-device help" (NULL) and "-device DRIVER,help"; false: no such driver. */
bool qdev_help(GString *out, const char *driver, Error **errp);
/* `info qtree`: appends every bus and device with its properties. */
void qdev_tree_info(GString *out);

/* -- Hot plug ------------------------------------------------------------ */

#define TYPE_HOTPLUG_HANDLER "hotplug-handler"
/* Of a bus: called for each device that is put on it, before and after its
 * realize; dev->hotplugged tells whether the guest has to be told. */
typedef struct HotplugHandlerClass {
    InterfaceClass parent_class;
    bool (*pre_plug)(HotplugHandler *h, DeviceState *dev, Error **errp);
    bool (*plug)(HotplugHandler *h, DeviceState *dev, Error **errp);
    bool (*unplug_request)(HotplugHandler *h, DeviceState *dev, Error **errp);
    void (*unplug)(HotplugHandler *h, DeviceState *dev);
} HotplugHandlerClass;
DECLARE_OBJ_CHECKERS(HotplugHandler, HotplugHandlerClass, HOTPLUG_HANDLER,
                     TYPE_HOTPLUG_HANDLER)

/* True once the machine is built: a device added now is hot plugged. */
extern bool qdev_hotplug;

/* -- GPIO ---------------------------------------------------------------- */

void qdev_init_gpio_in(DeviceState *dev, qemu_irq_handler handler, int n);
void qdev_init_gpio_in_named(DeviceState *dev, qemu_irq_handler handler,
                             const char *name, int n);
void qdev_init_gpio_out_named(DeviceState *dev, qemu_irq *pins,
                              const char *name, int n);
qemu_irq qdev_get_gpio_in(DeviceState *dev, int n);
qemu_irq qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n);
void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n,
                                 qemu_irq line);

#endif
