#include "serve/dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/keylog.h"

/* Held back at most between two checkpoints. */
#define MAX_HELD ((size_t)32 * 1024 * 1024)
/* Shown of a record. */
#define MAX_RECORD ((size_t)64 * 1024)

void dead_letter_init(struct dead_letter *d, const char *path, uint64_t limit)
{
	*d = (struct dead_letter){ .path = xstrdup(path), .limit = limit };
	buf_init(&d->_lines, MAX_HELD);
}

void dead_letter_free(struct dead_letter *d)
{
	buf_free(&d->_lines);
	free(d->path);
	*d = (struct dead_letter){ 0 };
}

void dead_letter_put(struct dead_letter *d, struct instant at, struct sv source, struct sv path,
		     uint64_t line, const char *reason, struct sv record)
{
	struct jsonw w = jsonw_on(&d->_lines);
	size_t before = d->_lines.n;

	jsonw_open(&w, '{');
	jsonw_key(&w, "at");
	jsonw_instant(&w, at);
	jsonw_key_text(&w, "source", source);
	jsonw_key_text(&w, "path", path);
	jsonw_key_int(&w, "line", (int64_t)line);
	jsonw_key_str(&w, "reason", reason);
	jsonw_key_text(&w, "record",
		       keylog_holds(record) ? KEYLOG_INSTEAD : sv_first(record, MAX_RECORD));
	jsonw_close(&w, '}');
	buf_char(&d->_lines, '\n');
	if (d->_lines.overflowed) {
		d->_lines.overflowed = false;
		d->_lines.n = before;
		d->dropped++;
	}
}

/* The file, with what is in it already put aside where that is enough. */
static int open_file(struct dead_letter *d)
{
	int fd = open(d->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	struct stat st;
	struct buf old;

	if (fd < 0 || fstat(fd, &st) != 0 || (uint64_t)st.st_size < d->limit)
		return fd;
	buf_init(&old, 65536);
	buf_printf(&old, "%s.1", d->path);
	buf_char(&old, '\0');
	if (rename(d->path, old.p) == 0) {
		close(fd);
		fd = open(d->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	}
	buf_free(&old);
	return fd;
}

void dead_letter_write(struct dead_letter *d)
{
	int fd;

	if (d->_lines.n == 0)
		return;
	fd = open_file(d);
	for (size_t at = 0; fd >= 0 && at < d->_lines.n;) {
		ssize_t n = write(fd, d->_lines.p + at, d->_lines.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			d->dropped++;
			break;
		}
		at += (size_t)n;
	}
	if (fd < 0)
		d->dropped++;
	else
		close(fd);
	buf_reset(&d->_lines);
}
