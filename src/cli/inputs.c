#include "cli/inputs.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "cli/report.h"
#include "scan/settings.h"
#include "serve/admit.h"

#define MAX_PATHS ((size_t)100000)

void inputs_init(struct inputs *in)
{
	memset(in, 0, sizeof(*in));
	conf_defaults(&in->conf);
}

void inputs_free(struct inputs *in)
{
	conf_free(&in->conf);
	format_set_free(in->formats);
	free(in->_paths);
	free(in->_sets);
	free(in->_allow_apps);
	free(in->_allow_destinations);
	arena_free(&in->_arena);
}

static void push(const char ***list, size_t *n, const char *item)
{
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = item;
}

static void force_kind(struct inputs *in, enum sensor_kind kind, const char *option)
{
	in->_kind = kind;
	in->_kind_forced = true;
	in->_next = option;
}

bool inputs_option(struct inputs *in, int id, const char *value, struct error *err)
{
	switch ((enum input_arg)id) {
	case INPUT_CONFIG:
		if (in->_config != NULL)
			return error_set(err, ERROR_USAGE, 0,
					 "--config is given twice: leave one out");
		in->_config = value;
		break;
	case INPUT_SET:
		push(&in->_sets, &in->_n_sets, value);
		break;
	case INPUT_FORMATS:
		in->_formats_dir = value;
		break;
	case INPUT_ALLOW_APPS:
		push(&in->_allow_apps, &in->_n_allow_apps, value);
		break;
	case INPUT_ALLOW_DESTINATIONS:
		push(&in->_allow_destinations, &in->_n_allow_destinations, value);
		break;
	case INPUT_INSPECTION:
		force_kind(in, SENSOR_INSPECTION, "--inspection");
		break;
	case INPUT_FLOW:
		force_kind(in, SENSOR_FLOW, "--flow");
		break;
	case INPUT_EDR:
		force_kind(in, SENSOR_EDR, "--edr");
		break;
	case INPUT_MDM:
		force_kind(in, SENSOR_MDM, "--mdm");
		break;
	case INPUT_LEASE:
		force_kind(in, SENSOR_LEASE, "--lease");
		break;
	case INPUT_FORMAT:
		in->_format = strcmp(value, "auto") == 0 ? NULL : value;
		in->_next = "--format";
		break;
	case INPUT_THREADS:
		in->_threads = value;
		break;
	case INPUT_ARGS:
		break;
	}
	return true;
}

static void add(struct inputs *in, struct scan_input item)
{
	in->_paths = xrealloc(in->_paths, in->_n_paths + 1, sizeof(*in->_paths));
	in->_paths[in->_n_paths++] = item;
}

void inputs_path(struct inputs *in, const char *path)
{
	add(in, (struct scan_input){ .path = path,
				     .forced_kind = in->_kind,
				     .kind_forced = in->_kind_forced,
				     .format = in->_format });
	in->_kind_forced = false;
	in->_format = NULL;
	in->_next = NULL;
}

/* `analytic.AllowedAppList=["FILE", …]`, with what YAML's double quotes want escaped. */
static bool set_list(struct conf *c, const char *element, const char **files, size_t n,
		     struct error *err)
{
	struct buf b;
	bool ok;

	if (n == 0)
		return true;
	buf_init(&b, 1 << 20);
	buf_printf(&b, "analytic.%s=[", element);
	for (size_t i = 0; i < n; i++) {
		buf_str(&b, i > 0 ? ", \"" : "\"");
		for (const char *p = files[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_char(&b, '\\');
			buf_char(&b, *p);
		}
		buf_char(&b, '"');
	}
	buf_char(&b, ']');
	buf_char(&b, '\0');
	ok = b.overflowed
		 ? error_set(err, ERROR_USAGE, 0,
			     "--allow-apps, --allow-destinations: too many list files; join them")
		 : conf_set(c, b.p, err);
	buf_free(&b);
	return ok;
}

static bool set_threads(struct inputs *in, struct error *err)
{
	uint64_t n;

	if (in->_threads == NULL)
		return true;
	if (!sv_to_u64(sv_cstr(in->_threads), &n) || n < 1 || n > POOL_MAX)
		return error_set(err, ERROR_USAGE, 0,
				 "--threads %.40s: expected a number from 1 to %u", in->_threads,
				 POOL_MAX);
	in->conf.threads = (uint32_t)n;
	return true;
}

static bool load_conf(struct inputs *in, struct error *err)
{
	if (in->_config != NULL) {
		conf_free(&in->conf);
		if (!conf_load(&in->conf, in->_config, err))
			return false;
	}
	if (!set_list(&in->conf, "AllowedAppList", in->_allow_apps, in->_n_allow_apps, err) ||
	    !set_list(&in->conf, "AllowedDestinationList", in->_allow_destinations,
		      in->_n_allow_destinations, err))
		return false;
	for (size_t i = 0; i < in->_n_sets; i++)
		if (!conf_set(&in->conf, in->_sets[i], err))
			return false;
	return set_threads(in, err);
}

/* The files of the configured sources, those of a pattern in byte order. */
static void expand_sources(struct inputs *in, const char *command)
{
	for (size_t s = 0; s < in->conf.n_sources; s++) {
		const struct conf_source *source = &in->conf.sources[s];
		size_t before = in->_n_paths;

		for (size_t p = 0; p < source->path.n; p++) {
			const char *pattern = source->path.items[p].p;
			glob_t found;

			if (strcmp(pattern, "-") == 0) {
				add(in, (struct scan_input){ .path = pattern, .source = source });
				continue;
			}
			if (glob(pattern, 0, NULL, &found) == 0) {
				for (size_t i = 0; i < found.gl_pathc && in->_n_paths < MAX_PATHS;
				     i++)
					add(in, (struct scan_input){
						    .path = arena_sv(&in->_arena,
								     sv_cstr(found.gl_pathv[i]))
								.p,
						    .source = source });
			}
			globfree(&found);
		}
		if (in->_n_paths > before)
			continue;
		in->n_missing++;
		report_note(command, "source %.*s is missing: no file matches %s (%s:%u)",
			    SV_ARG(source->name),
			    source->path.n > 0 ? source->path.items[0].p : "its path", source->file,
			    source->line);
	}
}

bool inputs_load(struct inputs *in, const char *command, bool optional, struct error *err)
{
	if (in->_next != NULL)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%s is about the next path, and none follows: write it before its path",
		    in->_next);
	if (!load_conf(in, err))
		return false;
	in->formats = format_set_builtin(err);
	if (in->formats == NULL)
		return false;
	if (in->_formats_dir != NULL && !format_set_add_dir(in->formats, in->_formats_dir, err))
		return false;
	if (in->_n_paths == 0 && in->_config != NULL && !in->only_conf) {
		if (!admit_formats(&in->conf, in->formats, err))
			return false;
		expand_sources(in, command);
	}
	if (in->_n_paths == 0 && in->n_missing > 0 && !optional)
		return error_set(
		    err, ERROR_IO, 0,
		    "none of the configured sources has a file to read: look at `path:` in %s",
		    in->_config);
	if (in->_n_paths == 0 && !optional)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "nothing to read: name log files or folders, or a "
		    "configuration with sources (-c FILE); `pinwatch %s --help` has examples",
		    command);
	in->items = in->_paths;
	in->n = in->_n_paths;
	settings_from_conf(&in->settings, &in->conf, &in->_arena);
	return true;
}
