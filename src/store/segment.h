/* Segment files of the journal: heads, blocks, their checks. The layout is told in journal.h. */
#ifndef PINWATCH_STORE_SEGMENT_H
#define PINWATCH_STORE_SEGMENT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SEGMENT_HEAD 32u
#define BLOCK_HEAD 24u
/* A block's frames; only a single huge observation makes one larger than usual. */
#define BLOCK_MAX ((size_t)512 * 1024 * 1024)

enum frame {
	FRAME_OBSERVATION = 1,
	FRAME_WATERMARK,
	FRAME_SOURCE,
	FRAME_FILE,
	FRAME_EVICT,
};

void segment_path(struct buf *out, const char *dir, uint64_t number); /* NUL-terminated */
void segment_head(unsigned char out[SEGMENT_HEAD], uint64_t number, int64_t opened);
bool segment_head_holds(const unsigned char head[SEGMENT_HEAD], uint64_t number);

struct block {
	uint32_t frames, raw, packed;
	uint64_t check;
};

void block_head(unsigned char out[BLOCK_HEAD], uint32_t frames, uint32_t raw, const void *packed,
		uint32_t n);
/* False where it is none, or claims sizes that cannot be. */
bool block_read_head(const unsigned char head[BLOCK_HEAD], struct block *out);
bool block_holds(const unsigned char head[BLOCK_HEAD], const struct block *b, const void *packed);

#endif
