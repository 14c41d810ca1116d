#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "sim/sim.h"

enum {
	SIM_SEED = 1,
	SIM_DEVICES,
	SIM_DAYS,
	SIM_OUT,
	SIM_PROFILE,
	SIM_SCENARIO,
	SIM_CONNECTIONS,
	SIM_START,
	SIM_ZEEK,
	SIM_TIMES,
	SIM_NOISE,
	SIM_DISORDER,
	SIM_GARBAGE,
	SIM_QUIET
};

static const struct arg sim_args[] = {
	{ SIM_OUT, 'o', "out", "DIR", NULL, "folder to write to, made when missing" },
	{ SIM_SEED, 's', "seed", "N", NULL, "the fleet's number: same number, same bytes; 1" },
	{ SIM_DEVICES, 'd', "devices", "N", NULL, "phones; 40" },
	{ SIM_DAYS, 'D', "days", "N", NULL, "days simulated; 5" },
	{ SIM_CONNECTIONS, 'n', "connections", "N", NULL,
	  "about how many background connections in all; an ordinary day's traffic" },
	{ SIM_START, 0, "start", "TIME", NULL, "first midnight, ISO 8601; 2026-11-16T00:00:00Z" },
	{ SIM_PROFILE, 'p', "profile", "NAME", "squid-zeek mitmproxy canonical",
	  "which logs: of products, or canonical observations; squid-zeek" },
	{ SIM_ZEEK, 0, "zeek", "FORM", "json tsv", "form of the flow sensor's logs; json" },
	{ SIM_TIMES, 0, "mitmproxy", "VERSION", "9 8",
	  "whose log the profile of that name writes: 8 has no times; 9" },
	{ SIM_NOISE, 0, "noise", "LEVEL", "0 1 2 3",
	  "bad networks, missing agents and records, wrong clocks, few attempts; 0" },
	{ SIM_SCENARIO, 0, "scenario", "NAME,...", NULL,
	  "only these scenarios beside the baseline; `list` lists them" },
	{ SIM_DISORDER, 0, "disorder", NULL, NULL, "records up to 25 s out of order" },
	{ SIM_GARBAGE, 0, "garbage", NULL, NULL, "damaged lines among the good ones" },
	{ SIM_QUIET, 'q', "quiet", NULL, NULL, "do not say what was written" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command sim_command = {
	.name = "sim",
	.summary = "the fleet simulator",
	.usage = "--out DIR [OPTION]...",
	.about = "Writes the logs of a simulated fleet behind an inspecting gateway, the "
		 "configuration to analyse\n"
		 "them with (pinwatch.yaml) and what a perfect analysis would find (truth.json).",
	.examples = "  pinwatch sim --out fleet\n"
		    "  pinwatch scan -c fleet/pinwatch.yaml --all --output jsonl | pinwatch score "
		    "fleet/truth.json -\n"
		    "  pinwatch sim --seed 7 --devices 500 --connections 500000 --out big\n",
	.args = sim_args,
	.operands = OPERANDS_NONE,
};

static bool number(const char *name, const char *text, uint64_t most, uint64_t *out,
		   struct error *err)
{
	if (sv_to_u64(sv_cstr(text), out) && *out <= most)
		return true;
	return error_set(err, ERROR_USAGE, 0, "--%s takes a number up to %llu, not %.40s", name,
			 (unsigned long long)most, text);
}

static bool scenarios(struct sim_options *o, const char *text, struct error *err)
{
	struct sv rest = sv_cstr(text);

	while (rest.n > 0) {
		struct sv name = sv_cut(rest, ',', &rest);
		if (sv_eq(name, SV("disorder")))
			o->disorder = true;
		else if (sv_eq(name, SV("garbage")))
			o->garbage = true;
		else if (o->n_scenarios == SIM_MAX_SCENARIOS)
			return error_set(err, ERROR_USAGE, 0, "--scenario: at most %d names",
					 SIM_MAX_SCENARIOS);
		else
			o->scenarios[o->n_scenarios++] = name;
	}
	/* Only disorder or garbage asked for: nothing but the baseline goes on. */
	if (o->n_scenarios == 0)
		o->scenarios[o->n_scenarios++] = SV("baseline");
	return true;
}

static int list_scenarios(void)
{
	for (size_t i = 0; sim_scenario_name(i) != NULL; i++)
		printf("%-20s %s\n", sim_scenario_name(i), sim_scenario_summary(i));
	printf("%-20s %s\n", "disorder", "records up to 25 s out of order; only when named");
	printf("%-20s %s\n", "garbage", "damaged lines among the good ones; only when named");
	return report_finish("sim", EXIT_DONE);
}

static bool take_option(struct sim_options *o, int id, const char *value, bool *quiet,
			struct error *err)
{
	uint64_t n = 0;

	switch (id) {
	case SIM_OUT:
		o->out = value;
		return true;
	case SIM_SEED:
		return number("seed", value, UINT64_MAX, &o->seed, err);
	case SIM_DEVICES:
		if (!number("devices", value, SIM_MAX_DEVICES, &n, err))
			return false;
		o->devices = (uint32_t)n;
		return true;
	case SIM_DAYS:
		if (!number("days", value, SIM_MAX_DAYS, &n, err))
			return false;
		o->days = (uint32_t)n;
		return true;
	case SIM_CONNECTIONS:
		return number("connections", value, SIM_MAX_CONNECTIONS, &o->connections, err);
	case SIM_START:
		if (instant_parse_iso(sv_cstr(value), 0, &o->start))
			return true;
		return error_set(err, ERROR_USAGE, 0,
				 "--start takes a time like 2026-11-16T00:00:00Z, not %.40s",
				 value);
	case SIM_PROFILE:
		o->profile = strcmp(value, "canonical") == 0   ? SIM_CANONICAL
			     : strcmp(value, "mitmproxy") == 0 ? SIM_MITMPROXY
							       : SIM_SQUID_ZEEK;
		return true;
	case SIM_TIMES:
		o->timeless = strcmp(value, "8") == 0;
		return true;
	case SIM_NOISE:
		o->noise = (unsigned)(*value - '0');
		return true;
	case SIM_ZEEK:
		o->zeek_tsv = strcmp(value, "tsv") == 0;
		return true;
	case SIM_SCENARIO:
		return scenarios(o, value, err);
	case SIM_DISORDER:
		o->disorder = true;
		return true;
	case SIM_GARBAGE:
		o->garbage = true;
		return true;
	default:
		*quiet = true;
		return true;
	}
}

static void say(const struct sim_options *o, const struct sim_report *r)
{
	for (size_t i = 0; i < r->n_files; i++)
		fprintf(stderr, "%10llu  %s/%s\n", (unsigned long long)r->files[i].lines, o->out,
			r->files[i].name);
	for (size_t i = 0; i < r->n_skipped; i++)
		fprintf(stderr,
			"scenario %s left out: the fleet is too small or too short for it\n",
			r->skipped[i]);
	fprintf(stderr, "%llu connections of %u phones in %u days, seed %llu\n",
		(unsigned long long)r->connections, o->devices, o->days,
		(unsigned long long)o->seed);
}

int cmd_sim(int argc, char **argv)
{
	struct sim_options o = { .seed = 1, .devices = 40, .days = 5, .start = INSTANT_NONE };
	struct sim_report report;
	enum args_result got;
	struct error err;
	struct args a;
	const char *value;
	bool quiet = false;
	int id;

	args_begin(&a, &sim_command, argc, argv);
	while ((got = args_next(&a, &id, &value, &err)) != ARGS_END) {
		if (got == ARGS_OPERAND) {
			error_set(&err, ERROR_USAGE, 0,
				  "%.80s: takes no operand; the folder goes to --out", value);
			got = ARGS_ERROR;
		}
		if (got == ARGS_ERROR)
			return report_error("sim", &err);
		if (id == ARG_HELP) {
			args_help(&sim_command);
			return report_finish("sim", EXIT_DONE);
		}
		if (id == SIM_SCENARIO && strcmp(value, "list") == 0)
			return list_scenarios();
		if (!take_option(&o, id, value, &quiet, &err))
			return report_error("sim", &err);
	}
	if (o.out == NULL) {
		error_set(&err, ERROR_USAGE, 0, "--out DIR is missing: where should the fleet go?");
		return report_error("sim", &err);
	}
	if (!sim_run(&o, &report, &err))
		return report_error("sim", &err);
	if (!quiet)
		say(&o, &report);
	return EXIT_DONE;
}
