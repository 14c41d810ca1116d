/* A format, tried out on records: every field of a record beside what becomes of it.
 *
 * A parser sees only the fields its format names. So that the others are seen as well, a dry run
 * first learns what may be a field from all the records that will be shown (members of a document,
 * words of a line), adds these names to the format, and then decodes: names under which something
 * is found are fields. Until dry_run_free the format is good for nothing else.
 */
#ifndef PINWATCH_PARSE_DRY_RUN_H
#define PINWATCH_PARSE_DRY_RUN_H

#include "parse/parser.h"

struct dry_run;

enum dry_state {
	DRY_MAPPED,   /* an assignment of the rule that holds reads it */
	DRY_ASKED,    /* the format reads it, but not for this record's observation */
	DRY_UNMAPPED, /* nothing reads it */
	DRY_FAILED,   /* what it holds was refused */
};

#define DRY_TARGETS 4

struct dry_field {
	struct sv name, text; /* text: what it holds; of lists and objects as much as is there */
	enum dry_state state;
	const char *targets[DRY_TARGETS]; /* of DRY_MAPPED and DRY_FAILED; NULL behind the last */
	struct sv why;			  /* of DRY_FAILED */
};

/* Views live until the next record. */
struct dry_record {
	enum parse_result result;
	size_t rule; /* from 1; 0: none holds, or what holds is not decided by this line alone */
	const struct dry_field *fields;
	size_t n_fields;
	const struct observation *observations;
	size_t n_observations;
	struct error err; /* of PARSE_REJECTED */
};

/* NULL when the set has no such format. */
struct dry_run *dry_run_new(struct format_set *set, struct sv name);
void dry_run_free(struct dry_run *d);
/* To be called with every record first. READ_PADDING bytes behind it must be readable. */
void dry_run_learn(struct dry_run *d, struct sv record);
/* Ends the learning. */
void dry_run_begin(struct dry_run *d, const struct parser_options *options);
/* Likewise padded; in the order of the input. */
void dry_run_record(struct dry_run *d, struct sv record, struct dry_record *out);

#endif
