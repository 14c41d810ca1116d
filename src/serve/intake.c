#include "serve/intake.h"

#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/jsonw.h"
#include "serve/file_parser.h"

/* Calls without an observation in a run of a capture: each decodes some thousand packets. */
#define WIRE_STEPS 8
/* How often an input is asked that has no descriptor, or missed something. */
#define POLL (1 * NS_PER_S)

void intake_name(struct buf *out, struct sv source, struct sv path)
{
	buf_sv(out, source);
	buf_char(out, '|');
	buf_sv(out, path);
}

struct live_input *intake_find(const struct intake *in, struct sv name)
{
	for (size_t i = 0; i < in->n; i++)
		if (sv_eq(in->inputs[i]->name, name))
			return in->inputs[i];
	return NULL;
}

static enum framing framing_of(void *context, uint64_t file, struct sv path, struct sv head,
			       bool resumed)
{
	struct live_input *x = context;

	return file_parser_begin(x, file, path, head, resumed)->framing;
}

static struct live_input *add(struct intake *in, struct live_source *source, struct sv path,
			      enum live_input_kind kind)
{
	struct live_input *x = xcalloc(1, sizeof(*x));
	struct buf name;

	buf_init(&name, 65536);
	intake_name(&name, source->name, path);
	buf_char(&name, '\0');
	x->name = sv_make(name.p, name.n - 1); /* owned */
	x->intake = in;
	x->source = source;
	x->kind = kind;
	x->ready = x->behind = true;
	x->floor = INT64_MIN;
	source->behind = true;
	return x;
}

static void free_input(struct live_input *x)
{
	tail_close(x->tail);
	if (x->drop != NULL)
		drop_close(x->drop);
	wire_files_close(x->wire);
	if (x->reader != NULL)
		spool_reader_close(x->reader);
	file_parsers_free(x);
	free((char *)(uintptr_t)x->name.p);
	free(x);
}

static struct live_input *opened(struct intake *in, struct live_input *x, bool ok)
{
	if (!ok) {
		free_input(x);
		return NULL;
	}
	in->inputs = xrealloc(in->inputs, in->n + 1, sizeof(*in->inputs));
	in->inputs[in->n++] = x;
	return x;
}

struct live_input *intake_tail(struct intake *in, struct live_source *source, struct sv path,
			       struct sv position, struct error *err)
{
	struct live_input *x = add(in, source, path, LIVE_TAIL);
	const struct tail_options options = {
		.path = path.p,
		.framing_of = framing_of,
		.context = x,
		.max_record = in->conf->max_record,
		.poll = { POLL },
	};

	x->tail = tail_open(&options, position, err);
	return opened(in, x, x->tail != NULL);
}

struct live_input *intake_drop(struct intake *in, struct live_source *source, struct sv dir,
			       struct sv position, struct error *err)
{
	struct live_input *x = add(in, source, dir, LIVE_DROP);
	const struct drop_options options = {
		.dir = dir.p,
		.framing_of = framing_of,
		.context = x,
		.max_record = in->conf->max_record,
		.poll = { POLL },
	};

	x->drop = drop_open(&options, position, err);
	return opened(in, x, x->drop != NULL);
}

struct live_input *intake_wire(struct intake *in, struct live_source *source, struct sv path,
			       struct sv position, struct error *err)
{
	struct live_input *x = add(in, source, path, LIVE_WIRE);

	x->wire = wire_files_open(in->conf, source->conf, path, position, err);
	return opened(in, x, x->wire != NULL);
}

struct live_input *intake_spool(struct intake *in, struct live_source *source, struct spool *spool,
				struct sv position, struct error *err)
{
	struct live_input *x = add(in, source, SV("spool"), LIVE_SPOOL);

	x->spool = spool;
	x->reader = spool_reader_open(spool, position, err);
	return opened(in, x, x->reader != NULL);
}

void intake_remove(struct intake *in, struct live_input *x)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->n; i++)
		if (in->inputs[i] != x)
			in->inputs[kept++] = in->inputs[i];
	in->n = kept;
	free_input(x);
}

void intake_free(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		free_input(in->inputs[i]);
	free(in->inputs);
	in->inputs = NULL;
	in->n = 0;
}

int live_input_fd(const struct live_input *x)
{
	switch (x->kind) {
	case LIVE_TAIL:
		return tail_fd(x->tail);
	case LIVE_DROP:
		return drop_fd(x->drop);
	case LIVE_WIRE:
		return wire_files_fd(x->wire);
	case LIVE_SPOOL:
		return spool_fd(x->spool);
	}
	return -1;
}

void live_input_position(const struct live_input *x, struct buf *out)
{
	switch (x->kind) {
	case LIVE_TAIL:
		tail_position(x->tail, out);
		break;
	case LIVE_DROP:
		drop_position(x->drop, out);
		break;
	case LIVE_WIRE:
		wire_files_position(x->wire, out);
		break;
	case LIVE_SPOOL:
		spool_position(x->reader, out);
		break;
	}
}

/* ---- one record */

/* The record that is being taken in. */
struct arrival {
	struct live_input *x;
	struct file_parser *parser;
	const struct input_where *where;
	struct sv record;
};

static void set_aside(const struct arrival *a, const char *reason)
{
	struct intake *in = a->x->intake;
	struct live_source *source = a->x->source;

	live_source_example(in->sources, source, reason);
	dead_letter_put(in->dead, in->wall, source->name, a->where->path, a->where->line, reason,
			a->record);
}

static void not_used(const struct arrival *a, const char *why, int64_t order)
{
	char when[INSTANT_ISO_SIZE], reason[200];

	instant_format_iso((struct instant){ order }, when);
	snprintf(reason, sizeof(reason), "%s: its time is %s", why, when);
	set_aside(a, reason);
}

static void count_taken(const struct arrival *a, const struct observation *o, int64_t order)
{
	struct store_source *n = &a->x->source->counts;

	n->observations++;
	n->sensors |= 1u << o->sensor;
	if (n->first == INT64_MIN || o->time.ns < n->first)
		n->first = o->time.ns;
	if (!live_source_advance(a->x->intake->sources, a->x->source, order, a->x->intake->wall))
		return;
	if (o->time.ns > n->last)
		n->last = o->time.ns;
	if (order > a->parser->newest)
		a->parser->newest = order;
	if (order < a->parser->first)
		a->parser->first = order;
}

static void take(const struct arrival *a, const struct observation *seen, uint64_t content)
{
	const struct conf_source *c = a->x->source->conf;
	struct intake *in = a->x->intake;
	struct store_source *n = &a->x->source->counts;
	struct observation o = *seen;
	int64_t order = observation_order(seen);
	uint32_t line = a->where->line > UINT32_MAX ? UINT32_MAX : (uint32_t)a->where->line;

	if (c != NULL)
		observation_state_kind(&o, conf_source_sensor(c));
	switch (keeper_take(in->keeper, a->x->source, &o, order, content, a->parser->number, line,
			    c != NULL ? (enum vantage)c->vantage : VANTAGE_UNKNOWN, in->wall)) {
	case TAKEN_LATE:
		n->late++;
		count_taken(a, &o, order);
		break;
	case TAKEN:
		count_taken(a, &o, order);
		break;
	case TOO_LATE:
		n->too_late++;
		not_used(a, "too late: more than TimeWindow behind the watermark", order);
		break;
	case QUARANTINED:
		n->quarantined++;
		not_used(a, "quarantined: more than 5 minutes ahead of the clock", order);
		break;
	}
}

static void parse(const struct arrival *a)
{
	struct store_source *n = &a->x->source->counts;
	struct file_parser *f = a->parser;
	const struct observation *seen;
	struct error why;
	uint64_t content;
	size_t count;

	if (f->parser == NULL) {
		n->rejected++;
		set_aside(a, f->why);
		return;
	}
	switch (parser_run(f->parser, a->record, &seen, &count, &why)) {
	case PARSE_OBSERVATIONS:
		content = XXH3_64bits(a->record.p, a->record.n);
		for (size_t i = 0; i < count; i++)
			take(a, &seen[i], content + i);
		/* A list keeps its good items. */
		if (parser_rejected_items(f->parser) > 0) {
			n->records += parser_rejected_items(f->parser);
			n->rejected += parser_rejected_items(f->parser);
			set_aside(a, why.message);
		}
		break;
	case PARSE_IRRELEVANT:
		n->irrelevant++;
		break;
	case PARSE_REJECTED:
		n->rejected++;
		set_aside(a, why.message);
		break;
	}
}

/* Pushed records come without a file: the first that a format is told by says which. A file whose
 * parser was given up for others' gets a new one. */
static struct file_parser *parser_of(struct live_input *x, const struct input_where *where,
				     struct sv record)
{
	uint64_t file = x->kind == LIVE_SPOOL ? 0 : where->file;
	struct sv path = x->kind == LIVE_SPOOL ? x->name : where->path;
	struct file_parser *f = file_parser_find(x, file);

	if (f == NULL || (f->parser == NULL && x->kind == LIVE_SPOOL))
		f = file_parser_begin(x, file, path, record, false);
	if (f->resumed && !f->fed)
		file_parser_catch_up(x, f, where->path, where->line);
	f->used = ++x->_uses;
	f->touched = true;
	return f;
}

static enum input_result next(struct live_input *x, struct sv *record, struct input_where *where,
			      struct error *err)
{
	struct instant arrival;

	switch (x->kind) {
	case LIVE_TAIL:
		return tail_next(x->tail, x->intake->monotonic, record, where, err);
	case LIVE_DROP:
		return drop_next(x->drop, x->intake->monotonic, record, where, err);
	case LIVE_SPOOL:
		return spool_next(x->reader, record, &arrival, where, err);
	case LIVE_WIRE:
		break; /* gives no records, but observations */
	}
	return INPUT_NOTHING_YET;
}

/* ---- choosing */

/* Files that are written to at once are read in turns: until each has had one, or all have been
 * read to their ends, their first records say how far the input is. */
static void settle_floor(struct live_input *x)
{
	struct tail_stats stats;
	size_t touched = 0;
	int64_t first = INT64_MAX, newest = INT64_MAX;

	for (size_t i = 0; i < x->n_parsers; i++) {
		const struct file_parser *f = &x->parsers[i];

		if (!f->touched || f->newest == INT64_MIN)
			continue;
		touched++;
		if (f->first < first)
			first = f->first;
		if (f->newest < newest)
			newest = f->newest;
	}
	if (touched == 0)
		return;
	x->floor = newest;
	if (x->kind != LIVE_TAIL || x->caught_up)
		return;
	tail_stats(x->tail, &stats);
	if (stats.files > touched)
		x->floor = first;
}

static void read_to_its_end(struct live_input *x)
{
	struct intake *in = x->intake;

	x->ready = false;
	x->caught_up = true;
	x->asked = in->monotonic;
	x->floor = x->source->counts.newest;
	x->behind = false;
	for (size_t i = 0; i < x->n_parsers; i++)
		x->parsers[i].touched = false;
}

static struct live_input *least(const struct intake *in)
{
	struct live_input *x = NULL;

	for (size_t i = 0; i < in->n; i++)
		if (in->inputs[i]->ready && (x == NULL || in->inputs[i]->floor < x->floor))
			x = in->inputs[i];
	return x;
}

/* How far the sources are, by their inputs that wait to be read or asked. */
static void settle_sources(struct intake *in)
{
	for (size_t i = 0; i < in->sources->n; i++) {
		in->sources->list[i]->behind = in->sources->list[i]->waits = false;
		in->sources->list[i]->floor = INT64_MAX;
	}
	for (size_t i = 0; i < in->n; i++) {
		const struct live_input *x = in->inputs[i];

		x->source->behind |= x->behind;
		x->source->waits |= x->behind || x->ready;
		if ((x->behind || x->ready) && x->floor < x->source->floor)
			x->source->floor = x->floor;
	}
}

int64_t intake_watermark(struct intake *in)
{
	settle_sources(in);
	return live_sources_watermark(in->sources);
}

static void count_error(struct live_input *x, const struct error *err)
{
	struct intake *in = x->intake;

	in->errors++;
	x->source->counts.errors++;
	in->complain(in->arg, x->source->name, err->message);
}

static void heard(struct live_input *x, uint64_t records)
{
	x->intake->records += records;
	x->source->heard = x->intake->monotonic;
	x->source->counts.records += records;
}

static void run_records(struct live_input *x)
{
	struct input_where where;
	struct arrival a = { .x = x, .where = &where };
	struct error err;

	for (int i = 0; i < INTAKE_RUN; i++) {
		enum input_result got = next(x, &a.record, &where, &err);

		if (got == INPUT_NOTHING_YET) {
			read_to_its_end(x);
			break;
		}
		x->changed = x->source->changed = true;
		if (got == INPUT_ERROR) {
			count_error(x, &err);
			continue;
		}
		heard(x, 1);
		a.parser = parser_of(x, &where, a.record);
		if (got == INPUT_OVERLONG) {
			x->source->counts.overlong++;
			set_aside(
			    &a, "longer than limits.max_record; raise it or look at what wrote it");
			continue;
		}
		parse(&a);
	}
}

/* Connections that said nothing of use, and packets that were cut. */
static void count_silent(struct live_input *x, const struct input_where *where)
{
	struct wire_files_silent silent = wire_files_silent(x->wire);
	struct store_source *n = &x->source->counts;
	const struct arrival a = { .x = x, .where = where };
	char reason[200];

	if (silent.connections + silent.cut > 0)
		heard(x, silent.connections + silent.cut);
	n->irrelevant += silent.connections;
	n->rejected += silent.cut;
	if (silent.cut == 0)
		return;
	snprintf(reason, sizeof(reason),
		 "%llu packets are captured too short for their own headers: capture them whole "
		 "(tcpdump -s 0)",
		 (unsigned long long)silent.cut);
	set_aside(&a, reason);
}

static void run_capture(struct live_input *x)
{
	struct intake *in = x->intake;
	struct input_where where;
	struct arrival a = { .x = x, .where = &where };
	const struct wire_seen *seen;
	struct error err;
	int steps = 0;

	for (int i = 0; i < INTAKE_RUN && steps < WIRE_STEPS; i++) {
		enum input_result got =
		    wire_files_next(x->wire, in->monotonic, in->wall, &seen, &where, &err);

		if (got == INPUT_NOTHING_YET) {
			read_to_its_end(x);
			break;
		}
		x->changed = x->source->changed = true;
		steps += got == INPUT_MORE;
		count_silent(x, &where);
		if (got == INPUT_ERROR)
			count_error(x, &err);
		if (got != INPUT_RECORD)
			continue;
		heard(x, 1);
		a.parser = file_parser_capture(x, where.file, where.path);
		take(&a, &seen->observation, seen->content);
	}
}

bool intake_run(struct intake *in)
{
	struct live_input *x = least(in);

	if (x == NULL)
		return false;
	if (x->kind == LIVE_WIRE)
		run_capture(x);
	else
		run_records(x);
	if (x->ready) {
		x->behind = true;
		settle_floor(x);
	}
	return true;
}

void intake_wake(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct live_input *x = in->inputs[i];

		if (!x->ready && in->monotonic.ns - x->asked.ns >= POLL)
			x->ready = true;
	}
}

void intake_ask_all(struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		in->inputs[i]->ready = true;
}

bool intake_idle(const struct intake *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->inputs[i]->ready)
			return false;
	return true;
}
