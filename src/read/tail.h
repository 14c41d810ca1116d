/* Following log files as they are written, through rotation and restarts.
 *
 * One tail is one path, folder or glob. A file is known by what it is (device, inode, a hash of its
 * first bytes and of the last ones handed out), not by its name. So it is followed through
 * renaming, through copy-and-truncate (what was not yet read stands in the copy) and through
 * compression (gzip, zstd: reading goes on at the same unpacked byte), whether that happens while
 * the program runs or while it does not. What is a rotated sibling of a followed file is told by
 * its name: `access.log.1`, `access.log-20261124.gz`, `access-20261124.log`, `access.log.old`.
 * Siblings that exist when a tail is first opened are not read; such that appear later and are no
 * copy of anything known are, oldest first.
 *
 * An unfinished last line waits for its end; it is handed out as it is once its file is no longer
 * written to (removed, packed, or renamed and unchanged for `settle`). Lines and paragraphs only: a
 * file that is one document belongs into a watched folder (drop.h).
 *
 * What cannot be saved is said: bytes that were truncated away before they were read and stand in
 * no copy are counted and give one INPUT_ERROR.
 *
 * Time is passed in and may be any clock that does not leap; it serves the poll interval and
 * `settle`. A tail belongs to one thread. Memory: max_record + 256 KiB a file that is being read,
 * about 300 bytes a file that is only remembered.
 */
#ifndef PINWATCH_READ_TAIL_H
#define PINWATCH_READ_TAIL_H

#include "base/buf.h"
#include "read/arrival.h"

#define TAIL_MAX_FILES 4096 /* remembered at once; more are refused and counted */

struct tail_options {
	const char *path;     /* a file (need not exist yet), a folder, or a glob */
	enum framing framing; /* where framing_of is NULL */
	input_framing_of *framing_of;
	void *context;	    /* passed to framing_of */
	size_t max_record;  /* bytes; 0: READER_MAX_RECORD */
	struct span poll;   /* look at least so often; 0: 1 s */
	struct span settle; /* see above; 0: 5 s */
	bool from_end;	    /* first opening without position: skip what is there already */
};

struct tail_stats {
	uint64_t records, overlong, bytes; /* handed out */
	uint64_t rotated;		   /* files that went on under another name */
	uint64_t truncated; /* files found shorter or other than what was read of them */
	/* of these and of removed ones: the rest was found in a copy or packed */
	uint64_t continued;
	uint64_t lost;	  /* ... was found nowhere: what was not yet read of it is gone */
	uint64_t damaged; /* packed files that ended in damage */
	uint64_t refused; /* files beyond TAIL_MAX_FILES, or that may not be read */
	uint64_t files;	  /* known now */
	uint64_t behind;  /* bytes known to wait in plain files, as of the last look */
};

struct tail;

/* position: what tail_position wrote, or empty at the first opening. NULL and *err where the
 * options or the position make no sense; a path that does not exist yet is no error. */
struct tail *tail_open(const struct tail_options *options, struct sv position, struct error *err);
void tail_close(struct tail *t);
/* *record and *where are good until the next call; READ_PADDING bytes behind the record are
 * readable. */
enum input_result tail_next(struct tail *t, struct instant now, struct sv *record,
			    struct input_where *where, struct error *err);
/* Readable when something has happened to the files. -1 where the system offers no such thing: then
 * only the poll interval helps. */
int tail_fd(const struct tail *t);
/* Appends what has been handed out so far, as one JSON object. */
void tail_position(const struct tail *t, struct buf *out);
void tail_stats(const struct tail *t, struct tail_stats *out);

#endif
