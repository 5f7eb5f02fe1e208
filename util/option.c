/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as the operator writes them: booleans, numbers, sizes, ids, files; and
 * the guess at what a misspelt word should have been.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/option.h"

bool qemu_parse_bool(const char *name, const char *value, bool *out,
                     Error **errp)
{
    static const char *const yes[] = { "on", "yes", "true", "y", NULL };
    static const char *const no[] = { "off", "no", "false", "n", NULL };

    if (g_strv_contains(yes, value)) {
        *out = true;
    } else if (g_strv_contains(no, value)) {
        *out = false;
    } else {
        error_setg(errp, "Parameter '%s' expects 'on' or 'off'", name);
        return false;
    }
    return true;
}

/* All of @s as a number of base 10, 16 ("0x") or 8 ("0"), no sign. */
static bool parse_digits(const char *s, uint64_t *out)
{
    char *end;

    if (!g_ascii_isdigit(*s)) {
        return false;
    }
    errno = 0;
    *out = g_ascii_strtoull(s, &end, 0);
    return errno == 0 && *end == '\0';
}

bool qemu_parse_int(const char *name, const char *value, int64_t min,
                    int64_t max, int64_t *out, Error **errp)
{
    bool negative = value[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t digits;
    int64_t result;

    if (parse_digits(value + negative, &digits) && digits <= limit) {
        result = negative ? (int64_t)-digits : (int64_t)digits;
        if (result >= min && result <= max) {
            *out = result;
            return true;
        }
    }
    error_setg(errp, "Parameter '%s' expects a number from %" PRId64
               " to %" PRId64 ", not '%s'", name, min, max, value);
    return false;
}

bool qemu_parse_uint(const char *name, const char *value, uint64_t max,
                     uint64_t *out, Error **errp)
{
    uint64_t result;

    if (parse_digits(value, &result) && result <= max) {
        *out = result;
        return true;
    }
    error_setg(errp, "Parameter '%s' expects a number from 0 to %" PRIu64
               ", not '%s'", name, max, value);
    return false;
}

/* The factor of a unit letter, 0 if it is none. */
static uint64_t unit_factor(char c)
{
    static const char units[] = "BKMGTPE";
    const char *at = c ? strchr(units, g_ascii_toupper(c)) : NULL;

    return at ? 1ULL << (10 * (at - units)) : 0;
}

/* Digits, a fraction perhaps ("1.5G"), a unit perhaps. */
static bool parse_size(const char *s, uint64_t unit, uint64_t *out)
{
    uint64_t whole, bytes, part = 0;
    double fraction = 0;
    char *end;

    if (!g_ascii_isdigit(*s)) {
        return false;
    }
    errno = 0;
    whole = g_ascii_strtoull(s, &end, g_ascii_strncasecmp(s, "0x", 2) ? 10
                                                                      : 16);
    if (errno) {
        return false;
    }
    if (*end == '.') {
        double scale = 0.1;

        for (end++; g_ascii_isdigit(*end); end++, scale /= 10) {
            fraction += (*end - '0') * scale;
        }
    }
    if (*end) {
        unit = unit_factor(*end++);
        if (!unit || *end) {
            return false;
        }
    }
    if (fraction > 0) {
        if (unit == 1) {
            return false;           /* part of a byte */
        }
        part = fraction * unit;
    }
    return !__builtin_mul_overflow(whole, unit, &bytes) &&
           !__builtin_add_overflow(bytes, part, out);
}

bool qemu_parse_size(const char *name, const char *value,
                     uint64_t default_unit, uint64_t *out, Error **errp)
{
    uint64_t result;

    if (parse_size(value, default_unit, &result)) {
        *out = result;
        return true;
    }
    error_setg(errp, "Parameter '%s' expects a size below 2^64 such as "
               "512M or 1.5G, not '%s'", name, value);
    return false;
}

/*
 * How many letters to insert, drop, replace or swap with their neighbour to
 * make @b of @a; both short.
 */
static size_t edit_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), w = lb + 1;
    g_autofree size_t *d = g_new(size_t, (la + 1) * w);

    for (size_t i = 0; i <= la; i++) {
        for (size_t j = 0; j <= lb; j++) {
            size_t best;

            if (!i || !j) {
                d[i * w + j] = i + j;
                continue;
            }
            best = d[(i - 1) * w + j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, d[(i - 1) * w + j] + 1);
            best = MIN(best, d[i * w + j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                best = MIN(best, d[(i - 2) * w + j - 2] + 1);
            }
            d[i * w + j] = best;
        }
    }
    return d[la * w + lb];
}

const char *nearest_spelling(const char *word, const char *const *known)
{
    size_t length = strlen(word);
    size_t limit = length < 3 ? 1 : length / 3;
    const char *best = NULL;

    if (length > 64) {
        return NULL;
    }
    for (; *known; known++) {
        size_t distance = edit_distance(word, *known);

        /* A distance as long as the candidate is no likeness at all. */
        if (distance < strlen(*known) &&
            (distance < limit || (distance == limit && !best))) {
            limit = distance;
            best = *known;
        }
    }
    return best;
}

bool id_wellformed(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    for (id++; *id; id++) {
        if (!g_ascii_isalnum(*id) && !strchr("-._", *id)) {
            return false;
        }
    }
    return true;
}

bool file_of_option(const char *path, uint64_t max, char **data, gsize *len,
                    Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    struct stat st;

    if (stat(path, &st) < 0) {
        error_setg_errno(errp, errno, "'%s'", path);
        return false;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > max) {
        error_setg(errp, "'%s': expects a regular file of at most %" PRIu64
                   " bytes", path, max);
        return false;
    }
    if (!g_file_get_contents(path, data, len, &gerr)) {
        error_setg(errp, "'%s': %s", path, gerr->message);
        return false;
    }
    return true;
}
