/* The journal: every observation that the engine took and every watermark it was released to, in
 * order.
 *
 * It is the snapshot, the history and the material of backtests in one: replayed through the engine
 * it gives the very state that was there, since that is a function of the calls. Segments are files
 * of a folder:
 *
 *     journal/00000001.seg        named by their number, counting up
 *
 *     segment := head block*
 *     head    := "PWSEGM01"  number u64  opened i64 (ns, wall clock)  check u64       32 bytes
 *     block   := "PWBK"  frames u32  raw u32  packed u32  check u64  packed bytes  24 + packed
 *
 * Integers are little-endian. A block's bytes are one zstd frame of `raw` bytes of frames; check is
 * XXH3 (64 bits) of the packed bytes, seeded with XXH3 of the 16 bytes before it; the head's
 * likewise of the 24 before it. Frames are not split over blocks, and each block can be read alone:
 *
 *     frame   := 1 observation             as codec.h has it; file, source: numbers of this segment
 *              | 2 watermark               signed varint, ns: engine_release
 *              | 3 number name             a source of this segment
 *              | 4 number path             a file of this segment
 *              | 5 source before           engine_evict: source + 1, 0 for all; signed ns
 *
 * Trusted is nothing: a segment's head and every block are checked before they are used. What
 * stands behind the length that the database holds was never promised to anybody and is cut off on
 * opening. A block that fails its check ends what can be relied on; journal_replay says where, and
 * goes on behind it if asked. A new segment is begun when the watermark enters another UTC day, or
 * the segment is large enough.
 *
 * Not thread-safe. Errors are ERROR_IO (the system said no) and ERROR_FORMAT (damage), with the
 * file.
 */
#ifndef PINWATCH_STORE_JOURNAL_H
#define PINWATCH_STORE_JOURNAL_H

#include "base/error.h"
#include "store/codec.h"

/* The end of what is kept. Segment 0: nothing yet. */
struct journal_position {
	uint64_t segment, offset;
};

struct journal_options {
	const char *dir;       /* exists */
	uint64_t segment_size; /* bytes, after which a new segment is begun */
};

/* What one segment holds; for retention. */
struct journal_segment {
	uint64_t number, bytes, observations;
	int64_t first, last; /* order times; INT64_MAX and INT64_MIN without observations */
};

struct journal;

/* Opens for appending at `at`, cutting off what stands behind it. */
struct journal *journal_open(const struct journal_options *options, struct journal_position at,
			     const struct journal_segment *current, struct error *err);
void journal_close(struct journal *j);

/* Appending is to memory; blocks are written as they fill. Numbers of files and sources are the
 * caller's and must have been named to this journal: journal_name_* do nothing for a number that
 * this segment knows. */
void journal_name_source(struct journal *j, uint16_t number, struct sv name);
void journal_name_file(struct journal *j, uint32_t number, struct sv path);
/* Numbers mean something else from here on. */
void journal_renumber(struct journal *j);
void journal_observation(struct journal *j, struct kept_observation *o);
void journal_release(struct journal *j, int64_t watermark);
void journal_evict(struct journal *j, uint16_t source, bool all, int64_t before);
/* Writes and syncs all that was appended. False: it may not be relied on; appending stays possible,
 * and the next sync tries again. */
bool journal_sync(struct journal *j, struct journal_position *at, struct error *err);
/* Bytes appended that are not written yet. */
size_t journal_unwritten(const struct journal *j);
/* A sync failed at a point where nobody can tell what reached the disk: only opening anew, from
 * what the database counts, leads out. */
bool journal_broken(const struct journal *j);
/* The segment being written, and those that were closed since journal_forget_closed. */
void journal_current(const struct journal *j, struct journal_segment *out);
const struct journal_segment *journal_closed(const struct journal *j, size_t *n);
void journal_forget_closed(struct journal *j);

/* Reading. Callbacks get numbers as the segment has them. Views are dead after the call. */
struct journal_sink {
	void *arg;
	void (*segment)(void *arg, uint64_t number); /* numbers begin anew */
	void (*source)(void *arg, uint64_t number, struct sv name);
	void (*file)(void *arg, uint64_t number, struct sv path);
	void (*observation)(void *arg, struct kept_observation *o);
	void (*release)(void *arg, int64_t watermark);
	/* source < 0: all. */
	void (*evict)(void *arg, int32_t source, int64_t before);
};

enum journal_result { JOURNAL_OK, JOURNAL_DAMAGED, JOURNAL_FAILED };

/* Replays every segment of the folder up to `until`. Damage: *good is the end of what came before
 * it and *err says where; with `skip` it goes on behind it as well as it can, counts the lost
 * blocks in *lost and returns JOURNAL_OK. JOURNAL_FAILED: a segment cannot be read at all. */
enum journal_result journal_replay(const char *dir, struct journal_position until, bool skip,
				   const struct journal_sink *sink, struct journal_position *good,
				   uint64_t *lost, struct error *err);
/* One segment. */
enum journal_result journal_replay_segment(const char *dir, uint64_t number, uint64_t length,
					   bool skip, const struct journal_sink *sink,
					   struct journal_position *good, uint64_t *lost,
					   struct error *err);
/* Checks the blocks without unpacking, up to `until`. */
enum journal_result journal_verify(const char *dir, struct journal_position until,
				   struct journal_position *good, struct error *err);
/* Numbers of the segments there are, ascending; the caller frees. */
bool journal_list(const char *dir, uint64_t **numbers, size_t *n, struct error *err);
/* Removes a segment; one that is not there is no error. */
bool journal_remove(const char *dir, uint64_t number, struct error *err);

#endif
