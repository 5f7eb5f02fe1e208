/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret: a key or a password, from -object's own text or a file, raw or in
 * base64.  Secrets that are encrypted by another one (keyid, iv) are not here.
 * Management makes one for each machine, to hand over further ones by it.
 */
#include "qemu/osdep.h"
#include "qom/object.h"

#define SECRET_MAX (64 * KiB)

typedef struct Secret {
    Object parent_obj;
    char *data, *file;
    bool base64;
    uint8_t *value;
    gsize len;
} Secret;
#define TYPE_SECRET "secret"
DECLARE_INSTANCE_CHECKER(Secret, SECRET, TYPE_SECRET)

static void forget(void *bytes, gsize len)
{
    if (bytes) {
        explicit_bzero(bytes, len);
        g_free(bytes);
    }
}

static bool decode(Secret *s, char *text, gsize len, Error **errp)
{
    if (!s->base64) {
        s->value = g_memdup2(text, len);
        s->len = len;
        return true;
    }
    s->value = g_base64_decode(text, &s->len);
    if (!s->value || (!s->len && *text)) {
        error_setg(errp, "secret: not valid base64");
        return false;
    }
    return true;
}

static bool secret_complete(UserCreatable *uc, Error **errp)
{
    Secret *s = SECRET(uc);
    g_autoptr(GError) gerr = NULL;
    char *text = NULL;
    gsize len;
    bool ok;

    if (!s->data == !s->file) {
        error_setg(errp, "secret: give either 'data' or 'file'");
        return false;
    }
    if (s->data) {
        return decode(s, s->data, strlen(s->data), errp);
    }
    if (!g_file_get_contents(s->file, &text, &len, &gerr)) {
        error_setg(errp, "secret: %s", gerr->message);
        return false;
    }
    ok = len <= SECRET_MAX;
    if (!ok) {
        error_setg(errp, "secret: '%s' is longer than %llu bytes", s->file,
                   (unsigned long long)SECRET_MAX);
    } else {
        ok = decode(s, text, len, errp);
    }
    forget(text, len);
    return ok;
}

static void secret_finalize(Object *obj)
{
    Secret *s = SECRET(obj);

    forget(s->value, s->len);
    forget(s->data, s->data ? strlen(s->data) : 0);
    g_free(s->file);
}

/* It is set, and never told again. */
static char *get_nothing(Object *obj, Error **errp)
{
    error_setg(errp, "a secret is not shown");
    return NULL;
}

static bool set_data(Object *obj, const char *value, Error **errp)
{
    Secret *s = SECRET(obj);

    forget(s->data, s->data ? strlen(s->data) : 0);
    s->data = g_strdup(value);
    return true;
}

static char *get_file(Object *obj, Error **errp)
{
    return g_strdup(SECRET(obj)->file);
}

static bool set_file(Object *obj, const char *value, Error **errp)
{
    Secret *s = SECRET(obj);

    g_free(s->file);
    s->file = g_strdup(value);
    return true;
}

static char *get_format(Object *obj, Error **errp)
{
    return g_strdup(SECRET(obj)->base64 ? "base64" : "raw");
}

static bool set_format(Object *obj, const char *value, Error **errp)
{
    if (strcmp(value, "raw") && strcmp(value, "base64")) {
        error_setg(errp, "Parameter 'format' must be 'raw' or 'base64', not "
                   "'%s'", value);
        return false;
    }
    SECRET(obj)->base64 = !strcmp(value, "base64");
    return true;
}

static void secret_class_init(ObjectClass *klass, void *data)
{
    USER_CREATABLE_CLASS(klass)->complete = secret_complete;
    object_class_property_add_str(klass, "data", get_nothing, set_data);
    object_class_property_set_description(klass, "data", "the secret itself");
    object_class_property_add_str(klass, "file", get_file, set_file);
    object_class_property_set_description(klass, "file", "where it is");
    object_class_property_add_str(klass, "format", get_format, set_format);
    object_class_property_set_description(klass, "format", "raw or base64");
}

static const TypeInfo secret_types[] = {
    {
        .name = TYPE_SECRET,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(Secret),
        .instance_finalize = secret_finalize,
        .class_init = secret_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { } },
    },
};
DEFINE_TYPES(secret_types)
