#include "judge/footing.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

static uint64_t chain(const struct footing *f, uint64_t before, const uint64_t *words, size_t n)
{
	return XXH3_64bits_withSeed(words, n * sizeof(*words), before ^ f->_seed);
}

static void chain_postures(struct footing *f, const struct inventory *v)
{
	for (size_t i = 0; i < v->n_records; i++) {
		const struct posture_record *r = &v->records[i];
		const uint64_t words[] = {
			(uint64_t)r->time,
			(uint64_t)r->stamp.order,
			r->stamp.content,
			(uint64_t)r->stamp.ref.file << 32 | r->stamp.ref.line,
			(uint64_t)r->stamp.ref.source << 32 | r->keys,
		};

		if (r->device < f->_n)
			f->_postures[r->device] = chain(f, f->_postures[r->device], words, 5);
	}
}

static void chain_activity(struct footing *f, const struct activities *a)
{
	size_t n = 0;

	for (uint32_t d = 0; d < f->_n; d++) {
		struct group of = activity_records_of(a, d);
		uint64_t before = 0;

		f->_begin[d] = n;
		for (size_t i = 0; i < of.n; i++) {
			const struct activity_record *r = &a->records[of.items[i]];
			const uint64_t words[] = {
				(uint64_t)r->time,
				r->content,
				(uint64_t)r->line << 32 | r->what,
				(uint64_t)r->app_state << 16 | (uint64_t)r->locked << 8 |
				    r->interaction,
			};

			f->_activity[n++] = before = chain(f, before, words, 4);
		}
	}
}

void footing_build(struct footing *f, const struct context *c)
{
	*f = (struct footing){
		._n = c->devices->n,
		._n_activity = c->activities->n_records,
		._seed = c->seed,
	};
	f->_postures = xcalloc(f->_n, sizeof(*f->_postures));
	f->_begin = xcalloc(f->_n, sizeof(*f->_begin));
	f->_activity = xmalloc((f->_n_activity + 1) * sizeof(*f->_activity));
	chain_postures(f, c->postures->inventory);
	chain_activity(f, c->activities);
}

void footing_free(struct footing *f)
{
	free(f->_postures);
	free(f->_activity);
	free(f->_begin);
	*f = (struct footing){ 0 };
}

size_t footing_footprint(const struct footing *f)
{
	return f->_n * (sizeof(*f->_postures) + sizeof(*f->_begin)) +
	       f->_n_activity * sizeof(*f->_activity);
}

/* An attempt as judging reads it; what its records say beside is in `peers` and `said`. No
 * padding. */
struct footed_attempt {
	int64_t start;
	uint32_t attempt, device, version, stack, count, peers, said;
	uint32_t outcome : 8, inspection : 2, bypass_reason : 2, attribution : 3, stack_is_ja3 : 1,
	    weak_late : 1, excluded_ca : 1, excluded_gateway : 1, fine_elsewhere : 1,
	    other_app_fine : 1, intercepted_elsewhere : 1, unused : 10;
};

struct footed_device {
	uint64_t posture, activity;
	uint32_t device, name, id_type, ambiguous;
};

struct footed_rest {
	int64_t newest, first_seen, last_seen;
	uint32_t app, host, port, entry; /* 1 + the number of the allow-list entry */
	uint32_t sources[4];
	uint32_t others, answers;
};

static struct footed_attempt foot_attempt(const struct context *c, const struct fact *x)
{
	const struct attempt_record *r = &c->merge->attempts.records[x->attempt];

	return (struct footed_attempt){
		.start = x->start,
		.attempt = x->attempt,
		.device = x->device,
		.version = x->version,
		.stack = x->stack,
		.count = x->count,
		.peers = r->peers,
		.said = r->said,
		.outcome = x->outcome,
		.inspection = x->inspection,
		.bypass_reason = x->bypass_reason,
		.attribution = x->attribution,
		.stack_is_ja3 = x->stack_is_ja3,
		.weak_late = x->weak_late,
		.excluded_ca = x->excluded_ca,
		.excluded_gateway = x->excluded_gateway,
		.fine_elsewhere = x->fine_elsewhere,
		.other_app_fine = x->other_app_fine,
		.intercepted_elsewhere = x->intercepted_elsewhere,
	};
}

/* Of the device's activity up to `until`, inclusive. */
static uint64_t activity_until(const struct footing *f, const struct activities *a, uint32_t device,
			       int64_t until)
{
	struct group of = activity_records_of(a, device);
	size_t n = until == INT64_MAX ? of.n : activity_records_before(a, of, until + 1);

	return n == 0 ? 0 : f->_activity[f->_begin[device] + n - 1];
}

static struct footed_device foot_device(const struct footing *f, const struct context *c,
					uint32_t device, int64_t until)
{
	const struct device *d = &c->devices->list[device];
	/* Devices that only attempts name have neither posture nor activity. */
	bool known = device < f->_n;

	return (struct footed_device){
		.posture = known ? f->_postures[device] : 0,
		.activity = known ? activity_until(f, c->activities, device, until) : 0,
		.device = device,
		.name = d->name,
		.id_type = d->id_type,
		.ambiguous = d->ambiguous,
	};
}

static struct footed_rest foot_rest(const struct sitting *s, const struct allowance *entry)
{
	const struct bench *b = s->bench;
	const struct destination *d = &b->facts->destinations[s->destination];
	const struct others *o = &s->others;
	struct footed_rest rest = {
		.newest = s->newest,
		.first_seen = s->first_seen,
		.last_seen = s->last_seen,
		.app = s->app,
		.host = d->host,
		.port = d->port,
		.entry =
		    entry == NULL ? 0 : 1 + (uint32_t)(entry - b->context->settings->allowances),
		.others = o->active | (uint32_t)o->failing << 2 | (uint32_t)o->both << 4 |
			  (uint32_t)o->fine << 6 | (uint32_t)o->prompt << 7,
		.answers = s->baseline_learning | (uint32_t)s->off_baseline << 1 |
			   (uint32_t)s->trusting << 2,
	};

	for (int i = 0; i < 4; i++)
		rest.sources[i] = b->log_sources[i];
	return rest;
}

void footing_hash(const struct footing *f, const struct sitting *s, const struct allowance *entry,
		  uint32_t *seen, uint32_t round, uint64_t out[2])
{
	const struct context *c = s->bench->context;
	int64_t window = c->settings->time_window.ns;
	int64_t until = s->newest > INT64_MAX - window ? INT64_MAX : s->newest + window;
	struct footed_attempt *attempts = arena_alloc(s->scratch, s->n_window * sizeof(*attempts));
	struct footed_device *devices = arena_alloc(s->scratch, s->n_window * sizeof(*devices));
	struct footed_rest rest = foot_rest(s, entry);
	XXH3_state_t state;
	XXH128_hash_t hash;
	size_t n = 0;

	for (size_t i = 0; i < s->n_window; i++) {
		uint32_t device = s->window[i]->device;

		attempts[i] = foot_attempt(c, s->window[i]);
		if (seen[device] != round)
			devices[n++] = foot_device(f, c, device, until);
		seen[device] = round;
	}
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset_withSeed(&state, f->_seed);
	XXH3_128bits_update(&state, &rest, sizeof(rest));
	XXH3_128bits_update(&state, attempts, s->n_window * sizeof(*attempts));
	XXH3_128bits_update(&state, devices, n * sizeof(*devices));
	hash = XXH3_128bits_digest(&state);
	out[0] = hash.low64;
	out[1] = hash.high64;
}
