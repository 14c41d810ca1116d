/* Observations as bytes: what the journal's frames hold.
 *
 * One walk over an observation's fields serves both directions, so that writing and reading cannot
 * disagree. Numbers are varints (LEB128, signed ones zigzag), texts a length and their bytes; what
 * is not said costs a byte. The layout is part of the journal's version (journal.h). Reading trusts
 * nothing: lengths and enumerations are checked.
 */
#ifndef PINWATCH_STORE_CODEC_H
#define PINWATCH_STORE_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/observation.h"

/* An observation with what the engine was told beside it. */
struct kept_observation {
	struct observation seen;
	int64_t order;	  /* ns */
	uint64_t content; /* decides between equal order times */
	struct record_ref ref;
	enum vantage vantage;
	bool late; /* it came behind the watermark and was taken all the same */
};

/* Where a walk stands. `last` is the order time that the next one is written relative to. */
struct codec {
	struct buf *out; /* writing; NULL: reading */
	const unsigned char *p, *end;
	struct arena *arena; /* reading: for lists */
	int64_t last;
	bool bad; /* reading: the bytes are none of ours; everything further is zero */
};

void codec_number(struct codec *c, uint64_t *n);
void codec_signed(struct codec *c, int64_t *n);
/* Reading borrows from the bytes. */
void codec_text(struct codec *c, struct sv *text);
/* Reading leaves every field "not said" that was not said. */
void codec_observation(struct codec *c, struct kept_observation *o);

#endif
