/* Property: no input crashes a parser, reads beyond its record, or gives an observation that does
 * not keep the model's rules. Run under the sanitizers this is where they have something to find.
 * The seed is printed; PINWATCH_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "parse/parser.h"

#define ROUNDS 3000u

static const char *const records[] = {
	"{\"ts\":1795507200.25,\"uid\":\"C1\",\"id.orig_h\":\"10.8.0.14\",\"id.orig_p\":50001,"
	"\"id.resp_h\":\"203.0.113.9\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\","
	"\"duration\":9.5e-07,\"orig_bytes\":517,\"conn_state\":\"SF\",\"history\":\"ShADadfF\"}",
	"#separator \\x09\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tserver_name\t"
	"last_alert\testablished\tssl_history\n1795507200.0\tC\\x41\t10.8.0.14\t203.0.113.9\t"
	"b\xc3\xbc"
	"cher.test\tunknown_ca\tF\tCsxknL",
	"1795507200.040 10.8.0.14 50001 NONE_NONE/200 "
	"ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_LIB_ERR=A000418+TLS_IO_ERR=1 bump "
	"sni=api.bank.test - TLS/1.3 - err=- CONNECT [2001:db8::9]:443 0 40 \"Bank/7.1\"",
	"address,hwaddr,client_id,valid_lifetime,expire\n10.8.0.14,aa:bb:cc:00:00:01,\"a\"\"b\","
	"3600,"
	"1795510800",
	"Tue Nov 24 09:00:00 2026\n\tUser-Name = \"a \\\"b\\\"\"\n\tFramed-IP-Address = 10.8.0.14\n"
	"\tAcct-Status-Type = Stop\n\tEvent-Timestamp = \"Nov 24 2026 09:00:00 CET\"",
	"{\"topic\":\"mdm.Connect\",\"created_at\":\"2026-11-24T08:00:00Z\",\"acknowledge_event\":{"
	"\"udid\":\"U\",\"raw_payload\":\"PHBsaXN0PjxkaWN0PjxrZXk+"
	"SW5zdGFsbGVkQXBwbGljYXRpb25MaXN0PC9rZXk"
	"+PGFycmF5PjxkaWN0PjxrZXk+SWRlbnRpZmllcjwva2V5PjxzdHJpbmc+"
	"YTwvc3RyaW5nPjwvZGljdD48L2FycmF5Pjwv"
	"ZGljdD48L3BsaXN0Pg==\"}}",
	"{\"kind\":\"posture\",\"time\":\"2026-11-24T08:00:00Z\",\"device\":{\"udid\":\"u\"},"
	"\"apps\":[{\"bundle_id\":\"AB12CD34EF.com.a\",\"managed\":true}],"
	"\"profiles\":[{\"identifier\":\"p\",\"payload_types\":[\"t\",1,null]}]}",
	"[{\"kind\":\"lease\",\"time\":\"2026-11-24T08:00:00Z\",\"ip\":\"::1\",\"until\":null}]",
	"<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>UDID</key><string>u</string>"
	"<key>ProfileList</key><array><dict><key>PayloadIdentifier</key><string>p</string></dict>"
	"</array></dict></plist>",
	"[23:59:59.900][10.8.0.14:50001] client connect\n"
	"[23:59:59.910][10.8.0.14:50001] server connect api.bank.test:443 ([2001:db8::9]:443)\n"
	"[00:00:00.100][10.8.0.14:50001] Client TLS handshake failed. The client does not trust "
	"the proxy's "
	"certificate for api.bank.test (OpenSSL Error([('SSL routines', '', 'tlsv1 alert unknown "
	"ca')]))\n"
	"10.8.0.15:50002: CONNECT b.test:443\n << 502 Bad Gateway "
	"0b\n[00:00:01.000][10.8.0.14:50001] client disconnect",
	"SNI peek: [a.test] [complete]\nError from src bufferevent: 0:- 167773208:1048:tlsv1 alert "
	"unknown "
	"ca:20:SSL routines:(null)\nSSL disconnected to [203.0.113.9]:443\nSSL disconnected from "
	"[10.8.0.14]:50001\nSSL_free() in state 0000001a = 001a = TWSD (write) [accept socket]\n",
	"2026-11-24 02:15:37 UTC ssl 10.8.0.14 50001 203.0.113.9 443 sni:a.test names:a.test "
	"sproto:TLSv1.3:(NONE) "
	"dproto:TLSv1.3:X origcrt:AA usedcrt:BB",
	"Nov 24 00:00:00 d dhcpd[8]: DHCPACK on 10.8.0.14 to 3c:22:fb:10:20:30 (x) via eth0 "
	"lease-duration 600\n"
	"<30>1 2026-11-24T00:00:20Z d dhcpd 8 - - DHCPRELEASE of 10.8.0.14 from 3c:22:fb:10:20:30 "
	"via eth0",
	"{\"type\":\"networkActivity\",\"bundleID\":\"AB12CD34EF.com.a\",\"domain\":\"B.test.\","
	"\"timeStamp\":\"2026-11-24T09:00:00.500+01:00\"}",
	"{\"StatusItems\":{\"device\":{\"identifier\":{\"udid\":\"u\"}},\"mdm\":{\"app\":[{"
	"\"identifier\":"
	"\"a\",\"state\":\"managed\"}]},\"app\":{\"managed\":{\"list\":[{\"identifier\":\"b\"},1]}}"
	"}}",
};
#define N_RECORDS (sizeof(records) / sizeof(records[0]))

/* Flips, cuts, repeats and inserts; the length stays under the room. */
static size_t mutate(char *p, size_t n, size_t room)
{
	static const char telling[] = "\"\\{}[],:\t|=-0.%x\n+&<>\xff";

	for (size_t changes = rnd(4) + 1; changes > 0 && n > 1; changes--) {
		size_t at = rnd(n), from = rnd(n), length = rnd(24) + 1;

		switch (rnd(5)) {
		case 0:
			p[at] = (char)rnd(256);
			break;
		case 1:
			p[at] = telling[rnd(sizeof(telling) - 1)];
			break;
		case 2:
			n = at + 1;
			break;
		case 3: /* a piece from elsewhere */
			length = length > n - from ? n - from : length;
			length = length > n - at ? n - at : length;
			memmove(p + at, p + from, length);
			break;
		default: /* a run of one byte */
			length = n + length > room ? 0 : length;
			memmove(p + at + length, p + at, n - at);
			memset(p + at, telling[rnd(sizeof(telling) - 1)], length);
			n += length;
			break;
		}
	}
	return n;
}

static void keeps_the_rules(const struct observation *o, struct buf *out)
{
	assert_true(o->time.ns >= 0);
	assert_true(!span_known(o->duration) || o->duration.ns >= 0);
	assert_true((unsigned)o->kind < OBS_KINDS && (unsigned)o->sensor < SENSORS);
	if (o->kind == OBS_TLS_ATTEMPT) {
		assert_true(o->tls.alert >= -1 && o->tls.alert <= 255);
		assert_true(o->tls.count >= 1);
		assert_true(o->tls.bytes_out >= -1 && o->tls.bytes_in >= -1);
		assert_true((unsigned)o->tls.outcome < OUTCOMES);
	}
	for (size_t i = 0; i < o->dst.hostname.n; i++)
		assert_true((unsigned char)o->dst.hostname.p[i] > ' ');
	buf_reset(out);
	observation_write_json(out, o, SV("test"));
	assert_false(out->overflowed);
}

/* Whole lines for the formats of lines, all at once for the others. */
static void feed(struct parser *parser, const struct format *f, struct sv text, struct buf *out)
{
	bool lines = format_framing(f) == FRAMING_LINE;

	while (text.n > 0) {
		struct sv record = lines ? sv_cut(text, '\n', &text) : text;
		const struct observation *o;
		struct error err = { 0 };
		char *bytes =
		    malloc(record.n + READ_PADDING); /* exactly, so that more is noticed */
		size_t n;

		if (record.n > 0)
			memcpy(bytes, record.p, record.n);
		memset(bytes + record.n, 0, READ_PADDING);
		switch (parser_run(parser, sv_make(bytes, record.n), &o, &n, &err)) {
		case PARSE_OBSERVATIONS:
			assert_true(n > 0);
			for (size_t i = 0; i < n; i++)
				keeps_the_rules(&o[i], out);
			break;
		case PARSE_IRRELEVANT:
			assert_int_equal(n, 0);
			break;
		case PARSE_REJECTED:
			assert_int_equal(n, 0);
			assert_true(err.message[0] != '\0');
			break;
		}
		free(bytes);
		if (!lines)
			break;
	}
}

/* What the end of the input leaves. */
static void feed_end(struct parser *parser, struct buf *out)
{
	const struct observation *o;
	struct error err = { 0 };
	size_t n;

	parser_finish(parser, &o, &n, &err);
	assert_true(parser_rejected_items(parser) == 0 || err.message[0] != '\0');
	for (size_t i = 0; i < n; i++)
		keeps_the_rules(&o[i], out);
}

static void test_mutations(void **state)
{
	const char *given = getenv("PINWATCH_SEED");
	struct error err;
	struct format_set *set = format_set_builtin(&err);
	const struct parser_options options = { .date = { INT64_C(1795507200) * NS_PER_S } };
	struct buf out;

	(void)state;
	chance = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(88172645463325252);
	print_message("# PINWATCH_SEED=%llu\n", (unsigned long long)chance);
	assert_non_null(set);
	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < format_set_count(set); i++) {
		const struct format *f = format_set_at(set, i);
		struct parser *parser = parser_new(f, &options);

		for (size_t round = 0; round < ROUNDS; round++) {
			char text[2048];
			size_t n = strlen(records[round % N_RECORDS]);

			memcpy(text, records[round % N_RECORDS], n);
			if (round >= N_RECORDS)
				n = mutate(text, n, sizeof(text));
			feed(parser, f, sv_make(text, n), &out);
		}
		feed_end(parser, &out);
		parser_free(parser);
	}
	buf_free(&out);
	format_set_free(set);
}

static void test_detection(void **state)
{
	struct error err;
	struct format_set *set = format_set_builtin(&err);
	struct format_match m[4];

	(void)state;
	assert_non_null(set);
	for (size_t round = 0; round < ROUNDS; round++) {
		char *head = malloc(2048); /* detection is promised no padding */
		size_t n = strlen(records[round % N_RECORDS]);

		memcpy(head, records[round % N_RECORDS], n);
		n = mutate(head, n, 2048);
		head = realloc(head, n);
		assert_true(format_detect(set, sv_make(head, n), m, 4) == 4);
		assert_true(m[0].score >= m[1].score && m[3].score >= 0);
		free(head);
	}
	format_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_detection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
