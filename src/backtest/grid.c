#include "backtest/grid.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/safe.h"
#include "conf/node.h"
#include "scan/settings.h"

#define MAX_ASSIGNMENT (1u << 20)

static const char *const names[ELEMENTS] = {
	[ELEMENT_TIME_WINDOW] = "TimeWindow",
	[ELEMENT_THRESHOLD] = "InspectionFailureThreshold",
	[ELEMENT_FOREGROUND] = "ForegroundStateRequired",
	[ELEMENT_APPS] = "AllowedAppList",
	[ELEMENT_DESTINATIONS] = "AllowedDestinationList",
};

struct grid_value {
	struct conf conf;	  /* owns what the lists say */
	struct settings settings; /* of which the one element counts */
	struct sv text;
};

void grid_free(struct grid *g)
{
	for (int e = 0; e < ELEMENTS; e++) {
		for (size_t i = 0; i < g->axes[e].n; i++)
			conf_free(&g->axes[e].values[i].conf);
		free(g->axes[e].values);
	}
	arena_free(&g->_arena);
	*g = (struct grid){ 0 };
}

/* NULL and *err where the name is none of the five. */
static const char *element_named(struct sv name, enum element *out, struct error *err)
{
	struct buf shown;

	if (sv_starts(name, SV("analytic.")))
		name = sv_skip(name, 9);
	for (int e = 0; e < ELEMENTS; e++)
		if (sv_eq_nocase(name, sv_cstr(names[e]))) {
			*out = (enum element)e;
			return names[e];
		}
	buf_init(&shown, 1024);
	text_safe(&shown, name, 60);
	error_set(err, ERROR_USAGE, 0,
		  "`%.*s` is none of the analytic's mutable elements: expected TimeWindow, "
		  "InspectionFailureThreshold, ForegroundStateRequired, AllowedAppList or "
		  "AllowedDestinationList",
		  SV_ARG(buf_view(&shown)));
	buf_free(&shown);
	return NULL;
}

/* Takes the "--set: " that the configuration's reader begins with off, and puts the place before
 * it. */
static bool placed(struct error *err, const char *where)
{
	struct error own = *err;
	struct sv message = sv_cstr(own.message);

	if (sv_starts(message, SV("--set: ")))
		message = sv_skip(message, 7);
	return error_set(err, own.code, own.position, "%s: %.*s", where, SV_ARG(message));
}

static bool has_room(const struct grid *g, const struct grid_axis *x, bool swept, const char *where,
		     struct error *err)
{
	size_t others = g->n == 0 ? 1 : x->n > 0 ? g->n / x->n : g->n;

	if (x->n > 0 && !swept)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: the element is given twice: leave one out", where);
	if (others * (x->n + 1) > BACKTEST_MAX_SETTINGS)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: more than %u settings to try: leave values out, or write a "
				 "larger step (5m..30m/5m)",
				 where, BACKTEST_MAX_SETTINGS);
	return true;
}

/* Whether a list's value names no file. */
static bool is_inline(struct sv value)
{
	const struct node *list = NULL;
	struct arena a = { 0 };
	struct error err;
	bool ok = sv_empty(value);

	if (!ok && value.p[0] == '[' && sv_ends(value, SV("]")) &&
	    node_read(value, "", &a, &list, &err) && list->kind == NODE_LIST) {
		ok = true;
		for (const struct node *n = list->first; n != NULL; n = n->next)
			ok = ok && n->kind == NODE_MAP;
	}
	arena_free(&a);
	return ok;
}

/* One value beside those the element has. */
static bool add_value(struct grid *g, enum element which, struct sv value, bool swept,
		      const char *where, struct error *err)
{
	struct grid_axis *x = &g->axes[which];
	struct grid_value one = { .text = sv_trim(value) };
	struct buf assignment;
	bool ok;

	if (!has_room(g, x, swept, where, err))
		return false;
	if (sv_empty(one.text) && which < ELEMENT_APPS)
		return error_set(err, ERROR_USAGE, 0, "%s: expected a value of %s", where,
				 names[which]);
	if (g->no_files && which >= ELEMENT_APPS && !is_inline(one.text))
		return error_set(err, ERROR_USAGE, 0,
				 "%s: expected a list of entries, such as [{%s}], or []", where,
				 which == ELEMENT_APPS ? "app: com.vendor.*"
						       : "destination: .vendor.test");
	conf_defaults(&one.conf);
	buf_init(&assignment, MAX_ASSIGNMENT);
	buf_printf(&assignment, "analytic.%s=", names[which]);
	buf_sv(&assignment, one.text);
	buf_char(&assignment, '\0');
	if (assignment.overflowed)
		ok = error_set(err, ERROR_USAGE, 0,
			       "%s: the value is longer than %u bytes: write it to a file", where,
			       MAX_ASSIGNMENT);
	else if (sv_find_char(one.text, '\0') != SIZE_MAX)
		ok =
		    error_set(err, ERROR_USAGE, 0, "%s: expected a value without NUL bytes", where);
	else
		ok = conf_set(&one.conf, assignment.p, err) || placed(err, where);
	buf_free(&assignment);
	if (!ok) {
		conf_free(&one.conf);
		return false;
	}
	one.text = arena_sv(&g->_arena, one.text);
	settings_from_conf(&one.settings, &one.conf, &g->_arena);
	if (x->n == 0)
		g->order[g->n_order++] = which;
	g->n = (g->n == 0 ? 1 : x->n > 0 ? g->n / x->n : g->n) * (x->n + 1);
	x->values = xrealloc(x->values, x->n + 1, sizeof(*x->values));
	x->values[x->n++] = one;
	x->swept = swept;
	return true;
}

/* ---- what is written on a command line */

/* A comma outside brackets and quotes ends a value. */
static struct sv next_value(struct sv *rest)
{
	struct sv all = *rest;
	int depth = 0;
	char quote = 0;

	for (size_t i = 0; i < all.n; i++) {
		char c = all.p[i];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = depth > 0 ? c : 0;
		else if (c == '[' || c == '{')
			depth++;
		else if (c == ']' || c == '}')
			depth--;
		else if (c == ',' && depth <= 0) {
			*rest = sv_skip(all, i + 1);
			return sv_first(all, i);
		}
	}
	*rest = SV_NONE;
	return all;
}

/* One of the unit that a duration is written with, the last where there are several. */
static int64_t unit_of(struct sv text)
{
	struct span d;
	char one[8];
	size_t n = text.n;

	while (n > 0 && text.p[n - 1] >= 'a' && text.p[n - 1] <= 'z')
		n--;
	text = sv_skip(text, n);
	snprintf(one, sizeof(one), "1%.*s", text.n < 3 ? (int)text.n : 3, text.p);
	return span_parse(sv_cstr(one), &d) ? d.ns : 0;
}

static bool number(enum element which, struct sv text, int64_t *out)
{
	struct span d;
	uint64_t n;

	text = sv_trim(text);
	if (which == ELEMENT_TIME_WINDOW) {
		if (!span_parse(text, &d))
			return false;
		*out = d.ns;
		return true;
	}
	if (!sv_to_u64(text, &n) || n > UINT32_MAX)
		return false;
	*out = (int64_t)n;
	return true;
}

/* `A..B`, `A..B/STEP`. */
static bool add_range(struct grid *g, enum element which, struct sv from_text, struct sv rest,
		      const char *where, struct error *err)
{
	struct sv step_text, to_text = sv_cut(rest, '/', &step_text);
	int64_t from, to, step = 1;
	char text[INSTANT_ISO_SIZE];

	if (!number(which, from_text, &from) || !number(which, to_text, &to) ||
	    (step_text.p != NULL && (!number(which, step_text, &step) || step == 0)))
		return error_set(err, ERROR_USAGE, 0, "%s: expected a range such as %s", where,
				 which == ELEMENT_TIME_WINDOW ? "5m..30m or 5m..30m/5m"
							      : "2..8 or 2..20/2");
	if (which == ELEMENT_TIME_WINDOW && step_text.p == NULL)
		step = unit_of(sv_trim(from_text));
	if (from > to || step <= 0)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: expected a range that begins with the smaller value", where);
	for (int64_t v = from;; v += step) {
		if (which == ELEMENT_TIME_WINDOW)
			span_format((struct span){ v }, text);
		else
			snprintf(text, sizeof(text), "%lld", (long long)v);
		if (!add_value(g, which, sv_cstr(text), true, where, err))
			return false;
		if (v > to - step)
			return true;
	}
}

static bool begin(const struct grid *g, const char *option, int example, struct sv assignment,
		  enum element *which, struct sv *value, char where[64], struct error *err)
{
	struct sv name = sv_trim(sv_cut(assignment, '=', value));
	const char *element;

	if (value->p == NULL) {
		error_set(err, ERROR_USAGE, 0, "%s: expected ELEMENT=VALUE, for example %s", option,
			  example == 1 ? "InspectionFailureThreshold=5"
				       : "InspectionFailureThreshold=2..8");
		return false;
	}
	element = element_named(name, which, err);
	if (element == NULL) {
		error_prefix(err, "%s", option);
		return false;
	}
	snprintf(where, 64, "%s %s", option, element);
	if (g->axes[*which].n > 0)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: the element is given twice: leave one out", where);
	return true;
}

bool grid_set(struct grid *g, const char *option, struct sv assignment, struct error *err)
{
	enum element which;
	struct sv value;
	char where[64];

	return begin(g, option, 1, assignment, &which, &value, where, err) &&
	       add_value(g, which, value, false, where, err);
}

bool grid_sweep(struct grid *g, const char *option, struct sv assignment, struct error *err)
{
	enum element which;
	struct sv rest, value;
	char where[64];
	size_t dots;

	if (!begin(g, option, 2, assignment, &which, &rest, where, err))
		return false;
	do {
		value = next_value(&rest);
		dots = which <= ELEMENT_THRESHOLD ? sv_find(value, SV("..")) : SIZE_MAX;
		if (!(dots == SIZE_MAX ? add_value(g, which, value, true, where, err)
				       : add_range(g, which, sv_first(value, dots),
						   sv_skip(value, dots + 2), where, err)))
			return false;
	} while (rest.p != NULL);
	return true;
}

/* ---- the settings */

/* The entries of one list in place of those there are. */
static void replace_list(struct settings *s, const struct settings *from, bool is_app_list,
			 struct arena *a)
{
	struct allowance *list =
	    arena_alloc(a, (s->n_allowances + from->n_allowances + 1) * sizeof(*list));
	size_t n = 0;

	for (int pass = 1; pass >= 0; pass--) { /* AllowedAppList stands first */
		const struct settings *of = (pass == 1) == is_app_list ? from : s;

		for (size_t i = 0; i < of->n_allowances; i++)
			if (of->allowances[i].is_app_list == (pass == 1))
				list[n++] = of->allowances[i];
	}
	s->allowances = list;
	s->n_allowances = n;
}

static void lay_over(struct settings *s, enum element which, const struct settings *from,
		     struct arena *a)
{
	switch (which) {
	case ELEMENT_TIME_WINDOW:
		s->time_window = from->time_window;
		break;
	case ELEMENT_THRESHOLD:
		s->inspection_failure_threshold = from->inspection_failure_threshold;
		break;
	case ELEMENT_FOREGROUND:
		s->foreground_state_required = from->foreground_state_required;
		break;
	case ELEMENT_APPS:
		replace_list(s, from, true, a);
		break;
	case ELEMENT_DESTINATIONS:
		replace_list(s, from, false, a);
		break;
	case ELEMENTS:
		break;
	}
}

void grid_at(const struct grid *g, size_t i, const struct settings *in_force, struct arena *a,
	     struct grid_setting *out)
{
	size_t below = g->n;
	struct buf label, value;

	*out = (struct grid_setting){ .settings = *in_force };
	buf_init(&label, (size_t)ELEMENTS * MAX_ASSIGNMENT);
	buf_init(&value, (size_t)ELEMENTS * MAX_ASSIGNMENT);
	for (size_t k = 0; k < g->n_order; k++) {
		enum element which = g->order[k];
		const struct grid_axis *x = &g->axes[which];
		const struct grid_value *one;

		below /= x->n;
		one = &x->values[i / below % x->n];
		buf_printf(&label, "%s%s=", label.n > 0 ? " " : "", names[which]);
		lay_over(&out->settings, which, &one->settings, a);
		buf_sv(&label, one->text);
		if (x->swept) {
			buf_str(&value, value.n > 0 ? " " : "");
			buf_sv(&value, one->text);
		}
	}
	out->label = arena_sv(a, buf_view(&label));
	out->value = value.n > 0 ? arena_sv(a, buf_view(&value)) : SV("as tried");
	buf_free(&label);
	buf_free(&value);
}

/* Elements that are swept by name, or fixed ones with their values. */
static struct sv elements(const struct grid *g, bool swept, const char *between, struct arena *a)
{
	struct buf b;
	struct sv made;

	buf_init(&b, (size_t)ELEMENTS * MAX_ASSIGNMENT);
	for (size_t k = 0; k < g->n_order; k++) {
		const struct grid_axis *x = &g->axes[g->order[k]];

		if (x->swept != swept)
			continue;
		buf_printf(&b, "%s%s", b.n > 0 ? between : "", names[g->order[k]]);
		if (!swept) {
			buf_char(&b, '=');
			buf_sv(&b, x->values[0].text);
		}
	}
	made = arena_sv(a, buf_view(&b));
	buf_free(&b);
	return made;
}

struct sv grid_swept(const struct grid *g, struct arena *a) { return elements(g, true, ", ", a); }

struct sv grid_fixed(const struct grid *g, struct arena *a) { return elements(g, false, " ", a); }
