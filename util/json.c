/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON text (RFC 8259) to and from json-glib's trees.
 *
 * json-glib's own reader and writer are not used.  Its reader takes what is
 * not JSON for something else than was meant (010 is 8, 18446744073709551615
 * is -1, "\300" is half a character) and goes as deep as the text says; its
 * writer makes 3e-09.0 of a small number, which is no JSON.
 */
#include "qemu/osdep.h"
#include <math.h>
#include "qapi/error.h"
#include "qemu/option.h"

/* Reading, writing and freeing a tree all recurse. */
#define JSON_MAX_DEPTH 1024

#define DIGITS "0123456789"

typedef struct JsonInput {
    const char *text, *p;
    unsigned depth;
    Error **errp;
} JsonInput;

static JsonNode *read_value(JsonInput *r);

static bool wrong(JsonInput *r, const char *what)
{
    error_setg(r->errp, "JSON parse error, %s at byte %zu", what,
               (size_t)(r->p - r->text));
    return false;
}

static void skip_space(JsonInput *r)
{
    r->p += strspn(r->p, " \t\r\n");
}

/* Takes @c, after white space, if it is what comes next. */
static bool take(JsonInput *r, char c)
{
    skip_space(r);
    if (*r->p != c) {
        return false;
    }
    r->p++;
    return true;
}

/* -- Strings (section 7) --------------------------------------------------- */

static bool read_hex(JsonInput *r, gunichar *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        if (!g_ascii_isxdigit(*r->p)) {
            return wrong(r, "\\u without four hexadecimal digits");
        }
        *out = *out << 4 | g_ascii_xdigit_value(*r->p);
    }
    return true;
}

/* Behind "\u".  What is beyond 16 bits comes as two halves. */
static bool read_unicode(JsonInput *r, GString *out)
{
    gunichar c, low;

    if (!read_hex(r, &c)) {
        return false;
    }
    if (c >= 0xd800 && c < 0xdc00 && g_str_has_prefix(r->p, "\\u")) {
        r->p += 2;
        if (!read_hex(r, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return wrong(r, "half of a character in a string");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!c || !g_unichar_validate(c)) {
        return wrong(r, c ? "half of a character in a string"
                          : "U+0000 in a string");
    }
    g_string_append_unichar(out, c);
    return true;
}

static bool read_escape(JsonInput *r, GString *out)
{
    static const char names[] = "\"\\/'bfnrt", meant[] = "\"\\/'\b\f\n\r\t";
    const char *name = *r->p ? strchr(names, *r->p) : NULL;

    if (*r->p == 'u') {
        r->p++;
        return read_unicode(r, out);
    }
    if (!name) {
        return wrong(r, "an unknown escape in a string");
    }
    g_string_append_c(out, meant[name - names]);
    r->p++;
    return true;
}

/* NULL after an error. */
static char *read_string(JsonInput *r)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char quote = *r->p++;

    while (*r->p != quote) {
        if (*r->p == '\\') {
            r->p++;
            if (!read_escape(r, out)) {
                return NULL;
            }
        } else if ((unsigned char)*r->p >= ' ') {
            g_string_append_c(out, *r->p++);
        } else {
            wrong(r, *r->p ? "a control character in a string"
                           : "a string without end");
            return NULL;
        }
    }
    r->p++;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* -- Numbers (section 6) --------------------------------------------------- */

static bool skip_digits(const char **p)
{
    size_t n = strspn(*p, DIGITS);

    *p += n;
    return n > 0;
}

static JsonNode *read_number(JsonInput *r)
{
    const char *p = r->p + (*r->p == '-');
    bool whole = true, ok = true;
    int64_t integer;
    double real;

    if (*p == '0') {
        p++;
    } else {
        ok = skip_digits(&p);
    }
    if (ok && *p == '.') {
        p++;
        whole = false;
        ok = skip_digits(&p);
    }
    if (ok && (*p == 'e' || *p == 'E')) {
        p++;
        p += *p == '-' || *p == '+';
        whole = false;
        ok = skip_digits(&p);
    }
    if (!ok) {
        r->p = p;
        wrong(r, "a digit is missing");
        return NULL;
    }
    errno = 0;
    integer = g_ascii_strtoll(r->p, NULL, 10);
    if (whole && !errno) {
        r->p = p;
        return json_node_init_int(json_node_alloc(), integer);
    }
    real = g_ascii_strtod(r->p, NULL);
    if (!isfinite(real)) {
        wrong(r, "a number is too large");
        return NULL;
    }
    r->p = p;
    return json_node_init_double(json_node_alloc(), real);
}

/* -- Objects, arrays and the rest (sections 3 to 5) ------------------------ */

static JsonNode *read_object(JsonInput *r)
{
    g_autoptr(JsonObject) object = json_object_new();

    if (!take(r, '}')) {
        do {
            g_autofree char *name = NULL;
            JsonNode *value;

            skip_space(r);
            if (*r->p != '"' && *r->p != '\'') {
                wrong(r, "a member's name, a string, is missing");
                return NULL;
            }
            name = read_string(r);
            if (!name) {
                return NULL;
            }
            if (json_object_has_member(object, name)) {
                wrong(r, "an object has two members of one name");
                return NULL;
            }
            if (!take(r, ':')) {
                wrong(r, "':' is missing");
                return NULL;
            }
            value = read_value(r);
            if (!value) {
                return NULL;
            }
            json_object_set_member(object, name, value);
        } while (take(r, ','));
        if (!take(r, '}')) {
            wrong(r, "',' or '}' is missing");
            return NULL;
        }
    }
    return json_node_init_object(json_node_alloc(), object);
}

static JsonNode *read_array(JsonInput *r)
{
    g_autoptr(JsonArray) array = json_array_new();

    if (!take(r, ']')) {
        do {
            JsonNode *value = read_value(r);

            if (!value) {
                return NULL;
            }
            json_array_add_element(array, value);
        } while (take(r, ','));
        if (!take(r, ']')) {
            wrong(r, "',' or ']' is missing");
            return NULL;
        }
    }
    return json_node_init_array(json_node_alloc(), array);
}

static JsonNode *read_nested(JsonInput *r)
{
    JsonNode *node = NULL;

    if (++r->depth > JSON_MAX_DEPTH) {
        wrong(r, "the text is nested deeper than "
                 G_STRINGIFY(JSON_MAX_DEPTH));
    } else if (take(r, '{')) {
        node = read_object(r);
    } else {
        r->p++;
        node = read_array(r);
    }
    r->depth--;
    return node;
}

static bool take_word(JsonInput *r, const char *word)
{
    if (!g_str_has_prefix(r->p, word)) {
        return false;
    }
    r->p += strlen(word);
    return true;
}

/* NULL after an error. */
static JsonNode *read_value(JsonInput *r)
{
    skip_space(r);
    if (*r->p == '{' || *r->p == '[') {
        return read_nested(r);
    }
    if (*r->p == '"' || *r->p == '\'') {
        g_autofree char *string = read_string(r);

        return string ? json_node_init_string(json_node_alloc(), string)
                      : NULL;
    }
    if (*r->p == '-' || g_ascii_isdigit(*r->p)) {
        return read_number(r);
    }
    if (take_word(r, "true")) {
        return json_node_init_boolean(json_node_alloc(), true);
    }
    if (take_word(r, "false")) {
        return json_node_init_boolean(json_node_alloc(), false);
    }
    if (take_word(r, "null")) {
        return json_node_init_null(json_node_alloc());
    }
    wrong(r, "a value is missing");
    return NULL;
}

JsonNode *json_parse(const char *text, Error **errp)
{
    JsonInput r = { .text = text, .p = text, .errp = errp };
    g_autoptr(JsonNode) root = NULL;

    if (!g_utf8_validate(text, -1, &r.p)) {
        wrong(&r, "the text is not UTF-8");
        return NULL;
    }
    r.p = text;
    root = read_value(&r);
    if (!root) {
        return NULL;
    }
    skip_space(&r);
    if (*r.p) {
        wrong(&r, "text behind the value");
        return NULL;
    }
    return g_steal_pointer(&root);
}

/* -- Writing --------------------------------------------------------------- */

static void write_string(GString *out, const char *string)
{
    g_autofree char *valid = NULL;

    if (!g_utf8_validate(string, -1, NULL)) {
        string = valid = g_utf8_make_valid(string, -1);
    }
    g_string_append_c(out, '"');
    for (; *string; string++) {
        if (*string == '"' || *string == '\\') {
            g_string_append_c(out, '\\');
        }
        if ((unsigned char)*string < ' ') {
            g_string_append_printf(out, "\\u%04x", *string);
        } else {
            g_string_append_c(out, *string);
        }
    }
    g_string_append_c(out, '"');
}

static void write_scalar(GString *out, JsonNode *node)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    switch (json_node_get_value_type(node)) {
    case G_TYPE_STRING:
        write_string(out, json_node_get_string(node));
        break;
    case G_TYPE_BOOLEAN:
        g_string_append(out, json_node_get_boolean(node) ? "true" : "false");
        break;
    case G_TYPE_DOUBLE:
        /* With a point, so that it is read as a double again. */
        g_ascii_dtostr(number, sizeof(number), json_node_get_double(node));
        g_string_append(out, number);
        if (!strpbrk(number, ".e")) {
            g_string_append(out, ".0");
        }
        break;
    default:
        g_string_append_printf(out, "%" PRId64,
                               (int64_t)json_node_get_int(node));
        break;
    }
}

/* The next line if @indent, the depth of what comes, is not negative. */
static void write_break(GString *out, int indent)
{
    if (indent >= 0) {
        g_string_append_printf(out, "\n%*s", indent * 4, "");
    }
}

static void write_node(GString *out, JsonNode *node, int indent)
{
    int inner = indent < 0 ? indent : indent + 1;
    const char *between = "", *name;
    JsonObjectIter members;

    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        g_string_append_c(out, '{');
        json_object_iter_init_ordered(&members, json_node_get_object(node));
        while (json_object_iter_next_ordered(&members, &name, &node)) {
            g_string_append(out, between);
            write_break(out, inner);
            write_string(out, name);
            g_string_append(out, indent < 0 ? ":" : ": ");
            write_node(out, node, inner);
            between = ",";
        }
        if (*between) {
            write_break(out, indent);
        }
        g_string_append_c(out, '}');
        break;
    case JSON_NODE_ARRAY: {
        JsonArray *array = json_node_get_array(node);

        g_string_append_c(out, '[');
        for (guint i = 0; i < json_array_get_length(array); i++) {
            g_string_append(out, between);
            write_break(out, inner);
            write_node(out, json_array_get_element(array, i), inner);
            between = ",";
        }
        if (*between) {
            write_break(out, indent);
        }
        g_string_append_c(out, ']');
        break;
    }
    case JSON_NODE_NULL:
        g_string_append(out, "null");
        break;
    default:
        write_scalar(out, node);
        break;
    }
}

char *json_text(JsonNode *node, bool pretty)
{
    GString *out = g_string_new(NULL);

    write_node(out, node, pretty ? 0 : -1);
    return g_string_free(out, FALSE);
}
