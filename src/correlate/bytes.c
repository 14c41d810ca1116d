#include "correlate/bytes.h"

#include <stdlib.h>

#define WITHIN NS_PER_DAY
/* A client that rejects saves at least its Finished record (5 + 53 bytes) against a success. */
#define LESS_THAN_SUCCESS 60

/* How close a known success must be to be compared with. */
enum likeness { SAME_STACK, SAME_APP, SAME_DEVICE, LIKENESSES };

struct like_key {
	uint32_t destination, tls_version, value, likeness;
};

/* Smallest count within a window that only moves forward: a monotone queue per group. */
struct window_minimum {
	uint32_t next, head, tail; /* offsets in the group; head … tail − 1 of `queue` */
};

struct likes {
	struct keymap numbers;
	struct grouping groups;
	struct window_minimum *windows;
	uint32_t *queue;
};

static struct like_key key_of(const struct fact *x, const struct peers *p, enum likeness l)
{
	struct like_key key = { x->destination, p->tls_version, 0, (uint32_t)l };

	key.value = l == SAME_STACK ? fact_ja4_stack(x) : l == SAME_APP ? x->app : x->device;
	return key;
}

static int64_t bytes_of(const struct context *c, const struct fact *x)
{
	return attempt_bytes_out(&c->merge->attempts, x->attempt);
}

static bool comparable(const struct context *c, const struct fact *x, const bool *asked)
{
	return asked[x->destination] && x->outcome == ESTABLISHED && bytes_of(c, x) > 0;
}

static bool undecided(const struct context *c, const struct fact *x)
{
	return x->outcome == OUTCOME_UNKNOWN &&
	       (fact_said(c, x)->established == TRI_TRUE || x->inspection == INTERCEPTED) &&
	       bytes_of(c, x) >= 0;
}

/* Group g holds every known success under one key; each success stands in up to three groups. */
static void likes_build(struct likes *k, const struct facts *f, const struct context *c,
			const bool *asked)
{
	uint32_t *of = xmalloc(f->n * LIKENESSES * sizeof(*of));
	uint32_t n = 0;

	keymap_init(&k->numbers, sizeof(struct like_key), c->seed);
	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		const struct peers *p = fact_peers(c, x);
		bool can = comparable(c, x, asked);

		for (int l = 0; l < LIKENESSES; l++) {
			struct like_key key = key_of(x, p, (enum likeness)l);
			uint32_t *slot;

			of[i * LIKENESSES + (size_t)l] = GROUP_SKIP;
			if (!can || key.value == 0)
				continue;
			slot = keymap_slot(&k->numbers, &key);
			if (*slot == KEYMAP_NONE)
				*slot = n++;
			of[i * LIKENESSES + (size_t)l] = *slot;
		}
	}
	k->groups = group_items(of, f->n * LIKENESSES, n);
	k->windows = xcalloc(n, sizeof(*k->windows));
	k->queue = xmalloc(f->n * LIKENESSES * sizeof(*k->queue));
	free(of);
}

/* Smallest byte count of the key's successes within a day of t, or −1. Calls come with rising t. */
static int64_t smallest(struct likes *k, const struct facts *f, const struct context *c,
			const struct like_key *key, int64_t t)
{
	uint32_t number = key->value == 0 ? KEYMAP_NONE : keymap_get(&k->numbers, key);
	struct window_minimum *w;
	struct group g;
	uint32_t *queue;

#define FACT_AT(item) (&f->list[(item) / LIKENESSES])
#define BYTES_AT(item) bytes_of(c, FACT_AT(item))
	if (number == KEYMAP_NONE)
		return -1;
	w = &k->windows[number];
	g = grouping_at(&k->groups, number);
	queue = k->queue + k->groups.begin[number];
	for (; w->next < g.n && FACT_AT(g.items[w->next])->start <= t + WITHIN; w->next++) {
		while (w->tail > w->head &&
		       BYTES_AT(queue[w->tail - 1]) >= BYTES_AT(g.items[w->next]))
			w->tail--;
		queue[w->tail++] = g.items[w->next];
	}
	while (w->head < w->tail && FACT_AT(queue[w->head])->start < t - WITHIN)
		w->head++;
	return w->head < w->tail ? BYTES_AT(queue[w->head]) : -1;
#undef FACT_AT
#undef BYTES_AT
}

static enum outcome decide(const struct context *c, const struct fact *x, int64_t least)
{
	const struct said *s = fact_said(c, x);
	struct sv version = names_get(c->names, fact_peers(c, x)->tls_version);
	uint8_t closed_by = s->closed_by[0] != SIDE_UNKNOWN ? s->closed_by[0] : s->closed_by[1];

	if (bytes_of(c, x) > least - LESS_THAN_SUCCESS)
		return ESTABLISHED;
	if (s->duration != DURATION_SHORT || closed_by != SIDE_CLIENT)
		return OUTCOME_UNKNOWN;
	if (!sv_empty(version) && !sv_eq(version, SV("1.3")))
		return ESTABLISHED_NO_DATA;
	return CLIENT_REJECT;
}

/* The destinations about which there is anything to decide. */
static bool find_undecided(const struct facts *f, const struct context *c, bool *asked)
{
	bool any = false;

	for (size_t i = 0; i < f->n; i++)
		if (undecided(c, &f->list[i]))
			any = asked[f->list[i].destination] = true;
	return any;
}

static void decide_all(struct likes *k, struct facts *f, const struct context *c)
{
	uint8_t *decided = xcalloc(f->n, 1);

	for (size_t i = 0; i < f->n; i++) {
		const struct fact *x = &f->list[i];
		int64_t least = -1;

		if (!undecided(c, x))
			continue;
		for (int l = 0; l < LIKENESSES && least < 0; l++) {
			struct like_key key = key_of(x, fact_peers(c, x), (enum likeness)l);
			least = smallest(k, f, c, &key, x->start);
		}
		if (least >= 0)
			decided[i] = (uint8_t)decide(c, x, least);
	}
	/* Only now, so that an inferred success is never compared with. */
	for (size_t i = 0; i < f->n; i++)
		if (decided[i] != OUTCOME_UNKNOWN)
			f->list[i].outcome = decided[i];
	free(decided);
}

void infer_by_bytes(struct facts *f, const struct context *c)
{
	bool *asked = xcalloc(f->n_destinations, sizeof(*asked));
	struct likes k;

	if (find_undecided(f, c, asked)) {
		likes_build(&k, f, c, asked);
		decide_all(&k, f, c);
		keymap_free(&k.numbers);
		grouping_free(&k.groups);
		free(k.windows);
		free(k.queue);
	}
	free(asked);
}
