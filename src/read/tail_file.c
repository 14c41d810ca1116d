#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"
#include "read/tail_internal.h"

#define BLOCK (256u * 1024u)
#define FIRST_BLOCK (16u * 1024u)
#define CHECK 256u /* bytes that are read again with every read, to see that they are the same */

static char *copy_text(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

void tail_file_identify(struct tail_file *f, const struct tail_candidate *c)
{
	f->dev = c->dev;
	f->ino = c->ino;
	f->born = c->born;
	f->size = c->size;
	f->mtime = c->mtime;
	f->age = c->number;
	f->live = c->name == TAIL_NAME_LIVE;
	f->packed = c->packed;
}

struct tail_file *tail_file_new(struct tail *t, const struct tail_candidate *c)
{
	struct tail_file *f = xcalloc(1, sizeof(*f));

	*f = (struct tail_file){
		.path = copy_text(c != NULL ? c->path : ""),
		.number = ++t->next_number,
		.framing = t->options.framing,
		.first = true,
		.fd = -1,
	};
	f->source._fd = -1;
	if (c != NULL)
		tail_file_identify(f, c);
	if (t->n_files == t->capacity) {
		t->capacity = t->capacity == 0 ? 16 : t->capacity * 2;
		t->files = xrealloc(t->files, t->capacity, sizeof(struct tail_file *));
	}
	t->files[t->n_files++] = f;
	return f;
}

void tail_file_close(struct tail_file *f)
{
	tail_file_note(f);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	unpack_free(f->unpack);
	f->unpack = NULL;
	source_close(&f->source);
	free(f->p);
	f->p = NULL;
	free(f->head);
	f->head = NULL;
	free(f->intro);
	f->intro = NULL;
	f->capacity = f->start = f->end = f->searched = f->head_have = f->intro_n = 0;
	f->at_end = false;
}

void tail_file_free(struct tail_file *f)
{
	tail_file_close(f);
	free(f->path);
	free(f);
}

void tail_file_note(struct tail_file *f)
{
	if (!tail_file_is_open(f))
		return; /* as it was when it was closed */
	f->head_n = f->offset < TAIL_HEAD ? (uint32_t)f->offset : TAIL_HEAD;
	f->last_n = f->offset < TAIL_LAST ? (uint32_t)f->offset : TAIL_LAST;
	f->head_hash = XXH3_64bits(f->head, f->head_n);
	f->last_hash = XXH3_64bits(f->p + f->start - f->last_n, f->last_n);
}

static uint64_t read_to(const struct tail_file *f) { return f->offset - f->start + f->end; }

/* n bytes at p stand at `at` of the file: those of the head are kept. */
static void keep_head(struct tail_file *f, const char *p, size_t n, uint64_t at)
{
	size_t from, most;

	if (at > f->head_have || f->head_have >= TAIL_HEAD || at + n <= f->head_have)
		return;
	from = f->head_have - (size_t)at;
	most = TAIL_HEAD - f->head_have;
	if (n - from < most)
		most = n - from;
	memcpy(f->head + f->head_have, p + from, most);
	f->head_have += most;
}

int tail_open_path(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

ssize_t tail_read_at(int fd, char *out, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, out + have, n - have, (off_t)(at + have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static bool cannot(const struct tail_file *f, struct error *err)
{
	return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", f->path, strerror(errno));
}

/* The buffer holds the TAIL_LAST bytes before the offset. False: the file is shorter. */
static bool open_plain(struct tail_file *f, struct error *err)
{
	uint32_t last = f->offset < TAIL_LAST ? (uint32_t)f->offset : TAIL_LAST;
	ssize_t got;

	got =
	    tail_read_at(f->fd, f->head, f->offset < TAIL_HEAD ? (size_t)f->offset : TAIL_HEAD, 0);
	if (got < 0)
		return cannot(f, err);
	f->head_have = (size_t)got;
	got = tail_read_at(f->fd, f->p, last, f->offset - last);
	if (got < 0)
		return cannot(f, err);
	f->start = f->end = (size_t)got;
	f->changed = (size_t)got < last;
	return true;
}

/* Unpacks up to the offset. */
static bool open_packed(struct tail_file *f, struct error *err)
{
	uint64_t at = 0;
	size_t got;

	source_on_fd(&f->source, f->path, f->fd);
	f->unpack = unpack_new(&f->source, 0, err);
	if (f->unpack == NULL)
		return false;
	if (f->offset > 0)
		f->intro = xmalloc(INPUT_HEAD);
	while (at < f->offset) {
		size_t room = f->capacity - f->end;
		uint64_t left = f->offset - at;
		if (!unpack_read(f->unpack, f->p + f->end, left < room ? (size_t)left : room, &got,
				 err))
			return false;
		if (got == 0)
			return error_set(err, ERROR_FORMAT, (size_t)at,
					 "%s: ends at byte %llu (unpacked), before what was read "
					 "of it when it had another name",
					 f->path, (unsigned long long)at);
		if (f->intro_n < INPUT_HEAD) {
			size_t part = got < INPUT_HEAD - f->intro_n ? got : INPUT_HEAD - f->intro_n;
			memcpy(f->intro + f->intro_n, f->p + f->end, part);
			f->intro_n += part;
		}
		keep_head(f, f->p + f->end, got, at);
		at += got;
		f->end += got;
		if (f->end > TAIL_LAST) {
			memmove(f->p, f->p + f->end - TAIL_LAST, TAIL_LAST);
			f->end = TAIL_LAST;
		}
	}
	f->start = f->end;
	return true;
}

/* True without being open afterwards where the file is another one now. */
static bool open_file(struct tail_file *f, struct error *err)
{
	struct stat st;
	int fd;
	bool ok;

	fd = tail_open_path(f->path);
	if (fd < 0 && errno == ENOENT)
		return true; /* renamed or removed just now: the next look at the folder tells */
	if (fd < 0 || fstat(fd, &st) != 0) {
		ok = cannot(f, err);
		if (fd >= 0)
			close(fd);
		return ok;
	}
	/* Another one by now; or truncated, so that a copy may have to be read first. */
	if ((uint64_t)st.st_dev != f->dev || (uint64_t)st.st_ino != f->ino ||
	    (uint64_t)st.st_size < f->size) {
		close(fd);
		return true;
	}
	f->fd = fd;
	f->capacity = FIRST_BLOCK;
	f->p = xmalloc(f->capacity + READ_PADDING);
	f->head = xmalloc(TAIL_HEAD);
	ok = f->packed ? open_packed(f, err) : open_plain(f, err);
	if (!ok || f->changed) {
		/* The identity noted before stays: this one is of no use. */
		f->end = f->start = 0;
		free(f->p);
		f->p = NULL;
		tail_file_close(f);
	}
	return ok;
}

static void make_room(const struct tail *t, struct tail_file *f)
{
	size_t kept = f->start < TAIL_LAST ? f->start : TAIL_LAST, waiting = f->end - f->start;
	size_t most = t->options.max_record + BLOCK, want = f->capacity;

	if (f->start > kept) {
		memmove(f->p, f->p + f->start - kept, kept + waiting);
		f->start = kept;
		f->end = kept + waiting;
	}
	if (f->end > f->capacity / 2 && f->capacity < most)
		want = f->capacity < most / 2 ? f->capacity * 2 : most;
	if (want == f->capacity)
		return;
	f->p = xrealloc(f->p, want + READ_PADDING, 1);
	f->capacity = want;
}

/* Reads on, and the last bytes before that once more. */
static ssize_t read_plain(struct tail_file *f, size_t room)
{
	char again[CHECK];
	size_t check = f->end < CHECK ? f->end : CHECK;
	struct iovec parts[2] = { { again, check }, { f->p + f->end, room } };
	ssize_t got;

	do {
		got = preadv(f->fd, parts, 2, (off_t)(read_to(f) - check));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	if ((size_t)got < check || memcmp(again, f->p + f->end - check, check) != 0) {
		f->changed = true;
		return 0;
	}
	return got - (ssize_t)check;
}

enum tail_refill tail_file_refill(struct tail *t, struct tail_file *f, struct error *err)
{
	size_t room, got = 0;

	if (!tail_file_is_open(f) && !open_file(f, err))
		return REFILL_FAILED;
	if (f->changed)
		return REFILL_CHANGED;
	if (!tail_file_is_open(f)) {
		t->dirty = true;
		return REFILL_NOTHING;
	}
	make_room(t, f);
	room = f->capacity - f->end;
	if (f->packed) {
		if (!f->at_end && !unpack_read(f->unpack, f->p + f->end, room, &got, err)) {
			f->at_end = true;
			t->stats.damaged++;
			return REFILL_FAILED;
		}
		f->at_end = got == 0;
	} else {
		ssize_t n = read_plain(f, room);
		if (n < 0) {
			cannot(f, err);
			return REFILL_FAILED;
		}
		if (f->changed)
			return REFILL_CHANGED;
		got = (size_t)n;
	}
	keep_head(f, f->p + f->end, got, read_to(f));
	f->end += got;
	memset(f->p + f->end, 0, READ_PADDING);
	return got > 0 ? REFILL_MORE : REFILL_NOTHING;
}

bool tail_file_check_at(const struct tail_file *f, const char *path)
{
	char bytes[TAIL_HEAD];
	int fd = tail_open_path(path);
	bool same =
	    fd >= 0 && tail_read_at(fd, bytes, f->head_n, 0) == (ssize_t)f->head_n &&
	    XXH3_64bits(bytes, f->head_n) == f->head_hash &&
	    tail_read_at(fd, bytes, f->last_n, f->offset - f->last_n) == (ssize_t)f->last_n &&
	    XXH3_64bits(bytes, f->last_n) == f->last_hash;

	if (fd >= 0)
		close(fd);
	return same;
}

bool tail_file_check(struct tail_file *f)
{
	if (tail_file_is_open(f)) {
		read_plain(f, 0);
		return !f->changed;
	}
	return f->offset == 0 || tail_file_check_at(f, f->path);
}

void tail_file_learn(struct tail_file *f)
{
	char bytes[TAIL_HEAD];
	int fd = tail_open_path(f->path);

	f->head_n = f->offset < TAIL_HEAD ? (uint32_t)f->offset : TAIL_HEAD;
	f->last_n = f->offset < TAIL_LAST ? (uint32_t)f->offset : TAIL_LAST;
	if (fd < 0)
		return;
	if (tail_read_at(fd, bytes, f->head_n, 0) == (ssize_t)f->head_n)
		f->head_hash = XXH3_64bits(bytes, f->head_n);
	if (tail_read_at(fd, bytes, f->last_n, f->offset - f->last_n) == (ssize_t)f->last_n)
		f->last_hash = XXH3_64bits(bytes, f->last_n);
	close(fd);
}
