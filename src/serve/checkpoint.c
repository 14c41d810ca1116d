#include "base/fault.h"
#include "serve/daemon.h"
#include "serve/doors.h"
#include "serve/retention.h"

bool daemon_has_news(const struct daemon *d)
{
	if (journal_unwritten(d->keeper.journal) > 0 || ledger_changed(&d->ledger) ||
	    governed_changed(&d->governed) || d->deliver.done != d->deliver.dropped)
		return true;
	for (size_t i = 0; i < d->intake.n; i++)
		if (d->intake.inputs[i]->changed)
			return true;
	for (size_t i = 0; i < d->sources.n; i++)
		if (d->sources.list[i]->changed)
			return true;
	return false;
}

static bool write_inputs(struct daemon *d, int64_t id, struct error *err)
{
	struct buf position;
	bool ok = true;

	buf_init(&position, (size_t)64 * 1024 * 1024);
	for (size_t i = 0; i < d->intake.n && ok; i++) {
		struct live_input *x = d->intake.inputs[i];

		if (!x->changed)
			continue;
		buf_reset(&position);
		live_input_position(x, &position);
		ok = store_put_input(d->store, x->name, id, buf_view(&position), err);
	}
	buf_free(&position);
	return ok;
}

static bool write_sources(struct daemon *d, struct error *err)
{
	for (size_t i = 0; i < d->sources.n; i++)
		if (d->sources.list[i]->changed &&
		    !store_put_source(d->store, &d->sources.list[i]->counts, err))
			return false;
	return true;
}

static bool write_segments(struct daemon *d, struct error *err)
{
	struct journal_segment current;
	size_t n;
	const struct journal_segment *closed = journal_closed(d->keeper.journal, &n);

	for (size_t i = 0; i < n; i++)
		if (!store_put_segment(d->store, &closed[i], err))
			return false;
	journal_current(d->keeper.journal, &current);
	return current.number == 0 || store_put_segment(d->store, &current, err);
}

static bool write_all(struct daemon *d, struct journal_position at, struct error *err)
{
	const struct store_checkpoint c = {
		.id = d->checkpoint + 1,
		.at = d->wall.ns,
		.journal = at,
		.records = d->intake.records,
	};
	struct sv output = sv_empty(d->deliver.path) ? SV_NONE : DELIVER_FILE;

	return write_inputs(d, c.id, err) && write_sources(d, err) && write_segments(d, err) &&
	       retention_commit(d, err) &&
	       ledger_write(&d->ledger, d->store, output, d->wall, err) &&
	       governed_write(&d->governed, d->store, err) &&
	       deliver_commit(&d->deliver, d->store, err) &&
	       store_put_checkpoint(d->store, &c, err) && store_prune(d->store, c.id, err) &&
	       store_prune_people(d->store, d->wall.ns, err);
}

static void committed(struct daemon *d)
{
	d->checkpoint++;
	d->checkpoints++;
	d->checkpointed_at = d->wall;
	journal_forget_closed(d->keeper.journal);
	ledger_committed(&d->ledger);
	governed_committed(&d->governed);
	retention_committed(d);
	if (d->doors != NULL)
		d->options->doors->changed(d->doors);
	for (size_t i = 0; i < d->intake.n; i++)
		d->intake.inputs[i]->changed = false;
	for (size_t i = 0; i < d->sources.n; i++)
		d->sources.list[i]->changed = false;
}

/* Spools may forget what even the oldest checkpoint need not read again. */
static void trim_spools(struct daemon *d)
{
	struct arena a = { 0 };
	struct error err;

	for (size_t i = 0; i < d->intake.n; i++) {
		const struct live_input *x = d->intake.inputs[i];
		struct sv position;

		if (x->kind != LIVE_SPOOL)
			continue;
		position =
		    store_input(d->store, x->name, d->checkpoint - STORE_CHECKPOINTS + 1, &a);
		if (!sv_empty(position) && !spool_trim(x->spool, position, &err))
			daemon_log(d, LOG_WARNING, "%s", err.message);
	}
	arena_free(&a);
}

static bool make_durable(struct daemon *d, struct error *err)
{
	struct journal_position at;

	fault_point("checkpoint.begin");
	if (!journal_sync(d->keeper.journal, &at, err))
		return false;
	fault_point("checkpoint.journal");
	if (!store_begin(d->store, err))
		return false;
	if (!write_all(d, at, err)) {
		store_rollback(d->store);
		return false;
	}
	fault_point("checkpoint.commit");
	if (!store_commit(d->store, err))
		return false;
	fault_point("checkpoint.committed");
	return true;
}

static void failed(struct daemon *d, const struct error *err)
{
	d->checkpoints_failed++;
	d->deliver.dropped = 0; /* whatever was dropped was rolled back */
	if (journal_broken(d->keeper.journal)) {
		d->broken = true;
		d->why = *err;
		return;
	}
	if (!d->trouble)
		daemon_log(d, LOG_ERROR,
			   "nothing can be made durable, so nothing more is read until it can: %s",
			   err->message);
	d->trouble = true;
	d->trouble_why = *err;
}

bool daemon_checkpoint(struct daemon *d)
{
	const struct serve_clock *clock = &d->options->clock;
	struct instant from = clock->monotonic(clock->arg);
	bool news = daemon_has_news(d);
	struct error err;

	dead_letter_write(&d->dead);
	if (news && !make_durable(d, &err)) {
		failed(d, &err);
		return false;
	}
	if (news)
		committed(d);
	if (d->trouble)
		daemon_log(d, LOG_NOTICE, "the disk takes data again: reading on");
	d->trouble = false;
	if (!deliver_run(&d->deliver, d->store))
		daemon_log(d, LOG_WARNING, "%s", d->deliver.why.message);
	trim_spools(d);
	d->checkpoint_ended = clock->monotonic(clock->arg);
	d->checkpointed_in = span_between(from, d->checkpoint_ended);
	return true;
}
