/* Property: a quick way either does exactly what its derivation does, or declines and leaves its
 * target alone. The seed is printed; PINWATCH_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "parse/quick.h"

#define ROUNDS 200000u

/* The usual spellings and what lies just beside them. */
static const char *const texts[] = {
	"",
	"a",
	"A",
	".",
	"[",
	"]",
	" a",
	"a ",
	"abc",
	"aBc",
	"abcdefg",
	"abcdefgh",
	"abcdefgH",
	"api.bank.test",
	"api.bank.test.",
	"API.bank.test",
	"[2001:db8::1]",
	"2001:db8::1",
	"m\xc3\xbcnchen.test",
	"com.acme.bank",
	"AB12CD34EF.com.acme.bank",
	".com.acme.bank",
	"00008110-000A1B2C3D4E5F60",
	"00008110-000a1b2c3d4e5f60",
	"10.8.0.14",
	"255.255.255.255",
	"256.1.1.1",
	"0.0.0.0",
	"010.001.000.1",
	"1.2.3",
	"1.2.3.4.5",
	"::ffff:10.0.0.1",
	"0",
	"00",
	"443",
	"65535",
	"65536",
	"443.0",
	"-1",
	"+1",
	"999999999999999999",
	"9223372036854775807",
	"18446744073709551616",
	"1795507200.25",
	"1795507200",
	"1795507200.",
	"1795507200.1234567890",
	"9223372035.999999999",
	"9223372036.0",
	"9999999999.1",
	"0000000001.5",
	"179550720a.25",
	"1795507200.2e",
	"2026-11-24T02:14:13.903Z",
	"true",
	"TRUE",
	"false",
	"fals",
	"T",
	"F",
	"yes",
	"0x10",
	"tru",
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

static size_t some_text(char *out, size_t room)
{
	static const char telling[] = ".:[]- \t\x7f\x80\xff@aAzZ09`{/";
	const char *from = texts[rnd(N_TEXTS)];
	size_t n = strlen(from);

	memcpy(out, from, n);
	for (size_t changes = rnd(3); changes > 0 && n > 0; changes--)
		out[rnd(n)] = rnd(2) == 0 ? telling[rnd(sizeof(telling) - 1)] : (char)rnd(256);
	if (rnd(8) == 0)
		n = rnd(n + 1);
	if (rnd(16) == 0 && from[0] != '\0')
		for (; n < room && rnd(400) != 0; n++) /* beyond any host name */
			out[n] = from[0];
	return n;
}

static void compare(const struct target *t, const struct derivation *d, struct sv text)
{
	static const struct parser_options options = { .date = { INT64_MIN } };
	struct arena scratch = { 0 };
	struct observation by_quick, by_derivation, before;
	struct derive_context c = { &scratch, &options, &by_derivation, SV_NONE, NULL, NULL };
	struct cell cell;

	memset(&before, 0x5a, sizeof(before));
	by_quick = by_derivation = before;
	if (!quick_take(quick_find(d, t), text, t, &by_quick)) {
		assert_memory_equal(&by_quick, &before, sizeof(before));
	} else if (d == NULL) {
		assert_true(sv_eq(*(struct sv *)(void *)((char *)&by_quick + t->offset), text));
	} else {
		assert_int_equal(d->run(&c, text, &cell), DERIVED);
		assert_true(target_store(t, &by_derivation, &cell));
		if (t->width == AS_SV) {
			struct sv *q = (void *)((char *)&by_quick + t->offset);
			struct sv *s = (void *)((char *)&by_derivation + t->offset);
			assert_true(sv_eq(*q, *s));
			*q = *s = SV_NONE;
		}
		assert_memory_equal(&by_quick, &by_derivation, sizeof(before));
	}
	arena_free(&scratch);
}

/* Wrong: a record reads otherwise because it is spelt as usual. */
static void test_same_as_derivation(void **state)
{
	static const struct {
		const char *target, *derivation;
		enum quick quick;
	} ways[] = {
		{ "flow_id", NULL, QUICK_PLAIN },
		{ "tls.ja4", "trim", QUICK_TRIM },
		{ "tls.ja3", "lower", QUICK_LOWER },
		{ "dst_endpoint.hostname", "host", QUICK_LOWER },
		{ "device.udid", "udid", QUICK_UPPER },
		{ "device.serial", "serial", QUICK_UPPER },
		{ "app.bundle_id", "strip_team_id", QUICK_BUNDLE },
		{ "src_endpoint.ip", "ip", QUICK_IP },
		{ "src_endpoint.port", "number", QUICK_PORT },
		{ "traffic.bytes_in", "number", QUICK_NUMBER },
		{ "time", "time", QUICK_EPOCH },
		{ "time", "epoch_any", QUICK_EPOCH },
		{ "tls.established", "boolean", QUICK_TRI },
	};
	const char *given = getenv("PINWATCH_SEED");

	(void)state;
	chance = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(88172645463325252);
	print_message("# PINWATCH_SEED=%llu\n", (unsigned long long)chance);
	for (size_t i = 0; i < ROUNDS; i++) {
		size_t way = i % (sizeof(ways) / sizeof(ways[0]));
		const struct target *t = target_find(sv_cstr(ways[way].target), IN_TLS);
		const struct derivation *d = ways[way].derivation != NULL
						 ? derivation_find(sv_cstr(ways[way].derivation))
						 : NULL;
		char text[512], *exact;
		size_t n = some_text(text, sizeof(text));

		assert_int_equal(quick_find(d, t), ways[way].quick);
		exact = malloc(n > 0 ? n : 1); /* so that reading outside is noticed */
		memcpy(exact, text, n);
		compare(t, d, sv_make(exact, n));
		free(exact);
	}
}

/* Wrong: the usual spelling goes the long way after all, and nobody notices but the clock. */
static void test_usual_spellings_are_taken(void **state)
{
	static const struct {
		const char *target, *text;
	} usual[] = {
		{ "dst_endpoint.hostname", "api.bank.test" },
		{ "dst_endpoint.hostname", "a.b" },
		{ "device.udid", "00008110-000A1B2C3D4E5F60" },
		{ "app.bundle_id", "com.acme.bank" },
		{ "src_endpoint.ip", "10.8.0.14" },
		{ "src_endpoint.port", "50001" },
		{ "traffic.bytes_in", "1358" },
		{ "time", "1795507200.250000" },
		{ "tls.established", "true" },
		{ "tls.established", "F" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const struct target *t = target_find(sv_cstr(usual[i].target), IN_TLS);
		struct observation o;

		assert_true(quick_take(quick_find(derivation_find(sv_cstr(t->derivation)), t),
				       sv_cstr(usual[i].text), t, &o));
	}
}

static struct short_text head(const char *text) { return short_text(sv_cstr(text)); }

/* Wrong: two words are taken for one another, or one is not recognised. */
static void test_short_texts(void **state)
{
	static const char *const words[] = { "",
					     "a",
					     "b",
					     "ab",
					     "ba",
					     "abc",
					     "acc",
					     "abcd",
					     "abcde",
					     "abcdefg",
					     "abcdefgh",
					     "abcdefghi",
					     "abcdefgh01234567",
					     "abcdefgx01234567" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			assert_int_equal(short_text_eq(head(words[i]), head(words[k])), i == k);
	/* of longer ones only the ends are in it; the whole settles it */
	assert_true(short_text_eq(head("abcdefgh-01234567"), head("abcdefgh+01234567")));
	assert_false(short_text_is(head("abcdefgh-01234567"), SV("abcdefgh-01234567"),
				   head("abcdefgh+01234567"), SV("abcdefgh+01234567")));
}

/* Wrong: a letter is found that is not there, or one that is there is not. */
static void test_letters(void **state)
{
	char text[16];

	(void)state;
	for (size_t n = 0; n <= sizeof(text); n++)
		for (int c = 1; c < 256; c++) {
			memset(text, c == 'x' ? 'y' : 'x', sizeof(text));
			assert_false(short_text_has(short_text(sv_make(text, n)), (char)c));
			for (size_t i = 0; i < n; i++) {
				text[i] = (char)c;
				assert_true(short_text_has(short_text(sv_make(text, n)), (char)c));
				text[i] = c == 'x' ? 'y' : 'x';
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_derivation),
		cmocka_unit_test(test_usual_spellings_are_taken),
		cmocka_unit_test(test_short_texts),
		cmocka_unit_test(test_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
