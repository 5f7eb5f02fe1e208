/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of devices as tables:
 *
 *     static const Property nvme_props[] = {
 *         DEFINE_PROP_DRIVE("drive", NvmeCtrl, blk),
 *         DEFINE_PROP_STRING("serial", NvmeCtrl, serial),
 *         DEFINE_PROP_UINT32("max_ioqpairs", NvmeCtrl, max_ioqpairs, 64),
 *         { }
 *     };
 *
 * They can be set only before the device is realized.
 */
#ifndef HW_QDEV_PROPERTIES_H
#define HW_QDEV_PROPERTIES_H

#include "hw/qdev-core.h"

typedef struct PropertyInfo {
    const char *type;           /* as shown: "uint32", "str", ... */
    const char *description;
    const char *const *values;  /* enumerations: NULL-terminated */
    JsonNode *(*get)(Object *obj, const Property *prop, Error **errp);
    bool (*set)(Object *obj, const Property *prop, JsonNode *value,
                Error **errp);
    /* Stores prop->defval; NULL: the field stays zero. */
    void (*set_default)(Object *obj, const Property *prop);
    void (*release)(Object *obj, const Property *prop);
} PropertyInfo;

struct Property {
    const char *name;           /* NULL ends a table */
    const char *description;    /* for help; NULL: that of its kind */
    const PropertyInfo *info;
    ptrdiff_t offset;
    int bitnr;                  /* qdev_prop_bit */
    const char *link_type;      /* qdev_prop_link */
    bool set_default;
    int64_t defval;
    uint64_t min, max;          /* max 0: the type's own */
};

/* The field that @prop describes. */
static inline void *object_field_prop_ptr(Object *obj, const Property *prop)
{
    return (char *)obj + prop->offset;
}

extern const PropertyInfo qdev_prop_bool, qdev_prop_uint8, qdev_prop_uint16,
    qdev_prop_uint32, qdev_prop_uint64, qdev_prop_int32, qdev_prop_size,
    qdev_prop_string, qdev_prop_on_off_auto, qdev_prop_bit, qdev_prop_link,
    qdev_prop_drive, qdev_prop_chr, qdev_prop_pci_devfn, qdev_prop_fd;

typedef enum OnOffAuto { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF }
    OnOffAuto;

#define DEFINE_PROP(name_, state_, field_, info_, type_, ...)           \
    { .name = (name_), .info = &(info_),                                \
      .offset = offsetof(state_, field_)                                \
          + type_check(type_, typeof(((state_ *)0)->field_)),           \
      __VA_ARGS__ }
/* Further members may follow: .min = 16, .max = 4096, .description = "". */
#define DEFINE_PROP_DEF(n, s, f, i, t, d, ...)                          \
    DEFINE_PROP(n, s, f, i, t, .set_default = true,                     \
                .defval = (int64_t)(d), ##__VA_ARGS__)

#define DEFINE_PROP_BOOL(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_bool, bool, d, ##__VA_ARGS__)
#define DEFINE_PROP_UINT8(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_uint8, uint8_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_UINT16(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_uint16, uint16_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_UINT32(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_uint32, uint32_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_UINT64(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_uint64, uint64_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_INT32(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_int32, int32_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_SIZE(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_size, uint64_t, d, ##__VA_ARGS__)
#define DEFINE_PROP_ON_OFF_AUTO(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_on_off_auto, OnOffAuto, d, ##__VA_ARGS__)
#define DEFINE_PROP_BIT(n, s, f, bit, d)                                \
    DEFINE_PROP(n, s, f, qdev_prop_bit, uint32_t, .bitnr = (bit),       \
                .set_default = true, .defval = (d))
#define DEFINE_PROP_STRING(n, s, f, ...) \
    DEFINE_PROP(n, s, f, qdev_prop_string, char *, ##__VA_ARGS__)
/* The id of a -drive or the node name of a -blockdev. */
#define DEFINE_PROP_DRIVE(n, s, f, ...) \
    DEFINE_PROP(n, s, f, qdev_prop_drive, BlockBackend *, ##__VA_ARGS__)
/* The id of a -chardev. */
#define DEFINE_PROP_CHR(n, s, f, ...) \
    DEFINE_PROP(n, s, f, qdev_prop_chr, Chardev *, ##__VA_ARGS__)
#define DEFINE_PROP_LINK(n, s, f, t, ptr)                               \
    DEFINE_PROP(n, s, f, qdev_prop_link, ptr, .link_type = (t))
/* "slot[.function]" in hexadecimal; -1 takes a free slot. */
#define DEFINE_PROP_PCI_DEVFN(n, s, f, d, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_pci_devfn, int32_t, d, ##__VA_ARGS__)
/* A descriptor by number, or by the name that getfd gave it; the property
 * owns it.  Default -1. */
#define DEFINE_PROP_FD(n, s, f, ...) \
    DEFINE_PROP_DEF(n, s, f, qdev_prop_fd, int, -1, ##__VA_ARGS__)

/* What qdev_prop_fd's setter does, for objects that are no devices: the
 * descriptor, close-on-exec, for the caller to own, or -1 with @errp.  A number
 * whose descriptor is close-on-exec already has an owner and is refused. */
int qdev_fd_from_json(JsonNode *value, const char *name, Error **errp);
/* How a descriptor is had by its name (set by the monitor): the caller owns it
 * and the name is forgotten; or -1 with @errp. */
extern int (*qdev_fd_lookup)(const char *name, Error **errp);

/* Programmers' setters before realize: a failure is a bug and aborts. */
void qdev_prop_set_bit(DeviceState *dev, const char *name, bool value);
void qdev_prop_set_uint8(DeviceState *dev, const char *name, uint8_t value);
void qdev_prop_set_uint16(DeviceState *dev, const char *name, uint16_t value);
void qdev_prop_set_uint32(DeviceState *dev, const char *name, uint32_t value);
void qdev_prop_set_uint64(DeviceState *dev, const char *name, uint64_t value);
void qdev_prop_set_int32(DeviceState *dev, const char *name, int32_t value);
void qdev_prop_set_string(DeviceState *dev, const char *name,
                          const char *value);
void qdev_prop_set_chr(DeviceState *dev, const char *name, Chardev *value);
bool qdev_prop_set_drive_err(DeviceState *dev, const char *name,
                             BlockBackend *value, Error **errp);

/* -global DRIVER.PROP=VALUE; applied by qdev_new to @driver and its children. */
bool qdev_prop_register_global(const char *driver, const char *prop,
                               const char *value, Error **errp);
/* Warns of each -global that named no property of a device made. */
void qdev_prop_check_globals(void);

#endif
