#include "cli/dry_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/safe.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "parse/dry_run.h"
#include "scan/recognise.h"

/* Records that are looked at, shown for each rule, and shown of those that are rejected. */
#define LOOKED_AT 2000u
#define SHOWN_EACH 2u
#define SHOWN_REJECTED 5u
#define MAX_RULES 64u
#define MAX_UNMAPPED 64u
#define VALUE_CHARS 60u
#define NAME_CHARS 40u
#define OUT_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct log {
	struct arena arena;
	struct sv *records; /* with READ_PADDING bytes behind each */
	uint32_t *lines;
	size_t n;
	bool more; /* than were read */
};

struct tally {
	/* records of each rule; 0: of none, last: of none, but observed */
	size_t seen[MAX_RULES + 2];
	size_t observations, irrelevant, rejected;
	struct sv unmapped[MAX_UNMAPPED];
	size_t n_unmapped;
	struct arena arena;
};

static bool read_log(struct log *log, struct reader *r, struct error *err)
{
	struct sv record;
	enum read_result got;

	log->records = xcalloc(LOOKED_AT, sizeof(*log->records));
	log->lines = xcalloc(LOOKED_AT, sizeof(*log->lines));
	while ((got = reader_next(r, &record, err)) == READ_RECORD || got == READ_OVERLONG) {
		char *copy;

		if (log->n == LOOKED_AT) {
			log->more = true;
			return true;
		}
		if (got == READ_OVERLONG)
			continue;
		copy = arena_alloc(&log->arena, record.n + READ_PADDING);
		memcpy(copy, record.p, record.n);
		log->lines[log->n] = reader_line(r);
		log->records[log->n++] = sv_make(copy, record.n);
	}
	return got == READ_END;
}

static void free_log(struct log *log)
{
	free(log->records);
	free(log->lines);
	arena_free(&log->arena);
}

static void note_unmapped(struct tally *t, struct sv name)
{
	for (size_t i = 0; i < t->n_unmapped; i++)
		if (sv_eq(t->unmapped[i], name))
			return;
	if (t->n_unmapped < MAX_UNMAPPED)
		t->unmapped[t->n_unmapped++] = arena_sv(&t->arena, name);
}

static void print_field(struct buf *b, const struct dry_field *f, int width)
{
	static const char marks[] = {
		[DRY_MAPPED] = ' ', [DRY_ASKED] = '?', [DRY_UNMAPPED] = '-', [DRY_FAILED] = '!'
	};
	struct buf name;
	int n;

	buf_init(&name, 4096);
	text_safe(&name, f->name, NAME_CHARS);
	buf_printf(b, "  %c %-*.*s  ", marks[f->state], width, (int)name.n,
		   name.p != NULL ? name.p : "");
	buf_free(&name);
	n = (int)b->n;
	text_safe(b, f->text, VALUE_CHARS);
	for (n = (int)b->n - n; n < 28; n++)
		buf_char(b, ' ');
	if (f->state == DRY_UNMAPPED) {
		buf_str(b, "  unmapped");
	} else if (f->state == DRY_ASKED) {
		buf_str(b, "  only asked for");
	} else {
		buf_str(b, "  > ");
		for (size_t i = 0; i < DRY_TARGETS && f->targets[i] != NULL; i++)
			buf_printf(b, "%s%s", i > 0 ? ", " : "", f->targets[i]);
	}
	if (f->state == DRY_FAILED) {
		buf_str(b, "\n      ");
		text_safe(b, f->why, 200);
	}
	buf_char(b, '\n');
}

static void print_record(struct buf *b, const struct dry_record *r, uint32_t line, struct sv source)
{
	int width = 8;

	buf_printf(b, "line %u: %s", line,
		   r->result == PARSE_REJECTED	   ? "rejected"
		   : r->result == PARSE_IRRELEVANT ? "irrelevant"
						   : "observation");
	if (r->rule > 0)
		buf_printf(b, " by rule %zu", r->rule);
	else if (r->result == PARSE_IRRELEVANT && r->n_fields > 0)
		buf_str(b, ": no rule holds, or the line decides nothing");
	if (r->result == PARSE_REJECTED) {
		buf_str(b, ": ");
		text_safe(b, sv_cstr(r->err.message), 200);
	}
	buf_char(b, '\n');
	for (size_t i = 0; i < r->n_fields; i++)
		if ((int)r->fields[i].name.n > width)
			width = r->fields[i].name.n < NAME_CHARS ? (int)r->fields[i].name.n
								 : (int)NAME_CHARS;
	for (size_t i = 0; i < r->n_fields; i++)
		print_field(b, &r->fields[i], width);
	for (size_t i = 0; i < r->n_observations; i++) {
		buf_str(b, "  = ");
		observation_write_json(b, &r->observations[i], source);
		buf_char(b, '\n');
	}
}

static void print_summary(struct buf *b, const struct log *log, const struct tally *t)
{
	buf_printf(b, "%s%zu records: %zu observations, %zu irrelevant, %zu rejected\n",
		   log->more ? "the first " : "", log->n, t->observations, t->irrelevant,
		   t->rejected);
	if (t->n_unmapped == 0)
		return;
	buf_str(b, "unmapped: ");
	for (size_t i = 0; i < t->n_unmapped; i++) {
		buf_str(b, i > 0 ? ", " : "");
		text_safe(b, t->unmapped[i], NAME_CHARS);
	}
	buf_char(b, '\n');
}

static void show(struct buf *b, struct dry_run *d, const struct log *log, struct tally *t,
		 struct sv source)
{
	for (size_t i = 0; i < log->n; i++) {
		struct dry_record r;
		size_t rule;

		dry_run_record(d, log->records[i], &r);
		t->observations += r.n_observations;
		t->irrelevant += r.result == PARSE_IRRELEVANT;
		t->rejected += r.result == PARSE_REJECTED;
		for (size_t k = 0; k < r.n_fields; k++)
			if (r.fields[k].state == DRY_UNMAPPED)
				note_unmapped(t, r.fields[k].name);
		rule = r.rule <= MAX_RULES ? r.rule : MAX_RULES;
		if (rule == 0 && r.n_observations > 0)
			rule = MAX_RULES + 1;
		if (r.result == PARSE_REJECTED ? t->rejected > SHOWN_REJECTED
					       : t->seen[rule] >= SHOWN_EACH)
			continue;
		t->seen[rule] += r.result != PARSE_REJECTED;
		print_record(b, &r, log->lines[i], source);
	}
	print_summary(b, log, t);
}

/* The day of the file's last change, which is what a scan takes for times without a day. */
static struct instant day_of(const char *path)
{
	struct stat st;
	int64_t ns = report_now().ns;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0)
		ns = (int64_t)st.st_mtim.tv_sec * NS_PER_S;
	return (struct instant){ ns - ns % NS_PER_DAY };
}

int dry_run_print(struct format_set *set, struct sv format, const char *log_path)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct parser_options parsing = { .date = day_of(log_path) };
	struct error err;
	struct reader *r = reader_open(log_path, &options, &err);
	struct log log = { .n = 0 };
	struct tally tally = { .n_unmapped = 0 };
	struct dry_run *d;
	struct buf b;
	bool ok;

	if (r == NULL)
		return report_error("formats", &err);
	reader_set_framing(r, recognise_framing(set, r, format_find(set, format)));
	ok = read_log(&log, r, &err);
	reader_close(r);
	if (!ok) {
		free_log(&log);
		return report_error("formats", &err);
	}
	d = dry_run_new(set, format);
	for (size_t i = 0; i < log.n; i++)
		dry_run_learn(d, log.records[i]);
	dry_run_begin(d, &parsing);
	buf_init(&b, OUT_MAX_BYTES);
	show(&b, d, &log, &tally, format_source(format_find(set, format)));
	report_buf(stdout, &b);
	dry_run_free(d);
	arena_free(&tally.arena);
	free_log(&log);
	return tally.observations > 0 || tally.rejected == 0 ? EXIT_DONE : EXIT_INPUT;
}
