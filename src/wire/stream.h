/* One direction of a TCP connection put back in order.
 *
 * Bytes go to a sink in order, each once; of overlapping copies the first to arrive counts. What
 * the capture does not hold (lost, or cut off by a short snapshot length) goes to the sink as a gap
 * of known size, once it is certain or too much has to wait for it. Bounded: at most `max_held`
 * bytes wait behind a hole.
 */
#ifndef PINWATCH_WIRE_STREAM_H
#define PINWATCH_WIRE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "wire/packet.h"

struct stream_piece;

struct stream {
	uint32_t next;	  /* sequence number of the next byte for the sink */
	uint32_t highest; /* end of what was seen */
	bool started;
	uint64_t bytes;		      /* payload by sequence numbers: retransmissions count once */
	uint64_t missing;	      /* bytes given to the sink as gaps */
	struct stream_piece *_pieces; /* behind a hole, by sequence number, without overlap */
	uint32_t _held;
};

struct stream_sink {
	void *arg;
	uint32_t max_held; /* bytes */
	void (*data)(void *arg, const uint8_t *p, uint32_t n, struct instant time);
	void (*gap)(void *arg, uint32_t n);
};

/* The number of the first byte, where a SYN tells it. */
void stream_begin(struct stream *s, uint32_t seq);
/* The payload of a segment. Without a beginning its first byte is one. */
void stream_take(struct stream *s, const struct segment *segment, struct instant time,
		 const struct stream_sink *sink);
/* Only counts: for connections about which nothing more is to be learnt. */
void stream_count(struct stream *s, const struct segment *segment);
/* Gives up on holes: what waits goes to the sink, gaps between. */
void stream_flush(struct stream *s, const struct stream_sink *sink);
/* Whether something waits behind a hole that the receiver has acknowledged: the capture missed
 * it. */
bool stream_missed(const struct stream *s, uint32_t ack);
void stream_free(struct stream *s);

#endif
