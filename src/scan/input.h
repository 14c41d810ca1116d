/* The inputs of a scan: which files there are, what each is, and the sources they belong to. */
#ifndef PINWATCH_SCAN_INPUT_H
#define PINWATCH_SCAN_INPUT_H

#include <sys/types.h>

#include "base/keymap.h"
#include "scan/scan.h"

/* By UTC day, how many records of a source there are and between which order times: enough to see
 * every gap of more than a day. */
struct day {
	int64_t number;
	uint64_t count;
	int64_t first, last;
};

/* A record that leaps more than a day beyond the newest of its input: it may have to be
 * quarantined. */
struct suspect {
	int64_t order;
	const struct input *input;
	uint32_t line;
	uint8_t kind, sensor;
	struct sv record;
};
#define MAX_SUSPECTS 10000

struct source {
	struct sv name;
	const struct conf_source *configured; /* NULL: told by content */
	struct source_summary summary;
	uint64_t first_files;
	struct keymap _day_numbers;
	struct day *days;
	size_t n_days, _days_capacity;
	size_t _last_day;
	struct suspect *suspects;
	size_t n_suspects; /* past MAX_SUSPECTS they are only counted */
	int64_t cut;	   /* records ordered at or after this are quarantined; INT64_MAX: none */
};

struct input {
	struct sv path;	       /* as findings name it */
	const char *open_path; /* what to open */
	const struct scan_input *asked;
	const struct format *format; /* NULL for a capture */
	bool capture;
	enum framing framing;
	struct source *source;
	uint16_t source_number; /* rank by name */
	struct span max_lag;
	enum vantage vantage;
	int32_t zone;
	struct instant date;
	uint64_t size;
	dev_t device; /* with `file`: of the file as named, whatever its name is */
	ino_t file;

	/* While it is read. */
	uint64_t taken;	  /* bytes of the file */
	uint32_t lines;	  /* taken */
	int64_t position; /* nothing older is expected: newest order time − max_lag */
	int64_t newest;
	uint64_t beyond; /* records in a row that leap more than a day beyond the newest */
	bool done, late;
	bool whole; /* read to its end before anything of it is relied on */
};

struct inputs_read {
	struct input *list;
	size_t n;
	struct source **sources; /* by name */
	size_t n_sources;
	struct sv *left_alone;
	size_t n_left_alone;
	struct arena *arena;
	int *_spooled; /* descriptors of standard input and pipes, kept in unnamed files */
	size_t _n_spooled;
	size_t _capacity, _left_capacity;
};

/* Expands folders, recognises every file, makes sources. */
bool inputs_find(struct inputs_read *in, const struct scan_options *o, struct arena *a,
		 struct error *err);
void inputs_close(struct inputs_read *in);

/* Counts one record of the source by its order time. */
void source_note(struct source *s, int64_t order, uint64_t seed);
/* Behind the earliest gap of more than 24 h beyond which at most 1 % of the source's records lie:
 * the first order time there, or INT64_MAX. */
int64_t source_cut(const struct source *s);
/* How many of its records are ordered at or after t, and the newest order time before t (INT64_MIN:
 * none). t must be the first of a day's records. */
uint64_t source_beyond(const struct source *s, int64_t t);
int64_t source_newest(const struct source *s, int64_t t);

#endif
