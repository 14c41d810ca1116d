/* Live capture: packets of an interface, decoded on a thread of their own, as canonical records
 * into the source's spool.
 *
 * From there on they are pushed records like others: synced, read and checkpointed, so that what
 * was decoded survives a kill. While the spool is full the thread waits and the kernel drops
 * packets, which it counts. A restart cannot bring back what passed meanwhile: how long nobody
 * listened is a gap, said and counted. What was open when the process was killed is told only in
 * part or not at all; a clean end tells it as it stands.
 *
 * The time of the last look is the modification time of a file beside the spool.
 */
#ifndef PINWATCH_SERVE_WIRE_LIVE_H
#define PINWATCH_SERVE_WIRE_LIVE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"
#include "model/settings.h"
#include "wire/wire.h"

struct spool;

struct wire_live_options {
	const char *interface, *filter; /* filter NULL: all packets; copied */
	struct sv source;		/* its name; borrowed */
	struct spool *spool;		/* borrowed until stop */
	/* path of the file that says when it last looked; copied */
	const char *heard;
	const struct settings *settings; /* of the gateway; borrowed until stop, may be NULL */
};

struct wire_live_stats {
	struct wire_counts wire;
	uint64_t received, dropped, dropped_by_interface; /* the kernel's words */
	uint64_t records;				  /* in the spool */
	uint64_t failed;				  /* records that the disk refused */
	uint64_t gaps;
	struct span gap; /* all of them together */
	bool capturing;
};

/* What a person has to hear of, once each; `now` wall clock. */
#define WIRE_LIVE_WORDS 400

struct wire_live;

/* NULL and *err where the interface cannot be captured from. Once begun it is tried again until it
 * can. */
struct wire_live *wire_live_start(const struct wire_live_options *options, struct error *err);
/* Tells what is open, syncs, ends. */
void wire_live_stop(struct wire_live *w);
/* Any thread. */
void wire_live_stats(struct wire_live *w, struct wire_live_stats *out);
/* Any thread: the next thing to say, or false. */
bool wire_live_word(struct wire_live *w, char words[WIRE_LIVE_WORDS]);

#endif
