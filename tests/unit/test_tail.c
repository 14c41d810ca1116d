#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <poll.h>

#include "read/tail.h"
#include "read/tail_name.h"
#include "tail_world.h"

#define SECOND NS_PER_S

/* A tail under test, with its own time and the position it would be opened with again. */
struct follower {
	struct tail *t;
	struct tail_options o;
	struct instant now;
	struct buf position;
	uint64_t last; /* number of the last line handed out */
	uint64_t errors;
	struct error newest; /* of them */
};

static void follow(struct follower *f)
{
	struct error err = { 0 };

	f->t = tail_open(&f->o, buf_view(&f->position), &err);
	if (f->t == NULL)
		fail_msg("%s", err.message);
}

static void follow_path(struct follower *f, const char *path)
{
	*f = (struct follower){ .o = { .path = path } };
	buf_init(&f->position, 1u << 20);
	follow(f);
}

static void stop(struct follower *f)
{
	buf_reset(&f->position);
	tail_position(f->t, &f->position);
	tail_close(f->t);
	f->t = NULL;
}

static void end(struct follower *f)
{
	if (f->t != NULL)
		tail_close(f->t);
	buf_free(&f->position);
}

static struct sv next_with(struct follower *f, struct input_where *where)
{
	struct error err = { 0 };
	struct sv record;

	switch (tail_next(f->t, f->now, &record, where, &err)) {
	case INPUT_RECORD:
		return record;
	case INPUT_NOTHING_YET:
		return SV_NONE;
	case INPUT_OVERLONG:
		fail_msg("an overlong line");
		return SV_NONE;
	case INPUT_ERROR:
	default:
		f->errors++;
		f->newest = err;
		return next_with(f, where);
	}
}

static struct sv next(struct follower *f)
{
	struct input_where where;

	return next_with(f, &where);
}

/* Looks at the folders for certain. */
static struct sv next_later(struct follower *f)
{
	f->now.ns += 2 * SECOND;
	return next(f);
}

static void expect(struct follower *f, const char *wanted)
{
	struct sv got = next(f);

	if (got.p == NULL)
		got = next_later(f);
	if (!sv_eq(got, sv_cstr(wanted)))
		fail_msg("expected `%s`, got `%.*s`", wanted, SV_ARG(got));
}

static void expect_nothing(struct follower *f)
{
	struct sv got = next_later(f);

	if (got.p != NULL)
		fail_msg("expected nothing, got `%.*s`", SV_ARG(got));
}

static void put(const char *dir, const char *name, const char *text, int how)
{
	char path[WORLD_PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void move(const char *dir, const char *from, const char *to)
{
	char a[WORLD_PATH], b[WORLD_PATH];

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	assert_int_equal(rename(a, b), 0);
}

static void names_of_rotated_files(void **state)
{
	static const struct {
		const char *name, *pattern;
		enum tail_name is;
		uint64_t number;
	} cases[] = {
		{ "access.log", "access.log", TAIL_NAME_LIVE, 0 },
		{ "access.log.1", "access.log", TAIL_NAME_SIBLING, 1 },
		{ "access.log.12.gz", "access.log", TAIL_NAME_SIBLING, 12 },
		{ "access.log.gz", "access.log", TAIL_NAME_SIBLING, 0 },
		{ "access.log-20261124", "access.log", TAIL_NAME_SIBLING, 20261124 },
		{ "access.log-20261124-1795485600.zst", "access.log", TAIL_NAME_SIBLING,
		  1795485600 },
		{ "access-20261124.log", "access.log", TAIL_NAME_SIBLING, 0 },
		{ "access-20261124.log.gz", "access.log", TAIL_NAME_SIBLING, 0 },
		{ "access.log.old", "access.log", TAIL_NAME_SIBLING, 0 },
		{ "access.log.swp", "access.log", TAIL_NAME_OTHER, 0 },
		{ "access.log~", "access.log", TAIL_NAME_OTHER, 0 },
		{ "access2.log", "access.log", TAIL_NAME_OTHER, 0 },
		{ "error.log.1", "access.log", TAIL_NAME_OTHER, 0 },
		{ "ssl.log", "*.log", TAIL_NAME_LIVE, 0 },
		{ "ssl.log.1", "*.log", TAIL_NAME_SIBLING, 1 },
		{ "ssl.log.gz", "*.log*", TAIL_NAME_PACKED, 0 },
		{ ".ssl.log", "*.log", TAIL_NAME_OTHER, 0 },
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (tail_name_is(cases[i].name, cases[i].pattern, &number) != cases[i].is ||
		    (cases[i].is == TAIL_NAME_SIBLING && number != cases[i].number))
			fail_msg("%s under %s", cases[i].name, cases[i].pattern);
	}
}

static void an_unfinished_line_waits(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct follower f;
	struct input_where where;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	follow_path(&f, path);
	expect_nothing(&f); /* it does not exist yet */
	put(dir, "access.log", "\xef\xbb\xbfone\r\n\ntw", 0);
	expect(&f, "one");
	expect_nothing(&f);
	put(dir, "access.log", "o\nthree\n", O_APPEND);
	f.now.ns += 2 * SECOND;
	assert_true(sv_eq(next_with(&f, &where), SV("two")));
	assert_int_equal(where.line, 3);
	assert_int_equal(where.offset, 3 + 5 + 1);
	expect(&f, "three");
	expect_nothing(&f);
	assert_int_equal(f.errors, 0);
	end(&f);
	remove_dir(dir);
}

static void a_change_is_signalled(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct pollfd p = { .events = POLLIN };
	struct follower f;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log", "one\n", 0);
	follow_path(&f, path);
	expect(&f, "one");
	expect_nothing(&f);
	p.fd = tail_fd(f.t);
	assert_int_equal(poll(&p, 1, 0), 0);
	put(dir, "access.log", "two\n", O_APPEND);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(sv_eq(next(&f), SV("two"))); /* without waiting for the poll interval */
	end(&f);
	remove_dir(dir);
}

/* Only the live file is read at first; what is rotated later is, once. */
static void older_files_are_left_alone(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct follower f;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log.1", "old\n", 0);
	put(dir, "access.log.2.gz", "no gzip at all\n", 0);
	put(dir, "access.log", "one\n", 0);
	follow_path(&f, path);
	expect(&f, "one");
	expect_nothing(&f);
	stop(&f);
	move(dir, "access.log.2.gz", "access.log.3.gz");
	move(dir, "access.log.1", "access.log.2");
	move(dir, "access.log", "access.log.1");
	put(dir, "access.log.1", "two\n", O_APPEND);
	put(dir, "access.log", "three\n", 0);
	follow(&f);
	expect(&f, "two");
	expect(&f, "three");
	expect_nothing(&f);
	assert_int_equal(f.errors, 0);
	end(&f);
	remove_dir(dir);
}

static void from_the_end(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct follower f = { 0 };

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log", "before\n", 0);
	f.o = (struct tail_options){ .path = path, .from_end = true };
	buf_init(&f.position, 1u << 20);
	follow(&f);
	expect_nothing(&f);
	put(dir, "access.log", "after\n", O_APPEND);
	expect(&f, "after");
	move(dir, "access.log", "access.log.1");
	put(dir, "access.log", "new\n", 0);
	expect(&f, "new");
	end(&f);
	remove_dir(dir);
}

/* Truncated without a copy: what was not read is gone, and that is said. */
static void what_is_truncated_away_is_said(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct tail_stats stats;
	struct follower f;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log", "one\ntwo\nthree and a", 0);
	follow_path(&f, path);
	expect(&f, "one");
	put(dir, "access.log", "new one, and longer than the old\n", O_TRUNC);
	expect(&f, "two");
	expect(&f, "three and a");
	expect(&f, "new one, and longer than the old");
	expect_nothing(&f);
	assert_int_equal(f.errors, 1);
	tail_stats(f.t, &stats);
	assert_int_equal(stats.truncated, 1);
	assert_int_equal(stats.lost, 1);
	end(&f);
	remove_dir(dir);
}

static void what_is_removed_unread_is_said(void **state)
{
	char dir[256], path[WORLD_PATH];
	struct follower f;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log", "one\ntwo\n", 0);
	follow_path(&f, path);
	expect(&f, "one");
	stop(&f);
	assert_int_equal(unlink(path), 0);
	put(dir, "access.log", "three\n", 0);
	follow(&f);
	expect(&f, "three");
	f.now.ns += 10 * SECOND;
	expect_nothing(&f);
	assert_int_equal(f.errors, 1);
	end(&f);
	remove_dir(dir);
}

static void a_glob_follows_many(void **state)
{
	char dir[256], path[WORLD_PATH], name[32], text[64];
	bool seen[20] = { false };
	struct follower f;
	struct sv got;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/*.log", dir);
	follow_path(&f, path);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "sensor%d.log", i);
		snprintf(text, sizeof(text), "same heading\nline of %d\n", i);
		put(dir, name, text, 0);
	}
	f.now.ns += 2 * SECOND;
	while ((got = next(&f)).p != NULL) {
		int i;
		if (sv_eq(got, SV("same heading")))
			continue;
		assert_int_equal(sscanf(got.p, "line of %d", &i), 1);
		assert_false(seen[i]);
		seen[i] = true;
	}
	for (int i = 0; i < 20; i++)
		assert_true(seen[i]);
	end(&f);
	remove_dir(dir);
}

static void an_overlong_line_costs_itself(void **state)
{
	static char big[300000];
	char dir[256], path[WORLD_PATH];
	struct follower f = { 0 };
	struct input_where where;
	struct error err;
	struct sv record;

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	memset(big, 'x', sizeof(big) - 1);
	put(dir, "access.log", "one\n", 0);
	put(dir, "access.log", big, O_APPEND);
	f.o = (struct tail_options){ .path = path, .max_record = 100000 };
	buf_init(&f.position, 1u << 20);
	follow(&f);
	expect(&f, "one");
	assert_int_equal(tail_next(f.t, f.now, &record, &where, &err), INPUT_OVERLONG);
	assert_int_equal(record.n, 100000);
	stop(&f); /* in the middle of skipping it */
	put(dir, "access.log", "x\ntwo\n", O_APPEND);
	follow(&f);
	expect(&f, "two");
	expect_nothing(&f);
	end(&f);
	remove_dir(dir);
}

/* Framing is asked once a file, with its heading, also where reading goes on in the middle. */
static enum framing ask(void *context, uint64_t file, struct sv path, struct sv head, bool resumed)
{
	char *told = context;

	(void)file;
	assert_true(sv_ends(path, SV("access.log")));
	snprintf(told + strlen(told), 100 - strlen(told), "%.*s%s;", SV_ARG(sv_first(head, 4)),
		 resumed ? "+" : "");
	return FRAMING_PARAGRAPH;
}

static void framing_is_asked_with_the_heading(void **state)
{
	char dir[256], path[WORLD_PATH], told[100] = "";
	struct follower f = { 0 };

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/access.log", dir);
	put(dir, "access.log", "head\nx\n\na\nb\n\nc\n", 0);
	f.o = (struct tail_options){ .path = path, .framing_of = ask, .context = told };
	buf_init(&f.position, 1u << 20);
	follow(&f);
	expect(&f, "head\nx");
	stop(&f);
	follow(&f);
	expect(&f, "a\nb");
	expect_nothing(&f);
	assert_string_equal(told, "head;head+;");
	end(&f);
	remove_dir(dir);
}

/* Takes up to n lines and holds them against the truth. */
static void take(struct follower *f, const struct world *w, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		struct input_where where;
		struct sv got = next_with(f, &where);
		uint64_t number;

		if (got.p == NULL)
			return;
		if (got.n > 0 && got.p[0] == '#')
			continue;
		if (sscanf(got.p, "%" SCNu64, &number) != 1 || number != f->last + 1 ||
		    !sv_ends(got, SV("!")) || number > w->written)
			fail_msg("seed %" PRIu64 ": after line %" PRIu64 " of %" PRIu64
				 " came `%.*s` from %.*s:%" PRIu64,
				 seed, f->last, w->written, SV_ARG(got), SV_ARG(where.path),
				 where.line);
		f->last = number;
	}
}

static void run_world(uint64_t seed, bool trace)
{
	static const size_t headings[] = { 0, 10, 700, 6000 };
	struct world w = { .d = { seed }, .fd = -1 };
	char path[WORLD_PATH];
	struct follower f;

	w.heading = headings[pick(&w.d, 4)];
	make_dir(w.dir, sizeof(w.dir));
	world_name(&w, 0, WORLD_PLAIN, path);
	follow_path(&f, path);
	next(&f);
	for (int step = 0; step < 120; step++) {
		size_t what = pick(&w.d, 16);
		if (trace)
			print_message("# %d: %zu, %s, written %" PRIu64 ", read %" PRIu64 "\n",
				      step, what, f.t != NULL ? "up" : "down", w.written, f.last);
		f.now.ns += (int64_t)pick(&w.d, 3) * SECOND;
		switch (what) {
		case 0:
		case 1:
		case 2:
		case 3:
			world_append(&w, 1 + pick(&w.d, what == 0 ? 400 : 8), pick(&w.d, 3) == 0);
			break;
		case 4:
		case 5:
			world_rotate(&w, what == 4);
			break;
		case 6:
			world_copytruncate(&w);
			break;
		case 7:
		case 8:
			world_compress(&w, what == 8 && w.half[0] == '\0');
			break;
		case 9:
			/* All is read, and seen to be: else it would be a loss. */
			if (f.last == w.written && f.t != NULL && next_later(&f).p == NULL)
				world_remove_oldest(&w);
			break;
		case 10:
		case 11:
			if (f.t != NULL)
				stop(&f);
			else
				follow(&f);
			break;
		default:
			if (f.t == NULL)
				follow(&f);
			take(&f, &w, what == 15 ? 1000 : pick(&w.d, 30), seed);
		}
	}
	if (f.t == NULL)
		follow(&f);
	world_end_line(&w);
	for (int i = 0; i < 4; i++) {
		f.now.ns += 6 * SECOND;
		take(&f, &w, SIZE_MAX, seed);
	}
	if (f.last != w.written || f.errors > 0)
		fail_msg("seed %" PRIu64 ": %" PRIu64 " of %" PRIu64 " lines, %" PRIu64
			 " errors %s",
			 seed, f.last, w.written, f.errors, f.newest.message);
	end(&f);
	if (w.fd >= 0)
		close(w.fd);
	remove_dir(w.dir);
}

/* Appending, rotation by renaming and by copying, compression and restarts in any order: every line
 * comes once and in its order. */
static void any_interleaving(void **state)
{
	const char *given = getenv("SEED"), *rounds = getenv("ROUNDS");
	uint64_t seed;

	(void)state;
	if (given != NULL) {
		run_world(strtoull(given, NULL, 10), true);
		return;
	}
	assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	print_message("# first seed %" PRIu64 "\n", seed);
	for (uint64_t i = 0; i < (rounds != NULL ? strtoull(rounds, NULL, 10) : 60); i++)
		run_world(seed + i, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_rotated_files),
		cmocka_unit_test(an_unfinished_line_waits),
		cmocka_unit_test(a_change_is_signalled),
		cmocka_unit_test(older_files_are_left_alone),
		cmocka_unit_test(from_the_end),
		cmocka_unit_test(what_is_truncated_away_is_said),
		cmocka_unit_test(what_is_removed_unread_is_said),
		cmocka_unit_test(a_glob_follows_many),
		cmocka_unit_test(an_overlong_line_costs_itself),
		cmocka_unit_test(framing_is_asked_with_the_heading),
		cmocka_unit_test(any_interleaving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
