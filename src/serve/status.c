#include "serve/status.h"

#include "base/jsonw.h"
#include "emit/text.h"
#include "serve/pushed.h"
#include "serve/wire_live.h"

/* Bad lines that a source without a budget may have, as bad_line_budget's default. */
#define DEFAULT_BUDGET 50000

static bool over_budget(const struct live_source *s)
{
	const struct store_source *n = &s->counts;
	uint64_t budget = (n->records - n->irrelevant) *
			  (s->conf != NULL ? s->conf->bad_line_budget : DEFAULT_BUDGET) / 1000000;

	return n->rejected + n->overlong > budget;
}

const char *status_colour(const struct daemon *d, const struct live_source *s)
{
	(void)d;
	if (over_budget(s))
		return "red";
	return s->silent || s->counts.newest == INT64_MIN ? "yellow" : "green";
}

int64_t status_lag(const struct daemon *d, const struct live_source *s)
{
	int64_t newest = live_sources_newest(&d->sources);

	return newest == INT64_MIN || s->counts.newest == INT64_MIN ? -1
								    : newest - s->counts.newest;
}

static const char *state_of(const struct daemon *d)
{
	return d->trouble ? "trouble" : !d->ready ? "starting" : "ready";
}

static void key_time(struct jsonw *w, const char *key, int64_t t)
{
	jsonw_key(w, key);
	jsonw_instant(w, (struct instant){ t });
}

static void capture_json(struct jsonw *w, const struct daemon *d, const struct live_source *s)
{
	struct wire_live_stats c;

	jsonw_key(w, "capture");
	if (!pushed_capture(d->pushed, s->name, &c)) {
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	jsonw_key_bool(w, "up", c.capturing);
	jsonw_key_count(w, "packets", c.wire.packets);
	jsonw_key_count(w, "received", c.received);
	jsonw_key_count(w, "dropped", c.dropped);
	jsonw_key_count(w, "dropped_by_interface", c.dropped_by_interface);
	jsonw_key_count(w, "connections", c.wire.connections);
	jsonw_key_count(w, "incomplete", c.wire.incomplete);
	jsonw_key_count(w, "reported", c.records);
	jsonw_key_count(w, "failed", c.failed);
	jsonw_key_count(w, "gaps", c.gaps);
	jsonw_key_count(w, "gap_s", (uint64_t)(c.gap.ns / NS_PER_S));
	jsonw_close(w, '}');
}

static void source_json(struct jsonw *w, const struct daemon *d, const struct live_source *s)
{
	const struct store_source *n = &s->counts;

	jsonw_open(w, '{');
	jsonw_key_text(w, "name", s->name);
	jsonw_key_str(w, "state", status_colour(d, s));
	jsonw_key_bool(w, "configured", s->conf != NULL);
	jsonw_key(w, "format");
	if (sv_empty(n->format))
		jsonw_null(w);
	else
		jsonw_sv(w, n->format);
	jsonw_key_bool(w, "silent", s->silent);
	jsonw_key_bool(w, "behind", s->behind);
	jsonw_key_count(w, "records", n->records);
	jsonw_key_count(w, "observations", n->observations);
	jsonw_key_count(w, "irrelevant", n->irrelevant);
	jsonw_key_count(w, "rejected", n->rejected);
	jsonw_key_count(w, "overlong", n->overlong);
	jsonw_key_count(w, "quarantined", n->quarantined);
	jsonw_key_count(w, "late", n->late);
	jsonw_key_count(w, "too_late", n->too_late);
	jsonw_key_count(w, "evicted", n->evicted);
	jsonw_key_count(w, "errors", n->errors);
	key_time(w, "first", n->first);
	key_time(w, "last", n->last);
	jsonw_key(w, "lag_s");
	if (status_lag(d, s) < 0)
		jsonw_null(w);
	else
		jsonw_int(w, status_lag(d, s) / NS_PER_S);
	jsonw_key_count(w, "memory", s->footprint);
	capture_json(w, d, s);
	jsonw_key(w, "examples");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_examples; i++)
		jsonw_sv(w, s->examples[i]);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void sources_json(struct jsonw *w, const struct daemon *d)
{
	jsonw_key(w, "sources");
	jsonw_open(w, '[');
	for (size_t i = 0; i < d->sources.n; i++)
		source_json(w, d, d->sources.list[i]);
	jsonw_close(w, ']');
}

void status_sources_json(struct buf *out, const struct daemon *d)
{
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	sources_json(&w, d);
	jsonw_close(&w, '}');
	buf_char(out, '\n');
}

void status_json(struct buf *out, const struct daemon *d)
{
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	jsonw_key_str(&w, "version", PINWATCH_VERSION);
	jsonw_key_str(&w, "state", state_of(d));
	jsonw_key_str(&w, "trouble", d->trouble ? d->trouble_why.message : NULL);
	jsonw_key_count(&w, "uptime_s", (uint64_t)((d->monotonic.ns - d->began.ns) / NS_PER_S));
	jsonw_key_count(&w, "records", d->intake.records);
	key_time(&w, "newest", live_sources_newest(&d->sources));
	key_time(&w, "watermark", d->keeper.released);
	jsonw_key_count(&w, "attempts", d->keeper.engine.facts.n);
	jsonw_key_count(&w, "memory", d->memory);
	jsonw_key_count(&w, "outbox", store_outbox_depth(d->store));
	jsonw_key_count(&w, "lost_blocks", d->keeper.lost_blocks);
	jsonw_key(&w, "checkpoint");
	jsonw_open(&w, '{');
	jsonw_key_count(&w, "id", (uint64_t)d->checkpoint);
	key_time(&w, "at", instant_known(d->checkpointed_at) ? d->checkpointed_at.ns : INT64_MIN);
	jsonw_key_count(&w, "took_us", (uint64_t)(d->checkpointed_in.ns / 1000));
	jsonw_key_count(&w, "failed", d->checkpoints_failed);
	jsonw_close(&w, '}');
	jsonw_key(&w, "judgement");
	jsonw_open(&w, '{');
	jsonw_key_count(&w, "count", d->judgements);
	jsonw_key_count(&w, "took_us", (uint64_t)(d->judged_in.ns / 1000));
	jsonw_close(&w, '}');
	jsonw_key(&w, "findings");
	jsonw_open(&w, '{');
	for (int v = 0; v < VERDICTS; v++)
		jsonw_key_count(&w, verdict_name((enum verdict)v), d->ledger.open_by_verdict[v]);
	jsonw_close(&w, '}');
	sources_json(&w, d);
	jsonw_close(&w, '}');
	buf_char(out, '\n');
}

static void cell(struct buf *out, const struct buf *text, size_t width, bool right)
{
	size_t n = text_columns(buf_view(text)), pad = n < width ? width - n : 0;

	if (right)
		text_repeat(out, ' ', pad);
	buf_sv(out, buf_view(text));
	if (!right)
		text_repeat(out, ' ', pad);
	buf_str(out, "  ");
}

static void count_cell(struct buf *out, uint64_t n, size_t width)
{
	struct buf text;

	buf_init(&text, 64);
	text_count(&text, n);
	cell(out, &text, width, true);
	buf_free(&text);
}

/* Of a live capture only what is wrong. */
static void capture_words(struct buf *out, const struct daemon *d, const struct live_source *s)
{
	struct wire_live_stats c;

	if (!pushed_capture(d->pushed, s->name, &c))
		return;
	if (!c.capturing)
		buf_str(out, "  not capturing");
	if (c.dropped + c.dropped_by_interface > 0) {
		buf_str(out, "  dropped ");
		text_count(out, c.dropped + c.dropped_by_interface);
		buf_str(out, " packets");
	}
	if (c.gaps > 0) {
		buf_str(out, "  missed ");
		text_span(out, c.gap);
	}
}

static void source_row(struct buf *out, const struct daemon *d, const struct live_source *s)
{
	const struct store_source *n = &s->counts;
	struct text_style style = { 0 };
	struct buf text;

	buf_init(&text, 65536);
	text_safe(&text, s->name, 24);
	cell(out, &text, 24, false);
	buf_reset(&text);
	buf_str(&text, s->conf == NULL ? "gone" : status_colour(d, s));
	cell(out, &text, 6, false);
	count_cell(out, n->records, 13);
	count_cell(out, n->rejected + n->overlong, 9);
	count_cell(out, n->late, 9);
	count_cell(out, n->too_late + n->quarantined, 9);
	buf_reset(&text);
	if (status_lag(d, s) >= 0)
		text_span(&text, (struct span){ status_lag(d, s) });
	else
		buf_str(&text, "-");
	cell(out, &text, 11, true);
	text_time(out, (struct instant){ n->last }, &style);
	if (s->silent)
		buf_str(out, "  silent");
	if (s->behind)
		buf_str(out, "  reading");
	capture_words(out, d, s);
	buf_char(out, '\n');
	buf_free(&text);
}

void status_table(struct buf *out, const struct daemon *d)
{
	struct text_style style = { 0 };

	buf_printf(out, "pinwatch %s, %s for ", PINWATCH_VERSION, state_of(d));
	text_span(out, span_between(d->began, d->monotonic));
	if (d->trouble)
		buf_printf(out, ": %s", d->trouble_why.message);
	buf_str(out, "\nwatermark ");
	text_time(out, (struct instant){ d->keeper.released }, &style);
	buf_str(out, ", newest event ");
	text_time(out, (struct instant){ live_sources_newest(&d->sources) }, &style);
	buf_str(out, "\ncheckpoint ");
	text_time(out, d->checkpointed_at, &style);
	buf_printf(out, " in %.1f ms, last judgement in %.1f ms, ",
		   (double)d->checkpointed_in.ns / 1e6, (double)d->judged_in.ns / 1e6);
	text_bytes(out, d->memory);
	buf_str(out, " of records held\nfindings:");
	for (int v = 0; v < VERDICTS; v++) {
		buf_str(out, v > 0 ? ", " : " ");
		text_count(out, d->ledger.open_by_verdict[v]);
		buf_printf(out, " %s", verdict_name((enum verdict)v));
	}
	buf_str(out, "; outbox: ");
	text_count(out, store_outbox_depth(d->store));
	buf_printf(out, "\n\n%-24s  %-6s  %13s  %9s  %9s  %9s  %11s  %s\n", "SOURCE", "STATE",
		   "RECORDS", "REJECTED", "LATE", "NOT USED", "BEHIND", "LAST EVENT");
	for (size_t i = 0; i < d->sources.n; i++)
		source_row(out, d, d->sources.list[i]);
}
