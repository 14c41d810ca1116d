/* Trouble of a device, an address or the gateway rather than of an app. */
#include "sim/scenario.h"
#include "sim/talk.h"
#include "sim/timeline.h"

#define FINE (MAY_OBSERVE | MAY_EXPLAIN)

static bool inspected(const struct sim_conn *c) { return c->route == ROUTE_BUMP; }

/* Whatever the client would have accepted it now refuses. The origin's trouble stays. */
static void refuse(struct sim_conn *c, struct rng *r)
{
	static const enum sim_happening ways[] = { HAPPENED_REJECT, HAPPENED_REJECT,
						   HAPPENED_REJECT, HAPPENED_FIN, HAPPENED_LATE };

	if (inspected(c) && (c->happening == HAPPENED_OK || c->happening == HAPPENED_IDLE))
		c->happening = (uint8_t)ways[rng_below(r, 5)];
}

static bool claim_one(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	cast->device[0] = sim_claim_device(s, r);
	return cast->device[0] != SIM_NO_DEVICE;
}

/* Ordinary apps on the device, in their order. */
static size_t ordinary_apps(const struct sim *s, uint32_t device, uint16_t apps[SIM_MAX_APPS])
{
	size_t n = 0;

	for (uint16_t a = 0; a < s->n_apps; a++)
		if (sim_has_app(&s->devices[device], a) && s->apps[a].weight > 0)
			apps[n++] = a;
	return n;
}

static bool no_root(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	if (!claim_one(s, r, cast))
		return false;
	s->devices[cast->device[0]].root_from = INSTANT_NONE;
	s->devices[cast->device[0]].label = "ca_untrusted";
	return true;
}

/* Enrolled, but the profile with the root arrives only after a day and a half. */
static bool late_root(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	if (s->o->days < 3 || !claim_one(s, r, cast))
		return false;
	s->devices[cast->device[0]].root_from = sim_day(s, 1, 12, 0);
	s->devices[cast->device[0]].label = "ca_untrusted";
	return true;
}

static void refuse_without_root(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	const struct sim_device *d = &s->devices[cast->device[0]];

	for (size_t i = 0; i < s->n_conns; i++)
		if (s->conns[i].device == cast->device[0] &&
		    (!instant_known(d->root_from) || s->conns[i].start < d->root_from.ns))
			refuse(&s->conns[i], r);
}

static struct instant outage_from(const struct sim *s)
{
	return sim_day(s, s->o->days / 2, 12, 30);
}
#define OUTAGE (3 * NS_PER_MINUTE)

static bool outage(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	struct instant from = outage_from(s);

	(void)r;
	(void)cast;
	/* Fewer leave too few destinations in three minutes. */
	if (s->n_devices < 12)
		return false;
	s->spans[s->n_spans++] =
	    (struct sim_span){ "gateway_fault", from, instant_add(from, (struct span){ OUTAGE }) };
	return true;
}

static void outage_play(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	(void)cast;
	/* Lunch: many look at their phones, so that the outage is seen at all. */
	for (uint32_t d = 0; d < s->n_devices; d++) {
		struct sim_visit v = { .device = d, .length = { 60 * NS_PER_S } };
		uint16_t apps[SIM_MAX_APPS];
		size_t n = ordinary_apps(s, d, apps);

		if (n == 0 || (s->n_devices >= 24 && rng_chance(r, 250)))
			continue;
		/* Not by popularity: it takes many destinations to tell the gateway from one of
		 * them. */
		v.app = apps[rng_below(r, n)];
		v.start = sim_after(outage_from(s), rng_range(r, 2000, 90000));
		sim_play_visit(s, r, &v);
	}
}

static void outage_disturb(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	struct instant from = outage_from(s);

	(void)cast;
	for (size_t i = 0; i < s->n_conns; i++) {
		struct sim_conn *c = &s->conns[i];
		if (c->start < from.ns || c->start >= from.ns + OUTAGE || !inspected(c))
			continue;
		if (rng_chance(r, 250))
			c->happening = HAPPENED_BAD_ORIGIN;
		else
			refuse(c, r);
	}
}

/* An afternoon on the guest network, whose own gateway nobody trusts. */
static bool captive(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	struct sim_device *d;
	struct instant from, until;

	if (!claim_one(s, r, cast))
		return false;
	d = &s->devices[cast->device[0]];
	from = sim_day(s, s->o->days / 2, 15, 0);
	until = sim_day(s, s->o->days / 2, 15, 40);
	d->stays[1] =
	    (struct sim_stay){ from, until, UINT32_C(0x0a630000) | (10 + cast->device[0] % 200),
			       true };
	d->stays[2] = (struct sim_stay){ until, s->end, d->stays[0].ip, false };
	d->stays[0].until = from;
	d->n_stays = 3;
	return true;
}

static void captive_play(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	struct sim_visit v = { .device = cast->device[0], .length = { 60 * NS_PER_S } };

	uint16_t apps[SIM_MAX_APPS];
	size_t n = ordinary_apps(s, v.device, apps);

	v.start = sim_day(s, s->o->days / 2, 15, 5);
	for (size_t i = 0; i < n; i++) {
		v.app = apps[i];
		sim_play_visit(s, r, &v);
		v.start = sim_after(v.start, rng_range(r, 90000, 200000));
	}
}

static void captive_disturb(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	const struct sim_stay *guest = &s->devices[cast->device[0]].stays[1];

	for (size_t i = 0; i < s->n_conns; i++)
		if (s->conns[i].device == cast->device[0] && s->conns[i].start >= guest->from.ns &&
		    s->conns[i].start < guest->until.ns)
			refuse(&s->conns[i], r);
}

/* A pinning app on one phone whose address passes to another in the middle of the period. */
static bool lease_reuse(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	struct instant change = sim_day(s, s->o->days / 2, 13, 0);
	struct sim_device *a, *b;
	uint32_t ip;
	uint16_t app;

	if (!claim_one(s, r, cast))
		return false;
	cast->device[1] = sim_claim_device(s, r);
	if (cast->device[1] == SIM_NO_DEVICE)
		return false;
	a = &s->devices[cast->device[0]];
	b = &s->devices[cast->device[1]];
	/* Nothing but the lease tells the two apart. */
	a->edr = b->edr = EDR_NONE;
	a->leased = b->leased = LEASED_ZEEK_DHCP;
	memcpy(a->lease_mac, a->mac, sizeof(a->mac));
	memcpy(b->lease_mac, b->mac, sizeof(b->mac));
	ip = a->stays[0].ip;
	a->stays[0].until = change;
	a->stays[1] = (struct sim_stay){ change, s->end, ip | UINT32_C(0x8000), false };
	b->stays[1] = (struct sim_stay){ sim_after(change, 600000), s->end, ip, false };
	b->stays[0].until = b->stays[1].from;
	a->n_stays = b->n_stays = 2;

	app = sim_add_app(s, (struct sim_app){ .bundle = "com.acme.scanner",
					       .name = "AcmeScanner",
					       .version = "1.2",
					       .managed = true,
					       .visits = 3 });
	sim_install(s, app, cast->device[0]);
	sim_add_pair(s, "api.scanner.test",
		     (struct sim_pair){ .app = app,
					.talk = talk_pinned,
					.chance = 1000,
					.pinned = true,
					.verdicts = MAY_CONFIRM | MAY_SUSPECT,
					.scenario = "lease_reuse",
					.only_device = cast->device[0] });
	return true;
}

/* Two phones claim one address for some hours: RADIUS sessions overlap. */
static bool ambiguous(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	struct instant from = sim_day(s, s->o->days / 2, 9, 0);
	struct instant until = sim_day(s, s->o->days / 2, 17, 0);
	struct sim_device *p, *q;

	if (!claim_one(s, r, cast))
		return false;
	cast->device[1] = sim_claim_device(s, r);
	if (cast->device[1] == SIM_NO_DEVICE)
		return false;
	p = &s->devices[cast->device[0]];
	q = &s->devices[cast->device[1]];
	p->edr = q->edr = EDR_NONE;
	p->leased = q->leased = LEASED_RADIUS;
	memcpy(p->lease_mac, p->mac, sizeof(p->mac));
	memcpy(q->lease_mac, q->mac, sizeof(q->mac));
	q->stays[2] = (struct sim_stay){ until, s->end, q->stays[0].ip, false };
	q->stays[1] = (struct sim_stay){ from, until, p->stays[0].ip, false };
	q->stays[0].until = from;
	q->n_stays = 3;
	/* Far apart in the ephemeral range: no two connections share an address and a port. */
	q->next_port = (uint16_t)(p->next_port + 8192);

	cast->app = sim_add_app(s, (struct sim_app){ .bundle = "com.acme.locker",
						     .name = "AcmeLocker",
						     .version = "4.4",
						     .managed = true });
	sim_install(s, cast->app, cast->device[0]);
	cast->pair = sim_add_pair(s, "box.locker.test",
				  (struct sim_pair){ .app = cast->app,
						     .talk = talk_pinned,
						     .chance = 1000,
						     .pinned = true,
						     .verdicts = MAY_CONFIRM | MAY_SUSPECT,
						     .scenario = "ambiguous",
						     .only_device = SIM_NO_DEVICE });
	return true;
}

static void ambiguous_play(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	struct sim_visit v = { .device = cast->device[0], .length = { 40 * NS_PER_S } };
	uint16_t apps[SIM_MAX_APPS];
	size_t n = ordinary_apps(s, v.device, apps);

	for (unsigned hour = 10; hour < 16; hour++) {
		v.app = cast->app;
		v.start = sim_after(sim_day(s, s->o->days / 2, hour, 0), rng_range(r, 0, 2900000));
		sim_play_visit(s, r, &v);
		if (n == 0)
			continue;
		v.app = apps[rng_below(r, n)];
		v.start = sim_after(v.start, rng_range(r, 60000, 500000));
		sim_play_visit(s, r, &v);
	}
}

const struct sim_scenario sim_device_scenarios[] = {
	{ "no_root", "a phone that never got the inspection root", no_root, NULL,
	  refuse_without_root },
	{ "late_root", "a phone that got the inspection root on the second day", late_root, NULL,
	  refuse_without_root },
	{ "outage", "the gateway fails for three minutes", outage, outage_play, outage_disturb },
	{ "captive", "a phone on the guest network for an afternoon", captive, captive_play,
	  captive_disturb },
	{ "lease_reuse", "an address passes from a phone with a pinning app to another",
	  lease_reuse, NULL, NULL },
	{ "ambiguous", "two phones claim one address at one time", ambiguous, ambiguous_play,
	  NULL },
	{ 0 },
};
