#include "sim/scenario.h"

static const struct sim_scenario *const families[] = {
	sim_pinning_scenarios,
	sim_device_scenarios,
	sim_rival_scenarios,
	sim_sensor_scenarios,
};

const struct sim_scenario *sim_scenario_at(size_t i)
{
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (const struct sim_scenario *sc = families[f]; sc->name != NULL; sc++)
			if (i-- == 0)
				return sc;
	return NULL;
}

const char *sim_scenario_name(size_t i)
{
	const struct sim_scenario *sc = sim_scenario_at(i);

	return sc != NULL ? sc->name : NULL;
}

const char *sim_scenario_summary(size_t i)
{
	const struct sim_scenario *sc = sim_scenario_at(i);

	return sc != NULL ? sc->summary : NULL;
}
