/* What a backtest is asked to try: a line each, `s` before what is set and anything else before
 * what is swept. As from elsewhere, so that no list's value is a file. */
#include "fuzz.h"

#include "backtest/grid.h"
#include "conf/conf.h"
#include "scan/settings.h"

static void check(const struct grid *g, const struct settings *in_force)
{
	struct arena a = { 0 };

	fuzz_require(g->n <= BACKTEST_MAX_SETTINGS);
	for (size_t i = 0; i < g->n; i++) {
		struct grid_setting s;

		grid_at(g, i, in_force, &a, &s);
		fuzz_require(s.label.n > 0 && s.value.n > 0);
		fuzz_require(s.settings.time_window.ns >= NS_PER_S &&
			     s.settings.inspection_failure_threshold > 0);
		for (size_t k = 0; k < s.settings.n_allowances; k++)
			fuzz_require(s.settings.allowances[k].text.n > 0);
	}
	fuzz_require(grid_swept(g, &a).n > 0 || grid_fixed(g, &a).n > 0 || g->n == 0);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = { (const char *)data, size };
	struct grid g = { .no_files = true };
	struct settings in_force;
	struct arena a = { 0 };
	struct conf conf;

	conf_defaults(&conf);
	settings_from_conf(&in_force, &conf, &a);
	while (rest.n > 0) {
		struct error err = { 0 };
		struct sv line = sv_cut(rest, '\n', &rest);
		bool set = line.n > 0 && line.p[0] == 's';
		struct sv assignment = sv_skip(line, 1);
		size_t before = g.n;

		if (set ? grid_set(&g, "set", assignment, &err)
			: grid_sweep(&g, "sweep", assignment, &err))
			fuzz_require(g.n >= 1 && g.n >= before);
		else
			fuzz_require(err.message[0] != '\0');
	}
	check(&g, &in_force);
	grid_free(&g);
	arena_free(&a);
	conf_free(&conf);
	return 0;
}
