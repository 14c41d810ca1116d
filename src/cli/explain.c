#include "emit/explain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/host.h"
#include "emit/emit.h"
#include "emit/footer.h"
#include "emit/words.h"

/* Without a narrower selection so many pages are printed; the rest is listed by a line each. */
#define MAX_PAGES 5
#define MAX_LISTED 20
/* A uid may be cut to so many characters. */
#define UID_MIN 4
#define EVIDENCE_DEFAULT 20

enum {
	EXPLAIN_APP = INPUT_ARGS,
	EXPLAIN_HOST,
	EXPLAIN_PORT,
	EXPLAIN_DEVICE,
	EXPLAIN_EVIDENCE,
	EXPLAIN_COLOR,
	EXPLAIN_LOCAL,
	EXPLAIN_QUIET,
	EXPLAIN_VERBOSE,
	EXPLAIN_UID
};

static const struct arg explain_args[] = {
	{ EXPLAIN_APP, 0, "app", "BUNDLE", NULL,
	  "the app's bundle id; unknown for findings without app" },
	{ EXPLAIN_HOST, 0, "host", "HOST", NULL, "the destination's name or address" },
	{ EXPLAIN_PORT, 0, "port", "PORT", NULL, "the destination's port" },
	{ EXPLAIN_DEVICE, 0, "device", "ID", NULL,
	  "only findings in which this device takes part" },
	{ EXPLAIN_UID, 0, "uid", "UID", NULL, "the finding's id, or how it begins" },
	{ EXPLAIN_EVIDENCE, 0, "evidence", "N|all", NULL, "how many records are shown; 20" },
	INPUT_ARG_TABLE,
	{ EXPLAIN_COLOR, 0, "color", "WHEN", "auto always never",
	  "colour; auto: on a terminal, unless NO_COLOR" },
	{ EXPLAIN_LOCAL, 0, "local", NULL, NULL, "times in your zone instead of UTC" },
	{ EXPLAIN_QUIET, 'q', "quiet", NULL, NULL, "no progress" },
	{ EXPLAIN_VERBOSE, 'v', "verbose", NULL, NULL, "the scan's footer too" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command explain_command = {
	.name = "explain",
	.summary = "why a finding is what it is, or why there is none",
	.usage =
	    "[OPTION]... PATH... [UID]\n       pinwatch explain PATH... --app BUNDLE --host HOST",
	.about = "Analyses the same inputs as scan and takes one judgement apart: the score's\n"
		 "contributions, the controls met and missing, each rival explanation, the\n"
		 "paths, risk, confidence, devices, log sources, and the records behind it.\n"
		 "Says of anything that did not become a finding why not, and what would have\n"
		 "to change. A UID may be cut to its first characters (four or more).",
	.examples = "  pinwatch explain FLEET 6f1c2a90\n"
		    "  pinwatch explain FLEET --app com.acme.bank --host api.bank.test\n"
		    "  pinwatch explain -c pinwatch.yaml --device 00008110-000A1B2C3D4E001E\n",
	.args = explain_args,
	.operands = OPERANDS_FILES,
};

struct selection {
	struct sv uid, app, host, device;
	uint16_t port; /* 0: any */
};

struct explain_choices {
	struct selection select;
	struct explain_options page;
	enum report_colour colour;
	bool local, quiet, verbose;
	struct arena arena;
};

static bool take_number(const char *option, const char *value, uint64_t max, const char *or_else,
			uint64_t *out, struct error *err)
{
	if (sv_to_u64(sv_cstr(value), out) && *out >= 1 && *out <= max)
		return true;
	return error_set(err, ERROR_USAGE, 0, "--%s takes a number from 1 to %llu%s, not %.80s",
			 option, (unsigned long long)max, or_else, value);
}

/* A name in any case, in Unicode, with a trailing dot: as observations carry it. Addresses, and
 * what else logs call a host, stay as written. */
static void take_host(struct explain_choices *c, const char *value)
{
	if (host_normalise(sv_cstr(value), &c->arena, &c->select.host) != NULL)
		c->select.host = sv_cstr(value);
}

static bool take_option(struct explain_choices *c, struct inputs *in, int id, const char *value,
			struct error *err)
{
	uint64_t n;

	switch (id) {
	case EXPLAIN_APP:
		c->select.app = sv_cstr(value);
		break;
	case EXPLAIN_HOST:
		take_host(c, value);
		break;
	case EXPLAIN_PORT:
		if (!take_number("port", value, UINT16_MAX, "", &n, err))
			return false;
		c->select.port = (uint16_t)n;
		break;
	case EXPLAIN_DEVICE:
		c->select.device = sv_cstr(value);
		break;
	case EXPLAIN_UID:
		c->select.uid = sv_cstr(value);
		break;
	case EXPLAIN_EVIDENCE:
		if (strcmp(value, "all") == 0) {
			c->page.max_evidence = 0;
			break;
		}
		if (!take_number("evidence", value, 1000000, ", or all", &n, err))
			return false;
		c->page.max_evidence = (size_t)n;
		break;
	case EXPLAIN_COLOR:
		c->colour = report_colour_word(value);
		break;
	case EXPLAIN_LOCAL:
		c->local = true;
		break;
	case EXPLAIN_QUIET:
		c->quiet = true;
		break;
	case EXPLAIN_VERBOSE:
		c->verbose = true;
		break;
	default:
		return inputs_option(in, id, value, err);
	}
	return true;
}

/* Hexadecimal digits and hyphens, long enough, and no such file. */
static bool looks_like_uid(const char *word)
{
	size_t n = strlen(word);
	struct stat st;

	return n >= UID_MIN && n <= 36 && strspn(word, "0123456789abcdefABCDEF-") == n &&
	       stat(word, &st) != 0;
}

static bool app_matches(const struct finding *f, struct sv app)
{
	if (sv_empty(f->bundle_id))
		return sv_eq(app, SV("unknown"));
	return sv_eq_nocase(f->bundle_id, app);
}

static bool device_matches(const struct finding *f, struct sv device)
{
	for (size_t i = 0; i < f->n_devices; i++)
		if (sv_eq_nocase(f->devices[i].id, device))
			return true;
	return false;
}

static bool selected(const struct finding *f, const struct selection *s)
{
	bool about_app = s->app.n > 0 || s->host.n > 0 || s->port > 0;

	if (s->uid.n > 0 && !sv_eq_nocase(sv_first(sv_cstr(f->uid), s->uid.n), s->uid))
		return false;
	if (about_app && f->kind != FINDING_PINNING)
		return false;
	if (s->app.n > 0 && !app_matches(f, s->app))
		return false;
	if (s->host.n > 0 && !sv_eq_nocase(f->host, s->host))
		return false;
	if (s->port > 0 && f->port != s->port)
		return false;
	return s->device.n == 0 || device_matches(f, s->device);
}

static void one_line(struct buf *b, const struct finding *f)
{
	buf_printf(b, "  %.8s  %-9s  ", f->uid, verdict_name(f->verdict));
	if (f->kind == FINDING_PINNING) {
		words_app(b, f);
		buf_str(b, "  ");
		words_destination(b, f);
		if (!sv_empty(f->explained_by)) {
			buf_str(b, "  ");
			text_safe(b, f->explained_by, 80);
		}
	} else {
		buf_str(b, finding_kind_name(f->kind));
		if (f->n_devices == 1) {
			buf_str(b, "  ");
			text_safe(b, f->devices[0].id, 64);
		}
	}
	buf_char(b, '\n');
}

/* Judgements that share the app or the destination with what was asked for. */
static size_t list_near(struct buf *b, const struct finding *all, size_t n,
			const struct selection *s)
{
	size_t listed = 0;

	for (size_t i = 0; i < n; i++) {
		const struct finding *f = &all[i];
		bool near = f->kind == FINDING_PINNING &&
			    ((s->app.n > 0 && app_matches(f, s->app)) ||
			     (s->host.n > 0 && sv_eq_nocase(f->host, s->host)) ||
			     (s->device.n > 0 && device_matches(f, s->device)));

		if (!near)
			continue;
		if (listed == 0)
			buf_str(b, "\nNearest to it:\n");
		if (listed++ < MAX_LISTED)
			one_line(b, f);
	}
	if (listed > MAX_LISTED)
		buf_printf(b, "  and %zu more\n", listed - MAX_LISTED);
	return listed;
}

/* Nothing was judged that answers to the selection: why, and what would make it appear. */
static void why_nothing(struct buf *b, const struct finding *all, size_t n,
			const struct selection *s, const struct run_summary *run)
{
	buf_str(b, "There is no judgement about ");
	if (s->uid.n > 0) {
		buf_str(b, "id ");
		text_safe(b, s->uid, 40);
	} else {
		if (s->app.n > 0) {
			buf_str(b, "app ");
			text_safe(b, s->app, 80);
		}
		if (s->host.n > 0) {
			buf_str(b, s->app.n > 0 ? " with " : "");
			text_safe(b, s->host, 120);
		}
		if (s->port > 0)
			buf_printf(b, "%sport %u", s->app.n + s->host.n > 0 ? ", " : "", s->port);
		if (s->device.n > 0) {
			buf_str(b, s->app.n + s->host.n > 0 || s->port > 0 ? " on device "
									   : "device ");
			text_safe(b, s->device, 80);
		}
	}
	buf_str(b, ": no connection in these logs was seen for it");
	buf_str(b,
		s->uid.n > 0
		    ? ", under these inputs and settings.\n"
		    : ".\n"
		      "A judgement needs at least one TLS connection to the destination. Without a "
		      "record that names the app the\n"
		      "connection is judged as app unknown (--app unknown).\n");
	list_near(b, all, n, s);
	buf_char(b, '\n');
	for (int k = SENSOR_INSPECTION; k <= SENSOR_MDM; k++)
		if (run->log_sources[k] == SOURCE_MISSING || run->log_sources[k] == SOURCE_STALE)
			buf_printf(b, "%s is %s. %s\n", log_source_name((enum sensor_kind)k),
				   source_status_name(run->log_sources[k]),
				   words_missing_source((enum sensor_kind)k));
}

static void pages(struct buf *b, const struct finding *all, size_t n,
		  const struct explain_choices *c)
{
	size_t shown = 0, listed = 0;

	for (size_t i = 0; i < n; i++) {
		if (!selected(&all[i], &c->select))
			continue;
		if (shown < MAX_PAGES) {
			if (shown++ > 0) {
				buf_char(b, '\n');
				for (int k = 0; k < 40; k++)
					buf_str(b, "─");
				buf_str(b, "\n\n");
			}
			explain_finding(b, &all[i], &c->page);
			continue;
		}
		if (listed == 0)
			buf_str(b, "\nAlso selected:\n");
		if (listed++ < MAX_LISTED)
			one_line(b, &all[i]);
	}
	if (listed > MAX_LISTED)
		buf_printf(b, "  and %zu more\n", listed - MAX_LISTED);
}

static int give(const struct scan *scan, const struct explain_choices *c)
{
	const struct finding *all;
	size_t n, matching = 0;
	struct buf b;

	all = scan_findings(scan, &n);
	for (size_t i = 0; i < n; i++)
		matching += selected(&all[i], &c->select);
	buf_init(&b, EXPLAIN_MAX_BYTES);
	if (matching == 0)
		why_nothing(&b, all, n, &c->select, scan_summary(scan));
	else
		pages(&b, all, n, c);
	if (b.overflowed)
		report_note("explain", "the page was cut: narrow the selection, or --evidence");
	report_buf(stdout, &b);
	if (c->verbose) {
		struct text_style style = report_style(stderr, c->colour, c->local);

		fflush(stdout);
		buf_init(&b, FOOTER_MAX_BYTES);
		footer(&b, scan_summary(scan), &style, true);
		report_buf(stderr, &b);
	} else if (scan_partial(scan)) {
		fflush(stdout);
		report_partial("explain", scan_summary(scan));
	}
	if (scan_interrupted(scan)) {
		report_note("explain", "interrupted: this is judged by what was read so far");
		return report_finish("explain", EXIT_INTERRUPTED);
	}
	return report_finish("explain", scan_partial(scan) ? EXIT_PARTIAL : EXIT_DONE);
}

static int run(struct explain_choices *c, struct inputs *in)
{
	struct progress progress;
	struct scan_options options = {
		.conf = &in->conf,
		.formats = in->formats,
		.inputs = in->items,
		.n_inputs = in->n,
		.all = true,
		.progress = progress_show,
		.progress_arg = &progress,
		.interrupted = report_signals(),
	};
	struct error err;
	struct scan *scan;
	int code;

	progress_begin(&progress, c->quiet);
	scan = scan_run(&options, &err);
	progress_end(&progress);
	if (scan == NULL)
		return report_error("explain", &err);
	c->page.settings = &in->settings;
	code = give(scan, c);
	scan_free(scan);
	return code == EXIT_DONE && in->n_missing > 0 ? EXIT_PARTIAL : code;
}

static bool check_selection(const struct selection *s, struct error *err)
{
	if (s->uid.n > 0 && (s->uid.n < UID_MIN || s->uid.n > 36))
		return error_set(err, ERROR_USAGE, 0,
				 "an id is %d to 36 characters, as scan prints it", UID_MIN);
	if (s->uid.n + s->app.n + s->host.n + s->device.n == 0)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "which finding? Give its ID (first column of `pinwatch scan`), or --app "
		    "BUNDLE --host HOST, or --device ID");
	return true;
}

int cmd_explain(int argc, char **argv)
{
	struct explain_choices choices = { .page = { .raw_lines = true,
						     .max_evidence = EVIDENCE_DEFAULT } };
	struct inputs in;
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	bool ok = true;
	int id, code;

	inputs_init(&in);
	args_begin(&args, &explain_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPERAND && looks_like_uid(value)) {
			if (choices.select.uid.n > 0)
				ok = error_set(&err, ERROR_USAGE, 0,
					       "two ids are given, %.80s and %.80s: leave one out",
					       choices.select.uid.p, value);
			choices.select.uid = sv_cstr(value);
		} else if (r == ARGS_OPERAND) {
			inputs_path(&in, value);
		} else if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&explain_command);
			arena_free(&choices.arena);
			inputs_free(&in);
			return report_finish("explain", EXIT_DONE);
		} else {
			ok = r == ARGS_OPTION && take_option(&choices, &in, id, value, &err);
		}
	}
	ok = ok && check_selection(&choices.select, &err) &&
	     inputs_load(&in, "explain", false, &err);
	choices.page.style = report_page_style(choices.colour, choices.local);
	code = ok ? run(&choices, &in) : report_error("explain", &err);
	arena_free(&choices.arena);
	inputs_free(&in);
	return code;
}
