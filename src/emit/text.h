/* Words for a terminal: hostile bytes made harmless, times, counts, wrapping, colour.
 *
 * Everything a record says is attacker-influenced and may hold terminal escapes. No view of a
 * finding reaches a person but through text_safe.
 */
#ifndef PINWATCH_EMIT_TEXT_H
#define PINWATCH_EMIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/safe.h"
#include "base/sv.h"

/* How a person's output looks. */
struct text_style {
	bool colour;
	bool local;   /* times in the reader's zone instead of UTC */
	size_t width; /* columns; 0: no limit */
};

enum text_paint {
	PAINT_PLAIN,
	PAINT_BOLD,
	PAINT_DIM,
	PAINT_RED,
	PAINT_YELLOW,
	PAINT_GREEN,
	PAINT_CYAN,
};

/* Starts or (PAINT_PLAIN) ends a colour; nothing when the style has none. */
void text_paint(struct buf *out, const struct text_style *style, enum text_paint paint);
/* The terminal sequence of a colour, for those who apply it themselves. */
const char *text_paint_code(enum text_paint paint);
/* `2026-11-24T02:14:13Z`, or in the reader's zone `2026-11-24T03:14:13+01:00`; `-` when unknown. */
void text_time(struct buf *out, struct instant t, const struct text_style *style);
/* `bank.test:8443`, `[2001:db8::7]:8443`; without the port where it is 0. Hosts over `max_chars`
 * are cut as text_safe does. */
void text_place(struct buf *out, struct sv host, size_t max_chars, unsigned port);
/* Is the host an address whose colons would run into a port's? */
bool text_is_v6(struct sv host);
/* `1,234,567`. */
void text_count(struct buf *out, uint64_t n);
/* `1 device`, `3 devices`. */
void text_plural(struct buf *out, uint64_t n, const char *one, const char *many);
/* `512 B`, `1.4 MB` (powers of 1000). */
void text_bytes(struct buf *out, uint64_t n);
/* `4 d 3 h`, `12 min`, `3 s`: the two largest units, for people. */
void text_span(struct buf *out, struct span d);
/* `-16.0`, `+21.36`: hundredths, sign always shown when `sign`. */
void text_fixed2(struct buf *out, int64_t hundredths, bool sign);
/* Paragraph: words of `text` (already safe) broken at style->width, every line but the first begun
 * with `indent` spaces; `column` is where the first one starts. Ends with a line break. */
void text_wrap(struct buf *out, struct sv text, size_t column, size_t indent,
	       const struct text_style *style);
/* How many columns the UTF-8 text takes; combining marks and wide characters as wcwidth has
 * them. */
size_t text_columns(struct sv v);
/* Appends n times c. */
void text_repeat(struct buf *out, char c, size_t n);

#endif
