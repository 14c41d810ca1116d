/* What the live ways in have in common: results of asking for the next record, and where it stood.
 *
 * A live input is asked again and again; INPUT_NOTHING_YET is not the end. Each has a descriptor
 * that becomes readable when asking may be worth it (poll it for reading, never read it), and a
 * position: a small JSON text that says what has been handed out so far. An input that is opened
 * with that text hands out what follows it: no record lost, none twice.
 */
#ifndef PINWATCH_READ_ARRIVAL_H
#define PINWATCH_READ_ARRIVAL_H

#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"
#include "read/reader.h"

enum input_result {
	INPUT_RECORD,
	INPUT_OVERLONG,	   /* longer than max_record: *record holds its first bytes, rest skipped */
	INPUT_MORE,	   /* nothing to hand out yet, but ask on at once */
	INPUT_NOTHING_YET, /* ask again when the descriptor is readable, or after the poll
			    * interval */
	INPUT_ERROR,	   /* *err says what was lost or cannot be read, once; ask on */
};

/* Views live as long as the record does: until the next call. */
struct input_where {
	struct sv path; /* the file, as found (a rotated one may have been renamed since) */
	uint64_t line;	/* 1-based; of a spool: the entry's number */
	/* of the record's first byte in the (unpacked) file; 0 in a watched folder */
	uint64_t offset;
	uint64_t file; /* the same for all records of one file, never reused while open: a new
			* number wants a new parser */
	bool first;    /* the first record of this file since the input was opened */
};

/* Called once a file, before its first record is handed out, with its path and its first (unpacked)
 * bytes, at most INPUT_HEAD: says how it is framed. `file` is the number of input_where. Where
 * reading goes on in the middle of a file (`resumed`), the head still holds its heading lines. */
#define INPUT_HEAD (64u * 1024u)
typedef enum framing input_framing_of(void *context, uint64_t file, struct sv path, struct sv head,
				      bool resumed);

#endif
