/* Where records begin and end: lines and paragraphs, in bytes of which more may be arriving. The
 * one place that knows it, for readers of whole inputs and for tails.
 *
 * Among lines may be syslog messages that begin with their length (`123 <14>…`, RFC 6587, 3.4.1),
 * as dumps of a TCP stream have them: such a record ends where its count says, with or without a
 * line break there.
 */
#ifndef PINWATCH_READ_FRAME_H
#define PINWATCH_READ_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"
#include "read/reader.h"

enum frame_result {
	FRAME_RECORD,
	FRAME_OVERLONG, /* `length` is cut to max_record */
	FRAME_NOTHING,	/* `used` bytes hold no record: empty lines, the rest of an overlong one */
	FRAME_MORE,	/* more bytes are needed; at the end: none are left */
};

/* Where an overlong record is being skipped. */
enum frame_skip { SKIP_NONE, SKIP_REST, SKIP_WITHIN_LINE, SKIP_TO_COUNT };

struct frame {
	size_t length;	      /* of the record, at the beginning of the bytes */
	size_t used;	      /* bytes to pass over */
	uint32_t lines;	      /* of them, lines */
	enum frame_skip skip; /* in: as the last call left it */
};

/* text: what has come so far. searched: bytes of it known to hold no line end (0 if unsure). final:
 * nothing more will come, so that what is there is a record. */
enum frame_result frame_next(struct sv text, size_t searched, bool final, enum framing framing,
			     size_t max_record, struct frame *f);

#endif
