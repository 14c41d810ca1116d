/* What a scan reads and under which settings, as the command line says it: shared by scan, explain
 * and analytic.
 *
 * Options are taken as they come and applied by inputs_load: the configuration file, then the list
 * files, then every --set, so that the order on the command line matters only for options about the
 * next path. An inputs owns its configuration, formats and scan inputs until inputs_free.
 */
#ifndef PINWATCH_CLI_INPUTS_H
#define PINWATCH_CLI_INPUTS_H

#include "base/arena.h"
#include "base/error.h"
#include "cli/args.h"
#include "conf/conf.h"
#include "scan/scan.h"
#include "model/settings.h"
#include "parse/parser.h"

enum input_arg {
	INPUT_CONFIG = 1,
	INPUT_SET,
	INPUT_FORMATS,
	INPUT_ALLOW_APPS,
	INPUT_ALLOW_DESTINATIONS,
	INPUT_INSPECTION,
	INPUT_FLOW,
	INPUT_EDR,
	INPUT_MDM,
	INPUT_LEASE,
	INPUT_FORMAT,
	INPUT_THREADS,
	INPUT_ARGS /* the command's own ids start here */
};

/* clang-format off */
#define INPUT_ARG_TABLE \
	{ INPUT_CONFIG, 'c', "config", "FILE", NULL, \
	  "configuration; without paths its sources are read" }, \
	{ INPUT_SET, 0, "set", "PATH=VALUE", NULL, "override one option: --set TimeWindow=5m" }, \
	INPUT_ARG_PATHS
/* Those about paths and lists, for commands that read the configuration in their own way. */
#define INPUT_ARG_PATHS \
	{ INPUT_INSPECTION, 0, "inspection", NULL, NULL, \
	  "the next path is a gateway's or proxy's log" }, \
	{ INPUT_FLOW, 0, "flow", NULL, NULL, "the next path is a network sensor's" }, \
	{ INPUT_EDR, 0, "edr", NULL, NULL, "the next path is a device agent's" }, \
	{ INPUT_MDM, 0, "mdm", NULL, NULL, "the next path is the device management's" }, \
	{ INPUT_LEASE, 0, "lease", NULL, NULL, "the next path is DHCP, RADIUS or the like" }, \
	{ INPUT_FORMAT, 0, "format", "NAME", NULL, "format of the next path (pinwatch formats)" }, \
	{ INPUT_FORMATS, 0, "formats", "DIR", NULL, \
	  "add or override formats by those of a folder" }, \
	{ INPUT_ALLOW_APPS, 0, "allow-apps", "FILE", NULL, \
	  "AllowedAppList, instead of the configured" }, \
	{ INPUT_ALLOW_DESTINATIONS, 0, "allow-destinations", "FILE", NULL, \
	  "AllowedDestinationList, likewise" }, \
	{ INPUT_THREADS, 0, "threads", "N", NULL, \
	  "read and judge with so many threads; as many as there are processors" }
/* clang-format on */

struct inputs {
	struct conf conf;
	struct format_set *formats;
	const struct scan_input *items;
	size_t n;
	struct settings settings; /* the configuration as the stages read it */
	size_t n_missing;	  /* configured sources for which there is no file */
	/* set before inputs_load: configured sources are not looked for */
	bool only_conf;

	struct arena _arena;
	const char *_config, *_formats_dir, *_threads;
	const char **_sets, **_allow_apps, **_allow_destinations;
	size_t _n_sets, _n_allow_apps, _n_allow_destinations;
	struct scan_input *_paths;
	size_t _n_paths;
	const char *_next; /* option that waits for its path */
	bool _kind_forced;
	enum sensor_kind _kind;
	const char *_format;
};

void inputs_init(struct inputs *in);
void inputs_free(struct inputs *in);
/* An option whose id is below INPUT_ARGS. */
bool inputs_option(struct inputs *in, int id, const char *value, struct error *err);
void inputs_path(struct inputs *in, const char *path);
/* Loads everything. Fails with ERROR_USAGE where a scan has nothing to read (unless `optional`).
 * Missing configured sources are said on standard error under the command's name, and counted. */
bool inputs_load(struct inputs *in, const char *command, bool optional, struct error *err);

#endif
