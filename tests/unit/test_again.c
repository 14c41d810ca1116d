/* Judging again: an engine that follows what comes, judged after every slice, gives the findings of
 * one that takes all that has come so far and is judged once, in every field. Fleets are random,
 * small, and close together: whatever can change what was judged before does, among it late
 * records, leases, activity and posture of the past, what joins two devices, what is forgotten, and
 * other settings.
 */
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
#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define N(list) (sizeof(list) / sizeof((list)[0]))
enum { ROUNDS = 60, STEPS = 400, SOURCES = 5, MAX_FINDINGS = 4096, RULES = 3 };

static const struct sv hosts[] = { { "api.bank.test", 13 }, { "cdn.bank.test", 13 },
				   { "news.test", 9 },	    { "courier.push.apple.com", 22 },
				   { "a.test", 6 },	    { "b.test", 6 },
				   { "c.test", 6 },	    { "d.test", 6 },
				   { "e.test", 6 },	    { "f.test", 6 },
				   { "g.test", 6 },	    { "h.test", 6 } };
static const struct sv udids[] = { { "", 0 },	{ "U1", 2 }, { "U2", 2 }, { "U3", 2 },
				   { "U4", 2 }, { "U5", 2 }, { "U6", 2 } };
static const struct sv serials[] = { { "", 0 }, { "", 0 }, { "S1", 2 }, { "S2", 2 }, { "S3", 2 } };
static const struct sv users[] = { { "", 0 }, { "", 0 }, { "alice", 5 }, { "bob", 3 } };
static const struct sv bundles[] = {
	{ "", 0 }, { "com.acme.bank", 13 }, { "com.acme.news", 13 }, { "org.b", 5 }
};
static const struct sv versions[] = { { "", 0 }, { "7.1", 3 }, { "7.2", 3 } };
static const struct sv stacks[] = { { "", 0 }, { "a_b_c", 5 }, { "a_d_c", 5 } };
static const struct sv agents[] = { { "", 0 }, { "", 0 }, { "Bank/7.1 CFNetwork/1 Darwin/2", 29 } };
static const struct sv issuers[] = { { "", 0 }, { "Acme Inspection CA", 18 }, { "Public CA", 9 } };
static const struct sv payloads[] = { { "com.apple.security.root", 23 } };
static const struct sv sources[SOURCES] = {
	{ "proxy", 5 }, { "zeek", 4 }, { "edr", 3 }, { "mdm", 3 }, { "lease", 5 }
};
static const struct sv files[] = { { "log", 3 } };
static const struct allowance allowances[] = {
	{ .text = { "com.acme.*", 10 },
	  .is_app_list = true,
	  .app = { "com.acme.*", 10 },
	  .destinations = &hosts[2],
	  .n_destinations = 1,
	  .expires = { INT64_MIN } },
	{ .text = { "a.test", 6 },
	  .destinations = &hosts[4],
	  .n_destinations = 1,
	  .expires = { BASE + NS_PER_HOUR } },
};

#define PICK(list) ((list)[rnd(N(list))])

enum step_kind { TAKE, RELEASE, EVICT, RULE };

struct step {
	enum step_kind kind;
	struct observation o;
	struct stamp stamp;
	enum vantage vantage;
	struct installed_app app;
	struct profile profile;
	int64_t time;	 /* RELEASE, EVICT */
	uint32_t source; /* EVICT */
	int rule;	 /* RULE */
};

static struct addr address(uint32_t last)
{
	return (struct addr){ { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = (uint8_t)last } };
}

static void make_attempt(struct step *s)
{
	struct tls_attempt *t = &s->o.tls;

	s->o.sensor = rnd(3) == 0 ? SENSOR_FLOW : SENSOR_INSPECTION;
	s->vantage = rnd(8) == 0 ? VANTAGE_OUTSIDE : VANTAGE_INSIDE;
	s->o.app = (struct app_ref){ PICK(bundles), PICK(versions), PICK(agents) };
	s->o.src.ip = address(1 + rnd(6));
	s->o.src.port = rnd(5) == 0 ? 0 : (uint16_t)(50000 + rnd(40));
	s->o.dst = (struct endpoint){ SV_NONE, address(100 + rnd(3)), 443 };
	t->sni = hosts[rnd(3) == 0 ? 0 : rnd(N(hosts))];
	t->ja4 = PICK(stacks);
	t->issuer = PICK(issuers);
	t->outcome = (enum outcome[]){ CLIENT_REJECT, CLIENT_REJECT,	   ESTABLISHED,
				       ESTABLISHED,   ESTABLISHED_NO_DATA, UPSTREAM_FAILED,
				       MUTUAL_TLS,    OUTCOME_UNKNOWN }[rnd(8)];
	t->inspection =
	    s->o.sensor == SENSOR_FLOW
		? INSPECTION_UNKNOWN
		: (enum inspection[]){ INTERCEPTED, INTERCEPTED, INTERCEPTED, BYPASSED }[rnd(4)];
	if (t->inspection == BYPASSED)
		t->bypass_reason = (enum bypass_reason)rnd(4);
	t->bytes_out = rnd(2) == 0 ? -1 : (int64_t)(400 + rnd(400));
	t->established = (enum tri)rnd(3);
	t->ended = (enum tri)rnd(3);
	t->closed_by = (enum side)rnd(3);
	t->weak_late = rnd(6) == 0;
	if (rnd(3) == 0)
		s->o.duration.ns = (int64_t)rnd(20) * NS_PER_S;
}

static void make_activity(struct step *s)
{
	s->o.sensor = SENSOR_EDR;
	s->o.app.bundle_id = PICK(bundles);
	s->o.activity.event = (enum activity_event)rnd(ACTIVITIES);
	s->o.activity.app_state = (enum app_state)rnd(3);
	s->o.activity.device_locked = (enum tri)rnd(3);
	s->o.activity.user_interaction = (enum tri)rnd(3);
	s->o.dst.hostname = rnd(2) == 0 ? PICK(hosts) : SV_NONE;
	if (rnd(3) == 0)
		s->o.src = (struct endpoint){ .ip = address(1 + rnd(6)),
					      .port = (uint16_t)(50000 + rnd(40)) };
}

static void make_posture(struct step *s)
{
	struct posture *p = &s->o.posture;

	s->o.sensor = SENSOR_MDM;
	p->supervised = (enum tri)rnd(3);
	p->compliant = (enum tri)rnd(3);
	p->jailbroken = (enum tri)rnd(3);
	p->snapshot = rnd(2) == 0;
	p->managed_complete = rnd(4) == 0;
	p->has_apps = rnd(2) == 0;
	p->has_profiles = rnd(2) == 0;
	s->app = (struct installed_app){ bundles[1 + rnd(3)], SV("Bank"), PICK(versions),
					 (enum tri)rnd(3), (enum tri)rnd(3) };
	s->profile = (struct profile){ SV("root"), payloads, rnd(2) };
	p->apps = &s->app;
	p->n_apps = p->has_apps;
	p->profiles = &s->profile;
	p->n_profiles = p->has_profiles ? rnd(2) : 0;
}

static void make_lease(struct step *s)
{
	s->o.sensor = SENSOR_LEASE;
	s->o.lease.ip = address(1 + rnd(6));
	s->o.lease.until.ns =
	    rnd(3) == 0 ? INT64_MIN : s->o.time.ns + (int64_t)rnd(3 * 3600) * NS_PER_S;
	s->o.lease.by = (enum lease_by)rnd(6);
}

/* An observation around `now`; what says who is who often comes long after its time. */
static void make(struct step *s, int64_t now, uint32_t number)
{
	static const enum observation_kind kinds[] = {
		OBS_TLS_ATTEMPT,  OBS_TLS_ATTEMPT,  OBS_TLS_ATTEMPT, OBS_TLS_ATTEMPT,
		OBS_TLS_ATTEMPT,  OBS_TLS_ATTEMPT,  OBS_TLS_ATTEMPT, OBS_TLS_ATTEMPT,
		OBS_APP_ACTIVITY, OBS_APP_ACTIVITY, OBS_POSTURE,     OBS_LEASE
	};
	enum observation_kind kind = PICK(kinds);

	*s = (struct step){ .kind = TAKE };
	observation_clear(&s->o, kind);
	s->o.time.ns = now - (rnd(12) == 0 ? (int64_t)rnd(rnd(4) == 0 ? 200000 : 20000) * NS_PER_S
					   : (int64_t)rnd(60) * NS_PER_S);
	if (rnd(4) > 0)
		s->o.device = (struct device_keys){ .udid = PICK(udids),
						    .serial = PICK(serials),
						    .user = PICK(users) };
	switch (kind) {
	case OBS_TLS_ATTEMPT:
		make_attempt(s);
		break;
	case OBS_APP_ACTIVITY:
		make_activity(s);
		break;
	case OBS_POSTURE:
		make_posture(s);
		break;
	case OBS_LEASE:
	case OBS_KINDS:
		make_lease(s);
		break;
	}
	s->stamp =
	    (struct stamp){ .order = s->o.time.ns + (s->o.duration.ns > 0 ? s->o.duration.ns : 0),
			    .content = number * UINT64_C(0x9e3779b97f4a7c15),
			    .ref = { 0, number, (uint16_t)s->o.sensor } };
}

static struct settings rules[RULES];

static void make_rules(void)
{
	rules[0] = (struct settings){
		.time_window = { 10 * NS_PER_MINUTE },
		.inspection_failure_threshold = 2,
		.foreground_state_required = true,
		.score_window = { 30 * NS_PER_DAY },
		.posture_max_age = { NS_PER_DAY },
		.state_max_age = { NS_PER_HOUR },
		.baseline_days = 1,
		.baseline_devices = 2,
		.opaque_sessions = 2,
	};
	rules[1] = rules[0];
	rules[1].allowances = allowances;
	rules[1].n_allowances = N(allowances);
	rules[2] = rules[1];
	rules[2].inspection_failure_threshold = 4;
	rules[2].score_window.ns = 2 * NS_PER_HOUR;
	rules[2].time_window.ns = 3 * NS_PER_MINUTE;
}

static void apply(struct engine *e, const struct step *s, bool follows)
{
	switch (s->kind) {
	case TAKE:
		if (!engine_take(e, &s->o, s->stamp, s->vantage))
			engine_take_late(e, &s->o, s->stamp, s->vantage);
		break;
	case RELEASE:
		engine_release(e, (struct instant){ s->time });
		break;
	case EVICT:
		engine_evict(e, s->source, (struct instant){ s->time });
		break;
	case RULE:
		e->settings = &rules[s->rule];
		if (follows)
			engine_forget(e);
		break;
	}
}

static struct engine_view view_at(size_t round)
{
	struct engine_view view = { .sources = sources, .files = files };

	/* Which logs there are changes now and then. */
	for (size_t i = 0; i < 4; i++)
		view.log_sources[i] = round / 7 % 2 == 0 || i < 2 ? SOURCE_PRESENT : SOURCE_STALE;
	return view;
}

/* What is known of a finding: its JSON as it was when it was last looked at. */
struct known {
	char uid[37];
	uint64_t since;
	struct sv json;
};

static struct {
	struct known list[MAX_FINDINGS];
	size_t n;
	size_t outlines, as_before, wholes, faults,
	    roots;   /* counts, so that all is seen to have happened */
	bool lazily; /* some changes are not looked at at once */
} known;

static struct known *known_of(const char *uid)
{
	for (size_t i = 0; i < known.n; i++)
		if (strcmp(known.list[i].uid, uid) == 0)
			return &known.list[i];
	assert_true(known.n < MAX_FINDINGS);
	known.list[known.n] = (struct known){ 0 };
	memcpy(known.list[known.n].uid, uid, 37);
	return &known.list[known.n++];
}

static void forget_known(void)
{
	for (size_t i = 0; i < known.n; i++)
		free((char *)(uintptr_t)known.list[i].json.p);
	known.n = 0;
}

static char *json_of(const struct finding *f, const struct settings *settings, size_t *n)
{
	struct buf b;
	char *copy;

	buf_init(&b, (size_t)1 << 26);
	finding_json(&b, f, settings);
	assert_false(b.overflowed);
	copy = malloc(b.n + 1);
	assert_non_null(copy);
	memcpy(copy, b.p, b.n);
	copy[b.n] = '\0';
	*n = b.n;
	buf_free(&b);
	return copy;
}

static void assert_outline(const struct finding *f, const struct finding *whole)
{
	assert_string_equal(f->uid, whole->uid);
	assert_int_equal(f->kind, whole->kind);
	assert_int_equal(f->verdict, whole->verdict);
	assert_int_equal(f->without_lists, whole->without_lists);
	assert_true(sv_eq(f->bundle_id, whole->bundle_id) && sv_eq(f->host, whole->host) &&
		    f->port == whole->port);
	assert_int_equal(f->first_seen.ns, whole->first_seen.ns);
	assert_int_equal(f->last_seen.ns, whole->last_seen.ns);
	assert_int_equal(f->n_servers, whole->n_servers);
	assert_int_equal(f->more_servers, whole->more_servers);
	for (size_t i = 0; i < f->n_servers; i++)
		assert_true(addr_eq(&f->servers[i], &whole->servers[i]));
}

/* What the follower says of a finding, by what it said before where it says that this holds, is
 * what is so. */
static void compare(const struct engine *follower, struct finding *f, const struct finding *whole,
		    struct arena *arena)
{
	struct known *k = known_of(f->uid);
	size_t n;
	char *text = json_of(whole, follower->settings, &n);

	assert_outline(f, whole);
	known.faults += f->kind == FINDING_GATEWAY_FAULT;
	known.roots += f->kind == FINDING_CA_UNTRUSTED;
	if (f->since == 0 || k->since != f->since) {
		/* Whoever follows may leave a change for later. */
		if (f->outline && known.lazily && rnd(3) == 0) {
			free(text);
			return;
		}
		known.outlines += f->outline;
		known.wholes += !f->outline;
		if (f->outline)
			engine_fill(follower, arena, f);
		free((char *)(uintptr_t)k->json.p);
		k->json.p = json_of(f, follower->settings, &k->json.n);
		k->since = f->since;
	} else {
		known.as_before++;
	}
	if (!sv_eq(k->json, sv_make(text, n)))
		print_message("%s\n%s\n", k->json.p, text);
	assert_true(sv_eq(k->json, sv_make(text, n)));
	free(text);
}

static void judge_both(struct engine *follower, const struct step *steps, size_t n, int64_t now,
		       size_t round)
{
	struct engine_view view = view_at(round);
	struct arena arena = { 0 }, other = { 0 };
	struct engine fresh;

	engine_init(&fresh, &rules[0], ~SEED);
	for (size_t i = 0; i < n; i++)
		apply(&fresh, &steps[i], false);
	fresh.merge.now = follower->merge.now = now;
	engine_judge(follower, &view, true, &arena);
	engine_judge(&fresh, &view, true, &other);
	assert_int_equal(follower->findings.n, fresh.findings.n);
	for (size_t i = 0; i < fresh.findings.n; i++)
		compare(follower, &follower->findings.list[i], &fresh.findings.list[i], &arena);
	engine_rest(follower);
	engine_free(&fresh);
	arena_free(&arena);
	arena_free(&other);
}

/* While the gateway is out of order, everything fails: many devices, many destinations, in a few
 * minutes. */
static void make_outage(struct step *s, int64_t now, uint32_t number)
{
	do
		make(s, now, number);
	while (s->o.kind != OBS_TLS_ATTEMPT);
	s->o.time.ns = s->stamp.order = now;
	s->o.duration = SPAN_NONE;
	s->o.sensor = SENSOR_INSPECTION;
	s->stamp.ref.source = SENSOR_INSPECTION;
	s->o.device = (struct device_keys){ .udid = udids[1 + rnd(6)] };
	s->o.src.port = 0;
	s->o.tls.sni = hosts[rnd(N(hosts))];
	s->o.tls.inspection = INTERCEPTED;
	s->o.tls.bypass_reason = BYPASS_UNKNOWN;
	s->o.tls.outcome = rnd(2) == 0 ? CLIENT_REJECT : UPSTREAM_FAILED;
}

/* What was said before, once more: a further record of a connection that is known. */
static void repeat(struct step *s, const struct step *before, uint32_t number)
{
	*s = *before;
	s->stamp.content = number * UINT64_C(0x9e3779b97f4a7c15);
	s->stamp.ref.line = number;
}

static struct step step_at(const struct step *before, int64_t now, uint32_t number, bool outage)
{
	struct step s;

	if (outage) {
		make_outage(&s, now, number);
		return s;
	}
	make(&s, now, number);
	if (number > 10 && rnd(12) == 0 && before[number - 2 - rnd(9)].kind == TAKE)
		repeat(&s, &before[number - 2 - rnd(9)], number);
	if (s.kind != TAKE)
		make(&s, now, number);
	switch (rnd(40)) {
	case 0:
		return (struct step){ .kind = EVICT,
				      .source = rnd(2) == 0 ? ENGINE_ALL_SOURCES : rnd(SOURCES),
				      .time = now - (int64_t)rnd(7200) * NS_PER_S };
	case 1:
		return (struct step){ .kind = RULE, .rule = (int)rnd(RULES) };
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		return (struct step){ .kind = RELEASE, .time = now - 30 * NS_PER_S };
	default:
		return s;
	}
}

/* Steps must stay where they are: observations point into them. */
static void repoint(struct step *s)
{
	if (s->kind != TAKE || s->o.kind != OBS_POSTURE)
		return;
	s->o.posture.apps = &s->app;
	s->o.posture.profiles = &s->profile;
}

/* A record of an inspected connection, and no more than judging needs. */
static struct step plain(int64_t time, uint32_t device, struct sv host, enum outcome outcome,
			 enum inspection inspection, uint32_t number)
{
	struct step s = { .kind = TAKE, .vantage = VANTAGE_INSIDE };

	observation_clear(&s.o, OBS_TLS_ATTEMPT);
	s.o.sensor = SENSOR_INSPECTION;
	s.o.time.ns = time;
	s.o.device.udid = udids[device];
	s.o.app.bundle_id = bundles[1];
	s.o.dst.port = 443;
	s.o.tls.sni = host;
	s.o.tls.outcome = outcome;
	s.o.tls.inspection = inspection;
	s.stamp = (struct stamp){ .order = time,
				  .content = number * UINT64_C(0x9e3779b97f4a7c15),
				  .ref = { 0, number, SENSOR_INSPECTION } };
	return s;
}

/* Judges once, lets the `later` ones come, judges again. What is found of hosts[0] has to be
 * something else by then, and of its own attempts none has changed. */
static void assert_revised(const struct step *before, size_t n, const struct step *later,
			   size_t n_later)
{
	struct step steps[64];
	struct engine follower;
	struct known *k = NULL;
	uint64_t since;
	char *was;

	assert_true(n + 1 + n_later <= N(steps));
	memcpy(steps, before, n * sizeof(*steps));
	memcpy(steps + n + 1, later, n_later * sizeof(*steps));
	make_rules();
	engine_init(&follower, &rules[0], SEED);
	engine_remember(&follower, 0);
	steps[n++] = (struct step){ .kind = RELEASE, .time = BASE + 86400 * NS_PER_S };
	for (size_t i = 0; i < n; i++)
		apply(&follower, &steps[i], true);
	judge_both(&follower, steps, n, BASE + 86400 * NS_PER_S, 0);
	for (size_t i = 0; i < known.n; i++)
		if (strstr(known.list[i].json.p, "\"api.bank.test\"") != NULL)
			k = &known.list[i];
	assert_non_null(k);
	since = k->since;
	was = strdup(k->json.p);
	assert_non_null(was);
	for (size_t i = n; i < n + n_later; i++)
		apply(&follower, &steps[i], true);
	judge_both(&follower, steps, n + n_later, BASE + 86400 * NS_PER_S, 0);
	assert_true(k->since != since);
	assert_string_not_equal(k->json.p, was);
	free(was);
	engine_free(&follower);
	forget_known();
}

/* Others fail at the time of its second failure, so that this was the gateway's fault; first and
 * last stay. */
static void test_an_outage_that_comes_to_light(void **unused)
{
	struct step before[3], later[60];
	size_t n = 0;

	(void)unused;
	chance = SEED;
	for (uint32_t i = 0; i < 3; i++)
		before[i] =
		    plain(BASE + i * NS_PER_HOUR, 1, hosts[0], CLIENT_REJECT, INTERCEPTED, i + 1);
	for (uint32_t i = 0; i < 50; i++, n++)
		later[n] = plain(BASE + NS_PER_HOUR + i * NS_PER_S, 2 + i % 5, hosts[2 + i % 10],
				 CLIENT_REJECT, INTERCEPTED, 10 + i);
	assert_revised(before, 3, later, n);
}

/* The device is seen to be inspected elsewhere within TimeWindow of sessions off the baseline that
 * are not: path C. */
static void test_opacity_that_comes_to_light(void **unused)
{
	struct step before[4], later[1];

	(void)unused;
	chance = SEED;
	before[0] = plain(BASE - 3 * NS_PER_DAY, 2, hosts[2], ESTABLISHED, INTERCEPTED, 1);
	for (uint32_t i = 1; i < 4; i++) {
		before[i] =
		    plain(BASE + i * NS_PER_MINUTE, 1, hosts[0], ESTABLISHED, BYPASSED, i + 1);
		before[i].o.tls.bypass_reason = BYPASS_UNKNOWN;
		before[i].o.tls.bytes_out = 5000;
	}
	later[0] = plain(BASE + 5 * NS_PER_MINUTE, 1, hosts[4], ESTABLISHED, INTERCEPTED, 9);
	assert_revised(before, 4, later, 1);
}

static void test_again_as_once(void **unused)
{
	static struct step steps[STEPS];

	(void)unused;
	chance = SEED;
	known.lazily = true;
	make_rules();
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t now = BASE + (int64_t)rnd(86400) * NS_PER_S;
		size_t slice = 1 + rnd(40), outage_from = rnd(STEPS);
		struct engine follower;

		engine_init(&follower, &rules[0], SEED);
		engine_remember(&follower, round % 2 == 0 ? 0 : 1000);
		for (size_t i = 0; i < STEPS; i++) {
			bool outage = round % 2 == 0 && i >= outage_from && i < outage_from + 80;

			now += (int64_t)rnd(outage ? 3 : round % 3 == 0 ? 900 : 30) * NS_PER_S;
			steps[i] = step_at(steps, now, (uint32_t)i + 1, outage);
			repoint(&steps[i]);
			apply(&follower, &steps[i], true);
			if (i % slice == slice - 1 || i == STEPS - 1)
				judge_both(&follower, steps, i + 1, now, i / slice);
		}
		engine_free(&follower);
		forget_known();
	}
	print_message(
	    "# whole %zu, from an outline %zu, as before %zu; faults %zu, without root %zu\n",
	    known.wholes, known.outlines, known.as_before, known.faults, known.roots);
	assert_true(known.wholes > 1000 && known.outlines > 1000 && known.as_before > 1000);
	assert_true(known.faults > 0 && known.roots > 0);
	known.lazily = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again_as_once),
		cmocka_unit_test(test_an_outage_that_comes_to_light),
		cmocka_unit_test(test_opacity_that_comes_to_light),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
