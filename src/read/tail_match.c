#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/arena.h"
#include "read/tail_internal.h"

#define COMPARE (64u * 1024u)

/* None where they cannot be read. */
static size_t bytes_at(int fd, char *out, size_t n, uint64_t at)
{
	ssize_t got = tail_read_at(fd, out, n, at);

	return got > 0 ? (size_t)got : 0;
}

/* The first bytes of the candidate, unpacked; fewer where it ends, or is damaged or unfinished. */
static size_t first_bytes(const struct tail_candidate *c, char *out, size_t n)
{
	struct source source;
	struct unpack *unpack;
	struct error err;
	size_t have = 0, got = 1;

	if (!c->packed) {
		int fd = tail_open_path(c->path);
		have = fd >= 0 ? bytes_at(fd, out, n, 0) : 0;
		if (fd >= 0)
			close(fd);
		return have;
	}
	if (!source_open(&source, c->path, &err))
		return 0;
	unpack = unpack_new(&source, 0, &err);
	while (unpack != NULL && have < n && got > 0 &&
	       unpack_read(unpack, out + have, n - have, &got, &err))
		have += got;
	unpack_free(unpack);
	source_close(&source);
	return have;
}

/* p holds `have` bytes read so far, of which the last TAIL_LAST are kept. */
static bool match_stream(const struct tail_file *f, struct unpack *unpack, char *p)
{
	struct error err;
	uint64_t at = 0;
	size_t have = 0, got;

	while (at < f->offset) {
		/* Up to the end of the head first, to be hashed where it stands. */
		uint64_t goal = at < f->head_n ? f->head_n : f->offset;
		size_t room = COMPARE + TAIL_HEAD - have;
		if (goal - at < room)
			room = (size_t)(goal - at);
		if (!unpack_read(unpack, p + have, room, &got, &err) || got == 0)
			return false;
		have += got;
		at += got;
		if (at == f->head_n && XXH3_64bits(p, have) != f->head_hash)
			return false;
		if (at >= f->head_n && have > TAIL_LAST) {
			memmove(p, p + have - TAIL_LAST, TAIL_LAST);
			have = TAIL_LAST;
		}
	}
	return have >= f->last_n && XXH3_64bits(p + have - f->last_n, f->last_n) == f->last_hash;
}

static bool match_packed(const struct tail_file *f, const struct tail_candidate *c)
{
	struct source source;
	struct unpack *unpack;
	struct error err;
	char *p;
	bool same = false;

	if (!source_open(&source, c->path, &err))
		return false;
	unpack = unpack_new(&source, 0, &err);
	if (unpack != NULL) {
		p = xmalloc(COMPARE + TAIL_HEAD);
		same = match_stream(f, unpack, p);
		free(p);
	}
	unpack_free(unpack);
	source_close(&source);
	return same;
}

bool tail_match(const struct tail_file *f, const struct tail_candidate *c)
{
	if (f->offset == 0)
		return false;
	return c->packed ? match_packed(f, c)
			 : c->size >= f->offset && tail_file_check_at(f, c->path);
}

/* What the first `n` bytes of both agree in: all that the candidate has, or all n. */
static bool agree(const char *file, size_t file_n, const char *candidate, size_t n)
{
	return n > 0 && n <= file_n && memcmp(file, candidate, n) == 0;
}

bool tail_match_copy(const struct tail_file *f, const struct tail_candidate *c)
{
	char *theirs = xmalloc(COMPARE), *ours = xmalloc(COMPARE);
	size_t n = first_bytes(c, theirs, COMPARE), ours_n = 0;
	struct tail_candidate self = { .path = f->path, .packed = f->packed, .size = f->size };
	bool same;

	ours_n = first_bytes(&self, ours, COMPARE);
	same = agree(ours, ours_n, theirs, n);
	if (same && !c->packed && !f->packed && c->size > COMPARE) {
		int a = tail_open_path(f->path), b = tail_open_path(c->path);
		size_t most = TAIL_LAST;
		same = a >= 0 && b >= 0 && bytes_at(a, ours, most, c->size - most) == most &&
		       bytes_at(b, theirs, most, c->size - most) == most &&
		       memcmp(ours, theirs, most) == 0;
		if (a >= 0)
			close(a);
		if (b >= 0)
			close(b);
	}
	free(theirs);
	free(ours);
	return same;
}

bool tail_match_unread(const struct tail_file *f, const struct tail_candidate *c)
{
	char *theirs, *ours;
	size_t n, ours_n;
	bool same;

	if (f->offset > 0 || f->fd < 0 || f->packed)
		return false;
	theirs = xmalloc(COMPARE);
	ours = xmalloc(COMPARE);
	ours_n = bytes_at(f->fd, ours, COMPARE, 0);
	n = first_bytes(c, theirs, COMPARE);
	same = n == ours_n && agree(ours, ours_n, theirs, n);
	free(theirs);
	free(ours);
	return same;
}

bool tail_match_shorter(const struct tail_file *f, const struct tail_candidate *c)
{
	char bytes[TAIL_HEAD];
	size_t n;

	if (c->packed || c->size == 0 || c->size >= f->offset || f->head == NULL)
		return false;
	n = first_bytes(c, bytes, sizeof(bytes));
	return agree(f->head, f->head_have, bytes, n);
}

bool tail_match_whole(const struct tail_candidate *c)
{
	struct source source;
	struct unpack *unpack;
	struct error err;
	char *p;
	size_t got = 1;
	bool whole = false;

	if (!source_open(&source, c->path, &err))
		return false;
	p = xmalloc(COMPARE);
	unpack = unpack_new(&source, 0, &err);
	while (unpack != NULL && got > 0)
		if (!unpack_read(unpack, p, COMPARE, &got, &err))
			break;
	whole = unpack != NULL && got == 0 && unpack_packing(unpack) != PACKING_NONE;
	free(p);
	unpack_free(unpack);
	source_close(&source);
	return whole;
}
