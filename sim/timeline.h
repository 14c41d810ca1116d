/* The timeline: visits become app events and TLS connections. */
#ifndef PINWATCH_SIM_TIMELINE_H
#define PINWATCH_SIM_TIMELINE_H

#include "sim/fleet.h"

/* Plans and plays the whole period's visits to ordinary and scenario apps. */
void sim_plan_visits(struct sim *s);
/* Plays one visit: lifecycle events, then every host of the app that is due. */
void sim_play_visit(struct sim *s, struct rng *r, const struct sim_visit *v);

/* Adds a connection that starts at `at`, over the app's own TLS stack. Good until the next one is
 * added. Connections outside the simulated period are dropped: then NULL. */
struct sim_conn *sim_connect(struct sim *s, const struct sim_visit *v, uint16_t pair,
			     struct instant at, enum sim_happening happening, enum sim_route route);

/* Sorts by start. */
void sim_sort_timeline(struct sim *s);
/* Ports, sizes, durations, closes: after every disturbance. */
void sim_finish_timeline(struct sim *s);

static inline struct instant sim_after(struct instant t, int64_t ms)
{
	return (struct instant){ t.ns + ms * NS_PER_MS };
}

#endif
