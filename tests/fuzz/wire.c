/* Frames through the wire sensor.
 *
 * The first byte bounds the connections, the second chooses the link layer of raw frames. Then come
 * frames: raw ones, or a few bytes that a segment of one of four conversations is made of, so that
 * nearly all inputs reach TCP and what it carries. Every observation has to keep the model's rules;
 * none is lost, and the bound holds.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "wire/packet.h"
#include "wire/wire.h"

#define MAX_FRAME 4096u
#define START (INT64_C(1795486453) * NS_PER_S)

enum {
	SYNTHETIC_SERVER = 4,
	SYNTHETIC_SYN = 8,
	SYNTHETIC_FIN = 16,
	SYNTHETIC_RST = 32,
	RAW = 64,
	UDP = 128
};

static const int links[] = { WIRE_LINK_ETHERNET, WIRE_LINK_RAW,
			     WIRE_LINK_NULL,	 WIRE_LINK_COOKED,
			     WIRE_LINK_COOKED2,	 WIRE_LINK_RAW_BSD,
			     WIRE_LINK_IPV4,	 12345 };

struct fuzzed {
	uint64_t reported;
	uint32_t next[4][2]; /* sequence numbers, by conversation and side */
	struct buf out;
};

static bool name_is_clean(struct sv v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ' || (unsigned char)v.p[i] >= 0x7f)
			return false;
	return true;
}

static void seen(void *arg, const struct wire_seen *s)
{
	const struct tls_attempt *t = &s->observation.tls;
	struct fuzzed *f = arg;

	f->reported++;
	fuzz_require(s->observation.kind == OBS_TLS_ATTEMPT &&
		     s->observation.sensor == SENSOR_FLOW);
	fuzz_require(s->observation.time.ns >= 0 && s->observation.duration.ns >= 0);
	fuzz_require((unsigned)t->outcome < OUTCOMES && t->count == 1);
	fuzz_require(t->alert >= -1 && t->alert <= 255 && t->bytes_out >= -1 && t->bytes_in >= -1);
	fuzz_require(name_is_clean(t->sni) && name_is_clean(s->observation.dst.hostname));
	fuzz_require(name_is_clean(s->alpn) && (sv_empty(t->ja4) || t->ja4.n == 36));
	fuzz_require(!t->weak_late || t->outcome == ESTABLISHED_NO_DATA);
	fuzz_require(t->inspection != INTERCEPTED || s->vantage == VANTAGE_INSIDE);
	buf_reset(&f->out);
	observation_write_json(&f->out, &s->observation, SV("wire"));
	fuzz_json(buf_view(&f->out));
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* The client of the last two is where the first two went to, as behind a gateway. */
static void addresses(uint8_t *ip, unsigned conversation, bool server)
{
	static const uint8_t ends[4][2] = { { 10, 20 }, { 11, 20 }, { 20, 30 }, { 20, 31 } };
	uint8_t client[4] = { 10, 8, 0, ends[conversation][0] },
		origin[4] = { 10, 8, 0, ends[conversation][1] };

	memcpy(ip + 12, server ? origin : client, 4);
	memcpy(ip + 16, server ? client : origin, 4);
}

/* A segment of IPv4; returns its length. */
static size_t synthesise(struct fuzzed *f, uint8_t how, int8_t displaced, struct sv payload,
			 uint8_t *frame)
{
	unsigned conversation = how & 3u, side = (how & SYNTHETIC_SERVER) != 0;
	size_t header = (how & UDP) != 0 ? 8 : 20, n = 20 + header + payload.n;
	uint32_t *next = &f->next[conversation][side];
	uint8_t *ports = frame + 20;

	memset(frame, 0, 40);
	frame[0] = 0x45;
	put16(frame + 2, (unsigned)n);
	frame[9] = (how & UDP) != 0 ? 17 : 6;
	addresses(frame, conversation, side != 0);
	put16(ports + 2 * side, 50000);
	put16(ports + 2 - 2 * side, conversation < 2 ? 3128 : 443);
	if ((how & UDP) == 0) {
		put32(frame + 24, *next + (uint32_t)(displaced * 16));
		put32(frame + 28, f->next[conversation][1 - side]);
		frame[32] = 0x50;
		frame[33] = (uint8_t)(((how & SYNTHETIC_SYN) != 0 ? TCP_SYN : TCP_ACK) |
				      ((how & SYNTHETIC_FIN) != 0 ? TCP_FIN : 0) |
				      ((how & SYNTHETIC_RST) != 0 ? TCP_RST : 0));
		if ((how & SYNTHETIC_SYN) != 0 && side == 1)
			frame[33] |= TCP_ACK;
		if (displaced == 0)
			*next +=
			    (uint32_t)payload.n + ((how & (SYNTHETIC_SYN | SYNTHETIC_FIN)) != 0);
	}
	if (payload.n > 0)
		memcpy(frame + 20 + header, payload.p, payload.n);
	return n;
}

static void frame(struct wire *w, struct fuzzed *f, int link, struct sv *data, struct instant *now)
{
	uint8_t bytes[MAX_FRAME + 64], *kept, how = fuzz_byte(data);
	int8_t displaced = (int8_t)fuzz_byte(data);
	int64_t later = fuzz_byte(data);
	size_t n = (size_t)fuzz_bits(data, 2) % MAX_FRAME;
	struct sv payload = sv_first(*data, n);

	*data = sv_skip(*data, n);
	now->ns += later * later * NS_PER_MS;
	if ((how & RAW) != 0) {
		/* In memory of its own length, so that reading past it shows. */
		kept = xmalloc(payload.n);
		if (payload.n > 0)
			memcpy(kept, payload.p, payload.n);
		wire_packet(w, *now, link, kept, payload.n);
		free(kept);
		return;
	}
	n = synthesise(f, how, displaced, payload, bytes);
	kept = xmalloc(n);
	memcpy(kept, bytes, n);
	wire_packet(w, *now, WIRE_LINK_RAW, kept, n);
	free(kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct listener listener = {
		{ { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 8, [15] = 21 } }, 3128
	};
	struct sv data = { (const char *)bytes, size };
	struct fuzzed f = { 0 };
	struct wire_options options = { .seen = seen,
					.arg = &f,
					.seed = 1,
					.listeners = &listener,
					.n_listeners = 1,
					.max_held = 4096 };
	struct instant now = { START };
	const struct wire_counts *counts;
	struct wire *w;
	int link;

	buf_init(&f.out, (size_t)1 << 20);
	options.max_connections = 1 + fuzz_byte(&data) % 4u;
	link = links[fuzz_byte(&data) % (sizeof(links) / sizeof(links[0]))];
	w = wire_new(&options);
	while (data.n > 0)
		frame(w, &f, link, &data, &now);
	wire_finish(w);
	counts = wire_counts(w);
	fuzz_require(counts->reported == f.reported);
	fuzz_require(counts->connections ==
		     counts->reported + counts->not_tls + counts->gateways_own);
	fuzz_require(counts->packets == counts->segments + counts->other + counts->fragments +
					    counts->cut + counts->unknown_link);
	wire_free(w);
	buf_free(&f.out);
	return 0;
}
