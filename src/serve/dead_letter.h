/* The dead-letter file: every record that was set aside, with the reason, as JSON lines.
 *
 * Appended to; put aside as NAME.1 when it has grown to its limit, so that twice the limit is the
 * most that there is. Written with the checkpoint: after a crash the records since the last one
 * come again, and so do their lines. Where the disk refuses, lines are dropped and counted: the
 * counters of the sources do not depend on them. TLS session secrets are never written.
 */
#ifndef PINWATCH_SERVE_DEAD_LETTER_H
#define PINWATCH_SERVE_DEAD_LETTER_H

#include "base/buf.h"
#include "base/clock.h"

struct dead_letter {
	char *path;
	uint64_t limit;
	uint64_t dropped;
	struct buf _lines;
};

void dead_letter_init(struct dead_letter *d, const char *path, uint64_t limit);
void dead_letter_free(struct dead_letter *d);
void dead_letter_put(struct dead_letter *d, struct instant at, struct sv source, struct sv path,
		     uint64_t line, const char *reason, struct sv record);
/* Appends what has been put to the file. */
void dead_letter_write(struct dead_letter *d);

#endif
