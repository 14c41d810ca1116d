/* backtest/job and backtest/past over a journal made here: one at a time, cancelled, out of time,
 * out of memory; and backtest/grid: what is asked from elsewhere reads no file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backtest/job.h"
#include "conf/conf.h"
#include "scan/settings.h"
#include "store/store.h"

#define START (INT64_C(1794819600) * NS_PER_S)
#define FAILURES 5

/* A clock that the test moves; while it is held, whoever asks for the time but the first waits. */
struct test_clock {
	atomic_llong ns;
	atomic_bool held;
	atomic_int asked;
};

static struct instant now(void *arg)
{
	struct test_clock *c = arg;

	if (atomic_fetch_add(&c->asked, 1) > 0)
		while (atomic_load(&c->held))
			sched_yield();
	return (struct instant){ atomic_load(&c->ns) };
}

struct world {
	char dir[64];
	struct conf conf;
	struct settings settings;
	struct arena arena;
	struct test_clock clock;
	struct backtest_job *job;
};

static void record(struct journal *j, uint32_t n)
{
	struct kept_observation o = { .order = START + n * NS_PER_MINUTE,
				      .content = n,
				      .ref = { 1, n + 1, 0 } };

	observation_clear(&o.seen, OBS_TLS_ATTEMPT);
	o.seen.time.ns = o.order;
	o.seen.sensor = SENSOR_INSPECTION;
	o.seen.device.udid = SV("00008110-0000000000000001");
	assert_true(addr_parse(SV("10.8.0.11"), &o.seen.src.ip));
	o.seen.src.port = (uint16_t)(50000 + n);
	o.seen.dst.hostname = SV("api.bank.test");
	o.seen.dst.port = 443;
	o.seen.app.bundle_id = SV("com.acme.bank");
	o.seen.tls.sni = SV("api.bank.test");
	o.seen.tls.inspection = INTERCEPTED;
	o.seen.tls.outcome = CLIENT_REJECT;
	o.seen.tls.count = 1;
	journal_observation(j, &o);
}

/* Five rejections, a minute apart, as a daemon's checkpoint leaves them. */
static void make_state(struct world *w)
{
	char path[128];
	struct journal_options options = { path, 1 << 20 };
	struct store_checkpoint checkpoint = { .id = 1 };
	struct store_source source = { .name = SV("proxy"), .format = SV("canonical") };
	struct journal *j;
	struct store *s;
	struct error err;

	strcpy(w->dir, "/tmp/pinwatch-backtest-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(path, sizeof(path), "%s/journal", w->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	j = journal_open(&options, checkpoint.journal, NULL, &err);
	assert_non_null(j);
	journal_name_source(j, 0, SV("proxy"));
	journal_name_file(j, 1, SV("proxy.log"));
	for (uint32_t i = 0; i < FAILURES; i++)
		record(j, i);
	assert_true(journal_sync(j, &checkpoint.journal, &err));
	journal_close(j);
	snprintf(path, sizeof(path), "%s/pinwatch.db", w->dir);
	s = store_open(path, false, &err);
	assert_non_null(s);
	assert_true(store_begin(s, &err) && store_put_source(s, &source, &err) &&
		    store_put_checkpoint(s, &checkpoint, &err) && store_commit(s, &err));
	store_close(s);
}

static struct job_limits limits_of(struct world *w)
{
	return (struct job_limits){
		.time = { 60 * NS_PER_S },
		.max_changes = 10,
		.threads = 1,
		.now = now,
		.now_arg = &w->clock,
	};
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct job_limits limits = limits_of(w);

	make_state(w);
	conf_defaults(&w->conf);
	settings_from_conf(&w->settings, &w->conf, &w->arena);
	w->job = job_new(&limits);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "journal/00000001.seg", "journal",
					     "pinwatch.db",	     "pinwatch.db-wal",
					     "pinwatch.db-shm",	     "" };
	struct world *w = *state;
	char path[128];

	atomic_store(&w->clock.held, false);
	job_free(w->job);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
		remove(path);
	}
	conf_free(&w->conf);
	arena_free(&w->arena);
	free(w);
	return 0;
}

static struct job_request request(struct world *w, const char *sweep)
{
	struct job_request r = { .state_dir = w->dir,
				 .in_force = &w->settings,
				 .period = { INSTANT_NONE, INSTANT_NONE } };
	struct error err;

	assert_true(grid_sweep(&r.grid, "sweep", sv_cstr(sweep), &err));
	return r;
}

static void start(struct world *w, const char *sweep)
{
	struct job_request r = request(w, sweep);
	struct error err;
	uint64_t id;

	assert_true(job_start(w->job, &r, &id, &err));
	assert_int_equal(r.grid.n, 0); /* taken over */
}

static struct job_status end_of(struct world *w)
{
	struct job_status s;

	do {
		sched_yield();
		job_status(w->job, &s);
	} while (s.state == JOB_RUNNING);
	return s;
}

/* The thread is behind the records, and stays there: job_start is the first to ask for the time,
 * the thread the next. */
static void start_and_hold(struct world *w, const char *sweep)
{
	struct job_request r = request(w, sweep);
	struct job_status s;
	struct error err;
	uint64_t id;

	atomic_store(&w->clock.asked, 0);
	atomic_store(&w->clock.held, true);
	assert_true(job_start(w->job, &r, &id, &err));
	while (atomic_load(&w->clock.asked) < 2)
		sched_yield();
	job_status(w->job, &s);
	assert_int_equal(s.state, JOB_RUNNING);
}

static void take(void *arg, const struct backtest *b)
{
	size_t *confirmed_or_suspected = arg;

	assert_int_equal(b->n, 4);
	assert_int_equal(b->observations, FAILURES);
	assert_int_equal(b->attempts, FAILURES);
	for (size_t i = 0; i < b->n; i++)
		confirmed_or_suspected[i] = b->settings[i].by_verdict[VERDICT_CONFIRMED] +
					    b->settings[i].by_verdict[VERDICT_SUSPECTED];
}

static void judges_a_journal(void **state)
{
	struct world *w = *state;
	size_t shown[4];
	struct job_status s;

	job_status(w->job, &s);
	assert_int_equal(s.state, JOB_NONE);
	assert_false(job_result(w->job, 0, take, shown));
	start(w, "InspectionFailureThreshold=5..7");
	s = end_of(w);
	assert_int_equal(s.state, JOB_DONE);
	assert_int_equal(s.judged, 4);
	assert_int_equal(s.to_judge, 4);
	assert_true(job_result(w->job, s.id, take, shown));
	/* Five within ten minutes: enough for the 3 in force and for 5, not for 6 and 7. */
	assert_int_equal(shown[0], 1);
	assert_int_equal(shown[1], 1);
	assert_int_equal(shown[2], 0);
	assert_int_equal(shown[3], 0);
	assert_false(job_result(w->job, s.id + 1, take, shown));
}

static void one_at_a_time(void **state)
{
	struct world *w = *state;
	struct job_request second;
	struct job_status s;
	struct error err;
	uint64_t id;

	assert_false(job_cancel(w->job));
	start_and_hold(w, "InspectionFailureThreshold=1..64");
	second = request(w, "InspectionFailureThreshold=2");
	assert_false(job_start(w->job, &second, &id, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(second.grid.n, 1); /* still the caller's */
	grid_free(&second.grid);
	assert_true(job_cancel(w->job));
	atomic_store(&w->clock.held, false);
	s = end_of(w);
	assert_int_equal(s.state, JOB_CANCELLED);
	assert_false(job_result(w->job, s.id, take, NULL));
	start(w, "InspectionFailureThreshold=5..7");
	assert_int_equal(end_of(w).state, JOB_DONE);
}

static void out_of_time(void **state)
{
	struct world *w = *state;
	struct job_status s;

	start_and_hold(w, "InspectionFailureThreshold=1..64");
	atomic_store(&w->clock.ns, 61 * NS_PER_S);
	atomic_store(&w->clock.held, false);
	s = end_of(w);
	assert_int_equal(s.state, JOB_FAILED);
	assert_int_equal(s.error.code, ERROR_LIMIT);
	assert_non_null(strstr(s.error.message, "60 s"));
}

static void out_of_memory(void **state)
{
	struct world *w = *state;
	struct job_limits limits = limits_of(w);
	struct job_status s;

	limits.memory = 100;
	job_limit(w->job, &limits);
	start(w, "InspectionFailureThreshold=2");
	s = end_of(w);
	assert_int_equal(s.state, JOB_FAILED);
	assert_int_equal(s.error.code, ERROR_LIMIT);
	assert_non_null(strstr(s.error.message, "narrow it"));
}

static void ended_while_running(void **state)
{
	struct world *w = *state;

	start_and_hold(w, "InspectionFailureThreshold=1..64");
	assert_true(job_cancel(w->job));
	atomic_store(&w->clock.held, false);
	job_free(w->job); /* waits */
	w->job = NULL;
}

/* What is in force may change as soon as the job has begun. */
static void settings_are_copied(void **state)
{
	struct world *w = *state;
	struct error err;
	size_t shown[4];
	struct job_status s;

	assert_true(conf_set(&w->conf, "analytic.AllowedAppList=[{app: com.acme.*}]", &err));
	settings_from_conf(&w->settings, &w->conf, &w->arena);
	start(w, "AllowedDestinationList=[],[{destination: a.test}],[{destination: b.test}]");
	conf_free(&w->conf);
	arena_free(&w->arena);
	w->arena = (struct arena){ 0 };
	memset(&w->settings, 0xff, sizeof(w->settings));
	s = end_of(w);
	assert_int_equal(s.state, JOB_DONE);
	assert_true(job_result(w->job, s.id, take, shown));
	for (int i = 0; i < 4; i++)
		assert_int_equal(shown[i], 0); /* expected, by the list in force */
}

static void no_files_from_elsewhere(void **state)
{
	static const char *const refused[] = { "AllowedAppList=/etc/passwd",
					       "AllowedAppList=[/etc/passwd]",
					       "AllowedAppList=[{app: a.b}, /etc/passwd]",
					       "AllowedAppList=[[{app: a.b}]]",
					       "AllowedDestinationList=-",
					       "AllowedAppList=[" };
	struct grid g = { .no_files = true };
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(grid_set(&g, "set", sv_cstr(refused[i]), &err));
		assert_null(strstr(err.message, "No such file"));
		assert_non_null(strstr(err.message, "expected a list of entries"));
		assert_false(grid_sweep(&g, "sweep", sv_cstr(refused[i]), &err));
	}
	assert_int_equal(g.n, 0);
	assert_true(grid_sweep(
	    &g, "sweep", SV("AllowedAppList=[],[{app: a.b, destinations: [c.test, d.test]}],"),
	    &err));
	assert_int_equal(g.n, 3);
	grid_free(&g);
}

static void too_many(void **state)
{
	struct grid g = { 0 };
	struct error err;

	(void)state;
	assert_true(grid_sweep(&g, "sweep", SV("InspectionFailureThreshold=1..8"), &err));
	assert_true(grid_sweep(&g, "sweep", SV("TimeWindow=1m..8m"), &err));
	assert_int_equal(g.n, BACKTEST_MAX_SETTINGS);
	assert_false(grid_sweep(&g, "sweep", SV("ForegroundStateRequired=true,false"), &err));
	assert_non_null(strstr(err.message, "more than 64"));
	grid_free(&g);
	assert_false(grid_sweep(&g, "sweep", SV("TimeWindow=1s..30d"), &err));
	assert_non_null(strstr(err.message, "more than 64"));
	grid_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(judges_a_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_while_running, setup, teardown),
		cmocka_unit_test_setup_teardown(settings_are_copied, setup, teardown),
		cmocka_unit_test(no_files_from_elsewhere),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
