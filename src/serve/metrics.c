#include "serve/pushed.h"
#include "serve/status.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP pinwatch_%s %s\n# TYPE pinwatch_%s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	head(out, name, type, help);
	buf_printf(out, "pinwatch_%s %.17g\n", name, value);
}

/* Label values: backslash, quote and line break are escaped. */
static void label(struct buf *out, struct sv v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\n') {
			buf_str(out, "\\n");
			continue;
		}
		if (v.p[i] == '\\' || v.p[i] == '"')
			buf_char(out, '\\');
		buf_char(out, v.p[i]);
	}
}

static uint64_t records(const struct live_source *s) { return s->counts.records; }
static uint64_t observations(const struct live_source *s) { return s->counts.observations; }
static uint64_t rejected(const struct live_source *s) { return s->counts.rejected; }
static uint64_t overlong(const struct live_source *s) { return s->counts.overlong; }
static uint64_t irrelevant(const struct live_source *s) { return s->counts.irrelevant; }
static uint64_t quarantined(const struct live_source *s) { return s->counts.quarantined; }
static uint64_t late(const struct live_source *s) { return s->counts.late; }
static uint64_t too_late(const struct live_source *s) { return s->counts.too_late; }
static uint64_t evicted(const struct live_source *s) { return s->counts.evicted; }
static uint64_t errors(const struct live_source *s) { return s->counts.errors; }
static uint64_t silent(const struct live_source *s) { return s->silent; }
static uint64_t footprint(const struct live_source *s) { return s->footprint; }

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct live_source *s);
} per_source[] = {
	{ "records_total", "counter", "Records read.", records },
	{ "observations_total", "counter", "Observations taken.", observations },
	{ "rejected_total", "counter", "Records that could not be parsed.", rejected },
	{ "overlong_total", "counter", "Records longer than limits.max_record.", overlong },
	{ "irrelevant_total", "counter", "Records that say nothing of use.", irrelevant },
	{ "quarantined_total", "counter", "Observations ahead of the clock, not used.",
	  quarantined },
	{ "late_total", "counter", "Observations behind the watermark, used all the same.", late },
	{ "too_late_total", "counter", "Observations too far behind the watermark, not used.",
	  too_late },
	{ "evicted_total", "counter", "Attempts given up to stay within memory.", evicted },
	{ "input_errors_total", "counter", "Times that something of an input could not be read.",
	  errors },
	{ "source_silent", "gauge", "1 where the source is silent past silence_after.", silent },
	{ "source_memory_bytes", "gauge", "Held in memory of the source's records.", footprint },
};

static void sources(struct buf *out, const struct daemon *d)
{
	for (size_t k = 0; k < sizeof(per_source) / sizeof(per_source[0]); k++) {
		head(out, per_source[k].name, per_source[k].type, per_source[k].help);
		for (size_t i = 0; i < d->sources.n; i++) {
			buf_printf(out, "pinwatch_%s{source=\"", per_source[k].name);
			label(out, d->sources.list[i]->name);
			buf_printf(out, "\"} %llu\n",
				   (unsigned long long)per_source[k].value(d->sources.list[i]));
		}
	}
	head(out, "source_lag_seconds", "gauge", "Event time behind the newest of all sources.");
	for (size_t i = 0; i < d->sources.n; i++) {
		int64_t lag = status_lag(d, d->sources.list[i]);

		if (lag < 0)
			continue;
		buf_str(out, "pinwatch_source_lag_seconds{source=\"");
		label(out, d->sources.list[i]->name);
		buf_printf(out, "\"} %.3f\n", (double)lag / 1e9);
	}
	head(out, "source_silence_seconds", "gauge", "Since the source was last heard of.");
	for (size_t i = 0; i < d->sources.n; i++) {
		buf_str(out, "pinwatch_source_silence_seconds{source=\"");
		label(out, d->sources.list[i]->name);
		buf_printf(out, "\"} %.3f\n",
			   (double)(d->monotonic.ns - d->sources.list[i]->heard.ns) / 1e9);
	}
}

void status_metrics(struct buf *out, const struct daemon *d)
{
	head(out, "info", "gauge", "The program.");
	buf_printf(out, "pinwatch_info{version=\"%s\"} 1\n", PINWATCH_VERSION);
	one(out, "ready", "gauge", "1 once the past is known and inputs are read.",
	    d->ready && !d->trouble);
	one(out, "uptime_seconds", "gauge", "Since the start.",
	    (double)(d->monotonic.ns - d->began.ns) / 1e9);
	if (d->keeper.released != INT64_MIN)
		one(out, "watermark_seconds", "gauge",
		    "Event time up to which records have been judged.",
		    (double)d->keeper.released / 1e9);
	if (live_sources_newest(&d->sources) != INT64_MIN)
		one(out, "newest_event_seconds", "gauge", "Event time of the newest record.",
		    (double)live_sources_newest(&d->sources) / 1e9);
	one(out, "attempts", "gauge", "TLS attempts held.", (double)d->keeper.engine.facts.n);
	one(out, "cases", "gauge", "Pairs of app and destination held.",
	    (double)(d->keeper.engine.facts.n_findings > 0 ? d->keeper.engine.facts.n_findings - 1
							   : 0));
	one(out, "memory_bytes", "gauge", "Held in memory of records.", (double)d->memory);
	head(out, "findings", "gauge", "Findings that are not resolved, by verdict.");
	for (int v = 0; v < VERDICTS; v++)
		buf_printf(out, "pinwatch_findings{verdict=\"%s\"} %llu\n",
			   verdict_name((enum verdict)v),
			   (unsigned long long)d->ledger.open_by_verdict[v]);
	one(out, "outbox_depth", "gauge", "Revisions that wait to be delivered.",
	    (double)store_outbox_depth(d->store));
	one(out, "delivered_total", "counter", "Revisions delivered since the start.",
	    (double)d->deliver.delivered);
	one(out, "checkpoints_total", "counter", "Checkpoints since the start.",
	    (double)d->checkpoints);
	one(out, "checkpoints_failed_total", "counter", "Checkpoints that the disk refused.",
	    (double)d->checkpoints_failed);
	one(out, "checkpoint_seconds", "gauge", "How long the last checkpoint took.",
	    (double)d->checkpointed_in.ns / 1e9);
	if (instant_known(d->checkpointed_at))
		one(out, "checkpoint_timestamp_seconds", "gauge",
		    "When the last checkpoint was made.", (double)d->checkpointed_at.ns / 1e9);
	one(out, "judgements_total", "counter", "Judgements since the start.",
	    (double)d->judgements);
	one(out, "judgement_seconds", "gauge", "How long the last judgement took.",
	    (double)d->judged_in.ns / 1e9);
	one(out, "journal_lost_blocks_total", "counter",
	    "Damaged blocks of the journal that were passed over.", (double)d->keeper.lost_blocks);
	one(out, "dead_letters_dropped_total", "counter", "Dead letters that could not be written.",
	    (double)d->dead.dropped);
	sources(out, d);
	pushed_metrics(d->pushed, out);
}
