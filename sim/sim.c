#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sim/noise.h"
#include "sim/render.h"
#include "sim/scenario.h"
#include "sim/timeline.h"

static bool check(const struct sim_options *o, struct error *err)
{
	if (o->devices < 1 || o->devices > SIM_MAX_DEVICES)
		return error_set(err, ERROR_USAGE, 0, "--devices: expected 1 to %d, not %u",
				 SIM_MAX_DEVICES, o->devices);
	if (o->days < 1 || o->days > SIM_MAX_DAYS)
		return error_set(err, ERROR_USAGE, 0, "--days: expected 1 to %d, not %u",
				 SIM_MAX_DAYS, o->days);
	if ((uint64_t)o->devices * o->days > SIM_MAX_DEVICE_DAYS)
		return error_set(err, ERROR_USAGE, 0, "--devices × --days: at most %d, not %llu",
				 SIM_MAX_DEVICE_DAYS, (unsigned long long)o->devices * o->days);
	if (o->connections > SIM_MAX_CONNECTIONS)
		return error_set(err, ERROR_USAGE, 0, "--connections: at most %d",
				 SIM_MAX_CONNECTIONS);
	if (o->noise > SIM_MAX_NOISE)
		return error_set(err, ERROR_USAGE, 0, "--noise: expected 0 to %d, not %u",
				 SIM_MAX_NOISE, o->noise);
	for (size_t i = 0; i < o->n_scenarios; i++) {
		size_t k = 0;
		while (sim_scenario_name(k) != NULL &&
		       !sv_eq(o->scenarios[i], sv_cstr(sim_scenario_name(k))))
			k++;
		if (sim_scenario_name(k) == NULL && !sv_eq(o->scenarios[i], SV("baseline")))
			return error_set(
			    err, ERROR_USAGE, 0,
			    "--scenario: %.*s is not known; `--scenario list` shows them",
			    SV_ARG(o->scenarios[i]));
	}
	return true;
}

static bool wanted(const struct sim_options *o, const char *name)
{
	for (size_t i = 0; i < o->n_scenarios; i++)
		if (sv_eq(o->scenarios[i], sv_cstr(name)))
			return true;
	return o->n_scenarios == 0;
}

static bool make_folder(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0755) == 0)
		return true;
	if (errno != EEXIST)
		return error_set(err, ERROR_IO, 0, "--out %s: the folder cannot be made: %s", path,
				 strerror(errno));
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return error_set(err, ERROR_IO, 0,
				 "--out %s: expected a folder, there is something else", path);
	return true;
}

static bool render(struct sim *s, struct error *err)
{
	if (s->o->profile == SIM_CANONICAL) {
		if (!sim_render_canonical(s, err))
			return false;
	} else if (!(s->o->profile == SIM_MITMPROXY ? sim_render_mitmproxy(s, err)
						    : sim_render_squid(s, err)) ||
		   !sim_render_zeek(s, err) || !sim_render_leases(s, err) ||
		   !sim_render_mdm(s, err)) {
		return false;
	}
	return sim_render_edr(s, err) && sim_render_config(s, err) && sim_render_truth(s, err);
}

/* Builds the world and lets it live. */
static void run(struct sim *s)
{
	struct sim_cast casts[SIM_MAX_SCENARIOS] = { 0 };
	bool plays[SIM_MAX_SCENARIOS] = { false };
	const struct sim_scenario *sc;

	sim_build_devices(s);
	sim_noise_devices(s);
	sim_build_ordinary_apps(s);
	for (size_t i = 0; i < SIM_MAX_SCENARIOS && (sc = sim_scenario_at(i)) != NULL; i++) {
		struct rng r = rng_stream(s->o->seed, sc->name, 0);
		if (!wanted(s->o, sc->name))
			continue;
		plays[i] = sc->install == NULL || sc->install(s, &r, &casts[i]);
		if (!plays[i])
			s->report->skipped[s->report->n_skipped++] = sc->name;
	}
	sim_noise_pairs(s);
	sim_spread_apps(s);
	sim_plan_visits(s);
	for (size_t i = 0; i < SIM_MAX_SCENARIOS && (sc = sim_scenario_at(i)) != NULL; i++) {
		struct rng r = rng_stream(s->o->seed, sc->name, 1);
		if (plays[i] && sc->play != NULL)
			sc->play(s, &r, &casts[i]);
	}
	sim_sort_timeline(s);
	for (size_t i = 0; i < SIM_MAX_SCENARIOS && (sc = sim_scenario_at(i)) != NULL; i++) {
		struct rng r = rng_stream(s->o->seed, sc->name, 2);
		if (plays[i] && sc->disturb != NULL)
			sc->disturb(s, &r, &casts[i]);
	}
	sim_noise_timeline(s);
	sim_finish_timeline(s);
}

bool sim_run(const struct sim_options *o, struct sim_report *report, struct error *err)
{
	struct sim *s;
	bool ok;

	*report = (struct sim_report){ 0 };
	*err = (struct error){ 0 };
	if (!check(o, err) || !make_folder(o->out, err))
		return false;
	s = xcalloc(1, sizeof(*s));
	s->o = o;
	s->report = report;
	s->start =
	    instant_known(o->start) ? o->start : instant_from_civil(2026, 11, 16, 0, 0, 0, 0);
	s->end.ns = s->start.ns + (int64_t)o->days * NS_PER_DAY;
	run(s);
	report->connections = s->n_conns;
	ok = render(s, err);
	free(s->conns);
	free(s->events);
	arena_free(&s->arena);
	free(s);
	return ok;
}
