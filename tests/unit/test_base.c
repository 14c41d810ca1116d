#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/intern.h"
#include "base/jsonw.h"
#include "base/keymap.h"
#include "base/sv.h"

static uint32_t rng(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void is_text(struct sv got, struct sv expected)
{
	if (!sv_eq(got, expected))
		fail_msg("expected %.*s, got %.*s", SV_ARG(expected), SV_ARG(got));
}

/* Wrong: names, hosts or fields compare or cut other than they are written. */
static void test_sv_comparing(void **state)
{
	(void)state;
	assert_true(sv_eq(SV("ab"), SV("ab")));
	assert_true(sv_eq(SV_NONE, SV("")));
	assert_false(sv_eq(SV("a\0b"), SV("a\0c")));
	assert_true(sv_starts(SV("abc"), SV("ab")));
	assert_true(sv_starts(SV("abc"), SV("")));
	assert_false(sv_starts(SV("ab"), SV("abc")));
	assert_true(sv_ends(SV("abc"), SV("bc")));
	assert_false(sv_ends(SV("bc"), SV("abc")));
	assert_true(sv_eq_nocase(SV("Api.Bank.TEST"), SV("aPI.bank.test")));
	/* ASCII only: '@' and '`' differ by 32 as 'A' and 'a' do. */
	assert_false(sv_eq_nocase(SV("@"), SV("`")));
	assert_false(sv_eq_nocase(SV("ab"), SV("abc")));
	assert_true(sv_cmp(SV("a"), SV("ab")) < 0);
	assert_true(sv_cmp(SV("b"), SV("ab")) > 0);
	assert_true(sv_cmp(SV("\x80"), SV("a")) > 0); /* bytes are unsigned */
	assert_int_equal(sv_cmp(SV("ab"), SV("ab")), 0);
	assert_int_equal(sv_cmp(SV_NONE, SV("")), 0);
}

static void test_sv_cutting(void **state)
{
	struct sv rest = SV("a:b::c");

	(void)state;
	is_text(sv_cut(rest, ':', &rest), SV("a"));
	is_text(sv_cut(rest, ':', &rest), SV("b"));
	is_text(sv_cut(rest, ':', &rest), SV(""));
	is_text(sv_cut(rest, ':', &rest), SV("c"));
	assert_null(rest.p);
	is_text(sv_cut(SV("a:"), ':', &rest), SV("a"));
	assert_non_null(rest.p); /* a separator was there, with nothing behind it */
	assert_int_equal(rest.n, 0);
	is_text(sv_trim(SV(" \t\r\nab c\n ")), SV("ab c"));
	is_text(sv_trim(SV(" \n")), SV(""));
	assert_int_equal(sv_trim(SV_NONE).n, 0);
	is_text(sv_skip(SV("abc"), 2), SV("c"));
	assert_int_equal(sv_skip(SV("abc"), 9).n, 0);
	assert_null(sv_skip(SV_NONE, 9).p);
	is_text(sv_first(SV("abc"), 2), SV("ab"));
	is_text(sv_first(SV("abc"), 9), SV("abc"));
	assert_true(sv_find(SV("abcbc"), SV("bc")) == 1);
	assert_true(sv_find(SV("abc"), SV("abcd")) == SIZE_MAX);
	assert_true(sv_find(SV("a\0b"), SV("\0b")) == 1);
	assert_true(sv_find_char(SV("abc"), 'c') == 2);
	assert_true(sv_find_char(SV_NONE, 'c') == SIZE_MAX);
}

static void test_sv_numbers(void **state)
{
	uint64_t u = 0;
	int64_t i = 0;

	(void)state;
	assert_true(sv_to_u64(SV("18446744073709551615"), &u));
	assert_true(u == UINT64_MAX);
	assert_true(sv_to_u64(SV("007"), &u));
	assert_int_equal(u, 7);
	assert_false(sv_to_u64(SV("18446744073709551616"), &u));
	assert_false(sv_to_u64(SV("99999999999999999999"), &u));
	assert_false(sv_to_u64(SV(""), &u));
	assert_false(sv_to_u64(SV("+1"), &u));
	assert_false(sv_to_u64(SV("1 "), &u));
	assert_false(sv_to_u64(SV("1\0"), &u));
	assert_true(sv_to_i64(SV("-9223372036854775808"), &i));
	assert_true(i == INT64_MIN);
	assert_true(sv_to_i64(SV("9223372036854775807"), &i));
	assert_true(i == INT64_MAX);
	assert_false(sv_to_i64(SV("9223372036854775808"), &i));
	assert_false(sv_to_i64(SV("-9223372036854775809"), &i));
	assert_false(sv_to_i64(SV("-"), &i));
	assert_false(sv_to_i64(SV("--1"), &i));
	assert_true(sv_hex_to_u64(SV("A000418"), &u));
	assert_int_equal(u, 0xA000418);
	assert_true(sv_hex_to_u64(SV("ffffffffffffffff"), &u));
	assert_true(u == UINT64_MAX);
	assert_false(sv_hex_to_u64(SV("10000000000000000"), &u));
	assert_false(sv_hex_to_u64(SV("0x1"), &u));
	assert_false(sv_hex_to_u64(SV(""), &u));
}

static void iso(const char *text, int32_t zone, int64_t seconds, int64_t ns)
{
	struct instant t;

	if (!instant_parse_iso(sv_cstr(text), zone, &t))
		fail_msg("refused: %s", text);
	if (t.ns != seconds * NS_PER_S + ns)
		fail_msg("%s is %lld ns", text, (long long)t.ns);
}

/* 1795486453 is 2026-11-24T02:14:13Z (date -u -d @1795486453). Wrong: events are hours or days
 * off. */
static void test_iso_times(void **state)
{
	(void)state;
	iso("1970-01-01T00:00:00Z", 0, 0, 0);
	iso("2026-11-24T02:14:13Z", 0, 1795486453, 0);
	iso("2026-11-24T02:14:13.903Z", 0, 1795486453, 903000000);
	iso("2026-11-24 02:14:13,9", 0, 1795486453, 900000000);
	iso("2026-11-24T02:14:13.123456789Z", 0, 1795486453, 123456789);
	iso("2026-11-24t02:14:13z", 0, 1795486453, 0);
	/* An offset east of UTC is earlier in UTC, and beats the configured zone. */
	iso("2026-11-24T03:14:13+01:00", 0, 1795486453, 0);
	iso("2026-11-24T03:14:13+0100", -7200, 1795486453, 0);
	iso("2026-11-23T20:44:13-05:30", 0, 1795486453, 0);
	iso("2026-11-24T03:14:13+01", 0, 1795486453, 0);
	iso("2026-11-24T03:14:13", 3600, 1795486453, 0);
	iso("2026-11-24T02:14:13Z", 3600, 1795486453, 0);
	/* Leap days, the one of 2000 (divisible by 400) included; 2024-02-29 is day 19782. */
	iso("2024-02-29T00:00:00Z", 0, INT64_C(19782) * 86400, 0);
	iso("2024-03-01T00:00:00Z", 0, INT64_C(19783) * 86400, 0);
	iso("2000-02-29T00:00:00Z", 0, INT64_C(11016) * 86400, 0);
	iso("2025-03-01T00:00:00Z", 0, INT64_C(20148) * 86400, 0);
	/* A leap second is the first of the next minute. */
	iso("2016-12-31T23:59:60Z", 0, 1483228800, 0);
}

static void test_iso_rejects(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-24",
		"2026-11-24T02:14Z",
		"2026-13-24T02:14:13Z",
		"2026-00-24T02:14:13Z",
		"2026-11-31T02:14:13Z",
		"2026-11-00T02:14:13Z",
		"2025-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-11-24T24:00:00Z",
		"2026-11-24T02:60:13Z",
		"2026-11-24T02:14:61Z",
		"2026-11-24T02:14:13.Z",
		"2026-11-24T02:14:13X",
		"2026-11-24T02:14:13Z ",
		"2026-11-24T02:14:13+1",
		"2026-11-24T02:14:13+01:60",
		"2026-11-24T02:14:13+19:00",
		"2026/11/24T02:14:13Z",
		"2026-11-24_02:14:13Z",
		"-026-11-24T02:14:13Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+01:00",
		"9999-01-01T00:00:00Z",
	};
	struct instant t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (instant_parse_iso(sv_cstr(bad[i]), 0, &t))
			fail_msg("accepted: %s", bad[i]);
}

static void epoch(const char *text, int64_t ns)
{
	struct instant t;

	if (!instant_parse_epoch(sv_cstr(text), &t))
		fail_msg("refused: %s", text);
	if (t.ns != ns)
		fail_msg("%s is %lld ns", text, (long long)t.ns);
}

/* Wrong: seconds are taken for milliseconds, and events of today lie in 1970. */
static void test_epoch_times(void **state)
{
	const int64_t base = INT64_C(1795486453759000000);
	struct instant t;

	(void)state;
	epoch("1795486453.759", base);
	epoch("1795486453", base - 759000000);
	epoch("1795486453759", base);
	epoch("1795486453759.5", base + 500000);
	epoch("1795486453759000", base);
	epoch("1795486453759000.25", base + 250);
	epoch("1795486453759000000", base);
	epoch("1795486453.759000001", base + 1);
	epoch("0", 0);
	epoch("9223372035.999999999", INT64_C(9223372035999999999));
	assert_false(instant_parse_epoch(SV(""), &t));
	assert_false(instant_parse_epoch(SV("."), &t));
	assert_false(instant_parse_epoch(SV("1."), &t));
	assert_false(instant_parse_epoch(SV(".5"), &t));
	assert_false(instant_parse_epoch(SV("-1"), &t));
	assert_false(instant_parse_epoch(SV("1e9"), &t));
	assert_false(instant_parse_epoch(SV("1.5x"), &t));
	assert_false(instant_parse_epoch(SV("9223372036854775808"), &t));
}

static void formats_as(int64_t ns, const char *expected)
{
	char text[INSTANT_ISO_SIZE];
	struct instant back;

	assert_int_equal(instant_format_iso((struct instant){ ns }, text), strlen(expected));
	assert_string_equal(text, expected);
	assert_true(instant_parse_iso(sv_cstr(text), 0, &back));
	assert_true(back.ns == ns);
}

/* Wrong: the same instant has two texts, or loses its last digits, in findings that are
 * compared. */
static void test_time_formatting(void **state)
{
	char text[INSTANT_ISO_SIZE];

	(void)state;
	formats_as(0, "1970-01-01T00:00:00.000Z");
	formats_as(INT64_C(1795486453903000000), "2026-11-24T02:14:13.903Z");
	formats_as(INT64_C(1795486453900000000), "2026-11-24T02:14:13.900Z");
	formats_as(INT64_C(1795486453903001000), "2026-11-24T02:14:13.903001Z");
	formats_as(INT64_C(1795486453903000001), "2026-11-24T02:14:13.903000001Z");
	formats_as(INT64_C(951782400000000000), "2000-02-29T00:00:00.000Z");
	assert_int_equal(
	    instant_format_minute((struct instant){ INT64_C(1795486453903000000) }, text), 17);
	assert_string_equal(text, "2026-11-24T02:14Z");
	/* The ends of the range must not write outside of the buffer. */
	assert_true(instant_format_iso((struct instant){ INT64_MAX }, text) < INSTANT_ISO_SIZE);
	assert_true(instant_format_iso(INSTANT_NONE, text) < INSTANT_ISO_SIZE);
}

static void span_is(const char *text, int64_t ns, const char *shortest)
{
	char out[INSTANT_ISO_SIZE];
	struct span d;

	if (!span_parse(sv_cstr(text), &d) || d.ns != ns)
		fail_msg("%s is not %lld ns", text, (long long)ns);
	assert_int_equal(span_format(d, out), strlen(shortest));
	assert_string_equal(out, shortest);
}

/* Wrong: a configured window is another than was written. */
static void test_spans(void **state)
{
	static const char *const bad[] = { "",	   "10",      "m",   "-1m",
					   "1.5h", "10 m",    "1M",  "1mm",
					   "1h30", "106752d", "1d1", "99999999999999999999s" };
	struct span d;

	(void)state;
	span_is("10m", 10 * NS_PER_MINUTE, "10m");
	span_is("30s", 30 * NS_PER_S, "30s");
	span_is("500ms", 500 * NS_PER_MS, "500ms");
	span_is("2h", 2 * NS_PER_HOUR, "2h");
	span_is("7d", 7 * NS_PER_DAY, "7d");
	span_is("1h30m", 90 * NS_PER_MINUTE, "1h30m");
	span_is("90m", 90 * NS_PER_MINUTE, "1h30m");
	span_is("60000ms", NS_PER_MINUTE, "1m");
	span_is("0s", 0, "0s");
	span_is("106751d", 106751 * NS_PER_DAY, "106751d");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (span_parse(sv_cstr(bad[i]), &d))
			fail_msg("accepted: %s", bad[i]);
}

static void addr_is(const char *text, const char *canonical)
{
	char out[ADDR_TEXT_SIZE];
	struct addr a;

	if (!addr_parse(sv_cstr(text), &a))
		fail_msg("refused: %s", text);
	assert_int_equal(addr_format(&a, out), strlen(canonical));
	assert_string_equal(out, canonical);
}

/* Wrong: one device appears as two, because its address was written in two ways. */
static void test_addresses(void **state)
{
	static const char *const bad[] = { "",		"10.0.0",      "10.0.0.256", "10.0.0.1.1",
					   "10..0.1",	"10.0.0.1 ",   "a.b.c.d",    "1000.0.0.1",
					   "2001:db8",	"2001:db8::g", ":::",	     "10.0.0.-1",
					   "[10.0.0.1", "0x0a.0.0.1" };
	struct addr a, b;

	(void)state;
	addr_is("10.8.0.14", "10.8.0.14");
	addr_is("255.255.255.255", "255.255.255.255");
	addr_is("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
	addr_is("[2001:db8::1]", "2001:db8::1");
	addr_is("fe80::1%en0", "fe80::1");
	addr_is("::ffff:10.0.0.1", "10.0.0.1");
	assert_true(addr_parse(SV("10.0.0.1"), &a) && addr_parse(SV("::ffff:a00:1"), &b));
	assert_true(addr_eq(&a, &b));
	assert_true(addr_known(&a));
	assert_false(addr_known(&(struct addr){ 0 }));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (addr_parse(sv_cstr(bad[i]), &a))
			fail_msg("accepted: %s", bad[i]);
	assert_false(addr_parse(SV("2001:db8::1\0x"), &a));
}

static void test_addresses_with_port(void **state)
{
	char text[ADDR_TEXT_SIZE];
	uint16_t port;
	struct addr a;

	(void)state;
	assert_true(addr_parse_port(SV("10.0.0.5:3128"), &a, &port));
	addr_format(&a, text);
	assert_string_equal(text, "10.0.0.5");
	assert_int_equal(port, 3128);
	assert_true(addr_parse_port(SV("[2001:db8::1]:443"), &a, &port));
	addr_format(&a, text);
	assert_string_equal(text, "2001:db8::1");
	assert_int_equal(port, 443);
	assert_true(addr_parse_port(SV("2001:db8::1"), &a, &port));
	assert_int_equal(port, 0);
	assert_false(addr_parse_port(SV("10.0.0.5:65536"), &a, &port));
	assert_false(addr_parse_port(SV("10.0.0.5:0"), &a, &port));
	assert_false(addr_parse_port(SV("10.0.0.5:"), &a, &port));
	assert_false(addr_parse_port(SV(":443"), &a, &port));
}

static bool holds(const char *range, const char *address)
{
	struct cidr c;
	struct addr a;

	assert_true(cidr_parse(sv_cstr(range), &c));
	assert_true(addr_parse(sv_cstr(address), &a));
	return cidr_holds(&c, &a);
}

/* Wrong: an allow-list range covers a neighbour, or not its own last address. */
static void test_cidr(void **state)
{
	struct cidr c;

	(void)state;
	assert_true(holds("10.0.0.0/8", "10.255.255.255"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("192.168.1.128/25", "192.168.1.255"));
	assert_false(holds("192.168.1.128/25", "192.168.1.127"));
	assert_true(holds("10.1.2.3", "10.1.2.3"));
	assert_false(holds("10.1.2.3", "10.1.2.2"));
	assert_true(holds("0.0.0.0/0", "255.1.2.3"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1")); /* IPv4 only */
	assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(holds("::/0", "10.0.0.1"));
	assert_false(cidr_parse(SV("10.0.0.0/33"), &c));
	assert_false(cidr_parse(SV("2001:db8::/129"), &c));
	assert_false(cidr_parse(SV("10.0.0.0/"), &c));
	assert_false(cidr_parse(SV("10.0.0.0/-1"), &c));
	assert_false(cidr_parse(SV("/8"), &c));
}

#define MODEL_KEYS 3000

/* Against a plain array. Wrong: a device's state is lost or mixed with another's, most likely when
 * a removal closes a gap. */
static void test_keymap_random(void **state)
{
	static uint32_t model[MODEL_KEYS]; /* 0: not there */
	uint32_t seed = 4711;
	size_t count = 0;
	struct keymap m;

	(void)state;
	print_message("seed %u\n", seed);
	keymap_init(&m, sizeof(uint64_t), 99);
	for (int op = 0; op < 100000; op++) {
		uint32_t k = rng(&seed) % MODEL_KEYS;
		uint64_t key = (uint64_t)k * 0x100000001u;
		uint32_t want = model[k] != 0 ? model[k] : KEYMAP_NONE;

		assert_int_equal(keymap_get(&m, &key), want);
		if (rng(&seed) % 2 == 0) {
			uint32_t *slot = keymap_slot(&m, &key);
			assert_int_equal(*slot, want);
			*slot = (uint32_t)op + 1;
			count += model[k] == 0;
			model[k] = (uint32_t)op + 1;
		} else {
			assert_int_equal(keymap_remove(&m, &key), model[k] != 0);
			count -= model[k] != 0;
			model[k] = 0;
		}
		assert_int_equal(m.count, count);
	}
	for (uint32_t k = 0; k < MODEL_KEYS; k++) {
		uint64_t key = (uint64_t)k * 0x100000001u;
		assert_int_equal(keymap_get(&m, &key), model[k] != 0 ? model[k] : KEYMAP_NONE);
	}
	keymap_clear(&m);
	assert_int_equal(m.count, 0);
	assert_int_equal(keymap_get(&m, &(uint64_t){ 0 }), KEYMAP_NONE);
	keymap_free(&m);
}

/* The largest and an odd key size. Wrong: keys overlap their neighbours' slots. */
static void test_keymap_key_sizes(void **state)
{
	static const size_t sizes[] = { 4, 7, 64 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		unsigned char key[64] = { 0 };
		struct keymap m;

		keymap_init(&m, sizes[s], 1);
		assert_int_equal(keymap_get(&m, key), KEYMAP_NONE);
		assert_false(keymap_remove(&m, key));
		for (unsigned i = 0; i < 1000; i++) {
			key[0] = (unsigned char)i;
			key[sizes[s] - 1] = (unsigned char)(i >> 8);
			*keymap_slot(&m, key) = i;
		}
		for (unsigned i = 0; i < 1000; i++) {
			key[0] = (unsigned char)i;
			key[sizes[s] - 1] = (unsigned char)(i >> 8);
			assert_int_equal(keymap_get(&m, key), i);
		}
		assert_int_equal(m.count, 1000);
		assert_true(keymap_footprint(&m) >= 1000 * sizes[s]);
		keymap_free(&m);
		assert_int_equal(keymap_footprint(&m), 0);
	}
}

/* Wrong: two names share a number, or hostile names fill the memory. */
static void test_intern(void **state)
{
	struct intern t;
	char name[16];

	(void)state;
	intern_init(&t, 1000, 5);
	assert_int_equal(intern_put(&t, SV("")), 0);
	assert_int_equal(intern_get(&t, 0).n, 0);
	for (uint32_t i = 1; i < 1000; i++) {
		snprintf(name, sizeof(name), "host-%u", i);
		assert_int_equal(intern_find(&t, sv_cstr(name)), INTERN_FULL);
		assert_int_equal(intern_put(&t, sv_cstr(name)), i);
		assert_int_equal(intern_put(&t, sv_cstr(name)), i);
	}
	for (uint32_t i = 1; i < 1000; i++) {
		snprintf(name, sizeof(name), "host-%u", i);
		assert_int_equal(intern_find(&t, sv_cstr(name)), i);
		is_text(intern_get(&t, i), sv_cstr(name));
		assert_int_equal(intern_get(&t, i).p[strlen(name)], 0);
	}
	/* Full: new names are counted, old ones still found. */
	assert_int_equal(intern_put(&t, SV("one more")), INTERN_FULL);
	assert_int_equal(intern_put(&t, SV("and one")), INTERN_FULL);
	assert_int_equal(t.refused, 2);
	assert_int_equal(t.count, 1000);
	assert_int_equal(intern_put(&t, SV("host-7")), 7);
	is_text(intern_get(&t, INTERN_FULL), SV("(full)"));
	intern_free(&t);
}

/* Wrong: a document grows without limit, or is cut in silence. */
static void test_buf_overflow(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_true(buf_str(&b, "12345678"));
	assert_false(buf_str(&b, "901"));
	assert_true(b.overflowed);
	is_text(buf_view(&b), SV("12345678"));
	/* What would still fit is refused too: the reader would not see the gap. */
	assert_false(buf_char(&b, '9'));
	buf_reset(&b);
	assert_false(b.overflowed);
	assert_true(buf_str(&b, "1234567890"));
	assert_false(buf_char(&b, '1'));
	assert_false(buf_append(&b, "", SIZE_MAX));
	buf_free(&b);

	buf_init(&b, 1000);
	assert_true(buf_printf(&b, "%d-%s", 7, "x"));
	assert_true(buf_printf(&b, "%400d", 7)); /* longer than any buffer on the stack */
	assert_int_equal(b.n, 403);
	assert_int_equal(b.p[402], '7');
	assert_false(buf_printf(&b, "%700d", 7));
	assert_int_equal(b.n, 403);
	buf_free(&b);
	assert_true(buf_append(&b, NULL, 0));
	buf_free(&b);
}

/* Wrong: memory handed out twice, or not zeroed. */
static void test_arena(void **state)
{
	struct arena a = { 0 };
	struct sv copy;
	char *p;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 7) {
			p = arena_alloc(&a, n);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xee, n);
		}
		arena_reset(&a);
	}
	copy = arena_sv(&a, SV("a\0b"));
	is_text(copy, SV("a\0b"));
	assert_int_equal(copy.p[3], 0);
	assert_non_null(arena_alloc(&a, 1000000));
	assert_true(arena_footprint(&a) >= 1000000);
	arena_free(&a);
	assert_int_equal(arena_footprint(&a), 0);
}

/* Wrong: a hostile host name breaks out of its string, or the document is no JSON. */
static void test_jsonw(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	w = jsonw_on(&b);
	jsonw_open(&w, '{');
	jsonw_key(&w, "s");
	jsonw_sv(&w, SV("\"\\/\n\t\r\x01\x1f\0</script>"));
	jsonw_key_sv(&w, SV("k\""));
	jsonw_open(&w, '[');
	jsonw_int(&w, INT64_MIN);
	jsonw_fixed2(&w, -1600);
	jsonw_fixed2(&w, 2136);
	jsonw_fixed2(&w, 2140);
	jsonw_fixed2(&w, -5);
	jsonw_fixed2(&w, 0);
	jsonw_bool(&w, true);
	jsonw_null(&w);
	jsonw_str(&w, NULL);
	jsonw_open(&w, '{');
	jsonw_close(&w, '}');
	jsonw_open(&w, '[');
	jsonw_close(&w, ']');
	jsonw_raw(&w, SV("{\"a\":1}"));
	jsonw_instant(&w, (struct instant){ INT64_C(1795486453903000000) });
	jsonw_instant(&w, INSTANT_NONE);
	jsonw_sv(&w, SV_NONE);
	jsonw_close(&w, ']');
	jsonw_key(&w, "z");
	jsonw_bool(&w, false);
	jsonw_close(&w, '}');
	is_text(buf_view(&b),
		SV("{\"s\":\"\\\"\\\\/\\n\\t\\r\\u0001\\u001f\\u0000</script>\",\"k\\\"\":["
		   "-9223372036854775808,-16.0,21.36,21.4,-0.05,0.0,true,null,null,{},[],{\"a\":1},"
		   "\"2026-11-24T02:14:13.903Z\",null,\"\"],\"z\":false}"));
	buf_free(&b);
}

/* Wrong: invalid UTF-8 in, invalid UTF-8 out, and the next tool refuses the whole line. */
static void test_jsonw_invalid_utf8(void **state)
{
	static const struct {
		struct sv in, out;
	} cases[] = {
		{ { "\xc3\xa9", 2 }, { "\xc3\xa9", 2 } },
		{ { "\xf0\x9f\x98\x80", 4 }, { "\xf0\x9f\x98\x80", 4 } },
		{ { "a\xff"
		    "b",
		    3 },
		  { "a\xef\xbf\xbd"
		    "b",
		    5 } },
		{ { "\xc3", 1 }, { "\xef\xbf\xbd", 3 } },		  /* cut */
		{ { "\xc0\xaf", 2 }, { "\xef\xbf\xbd\xef\xbf\xbd", 6 } }, /* overlong */
		{ { "\xed\xa0\x80", 3 },
		  { "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 9 } }, /* surrogate */
		{ { "\xf4\x90\x80\x80", 4 },
		  { "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 12 } }, /* > U+10FFFF */
		{ { "\xe2\x82"
		    "x",
		    3 },
		  { "\xef\xbf\xbd\xef\xbf\xbdx", 7 } },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jsonw w = jsonw_on(&b);

		buf_reset(&b);
		jsonw_sv(&w, cases[i].in);
		assert_true(b.n >= 2 && b.p[0] == '"' && b.p[b.n - 1] == '"');
		is_text(sv_make(b.p + 1, b.n - 2), cases[i].out);
	}
	buf_free(&b);
}

/* Wrong: a long path overflows the message, or the path is lost on its way up. */
static void test_errors(void **state)
{
	struct error e = { 0 };
	char longest[3000];

	(void)state;
	assert_false(error_set(&e, ERROR_CONFIG, 7, "unknown key \"%s\"", "x"));
	error_prefix(&e, "%s:%d", "pinwatch.yaml", 7);
	assert_string_equal(e.message, "pinwatch.yaml:7: unknown key \"x\"");
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(e.position, 7);
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	error_prefix(&e, "%s", longest);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	for (size_t n = sizeof(e.message) - 6; n <= sizeof(e.message) + 1; n++) {
		error_set(&e, ERROR_IO, 0, "end");
		error_prefix(&e, "%.*s", (int)n, longest);
		assert_true(strlen(e.message) < sizeof(e.message));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sv_comparing),
		cmocka_unit_test(test_sv_cutting),
		cmocka_unit_test(test_sv_numbers),
		cmocka_unit_test(test_iso_times),
		cmocka_unit_test(test_iso_rejects),
		cmocka_unit_test(test_epoch_times),
		cmocka_unit_test(test_time_formatting),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_addresses_with_port),
		cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_keymap_random),
		cmocka_unit_test(test_keymap_key_sizes),
		cmocka_unit_test(test_intern),
		cmocka_unit_test(test_buf_overflow),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_jsonw),
		cmocka_unit_test(test_jsonw_invalid_utf8),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
