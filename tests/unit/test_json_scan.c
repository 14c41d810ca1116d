/* The JSON scanner over many records: what it remembers of earlier ones must never show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "parse/json.h"
#include "read/reader.h"

enum { A, B_C, LONG, QUOTED, SLOTS };

#define LONG_NAME "a_name_of_more_than_sixteen_bytes"

static const struct json_name names[] = {
	{ { "a", 1 }, A },
	{ { "b.c", 3 }, B_C },
	{ { LONG_NAME, sizeof(LONG_NAME) - 1 }, LONG },
	{ { "q\"", 2 }, QUOTED },
};

/* The four values with a bar between them, or "refused". */
static void check(struct json_scanner *s, const char *record, const char *want)
{
	struct raw slots[SLOTS] = { 0 };
	struct arena scratch = { 0 };
	struct error err = { 0 };
	size_t n = strlen(record), used = 0;
	char *bytes = malloc(n + READ_PADDING), got[256] = "refused";

	memcpy(bytes, record, n);
	memset(bytes + n, 0, READ_PADDING);
	if (json_scan(s, sv_make(bytes, n), slots, &scratch, &err)) {
		got[0] = '\0';
		for (size_t i = 0; i < SLOTS; i++)
			used += (size_t)snprintf(
			    got + used, sizeof(got) - used, "%s%.*s", i > 0 ? "|" : "",
			    slots[i].type != RAW_ABSENT ? (int)slots[i].text.n : 0,
			    slots[i].type != RAW_ABSENT ? slots[i].text.p : "");
	} else {
		assert_true(err.message[0] != '\0' && err.position <= n);
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s: got %s, expected %s", record, got, want);
	arena_free(&scratch);
	free(bytes);
}

/* Wrong: a field is taken for another because of the order of fields in records before. */
static void test_order(void **state)
{
	static const char *const records[][2] = {
		{ "{\"x\":0,\"a\":1,\"y\":0,\"b.c\":2}", "1|2||" },
		{ "{\"x\":0,\"a\":1,\"b.c\":2}", "1|2||" },
		{ "{\"b.c\":2,\"y\":0,\"a\":1}", "1|2||" },
		{ "{\"x\":0,\"y\":0}", "|||" },
		{ "{\"a\":1,\"" LONG_NAME "\":3}", "1||3|" },
		{ "{\"a\":1,\"" LONG_NAME "_\":3}", "1|||" },
		{ "{\"a\":1,\"a_name_of_more_than_sixteen\":3}", "1|||" },
		{ "{\"b\":{\"d\":0,\"c\":2},\"a\":1}", "1|2||" },
		{ "{\"b\":{\"c\":2},\"d\":0,\"a\":1}", "1|2||" },
		{ "{\"b\":2,\"c\":3,\"a\":1}", "1|||" },
		{ "{\"b\":[{\"c\":2}],\"a\":1}", "1|||" },
		{ "{ \"a\" : 1 , \"b.c\" : 2 }", "1|2||" },
		{ "{}", "|||" },
	};

	(void)state;
	for (uint32_t round = 0; round < 500; round++) {
		struct json_scanner *s = json_scanner_new(names, sizeof(names) / sizeof(names[0]));
		uint64_t x = round + 1;

		for (int i = 0; i < 40; i++) {
			x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
			const char *const *r =
			    records[(x >> 33) % (sizeof(records) / sizeof(records[0]))];
			check(s, r[0], r[1]);
		}
		json_scanner_free(s);
	}
}

/* Wrong: an escaped name is taken for the one its bytes begin like, or an escape is not undone. */
static void test_escaped_names(void **state)
{
	struct json_scanner *s = json_scanner_new(names, sizeof(names) / sizeof(names[0]));

	(void)state;
	for (int i = 0; i < 3; i++) {
		check(s, "{\"x\":0,\"a\\\"\":1}", "|||");
		check(s, "{\"x\":0,\"a\":1}", "1|||");
		check(s, "{\"x\":0,\"\\u0061\":1}", "1|||");
		check(s, "{\"x\":0,\"a\\\\\":1}", "|||");
		check(s, "{\"x\":0,\"q\\\"\":4}", "|||4");
		check(s, "{\"x\":0,\"q\":4,\"a\":\"\\n\"}", "\n|||");
	}
	json_scanner_free(s);
}

/* Wrong: more names than are remembered, and those that come late are not found any more. */
static void test_many_names(void **state)
{
	struct json_scanner *s = json_scanner_new(names, sizeof(names) / sizeof(names[0]));
	char record[128];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(record, sizeof(record), "{\"n%d\":0,\"m%d\":1,\"a\":%d}", i, i % 7, i);
		char want[32];
		snprintf(want, sizeof(want), "%d|||", i);
		check(s, record, want);
	}
	json_scanner_free(s);
}

/* Wrong: what is no JSON gives fields. */
static void test_malformed(void **state)
{
	static const char *const records[] = {
		"",
		"{",
		"}",
		"[]",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{\"a\"::1}",
		"{\"a\":,\"x\":1}",
		"{\"a\":}",
		"{\"a\":]}",
		"{\"x\":,\"a\":1}",
		"{\"x\"::\"y\",\"a\":1}",
		"{\"a\" 1}",
		"{\"a\",1}",
		"{a:1}",
		"{\"a\":1 \"x\":2}",
		"{\"a\":[1,2}",
		"{\"a\":{\"b\":1}",
		"{\"b\":{\"c\":1",
		"{\"b\":{\"c\"}}",
		"{\"x\":[[[[",
		"{\"a\":\"y\"z\"}",
		"{\"a\":nothing}",
		"{\"a\":1}{\"a\":2}",
	};
	struct json_scanner *s = json_scanner_new(names, sizeof(names) / sizeof(names[0]));

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
			check(s, records[i], "refused");
		check(s, "{\"x\":0,\"a\":1,\"b\":{\"c\":2}}", "1|2||");
	}
	json_scanner_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_escaped_names),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
