#include "scan/feed.h"

#include <stdio.h>

#include "base/keylog.h"

static void restart(struct feed *f)
{
	for (size_t i = 0; i < f->inputs->n; i++) {
		struct input *x = &f->inputs->list[i];
		x->done = x->late = false;
		x->beyond = x->taken = 0;
		x->lines = 0;
		x->position = x->newest = INT64_MIN;
		feed_heap_put(&f->_order, i, x->position);
	}
	for (size_t s = 0; s < f->inputs->n_sources; s++) {
		struct source *source = f->inputs->sources[s];
		struct source_summary *m = &source->summary;

		source->n_suspects = 0;
		for (size_t d = 0; d < source->n_days; d++)
			source->days[d] =
			    (struct day){ source->days[d].number, 0, INT64_MAX, INT64_MIN };
		m->bytes = m->records = m->rejected = m->irrelevant = m->overlong = 0;
		m->quarantined = m->too_late = m->outside = 0;
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

static void quarantine(struct feed *f, const struct input *x, int64_t order, uint32_t line,
		       struct sv record)
{
	char when[INSTANT_ISO_SIZE], reason[160];

	instant_format_iso((struct instant){ order }, when);
	snprintf(reason, sizeof(reason),
		 "quarantined: its time %s lies more than a day beyond nearly all of the source",
		 when);
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

/* A leap of more than a day does not move the position until so much lies beyond it that it cannot
 * be quarantined: until then the input is read on with everything else waiting. False for such a
 * leap. */
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

static void take(struct feed *f, struct input *x, const struct observation *o, uint64_t content,
		 uint32_t line, struct sv record)
{
	struct source_summary *m = &x->source->summary;
	struct stamp stamp = {
		.order = observation_order(o),
		.content = content,
		.ref = { (uint32_t)(x - f->inputs->list), line, x->source_number },
	};

	if (f->options->period != NULL && scan_outside_period(f->options->period, o)) {
		m->outside++;
		return;
	}
	source_note(x->source, stamp.order, f->engine->seed);
	if (stamp.order >= x->source->cut) {
		quarantine(f, x, stamp.order, line, record);
		return;
	}
	m->observations[o->kind]++;
	m->by_sensor[o->sensor]++;
	if (!instant_known(m->first) || o->time.ns < m->first.ns)
		m->first = o->time;
	if (!note_newest(x, stamp.order))
		suspect(f, x, o, stamp.order, line, record);
	if (!engine_take(f->engine, o, stamp, x->vantage))
		x->late = true;
}

static uint32_t line_of(const struct input *x, uint32_t line)
{
	return line < UINT32_MAX - x->lines ? x->lines + line : UINT32_MAX;
}

/* False and *err where not a single record could be read. */
static bool take_note(struct feed *f, struct input *x, const struct run *r,
		      const struct run_note *n, struct error *err)
{
	struct source_summary *m = &x->source->summary;
	uint32_t line = line_of(x, n->line);

	switch (n->type) {
	case NOTE_SEEN:
		m->records++;
		for (size_t i = 0; i < n->n; i++)
			take(f, x, &r->batch.list[n->first + i], n->content + i, line, n->record);
		break;
	case NOTE_REST:
		for (size_t i = 0; i < n->n; i++)
			take(f, x, &r->batch.list[n->first + i], i, line, SV_NONE);
		break;
	case NOTE_ITEMS:
		m->records += n->n;
		m->rejected += n->n;
		if (n->reason.p != NULL)
			set_aside(f, x, line, n->reason.p, n->record);
		break;
	case NOTE_REJECTED:
		m->records++;
		m->rejected++;
		set_aside(f, x, line, n->reason.p, n->record);
		break;
	case NOTE_OVERLONG:
		m->records++;
		m->overlong++;
		set_aside(f, x, line,
			  "longer than limits.max_record; raise it or look at what wrote it",
			  n->record);
		break;
	case NOTE_DAMAGED:
		if (m->records == 0)
			return error_set(err, r->err.code, r->err.position, "%s", n->reason.p);
		f->damaged = true;
		set_aside(f, x, line, n->reason.p, SV_NONE);
		break;
	}
	return true;
}

static bool take_run(struct feed *f, struct input *x, const struct run *r, struct error *err)
{
	struct source_summary *m = &x->source->summary;

	if (r->failed) {
		*err = r->err;
		return false;
	}
	f->records += r->records;
	m->records += r->irrelevant;
	m->irrelevant += r->irrelevant;
	for (size_t i = 0; i < r->n_notes; i++)
		if (!take_note(f, x, r, &r->notes[i], err))
			return false;
	m->bytes += r->bytes;
	x->taken += r->bytes;
	x->lines = line_of(x, r->lines);
	if (r->last) {
		x->done = true;
		x->position = INT64_MAX;
	} else if (!x->whole && x->newest != INT64_MIN) {
		x->position = x->newest - x->max_lag.ns;
	}
	return true;
}

/* The input that stands least, or NULL at the end of all. */
static struct input *least(struct feed *f)
{
	size_t i = feed_heap_least(&f->_order);

	return i != SIZE_MAX ? &f->inputs->list[i] : NULL;
}

/* Reads on in one input. */
static bool step(struct feed *f, struct ahead *a, struct input *x, struct error *err)
{
	size_t i = (size_t)(x - f->inputs->list);
	struct run *r = ahead_next(a, i);
	bool ok = take_run(f, x, r, err);

	ahead_give_back(a, i, r);
	if (x->done)
		feed_heap_remove(&f->_order, i);
	else
		feed_heap_put(&f->_order, i, x->position);
	return ok;
}

static void report_progress(const struct feed *f)
{
	struct scan_progress p = { .records = f->records };

	if (f->options->progress == NULL)
		return;
	for (size_t i = 0; i < f->inputs->n; i++) {
		const struct input *x = &f->inputs->list[i];
		p.bytes_total += x->size;
		p.bytes_done += x->done ? x->size : x->taken;
	}
	f->options->progress(f->options->progress_arg, &p);
}

/* Takes back what lies behind the source's cut, if the pass has kept track of all of it and
 * released none. */
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
	/* A record from the future makes all behind it look late: first see what remains without
	 * it. */
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

/* Reads all inputs to their ends, unless something comes between. */
static enum feed_result read_on(struct feed *f, struct ahead *a, struct error *err)
{
	struct input *x;
	unsigned runs = 0;

	while ((x = least(f)) != NULL) {
		if (f->options->interrupted != NULL && *f->options->interrupted) {
			f->interrupted = true;
			break;
		}
		if (!step(f, a, x, err))
			return FEED_FAILED;
		x = least(f);
		if (x != NULL && x->position != INT64_MIN)
			engine_release(f->engine, (struct instant){ x->position });
		if (f->engine->guess.found)
			return FEED_LISTENER;
		if (++runs % 64 == 0)
			report_progress(f);
	}
	return FEED_DONE;
}

enum feed_result feed_pass(struct feed *f, struct error *err)
{
	enum feed_result result;
	struct ahead ahead;

	feed_heap_init(&f->_order, f->inputs->n);
	restart(f);
	ahead_start(&ahead, f->inputs, f->options, f->pool);
	result = read_on(f, &ahead, err);
	ahead_stop(&ahead);
	feed_heap_free(&f->_order);
	if (result != FEED_DONE)
		return result;
	if (!f->interrupted && learn(f))
		return FEED_AGAIN;
	engine_release(f->engine, (struct instant){ INT64_MAX });
	if (f->engine->guess.found)
		return FEED_LISTENER;
	settle_newest(f);
	return FEED_DONE;
}
