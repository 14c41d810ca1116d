/* Growing byte buffer with a mandatory maximum (after curl's dynbuf).
 *
 * Once an append would pass the maximum the buffer turns `overflowed`, keeps what it has and
 * refuses everything further; the caller looks at the flag once, at the end.
 */
#ifndef PINWATCH_BASE_BUF_H
#define PINWATCH_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sv.h"

struct buf {
	char *p;
	size_t n;
	size_t _capacity;
	size_t _max;
	bool overflowed;
};

/* max: bytes, > 0. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
/* Empties, keeps the memory and the maximum, clears overflowed. */
void buf_reset(struct buf *b);
/* False when the maximum would be passed. */
bool buf_reserve(struct buf *b, size_t extra);
bool buf_append(struct buf *b, const void *bytes, size_t n);
bool buf_sv(struct buf *b, struct sv v);
bool buf_str(struct buf *b, const char *s);
bool buf_char(struct buf *b, char c);
/* As buf_char, for those who append byte by byte. */
static inline bool buf_byte(struct buf *b, unsigned char c)
{
	if (b->n >= b->_capacity || b->overflowed)
		return buf_char(b, (char)c);
	b->p[b->n++] = (char)c;
	return true;
}
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline struct sv buf_view(const struct buf *b) { return sv_make(b->p, b->n); }

#endif
