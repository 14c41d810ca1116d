#include "sim/naive.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW (10 * NS_PER_MINUTE)

void naive_take(struct naive *n, const struct observation *o)
{
	struct sv host;

	if (o->kind != OBS_TLS_ATTEMPT || o->sensor != SENSOR_INSPECTION ||
	    o->tls.outcome != CLIENT_REJECT)
		return;
	host = sv_empty(o->tls.sni) ? o->dst.hostname : o->tls.sni;
	if (sv_empty(host))
		return;
	if (n->n == n->_capacity) {
		n->_capacity = n->_capacity == 0 ? 1024 : n->_capacity * 2;
		n->alerts = xrealloc(n->alerts, n->_capacity, sizeof(*n->alerts));
	}
	n->alerts[n->n++] =
	    (struct naive_alert){ arena_sv(&n->arena, host), o->src.ip, o->time.ns, o->tls.count };
}

void naive_free(struct naive *n)
{
	free(n->alerts);
	arena_free(&n->arena);
}

static int by_host_client_time(const void *a, const void *b)
{
	const struct naive_alert *x = a, *y = b;
	int c = sv_cmp(x->host, y->host);

	if (c == 0)
		c = memcmp(&x->client, &y->client, sizeof(x->client));
	if (c != 0)
		return c;
	return x->time < y->time ? -1 : x->time > y->time;
}

/* The most refusals within a window that one client of the host reaches, up to NAIVE_MOST. Alerts
 * from *at on are those of the host; *at moves past them. */
static unsigned most_at(const struct naive *n, size_t *at)
{
	const struct naive_alert *a = n->alerts;
	struct sv host = a[*at].host;
	uint64_t sum = 0, most = 0;
	size_t from = *at, i = *at;

	for (; i < n->n && sv_eq(a[i].host, host); i++) {
		if (i > from && memcmp(&a[i].client, &a[i - 1].client, sizeof(a->client)) != 0) {
			from = i;
			sum = 0;
		}
		sum += a[i].count;
		for (; a[i].time - a[from].time > WINDOW; from++)
			sum -= a[from].count;
		most = sum > most ? sum : most;
	}
	*at = i;
	return most < NAIVE_MOST ? (unsigned)most : NAIVE_MOST;
}

static void count(struct tally *t, bool positive, bool raised)
{
	if (raised)
		*(positive ? &t->found : &t->false_alarms) += 1;
	else
		t->missed += positive;
}

/* A host's cases from *at on; *at moves past them. */
static void host_truth(const struct score *s, size_t *at, bool *positive, bool *listed,
		       bool *raised)
{
	struct sv host = s->cases[*at].host;

	*positive = *listed = *raised = false;
	for (; *at < s->n_cases && sv_eq(s->cases[*at].host, host); (*at)++) {
		const struct score_case *c = &s->cases[*at];
		*positive |= c->positive;
		*listed |= (c->may & VERDICT_EXPECTED) != 0;
		*raised |= (c->verdict & VERDICTS_RAISED) != 0;
	}
}

void naive_finish(struct naive *n, const struct score *truth)
{
	size_t at = 0, i = 0;

	if (n->n > 0)
		qsort(n->alerts, n->n, sizeof(*n->alerts), by_host_client_time);
	/* Both are in order of host. */
	while (at < truth->n_cases || i < n->n) {
		bool positive = false, listed = false, raised;
		unsigned most = 0;
		int c = at >= truth->n_cases ? 1
			: i >= n->n	     ? -1
					     : sv_cmp(truth->cases[at].host, n->alerts[i].host);

		if (c <= 0)
			host_truth(truth, &at, &positive, &listed, &raised);
		if (c >= 0)
			most = most_at(n, &i);
		for (unsigned threshold = 1; threshold <= NAIVE_MOST; threshold++) {
			count(&n->all[threshold], positive, most >= threshold);
			if (!listed)
				count(&n->unlisted[threshold], positive, most >= threshold);
		}
	}
}

struct tally score_by_host(const struct score *s, bool unlisted)
{
	struct tally t = { 0 };

	for (size_t at = 0; at < s->n_cases;) {
		bool positive, listed, raised;
		host_truth(s, &at, &positive, &listed, &raised);
		if (!unlisted || !listed)
			count(&t, positive, raised);
	}
	for (size_t i = 0; i < s->n_extras; i++)
		t.false_alarms += sv_eq(s->extras[i].kind, SV("pinning"));
	return t;
}

unsigned naive_best(const struct tally *by_threshold)
{
	unsigned best = 1;

	for (unsigned threshold = 2; threshold <= NAIVE_MOST; threshold++)
		if (tally_f1(&by_threshold[threshold]) > tally_f1(&by_threshold[best]))
			best = threshold;
	return best;
}

static double share(size_t part, size_t whole)
{
	return whole == 0 ? 1.0 : (double)part / (double)whole;
}

double tally_precision(const struct tally *t)
{
	return share(t->found, t->found + t->false_alarms);
}

double tally_recall(const struct tally *t) { return share(t->found, t->found + t->missed); }

double tally_f1(const struct tally *t)
{
	return share(2 * t->found, 2 * t->found + t->false_alarms + t->missed);
}
