/* The records behind a finding are the first and last ten of each device and kind. What is passed
 * over while they are looked for, in whatever order they come, is none of them: what is left when
 * all others have been passed over is what is left of all. If this failed, evidence would hang on
 * how many records lie between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "judge/records.h"

enum { ROUNDS = 3000, MOST = 400 };

static struct record any(uint32_t turn, uint32_t times, uint32_t lines)
{
	return (struct record){
		.time = rnd(times),
		.turn = turn,
		.ref = { rnd(2), rnd(lines), (uint16_t)rnd(2) },
		.kind = OBS_TLS_ATTEMPT,
		.outcome = (uint8_t)(1 + rnd(3)),
		.alert = -1,
	};
}

static void test_ends_are_those_of_all(void **unused)
{
	size_t passed_over = 0;

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		/* From all at one time to hardly any two, and from one line to as many as records.
		 */
		uint32_t n = 1 + rnd(MOST), times = 1 + rnd(rnd(3) == 0 ? 5 : 500),
			 lines = 1 + rnd(n);
		struct arena scratch = { 0 };
		struct records all = { .scratch = &scratch }, left = { .scratch = &scratch };
		struct record_end ends[2] = { 0 };

		for (int e = 0; e < 2; e++)
			record_end_open(&ends[e], e == 1, &scratch);
		for (uint32_t i = 0; i < n; i++) {
			struct record r = any(i, times, lines);

			records_add(&all, r);
			record_end_add(&ends[0], &r);
			record_end_add(&ends[1], &r);
		}
		for (int e = 0; e < 2; e++)
			for (size_t i = 0; i < ends[e].records.n; i++)
				records_add(&left, ends[e].records.list[i]);
		passed_over += ends[0].records.n < n;
		records_thin(&all, NULL);
		records_thin(&left, NULL);
		assert_true(all.n <= 2 * KEEP);
		assert_int_equal(left.n, all.n);
		for (size_t i = 0; i < all.n; i++)
			assert_int_equal(left.list[i].turn, all.list[i].turn);
		arena_free(&scratch);
	}
	print_message("# of %d lists something was passed over in %zu\n", ROUNDS, passed_over);
	assert_true(passed_over > ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_are_those_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
