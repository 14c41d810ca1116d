/* Format files as YAML nodes with their place in the file, so that every complaint names line and
 * column.
 *
 * A thin layer over libyaml's documents. The document owns every text; node handles are passed by
 * value and stay good until yfile_free. Duplicate keys and keys nobody knows are errors.
 */
#ifndef PINWATCH_PARSE_YFILE_H
#define PINWATCH_PARSE_YFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/error.h"
#include "base/sv.h"

/* Bytes a format file may have. */
#define YFILE_MAX_BYTES (1024u * 1024u)

struct yfile {
	yaml_document_t document;
	const char *name; /* for messages; borrowed */
};

/* One node; `node` is NULL for "not there". */
struct yaml {
	struct yfile *file;
	yaml_node_t *node;
};

bool yfile_open(struct yfile *file, const char *name, struct sv text, struct error *err);
void yfile_free(struct yfile *file);
struct yaml yfile_root(struct yfile *file);

static inline bool yfile_there(struct yaml y) { return y.node != NULL; }
static inline bool yfile_is_text(struct yaml y)
{
	return y.node != NULL && y.node->type == YAML_SCALAR_NODE;
}
static inline bool yfile_is_list(struct yaml y)
{
	return y.node != NULL && y.node->type == YAML_SEQUENCE_NODE;
}
static inline bool yfile_is_map(struct yaml y)
{
	return y.node != NULL && y.node->type == YAML_MAPPING_NODE;
}

/* The text of a scalar, a view; SV_NONE for anything else. */
struct sv yfile_text(struct yaml y);
/* The member of a mapping. */
struct yaml yfile_get(struct yaml map, const char *key);
/* Members of a mapping or items of a list; a scalar counts as a list of one. */
size_t yfile_count(struct yaml y);
struct yaml yfile_item(struct yaml list, size_t i);
struct yaml yfile_key_at(struct yaml map, size_t i);
struct yaml yfile_value_at(struct yaml map, size_t i);

/* "FILE:LINE:COLUMN: …"; returns false. */
bool yfile_error(struct error *err, struct yaml at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* That `map` is a mapping and has only keys of the NULL-terminated list, each once. */
bool yfile_check_keys(struct yaml map, const char *const *known, struct error *err);
/* The name nearest to `text`, or NULL where none is near. */
const char *yfile_nearest(struct sv text, const char *const *names);
/* That `y`, where it is there, is a scalar; *out stays as it is where it is not. */
bool yfile_take_text(struct yaml y, struct sv *out, struct error *err);
bool yfile_take_bool(struct yaml y, bool *out, struct error *err);

#endif
