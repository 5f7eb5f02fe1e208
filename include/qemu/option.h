/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options: "a=b,c.d=e" and its JSON form become one thing, a
 * JsonObject (json-glib).  Values that came as key=value are strings, and
 * whoever reads them converts; "a.b=c" nests.  "" before "," is doubled as in
 * upstream ("a=x,,y" is the value "x,y").  A bare "a" is "a=on", a bare "noa"
 * is "a=off"; of a key given twice the last counts.
 */
#ifndef QEMU_OPTION_H
#define QEMU_OPTION_H

#include <json-glib/json-glib.h>

/* "help" or "?" instead of an argument. */
bool is_help(const char *arg);

/**
 * keyval_parse - parse an option's argument.
 * @str: key=value list, or a JSON object when it begins with '{'
 * @implied_key: key of a first element without '=', or NULL
 * @help: set to true when "help" or "?" stands alone as an element; NULL: it
 *        is an error
 *
 * Returns a new object, or NULL with @errp set.
 */
JsonObject *keyval_parse(const char *str, const char *implied_key, bool *help,
                         Error **errp);
/* For options whose dots do not nest ("file=x,file.locking=off" of -drive):
 * members are named "file" and "file.locking".  Never JSON. */
JsonObject *keyval_parse_flat(const char *str, const char *implied_key,
                              bool *help, Error **errp);

/*
 * A reader that takes members out of @opts: what is left when the reader ends
 * was unknown, and keyval_check_empty() refuses it by name with the nearest
 * right spelling from @known (NULL-terminated, may be NULL).
 * Take functions return false with @errp set on a bad value; a missing member
 * leaves *out alone and returns true.
 */
bool keyval_take_str(JsonObject *opts, const char *key, char **out,
                     Error **errp);
bool keyval_take_bool(JsonObject *opts, const char *key, bool *out,
                      Error **errp);
bool keyval_take_uint(JsonObject *opts, const char *key, uint64_t max,
                      uint64_t *out, Error **errp);
/* With suffixes k M G T; without one, bytes times @default_unit. */
bool keyval_take_size(JsonObject *opts, const char *key,
                      uint64_t default_unit, uint64_t *out, Error **errp);
bool keyval_check_empty(JsonObject *opts, const char *what,
                        const char *const *known, Error **errp);

/* Conversions used by properties too.  False with @errp set: "Parameter 'X'
 * expects ..." */
bool qemu_parse_bool(const char *name, const char *value, bool *out,
                     Error **errp);
bool qemu_parse_int(const char *name, const char *value, int64_t min,
                    int64_t max, int64_t *out, Error **errp);
bool qemu_parse_uint(const char *name, const char *value, uint64_t max,
                     uint64_t *out, Error **errp);
bool qemu_parse_size(const char *name, const char *value,
                     uint64_t default_unit, uint64_t *out, Error **errp);

/* The entry of NULL-terminated @known nearest to @word, or NULL if none is
 * near enough to be meant. */
const char *nearest_spelling(const char *word, const char *const *known);

/* All of a regular file of at most @max bytes, for g_free(). */
bool file_of_option(const char *path, uint64_t max, char **data, gsize *len,
                    Error **errp);

/* Valid for an id: letter first, then letters, digits, '-', '.', '_'. */
bool id_wellformed(const char *id);

/**
 * json_parse: the tree of @text, or NULL with @errp
 *
 * RFC 8259 and nothing more, but that strings may stand in single quotes as
 * well, as people write them for shells, and may have \' in them.  What a tree could not hold is an
 * error: a name twice in an object, U+0000, numbers beyond a double's range.
 * Whole numbers that fit are int64_t, all others double.
 */
JsonNode *json_parse(const char *text, Error **errp);

/* @node as one line or, if @pretty, one member a line; for g_free().  Bytes of
 * a string that are not UTF-8 become U+FFFD. */
char *json_text(JsonNode *node, bool pretty);

#endif
