/* base/pool: every piece is done exactly once, by whatever number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

struct sums {
	unsigned char *done; /* a piece each */
	size_t n;
	uint64_t by_worker[POOL_MAX];
	unsigned threads;
	atomic_bool stray; /* a number out of range */
};

static void mark(void *arg, size_t index, unsigned worker)
{
	struct sums *s = arg;

	/* Only the test's own thread may assert. */
	if (index >= s->n || worker >= s->threads) {
		atomic_store(&s->stray, true);
		return;
	}
	s->done[index]++;
	s->by_worker[worker]++;
}

static void each_once(struct pool *p, size_t n)
{
	struct sums s = { .done = calloc(n + 1, 1), .n = n, .threads = pool_threads(p) };
	uint64_t all = 0;

	pool_each(p, n, mark, &s);
	assert_false(s.stray);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s.done[i], 1);
	for (unsigned w = 0; w < s.threads; w++)
		all += s.by_worker[w];
	assert_int_equal(all, n);
	free(s.done);
}

static void every_piece_once(void **state)
{
	static const unsigned threads[] = { 0, 1, 2, 3, 8, 33 };
	static const size_t pieces[] = { 0, 1, 2, 3, 31, 32, 33, 1000, 100001 };

	(void)state;
	each_once(NULL, 1000);
	for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
		struct pool p;
		pool_init(&p, threads[t]);
		assert_true(pool_threads(&p) >= 1 &&
			    pool_threads(&p) <= (threads[t] > 1 ? threads[t] : 1));
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
			each_once(&p, pieces[i]);
		pool_free(&p);
	}
}

/* Many small jobs after each other: a worker that comes late must not touch a job that is over. */
static void jobs_after_each_other(void **state)
{
	struct pool p;

	(void)state;
	pool_init(&p, 4);
	for (int i = 0; i < 20000; i++)
		each_once(&p, 3);
	pool_free(&p);
}

static void two_jobs_at_once(void **state)
{
	enum { N = 5000 };
	struct pool p;
	struct pool_job one, two;
	struct sums a = { .done = calloc(N, 1), .n = N }, b = { .done = calloc(N, 1), .n = N };

	(void)state;
	pool_init(&p, 3);
	a.threads = b.threads = pool_threads(&p);
	pool_begin(&p, &one, N, mark, &a);
	pool_begin(&p, &two, N, mark, &b);
	pool_end(&p, &one);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(a.done[i], 1);
	pool_end(&p, &two);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(b.done[i], 1);
	pool_free(&p);
	free(a.done);
	free(b.done);
}

static void processors_there_are(void **state)
{
	(void)state;
	assert_true(pool_processors() >= 1 && pool_processors() <= POOL_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_piece_once),
		cmocka_unit_test(jobs_after_each_other),
		cmocka_unit_test(two_jobs_at_once),
		cmocka_unit_test(processors_there_are),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
