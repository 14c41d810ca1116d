#include <errno.h>
#include <string.h>

#include "cli/args.h"
#include "cli/aside.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "emit/emit.h"
#include "emit/footer.h"

enum {
	SCAN_OUTPUT = INPUT_ARGS,
	SCAN_ALL,
	SCAN_FAIL_ON,
	SCAN_COLOR,
	SCAN_LOCAL,
	SCAN_QUIET,
	SCAN_VERBOSE,
	SCAN_DEAD_LETTER
};

static const struct arg scan_args[] = {
	INPUT_ARG_TABLE,
	{ SCAN_OUTPUT, 'o', "output", "FORM", "table json jsonl csv html",
	  "how findings are written; table" },
	{ SCAN_ALL, 'a', "all", NULL, NULL, "observed, explained and expected findings too" },
	{ SCAN_FAIL_ON, 0, "fail-on", "SEVERITY", "informational low medium high",
	  "exit 1 when a finding shown without --all is at least this severe" },
	{ SCAN_COLOR, 0, "color", "WHEN", "auto always never",
	  "colour; auto: on a terminal, unless NO_COLOR" },
	{ SCAN_LOCAL, 0, "local", NULL, NULL,
	  "times in your zone instead of UTC (table and footer)" },
	{ SCAN_QUIET, 'q', "quiet", NULL, NULL, "no progress, no footer" },
	{ SCAN_VERBOSE, 'v', "verbose", NULL, NULL, "show rejected records; more in the footer" },
	{ SCAN_DEAD_LETTER, 0, "dead-letter", "FILE", NULL,
	  "keep every record that was set aside there, with the reason, as JSON lines" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command scan_command = {
	.name = "scan",
	.summary = "analyse files and folders to their end",
	.usage = "[OPTION]... PATH...\n       pinwatch scan -c FILE [OPTION]...",
	.about = "Reads logs of every kind (inspecting gateway, network sensor, device agent,\n"
		 "device management, leases), joins them by event time and prints which apps\n"
		 "pin which destinations, ranked. What a file is is told by its content; gzip\n"
		 "and zstd are unpacked; - is standard input.\n"
		 "\n"
		 "Exit code: 0 done; 1 findings at or above --fail-on; 2 usage or\n"
		 "configuration error; 3 input unreadable, unrecognised, or nothing could be\n"
		 "parsed; 4 done, but partly; 130 interrupted.",
	.examples = "  pinwatch scan /var/log/squid/access.log /opt/zeek/logs/current mdm.jsonl\n"
		    "  pinwatch scan -c pinwatch.yaml --fail-on high\n"
		    "  pinwatch scan --output jsonl --all FLEET > findings.jsonl\n"
		    "  zcat proxy.gz | pinwatch scan --inspection --format squid -\n",
	.args = scan_args,
	.operands = OPERANDS_FILES,
};

struct scan_choices {
	const char *dead_letter;
	const struct emitter *emitter;
	bool all, local, quiet, verbose, fail;
	enum severity fail_on;
	enum report_colour colour;
};

static bool take_option(struct scan_choices *c, struct inputs *in, int id, const char *value,
			struct error *err)
{
	switch (id) {
	case SCAN_OUTPUT:
		c->emitter = emitter_find(sv_cstr(value));
		break;
	case SCAN_ALL:
		c->all = true;
		break;
	case SCAN_FAIL_ON:
		c->fail = severity_from_name(sv_cstr(value), &c->fail_on);
		break;
	case SCAN_COLOR:
		c->colour = report_colour_word(value);
		break;
	case SCAN_LOCAL:
		c->local = true;
		break;
	case SCAN_QUIET:
		c->quiet = true;
		break;
	case SCAN_DEAD_LETTER:
		c->dead_letter = value;
		break;
	case SCAN_VERBOSE:
		c->verbose = true;
		break;
	default:
		return inputs_option(in, id, value, err);
	}
	return true;
}

/* A word as a shell takes it. */
static void shell_word(struct buf *b, const char *word)
{
	if (word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`*?[]{};&|<>()!#~") == NULL) {
		buf_str(b, word);
		return;
	}
	buf_char(b, '\'');
	for (; *word != '\0'; word++)
		if (*word == '\'')
			buf_str(b, "'\\''");
		else
			buf_char(b, *word);
	buf_char(b, '\'');
}

/* An option as it may be written anywhere. */
static void option_word(struct buf *b, int id, const char *value)
{
	const struct arg *o = scan_args;

	while (o->name != NULL && o->id != id)
		o++;
	if (o->letter != 0)
		buf_printf(b, " -%c", o->letter);
	else
		buf_printf(b, " --%s", o->name);
	if (value != NULL) {
		buf_char(b, ' ');
		shell_word(b, value);
	}
}

/* `pinwatch explain` with the same inputs, for the hint under the table: the program as it was
 * called, and all but the options that explain does not have. */
static void explain_hint(struct buf *b, int argc, char **argv)
{
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	int id;

	shell_word(b, program_invocation_name);
	buf_str(b, " explain");
	args_begin(&args, &scan_command, argc, argv);
	while ((r = args_next(&args, &id, &value, &err)) == ARGS_OPTION || r == ARGS_OPERAND)
		if (r == ARGS_OPERAND) {
			buf_char(b, ' ');
			shell_word(b, value);
		} else if ((id < INPUT_ARGS && id != INPUT_THREADS) || id == SCAN_LOCAL)
			option_word(b, id, value);
}

static bool at_or_above(const struct finding *f, size_t n, enum severity limit)
{
	for (size_t i = 0; i < n; i++)
		if (emit_shows(&f[i], false) && f[i].severity >= limit)
			return true;
	return false;
}

/* Writes what the scan found; the exit code. */
static int give(const struct scan *scan, const struct scan_choices *c, const struct inputs *in,
		int argc, char **argv)
{
	struct buf hint, account;
	struct text_style on_stderr = report_style(stderr, c->colour, c->local);
	struct emit_input out = {
		.all = c->all,
		.summary = scan_summary(scan),
		.settings = &in->settings,
		.style = report_style(stdout, c->colour, c->local),
	};
	struct error err;
	int code = EXIT_DONE;

	out.findings = scan_findings(scan, &out.n);
	buf_init(&hint, 4096);
	if (!c->quiet)
		explain_hint(&hint, argc, argv);
	out.explain_command = hint.overflowed ? SV_NONE : buf_view(&hint);
	if (!c->emitter->write(stdout, &out, &err))
		code = report_error("scan", &err);
	else
		code = report_finish("scan", EXIT_DONE);
	buf_free(&hint);
	if (!c->quiet) {
		buf_init(&account, FOOTER_MAX_BYTES);
		footer(&account, out.summary, &on_stderr, c->verbose);
		report_buf(stderr, &account);
	} else if (scan_partial(scan)) {
		report_partial("scan", out.summary);
	}
	if (code != EXIT_DONE)
		return code;
	if (scan_interrupted(scan)) {
		report_note("scan", "interrupted: these are the findings of what was read so far");
		return EXIT_INTERRUPTED;
	}
	if (c->fail && at_or_above(out.findings, out.n, c->fail_on))
		return EXIT_FINDINGS;
	return scan_partial(scan) || in->n_missing > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

static int run(const struct scan_choices *c, struct inputs *in, int argc, char **argv)
{
	struct progress progress;
	struct aside aside;
	struct scan_options options = {
		.conf = &in->conf,
		.formats = in->formats,
		.inputs = in->items,
		.n_inputs = in->n,
		.all = c->all,
		.progress = progress_show,
		.progress_arg = &progress,
		.rejected = c->verbose || c->dead_letter != NULL ? aside_take : NULL,
		.rejected_arg = &aside,
		.interrupted = report_signals(),
	};
	struct error err;
	struct scan *scan;
	int code;

	if (!aside_begin(&aside, &progress, c->verbose, c->dead_letter, &err))
		return report_error("scan", &err);
	progress_begin(&progress, c->quiet);
	scan = scan_run(&options, &err);
	progress_end(&progress);
	if (scan == NULL) {
		code = report_error("scan", &err);
		aside_end(&aside, false, &err);
		return code;
	}
	code = give(scan, c, in, argc, argv);
	if (!aside_end(&aside, true, &err))
		code = report_error("scan", &err);
	scan_free(scan);
	return code;
}

int cmd_scan(int argc, char **argv)
{
	struct scan_choices choices = { .emitter = emitter_find(SV("table")) };
	struct inputs in;
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	int id, code;
	bool ok = true;

	inputs_init(&in);
	args_begin(&args, &scan_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPERAND) {
			inputs_path(&in, value);
		} else if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&scan_command);
			inputs_free(&in);
			return report_finish("scan", EXIT_DONE);
		} else {
			ok = r == ARGS_OPTION && take_option(&choices, &in, id, value, &err);
		}
	}
	ok = ok && inputs_load(&in, "scan", false, &err);
	code = ok ? run(&choices, &in, argc, argv) : report_error("scan", &err);
	inputs_free(&in);
	return code;
}
