#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/conf.h"
#include "parse/parser.h"
#include "parse/yfile.h"
#include "read/reader.h"
#include "scan/capture.h"
#include "scan/recognise.h"

#define TEXT_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define MAX_MATCHES 5
#define MAX_FILES 4096
/* A format file is a page or two of YAML. */
#define FORMAT_FILE_MAX_BYTES ((size_t)1024 * 1024)

enum { FORMATS_CHECK = 1, FORMATS_ON, FORMATS_DIR };

static const struct arg formats_args[] = {
	{ FORMATS_CHECK, 0, "check", "FILE", NULL, "check a format file (YAML) and exit" },
	{ FORMATS_ON, 0, "on", "LOG", NULL,
	  "with --check: try it on a log and show field by field what becomes of it" },
	{ FORMATS_DIR, 0, "formats", "DIR", NULL, "add or override formats by those of a folder" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command formats_command = {
	.name = "formats",
	.summary = "the known formats; with FILE, what it is and why",
	.usage = "[OPTION]... [FILE]...",
	.about =
	    "Without a file lists the formats. With files says which format each is in\n"
	    "and why, and of the nearest others the field at which they fail. Exit code 3\n"
	    "when one is in none.\n"
	    "\n"
	    "--check FILE --on LOG is a dry run: for each rule the first records it takes, and\n"
	    "the first that are rejected, field by field beside the observation. A field is\n"
	    "marked ? if only conditions ask for it, - if nothing reads it (unmapped), and !\n"
	    "if what it holds was refused.",
	.examples = "  pinwatch formats\n"
		    "  pinwatch formats /var/log/squid/access.log\n"
		    "  pinwatch formats --check my-gateway.yaml\n"
		    "  pinwatch formats --check my-gateway.yaml --on gateway.log\n"
		    "  pinwatch formats --formats ./formats new.log\n",
	.args = formats_args,
	.operands = OPERANDS_FILES,
};

static const char *framing_name(enum framing f)
{
	return f == FRAMING_LINE ? "lines" : f == FRAMING_PARAGRAPH ? "paragraphs" : "document";
}

static int list(const struct format_set *set)
{
	size_t widest = 4;
	struct buf b;

	for (size_t i = 0; i < format_set_count(set); i++) {
		size_t n = format_name(format_set_at(set, i)).n;

		widest = n > widest ? n : widest;
	}
	buf_init(&b, TEXT_MAX_BYTES);
	buf_printf(&b, "%-*s  %-10s  %-10s  TITLE\n", (int)widest, "NAME", "KIND", "RECORDS");
	for (size_t i = 0; i < format_set_count(set); i++) {
		const struct format *f = format_set_at(set, i);
		struct sv name = format_name(f);

		text_safe(&b, name, 0);
		text_repeat(&b, ' ', widest - name.n);
		buf_printf(&b, "  %-10s  %-10s  ", sensor_kind_name(format_sensor(f)),
			   framing_name(format_framing(f)));
		text_safe(&b, format_title(f), 200);
		buf_char(&b, '\n');
	}
	report_buf(stdout, &b);
	return report_finish("formats", EXIT_DONE);
}

/* pinwatch's own files, which a scan leaves alone; NULL for anything else. */
static const char *own_file(struct sv head)
{
	switch (conf_recognise(head)) {
	case CONF_DOCUMENT_CONFIGURATION:
		return "a pinwatch configuration";
	case CONF_DOCUMENT_LIST:
		return "an allow-list";
	case CONF_DOCUMENT_NONE:
		break;
	}
	if (sv_find(sv_first(head, 256), SV("\"pinwatch.truth/")) != SIZE_MAX)
		return "the truth of a simulated fleet";
	if (sv_find(sv_first(head, 256), SV("\"pinwatch.finding/")) != SIZE_MAX)
		return "findings of pinwatch";
	return NULL;
}

static int tell(const struct format_set *set, const char *path)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct format_match matches[MAX_MATCHES], best;
	const struct format *f;
	struct error err;
	struct reader *r = reader_open(path, &options, &err);
	struct buf b;
	size_t n;

	if (r == NULL)
		return report_error("formats", &err);
	if (capture_recognise(reader_peek(r, RECOGNISE_BYTES))) {
		reader_close(r);
		buf_init(&b, TEXT_MAX_BYTES);
		text_safe(&b, sv_cstr(path), 0);
		buf_str(&b, ": captured packets (pcap), looked at by the wire sensor\n");
		report_buf(stdout, &b);
		return EXIT_DONE;
	}
	f = recognise(set, r, path, &best, &err);
	if (f == NULL) {
		const char *own = own_file(recognise_head(r));

		reader_close(r);
		if (own == NULL)
			return report_error("formats", &err);
		buf_init(&b, TEXT_MAX_BYTES);
		text_safe(&b, sv_cstr(path), 0);
		buf_printf(&b, ": %s, no log; a scan leaves it alone\n", own);
		report_buf(stdout, &b);
		return EXIT_DONE;
	}
	buf_init(&b, TEXT_MAX_BYTES);
	text_safe(&b, sv_cstr(path), 0);
	buf_str(&b, ": ");
	text_safe(&b, format_name(f), 0);
	buf_printf(&b, " (%s)\n  ", sensor_kind_name(format_sensor(f)));
	text_safe(&b, format_title(f), 200);
	buf_str(&b, "\n  because ");
	text_safe(&b, sv_cstr(best.reason), 160);
	buf_char(&b, '\n');
	if (!sv_empty(format_refusal(f))) {
		buf_str(&b, "  but of no use: ");
		text_safe(&b, format_refusal(f), 1000);
		buf_char(&b, '\n');
	}
	n = format_detect(set, recognise_head(r), matches, MAX_MATCHES);
	for (size_t i = 1; i < n; i++) {
		buf_printf(&b, matches[i].score > 0 ? "  also like " : "  not ");
		text_safe(&b, format_name(matches[i].format), 0);
		buf_str(&b, ": ");
		text_safe(&b, sv_cstr(matches[i].reason), 160);
		buf_char(&b, '\n');
	}
	report_buf(stdout, &b);
	reader_close(r);
	return EXIT_DONE;
}

/* The whole file in *b. */
static bool read_all(const char *path, struct buf *b, struct error *err)
{
	struct reader_options options = { .framing = FRAMING_DOCUMENT,
					  .max_record = FORMAT_FILE_MAX_BYTES };
	struct reader *r = reader_open(path, &options, err);
	struct sv bytes;
	enum read_result got;

	if (r == NULL)
		return false;
	got = reader_next(r, &bytes, err);
	if (got == READ_RECORD)
		buf_sv(b, bytes);
	reader_close(r);
	if (got == READ_OVERLONG)
		return error_set(err, ERROR_CONFIG, 0,
				 "%.200s is larger than a format file may be (%zu bytes)", path,
				 FORMAT_FILE_MAX_BYTES);
	if (got == READ_END)
		return error_set(err, ERROR_CONFIG, 0,
				 "%.200s is empty; it has to hold a format, see docs/formats.md",
				 path);
	return got == READ_RECORD;
}

/* The name a format file that compiles gives its format. */
static struct sv name_in(const char *path, struct sv yaml, struct arena *a)
{
	struct error ignored;
	struct yfile file;
	struct sv name = SV_NONE;

	if (yfile_open(&file, path, yaml, &ignored)) {
		name = arena_sv(a, yfile_text(yfile_get(yfile_root(&file), "format")));
		yfile_free(&file);
	}
	return name;
}

static int check(struct format_set *set, const char *path, const char *log)
{
	struct arena a = { 0 };
	struct sv name = SV_NONE;
	struct error err;
	struct buf b;
	bool ok;
	int code;

	buf_init(&b, FORMAT_FILE_MAX_BYTES + 1);
	ok = read_all(path, &b, &err) && format_set_add_text(set, path, buf_view(&b), &err);
	if (ok)
		name = name_in(path, buf_view(&b), &a);
	buf_free(&b);
	if (ok && log == NULL)
		printf("ok\n");
	code = !ok	     ? report_error("formats", &err)
	       : log == NULL ? EXIT_DONE
			     : dry_run_print(set, name, log);
	arena_free(&a);
	return code != EXIT_DONE ? code : report_finish("formats", EXIT_DONE);
}

int cmd_formats(int argc, char **argv)
{
	const char *files[MAX_FILES];
	const char *dir = NULL, *checked = NULL, *on = NULL, *value;
	struct format_set *set;
	enum args_result r;
	struct args args;
	struct error err;
	size_t n = 0;
	int id, code = EXIT_DONE;

	args_begin(&args, &formats_command, argc, argv);
	while ((r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_ERROR)
			return report_error("formats", &err);
		if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&formats_command);
			return report_finish("formats", EXIT_DONE);
		}
		if (r == ARGS_OPTION && id == FORMATS_CHECK) {
			checked = value;
		} else if (r == ARGS_OPTION && id == FORMATS_ON) {
			on = value;
		} else if (r == ARGS_OPTION) {
			dir = value;
		} else if (n == MAX_FILES) {
			error_set(&err, ERROR_USAGE, 0, "more than %d files at a time: name fewer",
				  MAX_FILES);
			return report_error("formats", &err);
		} else {
			files[n++] = value;
		}
	}
	if (on != NULL && checked == NULL) {
		error_set(&err, ERROR_USAGE, 0,
			  "--on LOG goes with --check FILE: expected the format file to try, too");
		return report_error("formats", &err);
	}
	set = format_set_builtin(&err);
	if (set == NULL || (dir != NULL && !format_set_add_dir(set, dir, &err))) {
		format_set_free(set);
		return report_error("formats", &err);
	}
	if (checked != NULL)
		code = check(set, checked, on);
	else if (n == 0)
		code = list(set);
	for (size_t i = 0; i < n; i++) {
		int one = tell(set, files[i]);

		code = one > code ? one : code;
	}
	format_set_free(set);
	return code != EXIT_DONE ? code : report_finish("formats", EXIT_DONE);
}
