/* A folder in which a log is written and rotated as the real tools do it: the truth that a tail is
 * held against. Lines are numbered; a heading that all files share begins each of them. */
#ifndef PINWATCH_TEST_TAIL_WORLD_H
#define PINWATCH_TEST_TAIL_WORLD_H

#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "live.h"

#define WORLD_SLOTS 12 /* access.log.1 … */
#define WORLD_PATH 320

enum world_packing { WORLD_PLAIN, WORLD_GZIP, WORLD_ZSTD };

struct world {
	char dir[256];
	struct dice d;
	size_t heading;	       /* bytes */
	uint64_t written;      /* lines begun */
	bool within;	       /* the last line is not at its end */
	int fd;		       /* the live file; -1: not made yet */
	char half[WORLD_PATH]; /* a packed file that is half written, or empty */
	int half_slot;
};

static const char *const world_packed[] = { "", ".gz", ".zst" };

static inline void world_name(const struct world *w, int slot, enum world_packing p, char *out)
{
	if (slot == 0)
		snprintf(out, WORLD_PATH, "%s/access.log", w->dir);
	else
		snprintf(out, WORLD_PATH, "%s/access.log.%d%s", w->dir, slot, world_packed[p]);
}

/* Which form a slot's file has; -1: there is none. */
static inline int world_form(const struct world *w, int slot)
{
	char path[WORLD_PATH];

	for (int p = WORLD_PLAIN; p <= WORLD_ZSTD; p++) {
		world_name(w, slot, (enum world_packing)p, path);
		if (access(path, F_OK) == 0 && strcmp(path, w->half) != 0)
			return p;
	}
	return -1;
}

static inline void world_write(const struct world *w, const char *p, size_t n)
{
	assert_int_equal(write(w->fd, p, n), (ssize_t)n);
}

static inline void world_make_live(struct world *w)
{
	char path[WORLD_PATH];

	if (w->fd >= 0)
		return;
	world_name(w, 0, WORLD_PLAIN, path);
	w->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(w->fd >= 0);
	if (w->heading > 0 && lseek(w->fd, 0, SEEK_END) == 0) {
		char *text = xmalloc(w->heading);
		memset(text, '#', w->heading);
		text[w->heading - 1] = '\n';
		world_write(w, text, w->heading);
		free(text);
	}
}

static inline void world_append(struct world *w, size_t lines, bool leave_half)
{
	static const char filler[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	char text[128];

	world_make_live(w);
	if (w->within)
		world_write(w, "!\n", 2);
	w->within = false;
	for (size_t i = 0; i < lines; i++) {
		int n = snprintf(text, sizeof(text), "%llu %.*s", (unsigned long long)++w->written,
				 (int)pick(&w->d, 50), filler);
		world_write(w, text, (size_t)n);
		if (i + 1 < lines || !leave_half)
			world_write(w, "!\n", 2);
		else
			w->within = true;
	}
}

/* Ends the last line: rotation happens between lines. */
static inline void world_end_line(struct world *w)
{
	if (w->within)
		world_append(w, 0, false);
}

/* Makes room in slot 1. Gives up where all slots are taken; false then. */
static inline bool world_shift(struct world *w)
{
	char from[WORLD_PATH], to[WORLD_PATH];
	int last = 1;

	while (last < WORLD_SLOTS && world_form(w, last) >= 0)
		last++;
	if (last == WORLD_SLOTS || w->half[0] != '\0')
		return false;
	for (int slot = last; slot > 1; slot--) {
		enum world_packing p = (enum world_packing)world_form(w, slot - 1);
		world_name(w, slot - 1, p, from);
		world_name(w, slot, p, to);
		assert_int_equal(rename(from, to), 0);
	}
	return true;
}

static inline void world_rotate(struct world *w, bool make_new)
{
	char from[WORLD_PATH], to[WORLD_PATH];

	if (w->fd < 0 || !world_shift(w))
		return;
	world_end_line(w);
	world_name(w, 0, WORLD_PLAIN, from);
	world_name(w, 1, WORLD_PLAIN, to);
	assert_int_equal(rename(from, to), 0);
	close(w->fd);
	w->fd = -1;
	if (make_new)
		world_make_live(w);
}

static inline char *world_read(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*n = (size_t)st.st_size;
	p = xmalloc(*n + 1);
	assert_int_equal(read(fd, p, *n), st.st_size);
	close(fd);
	return p;
}

static inline void world_store(const char *path, const char *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	close(fd);
}

static inline void world_copytruncate(struct world *w)
{
	char from[WORLD_PATH], to[WORLD_PATH], *p;
	size_t n;

	if (w->fd < 0 || !world_shift(w))
		return;
	world_end_line(w);
	world_name(w, 0, WORLD_PLAIN, from);
	world_name(w, 1, WORLD_PLAIN, to);
	p = world_read(from, &n);
	world_store(to, p, n);
	free(p);
	assert_int_equal(ftruncate(w->fd, 0), 0);
	if (w->heading > 0) {
		close(w->fd);
		w->fd = -1;
		world_make_live(w);
	}
}

static inline char *world_pack(const char *p, size_t n, enum world_packing packing,
			       size_t *packed_n)
{
	size_t room = n + n / 8 + 1024;
	char *out = xmalloc(room);

	if (packing == WORLD_ZSTD) {
		*packed_n = ZSTD_compress(out, room, p, n, 1);
	} else {
		z_stream z = { .next_in = (unsigned char *)(uintptr_t)p,
			       .avail_in = (unsigned)n,
			       .next_out = (unsigned char *)out,
			       .avail_out = (unsigned)room };
		assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		*packed_n = z.total_out;
		deflateEnd(&z);
	}
	return out;
}

/* As gzip and zstd --rm do it: the packed file keeps the time, then the plain one goes. `half`:
 * stops in the middle of writing; the next call ends it. */
static inline void world_compress(struct world *w, bool half)
{
	char from[WORLD_PATH], to[WORLD_PATH], *p, *packed;
	enum world_packing packing = w->half[0] == '\0' ? (enum world_packing)(1 + pick(&w->d, 2))
				     : strstr(w->half, ".gz") != NULL ? WORLD_GZIP
								      : WORLD_ZSTD;
	int slot = w->half[0] != '\0' ? w->half_slot : 1 + (int)pick(&w->d, WORLD_SLOTS - 1);
	struct timespec times[2];
	struct stat st;
	size_t n, packed_n;

	if (world_form(w, slot) != WORLD_PLAIN)
		return;
	world_name(w, slot, WORLD_PLAIN, from);
	world_name(w, slot, packing, to);
	p = world_read(from, &n);
	packed = world_pack(p, n, packing, &packed_n);
	if (half) {
		world_store(to, packed, packed_n / (1 + pick(&w->d, 4)));
		snprintf(w->half, sizeof(w->half), "%s", to);
		w->half_slot = slot;
	} else {
		world_store(to, packed, packed_n);
		assert_int_equal(stat(from, &st), 0);
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		assert_int_equal(utimensat(AT_FDCWD, to, times, 0), 0);
		assert_int_equal(unlink(from), 0);
		w->half[0] = '\0';
	}
	free(p);
	free(packed);
}

/* Removes the oldest rotated file. */
static inline void world_remove_oldest(struct world *w)
{
	char path[WORLD_PATH];

	if (w->half[0] != '\0')
		return;
	for (int slot = WORLD_SLOTS - 1; slot > 0; slot--) {
		int form = world_form(w, slot);
		if (form < 0)
			continue;
		world_name(w, slot, (enum world_packing)form, path);
		assert_int_equal(unlink(path), 0);
		return;
	}
}

#endif
