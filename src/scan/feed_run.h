/* Runs: a piece of an input, read and parsed, as the engine is to take it.
 *
 * Everything that is needed of a record lies in its run, so that runs of several inputs, and of one
 * whose records stand alone, are made by several threads at once (feed_ahead.h) and taken by one.
 * Where a run ends hangs on the input alone.
 */
#ifndef PINWATCH_SCAN_FEED_RUN_H
#define PINWATCH_SCAN_FEED_RUN_H

#include "scan/input.h"

enum note_type {
	NOTE_SEEN,     /* a record with observations */
	NOTE_REST,     /* what stayed open at the input's end: observations without a record */
	NOTE_REJECTED, /* a record */
	NOTE_ITEMS, /* so many items of a record that is a list, or of the rest; with a reason, one
		       that stands for them */
	NOTE_OVERLONG,
	NOTE_DAMAGED, /* the input ends here, in an error */
};

/* What the engine or the operator gets to know of a record, in the input's order. */
struct run_note {
	enum note_type type;
	uint32_t line;	  /* see run.lines */
	uint64_t content; /* of the first observation */
	size_t first, n;  /* of the observations; n: of the items */
	struct sv record, reason;
};

struct run {
	struct run_note *notes;
	size_t n_notes;
	struct parser_batch batch;    /* the observations */
	uint64_t records, irrelevant; /* records: all, with those that no note is of */
	uint64_t bytes;		      /* of the file */
	uint32_t lines; /* in it: what the next run's line numbers, which begin anew, are to be
			   raised by */
	/* Order time of the last observation, INT64_MIN: none. Which input is read ahead goes by
	 * it, not by the newest: one record with a clock that is fast would hold its input up to
	 * the end. */
	int64_t reached;
	bool last;	  /* of its input */
	bool failed;	  /* the input cannot be opened */
	struct error err; /* of that, and of NOTE_DAMAGED */

	struct run *_next;
	bool _made;
	size_t _capacity;
	struct read_block _block;
	struct arena _texts;
};

struct lane_capture;

/* An input that is being read. Its reader is for one thread at a time; so are each of its
 * parsers. */
struct lane {
	const struct input *input;
	const struct scan_options *options;
	bool splits; /* records stand alone: its runs may be parsed at once */
	struct reader *reader;
	struct lane_capture *capture; /* in place of reader and parsers, where the input is one */
	struct parser_options parsing;
	uint16_t *_tls_ports;
	struct parser **parsers; /* at rest; the one where it does not split */
	size_t n_parsers, _parsers_capacity;

	/* Of feed_ahead. */
	struct run *first, *last;
	int64_t reached; /* of its newest run with any */
};

void lane_init(struct lane *l, const struct input *x, const struct scan_options *options);
void lane_close(struct lane *l);
/* One at rest, or NULL. */
struct parser *lane_take_parser(struct lane *l);
void lane_rest_parser(struct lane *l, struct parser *p);
/* NULL for a capture. */
struct parser *lane_new_parser(const struct lane *l);

/* In two steps. Reading says whether this is the last run; opens the input before the first and
 * closes it behind the last one that splits. */
void run_read(struct run *r, struct lane *l);
void run_parse(struct run *r, struct lane *l, struct parser *p);
struct run_note *run_add_note(struct run *r, enum note_type type, uint32_t line);
/* Gives back what only a large run needs. */
void run_trim(struct run *r);
void run_free(struct run *r);

#endif
