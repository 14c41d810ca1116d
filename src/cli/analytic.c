#include <stdlib.h>
#include <string.h>

#include "cli/analytic_view.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "model/summary.h"
#include "parse/stix.h"
#include "read/reader.h"

/* Bytes of a source's first file by which its format is told. */
#define HEAD_BYTES ((size_t)64 * 1024)
#define MAX_BUNDLES 64

enum { ANALYTIC_BUNDLE = INPUT_ARGS, ANALYTIC_OUTPUT, ANALYTIC_COLOR, ANALYTIC_QUIET };

static const struct arg analytic_args[] = {
	{ ANALYTIC_BUNDLE, 0, "bundle", "FILE", NULL,
	  "ATT&CK STIX bundle, 2.0 or 2.1; may be repeated" },
	{ ANALYTIC_OUTPUT, 'o', "output", "FORM", "text json", "how it is written; text" },
	INPUT_ARG_TABLE,
	{ ANALYTIC_COLOR, 0, "color", "WHEN", "auto always never",
	  "colour; auto: on a terminal, unless NO_COLOR" },
	{ ANALYTIC_QUIET, 'q', "quiet", NULL, NULL, "no progress" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command analytic_command = {
	.name = "analytic",
	.summary = "the analytic: bundle, mutable elements, log sources, coverage, drift",
	.usage = "[OPTION]... [PATH]...",
	.about = "Shows MITRE ATT&CK AN1726 as implemented beside an ATT&CK bundle and the\n"
		 "configuration: the five mutable elements with their values, the four log\n"
		 "sources and which source feeds each, and any drift between the bundle and\n"
		 "what is implemented. With paths those are scanned; with a configuration\n"
		 "alone its sources are told by their first lines.",
	.examples = "  pinwatch analytic --bundle mobile-attack.json\n"
		    "  pinwatch analytic -c pinwatch.yaml\n"
		    "  pinwatch analytic FLEET --output json\n",
	.args = analytic_args,
	.operands = OPERANDS_FILES,
};

struct analytic_choices {
	const char *bundles[MAX_BUNDLES + 1];
	size_t n_bundles;
	bool json, quiet;
	enum report_colour colour;
};

struct feeds {
	struct analytic_feed *items;
	size_t n;
};

static void add_feed(struct feeds *f, struct analytic_feed item)
{
	f->items = xrealloc(f->items, f->n + 1, sizeof(*f->items));
	f->items[f->n++] = item;
}

/* What the first file of a configured source looks like; NULL when nothing tells. */
static const struct format *told_by_content(const struct inputs *in,
					    const struct conf_source *source)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct format_match match;
	const struct format *format = NULL;
	struct reader *r;
	struct error err;
	struct sv head;

	if (!sv_eq(source->format, SV("auto")))
		return format_find(in->formats, source->format);
	for (size_t i = 0; i < in->n; i++) {
		if (in->items[i].source != source || strcmp(in->items[i].path, "-") == 0)
			continue;
		r = reader_open(in->items[i].path, &options, &err);
		if (r == NULL)
			continue;
		head = reader_peek(r, HEAD_BYTES);
		if (format_detect(in->formats, head, &match, 1) == 1 && match.score > 0)
			format = match.format;
		reader_close(r);
		if (format != NULL)
			break;
	}
	return format;
}

static void configured_feeds(struct feeds *f, const struct inputs *in)
{
	for (size_t s = 0; s < in->conf.n_sources; s++) {
		const struct conf_source *source = &in->conf.sources[s];
		const struct format *format = told_by_content(in, source);
		struct analytic_feed feed = { .name = source->name };
		bool has_file = false;

		for (size_t i = 0; i < in->n; i++)
			has_file = has_file || in->items[i].source == source;
		if (format != NULL)
			feed.format = format_name(format);
		if (source->kind == SENSORS && format == NULL) {
			report_note("analytic",
				    "source %.*s: neither its kind nor its format is known; give "
				    "it `kind:` or `format:`",
				    SV_ARG(source->name));
			continue;
		}
		feed.sensor =
		    source->kind == SENSORS ? format_sensor(format) : conf_source_sensor(source);
		if (!has_file)
			feed.trouble = "no file matches its path";
		add_feed(f, feed);
	}
}

static void scanned_feeds(struct feeds *f, const struct run_summary *run)
{
	for (size_t i = 0; i < run->n_sources; i++) {
		const struct source_summary *s = &run->sources[i];

		for (int k = 0; k < SENSORS; k++)
			if (s->by_sensor[k] > 0)
				add_feed(f, (struct analytic_feed){
						.name = s->name,
						.format = s->format,
						.sensor = (enum sensor_kind)k,
						.scanned = true,
						.observations = s->by_sensor[k],
						.trouble = s->stale ? "stale: silent for too long"
								    : NULL });
	}
}

static int give(struct analytic_view *view, const struct analytic_choices *c, const struct feeds *f)
{
	struct text_style style = report_page_style(c->colour, false);
	struct buf b;

	view->feeds = f->items;
	view->n_feeds = f->n;
	buf_init(&b, ANALYTIC_MAX_BYTES);
	if (c->json)
		analytic_json(&b, view);
	else
		analytic_text(&b, view, &style);
	report_buf(stdout, &b);
	return report_finish("analytic", EXIT_DONE);
}

/* With paths: scans them, so that what feeds what is counted and not guessed. */
static int scan_and_give(struct analytic_view *view, const struct analytic_choices *c,
			 const struct inputs *in)
{
	struct progress progress;
	struct scan_options options = {
		.conf = &in->conf,
		.formats = in->formats,
		.inputs = in->items,
		.n_inputs = in->n,
		.progress = progress_show,
		.progress_arg = &progress,
		.interrupted = report_signals(),
	};
	struct feeds feeds = { 0 };
	struct error err;
	struct scan *scan;
	int code;

	progress_begin(&progress, c->quiet);
	scan = scan_run(&options, &err);
	progress_end(&progress);
	if (scan == NULL)
		return report_error("analytic", &err);
	scanned_feeds(&feeds, scan_summary(scan));
	code = give(view, c, &feeds);
	if (code == EXIT_DONE && scan_interrupted(scan)) {
		report_note("analytic", "interrupted: this is what was read so far");
		code = EXIT_INTERRUPTED;
	}
	free(feeds.items);
	scan_free(scan);
	return code;
}

static int run(struct analytic_choices *c, struct inputs *in)
{
	struct analytic_view view = { .conf = &in->conf };
	struct stix_analytic bundle;
	struct arena arena = { 0 };
	struct feeds feeds = { 0 };
	struct stix *stix = stix_new(SV("AN1726"));
	struct error err;
	bool ok = true;
	int code;

	if (!sv_empty(in->conf.bundle))
		c->bundles[c->n_bundles++] = arena_sv(&arena, in->conf.bundle).p;
	for (size_t i = 0; ok && i < c->n_bundles; i++)
		ok = stix_add_file(stix, c->bundles[i], &err);
	if (ok && c->n_bundles > 0) {
		ok = stix_resolve(stix, &bundle, &err);
		if (!ok)
			error_prefix(&err, "%s", c->bundles[c->n_bundles - 1]);
		view.bundle = &bundle;
	}
	if (ok && view.bundle != NULL)
		view.n_drift = stix_drift(&bundle, &implemented_analytic, &arena, &view.drift);
	view.asked = in->n > 0 || in->conf.n_sources > 0;
	if (!ok) {
		code = report_error("analytic", &err);
	} else if (in->n > 0 && in->items[0].source == NULL) {
		code = scan_and_give(&view, c, in);
	} else {
		configured_feeds(&feeds, in);
		code = give(&view, c, &feeds);
		free(feeds.items);
	}
	arena_free(&arena);
	stix_free(stix);
	return code;
}

static bool take_option(struct analytic_choices *c, struct inputs *in, int id, const char *value,
			struct error *err)
{
	switch (id) {
	case ANALYTIC_BUNDLE:
		if (c->n_bundles == MAX_BUNDLES)
			return error_set(err, ERROR_USAGE, 0,
					 "--bundle: more than %d; join them into one file",
					 MAX_BUNDLES);
		c->bundles[c->n_bundles++] = value;
		break;
	case ANALYTIC_OUTPUT:
		c->json = strcmp(value, "json") == 0;
		break;
	case ANALYTIC_COLOR:
		c->colour = report_colour_word(value);
		break;
	case ANALYTIC_QUIET:
		c->quiet = true;
		break;
	default:
		return inputs_option(in, id, value, err);
	}
	return true;
}

int cmd_analytic(int argc, char **argv)
{
	struct analytic_choices choices = { 0 };
	struct inputs in;
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	bool ok = true;
	int id, code;

	inputs_init(&in);
	args_begin(&args, &analytic_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPERAND) {
			inputs_path(&in, value);
		} else if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&analytic_command);
			inputs_free(&in);
			return report_finish("analytic", EXIT_DONE);
		} else {
			ok = r == ARGS_OPTION && take_option(&choices, &in, id, value, &err);
		}
	}
	ok = ok && inputs_load(&in, "analytic", true, &err);
	code = ok ? run(&choices, &in) : report_error("analytic", &err);
	inputs_free(&in);
	return code;
}
