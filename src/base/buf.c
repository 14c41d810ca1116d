#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

void buf_init(struct buf *b, size_t max) { *b = (struct buf){ ._max = max }; }

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ ._max = b->_max };
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->overflowed = false;
}

bool buf_reserve(struct buf *b, size_t extra)
{
	size_t want;

	if (b->overflowed || __builtin_add_overflow(b->n, extra, &want) || want > b->_max) {
		b->overflowed = true;
		return false;
	}
	if (want > b->_capacity) {
		size_t grown = b->_capacity < 128 ? 256 : b->_capacity * 2;
		if (grown < want)
			grown = want;
		if (grown > b->_max)
			grown = b->_max;
		b->p = xrealloc(b->p, grown, 1);
		b->_capacity = grown;
	}
	return true;
}

bool buf_append(struct buf *b, const void *bytes, size_t n)
{
	if (!buf_reserve(b, n))
		return false;
	if (n > 0)
		memcpy(b->p + b->n, bytes, n);
	b->n += n;
	return true;
}

bool buf_sv(struct buf *b, struct sv v) { return buf_append(b, v.p, v.n); }
bool buf_str(struct buf *b, const char *s) { return buf_append(b, s, strlen(s)); }
bool buf_char(struct buf *b, char c) { return buf_append(b, &c, 1); }

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	if (n < 0)
		return false;
	if ((size_t)n < sizeof(small))
		return buf_append(b, small, (size_t)n);
	if (!buf_reserve(b, (size_t)n + 1))
		return false;
	va_start(args, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, args);
	va_end(args);
	b->n += (size_t)n;
	return true;
}
