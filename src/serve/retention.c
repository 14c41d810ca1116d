#include "serve/retention.h"

#include <stdlib.h>

#include "serve/carry.h"

/* Steps in which a source's records are given up, as shares of the time that they span. */
#define STEPS 16
/* What is left of a limit after giving up, so that it is not reached again at once. */
#define LEAVE(limit) ((limit) / 8 * 7)

struct segments {
	struct journal_segment *list;
	size_t n;
	uint64_t bytes;
};

static void add_segment(void *arg, const struct journal_segment *s)
{
	struct segments *all = arg;

	all->list = xrealloc(all->list, all->n + 1, sizeof(*all->list));
	all->list[all->n++] = *s;
	all->bytes += s->bytes;
}

/* How many of the oldest have to go. The newest stays, it is being written. */
static size_t too_many(const struct daemon *d, const struct segments *all)
{
	int64_t newest = live_sources_newest(&d->sources);
	int64_t oldest = newest == INT64_MIN ? INT64_MIN : newest - d->conf->history.ns;
	uint64_t bytes = all->bytes;
	size_t n = 0;

	while (n + 1 < all->n && (bytes > d->conf->history_size || all->list[n].last < oldest)) {
		bytes -= all->list[n].bytes;
		n++;
	}
	return n;
}

void retention_journal(struct daemon *d)
{
	struct segments all = { 0 };
	int64_t cut = INT64_MIN;
	struct error err;
	size_t n;

	if (d->drop_until > 0)
		return; /* the last ones are not gone yet */
	store_segments(d->store, add_segment, &all);
	n = too_many(d, &all);
	for (size_t i = 0; i < n; i++)
		if (all.list[i].last > cut)
			cut = all.list[i].last;
	if (n > 0) {
		if (cut != INT64_MIN)
			keeper_evict(&d->keeper, NULL, cut + 1);
		if (cut == INT64_MIN || carry_over(&d->keeper, all.list[0].number,
						   all.list[n - 1].number, cut + 1, &err)) {
			d->drop_from = all.list[0].number;
			d->drop_until = all.list[n - 1].number;
			d->segments_dropped += n;
			daemon_log(d, LOG_INFO, "the oldest %zu files of the journal are given up",
				   n);
		} else {
			daemon_log(d, LOG_WARNING, "%s; old files of the journal stay",
				   err.message);
		}
	}
	free(all.list);
}

/* Revisions are dated by the wall clock: one that leaps ahead of all events must not make them
 * old. */
static bool prune_history(struct daemon *d, struct error *err)
{
	int64_t now = live_sources_newest(&d->sources);

	if (now > d->wall.ns)
		now = d->wall.ns;
	return now == INT64_MIN || store_prune_history(d->store, now - d->conf->history.ns, err);
}

bool retention_commit(struct daemon *d, struct error *err)
{
	if (d->drop_until > 0 && !prune_history(d, err))
		return false;
	for (uint64_t i = d->drop_from; d->drop_until > 0 && i <= d->drop_until; i++)
		if (!store_drop_segment(d->store, i, err))
			return false;
	return true;
}

void retention_committed(struct daemon *d)
{
	struct error err;

	for (uint64_t i = d->drop_from; d->drop_until > 0 && i <= d->drop_until; i++)
		if (!journal_remove(d->journal_dir, i, &err))
			daemon_log(d, LOG_WARNING, "%s", err.message);
	d->drop_from = d->drop_until = 0;
}

/* Gives up the source's oldest records until it holds less. */
static void shrink(struct daemon *d, struct live_source *s, uint64_t limit)
{
	int64_t first = s->counts.first, newest = s->counts.newest;
	uint64_t before = s->footprint, gone = 0;

	if (first == INT64_MIN || newest <= first)
		return;
	for (int64_t i = 1; i <= STEPS && s->footprint > LEAVE(limit); i++) {
		struct engine_evicted e =
		    keeper_evict(&d->keeper, s, first + (newest - first) / STEPS * i);

		gone += e.attempts + e.activities + e.leases + e.postures;
		s->footprint = keeper_footprint(&d->keeper, s);
	}
	s->counts.evicted += gone;
	s->changed = true;
	if (gone > 0)
		daemon_log(d, LOG_WARNING,
			   "source %.*s held %llu MB in memory, more than its limit of %llu MB: "
			   "its oldest %llu records were given up",
			   SV_ARG(s->name), (unsigned long long)before / 1000000,
			   (unsigned long long)limit / 1000000, (unsigned long long)gone);
}

void retention_memory(struct daemon *d)
{
	struct live_source *largest = NULL;

	d->memory = keeper_footprint(&d->keeper, NULL);
	if (d->memory < d->conf->source_memory / 2 && d->memory < d->conf->memory)
		return;
	for (size_t i = 0; i < d->sources.n; i++) {
		struct live_source *s = d->sources.list[i];

		s->footprint = keeper_footprint(&d->keeper, s);
		if (s->footprint > d->conf->source_memory)
			shrink(d, s, d->conf->source_memory);
		if (largest == NULL || s->footprint > largest->footprint)
			largest = s;
	}
	d->memory = keeper_footprint(&d->keeper, NULL);
	if (d->memory <= d->conf->memory || largest == NULL)
		return;
	shrink(d, largest, largest->footprint / 2);
	d->memory = keeper_footprint(&d->keeper, NULL);
}
