#include "read/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

static char *copy(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

bool source_open(struct source *s, const char *path, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct stat st;

	*s = (struct source){
		.name = copy(standard ? "standard input" : path),
		._fd = standard ? STDIN_FILENO : -1,
		._owns_fd = !standard,
	};
	while (s->_fd < 0) {
		s->_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (s->_fd < 0 && errno != EINTR)
			goto refused;
	}
	if (fstat(s->_fd, &st) != 0)
		goto refused;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto refused;
	}
	if (S_ISREG(st.st_mode)) {
		s->size = (uint64_t)st.st_size;
		posix_fadvise(s->_fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint: may fail */
	}
	return true;
refused:
	error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", s->name, strerror(errno));
	source_close(s);
	return false;
}

void source_on_fd(struct source *s, const char *name, int fd)
{
	*s = (struct source){ .name = copy(name), ._fd = fd };
}

void source_on_bytes(struct source *s, struct sv bytes)
{
	*s = (struct source){ .name = copy("input"), ._fd = -1, ._bytes = bytes, .size = bytes.n };
}

void source_close(struct source *s)
{
	if (s->_owns_fd && s->_fd >= 0)
		close(s->_fd);
	free(s->name);
	*s = (struct source){ ._fd = -1 };
}

/* Past the head. */
static bool take(struct source *s, char *out, size_t n, size_t *got, struct error *err)
{
	ssize_t r;

	if (s->_fd < 0) {
		struct sv part = sv_first(s->_bytes, n);
		if (part.n > 0)
			memcpy(out, part.p, part.n);
		s->_bytes = sv_skip(s->_bytes, part.n);
		*got = part.n;
		s->taken += part.n;
		return true;
	}
	do {
		r = read(s->_fd, out, n);
	} while (r < 0 && errno == EINTR);
	*got = 0;
	if (r < 0)
		return error_set(err, ERROR_IO, (size_t)s->taken,
				 "%s: reading failed at byte %llu: %s", s->name,
				 (unsigned long long)s->taken, strerror(errno));
	*got = (size_t)r;
	s->taken += (uint64_t)r;
	return true;
}

bool source_read(struct source *s, char *out, size_t n, size_t *got, struct error *err)
{
	size_t left = s->_head_n - s->_head_at;

	if (left == 0)
		return take(s, out, n, got, err);
	*got = left < n ? left : n;
	memcpy(out, s->_head + s->_head_at, *got);
	s->_head_at += *got;
	return true;
}

bool source_head(struct source *s, size_t n, struct sv *head, struct error *err)
{
	size_t got = 1;

	while (s->_head_n < n && got > 0) {
		if (!take(s, s->_head + s->_head_n, n - s->_head_n, &got, err))
			return false;
		s->_head_n += got;
	}
	*head = sv_make(s->_head, s->_head_n < n ? s->_head_n : n);
	return true;
}
