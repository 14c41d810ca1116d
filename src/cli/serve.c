#include "serve/serve.h"

#include <stdlib.h>
#include <time.h>

#include "api/doors.h"
#include "base/fault.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"

#define MAX_SETS 256

enum { SERVE_CONFIG = 1, SERVE_SET, SERVE_FORMATS, SERVE_THREADS, SERVE_VERBOSE };

static const struct arg serve_args[] = {
	{ SERVE_CONFIG, 'c', "config", "FILE", NULL,
	  "the configuration (may stand without the option)" },
	{ SERVE_SET, 0, "set", "PATH=VALUE", NULL, "override one option, also after a reload" },
	{ SERVE_FORMATS, 0, "formats", "DIR", NULL,
	  "add or override formats by those of a folder" },
	{ SERVE_THREADS, 0, "threads", "N", NULL, "threads that judge; as many as processors" },
	{ SERVE_VERBOSE, 'v', "verbose", NULL, NULL, "say more on standard error" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command serve_command = {
	.name = "serve",
	.summary = "run as a daemon: follow logs, judge as they come, keep findings",
	.usage = "[OPTION]... -c FILE",
	.about =
	    "Reads the sources that the configuration names for as long as it runs, judges\n"
	    "what they say and keeps findings, revision by revision, in serve.state. Killed at\n"
	    "any point and started again it ends with the findings that it would have had.\n"
	    "SIGHUP loads the configuration again, as a whole or not at all; SIGTERM ends it.\n"
	    "\n"
	    "Exit code: 0 ended by SIGTERM or SIGINT; 2 usage or configuration error; 3 the\n"
	    "state cannot be read or written.",
	.examples = "  pinwatch serve -c /etc/pinwatch/pinwatch.yaml\n"
		    "  pinwatch serve -c pinwatch.yaml --set serve.state=state -v\n",
	.args = serve_args,
	.operands = OPERANDS_FILES,
};

static struct instant read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (struct instant){ (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec };
}

static struct instant monotonic(void *arg)
{
	(void)arg;
	return read_clock(CLOCK_MONOTONIC);
}

/* For tests of leaping clocks: a file that holds so many seconds to add. */
static struct instant wall(void *arg)
{
	const char *path = arg;
	struct instant t = read_clock(CLOCK_REALTIME);
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char ahead[32];

	if (f == NULL)
		return t;
	if (fgets(ahead, sizeof(ahead), f) != NULL)
		t.ns += strtoll(ahead, NULL, 10) * NS_PER_S;
	fclose(f);
	return t;
}

static bool take_option(struct serve_options *o, const char **sets, int id, const char *value,
			struct error *err)
{
	uint64_t n;

	switch (id) {
	case SERVE_CONFIG:
		if (o->config != NULL)
			return error_set(err, ERROR_USAGE, 0,
					 "FILE is given twice: leave out %.200s or %.200s",
					 o->config, value);
		o->config = value;
		return true;
	case SERVE_SET:
		if (o->n_sets == MAX_SETS)
			return error_set(err, ERROR_USAGE, 0, "more than %d --set", MAX_SETS);
		sets[o->n_sets++] = value;
		return true;
	case SERVE_FORMATS:
		o->formats_dir = value;
		return true;
	case SERVE_THREADS:
		if (!sv_to_u64(sv_cstr(value), &n) || n == 0 || n > 256)
			return error_set(err, ERROR_USAGE, 0,
					 "--threads %.40s: expected a number from 1 to 256", value);
		o->threads = (unsigned)n;
		return true;
	default:
		o->verbose = true;
		return true;
	}
}

int cmd_serve(int argc, char **argv)
{
	const char *sets[MAX_SETS];
	struct serve_options o = { .sets = sets,
				   .clock = { wall, monotonic, getenv("PINWATCH_CLOCK") },
				   .doors = &api_doors };
	struct args args;
	struct error err;
	enum args_result r;
	const char *value;
	int id;
	bool ok = true;

	args_begin(&args, &serve_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&serve_command);
			return report_finish("serve", EXIT_DONE);
		}
		ok = r != ARGS_ERROR &&
		     take_option(&o, sets, r == ARGS_OPERAND ? SERVE_CONFIG : id, value, &err);
	}
	if (ok && o.config == NULL)
		ok = error_set(&err, ERROR_USAGE, 0,
			       "a daemon needs a configuration: pinwatch serve -c pinwatch.yaml");
	if (!ok)
		return report_error("serve", &err);
	fault_setup(getenv("PINWATCH_FAULT"));
	if (!serve_run(&o, &err))
		return report_error("serve", &err);
	return EXIT_DONE;
}
