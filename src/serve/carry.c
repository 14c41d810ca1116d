#include "serve/carry.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/keymap.h"

/* The newest of its class. */
struct newest {
	int64_t order;
	uint64_t content;
};

struct carrying {
	struct keeper *k;
	int64_t cut, recent;
	bool copying; /* second pass */
	struct keymap classes;
	struct newest *newest;
	uint32_t n, capacity;
	/* Names of the segment being read. */
	struct sv *sources, *files;
	size_t n_sources, n_files;
	struct arena names;
};

static void hash_text(XXH3_state_t *s, struct sv v)
{
	XXH3_64bits_update(s, &v.n, sizeof(v.n));
	if (v.n > 0)
		XXH3_64bits_update(s, v.p, v.n);
}

/* What a posture says something about: a later one that says as much replaces it. */
static unsigned said(const struct posture *p)
{
	return (unsigned)(p->supervised != TRI_UNKNOWN) |
	       (unsigned)(p->managed != TRI_UNKNOWN) << 1 |
	       (unsigned)(p->compliant != TRI_UNKNOWN) << 2 |
	       (unsigned)(p->jailbroken != TRI_UNKNOWN) << 3 |
	       (unsigned)!sv_empty(p->ownership) << 4 | (unsigned)!sv_empty(p->os_version) << 5 |
	       (unsigned)!sv_empty(p->wifi_mac) << 6 | (unsigned)p->has_apps << 7 |
	       (unsigned)p->has_profiles << 8 | (unsigned)p->snapshot << 9 |
	       (unsigned)p->managed_complete << 10;
}

static uint64_t class_of(const struct observation *o)
{
	XXH3_state_t s;
	unsigned about = o->kind == OBS_POSTURE ? said(&o->posture) : (unsigned)o->lease.by << 16;

	XXH3_64bits_reset(&s);
	XXH3_64bits_update(&s, &about, sizeof(about));
	hash_text(&s, o->device.udid);
	hash_text(&s, o->device.serial);
	hash_text(&s, o->device.mac);
	hash_text(&s, o->device.user);
	hash_text(&s, o->device.mdm_id);
	if (o->kind == OBS_LEASE)
		XXH3_64bits_update(&s, o->lease.ip.b, sizeof(o->lease.ip.b));
	return XXH3_64bits_digest(&s);
}

/* Whether it counts whatever came later. */
static bool always(const struct carrying *c, const struct kept_observation *o)
{
	const struct posture *p = &o->seen.posture;

	return o->seen.kind == OBS_POSTURE &&
	       (o->order >= c->recent || (p->has_apps && !p->snapshot));
}

static bool holds(const struct carrying *c, const struct kept_observation *o)
{
	const struct lease *l = &o->seen.lease;

	return o->seen.kind == OBS_POSTURE || !instant_known(l->until) || l->until.ns > c->cut;
}

static struct newest *newest_of(struct carrying *c, uint64_t class)
{
	uint32_t *slot = keymap_slot(&c->classes, &class);

	if (*slot == KEYMAP_NONE) {
		if (c->n == c->capacity) {
			c->capacity = c->capacity == 0 ? 256 : c->capacity * 2;
			c->newest = xrealloc(c->newest, c->capacity, sizeof(*c->newest));
		}
		c->newest[c->n] = (struct newest){ INT64_MIN, 0 };
		*slot = c->n++;
	}
	return &c->newest[*slot];
}

static void copy(struct carrying *c, const struct kept_observation *o)
{
	struct kept_observation kept = *o;
	struct sv source = o->ref.source < c->n_sources ? c->sources[o->ref.source] : SV_NONE;
	struct sv path = o->ref.file < c->n_files ? c->files[o->ref.file] : SV_NONE;
	const struct live_source *s = live_sources_find(c->k->sources, source);

	if (s == NULL)
		return;
	kept.ref.source = s->number;
	kept.ref.file = keeper_file(c->k, path);
	journal_name_source(c->k->journal, s->number, s->name);
	journal_name_file(c->k->journal, kept.ref.file, path);
	journal_observation(c->k->journal, &kept);
}

static void take(void *arg, struct kept_observation *o)
{
	struct carrying *c = arg;
	struct newest *n;

	if (o->order >= c->cut || (o->seen.kind != OBS_POSTURE && o->seen.kind != OBS_LEASE))
		return;
	if (always(c, o)) {
		if (c->copying)
			copy(c, o);
		return;
	}
	n = newest_of(c, class_of(&o->seen));
	if (!c->copying) {
		if (o->order > n->order || (o->order == n->order && o->content > n->content))
			*n = (struct newest){ o->order, o->content };
	} else if (o->order == n->order && o->content == n->content && holds(c, o)) {
		copy(c, o);
		n->order = INT64_MIN; /* once */
	}
}

static void begin_segment(void *arg, uint64_t number)
{
	struct carrying *c = arg;

	(void)number;
	c->n_sources = c->n_files = 0;
	arena_reset(&c->names);
}

static void name(struct carrying *c, struct sv **list, size_t *n, uint64_t number, struct sv text)
{
	if (number > 1u << 24)
		return;
	if (number >= *n) {
		*list = xrealloc(*list, number + 1, sizeof(**list));
		for (; *n <= number; (*n)++)
			(*list)[*n] = SV_NONE;
	}
	(*list)[number] = arena_sv(&c->names, text);
}

static void name_source(void *arg, uint64_t number, struct sv text)
{
	struct carrying *c = arg;

	name(c, &c->sources, &c->n_sources, number, text);
}

static void name_file(void *arg, uint64_t number, struct sv text)
{
	struct carrying *c = arg;

	name(c, &c->files, &c->n_files, number, text);
}

static void released(void *arg, int64_t watermark)
{
	(void)arg;
	(void)watermark;
}

static void evicted(void *arg, int32_t source, int64_t before)
{
	(void)arg;
	(void)source;
	(void)before;
}

static bool pass(struct carrying *c, uint64_t from, uint64_t until, struct error *err)
{
	const struct journal_sink sink = { c,	 begin_segment, name_source, name_file,
					   take, released,	evicted };
	struct journal_position good;
	uint64_t lost = 0;

	/* Damaged blocks were passed over when the journal was opened, and are here. */
	for (uint64_t i = from; i <= until; i++)
		if (journal_replay_segment(c->k->dir, i, UINT64_MAX, true, &sink, &good, &lost,
					   err) != JOURNAL_OK)
			return false;
	return true;
}

bool carry_over(struct keeper *k, uint64_t from, uint64_t until, int64_t cut, struct error *err)
{
	struct carrying c = { .k = k, .cut = cut, .recent = cut - k->settings.posture_max_age.ns };
	bool ok;

	keymap_init(&c.classes, sizeof(uint64_t), k->_seed);
	ok = pass(&c, from, until, err);
	c.copying = true;
	ok = ok && pass(&c, from, until, err);
	keymap_free(&c.classes);
	free(c.newest);
	free(c.sources);
	free(c.files);
	arena_free(&c.names);
	return ok;
}
