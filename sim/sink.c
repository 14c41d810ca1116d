#include "sim/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

#define SINK_SIZE ((size_t)256 * 1024)

bool sink_open(struct sink *s, const char *dir, const char *name, struct error *err)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	*s = (struct sink){ ._fd = -1, ._name = name };
	if (n < 0 || (size_t)n >= sizeof(path))
		return error_set(err, ERROR_IO, 0,
				 "%s/%s: the path is too long: take a shorter --out", dir, name);
	s->_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->_fd < 0)
		return error_set(err, ERROR_IO, 0, "%s: cannot write: %s", path, strerror(errno));
	s->_p = xmalloc(SINK_SIZE);
	return true;
}

static void flush(struct sink *s)
{
	size_t done = 0;

	while (done < s->_n && s->_errno == 0) {
		ssize_t n = write(s->_fd, s->_p + done, s->_n - done);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			s->_errno = errno;
	}
	s->_n = 0;
}

void sink_modified(struct sink *s, int64_t ns) { s->_modified = ns; }

bool sink_close(struct sink *s, struct error *err)
{
	struct timespec times[2] = { { s->_modified / NS_PER_S, (long)(s->_modified % NS_PER_S) } };

	if (s->_fd < 0)
		return false;
	flush(s);
	times[1] = times[0];
	if (s->_modified != 0 && futimens(s->_fd, times) != 0 && s->_errno == 0)
		s->_errno = errno;
	if (close(s->_fd) != 0 && s->_errno == 0)
		s->_errno = errno;
	free(s->_p);
	s->_fd = -1;
	s->_p = NULL;
	if (s->_errno == 0)
		return true;
	if (err->code == ERROR_NONE)
		error_set(err, ERROR_IO, 0, "%s: cannot be written: %s", s->_name,
			  strerror(s->_errno));
	return false;
}

void sink_bytes(struct sink *s, const void *bytes, size_t n)
{
	const char *from = bytes;

	while (n > 0) {
		size_t room = SINK_SIZE - s->_n;
		size_t part = n < room ? n : room;
		memcpy(s->_p + s->_n, from, part);
		s->_n += part;
		from += part;
		n -= part;
		if (s->_n == SINK_SIZE)
			flush(s);
	}
}

void sink_char(struct sink *s, char c)
{
	s->_p[s->_n++] = c;
	if (s->_n == SINK_SIZE)
		flush(s);
}

void sink_str(struct sink *s, const char *text) { sink_bytes(s, text, strlen(text)); }

void sink_u64(struct sink *s, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	sink_bytes(s, digits + at, sizeof(digits) - at);
}

void sink_padded(struct sink *s, uint64_t n, int digits)
{
	char text[20];

	for (int i = digits - 1; i >= 0; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	sink_bytes(s, text, (size_t)digits);
}

void sink_seconds(struct sink *s, int64_t ns, int decimals)
{
	uint64_t t = (uint64_t)ns;
	uint64_t unit = decimals == 3 ? 1000000 : 1000;

	sink_u64(s, t / 1000000000);
	sink_char(s, '.');
	sink_padded(s, t % 1000000000 / unit, decimals);
}

void sink_printf(struct sink *s, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		sink_bytes(s, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void sink_line(struct sink *s)
{
	sink_char(s, '\n');
	s->lines++;
}
