/* Scenarios: what goes on in the fleet beyond ordinary traffic, each with its truth.
 *
 * Each scenario draws from a random stream of its own. Any of the three steps may be NULL.
 */
#ifndef PINWATCH_SIM_SCENARIO_H
#define PINWATCH_SIM_SCENARIO_H

#include "sim/fleet.h"

/* Whom a scenario took for itself. */
struct sim_cast {
	uint32_t device[2];
	uint16_t app;
	uint16_t pair;
};

struct sim_scenario {
	const char *name, *summary;
	/* Apps, hosts, pairs, devices. False when the fleet is too small for it. */
	bool (*install)(struct sim *s, struct rng *r, struct sim_cast *cast);
	/* Visits beyond the planned ones. */
	void (*play)(struct sim *s, struct rng *r, const struct sim_cast *cast);
	/* Changes to the sorted timeline. */
	void (*disturb)(struct sim *s, struct rng *r, const struct sim_cast *cast);
};

/* Families, each ended by a nameless entry. */
extern const struct sim_scenario sim_pinning_scenarios[];
extern const struct sim_scenario sim_rival_scenarios[];
extern const struct sim_scenario sim_device_scenarios[];
extern const struct sim_scenario sim_sensor_scenarios[];

/* Every scenario, or NULL past the last. */
const struct sim_scenario *sim_scenario_at(size_t i);

#endif
