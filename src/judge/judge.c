#include "judge/judge.h"

#include <stdlib.h>

#include "judge/apple.h"
#include "judge/footing.h"
#include "judge/memo.h"
#include "judge/uid.h"

#define CONFIRMED_SCORE 1000

static struct finding *new_finding(struct findings *out, enum finding_kind kind)
{
	if (out->n == out->_capacity) {
		out->_capacity = out->_capacity == 0 ? 64 : out->_capacity * 2;
		out->list = xrealloc(out->list, out->_capacity, sizeof(*out->list));
	}
	out->list[out->n] = (struct finding){ .kind = kind, .revision = 1 };
	return &out->list[out->n++];
}

/* Attempts in the window that no allow-list entry covers; all of them where every one is covered,
 * then *entry is the one that covers the newest. */
static void open_sitting(struct sitting *s, struct group g, const struct allowance **entry)
{
	const struct bench *b = s->bench;
	const struct facts *f = b->facts;
	size_t from = 0;

	*entry = NULL;
	s->window = arena_alloc(s->scratch, g.n * sizeof(*s->window));
	for (size_t i = 0; i < g.n; i++) {
		const struct fact *x = &f->list[g.items[i]];
		const struct allowance *e = allow_covering(b->allow, x);
		if (e == NULL)
			s->window[s->n_window++] = x;
		else
			*entry = e;
	}
	if (s->n_window > 0) {
		*entry = NULL;
	} else {
		for (size_t i = 0; i < g.n; i++)
			s->window[s->n_window++] = &f->list[g.items[i]];
	}
	s->newest = s->window[s->n_window - 1]->start;
	while (s->window[from]->start < s->newest - b->context->settings->score_window.ns)
		from++;
	s->window += from;
	s->n_window -= from;
	s->kept = arena_alloc(s->scratch, s->n_window * sizeof(*s->kept));
	for (size_t i = 0; i < s->n_window; i++)
		if (!fact_excluded(s->window[i]))
			s->kept[s->n_kept++] = s->window[i];
	s->first_seen = s->n_kept > 0 ? s->kept[0]->start : s->window[0]->start;
	s->last_seen = s->n_kept > 0 ? s->kept[s->n_kept - 1]->start : s->newest;
	s->baseline_learning = baseline_learning(b->baseline, s->first_seen);
	s->off_baseline = !s->baseline_learning &&
			  !baseline_holds(b->baseline, s->app, s->destination, s->first_seen);
	s->trusting = find_trust(s);
}

/* Failures that alone never go beyond suspected: an expired certificate is often the gateway's own
 * fault, and some logs write other things like a late refusal. */
static bool only_doubtful(const struct version_case *c)
{
	bool only_validity = true, only_weak = true;

	for (size_t i = 0; i < c->n_failures; i++) {
		only_validity &= c->failures[i]->outcome == CLIENT_REJECT_VALIDITY;
		only_weak &= c->failures[i]->weak_late;
	}
	return only_validity || only_weak;
}

/* The first rival that stands. A missing root and a gateway's fault explain only what they leave
 * nothing of. */
static bool explained(struct version_case *c)
{
	for (enum rival r = RIVAL_CA_UNTRUSTED; r <= RIVAL_INTERMITTENT; r++) {
		if (c->rivals[r].status != RIVAL_STANDS)
			continue;
		if ((r == RIVAL_CA_UNTRUSTED || r == RIVAL_GATEWAY_FAULT) && c->paths != 0)
			continue;
		c->explained_by = sv_cstr(rival_name(r));
		return true;
	}
	return false;
}

static void settle_verdict(struct version_case *c, const struct allowance *entry)
{
	if (c->rivals[RIVAL_APPLE_SERVICE].status == RIVAL_STANDS) {
		c->verdict = VERDICT_EXPECTED;
		c->explained_by = sv_cstr(rival_name(RIVAL_APPLE_SERVICE));
	} else if (explained(c)) {
		c->verdict = VERDICT_EXPLAINED;
	} else if (c->paths == 0) {
		c->verdict = VERDICT_OBSERVED;
	} else if ((c->paths & PATH_REJECTION) && c->score >= CONFIRMED_SCORE && c->controls != 0 &&
		   c->failed_trials >= 2 && !only_doubtful(c)) {
		c->verdict = VERDICT_CONFIRMED;
	} else {
		c->verdict = VERDICT_SUSPECTED;
	}
	c->without_lists = c->verdict;
	if (entry == NULL || c->verdict == VERDICT_EXPECTED)
		return;
	c->verdict = VERDICT_EXPECTED;
	c->explained_by = say(c->sitting->arena, "%s:%.*s",
			      entry->is_app_list ? "AllowedAppList" : "AllowedDestinationList",
			      SV_ARG(entry->text));
}

static void judge_version(struct version_case *c, const struct fact **facts, size_t n,
			  const struct allowance *entry)
{
	const struct sitting *s = c->sitting;

	trials_build(&c->trials, facts, n, s->bench->context->names, s->scratch);
	c->failures = arena_alloc(s->scratch, (n + 1) * sizeof(*c->failures));
	for (size_t i = 0; i < n; i++) {
		if (fact_failure(facts[i]))
			c->failures[c->n_failures++] = facts[i];
		c->any_success |= fact_success(facts[i]);
	}
	find_controls(c);
	find_paths(c);
	score_case(c);
	settle_paths(c);
	judge_rivals(c);
	settle_verdict(c, entry);
}

/* Negative when a is the one to report. Versions of equal standing: the newest attempt, then the
 * name. */
static int reported_first(const struct version_case *a, const struct version_case *b)
{
	struct names *names = a->sitting->bench->context->names;
	int64_t x, y;

	if (a->verdict != b->verdict)
		return (int)a->verdict - (int)b->verdict;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	x = a->trials.n > 0 ? a->trials.facts[a->trials.n - 1]->start : INT64_MIN;
	y = b->trials.n > 0 ? b->trials.facts[b->trials.n - 1]->start : INT64_MIN;
	if (x != y)
		return x > y ? -1 : 1;
	return -sv_cmp(names_get(names, a->version), names_get(names, b->version));
}

static int by_version(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Judges every version; returns the one to report. */
static struct version_case *judge_versions(const struct sitting *s, const struct allowance *entry)
{
	const struct fact **facts = arena_copy(s->scratch, s->kept, s->n_kept * sizeof(*facts));
	enum verdict without_lists = VERDICT_EXPECTED;
	struct version_case *best = NULL;
	size_t i = 0;

	qsort(facts, s->n_kept, sizeof(struct fact *), by_version);
	do {
		struct version_case *c = arena_alloc(s->scratch, sizeof(*c));
		size_t end = i;

		while (end < s->n_kept && facts[end]->version == facts[i]->version)
			end++;
		c->sitting = s;
		c->version = i < s->n_kept ? facts[i]->version : 0;
		judge_version(c, facts + i, end - i, entry);
		if (best == NULL || reported_first(c, best) < 0)
			best = c;
		if (c->without_lists < without_lists)
			without_lists = c->without_lists;
		i = end;
	} while (i < s->n_kept);
	best->without_lists = without_lists;
	return best;
}

static void sum_excluded(const struct fact **facts, size_t n, struct finding *out)
{
	for (size_t i = 0; i < n; i++) {
		if (facts[i]->excluded_ca)
			out->excluded_ca_untrusted =
			    count_add(out->excluded_ca_untrusted, facts[i]->count);
		else if (facts[i]->excluded_gateway)
			out->excluded_gateway_fault =
			    count_add(out->excluded_gateway_fault, facts[i]->count);
	}
}

/* For whoever asks what a network would cover. */
static void list_servers(const struct sitting *s, struct finding *out)
{
	const struct context *c = s->bench->context;
	struct addr *list = arena_alloc(s->arena, FINDING_MAX_SERVERS * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < s->n_window && !out->more_servers; i++) {
		const struct addr *a =
		    names_addr_get(c->names, fact_peers(c, s->window[i])->server);
		size_t at = 0;

		while (at < n && memcmp(&list[at], a, sizeof(*a)) < 0)
			at++;
		if (!addr_known(a) || (at < n && addr_eq(&list[at], a)))
			continue;
		if (n == FINDING_MAX_SERVERS) {
			out->more_servers = true;
			continue;
		}
		memmove(&list[at + 1], &list[at], (n++ - at) * sizeof(*list));
		list[at] = *a;
	}
	out->servers = list;
	out->n_servers = n;
}

static void fill(const struct version_case *c, struct finding *out)
{
	const struct sitting *s = c->sitting;
	const struct bench *b = s->bench;
	const struct destination *d = &b->facts->destinations[s->destination];
	struct names *names = b->context->names;

	out->verdict = c->verdict;
	out->without_lists = c->without_lists;
	out->explained_by = c->explained_by;
	out->bundle_id = names_get(names, s->app);
	out->app_version = names_get(names, c->version);
	out->host = names_get(names, d->host);
	out->port = (uint16_t)d->port;
	uid_pinning(out->uid, out->bundle_id, out->host, d->port);
	out->score_centidb = c->score;
	out->paths = c->paths;
	out->first_seen.ns = s->first_seen;
	out->last_seen.ns = s->last_seen;
	out->contributions =
	    arena_copy(s->arena, c->contributions, c->n_contributions * sizeof(*c->contributions));
	out->n_contributions = c->n_contributions;
	out->controls_met = c->controls;
	memcpy(out->rivals, c->rivals, sizeof(out->rivals));
	sum_excluded(s->window, s->n_window, out);
	judge_risk(c, out);
	list_devices(s, out);
	list_evidence(b, s->arena, s->scratch, s->window, s->n_window, s->app, out);
	write_notes(c, out);
	if (c->verdict == VERDICT_CONFIRMED || c->verdict == VERDICT_SUSPECTED)
		list_servers(s, out);
}

/* Where one worker judges. */
struct desk {
	struct arena arena, scratch;
	struct findings findings;
	uint32_t *seen; /* by device, for footing_hash */
};

static struct sitting sitting_on(const struct bench *b, const struct docket_entry *e,
				 struct arena *arena, struct arena *scratch)
{
	return (struct sitting){
		.bench = b,
		.arena = arena,
		.scratch = scratch,
		.app = b->facts->findings[e->finding].app,
		.destination = e->destination,
		.others = e->others,
	};
}

static bool is_shown(enum verdict v) { return v == VERDICT_CONFIRMED || v == VERDICT_SUSPECTED; }

static void judge_one(const struct bench *b, const struct docket_entry *e, bool all, struct desk *d)
{
	struct sitting s = sitting_on(b, e, &d->arena, &d->scratch);
	const struct allowance *entry;
	struct version_case *c;

	open_sitting(&s, grouping_at(&b->facts->by_finding, e->finding), &entry);
	c = judge_versions(&s, entry);
	if (all || is_shown(c->verdict))
		fill(c, new_finding(&d->findings, FINDING_PINNING));
}

/* Whether the finding is not what it was: of its attempts one has changed, or what else its
 * judgement reads. Keeps the new hash. */
static bool is_news(const struct sitting *s, const struct allowance *entry, struct memo_entry *m,
		    struct desk *d, uint32_t round)
{
	const struct bench *b = s->bench;
	bool news = m->since == 0;
	uint64_t inputs[2];

	footing_hash(b->footing, s, entry, d->seen, round, inputs);
	news |= memcmp(inputs, m->inputs, sizeof(inputs)) != 0;
	for (size_t i = 0; i < s->n_window && !news; i++)
		news = memo_changed(b->memo, s->window[i]->attempt);
	memcpy(m->inputs, inputs, sizeof(inputs));
	return news;
}

static void keep_servers(struct memo_entry *m, const struct finding *f)
{
	free(m->servers);
	m->servers = NULL;
	m->n_servers = (uint32_t)f->n_servers;
	m->more_servers = f->more_servers;
	if (f->n_servers == 0)
		return;
	m->servers = xmalloc(f->n_servers * sizeof(*m->servers));
	memcpy(m->servers, f->servers, f->n_servers * sizeof(*m->servers));
}

/* From the memo. Names come from where they are kept. */
static void outline(const struct bench *b, const struct memo_entry *m, struct finding *out)
{
	const struct destination *d = &b->facts->destinations[m->docket.destination];
	struct names *names = b->context->names;

	out->outline = true;
	out->verdict = m->verdict;
	out->without_lists = m->without_lists;
	memcpy(out->uid, m->uid, sizeof(out->uid));
	out->bundle_id = names_get(names, b->facts->findings[m->docket.finding].app);
	out->host = names_get(names, d->host);
	out->port = (uint16_t)d->port;
	out->first_seen.ns = m->first_seen;
	out->last_seen.ns = m->last_seen;
	out->servers = m->servers;
	out->n_servers = m->n_servers;
	out->more_servers = m->more_servers;
}

/* Judges only what stands on something new, and in full only what people are shown. */
static void judge_again(const struct bench *b, const struct docket_entry *e, uint32_t number,
			uint32_t round, struct desk *d)
{
	struct memo_entry *m = &b->memo->list[number];
	struct sitting s = sitting_on(b, e, &d->arena, &d->scratch);
	struct finding *f = new_finding(&d->findings, FINDING_PINNING);
	const struct allowance *entry;
	struct version_case *c;

	f->memo = number + 1;
	m->docket = *e;
	open_sitting(&s, grouping_at(&b->facts->by_finding, e->finding), &entry);
	if (is_news(&s, entry, m, d, round)) {
		c = judge_versions(&s, entry);
		m->since = b->memo->judgements;
		m->verdict = (uint8_t)c->verdict;
		m->without_lists = (uint8_t)c->without_lists;
		m->first_seen = s.first_seen;
		m->last_seen = s.last_seen;
		if (is_shown(c->verdict))
			fill(c, f);
		keep_servers(m, f);
		if (!is_shown(c->verdict))
			outline(b, m, f);
	} else {
		outline(b, m, f);
	}
	f->since = m->since;
}

void judge_fill(const struct bench *b, struct arena *arena, struct finding *f)
{
	struct arena scratch = { 0 };
	const struct docket_entry *e = &b->memo->list[f->memo - 1].docket;
	struct sitting s = sitting_on(b, e, arena, &scratch);
	struct finding full = {
		.kind = f->kind, .revision = 1, .since = f->since, .memo = f->memo
	};
	const struct allowance *entry;

	open_sitting(&s, grouping_at(&b->facts->by_finding, e->finding), &entry);
	fill(judge_versions(&s, entry), &full);
	*f = full;
	arena_free(&scratch);
}

/* Common to findings about a device or the gateway: things to repair. */
static void fill_repair(const struct bench *b, struct arena *arena, struct arena *scratch,
			const struct fact **facts, size_t n, int risk, struct finding *out)
{
	out->verdict = VERDICT_CONFIRMED;
	out->confidence = CONFIDENCE_MEDIUM;
	out->risk = risk;
	out->severity = severity_of_risk(risk);
	out->first_seen.ns = facts[0]->start;
	out->last_seen.ns = facts[n - 1]->start;
	sum_excluded(facts, n, out);
	list_failing_devices(b, arena, facts, n, out);
	list_evidence(b, arena, scratch, facts, n, 0, out);
}

static void judge_untrusting(const struct bench *b, const struct untrusting_device *u,
			     struct arena *arena, struct arena *scratch, struct findings *out)
{
	struct group g = grouping_at(&b->facts->by_device, u->device);
	const struct fact **facts = arena_alloc(scratch, g.n * sizeof(*facts));
	struct finding *f = new_finding(out, FINDING_CA_UNTRUSTED);
	size_t n = 0;

	for (size_t i = 0; i < g.n; i++)
		if (b->facts->list[g.items[i]].excluded_ca)
			facts[n++] = &b->facts->list[g.items[i]];
	fill_repair(b, arena, scratch, facts, n, 25, f);
	uid_device(f->uid, names_get(b->context->names, b->context->devices->list[u->device].name));
}

static void judge_fault(const struct bench *b, const struct fault_span *span, struct arena *arena,
			struct arena *scratch, struct findings *out)
{
	const struct facts *facts = b->facts;
	const struct fact **inside = NULL;
	struct finding *f;
	size_t n = 0, low = 0, high = facts->n;

	if (span->first > span->last)
		return;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (facts->list[mid].start < span->first)
			low = mid + 1;
		else
			high = mid;
	}
	for (high = low; high < facts->n && facts->list[high].start <= span->last;)
		high++;
	inside = arena_alloc(scratch, (high - low) * sizeof(*inside));
	for (size_t i = low; i < high; i++)
		if (facts->list[i].excluded_gateway)
			inside[n++] = &facts->list[i];
	f = new_finding(out, FINDING_GATEWAY_FAULT);
	fill_repair(b, arena, scratch, inside, n, 45, f);
	uid_fault(f->uid, f->first_seen);
}

static int by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	if ((c = sv_cmp(x->host, y->host)) != 0)
		return c;
	if (x->port != y->port)
		return (int)x->port - (int)y->port;
	if ((c = sv_cmp(x->bundle_id, y->bundle_id)) != 0)
		return c;
	if (x->kind == FINDING_CA_UNTRUSTED && x->n_devices > 0 && y->n_devices > 0 &&
	    (c = sv_cmp(x->devices[0].id, y->devices[0].id)) != 0)
		return c;
	return x->first_seen.ns < y->first_seen.ns ? -1 : x->first_seen.ns > y->first_seen.ns;
}

struct session {
	const struct bench *bench;
	const struct docket *docket;
	const uint32_t *memos; /* by place in the docket; NULL: there is no memo */
	struct desk *desks;
	bool all;
};

/* Findings of very different weight stand beside each other by number: a piece takes them from all
 * over. */
#define PIECES 256u

static void judge_piece(void *arg, size_t piece, unsigned worker)
{
	const struct session *s = arg;
	struct desk *d = &s->desks[worker];

	for (size_t i = piece; i < s->docket->n; i += PIECES) {
		if (s->memos != NULL)
			judge_again(s->bench, &s->docket->list[i], s->memos[i], (uint32_t)i + 1, d);
		else
			judge_one(s->bench, &s->docket->list[i], s->all, d);
		arena_reset(&d->scratch);
	}
}

/* A million of them are not copied where that can be helped. */
static void take_findings(struct findings *out, struct findings *from)
{
	if (out->n == 0) {
		free(out->list);
		*out = *from;
		return;
	}
	if (from->n > 0) {
		out->_capacity = out->n + from->n;
		out->list = xrealloc(out->list, out->_capacity, sizeof(*out->list));
		memcpy(out->list + out->n, from->list, from->n * sizeof(*from->list));
		out->n += from->n;
	}
	free(from->list);
}

static void judge_pinning(const struct bench *b, bool all, struct arena *arena,
			  struct findings *out)
{
	unsigned threads = pool_threads(b->pool);
	struct docket docket;
	struct session s = { b, &docket, NULL, xcalloc(threads, sizeof(struct desk)), all };
	uint32_t *memos = NULL;

	docket_build(&docket, b->facts, b->context, b->allow, all);
	if (b->memo != NULL)
		s.memos = memos = memo_find(b->memo, &docket, b->facts, b->context->names);
	for (unsigned i = 0; i < threads && memos != NULL; i++)
		s.desks[i].seen = xcalloc(b->context->devices->n, sizeof(*s.desks[i].seen));
	pool_each(b->pool, PIECES, judge_piece, &s);
	for (unsigned i = 0; i < threads; i++) {
		take_findings(out, &s.desks[i].findings);
		arena_free(&s.desks[i].scratch);
		free(s.desks[i].seen);
		arena_adopt(arena, &s.desks[i].arena);
	}
	free(s.desks);
	free(memos);
	docket_free(&docket);
}

void judge_all(const struct bench *b, bool all, struct arena *arena, struct findings *out)
{
	struct arena scratch = { 0 };

	*out = (struct findings){ 0 };
	judge_pinning(b, all, arena, out);
	for (size_t i = 0; i < b->exclusion->n_devices; i++) {
		judge_untrusting(b, &b->exclusion->devices[i], arena, &scratch, out);
		arena_reset(&scratch);
	}
	for (size_t i = 0; i < b->exclusion->n_spans; i++) {
		judge_fault(b, &b->exclusion->spans[i], arena, &scratch, out);
		arena_reset(&scratch);
	}
	arena_free(&scratch);
	if (out->n > 0)
		qsort(out->list, out->n, sizeof(*out->list), by_place);
}
