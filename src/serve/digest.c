#include "serve/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "emit/finding_json.h"

static void number(XXH3_state_t *s, int64_t n) { XXH3_128bits_update(s, &n, sizeof(n)); }

static void text(XXH3_state_t *s, struct sv v)
{
	number(s, (int64_t)v.n);
	if (v.n > 0)
		XXH3_128bits_update(s, v.p, v.n);
}

uint64_t digest_seed(const struct settings *settings)
{
	struct finding nothing = { .uid = "" };
	uint64_t seed;
	struct buf b;

	buf_init(&b, (size_t)16 * 1024 * 1024);
	finding_json(&b, &nothing, settings);
	buf_str(&b, PINWATCH_VERSION);
	seed = XXH3_64bits(b.p, b.n);
	buf_free(&b);
	return seed;
}

static void devices(XXH3_state_t *s, const struct finding *f)
{
	number(s, (int64_t)f->n_devices);
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct finding_device *d = &f->devices[i];
		const uint32_t counts[] = { d->id_type,		  d->ambiguous,
					    d->failures,	  d->trials,
					    d->successes,	  d->uninspected,
					    d->background_starts, d->locked_starts };

		text(s, d->id);
		XXH3_128bits_update(s, counts, sizeof(counts));
	}
}

static void judgement(XXH3_state_t *s, const struct finding *f)
{
	number(s, (int64_t)f->n_contributions);
	for (size_t i = 0; i < f->n_contributions; i++) {
		number(s, f->contributions[i].term);
		number(s, f->contributions[i].centidb);
		text(s, f->contributions[i].because);
	}
	for (int i = 0; i < RIVALS; i++) {
		number(s, f->rivals[i].status);
		text(s, f->rivals[i].because);
	}
	number(s, (int64_t)f->n_risk_factors);
	for (size_t i = 0; i < f->n_risk_factors; i++) {
		number(s, f->risk_factors[i].factor);
		number(s, f->risk_factors[i].points);
		text(s, f->risk_factors[i].because);
	}
}

static void evidence(XXH3_state_t *s, const struct finding *f)
{
	number(s, (int64_t)f->n_evidence);
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		text(s, e->source);
		text(s, e->path);
		number(s, e->line);
		number(s, e->time.ns);
		number(s, e->kind);
		text(s, e->what);
	}
}

struct digest digest_finding(const struct finding *f, uint64_t seed)
{
	const int64_t plain[] = {
		f->kind,
		f->verdict,
		f->attribution,
		f->port,
		f->score_centidb,
		f->confidence,
		f->risk,
		f->severity,
		f->paths,
		f->first_seen.ns,
		f->last_seen.ns,
		f->excluded_ca_untrusted,
		f->excluded_gateway_fault,
		f->log_sources[0],
		f->log_sources[1],
		f->log_sources[2],
		f->log_sources[3],
		f->controls_met,
	};
	XXH3_state_t s;
	XXH128_hash_t h;

	XXH3_INITSTATE(&s);
	XXH3_128bits_reset_withSeed(&s, seed);
	XXH3_128bits_update(&s, plain, sizeof(plain));
	text(&s, sv_cstr(f->uid));
	text(&s, f->explained_by);
	text(&s, f->bundle_id);
	text(&s, f->app_version);
	text(&s, f->host);
	devices(&s, f);
	judgement(&s, f);
	evidence(&s, f);
	h = XXH3_128bits_digest(&s);
	return (struct digest){ { h.high64, h.low64 } };
}
