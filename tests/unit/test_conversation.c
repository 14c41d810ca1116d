#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/keylog.h"
#include "parse/parser.h"
#include "parse/talks.h"

static struct format_set *set;

static const struct parser_options noon = { .date = { INT64_C(1795521600) *
						      NS_PER_S } }; /* 2026-11-24T12:00Z */

struct run {
	struct parser *parser;
	const struct observation *o;
	size_t n;
	struct error err;
};

static void open_run(struct run *r, const char *format, const struct parser_options *options)
{
	const struct format *f = format_find(set, sv_cstr(format));

	assert_non_null(f);
	*r = (struct run){ .parser = parser_new(f, options) };
}

static enum parse_result line(struct run *r, const char *text)
{
	char *bytes = calloc(1, strlen(text) + READ_PADDING);
	enum parse_result got;

	memcpy(bytes, text, strlen(text));
	got = parser_run(r->parser, sv_make(bytes, strlen(text)), &r->o, &r->n, &r->err);
	free(bytes); /* nothing told later may borrow from an earlier line */
	return got;
}

static void finish(struct run *r) { parser_finish(r->parser, &r->o, &r->n, &r->err); }

/* Wrong: what is open at the input's end is lost, told twice, or counts as a failure. */
static void test_finish(void **state)
{
	struct run r;

	(void)state;
	open_run(&r, "mitmproxy", &noon);
	assert_int_equal(line(&r, "10.8.0.14:5001: client connect"), PARSE_IRRELEVANT);
	assert_int_equal(
	    line(&r, "10.8.0.14:5001: server connect api.bank.test:443 (203.0.113.9:443)"),
	    PARSE_IRRELEVANT);
	assert_int_equal(line(&r, "10.8.0.15:5001: server connect b.test:443 (203.0.113.9:443)"),
			 PARSE_IRRELEVANT);
	assert_int_equal(line(&r, "10.8.0.15:5001: GET https://b.test/"), PARSE_OBSERVATIONS);
	assert_int_equal(r.o[0].tls.outcome, ESTABLISHED);
	finish(&r);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.o[0].tls.outcome, INCOMPLETE);
	assert_true(sv_eq(r.o[0].dst.hostname, SV("api.bank.test")));
	finish(&r);
	assert_int_equal(r.n, 0);
	parser_free(r.parser);

	open_run(&r, "squid", &noon);
	finish(&r);
	assert_int_equal(r.n, 0);
	parser_free(r.parser);
}

/* Wrong: hostile clients that never close make memory grow without limit, or drop out unnoticed. */
static void test_bounds(void **state)
{
	struct run r;
	size_t cut = 0, more = 10;
	char text[200];

	(void)state;
	open_run(&r, "mitmproxy", &noon);
	for (size_t i = 0; i < TALKS_MAX + more; i++) {
		snprintf(text, sizeof(text),
			 "10.8.%zu.%zu:%zu: server connect host%zu.test:443 (203.0.113.9:443)",
			 i / 256 % 256, i % 256, 1000 + i / 65536, i);
		if (line(&r, text) == PARSE_IRRELEVANT)
			continue;
		assert_int_equal(r.n, 1);
		snprintf(text, sizeof(text), "host%zu.test", cut++); /* the oldest makes room */
		assert_true(sv_eq(r.o[0].dst.hostname, sv_cstr(text)));
		assert_int_equal(r.o[0].tls.outcome, INCOMPLETE);
	}
	assert_int_equal(cut, more);
	finish(&r);
	assert_int_equal(r.n, TALKS_MAX);
	parser_free(r.parser);
}

/* Wrong: a line is kept whole, whatever its length, or a cut one is misread. */
static void test_long_texts(void **state)
{
	struct run r;
	char text[5000];

	(void)state;
	open_run(&r, "mitmproxy", &noon);
	memset(text, 'a', sizeof(text));
	memcpy(text, "10.8.0.14:5001: GET https://b.test/", 35);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(line(&r, text), PARSE_OBSERVATIONS);
	assert_true(sv_eq(r.o[0].dst.hostname, SV("b.test")));
	memset(text, 'a', sizeof(text));
	memcpy(text, "10.8.0.14:5002: server connect ", 31);
	text[sizeof(text) - 1] = '\0';
	line(&r, text);
	line(&r, "10.8.0.14:5002: client disconnect");
	assert_int_equal(r.n, 1);
	assert_int_equal(r.o[0].dst.hostname.n, 0); /* longer than any name */
	parser_free(r.parser);
}

static const struct observation *late(struct run *r, const char *host)
{
	char text[200];

	snprintf(text, sizeof(text), "10.8.0.14:5001: server connect %s:443 (203.0.113.9:443)",
		 host);
	line(r, text);
	assert_int_equal(line(r, "10.8.0.14:5001: client disconnect"), PARSE_OBSERVATIONS);
	return &r->o[0];
}

/* Wrong: a host the proxy passes on is taken for one whose client left, or one it opens is
 * excused. */
static void test_ignore_hosts(void **state)
{
	const struct sv hosts[] = { SV("Push.vendor.test"), SV(".bank.test"),
				    SV("198.51.100.0/24") };
	struct parser_options options = noon;
	const struct observation *o;
	struct run r;

	(void)state;
	options.ignore_hosts = hosts;
	options.n_ignore_hosts = 3;
	open_run(&r, "mitmproxy", &options);
	for (int i = 0; i < 3; i++) {
		o = late(&r, i == 0 ? "push.vendor.test" : i == 1 ? "bank.test" : "api.bank.test");
		assert_int_equal(o->tls.inspection, BYPASSED);
		assert_int_equal(o->tls.bypass_reason, BYPASS_POLICY);
		assert_int_equal(o->tls.outcome, OUTCOME_UNKNOWN);
		assert_false(o->tls.weak_late);
	}
	o = late(&r, "mybank.test");
	assert_int_equal(o->tls.inspection, INTERCEPTED);
	assert_int_equal(o->tls.outcome, ESTABLISHED_NO_DATA);
	assert_true(o->tls.weak_late);
	line(&r, "10.8.0.14:5001: server connect x.test:443 (198.51.100.7:443)");
	line(&r, "10.8.0.14:5001: client disconnect");
	assert_int_equal(r.o[0].tls.inspection, BYPASSED);
	/* A refusal was seen inside the connection, which therefore was opened. */
	line(&r,
	     "10.8.0.14:5001: Client TLS handshake failed. The client does not trust the proxy's "
	     "certificate for api.bank.test (tlsv1 alert unknown ca)");
	assert_int_equal(r.n, 1);
	assert_int_equal(r.o[0].tls.outcome, CLIENT_REJECT);
	assert_int_equal(r.o[0].tls.inspection, INTERCEPTED);
	parser_free(r.parser);
}

/* Wrong: a midnight is missed, or a clock set back by an hour makes a day. */
static void test_midnights(void **state)
{
	static const struct {
		const char *clock;
		int64_t seconds; /* from the midnight that begins the source's day */
	} lines[] = {
		{ "22:00:00.000", -2 * 3600 }, /* the day before: one midnight is to come */
		{ "21:00:00.500", -3 * 3600 }, /* the clock was set back */
		{ "23:59:59.000", -1 },	       { "00:00:01.000", 1 },
		{ "23:59:58.000", -2 }, /* written late */
		{ "00:00:02.000", 2 },	       { "11:00:00.000", 11 * 3600 },
	};
	const int64_t midnight = INT64_C(1795478400);
	struct parser_options options = noon;
	struct run r;

	(void)state;
	options.midnights = 1;
	open_run(&r, "mitmproxy", &options);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[300];
		snprintf(text, sizeof(text),
			 "[%s][10.8.0.14:%zu] Client TLS handshake failed. The client does not "
			 "trust the "
			 "proxy's certificate for api.bank.test (tlsv1 alert unknown ca)",
			 lines[i].clock, 5000 + i);
		assert_int_equal(line(&r, text), PARSE_OBSERVATIONS);
		assert_int_equal(r.o[0].time.ns / NS_PER_S, midnight + lines[i].seconds);
	}
	parser_free(r.parser);
}

/* Wrong: the days of a file are not counted from its end. */
static void test_counting_midnights(void **state)
{
	char path[] = "/tmp/pinwatch-midnights-XXXXXX";
	const char text[] = "[23:00:00.000] HTTP(S) proxy listening at *:8080.\n"
			    "[01:00:00.000][10.8.0.14:5001] client connect\n"
			    "10.8.0.14:5001: GET https://b.test/\n"
			    "[00:30:00.000][10.8.0.14:5001] client disconnect\n"
			    "[23:00:00.000][10.8.0.14:5002] client connect\n"
			    "[02:00:00.000][10.8.0.14:5002] client disconnect\n";
	int fd = mkstemp(path);
	uint32_t midnights = 9;
	struct error err;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	assert_true(parser_midnights(format_find(set, SV("mitmproxy")), path, FRAMING_LINE,
				     &midnights, &err));
	assert_int_equal(midnights, 2);
	assert_true(
	    parser_midnights(format_find(set, SV("squid")), path, FRAMING_LINE, &midnights, &err));
	assert_int_equal(midnights, 0);
	unlink(path);
}

/* Wrong: a session's secret reaches a message, which reaches a dead letter or a terminal. */
static void test_secrets(void **state)
{
	const char secret[] = "CLIENT_RANDOM 00112233 8899aabbccddeeff";
	struct run r;

	(void)state;
	assert_true(keylog_holds(sv_cstr(secret)));
	assert_true(keylog_holds(SV("x SERVER_HANDSHAKE_TRAFFIC_SECRET 00 11")));
	assert_false(keylog_holds(SV("10.8.0.14:5001: client connect")));
	for (size_t i = 0; i < format_set_count(set); i++) {
		const struct format *f = format_set_at(set, i);
		r = (struct run){ .parser = parser_new(f, &noon) };
		if (line(&r, secret) == PARSE_REJECTED)
			assert_null(strstr(r.err.message, "8899aabb"));
		assert_int_equal(r.n, 0);
		parser_free(r.parser);
	}
	/* Not as the end of a conversation either: evidence would point at that line. */
	open_run(&r, "sslsplit_debug", &noon);
	line(&r, "SNI peek: [api.bank.test] [complete]");
	line(&r, "Error from src bufferevent: 0:- 167773208:1048:tlsv1 alert unknown ca:20:SSL "
		 "routines:(null)");
	line(&r, "SSL disconnected to [203.0.113.9]:443");
	line(&r, "SSL disconnected from [10.8.0.14]:5001");
	assert_int_equal(line(&r, secret), PARSE_IRRELEVANT);
	assert_int_equal(line(&r, "Nov 24 08:00:00 gw sslsplit[1]: CLIENT_RANDOM 00112233 8899"),
			 PARSE_IRRELEVANT);
	assert_int_equal(line(&r, "anything"), PARSE_OBSERVATIONS);
	assert_int_equal(r.o[0].tls.alert, 48);
	parser_free(r.parser);
}

static void mistake(const char *conversation, const char *wanted)
{
	char yaml[2000];
	struct error err = { 0 };

	snprintf(yaml, sizeof(yaml),
		 "format: test\ntitle: test\nsensor: inspection\ndecode: {text: {patterns: "
		 "['{peer}: {event}']}}\n"
		 "detect: {require: [peer]}\nconversation: %s\n"
		 "records: [{kind: tls_attempt, map: {time: {via: source_date}, tls.sni: host}}]\n",
		 conversation);
	assert_false(format_set_add_text(set, "test.yaml", sv_cstr(yaml), &err));
	if (strstr(err.message, wanted) == NULL || strstr(err.message, "test.yaml:") == NULL)
		fail_msg("expected %s, got %s", wanted, err.message);
}

/* Wrong: a mistake in a format file passes, or is not found again. */
static void test_mistakes(void **state)
{
	(void)state;
	mistake("{key: peer, within: 3, lines: [{when: {event: x}, keep: {host: event}}]}",
		"expected `key`, or `within`");
	mistake("{lines: [{when: {event: x}, keep: {host: event}}]}",
		"expected `key`, or `within`");
	mistake("{key: peer, parts: {number: a, of: b}, lines: [{when: {event: x}}]}",
		"expected `key`, or `within`");
	mistake("{within: 3, parts: {number: a, of: b}, lines: [{when: {event: x}}]}", "and `key`");
	mistake("{key: peer, within: 3, parts: {number: a}, lines: [{when: {event: x}}]}",
		"{number: field, of: field}");
	mistake("{key: {joint: [peer]}, lines: [{when: {event: x}}]}", "`join`");
	mistake("{within: 0, lines: [{when: {event: x}}]}", "1 to 1000");
	mistake("{key: peer, lines: {}}", "expected `lines:`");
	mistake("{key: peer, lines: [{keep: {host: event}}]}", "`when:` is missing");
	mistake("{key: peer, lines: [{when: {event: x}, keep: [host]}]}", "keep: {name: field}");
	mistake("{key: peer, lines: [{when: {event: x}, begins: true}]}", "without `key`");
	mistake("{within: 3, lines: [{when: {event: x}, decides: true}]}", "`decides` needs");
	mistake("{key: peer, lines: [{when: {event: x}, keeps: {host: event}}]}", "keep");
	mistake("{key: peer, lines: [{when: {event: x}, keep: {host: evnet}}]}", "`evnet`");
	mistake("{key: peer, lines: [{when: {event: x}, keep: {hots: event}}]}", "`host`");
}

static int setup(void **state)
{
	struct error err;

	(void)state;
	set = format_set_builtin(&err);
	if (set == NULL)
		fail_msg("%s", err.message);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	format_set_free(set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finish),	   cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_long_texts), cmocka_unit_test(test_ignore_hosts),
		cmocka_unit_test(test_midnights),  cmocka_unit_test(test_counting_midnights),
		cmocka_unit_test(test_secrets),	   cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
