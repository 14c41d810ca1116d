#include "sim/talk.h"

#include "sim/timeline.h"

/* A phone's user leaves before the answer now and then. */
#define GONE_PER_MILLE 3

static int64_t ms(struct rng *r, int64_t low, int64_t high) { return rng_range(r, low, high); }

/* The same failure three times over, as apps retry: at once, and after a few seconds. */
static void thrice(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		   struct instant at, enum sim_happening a, enum sim_happening b)
{
	sim_connect(s, v, pair, at, a, ROUTE_BUMP);
	at = sim_after(at, ms(r, 900, 2800));
	sim_connect(s, v, pair, at, rng_chance(r, 500) ? a : b, ROUTE_BUMP);
	at = sim_after(at, ms(r, 3000, 9000));
	sim_connect(s, v, pair, at, a, ROUTE_BUMP);
}

void talk_ok(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
	     struct instant at)
{
	uint64_t n = 1 + rng_below(r, 3);

	for (uint64_t i = 0; i < n; i++) {
		bool gone = rng_chance(r, GONE_PER_MILLE);
		sim_connect(s, v, pair, at, gone ? HAPPENED_GONE : HAPPENED_OK, ROUTE_BUMP);
		at = sim_after(at, ms(r, 150, 9000));
	}
}

void talk_busy(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
	       struct instant at)
{
	talk_ok(s, r, v, pair, at);
	sim_connect(s, v, pair, sim_after(at, ms(r, 20, 400)), HAPPENED_IDLE, ROUTE_BUMP);
	if (rng_chance(r, 300))
		sim_connect(s, v, pair, sim_after(at, ms(r, 500, 4000)), HAPPENED_IDLE, ROUTE_BUMP);
}

void talk_pinned(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		 struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_REJECT, HAPPENED_REJECT);
}

void talk_pinned_late(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		      struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_LATE, HAPPENED_LATE);
}

void talk_pinned_silent(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
			struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_FIN, HAPPENED_RST);
}

void talk_pinned_bundled(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
			 struct instant at)
{
	sim_connect(s, v, pair, at, HAPPENED_OK, ROUTE_BUMP);
	at = sim_after(at, ms(r, 300, 2000));
	for (int i = 0; i < 3; i++) {
		struct sim_conn *c = sim_connect(s, v, pair, at, HAPPENED_REJECT, ROUTE_BUMP);
		if (c != NULL)
			c->stack = STACK_BUNDLED;
		at = sim_after(at, ms(r, 1000, 4500));
	}
}

void talk_pinned_updated(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
			 struct instant at)
{
	if (sim_updated(s, v->app, v->device, at))
		talk_pinned(s, r, v, pair, at);
	else
		talk_ok(s, r, v, pair, at);
}

void talk_bypass(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		 struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_REJECT, HAPPENED_REJECT);
	at = sim_after(at, ms(r, 15000, 25000));
	sim_connect(s, v, pair, at, HAPPENED_OK, ROUTE_QUIC);
	sim_connect(s, v, pair, sim_after(at, ms(r, 100, 900)), HAPPENED_OK, ROUTE_DIRECT);
}

void talk_direct(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		 struct instant at)
{
	sim_connect(s, v, pair, at, HAPPENED_OK, ROUTE_DIRECT);
	if (rng_chance(r, 400))
		sim_connect(s, v, pair, sim_after(at, ms(r, 2000, 20000)), HAPPENED_OK,
			    ROUTE_DIRECT);
}

void talk_half_direct(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		      struct instant at)
{
	sim_connect(s, v, pair, at, HAPPENED_OK, ROUTE_BUMP);
	at = sim_after(at, ms(r, 200, 8000));
	sim_connect(s, v, pair, at, HAPPENED_OK, rng_chance(r, 500) ? ROUTE_QUIC : ROUTE_DIRECT);
}

void talk_flaky(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		struct instant at)
{
	static const enum sim_happening bad[] = { HAPPENED_FIN, HAPPENED_LATE, HAPPENED_RST,
						  HAPPENED_REJECT };

	if (rng_chance(r, 180)) {
		sim_connect(s, v, pair, at, bad[rng_below(r, 4)], ROUTE_BUMP);
		at = sim_after(at, ms(r, 1500, 6000));
		if (rng_chance(r, 400)) {
			sim_connect(s, v, pair, at, bad[rng_below(r, 4)], ROUTE_BUMP);
			return;
		}
	}
	talk_ok(s, r, v, pair, at);
}

void talk_expired(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		  struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_EXPIRED, HAPPENED_EXPIRED);
}

void talk_mismatch(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		   struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_MISMATCH, HAPPENED_MISMATCH);
}

void talk_bad_origin(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		     struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_BAD_ORIGIN, HAPPENED_BAD_ORIGIN);
}

void talk_mtls_alert(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		     struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_MTLS_ALERT, HAPPENED_MTLS_ALERT);
}

void talk_mtls_late(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		    struct instant at)
{
	thrice(s, r, v, pair, at, HAPPENED_MTLS_LATE, HAPPENED_MTLS_LATE);
}

void talk_spliced(struct sim *s, struct rng *r, const struct sim_visit *v, uint16_t pair,
		  struct instant at)
{
	(void)r;
	sim_connect(s, v, pair, at, HAPPENED_OK, ROUTE_SPLICE);
}
