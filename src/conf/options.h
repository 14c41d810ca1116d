/* The option table: every setting's name, type, unit, default, bounds and one-line description.
 *
 * One row is one option; nothing else in conf/ knows an option by name. The table is constant.
 */
#ifndef PINWATCH_CONF_OPTIONS_H
#define PINWATCH_CONF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

/* In brackets: the type of the field in struct conf or struct conf_source. */
enum option_type {
	OPTION_DURATION,     /* struct span; bounds in ns */
	OPTION_COUNT,	     /* uint32_t */
	OPTION_SIZE,	     /* uint64_t bytes */
	OPTION_SHARE,	     /* uint32_t parts per million; bounds likewise */
	OPTION_BOOLEAN,	     /* bool */
	OPTION_NAME,	     /* struct sv: letters, digits, `.`, `_`, `-` */
	OPTION_PATH,	     /* struct sv, made absolute to the configuration's folder */
	OPTION_WORD,	     /* unsigned: one of `words` */
	OPTION_ZONE,	     /* struct zone */
	OPTION_DATE,	     /* struct instant, midnight UTC */
	OPTION_ENDPOINT,     /* struct conf_endpoint */
	OPTION_STRINGS,	     /* struct conf_strings */
	OPTION_HOSTS,	     /* struct conf_strings */
	OPTION_PATHS,	     /* struct conf_strings, as OPTION_PATH */
	OPTION_PORTS,	     /* struct conf_ports */
	OPTION_ENDPOINTS,    /* struct conf_endpoints */
	OPTION_NETWORKS,     /* struct conf_networks */
	OPTION_APPS,	     /* struct allow_list */
	OPTION_DESTINATIONS, /* struct allow_list */
	OPTION_TYPES
};

struct option_word {
	const char *word;
	unsigned value;
};

struct option {
	const char *path; /* `analytic.TimeWindow`; of a source `sources[].max_lag` */
	enum option_type type;
	size_t offset;	      /* in struct conf, or struct conf_source */
	const char *fallback; /* the default, as one would write it; NULL: unset */
	const char *unset;    /* what an unset option means, for people */
	int64_t min, max;     /* inclusive, in the field's unit; both 0: the type's own */
	const struct option_word *words; /* OPTION_WORD, ends with a NULL word */
	bool required;
	const char *example; /* as one would write it; NULL: its type's */
	const char *description;
};

extern const struct option option_table[];
extern const size_t option_count;

#define OPTION_SOURCE_PREFIX "sources[]."

static inline bool option_of_source(const struct option *o)
{
	return sv_starts(sv_cstr(o->path), SV(OPTION_SOURCE_PREFIX));
}
/* By full path; NULL when there is none. */
const struct option *option_find(struct sv path);
static inline size_t option_index(const struct option *o) { return (size_t)(o - option_table); }
/* Is there an option below `path.`? */
bool option_is_section(struct sv path);
/* The last name of the path. */
struct sv option_leaf(const struct option *o);
/* Does it take a list? */
bool option_is_list(enum option_type type);
/* "duration", "list of addresses", … */
const char *option_type_name(enum option_type type);
/* "10m"; NULL for one of `words` */
const char *option_example(const struct option *o);

/* What an unknown path most likely means, for "did you mean": a name of the same section within few
 * edits, else the same last name in another section. Empty when nothing is near; else good for ever
 * (a view into the table). */
struct sv option_nearest(struct sv path);

#endif
