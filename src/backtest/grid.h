/* The settings to try: values of the analytic's five mutable elements, laid over those in force.
 *
 * `--set ELEMENT=VALUE` fixes an element for every setting tried; `--sweep ELEMENT=VALUES` tries
 * one after another, several sweeps every combination. VALUES are a list (`2,3,5`) or, of a count
 * or a duration, a range with an optional step (`2..8`, `5m..30m/5m`; without one a step is 1, or
 * one of the unit that the range begins with). A value is what the configuration takes, read by the
 * same option table; of the lists a file, or `[FILE, {app: …}]`.
 *
 * All five are read while judging only, so that one past serves every setting (past.h).
 */
#ifndef PINWATCH_BACKTEST_GRID_H
#define PINWATCH_BACKTEST_GRID_H

#include "base/arena.h"
#include "base/error.h"
#include "conf/conf.h"
#include "model/backtest.h"
#include "model/settings.h"

enum element {
	ELEMENT_TIME_WINDOW,
	ELEMENT_THRESHOLD,
	ELEMENT_FOREGROUND,
	ELEMENT_APPS,
	ELEMENT_DESTINATIONS,
	ELEMENTS
};

struct grid_value;

struct grid_axis {
	struct grid_value *values;
	size_t n;
	bool swept; /* else fixed, with one value */
};

struct grid {
	struct grid_axis axes[ELEMENTS];
	enum element order[ELEMENTS]; /* those with values, as they were given */
	size_t n_order;
	size_t n; /* settings to try, so far */
	/* set first: lists are entries `[{app: …}]`, for whoever asks from elsewhere reads no file
	 * here */
	bool no_files;
	struct arena _arena;
};

/* One of them. */
struct grid_setting {
	struct settings settings;
	struct sv label, value; /* as struct backtest_setting has them */
};

/* A zeroed grid is an empty one. */
void grid_free(struct grid *g);
/* "ELEMENT=VALUE" and "ELEMENT=VALUES". Errors begin with the option, "--set". ERROR_USAGE or
 * ERROR_CONFIG. */
bool grid_set(struct grid *g, const char *option, struct sv assignment, struct error *err);
bool grid_sweep(struct grid *g, const char *option, struct sv assignment, struct error *err);
/* The i-th setting, i < n: those in force with its values. It borrows from both and from the
 * grid. */
void grid_at(const struct grid *g, size_t i, const struct settings *in_force, struct arena *a,
	     struct grid_setting *out);
/* The elements that are swept, and what is fixed, as struct backtest has them. */
struct sv grid_swept(const struct grid *g, struct arena *a);
struct sv grid_fixed(const struct grid *g, struct arena *a);

#endif
