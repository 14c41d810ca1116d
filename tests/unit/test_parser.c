#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "parse/json.h"
#include "parse/parser.h"

static struct format_set *set;

/* A parser on a built-in or added format, with the record padded as the reader does. */
struct run {
	struct parser *parser;
	const struct observation *o;
	size_t n;
	struct error err;
	char *bytes;
};

static void run_open(struct run *r, const char *format, const struct parser_options *options)
{
	static const struct parser_options none = { .date = { INT64_MIN } };
	const struct format *f = format_find(set, sv_cstr(format));

	if (f == NULL)
		fail_msg("no format %s", format);
	*r = (struct run){ .parser = parser_new(f, options != NULL ? options : &none) };
}

static enum parse_result run_text(struct run *r, struct sv record)
{
	free(r->bytes);
	r->bytes = calloc(1, record.n + READ_PADDING);
	memcpy(r->bytes, record.p, record.n);
	return parser_run(r->parser, sv_make(r->bytes, record.n), &r->o, &r->n, &r->err);
}

static void run_close(struct run *r)
{
	parser_free(r->parser);
	free(r->bytes);
}

static void is_text(struct sv got, const char *want)
{
	if (!sv_eq(got, sv_cstr(want)))
		fail_msg("expected %s, got %.*s", want, SV_ARG(got));
}

static void add(const char *yaml)
{
	struct error err;

	if (!format_set_add_text(set, "test.yaml", sv_cstr(yaml), &err))
		fail_msg("%s", err.message);
}

static void refused(const char *yaml, const char *message)
{
	struct error err = { 0 };

	if (format_set_add_text(set, "test.yaml", sv_cstr(yaml), &err))
		fail_msg("accepted: %s", yaml);
	if (strstr(err.message, message) == NULL)
		fail_msg("expected `%s` in `%s`", message, err.message);
	assert_int_equal(err.code, ERROR_CONFIG);
}

static int setup(void **state)
{
	struct error err;

	(void)state;
	set = format_set_builtin(&err);
	if (set == NULL)
		print_error("%s\n", err.message);
	return set != NULL ? 0 : 1;
}

static int teardown(void **state)
{
	(void)state;
	format_set_free(set);
	return 0;
}

#define HEAD "format: t\ntitle: T\nsensor: flow\n"
#define DETECT "detect: {require: [a]}\n"

/* Wrong: a slip in a format file is swallowed, or nobody is told where it stands. */
static void test_mistakes(void **state)
{
	(void)state;
	refused("", "test.yaml");
	refused("format: [", "test.yaml:");
	refused(HEAD "decod: json\n" DETECT "records: [{kind: lease}]\n",
		"test.yaml:4:1: unknown key `decod`; did you mean `decode`?");
	refused(HEAD "decode: jsn\n" DETECT "records: [{kind: lease}]\n", "did you mean json");
	refused(HEAD "decode: json\n" DETECT "records: [{kind: lease, map: {tim: a}}]\n",
		"test.yaml:6:31: no field is called `tim`; did you mean `time`?");
	refused(HEAD "decode: json\n" DETECT "records: [{kind: lease, map: {outcome: a}}]\n",
		"`outcome` is no field of this kind of record");
	refused(HEAD "decode: json\n" DETECT
		     "records: [{kind: lease, map: {time: {from: a, via: epoch}}}]\n",
		"no derivation is called `epoch`");
	refused(HEAD "decode: json\n" DETECT
		     "records: [{kind: lease, map: {time: {from: a, via: seconds}}}]\n",
		"`seconds` makes no value for `time`");
	refused(HEAD "decode: json\n" DETECT
		     "records: [{kind: lease, map: {time: {from: a, via: [time, trim]}}}]\n",
		"`time` makes no text; it has to come last");
	refused(HEAD "decode: json\n" DETECT
		     "records: [{kind: lease, set: {by: carrier_pigeon}}]\n",
		"`carrier_pigeon` is no value of `by`: expected dhcp, radius, vpn, ztna or static");
	refused(HEAD "decode: json\n" DETECT "records: [{kind: leas}]\n", "expected kind:");
	refused(HEAD "decode: json\n" DETECT "records: [{kind: lease, when: {a: {hass: b}}}]\n",
		"did you mean `has`");
	refused(HEAD "decode: json\n" DETECT "records: [{kind: lease, map: {time: a, time: b}}]\n",
		"stands here twice");
	refused(HEAD "decode: json\n" DETECT, "expected `records:`");
	refused(HEAD "decode: json\nrecords: [{kind: lease}]\n", "`detect:` is missing");
	refused(HEAD "like: nothing\n" DETECT, "no format is called `nothing`");
	refused(HEAD "decode: {text: {patterns: ['{a} {b']}}\n" DETECT "records: [{kind: lease}]\n",
		"`{` without `}`");
	refused(HEAD "decode: {text: {patterns: ['{a}{b}']}}\n" DETECT "records: [{kind: lease}]\n",
		"between two fields stands a text");
	refused(HEAD "decode: {text: {patterns: ['{a} {b}']}}\n" DETECT
		     "records: [{kind: lease, map: {ip: c}}]\n",
		"nothing in `decode:` delivers the field `c`");
	refused(HEAD "decode: {delimited: {}}\ndetect: {require: ['1']}\n"
		     "records: [{kind: lease, map: {ip: name}}]\n",
		"delivers the field `name`");
	refused("format: Bad Name\ntitle: T\nsensor: flow\n", "lower-case letters");
}

/* Wrong: the vendor that docs/formats.md adds, by these very lines, is not read. */
static void test_adding_a_vendor(void **state)
{
	struct run r;

	(void)state;
	add("format: acme_gateway\n"
	    "title: Acme gateway, key=value\n"
	    "sensor: inspection\n"
	    "syslog: true\n"
	    "decode: {keyvalue: {}}\n"
	    "detect: {require: [src, sni, verdict]}\n"
	    "records:\n"
	    "  - kind: tls_attempt\n"
	    "    set: {inspection: intercepted}\n"
	    "    map:\n"
	    "      time: [syslog.time, {via: source_date}]\n"
	    "      src_endpoint.ip: src\n"
	    "      tls.sni: sni\n"
	    "      outcome: {from: verdict, words: {\"client refused\": client_reject, ok: "
	    "established}}\n");
	run_open(&r, "acme_gateway", NULL);
	assert_int_equal(run_text(&r, SV("<14>1 2026-11-24T08:00:00Z gw acme 1 - - src=10.8.0.14 "
					 "sni=API.Bank.test verdict=\"client refused\"")),
			 PARSE_OBSERVATIONS);
	assert_int_equal(r.o->tls.outcome, CLIENT_REJECT);
	assert_int_equal(r.o->tls.inspection, INTERCEPTED);
	is_text(r.o->tls.sni, "api.bank.test");
	assert_true(r.o->time.ns == INT64_C(1795507200) * NS_PER_S);
	run_close(&r);
}

/* Wrong: columns by number, fallbacks, conditions, cases or item lists do other than
 * docs/formats.md says. */
static void test_mapping(void **state)
{
	static const struct sv lines[] = {
		{ "1795507200,10.8.0.14,,bank,x", 29 },
		{ "1795507201,10.8.0.15,\"a,b\",news,y", 33 },
	};
	struct run r;

	(void)state;
	add("format: numbered\ntitle: T\nsensor: edr\n"
	    "decode: {delimited: {unset: ['-']}}\n"
	    "detect: {require: ['1']}\n"
	    "map: {time: '1', src_endpoint.ip: '2'}\n"
	    "records:\n"
	    "  - when: {'5': z}\n"
	    "    irrelevant: z\n"
	    "  - kind: app_activity\n"
	    "    set: {event: connect}\n"
	    "    map: {app.version: ['3', '4']}\n"
	    "    cases:\n"
	    "      - when: {'5': {starts: y}, none: [{'4': bank}]}\n"
	    "        set: {event: launched, app_state: foreground}\n"
	    "      - set: {device_locked: true}\n");
	run_open(&r, "numbered", NULL);
	assert_int_equal(run_text(&r, lines[0]), PARSE_OBSERVATIONS);
	is_text(r.o->app.version, "bank"); /* column 3 says nothing */
	assert_int_equal(r.o->activity.event, ACTIVITY_CONNECT);
	assert_int_equal(r.o->activity.device_locked, TRI_TRUE);
	assert_int_equal(run_text(&r, lines[1]), PARSE_OBSERVATIONS);
	is_text(r.o->app.version, "a,b");
	assert_int_equal(r.o->activity.event, ACTIVITY_LAUNCHED);
	assert_int_equal(r.o->activity.app_state, APP_STATE_FOREGROUND);
	assert_int_equal(r.o->activity.device_locked, TRI_UNKNOWN);
	assert_int_equal(run_text(&r, SV("1795507200,10.8.0.14,,bank,z")), PARSE_IRRELEVANT);
	assert_int_equal(run_text(&r, SV("soon,10.8.0.14,,bank,x")), PARSE_REJECTED);
	assert_int_equal(r.err.position, 0);
	assert_int_equal(run_text(&r, SV("1795507200,nowhere,,bank,x")), PARSE_REJECTED);
	assert_int_equal(r.err.position, 11); /* where the offending text stands */
	run_close(&r);
}

/* Wrong: a record that lists connections gives one of them, or both spellings of a key are not one
 * field. */
static void test_items_and_spellings(void **state)
{
	struct run r;

	(void)state;
	add("format: listed\ntitle: T\nsensor: edr\n"
	    "decode: {json: {snake_case: true}}\n"
	    "detect: {require: [event.deviceUdid]}\n"
	    "embed: [{from: event.inner, as: json, name: inner}]\n"
	    "records:\n"
	    "  - kind: app_activity\n"
	    "    each: event.connections\n"
	    "    set: {event: connect}\n"
	    "    map:\n"
	    "      time: event.timeStamp\n"
	    "      device.udid: event.deviceUdid\n"
	    "      app.bundle_id: inner.app\n"
	    "      dst_endpoint.hostname: item.host\n"
	    "      dst_endpoint.port: item.port\n");
	run_open(&r, "listed", NULL);
	assert_int_equal(
	    run_text(
		&r,
		SV("{\"event\":{\"time_stamp\":1795507200,\"device_udid\":\"u1\","
		   "\"inner\":\"{\\\"app\\\":\\\"com.acme.bank\\\"}\","
		   "\"connections\":[{\"host\":\"a.test\",\"port\":443},{\"host\":\"b.test\"}]}}")),
	    PARSE_OBSERVATIONS);
	assert_int_equal(r.n, 2);
	is_text(r.o[0].dst.hostname, "a.test");
	assert_int_equal(r.o[0].dst.port, 443);
	is_text(r.o[1].dst.hostname, "b.test");
	assert_int_equal(r.o[1].dst.port, 0); /* nothing left over from the item before */
	is_text(r.o[1].app.bundle_id, "com.acme.bank");
	assert_int_equal(
	    run_text(&r, SV("{\"event\":{\"timeStamp\":1795507200,\"deviceUdid\":\"u1\"}}")),
	    PARSE_IRRELEVANT);
	/* A list at the root is a list of records. */
	assert_int_equal(
	    run_text(&r, SV("[{\"event\":{\"timeStamp\":1795507200,\"deviceUdid\":\"u1\","
			    "\"connections\":[{}]}},{\"event\":{\"timeStamp\":1795507201,"
			    "\"deviceUdid\":\"u2\",\"connections\":[{},{}]}}]")),
	    PARSE_OBSERVATIONS);
	assert_int_equal(r.n, 3);
	is_text(r.o[2].device.udid, "U2");
	assert_int_equal(parser_rejected_items(r.parser), 0);
	/* and a bad one does not take the others with it, nor vanish uncounted */
	assert_int_equal(
	    run_text(&r, SV("[{\"event\":{\"timeStamp\":\"soon\",\"connections\":[{}]}},"
			    "{\"event\":{\"timeStamp\":1795507201,\"connections\":[{}]}},7]")),
	    PARSE_OBSERVATIONS);
	assert_int_equal(r.n, 1);
	assert_int_equal(parser_rejected_items(r.parser), 2);
	assert_non_null(strstr(r.err.message, "soon"));
	assert_int_equal(run_text(&r, SV("[7,8]")), PARSE_REJECTED);
	run_close(&r);
}

/* Wrong: values of CEF are cut at their spaces or run into the next pair, or LEEF's separator is
 * not used. */
static void test_cef(void **state)
{
	struct run r;

	(void)state;
	add("format: collected\ntitle: T\nsensor: edr\nsyslog: true\n"
	    "decode: {cef: {unset: [N/A]}}\n"
	    "detect: {require: [cef.vendor]}\n"
	    "records:\n"
	    "  - kind: app_activity\n"
	    "    map:\n"
	    "      time: rt\n"
	    "      src_endpoint.ip: src\n"
	    "      app.version: cef.version\n"
	    "      app.user_agent: msg\n"
	    "      flow_id: cs1\n"
	    "      device.user: [duser, suser]\n");
	run_open(&r, "collected", NULL);
	assert_int_equal(run_text(&r, SV("<14>Nov 24 08:00:00 gw CEF:0|Acme|Gate\\|way|1.0|7|end|3|"
					 "rt=Nov 24 2026 08:00:00 src=10.8.0.14 "
					 "msg=two  words, a\\=b and c\\\\ duser=N/A suser=ada "
					 "cs1=last one ")),
			 PARSE_OBSERVATIONS);
	assert_true(r.o->time.ns == INT64_C(1795507200) * NS_PER_S);
	is_text(r.o->app.version, "1.0");
	is_text(r.o->app.user_agent, "two  words, a=b and c\\");
	is_text(r.o->device.user, "ada");
	is_text(r.o->flow_id, "last one");
	/* a bare `=` in a URL is part of the value */
	assert_int_equal(run_text(&r, SV("CEF:0|A|B|1|7|n|3|rt=1795507200 "
					 "msg=https://a.test/?x=1&y=2 cs1=z")),
			 PARSE_OBSERVATIONS);
	is_text(r.o->app.user_agent, "https://a.test/?x=1&y=2");
	is_text(r.o->flow_id, "z");
	assert_int_equal(run_text(&r, SV("LEEF:2.0|A|B|2|7|^|rt=1795507200^msg=a b^cs1=c=d")),
			 PARSE_OBSERVATIONS);
	is_text(r.o->app.user_agent, "a b");
	is_text(r.o->flow_id, "c=d");
	assert_int_equal(
	    run_text(&r, SV("LEEF:1.0|A|B|2|7|rt=1795507200\tmsg=a b\tsuser=corp\\nina")),
	    PARSE_OBSERVATIONS);
	is_text(r.o->app.user_agent, "a b");
	is_text(r.o->device.user, "corp\\nina"); /* LEEF has no escapes */
	assert_int_equal(run_text(&r, SV("CEF:0|A|B|1|7|n|3|rt=1795507200 suser=corp\\ann")),
			 PARSE_OBSERVATIONS);
	is_text(r.o->device.user, "corp\\ann"); /* nobody escaped it */
	assert_int_equal(run_text(&r, SV("CEF:0|A|B")), PARSE_REJECTED);
	assert_int_equal(run_text(&r, SV("CEF:0|A|B|1|7|n|3|")), PARSE_REJECTED); /* no time */
	assert_int_equal(run_text(&r, SV("CEF:0|A|B|1|7|n|3|=====")), PARSE_REJECTED);
	run_close(&r);
}

/* Wrong: rules written for one encoding of a log do not find its fields in another, or a slip in
 * the names is swallowed. */
static void test_other_names(void **state)
{
	struct run r;

	(void)state;
	add("format: pairs\ntitle: T\nsensor: edr\ndecode: {keyvalue: {}}\n"
	    "detect: {require: [srcip, day]}\n"
	    "records:\n"
	    "  - {when: {kind: x}, irrelevant: none}\n"
	    "  - kind: app_activity\n"
	    "    map:\n"
	    "      time: [{join: [day, clock, zone], via: date_text}, {join: [day, clock], via: "
	    "date_text}]\n"
	    "      src_endpoint.ip: srcip\n"
	    "      device.user: user\n");
	add("format: objects\ntitle: T\nlike: pairs\ndecode: {json: {unset: [N/A]}}\n"
	    "names: {srcip: [event.src, cip], kind: event.kind, user: event.user}\n"
	    "detect: {require: [srcip, day]}\n");
	run_open(&r, "pairs", NULL);
	/* an empty value ends where the next pair begins */
	assert_int_equal(
	    run_text(&r, SV("user= srcip=10.8.0.14 day=2026-11-24 clock=09:00:00 zone=+0100")),
	    PARSE_OBSERVATIONS);
	assert_true(r.o->time.ns == INT64_C(1795507200) * NS_PER_S);
	assert_int_equal(r.o->device.user.n, 0);
	assert_int_equal(run_text(&r, SV("srcip=10.8.0.14 day=2026-11-24 clock=08:00:00")),
			 PARSE_OBSERVATIONS);
	assert_true(r.o->time.ns == INT64_C(1795507200) * NS_PER_S);
	assert_int_equal(run_text(&r, SV("srcip=10.8.0.14 day=2026-11-24")), PARSE_REJECTED);
	run_close(&r);
	run_open(&r, "objects", NULL);
	assert_int_equal(
	    run_text(
		&r, SV("{\"event\":{\"src\":\"10.8.0.14\",\"user\":\"N/A\"},\"day\":\"2026-11-24\","
		       "\"clock\":\"08:00:00\",\"zone\":\"\"}")),
	    PARSE_OBSERVATIONS);
	assert_true(addr_known(&r.o->src.ip));
	assert_int_equal(r.o->device.user.n, 0);
	assert_int_equal(
	    run_text(&r,
		     SV("[{\"cip\":\"10.8.0.14\",\"day\":\"2026-11-24\",\"clock\":\"08:00:00\"}]")),
	    PARSE_OBSERVATIONS);
	assert_true(addr_known(&r.o->src.ip));
	assert_int_equal(run_text(&r, SV("{\"event\":{\"kind\":\"x\"},\"srcip\":\"10.8.0.14\"}")),
			 PARSE_IRRELEVANT);
	run_close(&r);
	refused("format: o\ntitle: T\nlike: pairs\ndecode: json\nnames: {scrip: src}\n"
		"detect: {require: [srcip]}\n",
		"`names:` has `scrip`, which no rule reads");
	refused("format: o\ntitle: T\nlike: pairs\ndecode: json\nnames: {srcip: user}\n"
		"detect: {require: [srcip]}\n",
		"`user` is itself a field");
	refused("format: o\ntitle: T\nsensor: edr\ndecode: json\ndetect: {require: [a]}\n"
		"records: [{kind: lease, map: {time: {join: a}}}]\n",
		"`join` is a list of fields");
}

/* Wrong: what stands before the pairs is lost, or a message without any is rejected; a padded
 * column shifts all that follow. */
static void test_heads_and_padding(void **state)
{
	struct run r;

	(void)state;
	add("format: headed\ntitle: T\nsensor: edr\n"
	    "decode: {keyvalue: {after: '%', head: ': ', between: ', ', pair: ': ', quote: ''}}\n"
	    "detect: {when: {'@head': {starts: FW-}}}\n"
	    "records:\n"
	    "  - {when: {'@head': {not: FW-6-1}}, irrelevant: another message}\n"
	    "  - {kind: app_activity, map: {time: At, device.user: User}}\n");
	run_open(&r, "headed", NULL);
	assert_int_equal(
	    run_text(&r, SV("<14>Nov 24 08:00:00 gw %FW-6-1: At: 1795507200, User: Ann Lee, X: y")),
	    PARSE_OBSERVATIONS);
	is_text(r.o->device.user, "Ann Lee");
	assert_int_equal(run_text(&r, SV("%FW-6-2: no pair at all")), PARSE_IRRELEVANT);
	assert_int_equal(run_text(&r, SV("%FW-6-1")), PARSE_REJECTED);
	assert_int_equal(run_text(&r, SV("FW-6-1: At: 1795507200")), PARSE_REJECTED);
	run_close(&r);
	add("format: padded\ntitle: T\nsensor: edr\n"
	    "decode: {text: {patterns: ['{at:number} {ms:padded} {user:word}']}}\n"
	    "detect: {require: [at, user]}\n"
	    "records: [{kind: app_activity, map: {time: at, duration: {from: ms, via: "
	    "milliseconds}, device.user: user}}]\n");
	run_open(&r, "padded", NULL);
	assert_int_equal(run_text(&r, SV("1795507200     97 ann")), PARSE_OBSERVATIONS);
	is_text(r.o->device.user, "ann");
	assert_true(r.o->duration.ns == 97 * NS_PER_MS);
	assert_int_equal(run_text(&r, SV("1795507200 97 ann")), PARSE_OBSERVATIONS);
	assert_int_equal(run_text(&r, SV("1795507200      ")), PARSE_REJECTED);
	run_close(&r);
}

/* Wrong: a record of many lines takes time that grows with its square. */
static void test_long_paragraph(void **state)
{
	size_t n = 4u << 20;
	char *bytes = malloc(n);
	struct run r;

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = i % 2 == 0 ? 'a' : '\n';
	run_open(&r, "freeradius_detail", NULL);
	assert_int_equal(run_text(&r, sv_make(bytes, n)), PARSE_REJECTED);
	run_close(&r);
	free(bytes);
}

/* Wrong: the operator's own format does not take the place of the built-in one, or breaks those
 * like it. */
static void test_replacing(void **state)
{
	struct error err;
	struct format_set *own = format_set_builtin(&err);
	size_t count = format_set_count(own);

	(void)state;
	assert_true(format_set_add_text(own, "mine.yaml",
					SV("format: zeek_conn\ntitle: mine\nlike: zeek_conn\n"
					   "source: sensor7\n"),
					&err));
	assert_int_equal(format_set_count(own), count);
	is_text(format_title(format_find(own, SV("zeek_conn"))), "mine");
	is_text(format_source(format_find(own, SV("zeek_conn"))), "sensor7");
	is_text(format_source(format_find(own, SV("zeek_conn_json"))), "zeek");
	for (size_t i = 1; i < count; i++) /* sorted by name */
		assert_true(sv_cmp(format_name(format_set_at(own, i - 1)),
				   format_name(format_set_at(own, i))) < 0);
	assert_false(format_set_add_dir(own, "/nonexistent", &err));
	assert_int_equal(err.code, ERROR_IO);
	format_set_free(own);
}

static struct sv unpadded_scan(const char *text, bool *ok, struct error *err)
{
	static const struct json_name names[] = { { { "a", 1 }, 0 },
						  { { "b.c", 3 }, 1 },
						  { { "d", 1 }, 2 } };
	static char bytes[65536 + READ_PADDING];
	struct json_scanner *s = json_scanner_new(names, 3);
	struct raw slots[3] = { 0 };
	struct arena scratch = { 0 };
	static char copy[256];
	struct sv found = SV_NONE;
	size_t n = strlen(text);

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, text, n);
	*ok = json_scan(s, sv_make(bytes, n), slots, &scratch, err);
	for (size_t i = 0; i < 3 && found.p == NULL; i++)
		if (slots[i].type != RAW_ABSENT && slots[i].text.n < sizeof(copy)) {
			memcpy(copy, slots[i].text.p, slots[i].text.n);
			found = sv_make(copy, slots[i].text.n);
		}
	json_scanner_free(s);
	arena_free(&scratch);
	return found;
}

static void scans(const char *text, const char *want)
{
	struct error err = { 0 };
	bool ok;
	struct sv got = unpadded_scan(text, &ok, &err);

	if (!ok)
		fail_msg("%s: %s", text, err.message);
	is_text(got, want);
}

static void scan_refuses(const char *text, size_t position)
{
	struct error err = { 0 };
	bool ok;

	unpadded_scan(text, &ok, &err);
	if (ok)
		fail_msg("accepted: %s", text);
	if (position != SIZE_MAX && err.position != position)
		fail_msg("%s: refused at %zu, expected %zu", text, err.position, position);
}

/* Wrong: hostile JSON crashes, is taken for something else, or is refused without saying where. */
static void test_json(void **state)
{
	char deep[4096];

	(void)state;
	scans("{\"a\":\"x\"}", "x");
	scans("{\"a\":1,\"a\":2}", "1"); /* the first counts */
	scans("{\"a\":null,\"a\":2}", "2");
	scans("{\"b\":{\"c\":\"n\"}}", "n");
	scans("{\"b.c\":\"f\"}", "f");
	scans("{\"b\":{\"x\":{\"c\":1}},\"b.c\":true}", "true");
	scans("{\"\\u0061\":\"esc\\u0061ped \\\"q\\\"\"}", "escaped \"q\"");
	scans("{ \"x\" : [ { \"a\" : 1 } ] , \"a\" : 2.5e3 }", "2.5e3");
	scans("{\"a\":[1,{\"b\":2}]}", "[1,{\"b\":2}]");
	scans("{\"a\":99999999999999999999999999999999999999999999}",
	      "99999999999999999999999999999999999999999999");
	scans("{}", "");
	scan_refuses("", SIZE_MAX);
	scan_refuses("null", SIZE_MAX);
	scan_refuses("{\"a\":\"x", SIZE_MAX);
	scan_refuses("{\"a\":1", SIZE_MAX);
	scan_refuses("{\"a\":\"x\" \"b\"}", SIZE_MAX);
	scan_refuses("{\"a\":1}}", SIZE_MAX);
	scan_refuses("{\"a\":1} x", SIZE_MAX);
	scan_refuses("{\"a\":\"\xff\"}", 6);
	scan_refuses("{\"a\":\"\\ud800\"}", SIZE_MAX);
	scan_refuses("{\"a\":nul}", SIZE_MAX);
	scan_refuses("{\"a\":\"line\nbreak\"}", SIZE_MAX);
	memset(deep, '[', 2000);
	memcpy(deep, "{\"a\":", 5);
	deep[2000] = '\0';
	scan_refuses(deep, SIZE_MAX);
}

/* Wrong: a tree loses a value, or a bomb is built. */
static void test_json_trees(void **state)
{
	struct arena a = { 0 };
	struct value v;
	struct error err;
	char deep[300];

	(void)state;
	assert_true(json_to_value(
	    SV("{\"a\":[1,-2,2.5,true,null,\"x\\u00fc\"],\"b\":18446744073709551615}"), &a, &v,
	    &err));
	assert_int_equal(value_path(&v, SV("a.1"))->integer, -2);
	assert_int_equal(value_path(&v, SV("a.3"))->type, VALUE_BOOL);
	is_text(value_path(&v, SV("a.5"))->text, "x\xc3\xbc");
	assert_int_equal(value_path(&v, SV("b"))->type, VALUE_REAL);
	assert_false(json_to_value(SV("{\"a\":"), &a, &v, &err));
	assert_false(json_to_value(SV(""), &a, &v, &err));
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_false(json_to_value(sv_make(deep, 200), &a, &v, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	memset(deep, '[', VALUE_MAX_DEPTH);
	memset(deep + VALUE_MAX_DEPTH, ']', VALUE_MAX_DEPTH);
	assert_true(json_to_value(sv_make(deep, 2 * VALUE_MAX_DEPTH), &a, &v, &err));
	arena_free(&a);
}

static void detects(const char *head, const char *want)
{
	struct format_match m[40];
	size_t n = format_detect(set, sv_cstr(head), m, 40);

	assert_true(n > 0);
	if (want == NULL) {
		if (m[0].score > 0)
			fail_msg("`%s` is taken for %.*s", head, SV_ARG(format_name(m[0].format)));
		assert_true(m[0].reason[0] != '\0');
		return;
	}
	if (m[0].score == 0)
		fail_msg("`%s` is not recognised: %s", head, m[0].reason);
	is_text(format_name(m[0].format), want);
	if (n > 1 && m[1].score > 0)
		fail_msg("`%s` is also taken for %.*s", head, SV_ARG(format_name(m[1].format)));
}

/* Wrong: one format claims another's file, or the first line alone does not tell. */
static void test_detection(void **state)
{
	struct format_match m[3];

	(void)state;
	detects("{\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\","
		"\"proto\":\"tcp\","
		"\"conn_state\":\"SF\"}\n",
		"zeek_conn_json");
	detects("{\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\","
		"\"established\":true,\"resumed\":false}",
		"zeek_ssl_json");
	/* dns.log has uid, addresses and proto as well */
	detects("{\"_path\":\"dns\",\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_"
		"h\":\"10.0.0.2\","
		"\"proto\":\"udp\",\"query\":\"a.test\"}\n",
		NULL);
	detects("{\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\","
		"\"proto\":\"udp\","
		"\"query\":\"a.test\"}\n",
		NULL);
	/* a header without a record yet */
	detects("#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\n",
		"zeek_conn");
	detects("#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\n",
		NULL);
	detects("address,hwaddr,client_id,valid_lifetime,expire\n", "kea");
	detects("address,port\n", NULL);
	detects("{\"kind\":\"lease\",\"time\":\"2026-11-24T08:00:00Z\"}\n", "canonical");
	detects("{\n  \"kind\": \"lease\",\n  \"time\": \"2026-11-24T08:00:00Z\"\n}\n",
		"canonical");
	/* a list of which the head holds the beginning only */
	detects("[\n{\"kind\": \"lease\", \"by\": \"}\\\"\",\n\"time\": "
		"\"2026-11-24T08:00:00Z\"},\n{\"kind\"",
		"canonical");
	detects("Tue Jun  9 00:03:48 2015\n\tUser-Name = \"a\"\n\tAcct-Status-Type = Stop\n",
		"freeradius_detail");
	detects("1564655684.277   3387 192.168.0.1 TCP_TUNNEL/200 19131 CONNECT a.test:443 - "
		"HIER_DIRECT/a.test -\n",
		"squid_other");
	detects("<?xml version=\"1.0\"?>\n<plist "
		"version=\"1.0\"><dict><key>UDID</key><string>u</string></dict></plist>",
		"apple_mdm");
	detects("", NULL);
	detects("\n\n\n", NULL);
	detects("hello world\n", NULL);
	/* a near miss names the field */
	assert_int_equal(
	    format_detect(set, SV("{\"ts\":1.5,\"uid\":\"C\",\"id.orig_h\":\"10.0.0.1\"}\n"), m, 3),
	    3);
	assert_int_equal(m[0].score, 0);
	assert_true(strstr(m[0].reason, "id.resp_h") != NULL ||
		    strstr(m[1].reason, "id.resp_h") != NULL ||
		    strstr(m[2].reason, "id.resp_h") != NULL);
}

/* Wrong: a port the operator calls TLS is dropped, or every port is TLS. */
static void test_tls_ports(void **state)
{
	static const uint16_t ports[] = { 9443 };
	const struct parser_options options = { .date = INSTANT_NONE,
						.tls_ports = ports,
						.n_tls_ports = 1 };
	const struct sv record =
	    SV("{\"ts\":1795507200,\"uid\":\"C\",\"id.orig_h\":\"10.8.0.14\","
	       "\"id.resp_h\":\"203.0.113.9\",\"id.resp_p\":9443,\"proto\":\"tcp\"}");
	struct run r;

	(void)state;
	run_open(&r, "zeek_conn_json", NULL);
	assert_int_equal(run_text(&r, record), PARSE_IRRELEVANT);
	run_close(&r);
	run_open(&r, "zeek_conn_json", &options);
	assert_int_equal(run_text(&r, record), PARSE_OBSERVATIONS);
	run_close(&r);
}

/* Wrong: what is known to be useless is parsed, or refused without an answer. */
static void test_refusal(void **state)
{
	struct run r;

	(void)state;
	assert_true(format_refusal(format_find(set, SV("squid_other"))).n > 0);
	assert_int_equal(format_refusal(format_find(set, SV("squid"))).n, 0);
	run_open(&r, "squid_other", NULL);
	assert_int_equal(run_text(&r, SV("anything")), PARSE_REJECTED);
	assert_non_null(strstr(r.err.message, "logformat pinwatch"));
	run_close(&r);
}

/* Wrong: nothing is told of a posture without time, or the source's date is not used. */
static void test_source_date(void **state)
{
	const struct parser_options options = { .date = { INT64_C(1795507200) * NS_PER_S } };
	const struct sv record =
	    SV("{\"topic\":\"mdm.CheckOut\",\"created_at\":\"0001-01-01T00:00:00Z\","
	       "\"checkin_event\":{\"udid\":\"u\"}}");
	struct run r;

	(void)state;
	run_open(&r, "nanomdm", NULL);
	assert_int_equal(run_text(&r, record), PARSE_REJECTED);
	assert_non_null(strstr(r.err.message, "created_at"));
	run_close(&r);
	run_open(&r, "nanomdm", &options);
	assert_int_equal(run_text(&r, record), PARSE_OBSERVATIONS);
	assert_true(r.o->time.ns == options.date.ns);
	assert_int_equal(r.o->posture.managed, TRI_FALSE);
	run_close(&r);
}

/* Each on the built-in formats alone. */
#define ON_BUILTIN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BUILTIN(test_mistakes),    ON_BUILTIN(test_adding_a_vendor),
		ON_BUILTIN(test_mapping),     ON_BUILTIN(test_items_and_spellings),
		ON_BUILTIN(test_cef),	      ON_BUILTIN(test_long_paragraph),
		ON_BUILTIN(test_other_names), ON_BUILTIN(test_heads_and_padding),
		ON_BUILTIN(test_replacing),   ON_BUILTIN(test_json),
		ON_BUILTIN(test_json_trees),  ON_BUILTIN(test_detection),
		ON_BUILTIN(test_tls_ports),   ON_BUILTIN(test_refusal),
		ON_BUILTIN(test_source_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
