/* The stream of packed attempts: what numbers of tuples do not hold. Internal to attempts.
 *
 * An attempt is, in variable-length integers of seven bits a byte: 1 + bytes_out; how many
 * references; for each its shape (a tuple's number), its line, as the difference from the one
 * before where that is of the same file, and the difference of its time from the attempt's start.
 * It begins at a multiple of STREAM_UNIT. Nothing in it comes from outside: it is read only as it
 * was written.
 */
#ifndef PINWATCH_CORRELATE_ATTEMPTS_STREAM_H
#define PINWATCH_CORRELATE_ATTEMPTS_STREAM_H

#include "correlate/attempts.h"

#define STREAM_UNIT 4u

/* What references have in common. */
struct ref_shape {
	uint32_t file;
	uint16_t source;
	int16_t alert;
	uint8_t kind, outcome;
	uint8_t _zero[2];
};

/* Appends the open attempt; false when the stream is full. */
bool stream_put(struct attempts *t, const struct attempt *a, uint32_t *place);
/* Bytes of the packed attempt at a place. */
size_t stream_size(const struct attempts *t, uint32_t place);

#endif
