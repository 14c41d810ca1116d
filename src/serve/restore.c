#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "parse/parser.h"
#include "serve/daemon.h"
#include "serve/pushed.h"

/* Paths below the state folder are short; this is for all of them. */
#define MAX_PATH 65536

static char *below(const char *dir, const char *name)
{
	struct buf b;

	buf_init(&b, MAX_PATH);
	buf_printf(&b, "%s/%s", dir, name);
	buf_char(&b, '\0');
	return b.p;
}

static bool make_dir(const char *path, struct error *err)
{
	return mkdir(path, 0750) == 0 || errno == EEXIST ||
	       error_set(err, ERROR_IO, 0,
			 "%s: cannot be made: %s; make it, or name another folder as serve.state",
			 path, strerror(errno));
}

/* Two daemons on one state would undo each other. */
static bool lock(struct daemon *d, struct error *err)
{
	char *path = below(d->state_dir, "lock");

	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (d->lock < 0)
		error_set(err, ERROR_IO, 0, "%s: cannot be written: %s", path, strerror(errno));
	else if (flock(d->lock, LOCK_EX | LOCK_NB) != 0)
		error_set(err, ERROR_IO, 0,
			  "%s: another pinwatch serve works on this state; end it, or name another "
			  "serve.state",
			  path);
	else {
		free(path);
		return true;
	}
	free(path);
	return false;
}

static void load_source(void *arg, const struct store_source *stored)
{
	struct daemon *d = arg;
	struct live_source *one = live_sources_add(&d->sources, stored->name);
	struct sv name;
	const struct format *format;

	if (one == NULL)
		return;
	name = one->name;
	format = format_find(d->formats, stored->format);
	one->counts = *stored;
	one->counts.name = name;
	one->counts.format = format != NULL ? format_name(format) : SV_NONE;
	one->heard = d->monotonic;
}

struct wanted_segment {
	uint64_t number;
	struct journal_segment found;
	bool there;
};

static void find_segment(void *arg, const struct journal_segment *s)
{
	struct wanted_segment *w = arg;

	if (s->number != w->number)
		return;
	w->found = *s;
	w->there = true;
}

static struct listener stored_listener(struct daemon *d)
{
	struct listener found = { 0 };
	struct arena a = { 0 };
	struct sv text;

	if (store_meta(d->store, "listener", &a, &text) && !sv_empty(text) &&
	    !addr_parse_port(text, &found.ip, &found.port))
		found = (struct listener){ 0 };
	arena_free(&a);
	return found;
}

static enum journal_result open_at(struct daemon *d, struct journal_position at, bool skip,
				   struct journal_position *good, struct error *err)
{
	struct wanted_segment w = { .number = at.segment };
	enum journal_result result;

	store_segments(d->store, find_segment, &w);
	result = keeper_open(&d->keeper, d->conf, &d->governed, d->journal_dir, &d->sources,
			     stored_listener(d), at, skip, w.there ? &w.found : NULL, good, err);
	if (result != JOURNAL_OK)
		keeper_close(&d->keeper);
	return result;
}

static bool is_within(struct journal_position a, struct journal_position b)
{
	return a.segment < b.segment || (a.segment == b.segment && a.offset <= b.offset);
}

static bool fall_back(struct daemon *d, const struct store_checkpoint *c, struct error *err)
{
	if (!store_begin(d->store, err))
		return false;
	if (!store_fall_back(d->store, c->id, err)) {
		store_rollback(d->store);
		return false;
	}
	return store_commit(d->store, err);
}

/* From the newest checkpoint whose journal holds; where damage lies before them all, from the
 * newest one without the damaged blocks. */
static bool open_journal(struct daemon *d, struct error *err)
{
	struct store_checkpoint list[STORE_CHECKPOINTS];
	size_t n = store_checkpoints(d->store, list, STORE_CHECKPOINTS);
	struct journal_position good, at = { 0, 0 };
	enum journal_result result;

	if (n > 0)
		at = list[0].journal;
	d->checkpoint = n > 0 ? list[0].id : 0;
	result = open_at(d, at, false, &good, err);
	if (result != JOURNAL_DAMAGED)
		return result == JOURNAL_OK;
	for (size_t i = 1; i < n; i++) {
		if (!is_within(list[i].journal, good))
			continue;
		daemon_log(d, LOG_WARNING,
			   "%s: the journal is damaged there; going back to the checkpoint before "
			   "and reading the inputs again from it",
			   err->message);
		if (!fall_back(d, &list[i], err))
			return false;
		d->checkpoint = list[i].id;
		return open_at(d, list[i].journal, false, &good, err) == JOURNAL_OK;
	}
	daemon_log(d, LOG_ERROR,
		   "%s: the journal is damaged before the oldest checkpoint that is kept; what the "
		   "damaged blocks held is lost to future judgements, findings stay as they are",
		   err->message);
	return open_at(d, at, true, &good, err) == JOURNAL_OK;
}

static struct sv position_of(struct daemon *d, struct sv source, struct sv path, struct arena *a)
{
	struct sv position;
	struct buf name;

	buf_init(&name, MAX_PATH);
	intake_name(&name, source, path);
	position = store_input(d->store, buf_view(&name), INT64_MAX, a);
	for (size_t i = 0; i < d->_n_kept; i++)
		if (sv_eq(d->_kept[i].name, buf_view(&name)))
			position = d->_kept[i].position;
	buf_free(&name);
	return position;
}

static bool open_path(struct daemon *d, struct live_source *source, struct sv path,
		      enum live_input_kind kind, struct error *err)
{
	struct arena a = { 0 };
	struct live_input *x;
	struct buf name;

	if (sv_eq(path, SV("-")))
		return error_set(err, ERROR_CONFIG, 0,
				 "source %.*s: a daemon does not read standard input; name a file, "
				 "folder or glob",
				 SV_ARG(source->name));
	buf_init(&name, MAX_PATH);
	intake_name(&name, source->name, path);
	x = intake_find(&d->intake, buf_view(&name));
	buf_free(&name);
	if (x == NULL && kind == LIVE_TAIL)
		x = intake_tail(&d->intake, source, path, position_of(d, source->name, path, &a),
				err);
	else if (x == NULL && kind == LIVE_WIRE)
		x = intake_wire(&d->intake, source, path, position_of(d, source->name, path, &a),
				err);
	else if (x == NULL && kind == LIVE_DROP)
		x = intake_drop(&d->intake, source, path, position_of(d, source->name, path, &a),
				err);
	else if (x == NULL)
		x = intake_spool(&d->intake, source, pushed_spool(d->pushed, source->name),
				 position_of(d, source->name, path, &a), err);
	if (x != NULL)
		x->keep = true;
	arena_free(&a);
	return x != NULL;
}

bool daemon_open_inputs(struct daemon *d, struct error *err)
{
	for (size_t i = 0; i < d->intake.n; i++)
		d->intake.inputs[i]->keep = false;
	for (size_t i = 0; i < d->conf->n_sources; i++) {
		const struct conf_source *c = &d->conf->sources[i];
		struct live_source *source = live_sources_find(&d->sources, c->name);
		bool wire = c->kind == CONF_KIND_WIRE;

		for (size_t p = 0; source != NULL && p < c->path.n; p++)
			if (!open_path(d, source, c->path.items[p], wire ? LIVE_WIRE : LIVE_TAIL,
				       err))
				return false;
		if (source != NULL && !sv_empty(c->drop) &&
		    !open_path(d, source, c->drop, wire ? LIVE_WIRE : LIVE_DROP, err))
			return false;
		if (source != NULL && pushed_spool(d->pushed, c->name) != NULL &&
		    !open_path(d, source, SV("spool"), LIVE_SPOOL, err))
			return false;
	}
	for (size_t i = d->intake.n; i-- > 0;)
		if (!d->intake.inputs[i]->keep)
			intake_remove(&d->intake, d->intake.inputs[i]);
	return true;
}

bool daemon_reopen_inputs(struct daemon *d, struct error *err)
{
	struct arena a = { 0 };
	struct kept_position *kept = arena_alloc(&a, (d->intake.n + 1) * sizeof(*kept));
	size_t n = d->intake.n;
	struct buf position;
	bool ok;

	buf_init(&position, (size_t)64 * 1024 * 1024);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&position);
		live_input_position(d->intake.inputs[i], &position);
		kept[i] = (struct kept_position){ arena_sv(&a, d->intake.inputs[i]->name),
						  arena_sv(&a, buf_view(&position)) };
	}
	intake_free(&d->intake);
	d->_kept = kept;
	d->_n_kept = n;
	ok = daemon_open_inputs(d, err);
	d->_kept = NULL;
	d->_n_kept = 0;
	for (size_t i = 0; i < d->intake.n; i++)
		d->intake.inputs[i]->changed = true;
	buf_free(&position);
	arena_free(&a);
	return ok;
}

static void complain(void *arg, struct sv source, const char *message)
{
	daemon_log(arg, LOG_WARNING, "source %.*s: %s", SV_ARG(source), message);
}

bool daemon_restore(struct daemon *d, struct error *err)
{
	uint64_t changed;
	char *path;

	d->state_dir = xstrdup(d->conf->state.p);
	d->journal_dir = below(d->state_dir, "journal");
	if (!make_dir(d->state_dir, err) || !make_dir(d->journal_dir, err) || !lock(d, err))
		return false;
	path = below(d->state_dir, "pinwatch.db");
	d->store = store_open(path, false, err);
	free(path);
	if (d->store == NULL)
		return false;
	path = below(d->state_dir, "dead-letter.jsonl");
	dead_letter_init(&d->dead, path, d->conf->dead_letter);
	free(path);
	governed_init(&d->governed);
	if (!governed_load(&d->governed, d->store, d->conf, d->wall, &changed, err))
		return false;
	store_sources(d->store, load_source, d);
	live_sources_configure(&d->sources, d->conf, d->monotonic);
	if (!open_journal(d, err))
		return false;
	ledger_init(&d->ledger, d->keeper._seed);
	ledger_load(&d->ledger, d->store);
	d->deliver.path = d->conf->findings_file;
	d->intake = (struct intake){
		.keeper = &d->keeper,
		.sources = &d->sources,
		.dead = &d->dead,
		.formats = d->formats,
		.conf = d->conf,
		.wall = d->wall,
		.monotonic = d->monotonic,
		.complain = complain,
		.arg = d,
	};
	d->pushed = pushed_open(d, err);
	return d->pushed != NULL && daemon_open_inputs(d, err);
}
