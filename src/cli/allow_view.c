#include "cli/allow_view.h"

#include <stdio.h>

#include "cli/grid.h"
#include "emit/text.h"

/* ---- what an answer holds */

static struct sv text_of(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_STRING ? m->text : SV_NONE;
}

static int64_t count_of(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_INT ? m->integer : 0;
}

static size_t items_of(const struct value *v, const char *name, const struct value **items)
{
	const struct value *m = value_member(v, sv_cstr(name));

	*items = m != NULL && m->type == VALUE_ARRAY ? m->array.items : NULL;
	return *items != NULL ? m->array.n : 0;
}

/* `2026-11-24` of a time. */
static struct sv day_of(const struct value *v, const char *name)
{
	return sv_first(text_of(v, name), 10);
}

/* The patterns of an array, with commas between. */
static void join(struct buf *out, const struct value *v, const char *name)
{
	const struct value *items;
	size_t n = items_of(v, name, &items);

	for (size_t i = 0; i < n; i++)
		if (items[i].type == VALUE_STRING)
			buf_printf(out, "%s%.*s", i > 0 ? ", " : "", SV_ARG(items[i].text));
}

static void joined_cell(struct grid *g, const struct value *v, const char *name)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	join(&b, v, name);
	grid_cell(g, buf_view(&b));
	buf_free(&b);
}

static void line(struct buf *out, const char *label, struct sv text)
{
	if (sv_empty(text))
		return;
	buf_printf(out, "  %-9s ", label);
	text_safe(out, text, 0);
	buf_char(out, '\n');
}

static void subject(struct buf *out, const struct value *e)
{
	bool app = sv_eq(text_of(e, "list"), SV("app"));
	struct buf only;

	text_safe(out, text_of(e, "pattern"), 0);
	buf_init(&only, 1 << 20);
	join(&only, e, "scope");
	if (only.n > 0) {
		buf_str(out, app ? ", only to " : ", only by ");
		text_safe(out, buf_view(&only), 300);
	}
	buf_free(&only);
	buf_printf(out, " (%s)", app ? "AllowedAppList" : "AllowedDestinationList");
}

static void warnings(struct buf *out, const struct value *v)
{
	const struct value *items;
	size_t n = items_of(v, "warnings", &items);

	for (size_t i = 0; i < n; i++) {
		buf_str(out, "  warning: ");
		text_safe(out, text_of(&items[i], "message"), 0);
		buf_char(out, '\n');
	}
}

/* ---- list */

static void where_cell(struct grid *g, const struct value *e)
{
	struct sv file = text_of(e, "file");
	struct buf b;

	buf_init(&b, 65536);
	if (!sv_empty(file)) {
		size_t from = file.n;

		while (from > 0 && file.p[from - 1] != '/')
			from--;
		buf_printf(&b, "%.*s:%lld", SV_ARG(sv_skip(file, from)),
			   (long long)count_of(e, "line"));
	} else {
		buf_str(&b, "database");
	}
	grid_cell(g, buf_view(&b));
	buf_free(&b);
}

/* What is to be said against it, in short. */
static void remarks_cell(struct grid *g, const struct value *e)
{
	struct sv unused = text_of(e, "unused");
	const struct value *items;
	size_t n = items_of(e, "warnings", &items);
	struct buf b;

	buf_init(&b, 4096);
	if (!sv_empty(unused))
		buf_str(&b, sv_eq(unused, SV("never")) ? "unused" : "unused for 30 days");
	for (size_t i = 0; i < n; i++) {
		struct sv code = text_of(&items[i], "code");

		buf_printf(&b, "%s", b.n > 0 ? ", " : "");
		for (size_t k = 0; k < code.n; k++)
			buf_char(&b, code.p[k] == '_' ? ' ' : code.p[k]);
	}
	grid_cell(g, buf_view(&b));
	buf_free(&b);
}

static void list_row(struct grid *g, const struct value *e)
{
	const struct value *use = value_member(e, SV("use"));

	grid_count(g, count_of(e, "id"));
	grid_cell(g, text_of(e, "list"));
	grid_cell(g, text_of(e, "pattern"));
	joined_cell(g, e, "scope");
	grid_cell(g, text_of(e, "owner"));
	grid_cell(g, sv_empty(text_of(e, "expires")) ? SV("never") : text_of(e, "expires"));
	grid_cell(g, text_of(e, "state"));
	grid_count(g, count_of(use, "findings"));
	grid_count(g, count_of(use, "only_findings"));
	grid_count(g, count_of(use, "would_show"));
	where_cell(g, e);
	remarks_cell(g, e);
}

static void covers(struct buf *out, const struct value *e)
{
	static const char *const titles[] = { "UID",	   "APP",	 "DESTINATION",
					      ">ATTEMPTS", ">ONLY HERE", "WITHOUT LISTS" };
	const struct value *items;
	size_t n = items_of(e, "covers", &items);
	struct grid g;

	if (n == 0)
		return;
	buf_printf(out, "\nentry %lld covers\n", (long long)count_of(e, "id"));
	grid_begin(&g, titles, 6);
	for (size_t i = 0; i < n; i++) {
		grid_cell(&g, text_of(&items[i], "uid"));
		grid_cell(&g, text_of(&items[i], "app"));
		grid_cell(&g, text_of(&items[i], "host"));
		grid_count(&g, count_of(&items[i], "attempts"));
		grid_count(&g, count_of(&items[i], "only_attempts"));
		grid_cell(&g, text_of(&items[i], "without_lists"));
	}
	grid_end(&g, 0, out);
}

void allow_view_list(struct buf *out, const struct value *const *pages, size_t n)
{
	static const char *const titles[] = { ">ID",	"LIST",	       "PATTERN", "ONLY",
					      "OWNER",	"EXPIRES",     "STATE",	  ">FINDINGS",
					      ">ALONE", ">WOULD SHOW", "WHERE",	  "REMARKS" };
	const struct value *items;
	size_t rows = 0;
	struct grid g;

	grid_begin(&g, titles, 12);
	for (size_t p = 0; p < n; p++) {
		size_t here = items_of(pages[p], "entries", &items);

		for (size_t i = 0; i < here; i++)
			list_row(&g, &items[i]);
		rows += here;
	}
	if (rows == 0) {
		struct buf unused;

		buf_init(&unused, 65536);
		grid_end(&g, 0, &unused);
		buf_free(&unused);
		buf_str(out, "no entries\n");
		return;
	}
	grid_end(&g, 0, out);
	for (size_t p = 0; p < n; p++) {
		size_t here = items_of(pages[p], "entries", &items);

		for (size_t i = 0; i < here; i++)
			covers(out, &items[i]);
	}
}

/* ---- one entry */

void allow_view_entry(struct buf *out, const struct value *e, const char *done)
{
	int64_t reopened = count_of(e, "reopened");

	buf_printf(out, "entry %lld %s: ", (long long)count_of(e, "id"), done);
	subject(out, e);
	buf_char(out, '\n');
	line(out, "owner", text_of(e, "owner"));
	line(out, "reason", text_of(e, "reason"));
	line(out, "ticket", text_of(e, "ticket"));
	line(out, "expires", text_of(e, "expires"));
	line(out, "ended", text_of(e, "ended_at"));
	if (reopened > 0) {
		buf_str(out, "  open again ");
		text_plural(out, (uint64_t)reopened, "finding that was acknowledged or closed",
			    "findings that were acknowledged or closed");
		buf_char(out, '\n');
	}
	warnings(out, e);
}

/* ---- preview */

static void named(struct buf *out, const struct value *list, const char *none, const char *one,
		  const char *many)
{
	static const char *const titles[] = { "APP",	  "DESTINATION", "VERDICT", "SEVERITY",
					      ">DEVICES", "LAST SEEN",	 "HOW",	    "UID" };
	const struct value *items;
	size_t n = items_of(list, "findings", &items);
	int64_t total = count_of(list, "total");
	struct grid g;

	buf_char(out, '\n');
	if (n == 0) {
		buf_str(out, none);
		return;
	}
	text_plural(out, (uint64_t)total, one, many);
	buf_char(out, '\n');
	grid_begin(&g, titles, 8);
	for (size_t i = 0; i < n; i++) {
		struct buf place;

		buf_init(&place, 4096);
		text_place(&place, text_of(&items[i], "host"), 300,
			   (unsigned)count_of(&items[i], "port"));
		grid_cell(&g, text_of(&items[i], "app"));
		grid_cell(&g, buf_view(&place));
		grid_cell(&g, text_of(&items[i], "verdict"));
		grid_cell(&g, text_of(&items[i], "severity"));
		grid_count(&g, count_of(&items[i], "devices"));
		grid_cell(&g, day_of(&items[i], "last_seen"));
		grid_cell(&g, text_of(&items[i], "met"));
		grid_cell(&g, text_of(&items[i], "uid"));
		buf_free(&place);
	}
	grid_end(&g, 2, out);
	if ((int64_t)n < total)
		buf_printf(out, "  and %lld more\n", (long long)(total - (int64_t)n));
}

void allow_view_preview(struct buf *out, const struct value *v)
{
	const struct value *fleet = value_member(v, SV("fleet")), *same;
	const struct value *of = value_member(fleet, SV("of_devices"));
	size_t n_same = items_of(v, "same", &same);

	subject(out, value_member(v, SV("entry")));
	buf_char(out, '\n');
	warnings(out, v);
	for (size_t i = 0; i < n_same; i++)
		if (same[i].type == VALUE_INT)
			buf_printf(out, "  entry %lld says the same already\n",
				   (long long)same[i].integer);
	named(out, value_member(v, SV("quiets")), "It would quiet no current finding.\n",
	      "current finding that it would quiet:", "current findings that it would quiet:");
	named(out, value_member(v, SV("past")), "No past finding would have been quiet.\n",
	      "past finding that would have been quiet:",
	      "past findings that would have been quiet:");
	buf_str(out, "\nOf the fleet: ");
	text_plural(out, (uint64_t)count_of(fleet, "devices"), "device", "devices");
	if (of != NULL && of->type == VALUE_INT)
		buf_printf(out, " of %lld", (long long)of->integer);
	buf_str(out, ", ");
	text_plural(out, (uint64_t)count_of(fleet, "apps"), "app", "apps");
	buf_str(out, ", ");
	text_plural(out, (uint64_t)count_of(fleet, "destinations"), "destination", "destinations");
	buf_str(out, ".\n");
	if (count_of(v, "expected_already") > 0) {
		text_plural(out, (uint64_t)count_of(v, "expected_already"), "finding is",
			    "findings are");
		buf_str(out, " expected already.\n");
	}
}

/* ---- test */

void allow_view_test(struct buf *out, const struct value *v)
{
	static const char *const titles[] = { ">ID",	 "LIST",  "PATTERN", "ONLY",   "OWNER",
					      "EXPIRES", "STATE", "ANSWER",  "BECAUSE" };
	struct sv answer = text_of(v, "answer"), app = text_of(v, "app");
	const struct value *items;
	size_t n = items_of(v, "entries", &items);
	struct grid g;

	text_safe(out, text_of(v, "host"), 0);
	if (!sv_empty(app)) {
		buf_str(out, " by ");
		text_safe(out, app, 0);
	}
	buf_str(out, sv_eq(answer, SV("covered"))   ? ": covered\n"
		     : sv_eq(answer, SV("perhaps")) ? ": perhaps covered\n"
						    : ": not covered\n");
	if (n == 0)
		return;
	grid_begin(&g, titles, 9);
	for (size_t i = 0; i < n; i++) {
		grid_count(&g, count_of(&items[i], "id"));
		grid_cell(&g, text_of(&items[i], "list"));
		grid_cell(&g, text_of(&items[i], "pattern"));
		joined_cell(&g, &items[i], "scope");
		grid_cell(&g, text_of(&items[i], "owner"));
		grid_cell(&g, sv_empty(text_of(&items[i], "expires"))
				  ? SV("never")
				  : text_of(&items[i], "expires"));
		grid_cell(&g, text_of(&items[i], "state"));
		grid_cell(&g, text_of(&items[i], "answer"));
		grid_cell(&g, text_of(&items[i], "because"));
	}
	grid_end(&g, 2, out);
}
