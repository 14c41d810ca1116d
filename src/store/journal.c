#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "store/segment.h"

/* Frames are packed and written when there are so many bytes of them. */
#define BLOCK_USUAL ((size_t)1024 * 1024)
/* Fast: the journal is written once and seldom read. */
#define LEVEL 1

struct journal {
	char *dir;
	uint64_t segment_size;
	int fd;
	uint64_t offset; /* of the segment's end */
	/* the next block opens a new segment; nothing is appended yet */
	bool begin;
	/* of the watermark when the segment began; INT64_MIN unknown */
	int64_t day;
	struct codec codec;
	struct buf raw, packed;
	uint32_t frames;
	ZSTD_CCtx *zstd;
	struct journal_segment current;
	int64_t block_first, block_last; /* order times of the block that is being filled */
	uint64_t block_observations;
	struct journal_segment *closed;
	size_t n_closed;
	/* Names this segment knows. */
	unsigned char *sources, *files;
	size_t n_sources, n_files;
	bool broken; /* a sync failed */
	bool failed; /* a block could not be written; *why says why */
	struct error why;
};

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool sync_dir(const char *dir, struct error *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		error_set(err, ERROR_IO, 0, "%s: cannot be synced: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool write_all(int fd, const void *bytes, size_t n, uint64_t offset)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t wrote = pwrite(fd, p, n, (off_t)offset);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		p += wrote;
		n -= (size_t)wrote;
		offset += (uint64_t)wrote;
	}
	return true;
}

static void forget_names(struct journal *j)
{
	if (j->n_sources > 0)
		memset(j->sources, 0, j->n_sources);
	if (j->n_files > 0)
		memset(j->files, 0, j->n_files);
}

static void begin_block(struct journal *j)
{
	buf_reset(&j->raw);
	j->frames = 0;
	j->codec.last = 0;
	j->block_first = INT64_MAX;
	j->block_last = INT64_MIN;
	j->block_observations = 0;
}

static bool refused(struct journal *j, const char *what, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s/%08llu.seg: cannot be %s: %s", j->dir,
			 (unsigned long long)j->current.number, what, strerror(errno));
}

/* The segment after the current one; what the current one holds is synced first. */
static bool begin_segment(struct journal *j, struct error *err)
{
	unsigned char head[SEGMENT_HEAD];
	uint64_t number = j->current.number + 1;
	struct buf path;
	int fd;

	if (j->fd >= 0 && fsync(j->fd) != 0) {
		j->broken = true;
		return refused(j, "synced", err);
	}
	fault_point("journal.rotate");
	buf_init(&path, 65536);
	segment_path(&path, j->dir, number);
	fd = open(path.p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	buf_free(&path);
	segment_head(head, number, wall_ns());
	if (fd < 0 || !write_all(fd, head, sizeof(head), 0)) {
		error_set(err, ERROR_IO, 0, "%s/%08llu.seg: cannot be begun: %s", j->dir,
			  (unsigned long long)number, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	fault_point("journal.rotated");
	if (!sync_dir(j->dir, err)) {
		close(fd);
		return false;
	}
	if (j->fd >= 0) {
		close(j->fd);
		j->closed = xrealloc(j->closed, j->n_closed + 1, sizeof(*j->closed));
		j->closed[j->n_closed++] = j->current;
	}
	j->fd = fd;
	j->offset = SEGMENT_HEAD;
	j->current = (struct journal_segment){ number, SEGMENT_HEAD, 0, INT64_MAX, INT64_MIN };
	j->begin = false;
	return true;
}

struct journal *journal_open(const struct journal_options *options, struct journal_position at,
			     const struct journal_segment *current, struct error *err)
{
	struct journal *j = xcalloc(1, sizeof(*j));
	uint64_t *numbers = NULL;
	size_t n = 0;
	struct buf path;
	bool ok;

	j->dir = xstrdup(options->dir);
	j->segment_size = options->segment_size;
	j->fd = -1;
	j->day = INT64_MIN;
	buf_init(&j->raw, BLOCK_MAX);
	buf_init(&j->packed, ZSTD_compressBound(BLOCK_MAX) + BLOCK_HEAD);
	buf_init(&path, 65536);
	j->codec.out = &j->raw;
	j->zstd = ZSTD_createCCtx();
	begin_block(j);
	ok = journal_list(j->dir, &numbers, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		if (numbers[i] > at.segment)
			ok = journal_remove(j->dir, numbers[i], err);
	free(numbers);
	j->current = (struct journal_segment){ at.segment, at.offset, 0, INT64_MAX, INT64_MIN };
	if (current != NULL)
		j->current = *current;
	j->current.number = at.segment;
	j->current.bytes = j->offset = at.offset;
	if (ok && at.segment > 0) {
		segment_path(&path, j->dir, at.segment);
		j->fd = open(path.p, O_RDWR | O_CLOEXEC);
		ok = (j->fd >= 0 && ftruncate(j->fd, (off_t)at.offset) == 0) ||
		     refused(j, "cut back", err);
	} else {
		j->begin = true;
	}
	buf_free(&path);
	if (ok)
		return j;
	journal_close(j);
	return NULL;
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0)
		close(j->fd);
	ZSTD_freeCCtx(j->zstd);
	buf_free(&j->raw);
	buf_free(&j->packed);
	free(j->closed);
	free(j->sources);
	free(j->files);
	free(j->dir);
	free(j);
}

static bool pack(struct journal *j, struct error *err)
{
	size_t bound = ZSTD_compressBound(j->raw.n), n;

	buf_reset(&j->packed);
	if (!buf_reserve(&j->packed, BLOCK_HEAD + bound))
		return error_set(err, ERROR_LIMIT, 0,
				 "%s: a block of the journal is larger than any may be", j->dir);
	n = ZSTD_compressCCtx(j->zstd, j->packed.p + BLOCK_HEAD, bound, j->raw.p, j->raw.n, LEVEL);
	if (ZSTD_isError(n))
		return error_set(err, ERROR_LIMIT, 0, "%s: cannot be packed: %s", j->dir,
				 ZSTD_getErrorName(n));
	block_head((unsigned char *)j->packed.p, j->frames, (uint32_t)j->raw.n,
		   j->packed.p + BLOCK_HEAD, (uint32_t)n);
	j->packed.n = BLOCK_HEAD + n;
	return true;
}

/* Writes what has been appended as a block. Where that fails nothing of it stays in the file. */
static bool write_block(struct journal *j, struct error *err)
{
	if (j->raw.overflowed)
		return error_set(err, ERROR_LIMIT, 0, "%s: more than %zu MiB wait for the disk",
				 j->dir, BLOCK_MAX >> 20);
	if (j->frames == 0)
		return true;
	if (!pack(j, err))
		return false;
	if (j->begin && !begin_segment(j, err))
		return false;
	fault_point("journal.write");
	if (!write_all(j->fd, j->packed.p, j->packed.n, j->offset)) {
		refused(j, "written", err);
		if (ftruncate(j->fd, (off_t)j->offset) != 0) /* what stays is cut off on opening */
			return false;
		return false;
	}
	fault_point("journal.written");
	j->offset += j->packed.n;
	j->current.bytes = j->offset;
	j->current.observations += j->block_observations;
	if (j->block_first < j->current.first)
		j->current.first = j->block_first;
	if (j->block_last > j->current.last)
		j->current.last = j->block_last;
	begin_block(j);
	if (j->offset >= j->segment_size) {
		j->begin = true;
		forget_names(j);
	}
	return true;
}

/* After each frame. */
static void appended(struct journal *j)
{
	j->frames++;
	if (j->raw.n >= BLOCK_USUAL && !j->failed)
		j->failed = !write_block(j, &j->why);
}

static bool is_known(unsigned char **known, size_t *n, size_t number)
{
	if (number >= *n) {
		size_t grown = number * 2 + 64;

		*known = xrealloc(*known, grown, 1);
		memset(*known + *n, 0, grown - *n);
		*n = grown;
	}
	if ((*known)[number])
		return true;
	(*known)[number] = 1;
	return false;
}

static void frame(struct journal *j, enum frame kind) { buf_char(&j->raw, (char)kind); }

static void name(struct journal *j, enum frame kind, uint64_t number, struct sv text)
{
	frame(j, kind);
	codec_number(&j->codec, &number);
	codec_text(&j->codec, &text);
	j->frames++; /* no block ends between a name and what uses it */
}

void journal_name_source(struct journal *j, uint16_t number, struct sv text)
{
	if (!is_known(&j->sources, &j->n_sources, number))
		name(j, FRAME_SOURCE, number, text);
}

void journal_name_file(struct journal *j, uint32_t number, struct sv path)
{
	if (!is_known(&j->files, &j->n_files, number))
		name(j, FRAME_FILE, number, path);
}

void journal_renumber(struct journal *j) { forget_names(j); }

void journal_observation(struct journal *j, struct kept_observation *o)
{
	frame(j, FRAME_OBSERVATION);
	codec_observation(&j->codec, o);
	if (o->order < j->block_first)
		j->block_first = o->order;
	if (o->order > j->block_last)
		j->block_last = o->order;
	j->block_observations++;
	appended(j);
}

void journal_release(struct journal *j, int64_t watermark)
{
	int64_t day = watermark / NS_PER_DAY;

	frame(j, FRAME_WATERMARK);
	codec_signed(&j->codec, &watermark);
	appended(j);
	if (j->day == INT64_MIN)
		j->day = day;
	if (day <= j->day || j->failed || !write_block(j, &j->why))
		return;
	j->day = day;
	j->begin = true;
	forget_names(j);
}

void journal_evict(struct journal *j, uint16_t source, bool all, int64_t before)
{
	uint64_t which = all ? 0 : (uint64_t)source + 1;

	frame(j, FRAME_EVICT);
	codec_number(&j->codec, &which);
	codec_signed(&j->codec, &before);
	appended(j);
}

bool journal_sync(struct journal *j, struct journal_position *at, struct error *err)
{
	j->failed = false;
	if (!write_block(j, err))
		return false;
	fault_point("journal.sync");
	if (j->fd >= 0 && fsync(j->fd) != 0) {
		j->broken = true;
		return refused(j, "synced", err);
	}
	*at = (struct journal_position){ j->fd >= 0 ? j->current.number : 0,
					 j->fd >= 0 ? j->offset : 0 };
	return true;
}

size_t journal_unwritten(const struct journal *j) { return j->raw.n; }

void journal_current(const struct journal *j, struct journal_segment *out) { *out = j->current; }

const struct journal_segment *journal_closed(const struct journal *j, size_t *n)
{
	*n = j->n_closed;
	return j->closed;
}

void journal_forget_closed(struct journal *j) { j->n_closed = 0; }

bool journal_broken(const struct journal *j) { return j->broken; }
