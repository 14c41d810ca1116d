/* Decoders: from the bytes of a record to raw fields. One an encoding; none knows a product.
 *
 * A decoder's options are read once, with the format. Its state belongs to one parser and keeps
 * what the encoding needs between records: a heading, the order of keys.
 */
#ifndef PINWATCH_PARSE_DECODE_H
#define PINWATCH_PARSE_DECODE_H

#include "parse/format.h"

enum decode_result {
	DECODE_FIELDS,	/* slots are filled */
	DECODE_LIST,	/* *list is an array of records */
	DECODE_HEADING, /* names of columns: wanted slots hold their own name */
	DECODE_NOTHING, /* a comment or directive */
	DECODE_BAD,
};

struct decode_context {
	struct raw *raws; /* all RAW_ABSENT */
	struct arena *scratch;
	struct json_reader *json;
	const struct value *list;
	struct error *err;
};

struct decoder {
	const char *name;
	/* Reads the options (which may be absent) into f->arena. */
	bool (*compile)(struct format *f, struct yaml options, void **out, struct error *err);
	/* That every field the mapping names can occur; NULL where any name may. */
	bool (*knows)(const struct format *f, struct sv name);
	void *(*open)(const struct format *f);
	void (*close)(void *state);
	enum decode_result (*run)(void *state, struct sv record, struct decode_context *c);
	/* That what a record says hangs on those before it; NULL where it never does. */
	bool (*remembers)(const struct format *f);
};

extern const struct decoder decoder_json, decoder_tsv_header, decoder_delimited, decoder_keyvalue,
    decoder_text, decoder_plist, decoder_cef;

const struct decoder *decoder_find(struct sv name);
/* NULL-terminated names of all decoders. */
const char *const *decoder_names(void);

/* Fills the slots whose names start with `prefix` from a tree, by the rest of the name. With the
 * empty prefix names of inner documents are left alone. */
void decode_from_tree(const struct format *f, struct sv prefix, const struct value *tree,
		      struct raw *raws, struct arena *scratch);

/* Words that mean "not said", of an `unset:` option. */
struct unset {
	const struct sv *words;
	size_t n;
};
bool unset_compile(struct format *f, struct yaml y, struct unset *out, struct error *err);
static inline bool unset_holds(const struct unset *u, struct sv text)
{
	if (text.n == 0)
		return true;
	for (size_t i = 0; i < u->n; i++)
		if (text.n == u->words[i].n && text.p[0] == u->words[i].p[0] &&
		    (text.n == 1 || sv_eq(text, u->words[i])))
			return true;
	return false;
}

#define COLUMNS_MAX 1024u
#define SLOT_NONE UINT32_MAX

/* Which column fills which slot. */
struct columns {
	uint32_t slots[COLUMNS_MAX];
	size_t n;      /* columns of the heading */
	size_t wanted; /* columns up to the last wanted one */
};
void columns_clear(struct columns *c);
void columns_add(struct columns *c, const struct format *f, struct sv name);

/* Names in the order of the record before: the next one has them most likely in the same. Zeroed it
 * is empty. */
#define ORDER_MAX 128u
#define ORDER_NAME 47u
struct name_order {
	struct {
		uint32_t slot;
		uint8_t n;
		char name[ORDER_NAME];
	} at[ORDER_MAX];
};
/* The slot of the i-th name of a record, or SLOT_NONE. */
uint32_t name_order_slot(struct name_order *order, const struct names *names, size_t i,
			 struct sv name);

/* Offsets at which `separator` stands in text, at most `max`; returns how many. Reads up to 15
 * bytes behind the text (READ_PADDING). */
size_t split_offsets(struct sv text, char separator, uint32_t *out, size_t max);

#endif
