#include "wire/stream.h"

#include <stdlib.h>

#include "base/arena.h"

/* A segment further ahead than any window is not of this stream, or the sequence numbers have
 * started over. */
#define MAX_AHEAD (8 * 1024 * 1024)
/* What one piece costs beside its bytes, so that many tiny ones are bounded too. */
#define PIECE_COST ((uint32_t)sizeof(struct stream_piece))

struct stream_piece {
	struct stream_piece *next;
	struct instant time;
	uint32_t seq, n, length; /* n bytes here, of length on the wire */
	uint8_t bytes[];
};

/* Sequence numbers wrap (RFC 9293, 3.4). */
static int32_t ahead(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

void stream_begin(struct stream *s, uint32_t seq)
{
	if (s->started)
		return;
	s->started = true;
	s->next = s->highest = seq;
}

void stream_count(struct stream *s, const struct segment *segment)
{
	uint32_t end = segment->seq + segment->length;
	int32_t more;

	stream_begin(s, segment->seq);
	more = ahead(end, s->highest);
	if (segment->length == 0 || more <= 0 || more > MAX_AHEAD)
		return;
	s->bytes += (uint32_t)more;
	s->highest = end;
}

/* Gives the sink what of a piece is new; seq ≤ next. */
static void deliver(struct stream *s, uint32_t seq, const uint8_t *p, uint32_t n, uint32_t length,
		    struct instant time, const struct stream_sink *sink)
{
	uint32_t known = s->next - seq;

	if (known >= length)
		return;
	s->next = seq + length;
	if (known < n)
		sink->data(sink->arg, p + known, n - known, time);
	else
		n = known;
	if (length > n) {
		s->missing += length - n;
		sink->gap(sink->arg, length - n);
	}
}

static void drain(struct stream *s, const struct stream_sink *sink)
{
	struct stream_piece *piece;

	while ((piece = s->_pieces) != NULL && ahead(piece->seq, s->next) <= 0) {
		s->_pieces = piece->next;
		s->_held -= piece->n + PIECE_COST;
		deliver(s, piece->seq, piece->bytes, piece->n, piece->length, piece->time, sink);
		free(piece);
	}
}

/* The nearest hole becomes a gap. */
static void give_up(struct stream *s, const struct stream_sink *sink)
{
	uint32_t hole;

	if (s->_pieces == NULL)
		return;
	hole = s->_pieces->seq - s->next;
	s->next = s->_pieces->seq;
	s->missing += hole;
	sink->gap(sink->arg, hole);
	drain(s, sink);
}

/* Where nothing yet waits for these bytes; the first copy counts. */
static void hold(struct stream *s, uint32_t seq, const uint8_t *p, uint32_t n, uint32_t length,
		 struct instant time)
{
	struct stream_piece **at = &s->_pieces, *piece;
	uint32_t cut, room;

	while (length > 0) {
		while (*at != NULL && ahead((*at)->seq + (*at)->length, seq) <= 0)
			at = &(*at)->next;
		if (*at != NULL && ahead((*at)->seq, seq) <= 0) { /* its front is held already */
			cut = (*at)->seq + (*at)->length - seq;
			cut = cut < length ? cut : length;
		} else {
			room = *at != NULL ? (*at)->seq - seq : length;
			cut = room < length ? room : length;
			piece = xmalloc(sizeof(*piece) + (n < cut ? n : cut));
			*piece = (struct stream_piece){ *at, time, seq, n < cut ? n : cut, cut };
			if (piece->n > 0)
				memcpy(piece->bytes, p, piece->n);
			s->_held += piece->n + PIECE_COST;
			*at = piece;
		}
		seq += cut;
		length -= cut;
		p += cut < n ? cut : n;
		n -= cut < n ? cut : n;
	}
}

void stream_take(struct stream *s, const struct segment *segment, struct instant time,
		 const struct stream_sink *sink)
{
	int32_t distance;

	if (segment->length == 0)
		return;
	stream_count(s, segment);
	distance = ahead(segment->seq, s->next);
	if (distance > MAX_AHEAD || distance < -MAX_AHEAD)
		return;
	if (distance > 0) {
		hold(s, segment->seq, segment->payload, segment->n, segment->length, time);
	} else {
		deliver(s, segment->seq, segment->payload, segment->n, segment->length, time, sink);
		drain(s, sink);
	}
	while (s->_held > sink->max_held)
		give_up(s, sink);
}

void stream_flush(struct stream *s, const struct stream_sink *sink)
{
	while (s->_pieces != NULL)
		give_up(s, sink);
}

bool stream_missed(const struct stream *s, uint32_t ack)
{
	return s->_pieces != NULL && ahead(ack, s->_pieces->seq) >= 0;
}

void stream_free(struct stream *s)
{
	struct stream_piece *piece;

	while ((piece = s->_pieces) != NULL) {
		s->_pieces = piece->next;
		free(piece);
	}
	s->_held = 0;
}
