#include "wire/quic.h"

#include <stdlib.h>

#include "base/arena.h"
#include "wire/quic_keys.h"

/* A ClientHello with post-quantum shares is about 2 KiB. */
#define MAX_CRYPTO 16384
#define MAX_PACKET 1500
#define MAX_ID 20
/* A client that opens pads its first datagram to this (RFC 9000, 14.1). */
#define MIN_FIRST 1200
/* Payload of short-header packets beyond acknowledgements and settings: so much is a request and
 * its answer. */
#define DATA_OUT 150
#define DATA_IN 1000
/* QUIC has no visible close: so long a silence is taken for one. */
#define SILENCE (5 * NS_PER_S)

enum packet_type { PACKET_INITIAL, PACKET_0RTT, PACKET_HANDSHAKE, PACKET_RETRY };

/* The CRYPTO stream of one side's Initial packets, in pieces. */
struct crypto {
	uint8_t *bytes, *there; /* one flag a byte */
	size_t whole;		/* from the beginning without hole */
	bool done;
};

struct quic {
	uint32_t version;
	bool keyed;
	struct quic_keys keys[SIDES];
	struct crypto crypto[SIDES];
	uint64_t short_bytes[SIDES], handshakes[SIDES];
	int alert[SIDES];
};

bool quic_begins(const uint8_t *p, size_t n)
{
	struct bytes b = { p, n, false };
	uint8_t first = bytes_u8(&b);
	uint32_t version = bytes_u32(&b);

	return n >= MIN_FIRST && (first & 0xc0) == 0xc0 && quic_version_known(version) &&
	       quic_packet_type(version, first) == PACKET_INITIAL && bytes_u8(&b) <= MAX_ID;
}

struct quic *quic_new(void)
{
	struct quic *q = xcalloc(1, sizeof(*q));

	q->alert[CLIENT] = q->alert[SERVER] = -1;
	return q;
}

static void crypto_free(struct crypto *s)
{
	free(s->bytes);
	free(s->there);
	s->bytes = s->there = NULL;
}

void quic_free(struct quic *q)
{
	if (q == NULL)
		return;
	crypto_free(&q->crypto[CLIENT]);
	crypto_free(&q->crypto[SERVER]);
	free(q);
}

/* Variable-length integers (RFC 9000, 16). */
static uint64_t varint(struct bytes *b)
{
	uint8_t first = bytes_u8(b);
	uint64_t v = first & 0x3f;

	for (int more = (1 << (first >> 6)) - 1; more > 0; more--)
		v = v << 8 | bytes_u8(b);
	return v;
}

static void crypto_put(struct crypto *s, uint64_t offset, struct bytes data)
{
	if (s->done || data.bad || offset > MAX_CRYPTO || data.n > MAX_CRYPTO - offset)
		return;
	if (s->bytes == NULL) {
		s->bytes = xcalloc(MAX_CRYPTO, 1);
		s->there = xcalloc(MAX_CRYPTO, 1);
	}
	for (size_t i = 0; i < data.n; i++) {
		if (s->there[offset + i])
			continue;
		s->there[offset + i] = 1;
		s->bytes[offset + i] = data.p[i];
	}
	while (s->whole < MAX_CRYPTO && s->there[s->whole])
		s->whole++;
}

/* The hello, once it is there in full. */
static bool crypto_hello(struct crypto *s, uint8_t type, struct bytes *body)
{
	struct bytes b = { s->bytes, s->done ? 0 : s->whole, false };
	uint8_t is = bytes_u8(&b);
	uint32_t n = bytes_u24(&b);

	if (b.bad || is != type || b.n < n)
		return false;
	*body = (struct bytes){ b.p, n, false };
	s->done = true;
	return true;
}

enum frame {
	FRAME_PADDING,
	FRAME_PING,
	FRAME_ACK,
	FRAME_ACK_ECN,
	FRAME_CRYPTO = 6,
	FRAME_CLOSE = 0x1c
};

static void frame_ack(struct bytes *b, bool ecn)
{
	uint64_t ranges;

	varint(b);
	varint(b);
	ranges = varint(b);
	varint(b);
	for (; ranges > 0 && !b->bad; ranges--) {
		varint(b);
		varint(b);
	}
	for (int i = 0; ecn && i < 3; i++)
		varint(b);
}

/* The frames that an Initial packet may hold (RFC 9000, 12.4). */
static void frames(struct quic *q, int side, struct bytes b)
{
	uint64_t offset, code, type;

	while (b.n > 0) {
		type = varint(&b);
		switch (type) {
		case FRAME_PADDING:
		case FRAME_PING:
			break;
		case FRAME_ACK:
		case FRAME_ACK_ECN:
			frame_ack(&b, type == FRAME_ACK_ECN);
			break;
		case FRAME_CRYPTO:
			offset = varint(&b);
			crypto_put(&q->crypto[side], offset, bytes_sub(&b, varint(&b)));
			break;
		case FRAME_CLOSE:
			code = varint(&b);
			/* 0x100 + a TLS alert (RFC 9001, 4.8). */
			if (!b.bad && code >> 8 == 1 && q->alert[side] < 0)
				q->alert[side] = (int)(code & 0xff);
			return;
		default:
			return;
		}
	}
}

/* One Initial packet; p begins it, `at` its packet number, `end` is behind it. */
static void initial(struct quic *q, int side, const uint8_t *p, size_t at, size_t end,
		    struct bytes id)
{
	uint8_t plain[MAX_PACKET];
	size_t n;

	if (!q->keyed && side == CLIENT)
		q->keyed = quic_keys_derive(q->keys, q->version, id.p, id.n);
	n = q->keyed ? quic_open(&q->keys[side], p, at, end, plain, sizeof(plain)) : 0;
	/* After a Retry the client starts over under another id. */
	if (n == 0 && side == CLIENT && !q->crypto[CLIENT].done &&
	    quic_keys_derive(q->keys, q->version, id.p, id.n))
		n = quic_open(&q->keys[side], p, at, end, plain, sizeof(plain));
	frames(q, side, (struct bytes){ plain, n, false });
}

static void datagram(struct quic *q, int side, const uint8_t *p, size_t n)
{
	while (n > 0) {
		struct bytes b = { p, n, false }, id;
		uint8_t first = bytes_u8(&b);
		uint32_t version;
		uint64_t length;
		int type;
		size_t end;

		if ((first & 0x80) == 0) { /* a short header: the rest of the datagram */
			if ((first & 0x40) != 0)
				q->short_bytes[side] += n;
			return;
		}
		version = bytes_u32(&b);
		if (!quic_version_known(version))
			return;
		q->version = version;
		id = bytes_sub(&b, bytes_u8(&b));
		bytes_sub(&b, bytes_u8(&b));
		type = quic_packet_type(version, first);
		if (type == PACKET_RETRY)
			return;
		if (type == PACKET_INITIAL)
			bytes_sub(&b, (size_t)varint(&b));
		length = varint(&b);
		if (b.bad || id.n > MAX_ID || length > b.n)
			return;
		end = n - b.n + (size_t)length;
		if (type == PACKET_INITIAL)
			initial(q, side, p, n - b.n, end, id);
		q->handshakes[side] += type == PACKET_HANDSHAKE;
		p += end;
		n -= end;
	}
}

static bool take_client_hello(struct connection *c, uint32_t packet, struct instant time)
{
	struct client_hello hello;
	struct bytes body;

	if (c->hello != NULL || !crypto_hello(&c->quic->crypto[CLIENT], 1, &body) ||
	    !hello_client(body, true, &hello))
		return false;
	c->hello = xmalloc(sizeof(hello));
	*c->hello = hello;
	c->hello_time = time;
	c->packet = packet;
	c->facts.client_hello = true;
	crypto_free(&c->quic->crypto[CLIENT]);
	return true;
}

static void take_server_hello(struct connection *c)
{
	struct server_hello hello;
	struct bytes body;

	if (!crypto_hello(&c->quic->crypto[SERVER], 2, &body) || !hello_server(body, &hello))
		return;
	c->server = hello;
	c->facts.server_hello = !hello.retry;
	c->facts.version = hello.version;
	crypto_free(&c->quic->crypto[SERVER]);
}

bool quic_take(struct connection *c, int side, const uint8_t *p, size_t n, uint32_t packet,
	       struct instant time)
{
	bool completed;

	c->side[side].facts.seen = true;
	datagram(c->quic, side, p, n);
	completed = take_client_hello(c, packet, time);
	take_server_hello(c);
	return completed;
}

struct inference quic_infer(const struct connection *c, struct instant now)
{
	const struct quic *q = c->quic;
	struct inference out = { .alert = -1, .outcome = INCOMPLETE, .established = TRI_FALSE };
	enum outcome said;

	for (int side = CLIENT; side < SIDES; side++) {
		if (q->alert[side] < 0 || out.alert >= 0)
			continue;
		out.alert = q->alert[side];
		out.alert_from = side == CLIENT ? SIDE_CLIENT : SIDE_SERVER;
		said = outcome_of_alert(out.alert, out.alert_from);
		out.outcome = said != OUTCOME_UNKNOWN ? said : INCOMPLETE;
	}
	if (out.alert >= 0)
		return out;
	out.server_certificate = q->handshakes[SERVER] > 0 ? TRI_TRUE : TRI_UNKNOWN;
	if (q->short_bytes[CLIENT] >= DATA_OUT && q->short_bytes[SERVER] >= DATA_IN) {
		out.outcome = ESTABLISHED;
		out.established = TRI_TRUE;
		out.data = true;
	} else if (q->handshakes[CLIENT] > 0 && now.ns - c->last.ns >= SILENCE) {
		out.outcome = ESTABLISHED_NO_DATA;
		out.weak_late = true;
		out.established = TRI_UNKNOWN;
	}
	return out;
}
