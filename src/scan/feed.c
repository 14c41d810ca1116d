#include "scan/feed.h"

#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/keylog.h"

/* Records read from one input before the next choice. */
#define RUN 512
#define MAX_PORTS 256

static bool open_input(struct input *x, const struct scan_options *o, struct error *err)
{
	struct reader_options reading = { .framing = x->framing, .max_record = o->conf->max_record };
	struct parser_options parsing = {
		.zone = x->zone,
		.date = x->date,
		.vantage = x->vantage,
		.tls_ports = o->conf->tls_ports.items,
		.n_tls_ports = o->conf->tls_ports.n,
	};

	if (x->asked->source != NULL) {
		parsing.ignore_hosts = x->asked->source->ignore_hosts.items;
		parsing.n_ignore_hosts = x->asked->source->ignore_hosts.n;
	}
	if (!parser_midnights(x->format, x->open_path, x->framing, &parsing.midnights, err))
		return false;
	x->reader = reader_open(x->open_path, &reading, err);
	if (x->reader == NULL)
		return false;
	x->parser = parser_new(x->format, &parsing);
	return true;
}

static void close_input(struct input *x)
{
	reader_close(x->reader);
	parser_free(x->parser);
	x->reader = NULL;
	x->parser = NULL;
	x->done = true;
	x->position = INT64_MAX;
}

static void restart(struct feed *f)
{
	for (size_t i = 0; i < f->inputs->n; i++) {
		struct input *x = &f->inputs->list[i];
		if (x->reader != NULL)
			close_input(x);
		x->done = x->late = false;
		x->beyond = 0;
		x->position = x->newest = INT64_MIN;
	}
	for (size_t s = 0; s < f->inputs->n_sources; s++) {
		struct source *source = f->inputs->sources[s];
		struct source_summary *m = &source->summary;

		source->n_suspects = 0;
		for (size_t d = 0; d < source->n_days; d++)
			source->days[d] = (struct day){ source->days[d].number, 0, INT64_MAX, INT64_MIN };
		m->bytes = m->records = m->rejected = m->irrelevant = m->overlong = 0;
		m->quarantined = m->too_late = 0;
		m->n_examples = 0;
		m->first = m->last = INSTANT_NONE;
		for (int k = 0; k < OBS_KINDS; k++)
			m->observations[k] = 0;
		for (int k = 0; k < SENSORS; k++)
			m->by_sensor[k] = 0;
	}
	f->records = 0;
	f->damaged = false;
	if (f->options->rejected != NULL)
		f->options->rejected(f->options->rejected_arg, NULL);
}

static void set_aside(struct feed *f, const struct input *x, uint32_t line, const char *reason,
		      struct sv record)
{
	struct source_summary *m = &x->source->summary;

	if (m->n_examples < SUMMARY_EXAMPLES)
		m->examples[m->n_examples++] = (struct reject_example){
			.file = x->path,
			.line = line,
			.reason = arena_sv(f->arena, sv_cstr(reason)),
		};
	if (f->options->rejected != NULL) {
		struct scan_reject r = { x->path.p, line, reason,
					 keylog_holds(record) ? KEYLOG_INSTEAD : record };
		f->options->rejected(f->options->rejected_arg, &r);
	}
}

static int64_t order_of(const struct observation *o)
{
	int64_t order;

	if (!span_known(o->duration) || o->duration.ns < 0 ||
	    __builtin_add_overflow(o->time.ns, o->duration.ns, &order))
		return o->time.ns;
	return order;
}

/* A kind that the command line or the configuration states outranks what the format says. */
static void apply_kind(const struct input *x, struct observation *o)
{
	enum sensor_kind kind = SENSORS;

	if (x->asked->kind_forced)
		kind = x->asked->forced_kind;
	else if (x->asked->source != NULL)
		kind = (enum sensor_kind)x->asked->source->kind;
	if (o->kind == OBS_TLS_ATTEMPT && (kind == SENSOR_INSPECTION || kind == SENSOR_FLOW))
		o->sensor = kind;
}

static void quarantine(struct feed *f, const struct input *x, int64_t order, uint32_t line,
		       struct sv record)
{
	char when[INSTANT_ISO_SIZE], reason[160];

	instant_format_iso((struct instant){ order }, when);
	snprintf(reason, sizeof(reason),
		 "quarantined: its time %s lies more than a day beyond nearly all of the source", when);
	x->source->summary.quarantined++;
	set_aside(f, x, line, reason, record);
}

static void suspect(struct feed *f, const struct input *x, const struct observation *o,
		    int64_t order, uint32_t line, struct sv record)
{
	struct source *s = x->source;
	size_t n = s->n_suspects++;

	if (n >= MAX_SUSPECTS)
		return;
	if ((n & (n - 1)) == 0)
		s->suspects = xrealloc(s->suspects, n == 0 ? 1 : n * 2, sizeof(*s->suspects));
	s->suspects[n] = (struct suspect){
		.order = order,
		.input = x,
		.line = line,
		.kind = (uint8_t)o->kind,
		.sensor = (uint8_t)o->sensor,
		.record = f->options->rejected != NULL ? arena_sv(f->arena, record) : SV_NONE,
	};
}

/* A leap of more than a day does not move the position until so much lies beyond it that it cannot be
 * quarantined: until then the input is read on with everything else waiting. False for such a leap. */
static bool note_newest(struct input *x, int64_t order)
{
	if (x->newest != INT64_MIN && order - x->newest > NS_PER_DAY &&
	    ++x->beyond * 99 <= x->source->summary.records)
		return false;
	if (order > x->newest)
		x->newest = order;
	x->beyond = 0;
	return true;
}

static void take(struct feed *f, struct input *x, const struct observation *seen, uint64_t content,
		 uint32_t line, struct sv record)
{
	struct source_summary *m = &x->source->summary;
	struct observation o = *seen;
	struct stamp stamp = {
		.order = order_of(seen),
		.content = content,
		.ref = { (uint32_t)(x - f->inputs->list), line, x->source_number },
	};

	apply_kind(x, &o);
	source_note(x->source, stamp.order, f->engine->seed);
	if (stamp.order >= x->source->cut) {
		quarantine(f, x, stamp.order, line, record);
		return;
	}
	m->observations[o.kind]++;
	m->by_sensor[o.sensor]++;
	if (!instant_known(m->first) || o.time.ns < m->first.ns)
		m->first = o.time;
	if (!note_newest(x, stamp.order))
		suspect(f, x, &o, stamp.order, line, record);
	if (!engine_take(f->engine, &o, stamp, x->vantage))
		x->late = true;
}

static void parse_record(struct feed *f, struct input *x, struct sv record)
{
	struct source_summary *m = &x->source->summary;
	const struct observation *seen;
	struct error why;
	uint64_t content;
	size_t n;

	f->records++;
	m->records++;
	switch (parser_run(x->parser, record, &seen, &n, &why)) {
	case PARSE_OBSERVATIONS:
		content = XXH3_64bits(record.p, record.n);
		for (size_t i = 0; i < n; i++)
			take(f, x, &seen[i], content + i, reader_line(x->reader), record);
		/* A list keeps its good items. */
		if (parser_rejected_items(x->parser) > 0) {
			m->records += parser_rejected_items(x->parser);
			m->rejected += parser_rejected_items(x->parser);
			set_aside(f, x, reader_line(x->reader), why.message, record);
		}
		break;
	case PARSE_IRRELEVANT:
		m->irrelevant++;
		break;
	case PARSE_REJECTED:
		m->rejected++;
		set_aside(f, x, reader_line(x->reader), why.message, record);
		break;
	}
}

/* What the input's end leaves of conversations that had not come to theirs. */
static void finish(struct feed *f, struct input *x)
{
	const struct observation *seen;
	size_t n;

	parser_finish(x->parser, &seen, &n);
	for (size_t i = 0; i < n; i++)
		take(f, x, &seen[i], i, reader_line(x->reader), SV_NONE);
	x->source->summary.records += parser_rejected_items(x->parser);
	x->source->summary.rejected += parser_rejected_items(x->parser);
}

/* Reads a run of records; closes the input at its end. */
static bool read_run(struct feed *f, struct input *x, struct error *err)
{
	uint64_t before = reader_bytes(x->reader);
	struct error why;
	struct sv record;

	for (int i = 0; i < RUN; i++) {
		switch (reader_next(x->reader, &record, &why)) {
		case READ_RECORD:
			parse_record(f, x, record);
			continue;
		case READ_OVERLONG:
			f->records++;
			x->source->summary.records++;
			x->source->summary.overlong++;
			set_aside(f, x, reader_line(x->reader),
				  "longer than limits.max_record; raise it or look at what wrote it", record);
			continue;
		case READ_ERROR:
			if (x->source->summary.records == 0) {
				*err = why;
				return false;
			}
			f->damaged = true;
			set_aside(f, x, reader_line(x->reader), why.message, SV_NONE);
			break;
		case READ_END:
			break;
		}
		finish(f, x);
		x->source->summary.bytes += reader_bytes(x->reader) - before;
		close_input(x);
		return true;
	}
	x->source->summary.bytes += reader_bytes(x->reader) - before;
	if (!x->whole && x->newest != INT64_MIN)
		x->position = x->newest - x->max_lag.ns;
	return true;
}

static struct input *least(struct inputs_read *in)
{
	struct input *x = NULL;

	for (size_t i = 0; i < in->n; i++)
		if (!in->list[i].done && (x == NULL || in->list[i].position < x->position))
			x = &in->list[i];
	return x;
}

static void report_progress(const struct feed *f)
{
	struct scan_progress p = { .records = f->records };

	if (f->options->progress == NULL)
		return;
	for (size_t i = 0; i < f->inputs->n; i++) {
		const struct input *x = &f->inputs->list[i];
		p.bytes_total += x->size;
		p.bytes_done += x->done ? x->size : x->reader != NULL ? reader_bytes(x->reader) : 0;
	}
	f->options->progress(f->options->progress_arg, &p);
}

/* Takes back what lies behind the source's cut, if the pass has kept track of all of it and released none. */
static bool take_back(struct feed *f, struct source *s, uint16_t number)
{
	struct source_summary *m = &s->summary;
	uint64_t known = 0;

	if (s->n_suspects > MAX_SUSPECTS)
		return false;
	for (size_t i = 0; i < s->n_suspects; i++)
		known += s->suspects[i].order >= s->cut;
	if (known != source_beyond(s, s->cut) || !engine_quarantine(f->engine, number, s->cut))
		return false;
	for (size_t i = 0; i < s->n_suspects; i++) {
		const struct suspect *x = &s->suspects[i];
		if (x->order < s->cut)
			continue;
		m->observations[x->kind]--;
		m->by_sensor[x->sensor]--;
		quarantine(f, x->input, x->order, x->line, x->record);
	}
	return true;
}

/* Whether the inputs have to be read once more, and how. */
static bool learn(struct feed *f)
{
	bool again = false;

	for (size_t s = 0; s < f->inputs->n_sources; s++) {
		struct source *source = f->inputs->sources[s];
		int64_t cut = source_cut(source);

		if (cut == source->cut)
			continue;
		source->cut = cut;
		again |= cut == INT64_MAX || !take_back(f, source, (uint16_t)s);
	}
	/* A record from the future makes all behind it look late: first see what remains without it. */
	for (size_t i = 0; i < f->inputs->n && !again; i++)
		again |= f->inputs->list[i].late;
	for (size_t i = 0; i < f->inputs->n && again; i++)
		f->inputs->list[i].whole |= f->inputs->list[i].late;
	return again;
}

/* The newest record of each source, and of all, without the quarantined. */
static void settle_newest(struct feed *f)
{
	f->engine->merge.now = INT64_MIN;
	for (size_t s = 0; s < f->inputs->n_sources; s++) {
		struct source *source = f->inputs->sources[s];
		int64_t newest = source_newest(source, source->cut);

		if (newest == INT64_MIN)
			continue;
		source->summary.last.ns = newest;
		if (newest > f->engine->merge.now)
			f->engine->merge.now = newest;
	}
}

enum feed_result feed_pass(struct feed *f, struct error *err)
{
	struct input *x;
	unsigned runs = 0;

	restart(f);
	while ((x = least(f->inputs)) != NULL) {
		if (f->options->interrupted != NULL && *f->options->interrupted) {
			f->interrupted = true;
			break;
		}
		if (x->reader == NULL && !open_input(x, f->options, err))
			return FEED_FAILED;
		if (!read_run(f, x, err))
			return FEED_FAILED;
		x = least(f->inputs);
		if (x != NULL && x->position != INT64_MIN)
			engine_release(f->engine, (struct instant){ x->position });
		if (f->engine->guess.found)
			return FEED_LISTENER;
		if (++runs % 64 == 0)
			report_progress(f);
	}
	if (!f->interrupted && learn(f))
		return FEED_AGAIN;
	engine_release(f->engine, (struct instant){ INT64_MAX });
	if (f->engine->guess.found)
		return FEED_LISTENER;
	settle_newest(f);
	return FEED_DONE;
}
