/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of hw/core/ share and nobody else sees. */
#ifndef HW_CORE_QDEV_INTERNAL_H
#define HW_CORE_QDEV_INTERNAL_H

#include "hw/qdev-properties.h"

void qdev_free_gpios(DeviceState *dev);

/* Property tables: defaults at birth, -global after it, release at the end. */
void qdev_props_set_defaults(DeviceState *dev);
void qdev_props_set_globals(DeviceState *dev);
void qdev_props_release(DeviceState *dev);

/* The part of realize that is the bus's: type, room, address. */
bool qbus_plug(BusState *bus, DeviceState *dev, Error **errp);
void qbus_unplug(DeviceState *dev);
void qbus_unrealize(BusState *bus);
/* Full ones too. */
bool qbus_any_of_type(const char *type);
/* Every bus that is not below another. */
void qbus_foreach_root(void (*fn)(BusState *bus, void *opaque), void *opaque);

#endif
