#include "scan/feed_run.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "scan/feed_capture.h"

/* A run is about so long: observations of several runs stay in a core's cache. */
#define RUN_BYTES ((size_t)64 * 1024)
/* Of framings that hand out records one by one. */
#define RUN_RECORDS 512u
/* Notes and texts beyond this are given back. */
#define RUN_KEPT ((size_t)4 * 1024 * 1024)

void lane_init(struct lane *l, const struct input *x, const struct scan_options *options)
{
	*l = (struct lane){
		.input = x,
		.options = options,
		.splits =
		    !x->capture && x->framing == FRAMING_LINE && !parser_needs_order(x->format),
		.reached = INT64_MIN,
	};
}

static bool open_lane(struct lane *l, struct error *err)
{
	const struct input *x = l->input;
	const struct conf *c = l->options->conf;
	struct reader_options reading = { .framing = x->framing, .max_record = c->max_record };

	l->parsing = (struct parser_options){
		.zone = x->zone,
		.date = x->date,
		.vantage = x->vantage,
	};
	l->parsing.tls_ports = l->_tls_ports = conf_tls_ports(c, &l->parsing.n_tls_ports);
	if (x->asked->source != NULL) {
		l->parsing.ignore_hosts = x->asked->source->ignore_hosts.items;
		l->parsing.n_ignore_hosts = x->asked->source->ignore_hosts.n;
	}
	if (x->capture) {
		l->capture = lane_capture_open(x, l->options, err);
		return l->capture != NULL;
	}
	if (!parser_midnights(x->format, x->open_path, x->framing, &l->parsing.midnights, err))
		return false;
	l->reader = reader_open(x->open_path, &reading, err);
	return l->reader != NULL;
}

void lane_close(struct lane *l)
{
	reader_close(l->reader);
	l->reader = NULL;
	lane_capture_close(l->capture);
	l->capture = NULL;
	for (size_t i = 0; i < l->n_parsers; i++)
		parser_free(l->parsers[i]);
	free(l->parsers);
	free(l->_tls_ports);
	l->parsers = NULL;
	l->_tls_ports = NULL;
	l->n_parsers = l->_parsers_capacity = 0;
}

struct parser *lane_take_parser(struct lane *l)
{
	return l->n_parsers > 0 ? l->parsers[--l->n_parsers] : NULL;
}

void lane_rest_parser(struct lane *l, struct parser *p)
{
	if (l->n_parsers == l->_parsers_capacity) {
		l->_parsers_capacity = l->_parsers_capacity == 0 ? 1 : l->_parsers_capacity * 2;
		l->parsers = xrealloc(l->parsers, l->_parsers_capacity, sizeof(struct parser *));
	}
	l->parsers[l->n_parsers++] = p;
}

struct parser *lane_new_parser(const struct lane *l)
{
	return l->input->capture ? NULL : parser_new(l->input->format, &l->parsing);
}

static struct run_note *note(struct run *r, enum note_type type, uint32_t line)
{
	struct run_note *n;

	if (r->n_notes == r->_capacity) {
		r->_capacity = r->_capacity == 0 ? 256 : r->_capacity * 2;
		r->notes = xrealloc(r->notes, r->_capacity, sizeof(*r->notes));
	}
	n = &r->notes[r->n_notes++];
	*n = (struct run_note){ .type = type, .line = line };
	return n;
}

struct run_note *run_add_note(struct run *r, enum note_type type, uint32_t line)
{
	return note(r, type, line);
}

static void clear(struct run *r)
{
	r->n_notes = 0;
	r->records = r->irrelevant = r->bytes = 0;
	r->lines = 0;
	r->reached = INT64_MIN;
	r->last = r->failed = false;
	arena_reset(&r->_texts);
}

static void damaged(struct run *r, uint32_t line, const struct error *why)
{
	struct run_note *n = note(r, NOTE_DAMAGED, line);

	n->reason = arena_sv(&r->_texts, sv_cstr(why->message));
	r->err = *why;
	r->last = true;
}

/* Lines come in blocks. */
static void take_block(struct run *r, struct lane *l)
{
	uint64_t before = reader_bytes(l->reader);
	struct error why;

	switch (reader_take(l->reader, &r->_block, RUN_BYTES, &why)) {
	case READ_ERROR:
		damaged(r, 0, &why);
		break;
	case READ_END:
		r->last = true;
		break;
	default:
		r->last = reader_exhausted(l->reader);
		break;
	}
	r->bytes = reader_bytes(l->reader) - before;
}

void run_read(struct run *r, struct lane *l)
{
	clear(r);
	if (l->reader == NULL && l->capture == NULL && !open_lane(l, &r->err)) {
		r->failed = r->last = true;
		return;
	}
	if (l->input->framing == FRAMING_LINE)
		take_block(r, l);
	if (r->last && l->splits) {
		reader_close(l->reader);
		l->reader = NULL;
	}
}

static enum sensor_kind stated_kind(const struct input *x)
{
	if (x->asked->kind_forced)
		return x->asked->forced_kind;
	return x->asked->source != NULL ? conf_source_sensor(x->asked->source) : SENSORS;
}

/* parse_record and finish see the batch's memory in the parser's hands. */
static void seen(struct run *r, const struct observation *o, size_t n)
{
	if (n > 0)
		r->reached = observation_order(&o[n - 1]);
}

static void parse_record(struct run *r, struct parser *p, struct sv record, uint32_t line)
{
	const struct observation *o;
	struct run_note *to;
	struct error why;
	size_t n;

	r->records++;
	switch (parser_run(p, record, &o, &n, &why)) {
	case PARSE_OBSERVATIONS:
		to = note(r, NOTE_SEEN, line);
		to->content = XXH3_64bits(record.p, record.n);
		to->n = n;
		to->record = record;
		seen(r, o, n);
		/* A list keeps its good items. */
		if (parser_rejected_items(p) > 0) {
			to = note(r, NOTE_ITEMS, line);
			to->n = parser_rejected_items(p);
			to->record = record;
			to->reason = arena_sv(&r->_texts, sv_cstr(why.message));
		}
		break;
	case PARSE_IRRELEVANT:
		r->irrelevant++;
		break;
	case PARSE_REJECTED:
		to = note(r, NOTE_REJECTED, line);
		to->record = record;
		to->reason = arena_sv(&r->_texts, sv_cstr(why.message));
		break;
	}
}

static void overlong(struct run *r, struct sv record, uint32_t line)
{
	r->records++;
	note(r, NOTE_OVERLONG, line)->record = record;
}

static void parse_block(struct run *r, struct parser *p)
{
	enum read_result got;
	struct sv record;

	while ((got = read_block_next(&r->_block, &record)) != READ_END)
		if (got == READ_RECORD)
			parse_record(r, p, record, r->_block.line);
		else
			overlong(r, record, r->_block.line);
	r->lines = r->_block.line;
}

/* Record by record; their bytes are kept, with what a parser wants behind them. */
static void parse_records(struct run *r, struct lane *l, struct parser *p)
{
	uint64_t before = reader_bytes(l->reader);
	size_t taken = 0;
	struct error why;
	struct sv record;

	for (unsigned i = 0; i < RUN_RECORDS && taken < RUN_BYTES && !r->last; i++) {
		enum read_result got = reader_next(l->reader, &record, &why);
		char *kept;

		if (got == READ_ERROR)
			damaged(r, reader_line(l->reader), &why);
		r->last |= got == READ_END;
		if (r->last)
			break;
		kept = arena_alloc(&r->_texts, record.n + READ_PADDING);
		memcpy(kept, record.p, record.n);
		taken += record.n;
		if (got == READ_RECORD)
			parse_record(r, p, sv_make(kept, record.n), reader_line(l->reader));
		else
			overlong(r, sv_make(kept, record.n), reader_line(l->reader));
	}
	r->bytes = reader_bytes(l->reader) - before;
}

/* What the input's end leaves of conversations that had not come to theirs. */
static void finish(struct run *r, struct lane *l, struct parser *p)
{
	uint32_t line = l->input->framing == FRAMING_LINE ? r->lines : reader_line(l->reader);
	const struct observation *o;
	struct run_note *to;
	struct error why;
	size_t n;

	parser_finish(p, &o, &n, &why);
	seen(r, o, n);
	note(r, NOTE_REST, line)->n = n;
	if (parser_rejected_items(p) > 0) {
		to = note(r, NOTE_ITEMS, line);
		to->n = parser_rejected_items(p);
		to->reason = arena_sv(&r->_texts, sv_cstr(why.message));
	}
}

void run_parse(struct run *r, struct lane *l, struct parser *p)
{
	enum sensor_kind kind = stated_kind(l->input);
	size_t first = 0;

	if (l->capture != NULL) {
		lane_capture_run(l->capture, r);
		return;
	}
	parser_begin(p, &r->batch);
	if (l->input->framing == FRAMING_LINE)
		parse_block(r, p);
	else
		parse_records(r, l, p);
	if (r->last && !l->splits)
		finish(r, l, p);
	parser_end(p, &r->batch);
	for (size_t i = 0; i < r->n_notes; i++)
		if (r->notes[i].type == NOTE_SEEN || r->notes[i].type == NOTE_REST) {
			r->notes[i].first = first;
			first += r->notes[i].n;
		}
	for (size_t i = 0; i < r->batch.n && kind != SENSORS; i++)
		observation_state_kind(&r->batch.list[i], kind);
}

void run_trim(struct run *r)
{
	parser_batch_trim(&r->batch);
	if (r->_block._capacity > RUN_KEPT)
		read_block_free(&r->_block);
	if (arena_footprint(&r->_texts) > RUN_KEPT)
		arena_free(&r->_texts);
	if (r->_capacity * sizeof(*r->notes) > RUN_KEPT) {
		free(r->notes);
		r->notes = NULL;
		r->_capacity = 0;
	}
}

void run_free(struct run *r)
{
	free(r->notes);
	parser_batch_free(&r->batch);
	read_block_free(&r->_block);
	arena_free(&r->_texts);
	free(r);
}
