#include "cli/findings_view.h"

#include <math.h>
#include <stdlib.h>

#include "cli/grid.h"
#include "emit/text.h"

#define MAX_OUTPUT ((size_t)256 * 1024 * 1024)

static const char *const titles[] = {
	"UID",	  "STATUS", "SEVERITY", "VERDICT",   "APP",	 "DESTINATION",
	">SCORE", ">RISK",  ">DEV",	"LAST SEEN", "ASSIGNEE",
};

struct findings_list {
	bool local;
	struct grid grid;
	size_t n;
};

struct sv findings_text(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_STRING ? m->text : SV_NONE;
}

static int64_t number(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_INT ? m->integer : 0;
}

static int64_t hundredths(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	if (m == NULL)
		return 0;
	return m->type == VALUE_REAL  ? llround(m->real * 100)
	       : m->type == VALUE_INT ? m->integer * 100
				      : 0;
}

static void put_time(struct buf *out, const struct value *v, const char *name, bool local)
{
	struct text_style style = { .local = local };
	struct instant t = INSTANT_NONE;

	if (!instant_parse_iso(findings_text(v, name), 0, &t))
		t = INSTANT_NONE;
	text_time(out, t, &style);
}

/* ---- list */

struct findings_list *findings_list_begin(bool local)
{
	struct findings_list *l = xcalloc(1, sizeof(*l));

	l->local = local;
	grid_begin(&l->grid, titles, sizeof(titles) / sizeof(titles[0]));
	return l;
}

/* A place without a port where there is none; devices and sources have no app. */
static void place(struct buf *out, const struct value *f)
{
	struct sv host = findings_text(f, "destination");

	if (host.n == 0)
		return;
	text_place(out, host, 0, number(f, "port") != 443 ? (unsigned)number(f, "port") : 0);
}

/* The newest judgement no longer gives it: its attempts turned out to be another app's, or are
 * forgotten. */
static bool gone(const struct value *f)
{
	const struct value *present = value_member(f, SV("present"));

	return present != NULL && present->type == VALUE_BOOL && !present->boolean;
}

static void row(struct findings_list *l, const struct value *f)
{
	struct grid *g = &l->grid;
	struct buf b;

	buf_init(&b, 65536);
	grid_cell(g, sv_first(findings_text(f, "uid"), 8));
	buf_sv(&b, findings_text(f, "status"));
	buf_str(&b, gone(f) ? ", gone" : "");
	grid_cell(g, buf_view(&b));
	buf_reset(&b);
	grid_cell(g, findings_text(f, "severity"));
	grid_cell(g, sv_eq(findings_text(f, "kind"), SV("pinning")) ? findings_text(f, "verdict")
								    : findings_text(f, "kind"));
	grid_cell(g, findings_text(f, "app"));
	place(&b, f);
	grid_cell(g, buf_view(&b));
	buf_reset(&b);
	text_fixed2(&b, hundredths(f, "score_db"), false);
	grid_cell(g, buf_view(&b));
	grid_count(g, number(f, "risk"));
	grid_count(g, number(f, "devices"));
	buf_reset(&b);
	put_time(&b, f, "last_seen", l->local);
	grid_cell(g, buf_view(&b));
	grid_cell(g, findings_text(f, "assignee"));
	buf_free(&b);
}

void findings_list_add(struct findings_list *l, const struct value *page)
{
	const struct value *list = value_member(page, SV("findings"));

	if (list == NULL || list->type != VALUE_ARRAY)
		return;
	for (size_t i = 0; i < list->array.n; i++)
		row(l, &list->array.items[i]);
	l->n += list->array.n;
}

void findings_list_end(struct findings_list *l, struct buf *out)
{
	struct buf nowhere;

	buf_init(&nowhere, MAX_OUTPUT);
	if (out != NULL && l->n == 0)
		buf_str(out, "no findings\n");
	grid_end(&l->grid, 0, out != NULL && l->n > 0 ? out : &nowhere);
	buf_free(&nowhere);
	free(l);
}

/* ---- one */

static void line(struct buf *out, const char *label, struct sv text)
{
	if (text.n == 0)
		return;
	buf_printf(out, "%-12s", label);
	text_safe(out, text, 0);
	buf_char(out, '\n');
}

static void time_line(struct buf *out, const char *label, const struct value *v, const char *name,
		      bool local)
{
	if (findings_text(v, name).n == 0)
		return;
	buf_printf(out, "%-12s", label);
	put_time(out, v, name, local);
	buf_char(out, '\n');
}

static void triage(struct buf *out, const struct value *t, struct sv status, bool local)
{
	buf_str(out, "status      ");
	text_safe(out, status, 0);
	if (findings_text(t, "changed_by").n > 0) {
		buf_str(out, ", by ");
		text_safe(out, findings_text(t, "changed_by"), 0);
		buf_str(out, " at ");
		put_time(out, t, "changed_at", local);
	}
	buf_char(out, '\n');
	line(out, "because", findings_text(t, "reason"));
	line(out, "assignee", findings_text(t, "assignee"));
}

/* `prior -16.0  because …` of the score, a term a line. */
static void contributions(struct buf *out, const struct value *finding)
{
	const struct value *list = value_member(finding, SV("contributions"));

	for (size_t i = 0; list != NULL && list->type == VALUE_ARRAY && i < list->array.n; i++) {
		const struct value *c = &list->array.items[i];

		buf_str(out, i == 0 ? "score       " : "            ");
		text_fixed2(out, hundredths(c, "db"), true);
		buf_str(out, "  ");
		text_safe(out, findings_text(c, "term"), 0);
		buf_str(out, ": ");
		text_safe(out, findings_text(c, "because"), 0);
		buf_char(out, '\n');
	}
}

static void evidence(struct buf *out, const struct value *finding, bool local)
{
	const struct value *list = value_member(finding, SV("evidence"));

	for (size_t i = 0; list != NULL && list->type == VALUE_ARRAY && i < list->array.n; i++) {
		const struct value *e = &list->array.items[i];

		buf_str(out, i == 0 ? "evidence    " : "            ");
		put_time(out, e, "time", local);
		buf_str(out, "  ");
		text_safe(out, findings_text(e, "source"), 0);
		buf_str(out, " ");
		text_safe(out, findings_text(e, "path"), 0);
		if (number(e, "line") > 0)
			buf_printf(out, ":%lld", (long long)number(e, "line"));
		buf_str(out, "  ");
		text_safe(out, findings_text(e, "what"), 0);
		buf_char(out, '\n');
	}
}

static void comments(struct buf *out, const struct value *v, bool local)
{
	const struct value *list = value_member(v, SV("comments"));

	for (size_t i = 0; list != NULL && list->type == VALUE_ARRAY && i < list->array.n; i++) {
		struct sv rest = findings_text(&list->array.items[i], "text");

		buf_str(out, i == 0 ? "comments    " : "            ");
		put_time(out, &list->array.items[i], "at", local);
		buf_str(out, "  ");
		text_safe(out, findings_text(&list->array.items[i], "author"), 0);
		buf_char(out, '\n');
		while (rest.n > 0) {
			buf_str(out, "              ");
			text_safe(out, sv_cut(rest, '\n', &rest), 0);
			buf_char(out, '\n');
		}
	}
}

static void history(struct buf *out, const struct value *v, bool local)
{
	const struct value *list = value_member(v, SV("history"));

	for (size_t i = 0; list != NULL && list->type == VALUE_ARRAY && i < list->array.n; i++) {
		const struct value *h = &list->array.items[i];

		buf_printf(out, "%s%4lld  ", i == 0 ? "revisions   " : "            ",
			   (long long)number(h, "revision"));
		put_time(out, h, "at", local);
		buf_str(out, "  ");
		text_safe(out, findings_text(h, "verdict"), 0);
		buf_char(out, '\n');
	}
}

void findings_view_one(struct buf *out, const struct value *v, bool local)
{
	const struct value *f = value_member(v, SV("summary")),
			   *finding = value_member(v, SV("finding"));
	struct buf where;

	buf_init(&where, 65536);
	place(&where, f);
	line(out, "uid", findings_text(f, "uid"));
	line(out, "verdict", findings_text(f, "verdict"));
	line(out, "kind", findings_text(f, "kind"));
	line(out, "severity", findings_text(f, "severity"));
	line(out, "app", findings_text(f, "app"));
	line(out, "version", findings_text(f, "app_version"));
	line(out, "destination", buf_view(&where));
	buf_printf(out, "%-12s%lld\n", "risk", (long long)number(f, "risk"));
	buf_printf(out, "%-12s%lld\n", "devices", (long long)number(f, "devices"));
	time_line(out, "first seen", f, "first_seen", local);
	time_line(out, "last seen", f, "last_seen", local);
	time_line(out, "resolved", f, "resolved_at", local);
	triage(out, value_member(v, SV("triage")), findings_text(f, "status"), local);
	contributions(out, finding);
	evidence(out, finding, local);
	comments(out, v, local);
	history(out, v, local);
	buf_free(&where);
}

void findings_view_done(struct buf *out, const struct value *v, bool local)
{
	const struct value *t = value_member(v, SV("triage"));

	if (t != NULL) {
		triage(out, t, findings_text(t, "status"), local);
		return;
	}
	buf_printf(out, "comment %lld by ", (long long)number(v, "id"));
	text_safe(out, findings_text(v, "author"), 0);
	buf_char(out, '\n');
}
