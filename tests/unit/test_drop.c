#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zlib.h>

#include "live.h"
#include "read/drop.h"

#define SECOND NS_PER_S
#define PATH 640

struct watcher {
	struct drop *d;
	struct drop_options o;
	struct instant now;
	struct buf position;
	struct error newest;
	unsigned errors;
};

static void watch(struct watcher *w)
{
	struct error err = { 0 };

	w->d = drop_open(&w->o, buf_view(&w->position), &err);
	if (w->d == NULL)
		fail_msg("%s", err.message);
}

static void begin(struct watcher *w, char *dir, size_t n)
{
	make_dir(dir, n);
	*w = (struct watcher){ .o = { .dir = dir } };
	buf_init(&w->position, 65536);
	watch(w);
}

static void again(struct watcher *w)
{
	buf_reset(&w->position);
	drop_position(w->d, &w->position);
	drop_close(w->d);
	watch(w);
}

static void end(struct watcher *w, const char *dir)
{
	drop_close(w->d);
	buf_free(&w->position);
	remove_dir(dir);
}

static struct sv next(struct watcher *w)
{
	struct input_where where;
	struct sv record;
	enum input_result r;

	while ((r = drop_next(w->d, w->now, &record, &where, &w->newest)) == INPUT_ERROR)
		w->errors++;
	assert_int_not_equal(r, INPUT_OVERLONG);
	return r == INPUT_RECORD ? record : SV_NONE;
}

static void expect(struct watcher *w, const char *wanted)
{
	struct sv got = next(w);

	if (!sv_eq(got, sv_cstr(wanted)))
		fail_msg("expected `%s`, got `%.*s`", wanted, SV_ARG(got));
}

static void put(const char *dir, const char *name, const char *text, size_t n, int how)
{
	char path[PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static void put_text(const char *dir, const char *name, const char *text)
{
	put(dir, name, text, strlen(text), O_TRUNC);
}

static void move(const char *dir, const char *from, const char *to)
{
	char a[PATH], b[PATH];

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	assert_int_equal(rename(a, b), 0);
}

static void a_renamed_file_is_read_at_once(void **state)
{
	char dir[256];
	struct watcher w;

	(void)state;
	begin(&w, dir, sizeof(dir));
	assert_null(next(&w).p);
	put_text(dir, "a.log.tmp", "one\ntwo");
	assert_null(next(&w).p);
	w.now.ns += 60 * SECOND;
	assert_null(next(&w).p); /* until it has another name */
	move(dir, "a.log.tmp", "a.log");
	expect(&w, "one");
	expect(&w, "two");
	assert_null(next(&w).p);
	assert_int_equal(w.errors, 0);
	end(&w, dir);
}

static void a_written_file_has_to_be_quiet_first(void **state)
{
	char dir[256];
	struct watcher w;

	(void)state;
	begin(&w, dir, sizeof(dir));
	put_text(dir, "a.log", "one\n");
	assert_null(next(&w).p);
	w.now.ns += 4 * SECOND;
	put(dir, "a.log", "two\n", 4, O_APPEND);
	assert_null(next(&w).p);
	w.now.ns += 4 * SECOND;
	assert_null(next(&w).p);
	w.now.ns += 1 * SECOND;
	expect(&w, "one");
	expect(&w, "two");
	assert_null(next(&w).p);
	end(&w, dir);
}

/* In the middle of a file, and after it, in any number of restarts. */
static void no_record_twice_over_restarts(void **state)
{
	char dir[256];
	struct watcher w;

	(void)state;
	begin(&w, dir, sizeof(dir));
	put_text(dir, "a.log", "one\ntwo\nthree\n");
	assert_null(next(&w).p);
	w.now.ns += 5 * SECOND;
	expect(&w, "one");
	again(&w);
	expect(&w, "two");
	again(&w);
	again(&w);
	expect(&w, "three");
	assert_null(next(&w).p);
	again(&w);
	w.now.ns += 60 * SECOND;
	assert_null(next(&w).p);
	move(dir, "a.log", "b.log"); /* the same file by another name */
	assert_null(next(&w).p);
	w.now.ns += 60 * SECOND;
	assert_null(next(&w).p);
	end(&w, dir);
}

/* Grown: counted, not read. Other content under the same name: read. */
static void a_changed_file(void **state)
{
	char dir[256];
	struct drop_stats stats;
	struct watcher w;

	(void)state;
	begin(&w, dir, sizeof(dir));
	put_text(dir, "a.log", "one\n");
	assert_null(next(&w).p);
	w.now.ns += 5 * SECOND;
	expect(&w, "one");
	assert_null(next(&w).p);
	put(dir, "a.log", "two\n", 4, O_APPEND);
	w.now.ns += 2 * SECOND;
	assert_null(next(&w).p);
	w.now.ns += 60 * SECOND;
	assert_null(next(&w).p);
	drop_stats(w.d, &stats);
	assert_int_equal(stats.changed, 1);
	put_text(dir, "a.log", "three, another file\n");
	w.now.ns += 2 * SECOND;
	assert_null(next(&w).p);
	w.now.ns += 5 * SECOND;
	expect(&w, "three, another file");
	assert_null(next(&w).p);
	end(&w, dir);
}

static void damage_ends_one_file_only(void **state)
{
	static const char text[] = "one\ntwo\n";
	char dir[256];
	unsigned char packed[200];
	struct drop_stats stats;
	struct watcher w;
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)text,
		       .avail_in = sizeof(text) - 1,
		       .next_out = packed,
		       .avail_out = sizeof(packed) };

	(void)state;
	begin(&w, dir, sizeof(dir));
	assert_null(next(&w).p);
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	put(dir, "a.tmp", (const char *)packed, z.total_out, 0);
	put(dir, "b.tmp", (const char *)packed, z.total_out - 4, 0);
	deflateEnd(&z);
	put_text(dir, "c.tmp", "three\n");
	move(dir, "a.tmp", "a.gz");
	move(dir, "b.tmp", "b.gz");
	move(dir, "c.tmp", "c");
	expect(&w, "one");
	expect(&w, "two");
	expect(&w, "one"); /* what stands before the damage */
	expect(&w, "two");
	expect(&w, "three");
	assert_null(next(&w).p);
	assert_int_equal(w.errors, 1);
	assert_non_null(strstr(w.newest.message, "b.gz"));
	drop_stats(w.d, &stats);
	assert_int_equal(stats.files, 2);
	assert_int_equal(stats.failed, 1);
	end(&w, dir);
}

static void a_folder_may_come_later(void **state)
{
	char dir[256], below[280];
	struct watcher w = { 0 };

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(below, sizeof(below), "%s/in", dir);
	w.o = (struct drop_options){ .dir = below };
	buf_init(&w.position, 65536);
	watch(&w);
	assert_int_equal(
	    drop_next(w.d, w.now, &(struct sv){ 0 }, &(struct input_where){ 0 }, &w.newest),
	    INPUT_ERROR);
	assert_int_equal(mkdir(below, 0700), 0);
	put_text(below, "a", "one\n");
	w.now.ns += 2 * SECOND;
	assert_null(next(&w).p);
	w.now.ns += 5 * SECOND;
	expect(&w, "one");
	drop_close(w.d);
	buf_free(&w.position);
	remove_dir(below);
	remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_renamed_file_is_read_at_once),
		cmocka_unit_test(a_written_file_has_to_be_quiet_first),
		cmocka_unit_test(no_record_twice_over_restarts),
		cmocka_unit_test(a_changed_file),
		cmocka_unit_test(damage_ends_one_file_only),
		cmocka_unit_test(a_folder_may_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
