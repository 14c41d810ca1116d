#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "read/spool_internal.h"

#define SEGMENT_SIZE (UINT64_C(16) << 20)
#define SEGMENT_LEAST (UINT64_C(256) << 10)
#define MAX_SIZE (UINT64_C(1) << 30)

static bool cannot(struct spool *s, const char *name, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s%s%s: cannot be %s: %s", s->dir,
			 name[0] != '\0' ? "/" : "", name, what, strerror(errno));
}

size_t spool_search(const char *bytes, size_t n, size_t at, uint64_t id, uint64_t base)
{
	struct spool_entry e;

	for (at += 8; at + SPOOL_ENTRY <= n; at += 8)
		if (bytes[at + 4] != 0 &&
		    spool_entry_read(bytes + at, n - at, id, base + at, &e) == SPOOL_VALID)
			return at;
	return n;
}

static bool open_dir(struct spool *s, struct error *err)
{
	if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
		return cannot(s, "", "made", err);
	s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return cannot(s, "", "opened", err);
	s->lock_fd = openat(s->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return cannot(s, "lock", "opened", err);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return error_set(
			    err, ERROR_IO, 0,
			    "%s: another process has this spool open: leave one of them", s->dir);
		return cannot(s, "lock", "locked", err);
	}
	s->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return s->event_fd >= 0 || cannot(s, "", "watched", err);
}

/* Adds the segment, or sets it aside where its header cannot be read. */
static bool look_at(struct spool *s, const char *name, uint64_t number, struct error *err)
{
	unsigned char header[SPOOL_HEADER];
	struct spool_segment found;
	struct stat st;
	int fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, header, sizeof(header), 0);
	bool ok = n >= 0 && fstat(fd, &st) == 0;

	if (!ok)
		cannot(s, name, "read", err);
	if (fd >= 0)
		close(fd);
	if (!ok)
		return false;
	if (spool_header_read(header, (size_t)n, &found) && found.number == number) {
		found.capacity = (uint64_t)st.st_size;
		s->size += found.capacity;
		spool_list_add(&s->segments, &found);
		return true;
	}
	/* Killed between making the file and syncing its header: nothing is in it. */
	if (n == 0 || header[0] == 0) {
		if (unlinkat(s->dir_fd, name, 0) != 0)
			return cannot(s, name, "removed", err);
	} else {
		char aside[SPOOL_NAME_SIZE + 16];
		snprintf(aside, sizeof(aside), "%s.damaged", name);
		s->counted.damaged += (uint64_t)st.st_size;
		if (renameat(s->dir_fd, name, s->dir_fd, aside) != 0)
			return cannot(s, name, "set aside", err);
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	const struct spool_segment *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool find_segments(struct spool *s, struct error *err)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t number;
	bool ok = true;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return cannot(s, "", "read", err);
	}
	while (ok && (errno = 0, e = readdir(d)) != NULL)
		if (spool_segment_number(e->d_name, &number))
			ok = look_at(s, e->d_name, number, err);
	if (ok && errno != 0)
		ok = cannot(s, "", "read", err);
	closedir(d);
	if (s->segments.n > 0)
		qsort(s->segments.items, s->segments.n, sizeof(*s->segments.items), by_number);
	return ok;
}

static bool read_whole(int fd, char *out, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t got = pread(fd, out + at, n - at, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		at += (size_t)got;
	}
	return true;
}

/* Where the last complete batch ends. Counts records up to there and learns the keys. */
static size_t find_end(struct spool *s, const struct spool_segment *segment, const char *bytes,
		       size_t n)
{
	size_t at = SPOOL_HEADER, end = at, keys_before = s->n_keys;
	uint64_t records = segment->first - 1;
	struct spool_entry e;

	s->records = records;
	while (at < n) {
		if (spool_entry_read(bytes + at, n - at, segment->id, at, &e) != SPOOL_VALID) {
			at = spool_search(bytes, n, at, segment->id, 0);
			continue;
		}
		at += e.size;
		records += e.kind == SPOOL_RECORD;
		if (e.kind == SPOOL_KEY && e.payload.n == sizeof(XXH128_hash_t)) {
			XXH128_hash_t key;
			memcpy(&key, e.payload.p, sizeof(key));
			spool_add_key(s, key);
		}
		if ((e.flags & SPOOL_MORE) == 0) {
			end = at;
			s->records = records;
			keys_before = s->n_keys;
		}
	}
	/* A batch that was cut off did not come. Fewer than a ring's worth of keys can be its
	 * own. */
	s->n_keys = keys_before;
	return end;
}

/* Zeroes what stands behind `end`, and says how much that was. */
static bool cut(struct spool *s, char *bytes, size_t n, size_t end)
{
	size_t last = n;

	while (last > end && bytes[last - 1] == 0)
		last--;
	s->counted.torn += last - end;
	if (last == end)
		return true;
	memset(bytes + end, 0, last - end);
	return spool_write_at(s->fd, bytes + end, last - end, end);
}

/* Ready to append behind what is there. */
static bool recover(struct spool *s, struct error *err)
{
	struct spool_segment *last;
	char name[SPOOL_NAME_SIZE], *bytes;
	bool ok;

	if (s->segments.n == 0)
		return true;
	last = &s->segments.items[s->segments.n - 1];
	spool_segment_name(last->number, name);
	s->fd = openat(s->dir_fd, name, O_RDWR | O_CLOEXEC);
	if (s->fd < 0)
		return cannot(s, name, "opened", err);
	bytes = xcalloc(1, (size_t)last->capacity + 1);
	ok = read_whole(s->fd, bytes, (size_t)last->capacity);
	if (ok) {
		s->end = find_end(s, last, bytes, (size_t)last->capacity);
		/* What a killed process wrote but did not sync counts from now on. */
		ok = cut(s, bytes, (size_t)last->capacity, (size_t)s->end) && fdatasync(s->fd) == 0;
	}
	free(bytes);
	if (!ok)
		return cannot(s, name, "read", err);
	s->written = s->end;
	s->synced_records = s->records;
	s->read_record = s->segments.items[0].first - 1;
	return true;
}

struct spool *spool_open(const struct spool_options *options, struct error *err)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	size_t n = strlen(options->dir) + 1;

	s->dir = memcpy(xmalloc(n), options->dir, n);
	s->dir_fd = s->lock_fd = s->event_fd = s->fd = -1;
	s->refused = INSTANT_NONE;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	s->max_record = options->max_record > 0 ? options->max_record : READER_MAX_RECORD;
	s->max_size = options->max_size > 0 ? options->max_size : MAX_SIZE;
	if (s->max_size < 2 * SEGMENT_LEAST)
		s->max_size = 2 * SEGMENT_LEAST;
	s->segment_size = options->segment_size > 0 ? options->segment_size : SEGMENT_SIZE;
	if (s->segment_size > s->max_size / 2)
		s->segment_size = s->max_size / 2;
	if (s->segment_size < SEGMENT_LEAST)
		s->segment_size = SEGMENT_LEAST;
	buf_init(&s->pending, (size_t)s->max_size);
	buf_init(&s->flushing, (size_t)s->max_size);
	if (!open_dir(s, err) || !find_segments(s, err) || !recover(s, err)) {
		spool_close(s);
		return NULL;
	}
	return s;
}

void spool_close(struct spool *s)
{
	struct error ignored; /* who needs to know has called spool_sync */

	if (s == NULL)
		return;
	spool_sync(s, UINT64_MAX, &ignored);
	if (s->fd >= 0)
		close(s->fd);
	if (s->event_fd >= 0)
		close(s->event_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->idle);
	buf_free(&s->pending);
	buf_free(&s->flushing);
	free(s->segments.items);
	free(s->dir);
	free(s);
}
