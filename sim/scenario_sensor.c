/* What sensors do wrong: see twice, write late, have a wrong clock. */
#include "sim/scenario.h"
#include "sim/talk.h"
#include "sim/timeline.h"

#define FINE (MAY_OBSERVE | MAY_EXPLAIN)

static uint16_t quiet_app(struct sim *s, const char *bundle, const char *name, const char *host,
			  const char *scenario, struct sim_cast *cast)
{
	cast->app = sim_add_app(
	    s,
	    (struct sim_app){
		.bundle = bundle, .name = name, .version = "2.0", .managed = true, .visits = 2 });
	cast->pair = sim_add_pair(s, host,
				  (struct sim_pair){ .app = cast->app,
						     .talk = talk_ok,
						     .chance = 1000,
						     .verdicts = FINE,
						     .scenario = scenario,
						     .only_device = SIM_NO_DEVICE });
	sim_install(s, cast->app, cast->device[0]);
	return cast->pair;
}

/* Two failures in one moment are under the threshold of three; counted once a sensor they are
 * not. */
static bool duplicate(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	cast->device[0] = sim_claim_device(s, r);
	if (cast->device[0] == SIM_NO_DEVICE)
		return false;
	for (uint32_t d = 0; d < s->n_devices; d += 4)
		s->devices[d].second_sensor = true;
	s->devices[cast->device[0]].second_sensor = true;
	quiet_app(s, "com.acme.timesheet", "AcmeTimesheet", "hours.timesheet.test", "duplicate",
		  cast);
	return true;
}

static void duplicate_play(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	struct sim_visit v = { .device = cast->device[0],
			       .app = cast->app,
			       .start = sim_day(s, s->o->days / 2, 6, 10),
			       .length = { 30 * NS_PER_S } };

	(void)r;
	sim_connect(s, &v, cast->pair, sim_after(v.start, 400), HAPPENED_REJECT, ROUTE_BUMP);
	sim_connect(s, &v, cast->pair, sim_after(v.start, 2900), HAPPENED_REJECT, ROUTE_BUMP);
}

/* A few lines reach their file minutes after their turn. */
static void late_lines(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	(void)cast;
	for (size_t i = 0; i < s->n_conns; i++)
		if (rng_chance(r, 2))
			s->conns[i].flags |= CONN_LATE_LINE;
}

/* The proxy's clock jumps ahead by days for three lines; believed, they would convict an app. */
static bool future(struct sim *s, struct rng *r, struct sim_cast *cast)
{
	cast->device[0] = sim_claim_device(s, r);
	if (cast->device[0] == SIM_NO_DEVICE)
		return false;
	quiet_app(s, "com.acme.clock", "AcmeClock", "time.clock.test", "future", cast);
	s->apps[cast->app].visits = 0;
	return true;
}

static void future_play(struct sim *s, struct rng *r, const struct sim_cast *cast)
{
	struct sim_visit v = { .device = cast->device[0],
			       .app = cast->app,
			       .start = sim_day(s, s->o->days - 1, 8, 0) };

	for (int i = 0; i < 3; i++) {
		struct sim_conn *c =
		    sim_connect(s, &v, cast->pair, v.start, HAPPENED_REJECT, ROUTE_BUMP);
		if (c != NULL)
			c->flags |= CONN_FUTURE | CONN_PROXY_ONLY;
		v.start = sim_after(v.start, rng_range(r, 1000, 5000));
	}
}

const struct sim_scenario sim_sensor_scenarios[] = {
	{ "duplicate", "a second flow sensor sees the same connections", duplicate, duplicate_play,
	  NULL },
	{ "late", "some records are written minutes late", NULL, NULL, late_lines },
	{ "future", "some records are dated days ahead", future, future_play, NULL },
	{ 0 },
};
