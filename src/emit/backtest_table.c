#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/backtest.h"
#include "emit/words.h"

/* Changes of one setting that are shown, unless all are asked for. */
#define SHOWN 20
/* Reasons of one change, likewise. */
#define SHOWN_REASONS 4
#define INDENT 10
#define LABEL_MAX_CHARS 60

static const char *const titles[] = { "SETTING",  "CONFIRMED", "SUSPECTED", "EXPLAINED",
				      "OBSERVED", "EXPECTED",  "GAINED",    "LOST",
				      "CHANGED",  "PRECISION", "RECALL",    "F1" };
enum { COLUMNS = sizeof(titles) / sizeof(titles[0]), MEASURED = 9 };

static void cell(struct buf *b, const struct backtest_setting *s, int c, bool in_force)
{
	const double shares[] = { s->measure.precision, s->measure.recall, s->measure.f1 };

	buf_reset(b);
	if (c == 0)
		text_safe(b, s->label, LABEL_MAX_CHARS);
	else if (c <= VERDICTS)
		buf_printf(b, "%zu", s->by_verdict[c - 1]);
	else if (c < MEASURED && in_force)
		buf_char(b, '-');
	else if (c < MEASURED)
		buf_printf(b, "%zu", s->by_change[c - VERDICTS - 1]);
	else
		buf_printf(b, "%.3f", shares[c - MEASURED]);
	buf_char(b, '\0');
}

static void rows(struct buf *out, const struct backtest *b)
{
	int n_columns = b->measured ? COLUMNS : MEASURED;
	struct libscols_table *t = scols_new_table();
	char *printed = NULL;
	struct sv rest;
	struct buf text;
	bool ok = t != NULL;

	buf_init(&text, 8192);
	for (int c = 0; ok && c < n_columns; c++)
		ok = scols_table_new_column(t, titles[c], 0, c > 0 ? SCOLS_FL_RIGHT : 0) != NULL;
	if (ok)
		scols_table_set_termforce(t, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; ok && i < b->n; i++) {
		struct libscols_line *line = scols_table_new_line(t, NULL);

		ok = line != NULL;
		for (int c = 0; ok && c < n_columns; c++) {
			cell(&text, &b->settings[i], c, i == 0);
			ok = scols_line_set_data(line, (size_t)c, text.p) == 0;
		}
	}
	ok = ok && scols_print_table_to_string(t, &printed) == 0;
	for (rest = sv_cstr(printed); ok && rest.n > 0;) {
		struct sv line = sv_cut(rest, '\n', &rest);

		while (line.n > 0 && line.p[line.n - 1] == ' ')
			line.n--;
		buf_sv(out, line);
		buf_char(out, '\n');
	}
	free(printed);
	scols_unref_table(t);
	buf_free(&text);
}

static void subject(struct buf *b, const struct backtest_change *c, const struct text_style *style)
{
	if (c->finding != FINDING_PINNING) {
		buf_printf(b, "%s ", finding_kind_name(c->finding));
		if (c->finding == FINDING_CA_UNTRUSTED)
			text_safe(b, c->device, 48);
		else
			text_time(b, c->first_seen, style);
		return;
	}
	if (sv_empty(c->app))
		buf_str(b, "unknown app");
	else
		text_safe(b, c->app, 80);
	buf_char(b, ' ');
	text_place(b, c->host, 80, c->port != 443 ? c->port : 0);
}

static void verdicts(struct buf *b, const struct backtest_change *c)
{
	const struct backtest_side *was = &c->before, *is = &c->after;

	if (was->there && is->there && was->verdict == is->verdict)
		buf_str(b, verdict_name(is->verdict));
	else
		buf_printf(b, "%s -> %s", was->there ? verdict_name(was->verdict) : "none",
			   is->there ? verdict_name(is->verdict) : "none");
}

static void change(struct buf *out, const struct backtest_change *c, bool all,
		   const struct text_style *style)
{
	static const enum text_paint paints[BACKTEST_CHANGES] = { PAINT_GREEN, PAINT_RED,
								  PAINT_YELLOW, PAINT_DIM };
	size_t n = all || c->n_reasons <= SHOWN_REASONS ? c->n_reasons : SHOWN_REASONS;
	struct buf line;

	buf_init(&line, 65536);
	text_paint(out, style, paints[c->kind]);
	buf_printf(out, "  %-7s ", backtest_change_name(c->kind));
	text_paint(out, style, PAINT_PLAIN);
	subject(&line, c, style);
	buf_str(&line, ": ");
	verdicts(&line, c);
	buf_printf(&line, " (%.8s)", c->uid);
	text_wrap(out, buf_view(&line), INDENT, INDENT, style);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&line);
		text_safe(&line, c->reasons[i], 400);
		text_repeat(out, ' ', INDENT + 2);
		text_wrap(out, buf_view(&line), INDENT + 2, INDENT + 4, style);
	}
	if (n < c->n_reasons) {
		text_repeat(out, ' ', INDENT + 2);
		buf_printf(out, "and %zu more\n", c->n_reasons - n);
	}
	buf_free(&line);
}

/* Whether both settings turn the same findings into the same verdicts: neighbours of a sweep often
 * do. */
static bool alike(const struct backtest_setting *a, const struct backtest_setting *b)
{
	if (a->n_changes == 0 || a->n_changes != b->n_changes || a->left_out + b->left_out > 0 ||
	    memcmp(a->by_change, b->by_change, BACKTEST_QUIET * sizeof(*a->by_change)) != 0)
		return false;
	for (size_t i = 0; i < a->n_changes; i++) {
		const struct backtest_change *x = &a->changes[i], *y = &b->changes[i];

		if (x->kind != y->kind || strcmp(x->uid, y->uid) != 0 ||
		    x->after.there != y->after.there || x->after.verdict != y->after.verdict)
			return false;
	}
	return true;
}

/* before: the setting above, or NULL. */
static void changes(struct buf *out, const struct backtest_setting *s,
		    const struct backtest_setting *before, bool all, const struct text_style *style)
{
	size_t n = all || s->n_changes <= SHOWN ? s->n_changes : SHOWN;
	size_t hidden = s->n_changes - n + s->left_out;

	buf_char(out, '\n');
	text_paint(out, style, PAINT_BOLD);
	text_safe(out, s->label, 0);
	text_paint(out, style, PAINT_PLAIN);
	buf_printf(out, ": %zu gained, %zu lost, %zu changed", s->by_change[BACKTEST_GAINED],
		   s->by_change[BACKTEST_LOST], s->by_change[BACKTEST_CHANGED]);
	if (s->by_change[BACKTEST_QUIET] > 0)
		buf_printf(out, ", %zu that nobody is shown%s", s->by_change[BACKTEST_QUIET],
			   all ? "" : " (--all lists them)");
	if (before != NULL && !all && alike(before, s)) {
		buf_str(out, ": the same as ");
		text_safe(out, before->value, LABEL_MAX_CHARS);
		buf_char(out, '\n');
		return;
	}
	buf_char(out, '\n');
	for (size_t i = 0; i < n; i++)
		change(out, &s->changes[i], all, style);
	if (hidden > 0)
		buf_printf(out, "  and %zu more%s\n", hidden,
			   n < s->n_changes ? " (--all, --output json)" : "");
}

static void past(struct buf *out, const struct backtest *b, const struct text_style *style)
{
	const struct backtest_setting *s = &b->settings[0];
	char window[INSTANT_ISO_SIZE];
	struct buf line;

	buf_init(&line, 4096);
	buf_str(&line, "The past from ");
	text_time(&line, b->first, style);
	buf_str(&line, " to ");
	text_time(&line, b->last, style);
	buf_str(&line, ": ");
	text_count(&line, b->observations);
	buf_str(&line, " observations, ");
	text_count(&line, b->attempts);
	buf_str(&line, " connections");
	if (b->outside > 0) {
		buf_str(&line, "; ");
		text_count(&line, b->outside);
		buf_str(&line, " observations outside the period asked for");
	}
	buf_char(&line, '.');
	text_wrap(out, buf_view(&line), 0, 0, style);
	buf_reset(&line);
	span_format(s->time_window, window);
	buf_printf(&line,
		   "In force: TimeWindow %s, InspectionFailureThreshold %u, "
		   "ForegroundStateRequired %s, AllowedAppList "
		   "of %zu, AllowedDestinationList of %zu.",
		   window, s->inspection_failure_threshold,
		   s->foreground_state_required ? "true" : "false", s->n_apps, s->n_destinations);
	text_wrap(out, buf_view(&line), 0, 0, style);
	buf_char(out, '\n');
	buf_free(&line);
}

void backtest_table(struct buf *out, const struct backtest *b, const struct text_style *style)
{
	past(out, b, style);
	rows(out, b);
	for (size_t i = 1; i < b->n; i++)
		changes(out, &b->settings[i], i > 1 ? &b->settings[i - 1] : NULL, b->all, style);
}
