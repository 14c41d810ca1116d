/* Raw fields: what a decoder hands to the mapping engine, one slot a field the format names.
 *
 * A format file names fields of the record (`id.orig_h`, `payload.UDID`, column `65`); compiling it
 * gives each name a slot. Decoders fill the slots of one record; everything in them borrows from
 * the record or from the parser's scratch arena.
 */
#ifndef PINWATCH_PARSE_RAW_H
#define PINWATCH_PARSE_RAW_H

#include "base/arena.h"
#include "base/sv.h"
#include "parse/value.h"

enum raw_type {
	RAW_ABSENT = 0, /* not there, null, or the encoding's own word for "not said" */
	RAW_TEXT,
	RAW_LITERAL, /* a bare JSON word or number, as written */
	RAW_JSON,    /* JSON text of an array or object */
	RAW_TREE,    /* array or object of a document tree */
};

struct raw {
	union {
		struct sv text;		  /* RAW_TEXT, RAW_LITERAL, RAW_JSON */
		const struct value *tree; /* RAW_TREE */
	};
	enum raw_type type;
};

static inline void raw_set_text(struct raw *r, struct sv text)
{
	r->text = text;
	r->type = RAW_TEXT;
}

/* Another name under which a slot's field may stand in the record. */
struct other_name {
	struct sv name;
	uint32_t slot;
};

/* Slot names of a format. */
struct names {
	struct sv *list;
	size_t n;
	size_t _capacity;
	const struct other_name *others;
	size_t n_others;
	const uint16_t *_index; /* names_index: open addressing over both, 0 for a free place */
	size_t _index_mask;
};

/* The slot of that name, made when new. The name is copied into the arena. */
uint32_t names_add(struct names *names, struct arena *a, struct sv name);
/* Once all names are there: names_find looks them up instead of going through them. */
void names_index(struct names *names, struct arena *a);
/* By its name or one of the others; SIZE_MAX when no such slot exists. */
size_t names_find(const struct names *names, struct sv name);

/* A scalar of a tree as text in the arena, an array or object as RAW_TREE. NULL and null are
 * absent. */
void raw_from_value(struct raw *r, const struct value *v, struct arena *a);
struct json_reader;
/* The tree behind an array or object slot; JSON text is read into the arena. NULL when it holds
 * neither or the text is no JSON. */
const struct value *raw_tree(const struct raw *r, struct json_reader *json, struct arena *a);

#endif
