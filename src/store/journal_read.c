#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "store/journal.h"
#include "store/segment.h"

/* A segment being read. */
struct reading {
	const char *dir;
	uint64_t number, offset;
	int fd;
	const struct journal_sink *sink; /* NULL: only checked */
	struct buf packed, raw;
	struct arena arena;
};

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool journal_list(const char *dir, uint64_t **numbers, size_t *n, struct error *err)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	*numbers = NULL;
	*n = 0;
	if (d == NULL)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", dir, strerror(errno));
	while ((entry = readdir(d)) != NULL) {
		struct sv name = sv_cstr(entry->d_name);
		uint64_t number;

		if (!sv_ends(name, SV(".seg")) || !sv_to_u64(sv_first(name, name.n - 4), &number))
			continue;
		*numbers = xrealloc(*numbers, *n + 1, sizeof(**numbers));
		(*numbers)[(*n)++] = number;
	}
	closedir(d);
	if (*n > 0)
		qsort(*numbers, *n, sizeof(**numbers), by_number);
	return true;
}

bool journal_remove(const char *dir, uint64_t number, struct error *err)
{
	struct buf path;
	bool ok;

	buf_init(&path, 65536);
	segment_path(&path, dir, number);
	ok = unlink(path.p) == 0 || errno == ENOENT ||
	     error_set(err, ERROR_IO, 0, "%s: cannot be removed: %s", path.p, strerror(errno));
	buf_free(&path);
	return ok;
}

/* Reads exactly n bytes; false with errno 0 where the file ends before. */
static bool read_all(int fd, void *out, size_t n, uint64_t offset)
{
	char *p = out;

	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = 0;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

static enum journal_result damaged(const struct reading *r, const char *what, struct error *err)
{
	error_set(err, ERROR_FORMAT, (size_t)r->offset,
		  "%s/%08llu.seg: at byte %llu: expected a sound block of the journal: %s", r->dir,
		  (unsigned long long)r->number, (unsigned long long)r->offset, what);
	return JOURNAL_DAMAGED;
}

static void read_observation(struct reading *r, struct codec *c)
{
	struct kept_observation o = { 0 };

	codec_observation(c, &o);
	if (!c->bad)
		r->sink->observation(r->sink->arg, &o);
}

static void read_name(struct reading *r, struct codec *c, bool is_file)
{
	struct sv name = SV_NONE;
	uint64_t number = 0;

	codec_number(c, &number);
	codec_text(c, &name);
	if (c->bad || number > UINT32_MAX || (!is_file && number > UINT16_MAX))
		c->bad = true;
	else if (is_file)
		r->sink->file(r->sink->arg, number, name);
	else
		r->sink->source(r->sink->arg, number, name);
}

static bool read_frames(struct reading *r, uint32_t frames)
{
	struct codec c = { .p = (const unsigned char *)r->raw.p,
			   .end = (const unsigned char *)r->raw.p + r->raw.n,
			   .arena = &r->arena };

	for (uint32_t i = 0; i < frames && !c.bad && c.p < c.end; i++) {
		uint64_t which = 0;
		int64_t at = 0;

		if ((i & 255) == 0)
			arena_reset(&r->arena);
		switch (*c.p++) {
		case FRAME_OBSERVATION:
			read_observation(r, &c);
			break;
		case FRAME_WATERMARK:
			codec_signed(&c, &at);
			if (!c.bad)
				r->sink->release(r->sink->arg, at);
			break;
		case FRAME_SOURCE:
			read_name(r, &c, false);
			break;
		case FRAME_FILE:
			read_name(r, &c, true);
			break;
		case FRAME_EVICT:
			codec_number(&c, &which);
			codec_signed(&c, &at);
			c.bad |= which > UINT16_MAX + 1u;
			if (!c.bad)
				r->sink->evict(r->sink->arg, (int32_t)which - 1, at);
			break;
		default:
			c.bad = true;
		}
	}
	return !c.bad && c.p == c.end;
}

/* The block at r->offset: checks it and hands out its frames; *size is how far to the next. */
static enum journal_result read_block(struct reading *r, uint64_t end, uint64_t *size,
				      struct error *err)
{
	unsigned char head[BLOCK_HEAD];
	struct block b;
	size_t n;

	*size = 0;
	if (end - r->offset < BLOCK_HEAD || !read_all(r->fd, head, sizeof(head), r->offset) ||
	    !block_read_head(head, &b) || b.packed > end - r->offset - BLOCK_HEAD)
		return damaged(r, "no block of the journal begins here", err);
	*size = BLOCK_HEAD + b.packed;
	buf_reset(&r->packed);
	buf_reset(&r->raw);
	if (!buf_reserve(&r->packed, b.packed) || !buf_reserve(&r->raw, (size_t)b.raw + 1))
		return damaged(r, "a block larger than any", err);
	if (!read_all(r->fd, r->packed.p, b.packed, r->offset + BLOCK_HEAD))
		return damaged(r, "the block cannot be read whole", err);
	if (!block_holds(head, &b, r->packed.p))
		return damaged(r, "the block's checksum does not hold", err);
	if (r->sink == NULL)
		return JOURNAL_OK;
	n = ZSTD_decompress(r->raw.p, b.raw, r->packed.p, b.packed);
	if (ZSTD_isError(n) || n != b.raw)
		return damaged(r, "the block does not unpack", err);
	r->raw.n = n;
	return read_frames(r, b.frames) ? JOURNAL_OK
					: damaged(r, "a frame of the block makes no sense", err);
}

static enum journal_result read_segment(struct reading *r, uint64_t length, bool skip,
					struct journal_position *good, uint64_t *lost,
					struct error *err)
{
	unsigned char head[SEGMENT_HEAD];
	uint64_t size;
	off_t there = lseek(r->fd, 0, SEEK_END);
	uint64_t end = there < 0 ? 0 : (uint64_t)there;

	r->offset = 0;
	if (end > length)
		end = length;
	if (end < SEGMENT_HEAD || !read_all(r->fd, head, sizeof(head), 0) ||
	    !segment_head_holds(head, r->number)) {
		if (skip)
			(*lost)++;
		else
			return damaged(r, "this is no segment of the journal", err);
	}
	for (r->offset = SEGMENT_HEAD; r->offset < end; r->offset += size) {
		enum journal_result result = read_block(r, end, &size, err);

		if (result != JOURNAL_OK && !skip)
			return result;
		if (result != JOURNAL_OK)
			(*lost)++;
		if (size == 0)
			return JOURNAL_OK; /* skipping, and the next block cannot be found */
		if (*lost == 0)
			*good = (struct journal_position){ r->number, r->offset + size };
	}
	if (end < length && length != UINT64_MAX) {
		if (!skip)
			return damaged(r, "the segment ends before its length", err);
		(*lost)++;
	}
	return JOURNAL_OK;
}

static enum journal_result segment(const char *dir, uint64_t number, uint64_t length, bool skip,
				   const struct journal_sink *sink, struct journal_position *good,
				   uint64_t *lost, struct error *err)
{
	struct reading r = { .dir = dir, .number = number, .sink = sink };
	enum journal_result result;
	struct buf path;
	int fd;

	buf_init(&path, 65536);
	segment_path(&path, dir, number);
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path.p, strerror(errno));
	buf_free(&path);
	if (fd < 0)
		return JOURNAL_FAILED;
	r.fd = fd;
	buf_init(&r.packed, BLOCK_MAX);
	buf_init(&r.raw, BLOCK_MAX + 1);
	if (sink != NULL)
		sink->segment(sink->arg, number);
	result = read_segment(&r, length, skip, good, lost, err);
	buf_free(&r.packed);
	buf_free(&r.raw);
	arena_free(&r.arena);
	close(fd);
	return result;
}

enum journal_result journal_replay_segment(const char *dir, uint64_t number, uint64_t length,
					   bool skip, const struct journal_sink *sink,
					   struct journal_position *good, uint64_t *lost,
					   struct error *err)
{
	return segment(dir, number, length, skip, sink, good, lost, err);
}

enum journal_result journal_replay(const char *dir, struct journal_position until, bool skip,
				   const struct journal_sink *sink, struct journal_position *good,
				   uint64_t *lost, struct error *err)
{
	enum journal_result result = JOURNAL_OK;
	uint64_t *numbers, none = 0;
	size_t n;

	*good = (struct journal_position){ 0, 0 };
	if (lost == NULL)
		lost = &none;
	*lost = 0;
	if (!journal_list(dir, &numbers, &n, err))
		return JOURNAL_FAILED;
	if (until.segment > 0 && !skip && (n == 0 || numbers[n - 1] < until.segment)) {
		error_set(err, ERROR_FORMAT, 0, "%s: segment %08llu is missing", dir,
			  (unsigned long long)until.segment);
		result = JOURNAL_DAMAGED;
	}
	for (size_t i = 0; i < n && result == JOURNAL_OK && numbers[i] <= until.segment; i++) {
		if (i > 0 && numbers[i] != numbers[i - 1] + 1) {
			error_set(err, ERROR_FORMAT, 0, "%s: segment %08llu is missing", dir,
				  (unsigned long long)numbers[i - 1] + 1);
			if (!skip) {
				result = JOURNAL_DAMAGED;
				break;
			}
			(*lost)++;
		}
		result = segment(dir, numbers[i],
				 numbers[i] == until.segment ? until.offset : UINT64_MAX, skip,
				 sink, good, lost, err);
	}
	free(numbers);
	return result;
}

enum journal_result journal_verify(const char *dir, struct journal_position until,
				   struct journal_position *good, struct error *err)
{
	return journal_replay(dir, until, false, NULL, good, NULL, err);
}
