#include "serve/reload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/assign.h"
#include "conf/options.h"
#include "serve/admit.h"
#include "serve/doors.h"
#include "serve/pushed.h"

#define MAX_VALUE 4096

bool reload_load(const struct serve_options *o, const struct format_set *formats, struct conf *c,
		 struct error *err)
{
	bool ok = conf_load(c, o->config, err);

	for (size_t i = 0; i < o->n_sets && ok; i++)
		ok = conf_set(c, o->sets[i], err);
	if (ok && c->n_sources == 0)
		ok = error_set(err, ERROR_CONFIG, 0,
			       "%s: names no sources; a daemon needs one to read", o->config);
	return ok && admit_conf(c, formats, err);
}

/* ---- when */

static uint64_t mark_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return 1;
	return (uint64_t)st.st_mtim.tv_sec * 1000003u ^ (uint64_t)st.st_mtim.tv_nsec ^
	       (uint64_t)st.st_ino * 7919u ^ (uint64_t)st.st_size << 20;
}

static uint64_t mark_all(const struct daemon *d)
{
	const struct conf *c = d->conf;
	uint64_t mark = mark_of(d->options->config);

	for (size_t i = 0; i < c->allowed_apps.n_files; i++)
		mark = mark * 31 + mark_of(c->allowed_apps.files[i].p);
	for (size_t i = 0; i < c->allowed_destinations.n_files; i++)
		mark = mark * 31 + mark_of(c->allowed_destinations.files[i].p);
	return mark;
}

void reload_note(struct daemon *d) { d->conf_mark = d->conf_seen = mark_all(d); }

bool reload_noticed(struct daemon *d)
{
	uint64_t mark = mark_all(d);
	bool settled = mark == d->conf_seen;

	d->conf_seen = mark;
	if (mark == d->conf_mark || !settled)
		return false;
	d->conf_mark = mark;
	return true;
}

/* ---- what */

static void say_change(const struct daemon *d, const struct option *o, struct sv source,
		       const void *before, const void *after, unsigned *changes)
{
	struct buf old, new;
	bool was, is;

	buf_init(&old, MAX_VALUE);
	buf_init(&new, MAX_VALUE);
	was = option_format(o, before, &old);
	is = option_format(o, after, &new);
	if (was != is || !sv_eq(buf_view(&old), buf_view(&new))) {
		(*changes)++;
		daemon_log(d, LOG_NOTICE, "reload: %.*s%s%s: %.*s -> %.*s", SV_ARG(source),
			   source.n > 0 ? ": " : "", o->path,
			   SV_ARG(was ? sv_first(buf_view(&old), 200) : SV("unset")),
			   SV_ARG(is ? sv_first(buf_view(&new), 200) : SV("unset")));
	}
	buf_free(&old);
	buf_free(&new);
}

static const struct conf_source *source_of(const struct conf *c, struct sv name)
{
	for (size_t i = 0; i < c->n_sources; i++)
		if (sv_eq(c->sources[i].name, name))
			return &c->sources[i];
	return NULL;
}

static unsigned say_changes(const struct daemon *d, const struct conf *before,
			    const struct conf *after)
{
	unsigned changes = 0;

	for (size_t i = 0; i < option_count; i++)
		if (!option_of_source(&option_table[i]))
			say_change(d, &option_table[i], SV_NONE, before, after, &changes);
	for (size_t s = 0; s < after->n_sources; s++) {
		const struct conf_source *new = &after->sources[s],
					 *old = source_of(before, new->name);

		if (old == NULL) {
			changes++;
			daemon_log(d, LOG_NOTICE, "reload: source %.*s is new", SV_ARG(new->name));
			continue;
		}
		for (size_t i = 0; i < option_count; i++)
			if (option_of_source(&option_table[i]))
				say_change(d, &option_table[i], new->name, old, new, &changes);
	}
	for (size_t s = 0; s < before->n_sources; s++)
		if (source_of(after, before->sources[s].name) == NULL) {
			changes++;
			daemon_log(d, LOG_NOTICE, "reload: source %.*s is gone",
				   SV_ARG(before->sources[s].name));
		}
	return changes;
}

/* ---- how */

static bool may_change(const struct conf *before, const struct conf *after, struct error *err)
{
	if (!sv_eq(before->state, after->state))
		return error_set(err, ERROR_CONFIG, 0,
				 "%.*s: serve.state has to stay as it is while the daemon runs; "
				 "end it, and begin it again",
				 SV_ARG(after->file));
	if (!pushed_same(before, after))
		return error_set(err, ERROR_CONFIG, 0,
				 "%.*s: where the daemon listens, and what is pushed to it, has to "
				 "stay as it is while it runs; end it, and begin it again",
				 SV_ARG(after->file));
	return true;
}

/* The database's entries, and the rows of list files. What cannot be read stays as it was, and is
 * tried again. */
static void reload_governed(struct daemon *d)
{
	uint64_t changed;
	struct error err;
	bool ok = governed_load(&d->governed, d->store, d->conf, d->wall, &changed, &err);

	if (!ok && !d->allow_again)
		daemon_log(d, LOG_ERROR,
			   "the allow-list of the database: %s; going on with what was loaded "
			   "before, and trying again",
			   err.message);
	if (ok && d->allow_again)
		daemon_log(d, LOG_NOTICE, "the allow-list of the database is read again");
	d->allow_again = !ok;
}

void reload_allow(struct daemon *d)
{
	reload_governed(d);
	keeper_settings(&d->keeper, d->conf);
	d->keeper.news++;
}

void reload_allow_ends(struct daemon *d)
{
	uint64_t ended, reopened;
	struct error err;

	if (!governed_tick(&d->governed, d->store, d->wall, &ended, &reopened, &err)) {
		daemon_log(d, LOG_WARNING,
			   "an allow-list entry has ended, which cannot be written down yet: %s",
			   err.message);
		return;
	}
	if (ended > 0)
		daemon_log(
		    d, LOG_NOTICE,
		    "%llu allow-list %s ended; %llu acknowledged or closed findings are open again",
		    (unsigned long long)ended, ended == 1 ? "entry has" : "entries have",
		    (unsigned long long)reopened);
	d->options->doors->changed(d->doors);
	d->keeper.news++;
}

static void apply(struct daemon *d, struct conf *new)
{
	struct conf *old = d->conf;
	struct error err;
	bool anew;

	d->conf = new;
	d->intake.conf = new;
	d->dead.limit = new->dead_letter;
	d->deliver.path = new->findings_file;
	anew = live_sources_configure(&d->sources, new, d->monotonic);
	reload_governed(d);
	if (d->allow_again)
		d->governed.n_file_ids = 0; /* they are of the files as they were */
	anew |= keeper_settings(&d->keeper, new);
	if (!daemon_reopen_inputs(d, &err)) {
		/* The configuration was checked: this is the system's refusal, and would be at a
		 * start. */
		d->broken = true;
		d->why = err;
	}
	if (anew && !d->broken && !keeper_rebuild(&d->keeper, new, &err)) {
		d->broken = true;
		d->why = err;
	}
	d->keeper.news++;
	d->options->doors->configure(d->doors, d);
	conf_free(old);
	free(old);
}

void reload_run(struct daemon *d)
{
	struct conf *new = xcalloc(1, sizeof(*new));
	struct error err;

	d->reload = false;
	if (!reload_load(d->options, d->formats, new, &err) || !may_change(d->conf, new, &err)) {
		daemon_log(d, LOG_ERROR, "reload: %s; going on with what was loaded before",
			   err.message);
		conf_free(new);
		free(new);
		d->conf_mark = d->conf_seen = mark_all(d);
		return;
	}
	/* What stands in list files counts too, so it is applied even where no option reads
	 * otherwise. */
	if (say_changes(d, d->conf, new) == 0)
		daemon_log(d, LOG_INFO, "reload: no option changed");
	apply(d, new);
	reload_note(d);
	d->reloads++;
}
