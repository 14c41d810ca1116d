#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/parse_capture.h"
#include "cli/parse_stats.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/timezone.h"
#include "parse/parser.h"
#include "read/reader.h"
#include "scan/capture.h"
#include "scan/recognise.h"

/* Written in pieces of this size; one observation is far smaller than the maximum. */
#define WRITE_BYTES ((size_t)64 * 1024)
#define WRITE_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Rejected records that are shown without -v. */
#define SHOWN_REJECTS 5
#define MAX_FILES 4096

enum {
	PARSE_FORMAT = 1,
	PARSE_FORMATS,
	PARSE_STATS,
	PARSE_TIMEZONE,
	PARSE_DATE,
	PARSE_INTERFACE,
	PARSE_FILTER,
	PARSE_QUIET,
	PARSE_VERBOSE
};

static const struct arg parse_args[] = {
	{ PARSE_FORMAT, 0, "format", "NAME", NULL, "force the format (pinwatch formats); auto" },
	{ PARSE_FORMATS, 0, "formats", "DIR", NULL,
	  "add or override formats by those of a folder" },
	{ PARSE_STATS, 0, "stats", NULL, NULL, "a summary instead of the observations" },
	{ PARSE_TIMEZONE, 0, "timezone", "ZONE", NULL,
	  "of times without one: UTC, +01:00, Europe/Berlin" },
	{ PARSE_DATE, 0, "date", "YYYY-MM-DD", NULL,
	  "of times without one; the file's modification day" },
	{ PARSE_INTERFACE, 0, "interface", "NAME", NULL,
	  "capture there, until interrupted, in place of files" },
	{ PARSE_FILTER, 0, "filter", "BPF", NULL, "of captured packets: `tcp port 443`; all" },
	{ PARSE_QUIET, 'q', "quiet", NULL, NULL, "do not show rejected records" },
	{ PARSE_VERBOSE, 'v', "verbose", NULL, NULL, "show every rejected record" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command parse_command = {
	.name = "parse",
	.summary = "print the observations of any log, canonical JSON; --stats for a summary",
	.usage = "[OPTION]... FILE...",
	.about = "Reads one log (- is standard input) and prints what each record says in\n"
		 "normal form, one JSON object a line. Rejected records are shown on standard\n"
		 "error with the reason.\n"
		 "\n"
		 "Exit code 3 when the file is unreadable, in no known format, or no record\n"
		 "could be parsed.",
	.examples = "  pinwatch parse /var/log/squid/access.log\n"
		    "  pinwatch parse --stats conn.log.gz ssl.log.gz\n"
		    "  tail -n 100 eve.json | pinwatch parse -\n",
	.args = parse_args,
	.operands = OPERANDS_FILES,
};

struct parse_run {
	const struct format_set *formats;
	const struct format *forced; /* NULL: told by content */
	struct zone zone;
	struct instant now, date;	/* date: INSTANT_NONE where --date is not given */
	const char *interface, *filter; /* of captures */
	bool as_capture;		/* --format pcap */
	bool stats_only, quiet, verbose;
	const volatile sig_atomic_t *interrupted;
	struct parse_stats stats;
	uint64_t shown_rejects;
	struct buf out;
};

/* Midnight UTC of the day on which the file was last written. */
static struct instant modification_day(const char *path, struct instant now)
{
	struct stat st;
	int64_t ns = now.ns;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0)
		ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S;
	return (struct instant){ ns - ns % NS_PER_DAY };
}

static void reject(struct parse_run *run, const char *path, uint32_t line, const char *reason)
{
	if (run->quiet || (!run->verbose && run->shown_rejects >= SHOWN_REJECTS)) {
		run->shown_rejects++;
		return;
	}
	run->shown_rejects++;
	report_note("parse", "%s:%u: rejected: %s", path, line, reason);
}

static void observations(struct parse_run *run, const struct format *f, const struct observation *o,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		parse_stats_add(&run->stats, &o[i]);
		if (run->stats_only)
			continue;
		observation_write_json(&run->out, &o[i],
				       f != NULL ? format_source(f) : CAPTURE_SOURCE);
		buf_char(&run->out, '\n');
	}
	if (run->out.n < WRITE_BYTES)
		return;
	if (run->out.n > 0)
		fwrite(run->out.p, 1, run->out.n, stdout);
	buf_reset(&run->out);
}

static enum read_result records(struct parse_run *run, const struct format *f, struct reader *r,
				struct parser *p, const char *path, struct error *err)
{
	const struct observation *o;
	struct error why;
	struct sv record;
	enum read_result got = READ_END;
	size_t n;

	while (!*run->interrupted &&
	       ((got = reader_next(r, &record, err)) == READ_RECORD || got == READ_OVERLONG)) {
		run->stats.records++;
		if (got == READ_OVERLONG) {
			run->stats.overlong++;
			reject(run, path, reader_line(r),
			       "the record is longer than a record may be");
			continue;
		}
		switch (parser_run(p, record, &o, &n, &why)) {
		case PARSE_OBSERVATIONS:
			observations(run, f, o, n);
			break;
		case PARSE_IRRELEVANT:
			run->stats.irrelevant++;
			break;
		case PARSE_REJECTED:
			run->stats.rejected++;
			reject(run, path, reader_line(r), why.message);
			break;
		}
	}
	if (!*run->interrupted) {
		parser_finish(p, &o, &n, &why);
		observations(run, f, o, n);
		run->stats.rejected += parser_rejected_items(p);
		if (parser_rejected_items(p) > 0)
			reject(run, path, reader_line(r), why.message);
	}
	return got;
}

static void captured(void *arg, const struct observation *o) { observations(arg, NULL, o, 1); }

static void show_now(void *arg)
{
	struct parse_run *run = arg;

	fwrite(run->out.p, 1, run->out.n, stdout);
	fflush(stdout);
	buf_reset(&run->out);
}

static int parse_packets(struct parse_run *run, const char *path)
{
	struct error err;
	struct parse_capture p = {
		.path = path,
		.interface = run->interface,
		.filter = run->filter,
		.interrupted = run->interrupted,
		.stats = &run->stats,
		.seen = captured,
		.quiet = show_now,
		.arg = run,
	};

	return parse_capture(&p, &err) ? EXIT_DONE : report_error("parse", &err);
}

static int parse_file(struct parse_run *run, const char *path)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct parser_options parsing = { .date = run->date };
	struct format_match match;
	const struct format *f = run->forced;
	struct reader *r;
	struct parser *p;
	struct error err;
	int code = EXIT_DONE;

	if (run->as_capture)
		return parse_packets(run, path);
	r = reader_open(path, &options, &err);
	if (r == NULL)
		return report_error("parse", &err);
	if (f == NULL && capture_recognise(reader_peek(r, RECOGNISE_BYTES))) {
		reader_close(r);
		if (strcmp(path, "-") != 0)
			return parse_packets(run, path);
		error_set(&err, ERROR_USAGE, 0,
			  "standard input is a capture, which has to be said: give --format pcap");
		return report_error("parse", &err);
	}
	if (f == NULL) {
		f = recognise(run->formats, r, path, &match, &err);
	} else {
		match.framing = recognise_framing(run->formats, r, f);
	}
	if (f == NULL || !recognise_usable(f, path, &err)) {
		reader_close(r);
		return report_error("parse", &err);
	}
	reader_set_framing(r, match.framing);
	if (!instant_known(parsing.date))
		parsing.date = modification_day(path, run->now);
	/* A file's records are near its date, so one offset serves; a configured source has the
	 * same rule. */
	parsing.zone = zone_offset_local(&run->zone, parsing.date);
	if (!parser_midnights(f, path, match.framing, &parsing.midnights, &err)) {
		reader_close(r);
		return report_error("parse", &err);
	}
	p = parser_new(f, &parsing);
	if (records(run, f, r, p, path, &err) == READ_ERROR)
		code = report_error("parse", &err);
	parser_free(p);
	reader_close(r);
	return code;
}

static int parse_all(struct parse_run *run, const char *const *files, size_t n)
{
	struct text_style style;
	struct buf b;
	uint64_t seen = 0;
	int code = EXIT_DONE;

	if (run->interface != NULL)
		code = parse_packets(run, NULL);
	for (size_t i = 0; i < n && !*run->interrupted; i++) {
		int one = parse_file(run, files[i]);

		code = one > code ? one : code;
	}
	fwrite(run->out.p, 1, run->out.n, stdout);
	if (run->stats_only) {
		style = report_style(stdout, COLOUR_NEVER, false);
		buf_init(&b, WRITE_MAX_BYTES);
		parse_stats_text(&b, &run->stats, &style);
		report_buf(stdout, &b);
	}
	fflush(stdout);
	if (!run->quiet && !run->verbose && run->shown_rejects > SHOWN_REJECTS)
		report_note("parse", "%llu more records were rejected (-v shows all)",
			    (unsigned long long)(run->shown_rejects - SHOWN_REJECTS));
	if (*run->interrupted)
		return report_finish("parse", EXIT_INTERRUPTED);
	for (int k = 0; k < OBS_KINDS; k++)
		seen += run->stats.kinds[k];
	if (code == EXIT_DONE && seen == 0 && run->stats.rejected + run->stats.overlong > 0) {
		report_note("parse", "no record could be parsed: `pinwatch formats FILE` says what "
				     "the file is taken for");
		code = EXIT_INPUT;
	}
	return code != EXIT_DONE ? code : report_finish("parse", EXIT_DONE);
}

static bool take_option(struct parse_run *run, const char **format, const char **dir,
			struct arena *a, int id, const char *value, struct error *err)
{
	char text[32];

	switch (id) {
	case PARSE_FORMAT:
		*format = strcmp(value, "auto") == 0 ? NULL : value;
		break;
	case PARSE_INTERFACE:
		run->interface = value;
		break;
	case PARSE_FILTER:
		run->filter = value;
		break;
	case PARSE_FORMATS:
		*dir = value;
		break;
	case PARSE_STATS:
		run->stats_only = true;
		break;
	case PARSE_TIMEZONE:
		if (!zone_parse(sv_cstr(value), a, &run->zone, err)) {
			err->code = ERROR_USAGE;
			error_prefix(err, "--timezone %.60s", value);
			return false;
		}
		break;
	case PARSE_DATE:
		snprintf(text, sizeof(text), "%.12sT00:00:00Z", value);
		if (strlen(value) != 10 || !instant_parse_iso(sv_cstr(text), 0, &run->date))
			return error_set(err, ERROR_USAGE, 0,
					 "--date takes a day like 2026-11-24, not %.60s", value);
		break;
	case PARSE_QUIET:
		run->quiet = true;
		break;
	case PARSE_VERBOSE:
		run->verbose = true;
		break;
	}
	return true;
}

int cmd_parse(int argc, char **argv)
{
	struct parse_run run = { .date = INSTANT_NONE,
				 .now = report_now(),
				 .interrupted = report_signals() };
	const char *files[MAX_FILES];
	const char *format = NULL, *dir = NULL, *value;
	struct format_set *set = NULL;
	struct arena arena = { 0 };
	struct args args;
	struct error err;
	enum args_result r;
	bool ok = true;
	size_t n = 0;
	int id, code;

	args_begin(&args, &parse_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPERAND && n < MAX_FILES) {
			files[n++] = value;
		} else if (r == ARGS_OPERAND) {
			ok = error_set(&err, ERROR_USAGE, 0,
				       "more than %d files at a time: name fewer", MAX_FILES);
		} else if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&parse_command);
			arena_free(&arena);
			return report_finish("parse", EXIT_DONE);
		} else {
			ok = r == ARGS_OPTION &&
			     take_option(&run, &format, &dir, &arena, id, value, &err);
		}
	}
	if (ok && n > 0 && run.interface != NULL)
		ok =
		    error_set(&err, ERROR_USAGE, 0,
			      "--interface captures in place of files: leave %.200s out", files[0]);
	if (ok && n == 0 && run.interface == NULL)
		ok = error_set(&err, ERROR_USAGE, 0,
			       "which file? `pinwatch parse FILE`, - for standard input");
	if (ok) {
		set = format_set_builtin(&err);
		ok = set != NULL && (dir == NULL || format_set_add_dir(set, dir, &err));
	}
	run.as_capture = format != NULL && sv_eq(sv_cstr(format), CAPTURE_FORMAT);
	if (ok && format != NULL && !run.as_capture) {
		run.forced = recognise_name(set, format, &err);
		ok = run.forced != NULL;
	}
	run.formats = set;
	parse_stats_begin(&run.stats);
	buf_init(&run.out, WRITE_MAX_BYTES);
	code = ok ? parse_all(&run, files, n) : report_error("parse", &err);
	buf_free(&run.out);
	format_set_free(set);
	arena_free(&arena);
	return code;
}
