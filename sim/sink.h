/* Buffered file output for many small pieces, quicker than stdio's formatting.
 *
 * An error is remembered and reported once, by sink_close. Lines are counted where sink_line ends
 * them.
 */
#ifndef PINWATCH_SIM_SINK_H
#define PINWATCH_SIM_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sv.h"

struct sink {
	int _fd;
	int _errno;
	size_t _n;
	char *_p;
	const char *_name; /* borrowed, for messages */
	int64_t _modified; /* ns; 0: when it was written */
	uint64_t lines;
};

/* Creates or empties DIR/NAME; both are borrowed until sink_close. */
bool sink_open(struct sink *s, const char *dir, const char *name, struct error *err);
/* The file is to look as if it was last written at `ns`. */
void sink_modified(struct sink *s, int64_t ns);
/* Flushes and closes. False when anything since sink_open failed, then *err is set unless it
 * already was. */
bool sink_close(struct sink *s, struct error *err);

void sink_bytes(struct sink *s, const void *bytes, size_t n);
void sink_char(struct sink *s, char c);
void sink_str(struct sink *s, const char *text);
static inline void sink_sv(struct sink *s, struct sv v) { sink_bytes(s, v.p, v.n); }
void sink_u64(struct sink *s, uint64_t n);
/* Exactly `digits` decimal digits, zeros in front. */
void sink_padded(struct sink *s, uint64_t n, int digits);
/* Nanoseconds as decimal seconds with 3 or 6 decimals, cut. */
void sink_seconds(struct sink *s, int64_t ns, int decimals);
void sink_printf(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends a line. */
void sink_line(struct sink *s);

#endif
