#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backtest/backtest.h"
#include "cli/args.h"
#include "cli/backtest_truth.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/assign.h"
#include "emit/backtest.h"
#include "emit/finding_json.h"
#include "emit/footer.h"
#include "govern/governed.h"

/* One finding, as emit.c has it. */
#define FINDING_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define MAX_PATH_TEXT 65536
#define NAME_MAX_BYTES 100

enum {
	BACKTEST_SWEEP = INPUT_ARGS,
	BACKTEST_STATE,
	BACKTEST_DB,
	BACKTEST_FILES,
	BACKTEST_SINCE,
	BACKTEST_UNTIL,
	BACKTEST_TRUTH,
	BACKTEST_FINDINGS,
	BACKTEST_OUTPUT,
	BACKTEST_ALL,
	BACKTEST_COLOR,
	BACKTEST_LOCAL,
	BACKTEST_QUIETLY
};

static const struct arg backtest_args[] = {
	{ INPUT_SET, 0, "set", "ELEMENT=VALUE", NULL,
	  "try this: --set InspectionFailureThreshold=5" },
	{ BACKTEST_SWEEP, 0, "sweep", "ELEMENT=VALUES", NULL,
	  "try each of a list or range: 2,3,5 or 2..8 or 5m..30m/5m" },
	{ INPUT_CONFIG, 'c', "config", "FILE", NULL,
	  "what is in force; without paths its daemon's journal is judged" },
	{ BACKTEST_STATE, 0, "state", "DIR", NULL,
	  "the daemon's state folder, instead of the configuration's" },
	{ BACKTEST_DB, 0, "db", "FILE", NULL, "likewise by its database, DIR/pinwatch.db" },
	{ BACKTEST_FILES, 0, "files", NULL, NULL,
	  "read the configuration's sources, as scan does, instead of a journal" },
	{ BACKTEST_SINCE, 0, "since", "TIME", NULL,
	  "connections from then on: 2026-11-24 or 2026-11-24T08:00Z" },
	{ BACKTEST_UNTIL, 0, "until", "TIME", NULL, "only what came before" },
	{ BACKTEST_TRUTH, 0, "truth", "FILE", NULL,
	  "a simulated fleet's truth.json: precision and recall of each" },
	{ BACKTEST_FINDINGS, 0, "findings", "DIR", NULL,
	  "write each setting's findings there, as JSON lines" },
	{ BACKTEST_OUTPUT, 'o', "output", "FORM", "table json svg",
	  "how the result is written; table" },
	{ BACKTEST_ALL, 'a', "all", NULL, NULL,
	  "changes that nobody is shown too, and everything in full" },
	INPUT_ARG_PATHS,
	{ BACKTEST_COLOR, 0, "color", "WHEN", "auto always never",
	  "colour; auto: on a terminal, unless NO_COLOR" },
	{ BACKTEST_LOCAL, 0, "local", NULL, NULL, "times in your zone instead of UTC" },
	{ BACKTEST_QUIETLY, 'q', "quiet", NULL, NULL, "no progress, no footer" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command backtest_command = {
	.name = "backtest",
	.summary = "judge the past under other settings: what would be gained and lost",
	.usage = "[OPTION]... -c FILE | --db FILE\n       pinwatch backtest [OPTION]... PATH...",
	.about =
	    "Reads the past once, a daemon's journal (also while it runs) or logs as scan does,\n"
	    "and judges it under the settings in force and under every other one that is\n"
	    "tried: TimeWindow, InspectionFailureThreshold, ForegroundStateRequired,\n"
	    "AllowedAppList and AllowedDestinationList. Findings gained, lost and changed are\n"
	    "named, with the reason. Nothing is written down but what --findings asks for.\n"
	    "\n"
	    "--set fixes an element in all that is tried, --sweep tries one value after the\n"
	    "other, several sweeps every combination (at most 64). Lists are files; [] is none.\n"
	    "\n"
	    "Exit code: 0 done; 2 usage or configuration error; 3 input or state unreadable;\n"
	    "4 done, but partly; 130 interrupted.",
	.examples = "  pinwatch backtest -c pinwatch.yaml --set InspectionFailureThreshold=5\n"
		    "  pinwatch backtest -c pinwatch.yaml --sweep TimeWindow=5m..30m/5m --since "
		    "2026-11-01\n"
		    "  pinwatch backtest --sweep InspectionFailureThreshold=2..8 --truth "
		    "fleet/truth.json \\\n"
		    "      --files -c fleet/pinwatch.yaml -o svg > sweep.svg\n"
		    "  pinwatch backtest --set AllowedAppList=new-apps.yaml squid.log zeek/\n",
	.args = backtest_args,
	.operands = OPERANDS_FILES,
};

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_SVG };

struct choices {
	struct inputs in;
	struct grid grid;
	struct scan_period period;
	const char *state, *db, *truth, *findings;
	enum output output;
	enum report_colour colour;
	bool files, paths, config, all, local, quiet;
};

static bool parse_time(const char *option, const char *text, struct instant *out, struct error *err)
{
	struct sv v = sv_cstr(text);

	if (conf_date(v, out) || instant_parse_iso(v, 0, out))
		return true;
	/* To the minute, as people write it. */
	if (v.n == 17 && sv_ends(v, SV("Z"))) {
		char full[24];

		snprintf(full, sizeof(full), "%.16s:00Z", text);
		if (instant_parse_iso(sv_cstr(full), 0, out))
			return true;
	}
	return error_set(err, ERROR_USAGE, 0,
			 "%s takes a time like 2026-11-24 or 2026-11-24T08:00:00Z, not %.40s",
			 option, text);
}

static bool take_option(struct choices *c, int id, const char *value, struct error *err)
{
	switch (id) {
	case INPUT_SET:
		return grid_set(&c->grid, "--set", sv_cstr(value), err);
	case BACKTEST_SWEEP:
		return grid_sweep(&c->grid, "--sweep", sv_cstr(value), err);
	case BACKTEST_STATE:
		c->state = value;
		return true;
	case BACKTEST_DB:
		c->db = value;
		return true;
	case BACKTEST_FILES:
		c->files = true;
		return true;
	case BACKTEST_SINCE:
		return parse_time("--since", value, &c->period.since, err);
	case BACKTEST_UNTIL:
		return parse_time("--until", value, &c->period.until, err);
	case BACKTEST_TRUTH:
		c->truth = value;
		return true;
	case BACKTEST_FINDINGS:
		c->findings = value;
		return true;
	case BACKTEST_OUTPUT:
		c->output = value[0] == 't'   ? OUTPUT_TABLE
			    : value[0] == 'j' ? OUTPUT_JSON
					      : OUTPUT_SVG;
		return true;
	case BACKTEST_ALL:
		c->all = true;
		return true;
	case BACKTEST_COLOR:
		c->colour = report_colour_word(value);
		return true;
	case BACKTEST_LOCAL:
		c->local = true;
		return true;
	case BACKTEST_QUIETLY:
		c->quiet = true;
		return true;
	default:
		c->config |= id == INPUT_CONFIG;
		return inputs_option(&c->in, id, value, err);
	}
}

/* ---- what is done with each setting's findings */

struct measuring {
	const struct choices *choices;
	struct truth *truth; /* NULL: not measured */
	struct buf json;
};

/* `01-InspectionFailureThreshold=2.jsonl`. */
static FILE *findings_file(const char *dir, size_t number, struct sv label, struct buf *path,
			   struct error *err)
{
	FILE *f;

	if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
		error_set(err, ERROR_USAGE, 0,
			  "--findings %s: cannot be made: %s; name another folder", dir,
			  strerror(errno));
		return NULL;
	}
	buf_printf(path, "%s/%02zu-", dir, number);
	for (size_t i = 0; i < label.n && i < NAME_MAX_BYTES; i++) {
		char ch = label.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
			     (ch >= '0' && ch <= '9') || strchr("=.,-+", ch) != NULL;

		buf_char(path, plain ? ch : '_');
	}
	buf_str(path, ".jsonl");
	buf_char(path, '\0');
	f = fopen(path->p, "we");
	if (f == NULL)
		error_set(err, ERROR_USAGE, 0,
			  "--findings %s: cannot be written: %s; name another folder", path->p,
			  strerror(errno));
	return f;
}

static bool each_finding(struct measuring *m, const struct grid_setting *s,
			 const struct finding *findings, size_t n, FILE *file, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		buf_reset(&m->json);
		finding_json(&m->json, &findings[i], &s->settings);
		if (m->truth != NULL && !truth_finding(m->truth, buf_view(&m->json), err))
			return false;
		buf_char(&m->json, '\n');
		if (m->json.overflowed)
			return error_set(err, ERROR_LIMIT, 0,
					 "a finding grew past %zu MB of output: narrow the past by "
					 "--since and --until",
					 FINDING_MAX_BYTES / 1000000);
		if (file != NULL)
			fwrite(m->json.p, 1, m->json.n, file);
	}
	return true;
}

static bool judged(void *arg, size_t number, const struct grid_setting *s,
		   const struct finding *findings, size_t n, struct backtest_measure *out,
		   struct error *err)
{
	struct measuring *m = arg;
	struct truth_result r;
	struct buf path;
	FILE *file = NULL;
	bool ok = true;

	if (m->truth == NULL && m->choices->findings == NULL)
		return true;
	buf_init(&path, MAX_PATH_TEXT);
	if (m->choices->findings != NULL) {
		file = findings_file(m->choices->findings, number, s->label, &path, err);
		ok = file != NULL;
	}
	ok = ok && (m->truth == NULL || truth_begin(m->truth, err)) &&
	     each_finding(m, s, findings, n, file, err);
	if (file != NULL && (ferror(file) | fclose(file)) != 0 && ok)
		ok = error_set(err, ERROR_IO, 0,
			       "--findings %s: cannot be written whole: %s; make room", path.p,
			       strerror(errno));
	buf_free(&path);
	if (!ok || m->truth == NULL)
		return ok;
	truth_end(m->truth, &r);
	*out = (struct backtest_measure){
		.there = true,
		.precision = r.precision,
		.recall = r.recall,
		.f1 = r.f1,
		.true_positive = r.true_positive,
		.false_positive = r.false_positive,
		.false_negative = r.false_negative,
		.true_negative = r.true_negative,
	};
	return true;
}

/* ---- the result */

static bool interrupted(void *arg)
{
	const volatile sig_atomic_t *flag = arg;

	return *flag != 0;
}

static void write_result(const struct choices *c, const struct backtest *b)
{
	struct text_style style = report_style(stdout, c->colour, c->local);
	struct buf out;

	buf_init(&out, BACKTEST_MAX_BYTES);
	if (c->output == OUTPUT_TABLE)
		backtest_table(&out, b, &style);
	else if (c->output == OUTPUT_SVG)
		backtest_svg(&out, b);
	else
		backtest_json(&out, b);
	if (c->output == OUTPUT_JSON)
		buf_char(&out, '\n');
	if (out.overflowed)
		report_note(
		    "backtest",
		    "the result is longer than %zu MB and was cut: try fewer settings at once",
		    BACKTEST_MAX_BYTES / 1000000);
	report_buf(stdout, &out);
}

static int judge(const struct choices *c, struct past *past, struct truth *truth)
{
	struct measuring m = { .choices = c, .truth = truth };
	struct backtest_options options = {
		.grid = &c->grid,
		.all = c->all,
		.judged = judged,
		.judged_arg = &m,
		.stop = interrupted,
		.stop_arg = (void *)(uintptr_t)report_signals(),
	};
	struct arena arena = { 0 };
	struct backtest result;
	struct error err;
	int code = EXIT_DONE;

	buf_init(&m.json, FINDING_MAX_BYTES);
	if (!backtest_run(past, &options, &arena, &result, &err)) {
		code = report_error("backtest", &err);
	} else {
		write_result(c, &result);
		if (result.stopped) {
			report_note("backtest",
				    "interrupted: these are the settings judged so far");
			code = EXIT_INTERRUPTED;
		}
		code = report_finish("backtest", code);
	}
	buf_free(&m.json);
	arena_free(&arena);
	return code;
}

static int over_logs(const struct choices *c, struct truth *truth)
{
	struct progress progress;
	struct scan_options options = {
		.conf = &c->in.conf,
		.formats = c->in.formats,
		.inputs = c->in.items,
		.n_inputs = c->in.n,
		.period = &c->period,
		.all = true,
		.progress = progress_show,
		.progress_arg = &progress,
		.interrupted = report_signals(),
	};
	struct text_style style = report_style(stderr, c->colour, c->local);
	struct error err;
	struct past *past;
	struct scan *scan;
	struct buf account;
	int code;

	progress_begin(&progress, c->quiet);
	scan = scan_run(&options, &err);
	progress_end(&progress);
	if (scan == NULL)
		return report_error("backtest", &err);
	past = past_of_scan(scan, &c->period);
	code = judge(c, past, truth);
	if (!c->quiet) {
		buf_init(&account, FOOTER_MAX_BYTES);
		footer(&account, scan_summary(scan), &style, false);
		report_buf(stderr, &account);
	} else if (scan_partial(scan)) {
		report_partial("backtest", scan_summary(scan));
	}
	if (code == EXIT_DONE && (scan_partial(scan) || c->in.n_missing > 0))
		code = EXIT_PARTIAL;
	past_free(past);
	scan_free(scan);
	return code;
}

/* What is in force: the configuration, and the allow-list entries of the database. */
static bool in_force(const struct choices *c, const char *state, struct settings *out,
		     struct arena *a, struct error *err)
{
	struct store *s;
	struct buf path;
	bool ok;

	buf_init(&path, MAX_PATH_TEXT);
	buf_printf(&path, "%s/pinwatch.db%c", state, 0);
	s = store_open(path.p, true, err);
	buf_free(&path);
	*out = c->in.settings;
	ok = s != NULL && governed_look(s, out, a, err);
	store_close(s);
	return ok;
}

static int over_journal(const struct choices *c, const char *state, struct truth *truth)
{
	struct arena arena = { 0 };
	struct settings settings;
	struct past_options options = {
		.state = state,
		.settings = &settings,
		.sources = past_sources(&c->in.conf, &arena),
		.n_sources = c->in.conf.n_sources,
		.period = c->period,
		.threads = c->in.conf.threads,
		.stop = interrupted,
		.stop_arg = (void *)(uintptr_t)report_signals(),
	};
	struct error err;
	struct past *past = NULL;
	int code;

	if (in_force(c, state, &settings, &arena, &err))
		past = past_open(&options, &err);
	if (past == NULL) {
		arena_free(&arena);
		if (err.code != ERROR_NONE)
			return report_error("backtest", &err);
		report_note("backtest", "interrupted before anything was judged");
		return EXIT_INTERRUPTED;
	}
	code = judge(c, past, truth);
	if (past->lost_blocks > 0) {
		report_note("backtest",
			    "%llu damaged blocks of the journal were left out; `pinwatch db check` "
			    "says which",
			    (unsigned long long)past->lost_blocks);
		code = code == EXIT_DONE ? EXIT_PARTIAL : code;
	}
	past_free(past);
	arena_free(&arena);
	return code;
}

/* The state folder as --db, --state or the configuration name it. */
static bool state_folder(const struct choices *c, struct buf *out, struct error *err)
{
	struct sv path = c->db != NULL ? sv_cstr(c->db) : SV_NONE;
	struct stat st;

	if (c->state != NULL) {
		buf_str(out, c->state);
	} else if (c->db == NULL) {
		buf_sv(out, c->in.conf.state);
	} else {
		if (!sv_eq(path, SV("pinwatch.db")) && !sv_ends(path, SV("/pinwatch.db")))
			return error_set(err, ERROR_USAGE, 0,
					 "--db %.200s: expected a daemon's database, "
					 "DIR/pinwatch.db, with its journal beside it",
					 c->db);
		path.n -= strlen("pinwatch.db");
		buf_sv(out, path.n > 1 ? sv_first(path, path.n - 1) : path.n == 1 ? path : SV("."));
	}
	buf_str(out, "/pinwatch.db");
	buf_char(out, '\0');
	if (stat(out->p, &st) != 0)
		return error_set(err, ERROR_IO, 0,
				 "%s: cannot be read: %s; name a daemon's state folder (--state "
				 "DIR, --db FILE, or -c FILE with serve.state), or read logs: "
				 "PATHs, or --files for those of the configuration",
				 out->p, strerror(errno));
	out->p[out->n - strlen("/pinwatch.db") - 1] = '\0';
	return true;
}

static int run(struct choices *c)
{
	struct truth *truth = NULL;
	struct error err;
	struct buf state;
	bool logs = c->paths || c->files, ok = true;
	int code;

	if (c->grid.n == 0)
		ok =
		    error_set(&err, ERROR_USAGE, 0,
			      "nothing to try: give --set ELEMENT=VALUE or --sweep ELEMENT=VALUES, "
			      "for example --sweep InspectionFailureThreshold=2..8");
	else if (logs && (c->db != NULL || c->state != NULL))
		ok = error_set(
		    &err, ERROR_USAGE, 0, "%s names a journal, and %s logs: leave one out",
		    c->db != NULL ? "--db" : "--state", c->files ? "--files" : "the paths");
	else if (!logs && !c->config && c->db == NULL && c->state == NULL)
		ok = error_set(&err, ERROR_USAGE, 0,
			       "no past: name a configuration (-c FILE) or database (--db FILE) of "
			       "a daemon, or logs (PATH...)");
	else if (instant_known(c->period.since) && instant_known(c->period.until) &&
		 c->period.since.ns >= c->period.until.ns)
		ok = error_set(&err, ERROR_USAGE, 0,
			       "--since, --until: expected a period that ends after it begins");
	c->in.only_conf = !logs;
	ok = ok && inputs_load(&c->in, "backtest", !logs, &err);
	if (ok && c->truth != NULL)
		ok = (truth = truth_read(c->truth, &err)) != NULL;
	buf_init(&state, MAX_PATH_TEXT);
	ok = ok && (logs || state_folder(c, &state, &err));
	code = !ok    ? report_error("backtest", &err)
	       : logs ? over_logs(c, truth)
		      : over_journal(c, state.p, truth);
	buf_free(&state);
	truth_free(truth);
	return code;
}

int cmd_backtest(int argc, char **argv)
{
	struct choices c = { .period = { INSTANT_NONE, INSTANT_NONE } };
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	bool ok = true, help = false;
	int id, code = EXIT_DONE;

	inputs_init(&c.in);
	args_begin(&args, &backtest_command, argc, argv);
	while (ok && !help && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPERAND) {
			inputs_path(&c.in, value);
			c.paths = true;
		} else if (r == ARGS_OPTION && id == ARG_HELP) {
			help = true;
		} else {
			ok = r == ARGS_OPTION && take_option(&c, id, value, &err);
		}
	}
	if (help) {
		args_help(&backtest_command);
		code = report_finish("backtest", EXIT_DONE);
	} else {
		code = ok ? run(&c) : report_error("backtest", &err);
	}
	grid_free(&c.grid);
	inputs_free(&c.in);
	return code;
}
