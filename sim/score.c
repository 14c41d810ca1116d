#include "sim/score.h"

#include <stdlib.h>

#include "parse/json.h"

static const struct {
	enum score_verdict verdict;
	const char *name;
} verdicts[] = {
	{ VERDICT_CONFIRMED, "confirmed" }, { VERDICT_SUSPECTED, "suspected" },
	{ VERDICT_EXPLAINED, "explained" }, { VERDICT_EXPECTED, "expected" },
	{ VERDICT_OBSERVED, "observed" },   { VERDICT_NONE, "none" },
};
#define N_VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

const char *score_verdict_name(enum score_verdict v)
{
	for (size_t i = 0; i < N_VERDICTS; i++)
		if (verdicts[i].verdict == v)
			return verdicts[i].name;
	return "none";
}

static enum score_verdict verdict_named(struct sv name)
{
	for (size_t i = 0; i < N_VERDICTS; i++)
		if (sv_eq(name, sv_cstr(verdicts[i].name)))
			return verdicts[i].verdict;
	return VERDICT_NONE;
}

static struct sv string_of(const struct value *v)
{
	return v != NULL && v->type == VALUE_STRING ? v->text : SV_NONE;
}

static struct sv text(const struct value *object, const char *key)
{
	return string_of(value_member(object, sv_cstr(key)));
}

static struct instant time_of(const struct value *object, const char *key)
{
	struct instant t;

	return instant_parse_iso(text(object, key), 0, &t) ? t : INSTANT_NONE;
}

static uint16_t port_of(const struct value *object)
{
	const struct value *port = value_member(object, SV("port"));

	if (port == NULL || port->type != VALUE_INT || port->integer < 0 || port->integer > 65535)
		return 0;
	return (uint16_t)port->integer;
}

/* The items of a list member; 0 when it is missing or no list. */
static size_t list(const struct value *object, const char *key, const struct value **items)
{
	const struct value *v = value_member(object, sv_cstr(key));

	if (v == NULL || v->type != VALUE_ARRAY)
		return 0;
	*items = v->array.items;
	return v->array.n;
}

/* The strings of a list member. */
static size_t strings(struct score *s, const struct value *object, const char *key,
		      const struct sv **out)
{
	const struct value *items = NULL;
	size_t n = list(object, key, &items);
	struct sv *texts = arena_alloc(&s->arena, (n + 1) * sizeof(*texts));

	for (size_t i = 0; i < n; i++)
		texts[i] = string_of(&items[i]);
	*out = texts;
	return n;
}

static bool is_among(struct sv text, const struct sv *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sv_eq(text, list[i]))
			return true;
	return false;
}

static int order(struct sv host_a, uint16_t port_a, struct sv app_a, const struct score_case *b)
{
	int c = sv_cmp(host_a, b->host);

	if (c == 0)
		c = (int)port_a - (int)b->port;
	return c != 0 ? c : sv_cmp(app_a, b->app);
}

static int by_key(const void *a, const void *b)
{
	const struct score_case *x = a;

	return order(x->host, x->port, x->app, b);
}

static bool read_case(struct score *s, const struct value *v, struct score_case *c,
		      struct error *err)
{
	const struct value *expect = value_member(v, SV("expect"));
	const struct value *items = NULL;
	struct sv label = text(v, "label");
	size_t n;

	*c = (struct score_case){ .app = text(v, "app"),
				  .host = text(v, "host"),
				  .scenario = text(v, "scenario"),
				  .port = port_of(v),
				  .pinned = sv_eq(label, SV("pinned")),
				  .explained_by = text(expect, "explained_by") };
	if (sv_empty(c->app) || sv_empty(c->host) || c->port == 0)
		return error_set(err, ERROR_FORMAT, 0, "a case needs app, host and port");
	if (!c->pinned && !sv_eq(label, SV("not_pinned")))
		return error_set(
		    err, ERROR_FORMAT, 0,
		    "case %.*s %.*s: expected label pinned or not_pinned, not \"%.*s\"",
		    SV_ARG(c->app), SV_ARG(c->host), SV_ARG(label));
	n = list(expect, "verdict", &items);
	for (size_t i = 0; i < n; i++)
		c->may |= (unsigned)verdict_named(string_of(&items[i]));
	c->positive = c->pinned && (c->may == 0 || (c->may & VERDICTS_RAISED) != 0);
	c->n_devices = strings(s, expect, "devices", &c->devices);
	return true;
}

static void read_devices(struct score *s, const struct value *root)
{
	const struct value *items = NULL;
	size_t n = list(root, "devices", &items);

	s->devices = arena_alloc(&s->arena, (n + 1) * sizeof(*s->devices));
	for (size_t i = 0; i < n; i++) {
		struct score_device *d = &s->devices[s->n_devices++];
		*d = (struct score_device){ .udid = text(&items[i], "udid"),
					    .label = text(&items[i], "label") };
		d->n_addresses = strings(s, &items[i], "addresses", &d->addresses);
	}
}

static bool read_spans(struct score *s, const struct value *root, struct error *err)
{
	const struct value *items = NULL;
	size_t n = list(root, "spans", &items);

	s->spans = arena_alloc(&s->arena, (n + 1) * sizeof(*s->spans));
	for (size_t i = 0; i < n; i++) {
		struct score_span *span = &s->spans[s->n_spans++];
		*span = (struct score_span){ text(&items[i], "label"), time_of(&items[i], "from"),
					     time_of(&items[i], "to"), false };
		if (!instant_known(span->from) || !instant_known(span->until))
			return error_set(err, ERROR_FORMAT, 0,
					 "gateway_faults: a span needs the times from and to");
	}
	return true;
}

bool score_truth(struct score *s, struct sv document, struct error *err)
{
	const struct value *items = NULL;
	struct value root;
	size_t n;

	if (!json_to_value(arena_sv(&s->arena, document), &s->arena, &root, err))
		return false;
	if (!sv_eq(text(&root, "schema"), SV("pinwatch.truth/1")))
		return error_set(err, ERROR_FORMAT, 0,
				 "no truth file: expected \"schema\": \"pinwatch.truth/1\"");
	n = list(&root, "cases", &items);
	s->cases = arena_alloc(&s->arena, (n + 1) * sizeof(*s->cases));
	for (size_t i = 0; i < n; i++)
		if (!read_case(s, &items[i], &s->cases[s->n_cases++], err))
			return false;
	qsort(s->cases, s->n_cases, sizeof(*s->cases), by_key);
	read_devices(s, &root);
	return read_spans(s, &root, err);
}

void score_free(struct score *s) { arena_free(&s->arena); }

/* The first case not before (host, port, app). */
static size_t lower_bound(const struct score *s, struct sv host, uint16_t port, struct sv app)
{
	size_t low = 0, high = s->n_cases;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (order(host, port, app, &s->cases[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_extra(struct score *s, struct score_extra extra)
{
	if (s->n_extras == s->_cap_extras) {
		size_t capacity = s->_cap_extras == 0 ? 64 : s->_cap_extras * 2;
		struct score_extra *grown = arena_alloc(&s->arena, capacity * sizeof(*grown));
		if (s->n_extras > 0)
			memcpy(grown, s->extras, s->n_extras * sizeof(*grown));
		s->extras = grown;
		s->_cap_extras = capacity;
	}
	s->extras[s->n_extras++] = extra;
}

static bool names_other_device(const struct score_case *c, const struct value *finding)
{
	const struct value *devices = NULL;
	size_t n = list(finding, "devices", &devices);

	for (size_t i = 0; i < n && c->n_devices > 0; i++) {
		if (!is_among(text(&devices[i], "id"), c->devices, c->n_devices))
			return true;
	}
	return false;
}

/* Raised beats quiet: the strongest thing said about a case is what a reader sees. */
static bool outranks(enum score_verdict a, enum score_verdict b)
{
	return b == VERDICT_NONE || (a != VERDICT_NONE && a < b);
}

static void take(struct score_case *c, const struct value *finding, enum score_verdict verdict,
		 bool by_host)
{
	/* What names the app says more than what does not. */
	if (c->verdict != VERDICT_NONE && by_host && !c->by_host)
		return;
	if (!outranks(verdict, c->verdict) && c->by_host == by_host)
		return;
	c->verdict = verdict;
	c->by_host = by_host;
	c->found_explained_by = text(finding, "explained_by");
	c->wrong_device = names_other_device(c, finding);
}

/* A raised finding without app is right when anything pins at that host, else it wrongs the
 * first. */
static bool take_by_host(struct score *s, const struct value *finding, enum score_verdict verdict,
			 struct sv host, uint16_t port)
{
	size_t from = lower_bound(s, host, port, SV_NONE), until = from;
	bool raised = (verdict & VERDICTS_RAISED) != 0, pins = false;

	for (; until < s->n_cases && sv_eq(s->cases[until].host, host) &&
	       s->cases[until].port == port;
	     until++)
		pins |= s->cases[until].positive;
	for (size_t i = from; i < until; i++)
		if (!raised || s->cases[i].positive || (!pins && i == from))
			take(&s->cases[i], finding, verdict, true);
	return until > from;
}

static bool take_device(struct score *s, struct sv id)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if ((sv_eq(s->devices[i].udid, id) ||
		     is_among(id, s->devices[i].addresses, s->devices[i].n_addresses)) &&
		    sv_eq(s->devices[i].label, SV("ca_untrusted"))) {
			s->devices[i].found = true;
			return true;
		}
	return false;
}

static bool take_span(struct score *s, struct sv label, struct instant from, struct instant until)
{
	for (size_t i = 0; i < s->n_spans; i++)
		if (sv_eq(s->spans[i].label, label) && from.ns < s->spans[i].until.ns &&
		    until.ns >= s->spans[i].from.ns) {
			s->spans[i].found = true;
			return true;
		}
	return false;
}

static void read_pinning(struct score *s, const struct value *finding, struct score_extra extra)
{
	const struct value *destination = value_member(finding, SV("destination"));
	enum score_verdict verdict = verdict_named(extra.verdict);
	uint16_t port = port_of(destination);
	size_t at;

	if ((verdict & VERDICTS_RAISED) == 0)
		s->quiet_ones = true;
	extra.app = text(value_member(finding, SV("app")), "bundle_id");
	extra.host = text(destination, "host");
	if (sv_empty(extra.app)) {
		if (take_by_host(s, finding, verdict, extra.host, port))
			return;
	} else {
		at = lower_bound(s, extra.host, port, extra.app);
		if (at < s->n_cases && order(extra.host, port, extra.app, &s->cases[at]) == 0) {
			take(&s->cases[at], finding, verdict, false);
			return;
		}
	}
	if (verdict & VERDICTS_RAISED)
		add_extra(s, extra);
}

bool score_finding(struct score *s, struct sv line, struct error *err)
{
	struct value finding;
	struct score_extra extra = { 0 };
	const struct value *devices = NULL;

	if (!json_to_value(arena_sv(&s->arena, line), &s->arena, &finding, err))
		return false;
	extra.kind = text(&finding, "kind");
	extra.verdict = text(&finding, "verdict");
	if (sv_empty(extra.kind) || sv_empty(extra.verdict))
		return error_set(err, ERROR_FORMAT, 0,
				 "no finding: expected kind and verdict, as `pinwatch scan "
				 "--output jsonl` writes them");
	s->findings++;
	extra.from = time_of(&finding, "first_seen");
	extra.until = time_of(&finding, "last_seen");
	if (list(&finding, "devices", &devices) > 0)
		extra.device = text(&devices[0], "id");
	if (sv_eq(extra.kind, SV("pinning")))
		read_pinning(s, &finding, extra);
	else if (sv_eq(extra.kind, SV("ca_untrusted"))
		     ? !take_device(s, extra.device)
		     : !take_span(s, extra.kind, extra.from, extra.until))
		add_extra(s, extra);
	return true;
}

static bool verdict_expected(const struct score *s, const struct score_case *c)
{
	if (c->wrong_device && (c->verdict & VERDICTS_RAISED) != 0)
		return false;
	if (c->may == 0)
		return ((c->verdict & VERDICTS_RAISED) != 0) == c->positive;
	if (c->verdict == VERDICT_NONE)
		/* Without --all a quiet finding and none look alike. */
		return (c->may & VERDICT_OBSERVED) != 0 ||
		       (!s->quiet_ones && (c->may & ~(unsigned)VERDICTS_RAISED) != 0);
	if ((c->may & (unsigned)c->verdict) == 0)
		return false;
	return sv_empty(c->explained_by) ||
	       (c->verdict & (VERDICT_EXPLAINED | VERDICT_EXPECTED)) == 0 ||
	       sv_eq(c->explained_by, c->found_explained_by);
}

static struct score_scenario *scenario_of(struct score *s, struct sv name)
{
	for (size_t i = 0; i < s->n_scenarios; i++)
		if (sv_eq(s->scenarios[i].name, name))
			return &s->scenarios[i];
	s->scenarios[s->n_scenarios].name = name;
	return &s->scenarios[s->n_scenarios++];
}

static int by_name(const void *a, const void *b)
{
	const struct score_scenario *x = a, *y = b;

	return sv_cmp(x->name, y->name);
}

void score_finish(struct score *s)
{
	s->scenarios = arena_alloc(&s->arena, (s->n_cases + 1) * sizeof(*s->scenarios));
	for (size_t i = 0; i < s->n_cases; i++) {
		struct score_case *c = &s->cases[i];
		struct score_scenario *scenario = scenario_of(s, c->scenario);
		bool raised = (c->verdict & VERDICTS_RAISED) != 0;

		c->outcome =
		    c->positive ? (raised ? SCORE_TP : SCORE_FN) : (raised ? SCORE_FP : SCORE_TN);
		c->as_expected = verdict_expected(s, c);
		scenario->cases++;
		scenario->outcomes[c->outcome]++;
		s->outcomes[c->outcome]++;
		scenario->as_expected += c->as_expected;
		s->as_expected += c->as_expected;
	}
	for (size_t i = 0; i < s->n_extras; i++)
		if (sv_eq(s->extras[i].kind, SV("pinning")))
			s->outcomes[SCORE_FP]++;
	qsort(s->scenarios, s->n_scenarios, sizeof(*s->scenarios), by_name);
}

static double share(size_t part, size_t whole)
{
	return whole == 0 ? 1.0 : (double)part / (double)whole;
}

double score_precision(const struct score *s)
{
	return share(s->outcomes[SCORE_TP], s->outcomes[SCORE_TP] + s->outcomes[SCORE_FP]);
}

double score_recall(const struct score *s)
{
	return share(s->outcomes[SCORE_TP], s->outcomes[SCORE_TP] + s->outcomes[SCORE_FN]);
}

double score_f1(const struct score *s)
{
	size_t twice = 2 * s->outcomes[SCORE_TP];

	return share(twice, twice + s->outcomes[SCORE_FP] + s->outcomes[SCORE_FN]);
}
