#include "serve/live_source.h"

#include <stdlib.h>

void live_sources_free(struct live_sources *s)
{
	free(s->list);
	free(s->names);
	arena_free(&s->_arena);
	*s = (struct live_sources){ 0 };
}

struct live_source *live_sources_find(const struct live_sources *s, struct sv name)
{
	for (size_t i = 0; i < s->n; i++)
		if (sv_eq(s->list[i]->name, name))
			return s->list[i];
	return NULL;
}

struct live_source *live_sources_add(struct live_sources *s, struct sv name)
{
	struct live_source *one = live_sources_find(s, name);
	size_t at = 0;

	if (one != NULL || s->n >= UINT16_MAX)
		return one;
	one = arena_alloc(&s->_arena, sizeof(*one));
	one->name = arena_sv(&s->_arena, name);
	one->counts = (struct store_source){
		.name = one->name, .first = INT64_MIN, .last = INT64_MIN, .newest = INT64_MIN
	};
	s->list = xrealloc(s->list, s->n + 1, sizeof(*s->list));
	s->names = xrealloc(s->names, s->n + 1, sizeof(*s->names));
	while (at < s->n && sv_cmp(s->list[at]->name, name) < 0)
		at++;
	memmove(s->list + at + 1, s->list + at, (s->n - at) * sizeof(*s->list));
	s->list[at] = one;
	s->n++;
	for (size_t i = 0; i < s->n; i++) {
		s->list[i]->number = (uint16_t)i;
		s->names[i] = s->list[i]->name;
	}
	return one;
}

bool live_sources_configure(struct live_sources *s, const struct conf *c, struct instant monotonic)
{
	size_t before = s->n;
	bool moved = false;

	for (size_t i = 0; i < s->n; i++)
		s->list[i]->conf = NULL;
	for (size_t i = 0; i < c->n_sources; i++) {
		size_t n = s->n;
		struct live_source *one = live_sources_add(s, c->sources[i].name);

		if (one == NULL)
			continue;
		one->conf = &c->sources[i];
		if (s->n > n) {
			one->heard = monotonic;
			moved |= before > 0 && one->number + 1u < s->n;
		}
	}
	return moved;
}

void live_source_example(struct live_sources *s, struct live_source *source, const char *reason)
{
	if (source->n_examples < SOURCE_EXAMPLES)
		source->examples[source->n_examples++] = arena_sv(&s->_arena, sv_cstr(reason));
}

/* Records in a row that make a leap believable while more may come. */
#define ENOUGH 100
/* What is closer to the wall clock is how things are now. */
#define NOW NS_PER_HOUR

static bool is_leap(const struct live_sources *s, const struct live_source *source, int64_t order,
		    struct instant wall)
{
	return source->counts.newest != INT64_MIN && order > source->counts.newest &&
	       order - source->counts.newest > NS_PER_DAY && wall.ns - order > NOW &&
	       order - live_sources_newest(s) > NS_PER_DAY;
}

static bool more_than_one_percent(const struct live_source *source)
{
	return source->beyond * 99 > source->counts.records;
}

bool live_source_advance(struct live_sources *s, struct live_source *source, int64_t order,
			 struct instant wall)
{
	if (is_leap(s, source, order, wall)) {
		if (source->beyond++ == 0 || order > source->beyond_newest)
			source->beyond_newest = order;
		if (source->beyond < ENOUGH || !more_than_one_percent(source))
			return false;
		order = source->beyond_newest;
	}
	if (order > source->counts.newest)
		source->counts.newest = order;
	source->beyond = 0;
	return true;
}

void live_sources_believe(struct live_sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct live_source *one = s->list[i];

		if (one->beyond == 0 || !more_than_one_percent(one))
			continue;
		one->counts.newest = one->beyond_newest;
		one->beyond = 0;
		one->changed = true;
	}
}

int64_t live_sources_newest(const struct live_sources *s)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i]->counts.newest > newest)
			newest = s->list[i]->counts.newest;
	return newest;
}

int64_t live_sources_watermark(const struct live_sources *s)
{
	int64_t newest = live_sources_newest(s), least = INT64_MAX;

	if (newest == INT64_MIN)
		return INT64_MIN;
	for (size_t i = 0; i < s->n; i++) {
		const struct live_source *one = s->list[i];
		int64_t at = one->counts.newest;

		if (one->conf == NULL)
			continue;
		if (one->waits && (one->floor == INT64_MIN || at == INT64_MIN))
			return INT64_MIN;
		if (at == INT64_MIN)
			continue;
		if (one->waits && one->floor < at)
			at = one->floor;
		if (!one->waits && newest - at > one->conf->idle.ns)
			continue;
		at -= one->conf->max_lag.ns;
		if (at < least)
			least = at;
	}
	return least == INT64_MAX ? INT64_MIN : least;
}

bool live_sources_listen(struct live_sources *s, struct instant monotonic)
{
	int64_t newest = live_sources_newest(s);
	bool changed = false;

	for (size_t i = 0; i < s->n; i++) {
		struct live_source *one = s->list[i];
		int64_t patience = one->conf != NULL ? one->conf->silence_after.ns : INT64_MAX;
		int64_t at = one->counts.newest;
		bool silent = one->conf != NULL && !one->behind &&
			      ((newest != INT64_MIN && at != INT64_MIN && newest - at > patience) ||
			       monotonic.ns - one->heard.ns > patience);

		changed |= silent != one->silent;
		one->silent = silent;
	}
	return changed;
}

enum source_status live_sources_status(const struct live_sources *s, enum sensor_kind kind)
{
	enum source_status status = SOURCE_MISSING;

	for (size_t i = 0; i < s->n; i++) {
		const struct live_source *one = s->list[i];

		if ((one->counts.sensors & 1u << kind) == 0)
			continue;
		if (!one->silent)
			return SOURCE_PRESENT;
		status = SOURCE_STALE;
	}
	return status;
}
