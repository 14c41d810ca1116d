#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "live.h"
#include "read/spool.h"
#include "read/spool_file.h"

#define SEGMENT (UINT64_C(256) << 10)

static const struct instant at = { 1795485600 * NS_PER_S };

static struct spool *open_spool(const char *dir, uint64_t max_size)
{
	struct spool_options o = { .dir = dir, .segment_size = SEGMENT, .max_size = max_size };
	struct error err = { 0 };
	struct spool *s = spool_open(&o, &err);

	if (s == NULL)
		fail_msg("%s", err.message);
	return s;
}

static struct spool_reader *open_reader(struct spool *s, struct sv position)
{
	struct error err = { 0 };
	struct spool_reader *r = spool_reader_open(s, position, &err);

	if (r == NULL)
		fail_msg("%s", err.message);
	return r;
}

static uint64_t append(struct spool *s, struct sv record)
{
	struct error err = { 0 };
	uint64_t ticket;

	assert_int_equal(spool_append(s, record, at, &ticket, &err), SPOOL_DONE);
	return ticket;
}

static void sync_all(struct spool *s)
{
	struct error err = { 0 };

	assert_true(spool_sync(s, UINT64_MAX, &err));
}

static void expect(struct spool_reader *r, struct sv wanted)
{
	struct input_where where;
	struct instant arrival;
	struct error err = { 0 };
	struct sv record;

	assert_int_equal(spool_next(r, &record, &arrival, &where, &err), INPUT_RECORD);
	if (!sv_eq(record, wanted))
		fail_msg("expected %.*s, got %.*s", SV_ARG(wanted), SV_ARG(record));
	assert_int_equal(arrival.ns, at.ns);
}

static void expect_nothing(struct spool_reader *r)
{
	struct input_where where;
	struct instant arrival;
	struct error err = { 0 };
	struct sv record;

	assert_int_equal(spool_next(r, &record, &arrival, &where, &err), INPUT_NOTHING_YET);
}

static bool readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

static void only_synced_records_are_read(void **state)
{
	char dir[256];
	struct spool *s;
	struct spool_reader *r;

	(void)state;
	make_dir(dir, sizeof(dir));
	s = open_spool(dir, 0);
	r = open_reader(s, SV_NONE);
	expect_nothing(r);
	assert_false(readable(spool_fd(s)));
	append(s, SV("one"));
	append(s, SV("")); /* empty, and with bytes that mean something elsewhere */
	append(s, SV("thr\0ee\n"));
	expect_nothing(r);
	sync_all(s);
	assert_true(readable(spool_fd(s)));
	expect(r, SV("one"));
	expect(r, SV(""));
	expect(r, SV("thr\0ee\n"));
	expect_nothing(r);
	assert_false(readable(spool_fd(s)));
	spool_reader_close(r);
	spool_close(s);
	remove_dir(dir);
}

static void a_position_goes_on_exactly(void **state)
{
	char dir[256], text[32];
	struct buf position;
	struct spool *s;
	struct spool_reader *r;

	(void)state;
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	s = open_spool(dir, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "record %d", i);
		append(s, sv_cstr(text));
	}
	sync_all(s);
	for (int i = 0; i < 100; i++) {
		r = open_reader(s, buf_view(&position));
		snprintf(text, sizeof(text), "record %d", i);
		expect(r, sv_cstr(text));
		buf_reset(&position);
		spool_position(r, &position);
		spool_reader_close(r);
		spool_close(s);
		s = open_spool(dir, 0);
	}
	r = open_reader(s, buf_view(&position));
	expect_nothing(r);
	spool_reader_close(r);
	spool_close(s);
	buf_free(&position);
	remove_dir(dir);
}

/* Fills a spool of two segments, reads it empty, trims: there is room again. */
static void a_full_spool_says_so_until_it_is_trimmed(void **state)
{
	static char big[1000];
	char dir[256];
	struct spool *s;
	struct spool_reader *r;
	struct spool_stats stats;
	struct buf position;
	struct error err = { 0 };
	size_t n = 0;

	(void)state;
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	memset(big, 'x', sizeof(big));
	s = open_spool(dir, 2 * SEGMENT);
	r = open_reader(s, SV_NONE);
	while (spool_append(s, sv_make(big, sizeof(big)), at, NULL, &err) == SPOOL_DONE)
		n++;
	/* 24 + 1000 bytes each, 64 a segment's header */
	assert_int_equal(n, 2 * ((SEGMENT - 64) / 1024));
	assert_true(spool_full(s, at));
	sync_all(s);
	for (size_t i = 0; i < n; i++)
		expect(r, sv_make(big, sizeof(big)));
	expect_nothing(r);
	assert_true(spool_full(s, at)); /* read, but not yet checkpointed */
	spool_position(r, &position);
	assert_true(spool_trim(s, buf_view(&position), &err));
	assert_false(spool_full(s, at));
	spool_stats(s, &stats);
	assert_int_equal(stats.appended, n);
	assert_int_equal(stats.refused_full, 1);
	assert_int_equal(stats.waiting, 0);
	assert_true(stats.size <= 2 * SEGMENT);
	append(s, SV("again"));
	sync_all(s);
	expect(r, SV("again"));
	spool_reader_close(r);
	spool_close(s);
	buf_free(&position);
	remove_dir(dir);
}

static void what_is_too_long_is_refused(void **state)
{
	static char big[70000];
	char dir[256];
	struct spool_options o = { .dir = dir, .max_record = 65536 };
	struct error err = { 0 };
	struct spool *s;

	(void)state;
	make_dir(dir, sizeof(dir));
	s = spool_open(&o, &err);
	assert_non_null(s);
	assert_int_equal(spool_append(s, sv_make(big, 65536), at, NULL, &err), SPOOL_DONE);
	assert_int_equal(spool_append(s, sv_make(big, 65537), at, NULL, &err), SPOOL_TOO_LONG);
	spool_close(s);
	remove_dir(dir);
}

static void two_processes_do_not_share_a_spool(void **state)
{
	char dir[256];
	struct spool_options o = { .dir = dir };
	struct error err = { 0 };
	struct spool *s;

	(void)state;
	make_dir(dir, sizeof(dir));
	s = open_spool(dir, 0);
	assert_null(spool_open(&o, &err));
	assert_non_null(strstr(err.message, "another process"));
	spool_close(s);
	remove_dir(dir);
}

/* Also after the key's own segment is gone. */
static void a_repeated_batch_is_known(void **state)
{
	static char big[100000];
	struct sv batch[3] = { SV("a"), SV("b"), SV("c") };
	char dir[256];
	struct spool *s;
	struct spool_reader *r;
	struct buf position;
	struct error err = { 0 };

	(void)state;
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	s = open_spool(dir, 0);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-1"), at, NULL, &err), SPOOL_DONE);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-1"), at, NULL, &err), SPOOL_KNOWN);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-2"), at, NULL, &err), SPOOL_DONE);
	for (int i = 0; i < 6; i++) /* on to the third segment */
		append(s, sv_make(big, sizeof(big)));
	sync_all(s);
	r = open_reader(s, SV_NONE);
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			expect(r, batch[j]);
	for (int i = 0; i < 6; i++)
		expect(r, sv_make(big, sizeof(big)));
	spool_position(r, &position);
	assert_true(spool_trim(s, buf_view(&position), &err));
	spool_reader_close(r);
	spool_close(s);
	s = open_spool(dir, 0);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-1"), at, NULL, &err), SPOOL_KNOWN);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-2"), at, NULL, &err), SPOOL_KNOWN);
	assert_int_equal(spool_append_batch(s, batch, 3, SV("key-3"), at, NULL, &err), SPOOL_DONE);
	spool_close(s);
	buf_free(&position);
	remove_dir(dir);
}

static void first_segment(const char *dir, char *out, size_t n)
{
	snprintf(out, n, "%s/%016x.spool", dir, 1);
}

/* Entries of 8 payload bytes take 32: one single record, then a batch of four. Whatever byte of the
 * batch the crash stopped at, the single record stays and the batch is gone as a whole. */
static void a_torn_batch_is_cut_as_a_whole(void **state)
{
	struct sv batch[4] = { SV("batch--1"), SV("batch--2"), SV("batch--3"), SV("batch--4") };
	char dir[256], path[300];

	(void)state;
	for (long keep = 0; keep < 4 * 32; keep += 3) {
		struct spool *s;
		struct spool_reader *r;
		struct spool_stats stats;
		struct error err = { 0 };

		make_dir(dir, sizeof(dir));
		s = open_spool(dir, 0);
		append(s, SV("single-1"));
		assert_int_equal(spool_append_batch(s, batch, 4, SV_NONE, at, NULL, &err),
				 SPOOL_DONE);
		spool_close(s);
		first_segment(dir, path, sizeof(path));
		/* A file that is shorter reads like one whose last blocks never reached the
		 * disk. */
		assert_int_equal(truncate(path, 64 + 32 + keep), 0);
		assert_int_equal(truncate(path, (off_t)SEGMENT), 0);
		s = open_spool(dir, 0);
		spool_stats(s, &stats);
		if (keep > 31)
			assert_in_range(stats.torn, 1, keep);
		r = open_reader(s, SV_NONE);
		expect(r, SV("single-1"));
		expect_nothing(r);
		append(s, SV("single-2"));
		sync_all(s);
		expect(r, SV("single-2"));
		spool_reader_close(r);
		spool_close(s);
		remove_dir(dir);
	}
}

/* One flipped byte costs the record it stands in, no other, and is counted. */
static void damage_costs_one_record(void **state)
{
	char dir[256], path[300], text[32];

	(void)state;
	for (long hurt = 64 + 10 * 32; hurt < 64 + 11 * 32; hurt++) {
		struct spool *s;
		struct spool_reader *r;
		struct spool_stats stats;
		struct input_where where;
		struct instant arrival;
		struct error err = { 0 };
		struct sv record;
		unsigned char byte;
		int fd;

		make_dir(dir, sizeof(dir));
		s = open_spool(dir, 0);
		for (int i = 0; i < 20; i++) {
			snprintf(text, sizeof(text), "record%02d", i);
			append(s, sv_cstr(text));
		}
		spool_close(s);
		first_segment(dir, path, sizeof(path));
		fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, &byte, 1, hurt), 1);
		byte ^= 0x55;
		assert_int_equal(pwrite(fd, &byte, 1, hurt), 1);
		close(fd);
		s = open_spool(dir, 0);
		r = open_reader(s, SV_NONE);
		for (int i = 0; i < 20; i++) {
			snprintf(text, sizeof(text), "record%02d", i);
			if (i != 10) {
				expect(r, sv_cstr(text));
				continue;
			}
			assert_int_equal(spool_next(r, &record, &arrival, &where, &err),
					 INPUT_ERROR);
			assert_int_equal(err.position, 64 + 10 * 32);
		}
		expect_nothing(r);
		spool_stats(s, &stats);
		assert_in_range(stats.damaged, 1, 32);
		spool_reader_close(r);
		spool_close(s);
		remove_dir(dir);
	}
}

static void a_wiped_folder_is_noticed(void **state)
{
	char dir[256];
	struct spool *s;
	struct spool_reader *r;
	struct buf position;
	struct input_where where;
	struct instant arrival;
	struct error err = { 0 };
	struct sv record;

	(void)state;
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	s = open_spool(dir, 0);
	append(s, SV("before"));
	sync_all(s);
	r = open_reader(s, SV_NONE);
	expect(r, SV("before"));
	spool_position(r, &position);
	spool_reader_close(r);
	spool_close(s);
	remove_dir(dir);
	s = open_spool(dir, 0);
	append(s, SV("after"));
	sync_all(s);
	r = open_reader(s, buf_view(&position));
	assert_int_equal(spool_next(r, &record, &arrival, &where, &err), INPUT_ERROR);
	expect(r, SV("after"));
	spool_reader_close(r);
	assert_null(spool_reader_open(s, SV("{\"segment\":1,\"id\":\"xyz\"}"), &err));
	assert_int_equal(err.code, ERROR_FORMAT);
	spool_close(s);
	buf_free(&position);
	remove_dir(dir);
}

struct appender {
	pthread_t thread;
	struct spool *spool;
	unsigned number;
};
#define APPENDERS 4
#define EACH 3000

static void *append_many(void *arg)
{
	struct appender *a = arg;
	struct error err = { 0 };
	char text[64];
	uint64_t ticket = 0;

	for (unsigned i = 0; i < EACH; i++) {
		snprintf(text, sizeof(text), "%u %u padding padding padding", a->number, i);
		if (spool_append(a->spool, sv_cstr(text), at, &ticket, &err) != SPOOL_DONE)
			return a;
		if (i % 100 == 0 && !spool_sync(a->spool, ticket, &err))
			return a;
	}
	return spool_sync(a->spool, ticket, &err) ? NULL : a;
}

/* Each appender's records come in its order, none is missing, while the reader trims behind
 * itself. */
static void many_append_while_one_reads(void **state)
{
	struct appender appenders[APPENDERS];
	unsigned next[APPENDERS] = { 0 };
	char dir[256];
	struct spool *s;
	struct spool_reader *r;
	struct buf position;
	struct error err = { 0 };
	unsigned seen = 0;

	(void)state;
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	s = open_spool(dir, 0);
	r = open_reader(s, SV_NONE);
	for (unsigned i = 0; i < APPENDERS; i++) {
		appenders[i] = (struct appender){ .spool = s, .number = i };
		pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]);
	}
	while (seen < APPENDERS * EACH) {
		struct input_where where;
		struct instant arrival;
		struct sv record;
		unsigned who, what;

		if (spool_next(r, &record, &arrival, &where, &err) == INPUT_NOTHING_YET) {
			struct pollfd p = { spool_fd(s), POLLIN, 0 };
			assert_int_equal(poll(&p, 1, 30000), 1);
			continue;
		}
		assert_int_equal(sscanf(record.p, "%u %u", &who, &what), 2);
		assert_true(who < APPENDERS);
		assert_int_equal(what, next[who]++);
		assert_int_equal(where.line, ++seen);
		if (seen % 1000 == 0) {
			buf_reset(&position);
			spool_position(r, &position);
			assert_true(spool_trim(s, buf_view(&position), &err));
		}
	}
	for (unsigned i = 0; i < APPENDERS; i++) {
		void *failed;
		pthread_join(appenders[i].thread, &failed);
		assert_null(failed);
	}
	expect_nothing(r);
	spool_reader_close(r);
	spool_close(s);
	buf_free(&position);
	remove_dir(dir);
}

/* Appends numbered records in batches until killed; tells on the pipe what has been
 * acknowledged. */
static void append_until_killed(const char *dir, int tell, uint64_t from, struct dice d)
{
	struct spool_options o = { .dir = dir, .segment_size = SEGMENT, .max_size = 64 * SEGMENT };
	struct error err;
	struct spool *s = spool_open(&o, &err);
	static char text[8][600];
	struct sv batch[8];

	if (s == NULL)
		_exit(1);
	for (;;) {
		size_t n = 1 + pick(&d, 8);
		uint64_t ticket;
		for (size_t i = 0; i < n; i++) {
			int length = snprintf(text[i], sizeof(text[i]), "%llu %zu ",
					      (unsigned long long)from++, n - i);
			batch[i] = sv_make(text[i], (size_t)length + pick(&d, 500));
		}
		if (spool_append_batch(s, batch, n, SV_NONE, at, &ticket, &err) != SPOOL_DONE)
			_exit(2);
		if (pick(&d, 4) == 0 && (!spool_sync(s, ticket, &err) ||
					 write(tell, &from, sizeof(from)) != sizeof(from)))
			_exit(3);
	}
}

/* SIGKILL at random moments: what was acknowledged is there once and in order, no batch is there in
 * part, and appending goes on behind it. */
static void killed_while_appending(void **state)
{
	char dir[256];
	struct dice d = { 0 };
	struct buf position;
	uint64_t acknowledged = 0, expected = 0;

	(void)state;
	assert_int_equal(getrandom(&d.state, sizeof(d.state), 0), sizeof(d.state));
	if (getenv("SEED") != NULL)
		d.state = strtoull(getenv("SEED"), NULL, 10);
	print_message("# seed %llu\n", (unsigned long long)d.state);
	make_dir(dir, sizeof(dir));
	buf_init(&position, 4096);
	for (int round = 0; round < 30; round++) {
		struct timespec wait = { 0, (long)(1 + pick(&d, 20)) * 1000000 };
		size_t left = 0;
		int tell[2], status;
		struct spool *s;
		struct spool_reader *r;
		struct error err = { 0 };
		struct input_where where;
		struct instant arrival;
		struct sv record;
		pid_t child;

		assert_int_equal(pipe(tell), 0);
		child = fork();
		if (child == 0)
			append_until_killed(dir, tell[1], expected, (struct dice){ roll(&d) });
		close(tell[1]);
		nanosleep(&wait, NULL); /* the random moment; nothing is waited for */
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(tell[0], &acknowledged, sizeof(acknowledged)) > 0)
			continue;
		close(tell[0]);
		s = open_spool(dir, 64 * SEGMENT);
		r = open_reader(s, buf_view(&position));
		while (spool_next(r, &record, &arrival, &where, &err) == INPUT_RECORD) {
			unsigned long long number;
			assert_int_equal(sscanf(record.p, "%llu %zu", &number, &left), 2);
			assert_int_equal(number, expected++);
		}
		assert_true(expected >= acknowledged);
		assert_true(left <= 1); /* the last record of its batch */
		buf_reset(&position);
		spool_position(r, &position);
		assert_true(spool_trim(s, buf_view(&position), &err));
		spool_reader_close(r);
		spool_close(s);
	}
	assert_true(acknowledged > 0);
	buf_free(&position);
	remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_synced_records_are_read),
		cmocka_unit_test(a_position_goes_on_exactly),
		cmocka_unit_test(a_full_spool_says_so_until_it_is_trimmed),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(two_processes_do_not_share_a_spool),
		cmocka_unit_test(a_repeated_batch_is_known),
		cmocka_unit_test(a_torn_batch_is_cut_as_a_whole),
		cmocka_unit_test(damage_costs_one_record),
		cmocka_unit_test(a_wiped_folder_is_noticed),
		cmocka_unit_test(many_append_while_one_reads),
		cmocka_unit_test(killed_while_appending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
