/* A format file, compiled: decoder, detection, plan. Inside of parse/ only. */
#ifndef PINWATCH_PARSE_FORMAT_H
#define PINWATCH_PARSE_FORMAT_H

#include "parse/conversation.h"
#include "parse/plan.h"

struct decoder;

/* A document inside a field: `embed: [{from: raw_payload, via: base64, as: plist, name: payload}]`.
 * Its fields are `NAME.path`. */
struct embed {
	const uint32_t *slots; /* where it may be, in order */
	size_t n_slots;
	bool base64;
	bool plist;	  /* else JSON */
	struct sv prefix; /* "payload." */
};

struct detection {
	int weight;
	const struct sv *starts; /* the input starts with one of them */
	size_t n_starts;
	const struct sv *contains; /* its first bytes hold all of them */
	size_t n_contains;
	const uint32_t *require; /* fields the first record has */
	size_t n_require;
	const struct condition *when;
};

struct format {
	struct arena arena;
	struct yfile file;
	struct sv name, title, source, refusal;
	enum framing framing;
	enum sensor_kind sensor;
	const struct decoder *decoder;
	void *decoder_options;	 /* in the arena */
	const struct sv *ignore; /* records that start with one of these are no records */
	size_t n_ignore;
	bool syslog; /* a syslog header may stand before each record */
	struct names names;
	const bool *inner; /* a slot each: format_name_is_inner of its name */
	struct embed *embeds;
	size_t n_embeds;
	struct detection detect;
	const struct conversation *conversation; /* NULL: every record stands for itself */
	struct plan plan;
};

/* Compiles a format file. `like` finds the format another one builds on. NULL and *err on
 * mistakes. */
struct format *format_compile(const char *name, struct sv yaml,
			      const struct format *(*like)(const void *context, struct sv name),
			      const void *context, struct error *err);
void format_free(struct format *f);

/* True for names that come from an embedded document or a list's item, not from the decoder. */
bool format_name_is_inner(const struct format *f, struct sv name);

/* Lists of texts of a node: a scalar is a list of one. */
bool format_texts(struct yaml y, struct arena *a, const struct sv **out, size_t *n,
		  struct error *err);

#endif
