/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -smbios: what the operator says instead of the machine's own words, by type
 * and field or as a whole structure from a file (DMTF DSP0134, 2.8).
 */
#include "qemu/osdep.h"
#include "hw/i386/smbios.h"
#include "qemu/option.h"
#include "system/system.h"

#define FILE_MAX (64 * KiB - 1)
#define END_OF_TABLE 127

enum Kind { TEXT, NUMBER16, RELEASE, ONOFF, UUID };

static const struct {
    uint8_t type;
    enum Kind kind;
    const char *name;
} fields[SMBIOS_FIELDS] = {
    [SMBIOS_0_VENDOR] = { 0, TEXT, "vendor" },
    [SMBIOS_0_VERSION] = { 0, TEXT, "version" },
    [SMBIOS_0_DATE] = { 0, TEXT, "date" },
    [SMBIOS_0_RELEASE] = { 0, RELEASE, "release" },
    [SMBIOS_0_UEFI] = { 0, ONOFF, "uefi" },
    [SMBIOS_1_MANUFACTURER] = { 1, TEXT, "manufacturer" },
    [SMBIOS_1_PRODUCT] = { 1, TEXT, "product" },
    [SMBIOS_1_VERSION] = { 1, TEXT, "version" },
    [SMBIOS_1_SERIAL] = { 1, TEXT, "serial" },
    [SMBIOS_1_UUID] = { 1, UUID, "uuid" },
    [SMBIOS_1_SKU] = { 1, TEXT, "sku" },
    [SMBIOS_1_FAMILY] = { 1, TEXT, "family" },
    [SMBIOS_2_MANUFACTURER] = { 2, TEXT, "manufacturer" },
    [SMBIOS_2_PRODUCT] = { 2, TEXT, "product" },
    [SMBIOS_2_VERSION] = { 2, TEXT, "version" },
    [SMBIOS_2_SERIAL] = { 2, TEXT, "serial" },
    [SMBIOS_2_ASSET] = { 2, TEXT, "asset" },
    [SMBIOS_2_LOCATION] = { 2, TEXT, "location" },
    [SMBIOS_3_MANUFACTURER] = { 3, TEXT, "manufacturer" },
    [SMBIOS_3_VERSION] = { 3, TEXT, "version" },
    [SMBIOS_3_SERIAL] = { 3, TEXT, "serial" },
    [SMBIOS_3_ASSET] = { 3, TEXT, "asset" },
    [SMBIOS_3_SKU] = { 3, TEXT, "sku" },
    [SMBIOS_4_SOCKET] = { 4, TEXT, "sock_pfx" },
    [SMBIOS_4_MANUFACTURER] = { 4, TEXT, "manufacturer" },
    [SMBIOS_4_VERSION] = { 4, TEXT, "version" },
    [SMBIOS_4_SERIAL] = { 4, TEXT, "serial" },
    [SMBIOS_4_ASSET] = { 4, TEXT, "asset" },
    [SMBIOS_4_PART] = { 4, TEXT, "part" },
    [SMBIOS_4_MAX_SPEED] = { 4, NUMBER16, "max-speed" },
    [SMBIOS_4_SPEED] = { 4, NUMBER16, "current-speed" },
    [SMBIOS_17_LOCATOR] = { 17, TEXT, "loc_pfx" },
    [SMBIOS_17_BANK] = { 17, TEXT, "bank" },
    [SMBIOS_17_MANUFACTURER] = { 17, TEXT, "manufacturer" },
    [SMBIOS_17_SERIAL] = { 17, TEXT, "serial" },
    [SMBIOS_17_ASSET] = { 17, TEXT, "asset" },
    [SMBIOS_17_PART] = { 17, TEXT, "part" },
    [SMBIOS_17_SPEED] = { 17, NUMBER16, "speed" },
};

/* One UUID for the machine, whichever option says it. */
static bool check_uuid(const char *value, Error **errp)
{
    uint8_t ignored[16];

    if (!uuid_parse(value, ignored)) {
        error_setg(errp, "'%s' is not a UUID, such as "
                   "550e8400-e29b-41d4-a716-446655440000", value);
        return false;
    }
    if (qemu_uuid && g_ascii_strcasecmp(qemu_uuid, value)) {
        error_setg(errp, "uuid=%s: -uuid says %s", value, qemu_uuid);
        return false;
    }
    if (!qemu_uuid) {
        qemu_uuid = g_strdup(value);
    }
    return true;
}

static bool check_value(SMBIOSField f, const char *value, Error **errp)
{
    uint8_t ignored;
    uint64_t number;
    bool flag;

    switch (fields[f].kind) {
    case NUMBER16:
        return qemu_parse_uint(fields[f].name, value, UINT16_MAX, &number,
                               errp);
    case ONOFF:
        return qemu_parse_bool(fields[f].name, value, &flag, errp);
    case UUID:
        return check_uuid(value, errp);
    case RELEASE:
        if (!smbios_parse_release(value, &ignored, &ignored)) {
            error_setg(errp, "release=%s: expects MAJOR.MINOR, each up to 255",
                       value);
            return false;
        }
        return true;
    default:
        return true;
    }
}

static bool add_fields(SMBIOSUser *user, uint8_t type, JsonObject *opts,
                       Error **errp)
{
    g_autofree char *what = g_strdup_printf("-smbios type=%u", type);
    const char *known[SMBIOS_FIELDS + 1];
    int n = 0;

    for (int f = 0; f < SMBIOS_FIELDS; f++) {
        g_autofree char *value = NULL;

        if (fields[f].type != type) {
            continue;
        }
        known[n++] = fields[f].name;
        if (!keyval_take_str(opts, fields[f].name, &value, errp) ||
            (value && !check_value(f, value, errp))) {
            return false;
        }
        if (value) {
            g_free(user->text[f]);
            user->text[f] = g_steal_pointer(&value);
        }
    }
    known[n] = NULL;
    if (!n) {
        error_setg(errp, "type=%u: there are 0, 1, 2, 3, 4 and 17; others come "
                   "from a file", type);
        return false;
    }
    return keyval_check_empty(opts, what, known, errp);
}

/* Exactly one structure: what is formatted, then texts, each ended by a zero,
 * then one more zero. */
static bool check_structure(const uint8_t *p, size_t len)
{
    size_t at = len > 4 && p[1] >= 4 && p[1] + 2 <= len ? p[1] : len;

    if (at == len || p[0] == END_OF_TABLE) {
        return false;
    }
    while (at + 1 < len && (p[at] || p[at + 1])) {
        at++;
    }
    return at + 2 == len;
}

static bool add_file(SMBIOSUser *user, const char *name, Error **errp)
{
    g_autofree char *data = NULL;
    gsize len;

    if (!file_of_option(name, FILE_MAX, &data, &len, errp)) {
        return false;
    }
    if (!check_structure((uint8_t *)data, len)) {
        error_setg(errp, "'%s': is not one SMBIOS structure with its texts and "
                   "the two zeros that end it", name);
        return false;
    }
    g_ptr_array_add(user->structures, g_bytes_new(data, len));
    user->replaced[(uint8_t)data[0]] = true;
    return true;
}

bool smbios_user_add(SMBIOSUser *user, JsonObject *opts, Error **errp)
{
    g_autofree char *file = NULL;
    uint64_t type = UINT64_MAX;

    if (!user->structures) {
        user->structures =
            g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    }
    if (!keyval_take_str(opts, "file", &file, errp)) {
        return false;
    }
    if (file) {
        return keyval_check_empty(opts, "-smbios file=", NULL, errp) &&
               add_file(user, file, errp);
    }
    if (!keyval_take_uint(opts, "type", UINT8_MAX, &type, errp)) {
        return false;
    }
    if (type == UINT64_MAX) {
        error_setg(errp, "expects type=N,FIELD=VALUE... or file=FILE");
        return false;
    }
    return add_fields(user, type, opts, errp);
}

void smbios_user_clear(SMBIOSUser *user)
{
    for (int f = 0; f < SMBIOS_FIELDS; f++) {
        g_free(user->text[f]);
    }
    if (user->structures) {
        g_ptr_array_unref(user->structures);
    }
    memset(user, 0, sizeof(*user));
}
