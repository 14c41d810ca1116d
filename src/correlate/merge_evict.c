/* Forgetting attempts as if their records had never come. */
#include <stdlib.h>

#include "correlate/merge.h"
#include "correlate/merge_internal.h"

struct eviction {
	struct merge *merge;
	bool *keep; /* by number */
	uint32_t *renumbered, *older;
	const uint32_t *_map; /* one of the two */
};

/* One attempt of a chain: when its first record, and all of them, started. */
struct link {
	uint32_t number;
	int64_t first, from, to;
};

static bool may_go(const struct attempts *t, uint32_t number, uint32_t source, int64_t before)
{
	struct ref_cursor c = attempt_refs(t, number);
	struct attempt_ref ref;

	while (ref_next(&c, &ref))
		if (ref.time >= before || (source != MERGE_ALL_SOURCES && ref.ref.source != source))
			return false;
	return true;
}

static struct link link_of(const struct attempts *t, uint32_t number)
{
	struct ref_cursor c = attempt_refs(t, number);
	struct link l = { number, INT64_MIN, INT64_MAX, INT64_MIN };
	struct attempt_ref ref;

	while (ref_next(&c, &ref)) {
		if (l.first == INT64_MIN)
			l.first = ref.time;
		if (ref.time < l.from)
			l.from = ref.time;
		if (ref.time > l.to)
			l.to = ref.time;
	}
	return l;
}

static int by_first(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* A record of what stays may only have passed over, or stopped at, what began within JOIN_WITHIN of
 * it. True when one more has to stay. */
static bool sweep(struct link *links, size_t n, bool *keep)
{
	int64_t to = INT64_MIN, from = INT64_MAX;
	bool more = false;

	for (size_t i = 0; i < n; i++) {
		bool *k = &keep[links[i].number];
		if (!*k && to != INT64_MIN && links[i].first - JOIN_WITHIN <= to)
			*k = more = true;
		if (*k && links[i].to > to)
			to = links[i].to;
	}
	for (size_t i = n; i-- > 0;) {
		bool *k = &keep[links[i].number];
		if (!*k && from != INT64_MAX && from - JOIN_WITHIN <= links[i].first)
			*k = more = true;
		if (*k && links[i].from < from)
			from = links[i].from;
	}
	return more;
}

/* Keeps of one chain what what stays may have met. Marks all its attempts as seen. */
static void close_chain(struct eviction *e, uint32_t newest, bool *seen)
{
	const struct attempts *t = &e->merge->attempts;
	size_t n = 0, kept = 0;
	struct link *links;

	for (uint32_t i = newest; i != 0; i = t->records[i].previous, n++) {
		seen[i] = true;
		kept += e->keep[i];
	}
	if (kept == 0 || kept == n)
		return;
	links = xmalloc(n * sizeof(*links));
	n = 0;
	for (uint32_t i = newest; i != 0; i = t->records[i].previous)
		links[n++] = link_of(t, i);
	qsort(links, n, sizeof(*links), by_first);
	while (sweep(links, n, e->keep))
		;
	free(links);
}

static bool ever_waited(const struct attempts *t, uint32_t number)
{
	const struct said *s = attempt_said(t, number);

	return s->wait[0] != WAIT_NONE || s->wait[1] != WAIT_NONE;
}

/* Records without a client port look for the newest attempt of their client that waits for an inner
 * request: what waited stays as long as anything of its client does. Returns whether that made more
 * clients ones that stay. */
static bool keep_waiting(struct eviction *e, bool *stays)
{
	const struct attempts *t = &e->merge->attempts;
	bool more = false;

	for (uint32_t i = 1; i < t->n; i++)
		if (e->keep[i])
			stays[attempt_peers(t, i)->client] = true;
	for (uint32_t i = 1; i < t->n; i++)
		if (!e->keep[i] && ever_waited(t, i) && stays[attempt_peers(t, i)->client])
			e->keep[i] = more = true;
	return more;
}

static void close_chains(struct eviction *e)
{
	uint32_t n = e->merge->attempts.n;
	bool *seen = xcalloc(n, sizeof(*seen));

	/* The newest of a chain has its greatest number. */
	for (uint32_t i = n; i-- > 1;)
		if (!seen[i])
			close_chain(e, i, seen);
	free(seen);
}

static uint32_t map(void *arg, uint32_t number)
{
	const struct eviction *e = arg;

	return e->_map[number];
}

/* Keymaps of attempts without a client port; where the key begins with the attempt's number, that
 * too. */
static void renumber(struct keymap *m, const struct eviction *e, bool key_begins_with_it)
{
	struct keymap old = *m;
	const void *key;
	uint32_t value;
	size_t at = 0;

	keymap_init(m, old._key_size, old._seed);
	while (keymap_next(&old, &at, &key, &value)) {
		struct sum_key sum;
		if (key_begins_with_it) {
			memcpy(&sum, key, sizeof(sum));
			sum.attempt = e->renumbered[sum.attempt];
			if (sum.attempt != 0)
				*keymap_slot(m, &sum) = value;
		} else if (e->renumbered[value] != 0) {
			*keymap_slot(m, key) = e->renumbered[value];
		}
	}
	keymap_free(&old);
}

static void forget(struct eviction *e)
{
	struct merge *m = e->merge;

	attempts_keep(&m->attempts, e->keep, e->renumbered, e->older);
	e->_map = e->older;
	joins_renumber(&m->_by_conn, map, e);
	e->_map = e->renumbered;
	joins_renumber(&m->_by_flow, map, e);
	renumber(&m->_portless, e, false);
	renumber(&m->_portless_pending, e, false);
	renumber(&m->_portless_sums, e, true);
}

uint64_t merge_evict(struct merge *m, uint32_t source, int64_t before)
{
	uint32_t n = m->attempts.n;
	struct eviction e = { .merge = m, .keep = xcalloc(n, sizeof(bool)) };
	bool *stays = xcalloc(names_addrs(m->names), sizeof(*stays));
	uint64_t gone = 0;

	attempts_note(&m->attempts);
	for (uint32_t i = 1; i < n; i++)
		e.keep[i] = !may_go(&m->attempts, i, source, before);
	do
		close_chains(&e);
	while (keep_waiting(&e, stays));
	free(stays);
	for (uint32_t i = 1; i < n; i++)
		gone += !e.keep[i];
	if (gone > 0) {
		e.renumbered = xcalloc(n, sizeof(*e.renumbered));
		e.older = xcalloc(n, sizeof(*e.older));
		forget(&e);
		free(e.renumbered);
		free(e.older);
	}
	free(e.keep);
	return gone;
}

size_t merge_footprint(const struct merge *m, uint32_t source)
{
	const struct attempts *t = &m->attempts;
	size_t all = attempts_footprint(t) + joins_footprint(&m->_by_conn) +
		     joins_footprint(&m->_by_flow) + keymap_footprint(&m->_portless) +
		     keymap_footprint(&m->_portless_sums) + keymap_footprint(&m->_portless_pending);
	size_t of_source = 0;

	if (source == MERGE_ALL_SOURCES)
		return all;
	for (uint32_t i = 1; i < t->n; i++) {
		struct ref_cursor c = attempt_refs(t, i);
		struct attempt_ref first;
		of_source += ref_next(&c, &first) && first.ref.source == source;
	}
	return t->n <= 1 ? 0 : (size_t)((double)all * (double)of_source / (double)(t->n - 1));
}
