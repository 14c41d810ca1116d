/* What accuracy is measured with: the rule of thumb, the comparison by host, the proxy's event log,
 * noise. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "sim/naive.h"
#include "sim/sim.h"

/* bank.test is pinned by one app of two, shop.test fine, push.test allowed. */
static const char truth[] =
    "{\"schema\":\"pinwatch.truth/1\",\"cases\":["
    "{\"app\":\"a.bank\",\"host\":\"bank.test\",\"port\":443,\"label\":\"pinned\","
    "\"expect\":{\"verdict\":[\"confirmed\"]}},"
    "{\"app\":\"a.web\",\"host\":\"bank.test\",\"port\":443,\"label\":\"not_pinned\","
    "\"expect\":{\"verdict\":[\"observed\"]}},"
    "{\"app\":\"a.shop\",\"host\":\"shop.test\",\"port\":443,\"label\":\"not_pinned\","
    "\"expect\":{\"verdict\":[\"observed\"]}},"
    "{\"app\":\"a.push\",\"host\":\"push.test\",\"port\":443,\"label\":\"pinned\","
    "\"expect\":{\"verdict\":[\"expected\"]}}],"
    "\"devices\":[{\"udid\":\"D9\",\"label\":\"ca_untrusted\",\"addresses\":[\"10.8.0.9\"]}],"
    "\"spans\":[]}";

static void begin(struct score *s)
{
	struct error err;

	*s = (struct score){ 0 };
	if (!score_truth(s, sv_cstr(truth), &err))
		fail_msg("%s", err.message);
}

static void find(struct score *s, const char *line)
{
	struct error err;

	if (!score_finding(s, sv_cstr(line), &err))
		fail_msg("%s", err.message);
}

/* A refusal of client 10.8.0.`client`, `seconds` into the day. */
static void refuse(struct naive *n, const char *host, uint8_t client, int64_t seconds,
		   uint32_t count)
{
	struct observation o;

	observation_clear(&o, OBS_TLS_ATTEMPT);
	o.sensor = SENSOR_INSPECTION;
	o.time.ns = seconds * NS_PER_S;
	o.src.ip.b[15] = client;
	o.tls.sni = sv_cstr(host);
	o.tls.outcome = CLIENT_REJECT;
	o.tls.count = count;
	naive_take(n, &o);
}

static bool raised(const struct naive *n, unsigned threshold, size_t found, size_t false_alarms)
{
	return n->all[threshold].found == found && n->all[threshold].false_alarms == false_alarms;
}

/* Fails if refusals outside ten minutes, of other clients or of other hosts are added up, or a
 * record that stands for several counts as one. */
static void test_naive_counts_one_client_in_ten_minutes(void **state)
{
	struct score s;
	struct naive n = { 0 };

	(void)state;
	begin(&s);
	refuse(&n, "bank.test", 1, 700, 1);
	refuse(&n, "bank.test", 1, 100, 1);  /* in any order; exactly ten minutes apart */
	refuse(&n, "bank.test", 1, 1301, 1); /* a second past the window of the one before */
	refuse(&n, "bank.test", 2, 700, 1);
	refuse(&n, "shop.test", 1, 700, 3);
	score_finish(&s);
	naive_finish(&n, &s);
	assert_true(raised(&n, 1, 1, 1));
	assert_true(raised(&n, 2, 1, 1));
	assert_true(raised(&n, 3, 0, 1));
	assert_true(raised(&n, 4, 0, 0));
	assert_int_equal(naive_best(n.all), 1);
	naive_free(&n);
	score_free(&s);
}

/* Fails if the rule is shown what it is not about: other outcomes, other sensors. */
static void test_naive_sees_the_proxys_refusals_only(void **state)
{
	struct naive n = { 0 };
	struct observation o;

	(void)state;
	observation_clear(&o, OBS_TLS_ATTEMPT);
	o.sensor = SENSOR_FLOW;
	o.tls.sni = SV("bank.test");
	o.tls.outcome = CLIENT_REJECT;
	naive_take(&n, &o);
	o.sensor = SENSOR_INSPECTION;
	o.tls.outcome = CLIENT_SILENT_CLOSE;
	naive_take(&n, &o);
	observation_clear(&o, OBS_POSTURE);
	naive_take(&n, &o);
	assert_int_equal(n.n, 0);
	naive_free(&n);
}

/* Fails if a listed host counts against the rule where it is to be left out, or a host that the
 * truth does not know is forgotten. */
static void test_naive_listed_and_unknown_hosts(void **state)
{
	struct score s;
	struct naive n = { 0 };

	(void)state;
	begin(&s);
	refuse(&n, "push.test", 1, 10, 5);
	refuse(&n, "zz.test", 1, 10, 5);
	score_finish(&s);
	naive_finish(&n, &s);
	assert_int_equal(n.all[5].false_alarms, 2);
	assert_int_equal(n.unlisted[5].false_alarms, 1);
	assert_int_equal(n.unlisted[5].missed, 1);
	assert_int_equal(n.all[6].false_alarms, 0);
	naive_free(&n);
	score_free(&s);
}

/* Fails if a finding without app at a host of several apps is never done with, or wrongs one of
 * them. */
static void test_score_shared_host_without_app(void **state)
{
	struct score s;
	struct tally t;

	(void)state;
	begin(&s);
	find(&s, "{\"kind\":\"pinning\",\"verdict\":\"confirmed\",\"app\":null,"
		 "\"destination\":{\"host\":\"bank.test\",\"port\":443},\"devices\":[]}");
	score_finish(&s);
	assert_int_equal(s.outcomes[SCORE_TP], 1);
	assert_int_equal(s.outcomes[SCORE_FP], 0);
	t = score_by_host(&s, false);
	assert_int_equal(t.found, 1);
	assert_int_equal(t.missed, 0);
	assert_true(tally_f1(&t) == 1.0);
	score_free(&s);
}

/* Fails if the phone without the root is not recognised by its address where that is all a finding
 * knows. */
static void test_score_device_by_address(void **state)
{
	struct score s;

	(void)state;
	begin(&s);
	find(&s, "{\"kind\":\"ca_untrusted\",\"verdict\":\"confirmed\",\"devices\":[{\"id\":\"10.8."
		 "0.9\"}]}");
	find(&s, "{\"kind\":\"ca_untrusted\",\"verdict\":\"confirmed\",\"devices\":[{\"id\":\"10.8."
		 "0.8\"}]}");
	score_finish(&s);
	assert_true(s.devices[0].found);
	assert_int_equal(s.n_extras, 1);
	score_free(&s);
}

static void make_folder(char path[64])
{
	snprintf(path, 64, "/tmp/pinwatch-accuracy-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static void drop_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char file[512];
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			unlink(file);
	}
	closedir(d);
	rmdir(path);
}

static void simulate(const char *folder, enum sim_profile profile, unsigned noise,
		     struct sim_report *report)
{
	const struct sim_options o = { .seed = 3,
				       .devices = 20,
				       .days = 3,
				       .start = INSTANT_NONE,
				       .out = folder,
				       .profile = profile,
				       .noise = noise };
	struct error err;

	if (!sim_run(&o, report, &err))
		fail_msg("%s", err.message);
}

/* Fails if the days of the event log cannot be told: they stand nowhere but in the files' times. */
static void test_event_log_is_dated_by_its_files(void **state)
{
	struct sim_report report;
	char folder[64], path[128];
	struct stat st;

	(void)state;
	make_folder(folder);
	simulate(folder, SIM_MITMPROXY, 0, &report);
	for (int day = 16; day <= 18; day++) {
		struct instant end = instant_from_civil(2026, 11, (unsigned)day, 23, 59, 59, 0);
		snprintf(path, sizeof(path), "%s/mitmdump-2026-11-%d.log", folder, day);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mtim.tv_sec, end.ns / NS_PER_S);
	}
	snprintf(path, sizeof(path), "%s/squid-access.log", folder);
	assert_int_not_equal(stat(path, &st), 0);
	drop_folder(folder);
}

/* Fails if noise leaves a fleet as it was, or cannot be had again by its seed. */
static void test_noise_is_noise_and_repeatable(void **state)
{
	struct sim_report quiet, noisy, again;
	char folder[64];

	(void)state;
	make_folder(folder);
	simulate(folder, SIM_CANONICAL, 0, &quiet);
	simulate(folder, SIM_CANONICAL, 2, &noisy);
	simulate(folder, SIM_CANONICAL, 2, &again);
	assert_int_not_equal(quiet.lines, noisy.lines);
	assert_int_equal(noisy.lines, again.lines);
	assert_int_equal(noisy.connections, again.connections);
	drop_folder(folder);
}

/* Fails if a level that there is not is taken for one. */
static void test_noise_is_bounded(void **state)
{
	const struct sim_options o = { .seed = 1,
				       .devices = 1,
				       .days = 1,
				       .start = INSTANT_NONE,
				       .out = "/nonexistent/fleet",
				       .noise = SIM_MAX_NOISE + 1 };
	struct sim_report report;
	struct error err;

	(void)state;
	assert_false(sim_run(&o, &report, &err));
	assert_int_equal(err.code, ERROR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_naive_counts_one_client_in_ten_minutes),
		cmocka_unit_test(test_naive_sees_the_proxys_refusals_only),
		cmocka_unit_test(test_naive_listed_and_unknown_hosts),
		cmocka_unit_test(test_score_shared_host_without_app),
		cmocka_unit_test(test_score_device_by_address),
		cmocka_unit_test(test_event_log_is_dated_by_its_files),
		cmocka_unit_test(test_noise_is_noise_and_repeatable),
		cmocka_unit_test(test_noise_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
