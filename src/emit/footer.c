#include "emit/footer.h"

#include "emit/words.h"

/* Examples and file names, cut to what a line of a terminal bears. */
#define REASON_MAX_CHARS 200
#define NAME_MAX_CHARS 40
#define LEFT_ALONE_MAX 10

static void span(struct buf *b, struct instant from, struct instant to,
		 const struct text_style *style)
{
	if (!instant_known(from)) {
		buf_str(b, "no event times");
		return;
	}
	text_time(b, from, style);
	buf_str(b, " to ");
	text_time(b, to, style);
}

static void count_if(struct buf *b, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	buf_str(b, ", ");
	text_count(b, n);
	buf_printf(b, " %s", what);
}

/* What the records turned out to be; before any, what the format usually holds. */
static void kinds(struct buf *b, const struct source_summary *s)
{
	bool any = false;

	for (int k = 0; k < SENSORS; k++) {
		if (s->by_sensor[k] == 0)
			continue;
		buf_printf(b, "%s%s", any ? "+" : "", sensor_kind_name((enum sensor_kind)k));
		any = true;
	}
	if (!any)
		buf_str(b, sensor_kind_name(s->kind));
}

static void source(struct buf *b, const struct source_summary *s, const struct text_style *style,
		   bool verbose)
{
	buf_str(b, "  ");
	text_safe(b, s->name, NAME_MAX_CHARS);
	buf_str(b, " (");
	kinds(b, s);
	if (!sv_empty(s->format)) {
		buf_str(b, ", ");
		text_safe(b, s->format, NAME_MAX_CHARS);
	}
	buf_str(b, "): ");
	if (s->files == 0) {
		text_paint(b, style, PAINT_YELLOW);
		buf_str(b, "missing: no file was found");
		text_paint(b, style, PAINT_PLAIN);
		buf_char(b, '\n');
		return;
	}
	text_plural(b, s->records, "record", "records");
	if (s->files > 1)
		buf_printf(b, " in %u files", s->files);
	buf_str(b, ", ");
	text_count(b, s->rejected);
	buf_str(b, " rejected");
	count_if(b, s->irrelevant, "irrelevant");
	count_if(b, s->overlong, "overlong");
	count_if(b, s->too_late, "too late");
	count_if(b, s->quarantined, "quarantined (time too far ahead)");
	buf_str(b, "; ");
	span(b, s->first, s->last, style);
	if (s->stale || s->over_budget) {
		text_paint(b, style, PAINT_YELLOW);
		if (s->stale)
			buf_str(b, "; stale: silent for too long before the newest event");
		if (s->over_budget)
			buf_str(b, "; more bad lines than bad_line_budget allows");
		text_paint(b, style, PAINT_PLAIN);
	}
	buf_char(b, '\n');
	if (verbose) {
		buf_str(b, "    ");
		text_bytes(b, s->bytes);
		for (int k = 0; k < OBS_KINDS; k++)
			count_if(b, s->observations[k],
				 observation_kind_name((enum observation_kind)k));
		buf_char(b, '\n');
	}
	for (size_t i = 0; i < s->n_examples && i < SUMMARY_EXAMPLES; i++) {
		buf_str(b, "    ");
		text_safe(b, s->examples[i].file, 0);
		buf_printf(b, ":%u: ", s->examples[i].line);
		text_safe(b, s->examples[i].reason, REASON_MAX_CHARS);
		buf_char(b, '\n');
	}
}

static void found_listener(struct buf *b, const struct run_summary *s)
{
	char ip[ADDR_TEXT_SIZE];

	if (s->found_listener.port == 0)
		return;
	addr_format(&s->found_listener.ip, ip);
	buf_printf(b,
		   "%s:%u is taken as the gateway's listener, since flows to it are the gateway's "
		   "own connections; inspection.listeners says so for good\n",
		   ip, s->found_listener.port);
}

static void overlap(struct buf *b, const struct run_summary *s, const struct text_style *style)
{
	if (s->n_sources < 2)
		return;
	buf_str(b, "overlap: ");
	if (instant_known(s->overlap_from) && instant_known(s->overlap_to) &&
	    s->overlap_from.ns <= s->overlap_to.ns) {
		span(b, s->overlap_from, s->overlap_to, style);
		buf_str(b, " (");
		text_span(b, span_between(s->overlap_from, s->overlap_to));
		buf_str(b, ") is covered by every source of connections\n");
		return;
	}
	text_paint(b, style, PAINT_YELLOW);
	buf_str(
	    b, "none: no time is covered by every source of connections, so they cannot be joined");
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, '\n');
}

static void log_sources(struct buf *b, const struct run_summary *s, const struct text_style *style)
{
	static const enum sensor_kind order[] = { SENSOR_MDM, SENSOR_EDR, SENSOR_FLOW,
						  SENSOR_INSPECTION };
	bool any = false;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		enum source_status status = s->log_sources[order[i]];

		if (status != SOURCE_MISSING && status != SOURCE_STALE)
			continue;
		any = true;
		text_paint(b, style, PAINT_YELLOW);
		buf_printf(b, "%s is %s", log_source_name(order[i]), source_status_name(status));
		text_paint(b, style, PAINT_PLAIN);
		buf_printf(b, ": %s\n", words_missing_source(order[i]));
	}
	if (!any)
		buf_str(b, "all four log sources of the analytic are there\n");
}

static void merging(struct buf *b, const struct run_summary *s)
{
	text_plural(b, s->attempts, "connection", "connections");
	buf_str(b, ", ");
	text_plural(b, s->devices, "device", "devices");
	buf_str(b, ", ");
	text_plural(b, s->apps, "app", "apps");
	buf_str(b, ", ");
	text_plural(b, s->destinations, "destination", "destinations");
	count_if(b, s->contradictions,
		 s->contradictions == 1 ? "contradiction between sources"
					: "contradictions between sources");
	count_if(b, s->gateway_own, "records of the gateway's own connections dropped");
	count_if(b, s->unjudged, "without a host, not judged");
	count_if(b, s->evicted, "given up to stay within limits.memory");
	buf_char(b, '\n');
}

void footer(struct buf *out, const struct run_summary *s, const struct text_style *style,
	    bool verbose)
{
	uint64_t records = 0, rejected = 0;

	for (size_t i = 0; i < s->n_sources; i++) {
		records += s->sources[i].records;
		rejected += s->sources[i].rejected + s->sources[i].overlong;
	}
	text_plural(out, s->n_sources, "source", "sources");
	buf_str(out, ", ");
	text_plural(out, records, "record", "records");
	buf_str(out, ", ");
	text_count(out, rejected);
	buf_str(out, " rejected; ");
	span(out, s->first, s->last, style);
	buf_char(out, '\n');
	for (size_t i = 0; i < s->n_sources; i++)
		source(out, &s->sources[i], style, verbose);
	found_listener(out, s);
	overlap(out, s, style);
	if (verbose || s->evicted > 0 || s->unjudged > 0)
		merging(out, s);
	log_sources(out, s, style);
	if (!verbose && s->n_left_alone > 0) {
		text_plural(out, s->n_left_alone, "file", "files");
		buf_str(out,
			" left alone: empty, named twice, no files, or truth, configuration or "
			"lists beside the logs (-v names them; -c takes a configuration)\n");
	}
	for (size_t i = 0; verbose && i < s->n_left_alone; i++) {
		if (i == LEFT_ALONE_MAX) {
			buf_printf(out, "left alone: and %zu more\n", s->n_left_alone - i);
			break;
		}
		buf_str(out, "left alone: ");
		text_safe(out, s->left_alone[i], 0);
		buf_char(out, '\n');
	}
}
