/* The engine as the daemon uses it: judging again and again, forgetting, and how much it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "emit/finding_json.h"
#include "chance.h"
#include "scan/engine.h"

#define BASE (INT64_C(1795507200) * NS_PER_S)
#define HOURS 1u
#define SEED UINT64_C(0x9e3779b97f4a7c15)
enum { PROXY, FLOW, EDR, HOSTILE };

static const struct settings settings = {
	.time_window = { 10 * NS_PER_MINUTE },
	.inspection_failure_threshold = 3,
	.foreground_state_required = true,
	.score_window = { 30 * NS_PER_DAY },
	.posture_max_age = { 7 * NS_PER_DAY },
	.state_max_age = { 12 * NS_PER_HOUR },
	.baseline_days = 3,
	.baseline_devices = 5,
	.opaque_sessions = 5,
};

/* One observation of a connection. */
struct seen {
	int64_t time, duration;
	uint32_t device, host;
	uint16_t client_port, server_port; /* server port 0: 443 */
	uint16_t source;
	enum outcome outcome;
	uint32_t flow;
	uint32_t line;
};

static struct stamp stamp_of(const struct seen *s)
{
	return (struct stamp){
		.order = s->time + (s->duration > 0 ? s->duration : 0),
		.content = s->line,
		.ref = { s->source, s->line, s->source },
	};
}

static bool feed(struct engine *e, const struct seen *s)
{
	char udid[40], host[40], flow[20];
	struct observation o;

	observation_clear(&o, OBS_TLS_ATTEMPT);
	snprintf(udid, sizeof(udid), "00008110-%016X", s->device);
	snprintf(host, sizeof(host), "h%u.acme.test", s->host);
	snprintf(flow, sizeof(flow), "F%u", s->flow);
	o.time.ns = s->time;
	o.duration.ns = s->duration;
	o.sensor = s->source == FLOW ? SENSOR_FLOW : SENSOR_INSPECTION;
	o.device.udid = sv_cstr(udid);
	o.src.ip = (struct addr){ { [10] = 0xff,
				    [11] = 0xff,
				    [12] = 10,
				    [13] = (uint8_t)(s->device >> 16),
				    [14] = (uint8_t)(s->device >> 8),
				    [15] = (uint8_t)s->device } };
	o.src.port = s->client_port;
	o.dst.port = s->server_port != 0 ? s->server_port : 443;
	o.app.bundle_id = s->source == PROXY ? SV_NONE : SV("com.acme.bank");
	o.flow_id = s->flow != 0 ? sv_cstr(flow) : SV_NONE;
	o.tls.sni = sv_cstr(host);
	o.tls.outcome = s->outcome;
	o.tls.ended = s->outcome == ESTABLISHED_NO_DATA ? TRI_FALSE : TRI_UNKNOWN;
	o.tls.inspection = s->source == FLOW ? INSPECTION_UNKNOWN : INTERCEPTED;
	return engine_take(e, &o, stamp_of(s), VANTAGE_INSIDE);
}

static int by_order(const void *a, const void *b)
{
	struct stamp x = stamp_of(a), y = stamp_of(b);

	return stamp_cmp(&x, &y);
}

/* In order, handing on what nothing older can follow. */
static void feed_all(struct engine *e, const struct seen *list, size_t n)
{
	engine_init(e, &settings, SEED);
	for (size_t i = 0; i < n; i++) {
		engine_release(e, (struct instant){ stamp_of(&list[i]).order });
		assert_true(feed(e, &list[i]));
	}
	engine_release(e, (struct instant){ INT64_MAX });
}

/* Every finding as JSON. */
static void judge(struct engine *e, int64_t now, struct buf *out)
{
	static const struct sv names[] = {
		{ "proxy", 5 }, { "zeek", 4 }, { "edr", 3 }, { "new", 3 }
	};
	struct engine_view view = { .sources = names, .files = names };
	struct arena arena = { 0 };

	e->merge.now = now;
	engine_judge(e, &view, true, &arena);
	buf_init(out, (size_t)1 << 28);
	for (size_t i = 0; i < e->findings.n; i++) {
		finding_json(out, &e->findings.list[i], &settings);
		buf_char(out, '\n');
	}
	assert_false(out->overflowed);
	arena_free(&arena);
}

static void assert_same_judgement(struct engine *a, struct engine *b, int64_t now)
{
	struct buf x, y;

	judge(a, now, &x);
	judge(b, now, &y);
	assert_true(x.n > 0);
	assert_true(sv_eq(buf_view(&x), buf_view(&y)));
	buf_free(&x);
	buf_free(&y);
}

/* Few client ports, so that connections come near each other; some long ones, which join late. */
static size_t random_fleet(struct seen *list, size_t n, uint16_t sources)
{
	static const enum outcome outcomes[] = { CLIENT_REJECT, ESTABLISHED, ESTABLISHED_NO_DATA };

	for (size_t i = 0; i < n; i++)
		list[i] = (struct seen){
			.time = BASE + (int64_t)rnd(HOURS * 3600) * NS_PER_S +
				(int64_t)rnd(1000) * NS_PER_MS,
			.duration = rnd(8) == 0 ? (int64_t)rnd(3600) * NS_PER_S
						: (int64_t)rnd(3) * NS_PER_S,
			.device = 1 + rnd(3),
			.host = rnd(3),
			.client_port = (uint16_t)(rnd(5) == 0 ? 0 : 50000 + rnd(3)),
			.server_port = rnd(3) == 0 ? 8443 : 0,
			.source = (uint16_t)rnd(sources),
			.outcome = outcomes[rnd(3)],
			.flow = rnd(3) == 0 ? 1 + rnd(200) : 0,
		};
	qsort(list, n, sizeof(*list), by_order);
	for (size_t i = 0; i < n; i++)
		list[i].line = (uint32_t)i + 1;
	return n;
}

/* Which of the records the engine's attempts still stand on. */
static size_t remaining(const struct engine *e, const struct seen *list, size_t n, struct seen *out)
{
	const struct attempts *t = &e->merge.attempts;
	bool *there = calloc(n + 1, sizeof(*there));
	size_t m = 0;

	assert_non_null(there);
	for (uint32_t i = 1; i < t->n; i++) {
		struct ref_cursor c = attempt_refs(t, i);
		struct attempt_ref ref;
		while (ref_next(&c, &ref))
			there[ref.ref.line] = true;
	}
	for (size_t i = 0; i < n; i++)
		if (there[list[i].line])
			out[m++] = list[i];
	free(there);
	return m;
}

/* What has been forgotten might as well never have come. */
static void test_evicted_as_if_never(void **unused)
{
	enum { N = 600, ROUNDS = 60 };
	static struct seen list[N], rest[N];
	size_t gone = 0;

	(void)unused;
	chance = SEED;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t source = round % 3 == 0 ? ENGINE_ALL_SOURCES : rnd(2);
		int64_t before = BASE + (int64_t)rnd(HOURS * 3600) * NS_PER_S;
		struct engine evicted, never;
		size_t m;

		random_fleet(list, N, 2);
		feed_all(&evicted, list, N);
		gone += engine_evict(&evicted, source, (struct instant){ before }).attempts;
		m = remaining(&evicted, list, N, rest);
		feed_all(&never, rest, m);
		assert_same_judgement(&evicted, &never, stamp_of(&list[N - 1]).order);
		engine_free(&evicted);
		engine_free(&never);
	}
	assert_true(gone > ROUNDS);
}

/* And what comes after joins as if it had not. */
static void test_goes_on_after_eviction(void **unused)
{
	enum { N = 600, ROUNDS = 60 };
	static struct seen list[N], rest[N];

	(void)unused;
	chance = SEED + 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct engine evicted, never;
		size_t half = N / 2, m;
		int64_t before;

		random_fleet(list, N, 2);
		before = list[rnd(N / 2)].time;
		engine_init(&evicted, &settings, SEED);
		for (size_t i = 0; i < half; i++) {
			engine_release(&evicted, (struct instant){ stamp_of(&list[i]).order });
			assert_true(feed(&evicted, &list[i]));
		}
		engine_release(&evicted, (struct instant){ stamp_of(&list[half]).order });
		engine_evict(&evicted, ENGINE_ALL_SOURCES, (struct instant){ before });
		m = remaining(&evicted, list, half, rest);
		/* What still waits to be handed on has not been forgotten. */
		for (size_t i = 0; i < half; i++)
			if (stamp_of(&list[i]).order / NS_PER_S >=
			    stamp_of(&list[half]).order / NS_PER_S)
				rest[m++] = list[i];
		for (size_t i = half; i < N; i++) {
			rest[m++] = list[i];
			engine_release(&evicted, (struct instant){ stamp_of(&list[i]).order });
			assert_true(feed(&evicted, &list[i]));
		}
		engine_release(&evicted, (struct instant){ INT64_MAX });
		feed_all(&never, rest, m);
		assert_same_judgement(&evicted, &never, stamp_of(&list[N - 1]).order);
		engine_free(&evicted);
		engine_free(&never);
	}
}

/* A source that invents devices costs what it sends, and nobody else anything. */
static void test_hostile_source(void **unused)
{
	enum { HONEST = 2000, INVENTED = 40000 };
	struct seen *honest = calloc(HONEST, sizeof(*honest));
	struct seen *all = calloc(HONEST + INVENTED, sizeof(*all));
	struct engine e, without;
	struct engine_evicted gone;
	int64_t now;

	(void)unused;
	assert_true(honest != NULL && all != NULL);
	chance = SEED + 2;
	random_fleet(honest, HONEST, 2);
	memcpy(all, honest, HONEST * sizeof(*honest));
	for (uint32_t i = 0; i < INVENTED; i++)
		all[HONEST + i] = (struct seen){
			.time = BASE + (int64_t)rnd(HOURS * 3600) * NS_PER_S,
			.device = 1000 + i,
			.host = 1000 + rnd(50),
			.client_port = (uint16_t)(40000 + rnd(20000)),
			.source = HOSTILE,
			.outcome = CLIENT_REJECT,
			.line = HONEST + i + 1,
		};
	qsort(all, HONEST + INVENTED, sizeof(*all), by_order);
	now = stamp_of(&all[HONEST + INVENTED - 1]).order;
	feed_all(&e, all, HONEST + INVENTED);
	assert_true(engine_footprint(&e, HOSTILE) > 10 * engine_footprint(&e, FLOW));
	gone = engine_evict(&e, HOSTILE, (struct instant){ INT64_MAX });
	assert_int_equal(gone.attempts, INVENTED);
	assert_int_equal(engine_footprint(&e, HOSTILE), 0);
	feed_all(&without, honest, HONEST);
	assert_same_judgement(&e, &without, now);
	engine_free(&e);
	engine_free(&without);
	free(honest);
	free(all);
}

/* A long time after an attempt was packed its flow ends: the same attempt, as if it had been kept
 * open. */
static void test_joins_what_was_packed(void **unused)
{
	struct engine e;
	struct ref_cursor c;
	struct attempt_ref ref;
	struct seen first = { .time = BASE + 123456789,
			      .duration = 250 * NS_PER_MS,
			      .device = 1,
			      .client_port = 50001,
			      .source = PROXY,
			      .outcome = CLIENT_REJECT,
			      .line = 70000,
			      .flow = 7 };
	struct seen other = { .time = BASE + NS_PER_HOUR,
			      .device = 2,
			      .client_port = 50001,
			      .source = PROXY,
			      .outcome = ESTABLISHED,
			      .line = 70001 };
	struct seen last = { .time = BASE + 123456000,
			     .duration = 2 * NS_PER_HOUR,
			     .device = 1,
			     .client_port = 50001,
			     .source = FLOW,
			     .line = 3 };

	(void)unused;
	engine_init(&e, &settings, SEED);
	assert_true(feed(&e, &first));
	assert_true(feed(&e, &other));
	engine_release(&e, (struct instant){ BASE + NS_PER_HOUR + 2 * NS_PER_S });
	assert_null(attempts_peek(&e.merge.attempts, 1));
	assert_true(feed(&e, &last));
	engine_release(&e, (struct instant){ INT64_MAX });
	assert_int_equal(e.merge.attempts.n, 3); /* numbers 1 and 2 */
	attempts_note(&e.merge.attempts);
	assert_int_equal(e.merge.attempts.records[1].start, last.time);
	assert_int_equal(attempt_first_start(&e.merge.attempts, 1), first.time);
	assert_int_equal(attempt_said(&e.merge.attempts, 1)->duration, DURATION_LONG);
	c = attempt_refs(&e.merge.attempts, 1);
	assert_true(ref_next(&c, &ref));
	assert_int_equal(ref.ref.line, 70000);
	assert_int_equal(ref.time, first.time);
	assert_true(ref_next(&c, &ref));
	assert_int_equal(ref.ref.line, 3);
	assert_int_equal(ref.ref.source, FLOW);
	assert_int_equal(ref.time, last.time);
	assert_false(ref_next(&c, &ref));
	engine_end(&e);
	assert_int_equal(e.merge.attempts.records[1].start, last.time);
	assert_int_equal(attempt_first_start(&e.merge.attempts, 1), first.time);
	engine_free(&e);
}

/* Attempts of few cases, two records each, at a steady rate. */
static void feed_steadily(struct engine *e, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct seen s = { .time = BASE + (int64_t)i * 20 * NS_PER_MS,
				  .duration = 300 * NS_PER_MS,
				  .device = 1 + i % 50,
				  .host = i % 7,
				  .client_port = (uint16_t)(49152 + i / 50 % 16384),
				  .source = FLOW,
				  .outcome = ESTABLISHED,
				  .line = 2 * i + 1,
				  .flow = i + 1 };
		assert_true(feed(e, &s));
		s.source = PROXY;
		s.line++;
		s.flow = 0;
		assert_true(feed(e, &s));
		engine_release(e, (struct instant){ s.time - NS_PER_S });
	}
}

/* Lasting state is small, and nothing but it grows. */
static void test_memory_is_bounded(void **unused)
{
	enum { FIRST = 30000, N = 150000 };
	const struct attempts *t;
	struct engine e;
	uint32_t open;
	double each;

	(void)unused;
	engine_init(&e, &settings, SEED);
	t = &e.merge.attempts;
	feed_steadily(&e, 0, FIRST);
	open = t->_open_capacity;
	feed_steadily(&e, FIRST, N);
	assert_true(t->n > N - 1000);
	assert_int_equal(t->_open_capacity, open);
	assert_true(t->lost == 0);
	/* 24 bytes, 2 references of a few bytes each, and what grows by doubling is at least half
	 * full. */
	engine_end(&e);
	each = (double)attempts_footprint(t) / t->n;
	if (each > 44)
		fail_msg("an attempt takes %.1f bytes", each);
	engine_free(&e);
}

/* Judged twice, or with what was judged on the way, all is the same. */
static void test_judging_leaves_no_trace(void **unused)
{
	enum { N = 500 };
	static struct seen list[N];
	struct engine often, once;
	struct buf out;

	(void)unused;
	chance = SEED + 3;
	random_fleet(list, N, 2);
	engine_init(&often, &settings, SEED);
	for (size_t i = 0; i < N; i++) {
		engine_release(&often, (struct instant){ stamp_of(&list[i]).order });
		assert_true(feed(&often, &list[i]));
		if (i % 50 == 49) {
			judge(&often, stamp_of(&list[i]).order, &out);
			buf_free(&out);
		}
	}
	engine_release(&often, (struct instant){ INT64_MAX });
	feed_all(&once, list, N);
	assert_same_judgement(&often, &once, stamp_of(&list[N - 1]).order);
	assert_same_judgement(&often, &often, stamp_of(&list[N - 1]).order);
	assert_int_equal(often.devices.n, once.devices.n);
	engine_free(&often);
	engine_free(&once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evicted_as_if_never),
		cmocka_unit_test(test_goes_on_after_eviction),
		cmocka_unit_test(test_hostile_source),
		cmocka_unit_test(test_joins_what_was_packed),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_judging_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
