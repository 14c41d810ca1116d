/* Append-only spool for pushed input: what stands in it and has been synced survives.
 *
 * One spool is one folder of segment files, one a source. Many threads append; one reader reads it
 * like a file, and only what has been synced. What has been read and checkpointed is trimmed. A
 * batch is all or nothing, also over a crash. Its size is bounded: when it is full, appending says
 * so and whoever pushes has to wait.
 *
 * Order of events for whoever acknowledges:
 *     spool_append() → SPOOL_DONE, ticket     (in memory)
 *     spool_sync(ticket) → true               (on disk; one fsync serves all that wait for it)
 *     acknowledge
 * and for the reader: spool_next … spool_position into the checkpoint, checkpoint committed,
 * spool_trim(that position).
 *
 * An idempotency key lets a sender that got no answer send a batch again: a key that is known gives
 * SPOOL_KNOWN and appends nothing. The newest SPOOL_KEYS keys are kept, over restarts too.
 *
 * The format of the files is described in spool_file.h.
 */
#ifndef PINWATCH_READ_SPOOL_H
#define PINWATCH_READ_SPOOL_H

#include "base/buf.h"
#include "read/arrival.h"

#define SPOOL_KEYS 1024

struct spool_options {
	const char *dir;       /* made where it does not exist; its parent must */
	uint64_t segment_size; /* bytes; 0: 16 MiB. Disk is taken in steps of it */
	uint64_t max_size;     /* bytes of all segments; 0: 1 GiB; at least two segments */
	size_t max_record;     /* bytes; 0: READER_MAX_RECORD */
};

struct spool_stats {
	uint64_t appended, refused_full, refused_long; /* records */
	uint64_t known;				       /* batches that came again */
	uint64_t syncs;				       /* fsyncs done */
	uint64_t segments, size, max_size;	       /* now; bytes on disk */
	uint64_t torn;	  /* bytes cut off at open: written by nobody who was told so */
	uint64_t damaged; /* bytes skipped by the reader since open */
	uint64_t waiting; /* synced records not yet read */
};

struct spool;
struct spool_reader;

enum spool_result {
	SPOOL_DONE,
	SPOOL_KNOWN,	/* the batch with this key stands in the spool already */
	SPOOL_FULL,	/* max_size is reached, or the disk is full: later */
	SPOOL_TOO_LONG, /* a record beyond max_record, or a batch beyond max_size / 2 */
	SPOOL_ERROR,	/* the disk failed; *err says what. The spool takes nothing more until
			 * reopened */
};

/* Takes the folder for this process (a lock); cuts off what was torn. */
struct spool *spool_open(const struct spool_options *options, struct error *err);
/* Syncs what is appended; the reader must be closed before. */
void spool_close(struct spool *s);

/* Any thread. arrival: wall clock. ticket: for spool_sync; may be NULL. */
enum spool_result spool_append(struct spool *s, struct sv record, struct instant arrival,
			       uint64_t *ticket, struct error *err);
/* All n records or none. key: empty for none; at most 256 bytes count. */
enum spool_result spool_append_batch(struct spool *s, const struct sv *records, size_t n,
				     struct sv key, struct instant arrival, uint64_t *ticket,
				     struct error *err);
/* Any thread. Returns once everything up to the ticket (UINT64_MAX: all so far) is on disk. False:
 * it is not, and must not be acknowledged. */
bool spool_sync(struct spool *s, uint64_t ticket, struct error *err);
/* Any thread: true while appending a record of usual size would say SPOOL_FULL. now: wall clock. */
bool spool_full(struct spool *s, struct instant now);
/* Any thread: readable while synced records wait for the reader. */
int spool_fd(const struct spool *s);
void spool_stats(struct spool *s, struct spool_stats *out);

/* One reader a spool, one thread. position: of spool_position, or empty for the oldest record.
 * Where the position's segment is gone, reading begins at the oldest one there is, and *err of the
 * first spool_next says so. */
struct spool_reader *spool_reader_open(struct spool *s, struct sv position, struct error *err);
void spool_reader_close(struct spool_reader *r);
/* INPUT_ERROR: damaged bytes were skipped and counted; go on. where->line is the entry's number,
 * where->path the segment. *record is good until the next call, with READ_PADDING readable
 * behind. */
enum input_result spool_next(struct spool_reader *r, struct sv *record, struct instant *arrival,
			     struct input_where *where, struct error *err);
void spool_position(const struct spool_reader *r, struct buf *out);
/* Any thread. Removes the segments before the position; a text that is none is an error. */
bool spool_trim(struct spool *s, struct sv position, struct error *err);

#endif
