#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "base/safe.h"
#include "conf/conf.h"
#include "serve/admit.h"

/* The whole reference, and a description with the largest allow-lists that conf takes. */
#define TEXT_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define MAX_SETS 256

enum { CHECK_CONFIG = 1, CHECK_SET, CHECK_FORMATS, CHECK_REFERENCE, CHECK_MAN, CHECK_QUIET };

static const struct arg check_args[] = {
	{ CHECK_CONFIG, 'c', "config", "FILE", NULL,
	  "the configuration (may stand without the option)" },
	{ CHECK_SET, 0, "set", "PATH=VALUE", NULL, "override one option, as scan does" },
	{ CHECK_FORMATS, 0, "formats", "DIR", NULL,
	  "add or override formats by those of a folder, as serve does" },
	{ CHECK_REFERENCE, 0, "reference", NULL, NULL,
	  "print every option with type, unit, default and meaning" },
	{ CHECK_MAN, 0, "man", NULL, NULL, "the reference as manual page pinwatch.yaml(5)" },
	{ CHECK_QUIET, 'q', "quiet", NULL, NULL, "only check" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command check_config_command = {
	.name = "check-config",
	.summary = "load the configuration with the loader the daemon uses, and say what it means",
	.usage = "[OPTION]... [FILE]",
	.about = "Reads the configuration and the list files it names, and sees whether scan and\n"
		 "serve would take it; reports the first error with file and line (exit 2), else\n"
		 "prints the value of every option and where it was said. Without a file it shows\n"
		 "the defaults.",
	.examples = "  pinwatch check-config pinwatch.yaml\n"
		    "  pinwatch check-config pinwatch.yaml --set TimeWindow=5m\n"
		    "  pinwatch check-config --reference\n",
	.args = check_args,
	.operands = OPERANDS_FILES,
};

/* What the daemon makes of a source of packets. */
static void explain_wire(struct buf *b, const struct conf_source *s)
{
	if (s->kind != CONF_KIND_WIRE)
		return;
	buf_str(b, "\nsource ");
	text_safe(b, s->name, 0);
	if (sv_empty(s->interface)) {
		buf_str(b, ": capture files. Each is read once, when its writer has closed it or "
			   "it has not grown for\n"
			   "  30 s; renamed, copied or packed it is not read again.\n");
		return;
	}
	buf_str(b, ": the daemon captures from ");
	text_safe(b, s->interface, 0);
	buf_printf(b,
		   ", %s. It needs CAP_NET_RAW. What passes\n"
		   "  while it is not running is missed; how long that was is said, and counted as "
		   "an error.\n",
		   s->filter.n > 0 ? "only what the filter lets through"
				   : "all packets: a `filter:` spares work");
}

static bool admitted(const struct conf *c, const char *formats_dir, struct error *err)
{
	struct format_set *formats = format_set_builtin(err);
	bool ok = formats != NULL &&
		  (formats_dir == NULL || format_set_add_dir(formats, formats_dir, err)) &&
		  admit_conf(c, formats, err);

	format_set_free(formats);
	return ok;
}

static int describe(const char *file, const char *const *sets, size_t n_sets,
		    const char *formats_dir, bool quiet)
{
	struct conf conf;
	struct error err;
	struct buf b;
	bool ok = true;

	if (file != NULL)
		ok = conf_load(&conf, file, &err);
	else
		conf_defaults(&conf);
	for (size_t i = 0; ok && i < n_sets; i++)
		ok = conf_set(&conf, sets[i], &err);
	ok = ok && admitted(&conf, formats_dir, &err);
	if (ok && !quiet) {
		buf_init(&b, TEXT_MAX_BYTES);
		conf_describe(&b, &conf, report_now());
		for (size_t i = 0; i < conf.n_sources; i++)
			explain_wire(&b, &conf.sources[i]);
		report_buf(stdout, &b);
	}
	conf_free(&conf);
	if (!ok) { /* whatever kept it from loading, the configuration is what is wrong */
		report_error("check-config", &err);
		return EXIT_USAGE;
	}
	return report_finish("check-config", EXIT_DONE);
}

int cmd_check_config(int argc, char **argv)
{
	const char *sets[MAX_SETS];
	const char *file = NULL, *formats_dir = NULL, *value;
	bool reference = false, man = false, quiet = false;
	enum args_result r;
	struct args args;
	struct error err;
	size_t n_sets = 0;
	struct buf b;
	int id;

	args_begin(&args, &check_config_command, argc, argv);
	while ((r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_ERROR)
			return report_error("check-config", &err);
		if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&check_config_command);
			return report_finish("check-config", EXIT_DONE);
		}
		if (r == ARGS_OPERAND || id == CHECK_CONFIG) {
			if (file != NULL) {
				error_set(&err, ERROR_USAGE, 0,
					  "FILE is given twice: leave out %.200s or %.200s", file,
					  value);
				return report_error("check-config", &err);
			}
			file = value;
		} else if (id == CHECK_SET) {
			if (n_sets == MAX_SETS) {
				error_set(&err, ERROR_USAGE, 0, "more than %d --set", MAX_SETS);
				return report_error("check-config", &err);
			}
			sets[n_sets++] = value;
		} else if (id == CHECK_FORMATS) {
			formats_dir = value;
		} else if (id == CHECK_REFERENCE) {
			reference = true;
		} else if (id == CHECK_MAN) {
			man = true;
		} else {
			quiet = true;
		}
	}
	if (!reference && !man)
		return describe(file, sets, n_sets, formats_dir, quiet);
	buf_init(&b, TEXT_MAX_BYTES);
	if (man)
		conf_reference_man(&b);
	else
		conf_reference(&b);
	report_buf(stdout, &b);
	return report_finish("check-config", EXIT_DONE);
}
