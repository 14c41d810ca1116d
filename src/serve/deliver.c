#include "serve/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

#define BATCH 256
#define MAX_LINES ((size_t)512 * 1024 * 1024)

/* A torn last line, of a crash, was delivered to nobody. */
static bool cut_torn(int fd)
{
	struct stat st;
	char chunk[4096];
	off_t end;

	if (fstat(fd, &st) != 0)
		return false;
	for (end = st.st_size; end > 0;) {
		off_t from = end > (off_t)sizeof(chunk) ? end - (off_t)sizeof(chunk) : 0;
		ssize_t n = pread(fd, chunk, (size_t)(end - from), from);

		if (n <= 0)
			return false;
		while (n > 0 && chunk[n - 1] != '\n')
			n--;
		end = from + n;
		if (n > 0)
			break;
	}
	return end == st.st_size || ftruncate(fd, end) == 0;
}

static bool append(int fd, const struct buf *lines)
{
	for (size_t at = 0; at < lines->n;) {
		ssize_t n = write(fd, lines->p + at, lines->n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool batch(struct deliver *d, struct store *s, int fd, struct buf *lines, size_t *n)
{
	struct store_outbox rows[BATCH];
	struct arena arena = { 0 };
	struct sv json;

	*n = store_outbox(s, DELIVER_FILE, d->done, rows, BATCH);
	buf_reset(lines);
	for (size_t i = 0; i < *n; i++) {
		if (store_revision(s, rows[i].uid, rows[i].revision, &arena, &json)) {
			buf_sv(lines, json);
			buf_char(lines, '\n');
		}
		arena_reset(&arena);
	}
	arena_free(&arena);
	if (*n == 0)
		return true;
	fault_point("deliver.write");
	if (!append(fd, lines) || fsync(fd) != 0)
		return error_set(&d->why, ERROR_IO, 0, "%s: findings cannot be appended: %s",
				 d->path.p, strerror(errno));
	fault_point("deliver.written");
	d->done = rows[*n - 1].id;
	d->delivered += *n;
	return true;
}

bool deliver_run(struct deliver *d, struct store *s)
{
	struct store_outbox first;
	struct buf lines;
	size_t n = 0;
	bool ok;
	int fd;

	if (sv_empty(d->path) || store_outbox(s, DELIVER_FILE, d->done, &first, 1) == 0)
		return true;
	fd = open(d->path.p, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0 || !cut_torn(fd)) {
		error_set(&d->why, ERROR_IO, 0, "%s: findings cannot be appended: %s", d->path.p,
			  strerror(errno));
		d->failed++;
		if (fd >= 0)
			close(fd);
		return false;
	}
	buf_init(&lines, MAX_LINES);
	do
		ok = batch(d, s, fd, &lines, &n);
	while (ok && n == BATCH);
	buf_free(&lines);
	close(fd);
	d->failed += !ok;
	return ok;
}

bool deliver_commit(struct deliver *d, struct store *s, struct error *err)
{
	int64_t done = d->done;

	if (done == d->dropped)
		return true;
	if (!store_drop_outbox(s, DELIVER_FILE, done, err))
		return false;
	d->dropped = done; /* should the commit fail, they are delivered again */
	return true;
}
