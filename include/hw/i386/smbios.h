/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables for firmware, which places them and adds its own. */
#ifndef HW_I386_SMBIOS_H
#define HW_I386_SMBIOS_H

#include <json-glib/json-glib.h>
#include "qapi/error.h"

#define SMBIOS_ANCHOR_SIZE 31

/* What -smbios may say, by type. */
typedef enum SMBIOSField {
    SMBIOS_0_VENDOR, SMBIOS_0_VERSION, SMBIOS_0_DATE,
    SMBIOS_0_RELEASE, SMBIOS_0_UEFI, SMBIOS_1_MANUFACTURER, SMBIOS_1_PRODUCT,
    SMBIOS_1_VERSION, SMBIOS_1_SERIAL, SMBIOS_1_UUID, SMBIOS_1_SKU,
    SMBIOS_1_FAMILY, SMBIOS_2_MANUFACTURER, SMBIOS_2_PRODUCT, SMBIOS_2_VERSION,
    SMBIOS_2_SERIAL, SMBIOS_2_ASSET, SMBIOS_2_LOCATION, SMBIOS_3_MANUFACTURER,
    SMBIOS_3_VERSION, SMBIOS_3_SERIAL, SMBIOS_3_ASSET, SMBIOS_3_SKU,
    SMBIOS_4_SOCKET, SMBIOS_4_MANUFACTURER, SMBIOS_4_VERSION, SMBIOS_4_SERIAL,
    SMBIOS_4_ASSET, SMBIOS_4_PART, SMBIOS_4_MAX_SPEED, SMBIOS_4_SPEED,
    SMBIOS_17_LOCATOR, SMBIOS_17_BANK, SMBIOS_17_MANUFACTURER,
    SMBIOS_17_SERIAL, SMBIOS_17_ASSET, SMBIOS_17_PART, SMBIOS_17_SPEED,
    SMBIOS_FIELDS
} SMBIOSField;

typedef struct SMBIOSUser {
    char *text[SMBIOS_FIELDS];      /* checked; NULL: not said */
    GPtrArray *structures;          /* of GBytes: whole ones; or NULL */
    bool replaced[256];             /* types of those */
} SMBIOSUser;

/* One -smbios more: "type" and fields, or "file".  Sets qemu_uuid by the field
 * "uuid". */
bool smbios_user_add(SMBIOSUser *user, JsonObject *opts, Error **errp);
void smbios_user_clear(SMBIOSUser *user);
/* "MAJOR.MINOR", each up to 255. */
bool smbios_parse_release(const char *text, uint8_t *major, uint8_t *minor);

typedef struct SMBIOSConfig {
    const char *manufacturer, *product, *version;
    uint8_t uuid[16];               /* as RFC 4122 has it */
    unsigned sockets, cores, threads;   /* cores, threads: of one socket */
    uint64_t below_4g, above_4g;    /* bytes of RAM */
    const SMBIOSUser *user;         /* or NULL */
} SMBIOSConfig;

/* The structures; @anchor becomes the 2.1 entry point, whose table address
 * and checksums firmware fills in. */
GByteArray *smbios_build(const SMBIOSConfig *cfg,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE]);
/* For a system without firmware: fills in @anchor for tables at @addr. */
void smbios_finish_anchor(uint8_t anchor[SMBIOS_ANCHOR_SIZE], uint32_t addr);
/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to bytes; false: it is none. */
bool uuid_parse(const char *text, uint8_t uuid[16]);

#endif
