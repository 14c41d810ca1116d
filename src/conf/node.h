/* YAML as a small tree in which every node knows where it stands.
 *
 * Only what a configuration needs: scalars, lists, maps with scalar keys, one document. Aliases,
 * anchors, explicit tags and merge keys are refused: they save a few lines in the file and cost the
 * reader of an error message its position (and a hostile list file its billion laughs). A scalar is
 * text; what it means is decided by the option that takes it, so `name: 007` stays `007`.
 *
 * Nodes and their texts live in the caller's arena and are read-only.
 */
#ifndef PINWATCH_CONF_NODE_H
#define PINWATCH_CONF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/sv.h"

#define NODE_MAX_DEPTH 16
#define NODE_MAX_NODES 500000u
#define NODE_MAX_KEYS 256u /* of one map */
#define NODE_MAX_BYTES (16u * 1024u * 1024u)

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool flow;	  /* written with brackets or braces */
	const char *file; /* as an error message names it */
	uint32_t line;	  /* 1-based; 0 where there are no lines: --set */
	uint32_t column;  /* 1-based, in characters */
	struct sv text;	  /* NODE_SCALAR */
	struct sv key;	  /* of a member of a map, else empty */
	uint32_t key_line, key_column;
	struct node *first; /* items of a list, members of a map, in order */
	struct node *next;
	size_t n; /* how many children */
};

/* `file` is copied; it only serves messages. An empty document is a NODE_NULL. */
bool node_read(struct sv yaml, const char *file, struct arena *a, const struct node **out,
	       struct error *err);
/* The whole file, at most NODE_MAX_BYTES, into the arena. `path` NUL-terminated. */
bool node_read_file(const char *path, struct arena *a, struct sv *bytes, struct error *err);
/* One scalar that stands in no file. */
const struct node *node_scalar(struct sv text, const char *file, struct arena *a);
/* The member of a map, or NULL. */
const struct node *node_member(const struct node *map, struct sv key);
/* "a list", "a section", … for messages. */
const char *node_kind_name(const struct node *n);

/* ERROR_CONFIG with "FILE:LINE:COLUMN: " before the message; returns false. */
bool node_error(struct error *err, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Likewise, at the node's key. */
bool node_key_error(struct error *err, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
