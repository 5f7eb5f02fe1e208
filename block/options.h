/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What -drive and -blockdev have in common. */
#ifndef BLOCK_OPTIONS_H
#define BLOCK_OPTIONS_H

#include "block/block-int.h"

typedef struct BlockNodeOptions {
    char *driver, *node_name;
    char *filename;             /* file, host_device */
    char *child;                /* raw: a node's name */
    bool read_only, auto_read_only;
    bool direct, no_flush, discard;
    bool locking;
    BlockAio aio;
    uint64_t size;              /* null-co */
    bool read_zeroes;
    uint64_t latency_ns;
} BlockNodeOptions;

void block_node_options_clear(BlockNodeOptions *o);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BlockNodeOptions, block_node_options_clear)

/* Copies members of @from, "a": {"b": 1} as "a.b". */
void block_flatten(JsonObject *from, const char *prefix, JsonObject *to);
/* One of @values (NULL-terminated); *@index is left alone if missing. */
bool block_take_choice(JsonObject *flat, const char *key,
                       const char *const *values, int *index, Error **errp);
/* An option whose only value here is "off". */
bool block_take_off(JsonObject *flat, const char *key, Error **errp);
/* The options of any node, named with @prefix ("" or "file.") before them. */
bool block_take_common(JsonObject *flat, const char *prefix,
                       BlockNodeOptions *o, Error **errp);
/* Those of o->driver: file, host_device or null-co. */
bool block_take_protocol(JsonObject *flat, const char *prefix,
                         BlockNodeOptions *o, Error **errp);
/* Sets @errp: what option @key says is not one of @choices.  Returns false. */
bool block_unknown_driver(const char *key, const char *driver,
                          const char *choices, Error **errp);
/* A raw node named @name (may be NULL) over a new node as @co says. */
BlockBackend *block_make_raw(const BlockNodeOptions *o, const char *name,
                             const BlockNodeOptions *co, Error **errp);

#endif
