#include "sim/noise.h"

#include <stdlib.h>

#include "sim/talk.h"
#include "sim/timeline.h"

/* Per mille where not said otherwise. */
static const struct level {
	unsigned agents; /* of the phones that have one, those that keep it */
	unsigned private_addresses;
	unsigned missed;	      /* connections that the flow sensor does not see */
	int proxy_ahead, agent_ahead; /* ms */
	unsigned bad_hours;	      /* phones that have a bad network for a while, a day */
	unsigned stray;		      /* connections that fail on a good one */
	unsigned spare;		      /* successes with an unused socket beside */
	unsigned unseen_bursts;	      /* bursts of a pinning app that never happen */
	unsigned single; /* of the others, those that are one attempt instead of three */
} levels[SIM_MAX_NOISE + 1] = {
	{ .agents = 1000 },
	{ 500, 150, 20, 500, -300, 300, 5, 100, 200, 300 },
	{ 333, 300, 100, 1200, -700, 600, 15, 250, 400, 500 },
	{ 150, 500, 300, 2000, -1500, 900, 30, 400, 600, 700 },
};

#define BAD_NETWORK_FAILS 450 /* per mille of the connections meanwhile */
#define BURST (60 * NS_PER_S)

void sim_noise_devices(struct sim *s)
{
	const struct level *l = &levels[s->o->noise];

	s->proxy_ahead = l->proxy_ahead * NS_PER_MS;
	s->agent_ahead = l->agent_ahead * NS_PER_MS;
	for (uint32_t i = 0; i < s->n_devices && s->o->noise > 0; i++) {
		struct sim_device *d = &s->devices[i];
		struct rng r = rng_stream(s->o->seed, "noise-device", i);

		if (!rng_chance(&r, l->agents))
			d->edr = EDR_NONE;
		if (rng_chance(&r, l->private_addresses))
			memcpy(d->lease_mac, "4e", 2); /* locally administered */
	}
}

/* An app that reaches what others pin, and is fine there. */
void sim_noise_pairs(struct sim *s)
{
	static const struct {
		const char *bundle, *host;
	} shared[] = {
		{ "com.lumen.news", "api.bank.test" },
		{ "com.acme.mail", "api.solace.test" },
		{ "com.harbor.travel", "pay.wallet.test" },
		{ "com.ember.music", "graph.plaza.test" },
		{ "com.acme.chat", "gw.vault.acme.test" },
	};

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]) && s->o->noise > 0; i++) {
		uint16_t app = 0;
		size_t host = 0;

		while (app < s->n_apps && strcmp(s->apps[app].bundle, shared[i].bundle) != 0)
			app++;
		while (host < s->n_hosts && strcmp(s->hosts[host].name, shared[i].host) != 0)
			host++;
		/* Only where the pinning app's scenario plays. */
		if (app < s->n_apps && host < s->n_hosts)
			sim_add_pair(s, shared[i].host,
				     (struct sim_pair){ .app = app,
							.talk = talk_ok,
							.chance = 200,
							.verdicts = MAY_OBSERVE | MAY_EXPLAIN,
							.scenario = "shared_host",
							.only_device = SIM_NO_DEVICE });
	}
}

/* The time within day `day` when the phone's network is bad; false when it is not. */
static bool bad_network(const struct sim *s, const struct level *l, uint32_t device, int64_t day,
			int64_t *from, int64_t *until)
{
	struct rng r =
	    rng_stream(s->o->seed, "noise-network", (uint64_t)device << 32 | (uint64_t)day);

	if (!rng_chance(&r, l->bad_hours))
		return false;
	*from = day * NS_PER_DAY + rng_range(&r, 6 * 60, 22 * 60) * NS_PER_MINUTE;
	*until = *from + rng_range(&r, 15, 60) * NS_PER_MINUTE;
	return true;
}

static enum sim_happening cut_off(struct rng *r)
{
	uint64_t roll = rng_below(r, 100);

	return roll < 35   ? HAPPENED_GONE
	       : roll < 60 ? HAPPENED_FIN
	       : roll < 75 ? HAPPENED_RST
	       : roll < 97 ? HAPPENED_LATE
			   : HAPPENED_REJECT;
}

static void fail_some(struct sim *s, const struct level *l)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		struct sim_conn *c = &s->conns[i];
		struct rng r = rng_stream(s->o->seed, "noise-failure", i);
		unsigned share = l->stray;
		int64_t from, until;

		if (c->route != ROUTE_BUMP || c->happening != HAPPENED_OK)
			continue;
		if (bad_network(s, l, c->device, c->start / NS_PER_DAY, &from, &until) &&
		    c->start >= from && c->start < until)
			share = BAD_NETWORK_FAILS;
		if (rng_chance(&r, share))
			c->happening = (uint8_t)cut_off(&r);
	}
}

/* Attempts of a burst share their fate: which burst this is, by what pins and where. */
static uint64_t burst_of(const struct sim_conn *c, int64_t *last)
{
	if (c->start - *last > BURST)
		*last = c->start;
	return rng_mix((uint64_t)*last ^ (uint64_t)c->device << 20 ^ c->pair);
}

static bool refused(const struct sim *s, const struct sim_conn *c)
{
	return s->pairs[c->pair].pinned && c->route == ROUTE_BUMP && c->happening != HAPPENED_OK;
}

static void thin_out(struct sim *s, const struct level *l)
{
	size_t cells = s->n_devices * s->n_pairs, kept = 0;
	int64_t *last = xcalloc(cells, sizeof(*last));

	for (size_t i = 0; i < s->n_conns; i++) {
		const struct sim_conn *c = &s->conns[i];
		int64_t *cell = &last[(size_t)c->device * s->n_pairs + c->pair];
		int64_t before = *cell;
		uint64_t burst;
		bool first;

		if (refused(s, c)) {
			burst = burst_of(c, cell);
			first = *cell != before;
			if (burst % 1000 < l->unseen_bursts ||
			    (!first && rng_mix(burst) % 1000 < l->single))
				continue;
		}
		s->conns[kept++] = *c;
	}
	s->n_conns = kept;
	free(last);
}

static void add_spare(struct sim *s, const struct level *l)
{
	size_t n = s->n_conns;

	for (size_t i = 0; i < n; i++) {
		const struct sim_conn c = s->conns[i];
		struct rng r = rng_stream(s->o->seed, "noise-spare", i);
		struct sim_visit v = { .device = c.device,
				       .app = s->pairs[c.pair].app,
				       .background = (c.flags & CONN_BACKGROUND) != 0,
				       .locked = (c.flags & CONN_LOCKED) != 0 };
		struct sim_conn *spare;

		if (c.route != ROUTE_BUMP || c.happening != HAPPENED_OK ||
		    !rng_chance(&r, l->spare))
			continue;
		spare = sim_connect(s, &v, c.pair,
				    sim_after((struct instant){ c.start }, rng_range(&r, 1, 400)),
				    HAPPENED_IDLE, ROUTE_BUMP);
		if (spare != NULL)
			spare->stack = c.stack;
	}
}

static void miss_some(struct sim *s, const struct level *l)
{
	struct rng r = rng_stream(s->o->seed, "noise-missed", 0);

	for (size_t i = 0; i < s->n_conns; i++)
		if (rng_chance(&r, l->missed))
			s->conns[i].flags |= CONN_NO_FLOW;
}

void sim_noise_timeline(struct sim *s)
{
	const struct level *l = &levels[s->o->noise];

	if (s->o->noise == 0)
		return;
	thin_out(s, l);
	fail_some(s, l);
	add_spare(s, l);
	sim_sort_timeline(s);
	miss_some(s, l);
}
