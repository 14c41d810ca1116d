/* Observations through the engine, and the findings through every emitter.
 *
 * The bytes are choices, not text: five for the settings, fourteen an observation, so that nearly
 * all inputs make a fleet. The same observations are taken in two orders of arrival, once released
 * bit by bit and judged in between, and have to give the same findings. What engine_evict leaves
 * has to give the findings of an engine that never saw the rest. And who follows, and looks only at
 * what a judgement says has changed since the one before, has to know the same in the end.
 */
#include "fuzz.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "emit/emit.h"
#include "emit/explain.h"
#include "emit/finding_json.h"
#include "scan/engine.h"

#define RECORD 14u
#define MAX_RECORDS 300u
#define BASE (INT64_C(1795507200) * NS_PER_S)
#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct sv devices[] = { { "00008110-000A1B2C3D4E001E", 25 },
				     { "00008110-000A1B2C3D4E002E", 25 },
				     { "", 0 },
				     { "UDID\x1b[2J\"<b>", 13 } };
static const struct sv serials[] = { { "", 0 }, { "F2LX1", 5 }, { "F2LX2", 5 } };
static const struct sv macs[] = { { "", 0 },
				  { "aa:bb:cc:00:00:01", 17 },
				  { "aa:bb:cc:00:00:02", 17 } };
static const struct sv users[] = { { "", 0 }, { "alice", 5 }, { "\xe2\x80\xae\xff", 4 } };
static const struct sv bundles[] = {
	{ "", 0 },
	{ "com.acme.bank", 13 },
	{ "com.acme.news", 13 },
	{ "com.apple.mobilesafari", 22 },
	{ "com.<script>.\x1b]0;x\x07", 19 },
};
static const struct sv hosts[] = {
	{ "", 0 },	    { "api.bank.test", 13 },	      { "cdn.bank.test", 13 },
	{ "news.test", 9 }, { "courier.push.apple.com", 22 }, { "\xff<img/src=x>\"'&.test", 19 },
};
static const struct sv versions[] = { { "", 0 }, { "7.1", 3 }, { "7.2", 3 } };
static const struct sv stacks[] = { { "", 0 },
				    { "t13d1516h2_8daaf6152771_02713d6af862", 36 },
				    { "t13d1516h2_1daaf6152771_02713d6af862", 36 },
				    { "x", 1 } };
static const struct sv agents[] = { { "", 0 },
				    { "Bank/7.1 CFNetwork/1494.0.7 Darwin/23.4.0", 41 } };
static const struct sv issuers[] = { { "", 0 }, { "Acme Inspection CA", 18 }, { "Public CA", 9 } };
static const struct sv tls_versions[] = { { "", 0 }, { "1.2", 3 }, { "1.3", 3 } };
static const struct sv flows[] = { { "", 0 }, { "C1", 2 }, { "C2", 2 }, { "C3", 2 } };
static const uint16_t ports[] = { 0, 443, 3128, 50001, 50002, 50003, 8443, 65535 };
static const int16_t alerts[] = { -1, 0, 40, 42, 45, 46, 48, 70, 80, 90, 112, 116, 120, 255 };
/* Steps in time, and the edges of what a log may claim. */
static const int64_t units[] = { NS_PER_MS, NS_PER_S, NS_PER_MINUTE, NS_PER_HOUR };
static const int64_t edges[] = {
	0, 1, NS_PER_DAY, INT64_MAX, INT64_MAX - 1, INT64_MAX - NS_PER_DAY
};
static const int64_t sizes[] = { -1, 0, 1, 517, 900, 2100, INT64_C(1) << 40, INT64_MAX };
static const struct sv payload_types[] = { { "com.apple.security.root", 23 },
					   { "com.apple.vpn.managed", 21 } };

#define PICK(list, choice) ((list)[(choice) % N(list)])

struct taken {
	struct observation o;
	struct installed_app apps[2];
	struct profile profile;
	struct stamp stamp;
	enum vantage vantage;
};

static struct addr address(unsigned last)
{
	struct addr a = { { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 8 } };

	if (last == 0)
		return (struct addr){ { 0 } };
	a.b[15] = (uint8_t)last;
	return a;
}

static void make_attempt(struct observation *o, uint64_t bits)
{
	o->tls.sni = PICK(hosts, bits & 7);
	o->tls.version = PICK(tls_versions, bits >> 3 & 3);
	o->tls.ja4 = PICK(stacks, bits >> 5 & 3);
	o->tls.issuer = PICK(issuers, bits >> 7 & 3);
	o->tls.alert = PICK(alerts, bits >> 9 & 15);
	o->tls.alert_from = (enum side)(bits >> 13 & 3);
	o->tls.outcome = (enum outcome)((bits >> 15 & 15) % OUTCOMES);
	o->tls.inspection = (enum inspection)(bits >> 19 & 3);
	o->tls.bypass_reason = (enum bypass_reason)(bits >> 21 & 3);
	o->tls.bytes_out = PICK(sizes, bits >> 23 & 7);
	o->tls.bytes_in = PICK(sizes, bits >> 26 & 7);
	o->tls.established = (enum tri)((bits >> 29 & 3) % 3);
	o->tls.server_certificate = (enum tri)((bits >> 31 & 3) % 3);
	o->tls.ended = (enum tri)((bits >> 33 & 3) % 3);
	o->tls.udp = (enum tri)((bits >> 35 & 3) % 3);
	o->tls.closed_by = (enum side)(bits >> 37 & 3);
	o->tls.close = (enum close_kind)((bits >> 39 & 7) % 5);
	o->tls.count = bits >> 42 & 1 ? 1 : bits >> 43 & 1 ? 7 : UINT32_MAX;
	o->tls.weak_late = bits >> 44 & 1;
}

static void make_posture(struct taken *t, uint64_t bits)
{
	struct posture *p = &t->o.posture;

	p->supervised = (enum tri)((bits & 3) % 3);
	p->managed = (enum tri)((bits >> 2 & 3) % 3);
	p->compliant = (enum tri)((bits >> 4 & 3) % 3);
	p->jailbroken = (enum tri)((bits >> 6 & 3) % 3);
	p->wifi_mac = PICK(macs, bits >> 8 & 3);
	p->snapshot = bits >> 10 & 1;
	p->managed_complete = bits >> 11 & 1;
	p->has_apps = bits >> 12 & 1;
	p->has_profiles = bits >> 13 & 1;
	for (size_t i = 0; i < N(t->apps); i++)
		t->apps[i] = (struct installed_app){
			.bundle_id = PICK(bundles, bits >> (14 + i * 8) & 7),
			.name = i == 0 ? SV("Bank") : SV_NONE,
			.version = PICK(versions, bits >> (17 + i * 8) & 3),
			.managed = (enum tri)((bits >> (19 + i * 8) & 3) % 3),
			.declares_pinning = bits >> (21 + i * 8) & 1 ? TRI_TRUE : TRI_UNKNOWN,
		};
	p->apps = t->apps;
	p->n_apps = p->has_apps ? bits >> 30 & 1 ? 2 : 1 : 0;
	t->profile =
	    (struct profile){ bits >> 31 & 1 ? SV("com.acme.inspection-root") : SV("other"),
			      payload_types, bits >> 32 & 1 };
	p->profiles = &t->profile;
	p->n_profiles = p->has_profiles;
}

/* Which records a source writes is the choice of whoever wrote the log, so any. */
static void make(struct taken *t, struct sv bytes)
{
	uint64_t who = fuzz_bits(&bytes, 4), when = fuzz_bits(&bytes, 4),
		 what = fuzz_bits(&bytes, 6);
	struct observation *o = &t->o;
	struct sv record = { bytes.p - RECORD, RECORD };

	observation_clear(o, (enum observation_kind)(who & 3));
	o->sensor = (enum sensor_kind)((who >> 2 & 7) % SENSORS);
	t->vantage = (enum vantage)((who >> 5 & 3) % 3);
	o->device.udid = who >> 7 & 1 ? PICK(devices, who >> 8 & 3) : SV_NONE;
	o->device.serial = PICK(serials, who >> 10 & 3);
	o->device.mac = PICK(macs, who >> 12 & 3);
	o->device.user = PICK(users, who >> 14 & 3);
	o->src =
	    (struct endpoint){ .ip = address(who >> 16 & 3), .port = PICK(ports, who >> 18 & 7) };
	o->dst = (struct endpoint){ .hostname = PICK(hosts, who >> 21 & 7),
				    .ip = address((who >> 24 & 3) * 50),
				    .port = PICK(ports, who >> 26 & 7) };
	o->flow_id = PICK(flows, who >> 29 & 3);

	o->time.ns = BASE + (int64_t)(when & 0x3ff) * PICK(units, when >> 10 & 3);
	if ((when >> 12 & 31) == 31)
		o->time.ns = PICK(edges, when >> 17 & 7);
	if (when >> 20 & 1)
		o->duration.ns = (int64_t)(when >> 21 & 31) * PICK(units, when >> 26 & 3);
	if ((when >> 28 & 15) == 15)
		o->duration.ns = PICK(edges, when >> 17 & 7);
	o->app = (struct app_ref){ PICK(bundles, when >> 17 & 7), PICK(versions, when >> 22 & 3),
				   PICK(agents, when >> 27 & 1) };

	switch (o->kind) {
	case OBS_TLS_ATTEMPT:
		make_attempt(o, what);
		break;
	case OBS_APP_ACTIVITY:
		o->activity.event = (enum activity_event)((what & 15) % ACTIVITIES);
		o->activity.app_state = (enum app_state)((what >> 4 & 3) % 3);
		o->activity.device_locked = (enum tri)((what >> 6 & 3) % 3);
		o->activity.user_interaction = (enum tri)((what >> 8 & 3) % 3);
		break;
	case OBS_POSTURE:
		make_posture(t, what);
		break;
	case OBS_LEASE:
		o->lease.ip = address((unsigned)(what & 3) + 1);
		o->lease.until.ns = what >> 2 & 1   ? o->time.ns - 1
				    : what >> 3 & 1 ? PICK(edges, what >> 4 & 7)
				    : what >> 7 & 1
					? INT64_MIN
					: BASE + (int64_t)(what >> 8 & 0xff) * NS_PER_HOUR;
		o->lease.by = (enum lease_by)((what >> 16 & 7) % 6);
		break;
	case OBS_KINDS:
		break;
	}
	t->stamp = (struct stamp){ .order = o->time.ns,
				   .content = XXH3_64bits(record.p, record.n),
				   .ref = { 0, 1, (uint16_t)o->sensor } };
	if (span_known(o->duration) &&
	    __builtin_add_overflow(o->time.ns, o->duration.ns, &t->stamp.order))
		t->stamp.order = o->time.ns;
}

/* What else a run does. */
struct choices {
	/* writes the findings out for people too, which takes longer than all the rest */
	bool emit;
	uint32_t evict_source;
	size_t evict_from; /* the record before whose start is forgotten */
};

static struct choices choose_settings(struct settings *s, struct sv *data)
{
	static const struct allowance allowances[] = {
		{ .text = { "com.acme.*", 10 },
		  .is_app_list = true,
		  .app = { "com.acme.*", 10 },
		  .destinations = &hosts[2],
		  .n_destinations = 1,
		  .expires = { INT64_MIN } },
		{ .text = { "news.test", 9 },
		  .destinations = &hosts[3],
		  .n_destinations = 1,
		  .expires = { BASE + NS_PER_DAY } },
	};
	static const struct listener listeners[] = {
		{ { { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 8, [15] = 50 } }, 3128 },
	};
	static const struct sv roots[] = { { "com.acme.inspection-root", 24 } };
	uint64_t bits = fuzz_bits(data, 5);

	*s = (struct settings){
		.time_window = { (int64_t)(bits & 15) * NS_PER_MINUTE + NS_PER_MINUTE },
		.inspection_failure_threshold = (uint32_t)(bits >> 4 & 7) + 1,
		.foreground_state_required = bits >> 7 & 1,
		.allowances = allowances,
		.n_allowances = (bits >> 8 & 3) % 3,
		.score_window = { NS_PER_DAY * (int64_t)(1 + (bits >> 10 & 7)) },
		.posture_max_age = { NS_PER_DAY * (int64_t)(1 + (bits >> 13 & 7)) },
		.state_max_age = { NS_PER_HOUR * 12 },
		.baseline_days = (uint32_t)(bits >> 16 & 3) + 1,
		.baseline_devices = (uint32_t)(bits >> 18 & 3) + 1,
		.opaque_sessions = (uint32_t)(bits >> 20 & 7) + 1,
		.root_profiles = roots,
		.n_root_profiles = bits >> 23 & 1,
		.issuers = &issuers[1],
		.n_issuers = bits >> 24 & 1,
		.listeners = listeners,
		.n_listeners = bits >> 25 & 1,
	};
	return (struct choices){
		.emit = (bits >> 26 & 15) == 0,
		.evict_source =
		    (bits >> 30 & 7) < SENSORS ? (uint32_t)(bits >> 30 & 7) : ENGINE_ALL_SOURCES,
		.evict_from = (size_t)(bits >> 33 & 127),
	};
}

static int by_order(const void *a, const void *b)
{
	return stamp_cmp(&(*(const struct taken *const *)a)->stamp,
			 &(*(const struct taken *const *)b)->stamp);
}

static int64_t newest(const struct taken *const *list, size_t n)
{
	int64_t t = INT64_MIN;

	for (size_t i = 0; i < n; i++)
		t = list[i]->stamp.order > t ? list[i]->stamp.order : t;
	return t;
}

static void judge(struct engine *e, const struct taken *const *list, size_t n, struct arena *a)
{
	static const struct sv sources[SENSORS] = {
		{ "proxy", 5 }, { "zeek", 4 }, { "edr", 3 }, { "mdm", 3 }, { "lease\x1b", 6 }
	};
	static const struct sv files[] = { { "no-such-file", 12 } };
	struct engine_view view = { .sources = sources, .files = files };

	for (size_t i = 0; i < 4; i++)
		view.log_sources[i] = SOURCE_MISSING;
	for (size_t i = 0; i < n; i++)
		if (list[i]->o.sensor < SENSOR_LEASE)
			view.log_sources[list[i]->o.sensor] = SOURCE_PRESENT;
	e->merge.now = newest(list, n);
	engine_judge(e, &view, true, a);
}

static void check_finding(const struct finding *f)
{
	int64_t sum = 0;

	for (size_t i = 0; i < f->n_contributions; i++)
		sum += f->contributions[i].centidb;
	fuzz_require(f->kind != FINDING_PINNING || sum == f->score_centidb);
	fuzz_require(f->risk >= 0 && f->risk <= 100);
	fuzz_require(f->first_seen.ns <= f->last_seen.ns);
	/* All of it may be excluded. */
	fuzz_require(f->n_devices > 0 || f->kind == FINDING_GATEWAY_FAULT ||
		     f->excluded_ca_untrusted > 0 || f->excluded_gateway_fault > 0);
}

static void write_findings(const struct engine *e, struct buf *out)
{
	for (size_t i = 0; i < e->findings.n; i++) {
		size_t from = out->n;

		check_finding(&e->findings.list[i]);
		finding_json(out, &e->findings.list[i], e->settings);
		fuzz_require(!out->overflowed);
		fuzz_json(sv_skip(buf_view(out), from));
		buf_char(out, '\n');
	}
}

/* What people see may not steer their terminals, and no name becomes an element of the report. */
static void check_emitters(const struct engine *e)
{
	const struct run_summary summary = { .first = INSTANT_NONE,
					     .last = INSTANT_NONE,
					     .overlap_from = INSTANT_NONE,
					     .overlap_to = INSTANT_NONE };
	const struct emit_input in = { .findings = e->findings.list,
				       .n = e->findings.n,
				       .all = true,
				       .summary = &summary,
				       .settings = e->settings,
				       .style = { .width = 100 } };
	const struct explain_options explain = { .settings = e->settings,
						 .style = { .width = 80 } };
	struct buf page;

	for (size_t i = 0; emitter_at(i) != NULL; i++) {
		struct error err = { 0 };
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		fuzz_require(emitter_at(i)->write(out, &in, &err));
		fclose(out);
		if (emitter_at(i)->for_people)
			fuzz_harmless(sv_make(text, n), true);
		if (sv_eq(sv_cstr(emitter_at(i)->name), SV("html")))
			fuzz_require(sv_find(sv_make(text, n), SV("<script>")) == SIZE_MAX &&
				     sv_find(sv_make(text, n), SV("<img/src")) == SIZE_MAX);
		free(text);
	}
	buf_init(&page, EXPLAIN_MAX_BYTES);
	for (size_t i = 0; i < e->findings.n && i < 4; i++) {
		buf_reset(&page);
		explain_finding(&page, &e->findings.list[i], &explain);
		explain_evidence(&page, &e->findings.list[i], &explain);
		fuzz_harmless(buf_view(&page), true);
	}
	buf_free(&page);
}

/* Takes the records in event-time order, handing each on as soon as nothing older can come, or
 * backwards and all at the end. */
static void run(struct engine *e, const struct settings *settings, uint64_t seed,
		const struct taken *const *list, size_t n, bool backwards, bool emit,
		struct buf *out)
{
	struct arena arena = { 0 };

	engine_init(e, settings, seed);
	for (size_t i = 0; i < n; i++) {
		const struct taken *t = list[backwards ? n - 1 - i : i];

		if (!backwards)
			engine_release(e, (struct instant){ t->stamp.order });
		fuzz_require(engine_take(e, &t->o, t->stamp, t->vantage));
		/* What is judged on the way changes nothing of what comes. */
		if (!backwards && i % 8 == 7)
			judge(e, list, i + 1, &arena);
	}
	engine_release(e, (struct instant){ INT64_MAX });
	judge(e, list, n, &arena);
	write_findings(e, out);
	if (emit)
		check_emitters(e);
	engine_free(e);
	arena_free(&arena);
}

/* A finding as it was when it was last looked at. */
struct followed {
	char uid[37];
	uint64_t since;
	struct buf json;
};

static struct followed *followed_of(struct followed **list, size_t *n, const char *uid)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*list)[i].uid, uid) == 0)
			return &(*list)[i];
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[*n] = (struct followed){ 0 };
	memcpy((*list)[*n].uid, uid, sizeof((*list)[*n].uid));
	buf_init(&(*list)[*n].json, (size_t)1 << 28);
	return &(*list)[(*n)++];
}

static void look_at_news(struct engine *e, struct arena *arena, struct followed **list, size_t *n)
{
	for (size_t i = 0; i < e->findings.n; i++) {
		struct finding *f = &e->findings.list[i];
		struct followed *k;

		if (f->since == 0 || (k = followed_of(list, n, f->uid))->since == f->since)
			continue;
		if (f->outline)
			engine_fill(e, arena, f);
		k->since = f->since;
		buf_reset(&k->json);
		finding_json(&k->json, f, e->settings);
		buf_char(&k->json, '\n');
	}
}

static void check_following(const struct settings *settings, const struct taken *const *records,
			    size_t n_records, struct sv findings)
{
	struct followed *list = NULL;
	struct arena arena = { 0 };
	struct engine e;
	struct buf all;
	size_t n = 0;

	engine_init(&e, settings, SEED);
	engine_remember(&e, 0);
	for (size_t i = 0; i <= n_records; i++) {
		bool last = i == n_records;

		engine_release(&e, (struct instant){ last ? INT64_MAX : records[i]->stamp.order });
		if (!last)
			engine_take(&e, &records[i]->o, records[i]->stamp, records[i]->vantage);
		if (!last && i % 8 != 7)
			continue;
		judge(&e, records, last ? i : i + 1, &arena);
		look_at_news(&e, &arena, &list, &n);
	}
	buf_init(&all, (size_t)1 << 28);
	for (size_t i = 0; i < e.findings.n; i++) {
		const struct finding *f = &e.findings.list[i];

		if (f->since != 0) {
			buf_sv(&all, buf_view(&followed_of(&list, &n, f->uid)->json));
			continue;
		}
		finding_json(&all, f, settings);
		buf_char(&all, '\n');
	}
	fuzz_require_same(buf_view(&all), findings);
	buf_free(&all);
	for (size_t i = 0; i < n; i++)
		buf_free(&list[i].json);
	free(list);
	engine_free(&e);
	arena_free(&arena);
}

/* Where the engine still holds the record (line − 1). */
struct held {
	bool attempt, other;
};

static void note_held(const struct engine *e, struct held *held)
{
	for (uint32_t i = 1; i < e->merge.attempts.n; i++) {
		struct ref_cursor c = attempt_refs(&e->merge.attempts, i);
		struct attempt_ref ref;
		while (ref_next(&c, &ref))
			held[ref.ref.line - 1].attempt = true;
	}
	for (size_t i = 0; i < e->activities.n_records; i++)
		held[e->activities.records[i].line - 1].other = true;
	for (size_t i = 0; i < e->leases.n_records; i++)
		held[e->leases.records[i].stamp.ref.line - 1].other = true;
	for (size_t i = 0; i < e->inventory.n_records; i++)
		held[e->inventory.records[i].stamp.ref.line - 1].other = true;
}

static void take_all(struct engine *e, const struct settings *settings,
		     const struct taken *const *list, const size_t *which, size_t n)
{
	engine_init(e, settings, SEED);
	for (size_t i = 0; i < n; i++) {
		const struct taken *t = list[which[i]];
		struct stamp stamp = t->stamp;
		stamp.ref.line = (uint32_t)which[i] + 1;
		engine_release(e, (struct instant){ stamp.order });
		engine_take(e, &t->o, stamp, t->vantage);
	}
	engine_release(e, (struct instant){ INT64_MAX });
}

static void judge_into(struct engine *e, const struct taken *const *list, size_t n, struct buf *out)
{
	struct arena arena = { 0 };

	judge(e, list, n, &arena);
	write_findings(e, out);
	arena_free(&arena);
}

/* What has been forgotten might as well never have come. */
static void check_eviction(const struct settings *settings, const struct choices *c,
			   const struct taken *const *list, size_t n)
{
	static struct engine evicted, never;
	struct held before[MAX_RECORDS] = { 0 }, after[MAX_RECORDS] = { 0 };
	size_t which[MAX_RECORDS], m = 0;
	struct engine_evicted gone;
	struct buf a, b;
	bool half = false;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		which[i] = i;
	take_all(&evicted, settings, list, which, n);
	note_held(&evicted, before);
	gone = engine_evict(&evicted, c->evict_source, list[c->evict_from % n]->o.time);
	note_held(&evicted, after);
	for (size_t i = 0; i < n; i++) {
		/* Activity may be forgotten while the attempt that it joined stays. */
		half |=
		    (before[i].attempt && before[i].other) && after[i].attempt != after[i].other;
		if (after[i].attempt || after[i].other)
			which[m++] = i;
	}
	fuzz_require(half || m < n ||
		     gone.attempts + gone.activities + gone.leases + gone.postures == 0);
	if (!half) {
		take_all(&never, settings, list, which, m);
		buf_init(&a, (size_t)1 << 28);
		buf_init(&b, (size_t)1 << 28);
		judge_into(&evicted, list, n, &a);
		judge_into(&never, list, n, &b);
		fuzz_require_same(buf_view(&a), buf_view(&b));
		buf_free(&a);
		buf_free(&b);
		engine_free(&never);
	}
	engine_free(&evicted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct taken records[MAX_RECORDS]; /* too large for a stack */
	const struct taken *list[MAX_RECORDS];
	struct sv bytes = { (const char *)data, size };
	struct settings settings;
	struct engine engine;
	struct buf findings, again;
	struct choices choices = choose_settings(&settings, &bytes);
	size_t n = 0;

	for (; bytes.n >= RECORD && n < MAX_RECORDS; bytes = sv_skip(bytes, RECORD), n++) {
		records[n] = (struct taken){ 0 };
		make(&records[n], sv_first(bytes, RECORD));
		list[n] = &records[n];
	}
	qsort(list, n, sizeof(list[0]), by_order);
	buf_init(&findings, (size_t)1 << 28);
	buf_init(&again, (size_t)1 << 28);
	run(&engine, &settings, SEED, list, n, false, choices.emit, &findings);
	run(&engine, &settings, ~SEED, list, n, true, false, &again);
	fuzz_require_same(buf_view(&findings), buf_view(&again));
	check_following(&settings, list, n, buf_view(&findings));
	check_eviction(&settings, &choices, list, n);
	buf_free(&findings);
	buf_free(&again);
	return 0;
}
