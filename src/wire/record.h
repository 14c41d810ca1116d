/* TLS records of one direction (RFC 8446, 5.1): their types and lengths, the handshake messages and
 * alerts that are in the clear. Bytes come in order, in any pieces, with gaps of known size between
 * them.
 *
 * Only what is needed is kept: a record's header is enough of encrypted ones, whose bodies may be
 * missing. Where a gap swallows a header, framing is lost until a segment begins with a plausible
 * one.
 */
#ifndef PINWATCH_WIRE_RECORD_H
#define PINWATCH_WIRE_RECORD_H

#include "base/buf.h"
#include "base/clock.h"
#include "wire/bytes.h"

/* A handshake message that is longer is reported without its body. */
#define RECORD_MAX_MESSAGE ((size_t)64 * 1024)

enum record_type { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

struct records {
	bool begun;	/* a record's header was seen */
	bool not_tls;	/* the first bytes were none: nothing further is read */
	bool encrypted; /* set by the owner: handshake messages and alerts are no longer in the
			   clear */
	bool lost;	/* framing is lost */
	bool holes;	/* it once was: records are missing */
	bool _broken;	/* a part of the current message is missing */
	bool _blind;	/* so is its end: the next record is taken to begin one */
	uint8_t _header[5], _n_header;
	uint8_t _type;
	uint32_t _left; /* of the current record's body */
	uint16_t _length;
	uint8_t _alert[2];
	uint8_t _head[4], _n_head; /* of the current message */
	uint32_t _need;		   /* its body's length, and so much of it is still to come */
	struct buf _body;
};

struct record_sink {
	void *arg;
	/* At the record's header; length is its body's. */
	void (*record)(void *arg, enum record_type type, uint16_t length, struct instant time);
	/* body.bad: too long, or a part is missing. */
	void (*message)(void *arg, uint8_t type, struct bytes body, struct instant time);
	void (*alert)(void *arg, uint8_t level, uint8_t description, struct instant time);
};

void records_init(struct records *r);
void records_free(struct records *r);
void records_data(struct records *r, const uint8_t *p, size_t n, struct instant time,
		  const struct record_sink *sink);
void records_gap(struct records *r, uint32_t n);

#endif
