#include "wire/wire.h"

#include <stdlib.h>

#include "base/arena.h"
#include "wire/both.h"
#include "wire/quic.h"
#include "wire/report.h"
#include "wire/tcp.h"

/* Stragglers of a closed connection come within this. */
#define LINGER (2 * NS_PER_S)
/* A connection that is quiet for so long is over. */
#define IDLE (300 * NS_PER_S)
/* Times of frames are kept where sums cannot overflow. */
#define MAX_NS (INT64_MAX / 2)

struct wire {
	struct wire_options options;
	struct wire_counts counts;
	struct flows flows;
	struct both both;
	struct instant now;
};

struct wire *wire_new(const struct wire_options *options)
{
	struct wire *w = xcalloc(1, sizeof(*w));

	w->options = *options;
	if (w->options.max_connections == 0)
		w->options.max_connections = WIRE_CONNECTIONS;
	if (w->options.max_held == 0)
		w->options.max_held = WIRE_HELD;
	w->now = INSTANT_NONE;
	flows_init(&w->flows, options->seed);
	both_init(&w->both, options->seed);
	w->both.listeners = options->listeners;
	w->both.n_listeners = options->n_listeners;
	w->both.addresses = options->addresses;
	w->both.n_addresses = options->n_addresses;
	return w;
}

void wire_free(struct wire *w)
{
	if (w == NULL)
		return;
	flows_free(&w->flows);
	both_free(&w->both);
	free(w);
}

const struct wire_counts *wire_counts(const struct wire *w) { return &w->counts; }

/* What a segment, or the giving up on missing ones, brought to light. */
static void learn(struct wire *w, uint32_t slot, const struct tcp_context *x, struct instant time)
{
	if (x->connect || x->hello)
		both_named(&w->both, &w->flows, slot, time);
	if (x->server_hello)
		both_answered(&w->flows, w->flows.slots[slot]);
}

/* The connection is over, or has to be. */
static void give_out(struct wire *w, uint32_t slot, bool evicted)
{
	struct connection *c = w->flows.slots[slot];
	struct tcp_context x = { .c = c, .packet = c->packet, .max_held = w->options.max_held };
	struct wire_seen seen;

	if (c->state != CONNECTION_QUIC) {
		tcp_finish(&x);
		learn(w, slot, &x, c->last);
	}
	w->counts.evicted += evicted;
	w->counts.incomplete += c->side[CLIENT].stream.missing + c->side[SERVER].stream.missing > 0;
	if (c->inner != FLOW_NONE) {
		w->counts.gateways_own++;
	} else if (report_connection(c, &w->options, w->now, &seen)) {
		w->counts.reported++;
		seen.evicted = evicted;
		w->options.seen(w->options.arg, &seen);
	} else {
		w->counts.not_tls++;
	}
	flow_remove(&w->flows, slot);
}

static void expire(struct wire *w)
{
	struct flows *f = &w->flows;

	while (f->closing.head != FLOW_NONE &&
	       w->now.ns - f->slots[f->closing.head]->last.ns > LINGER)
		give_out(w, f->closing.head, false);
	while (f->open.head != FLOW_NONE && w->now.ns - f->slots[f->open.head]->last.ns > IDLE)
		give_out(w, f->open.head, false);
}

/* Room for one more. */
static void make_room(struct wire *w)
{
	struct flows *f = &w->flows;

	if (f->count < w->options.max_connections)
		return;
	if (f->closing.head != FLOW_NONE)
		give_out(w, f->closing.head, false);
	else
		give_out(w, f->open.head, true);
}

static uint32_t begin(struct wire *w, const struct flow_key *key, uint8_t client,
		      struct instant time, uint32_t packet)
{
	uint32_t slot;

	make_room(w);
	slot = flow_add(&w->flows, key, time);
	w->flows.slots[slot]->client = client;
	w->flows.slots[slot]->packet = packet;
	w->counts.connections++;
	return slot;
}

/* A new connection of the same ends as one that is still remembered. */
static bool starts_over(const struct connection *c, int side, const struct segment *s)
{
	const struct direction *d = &c->side[side];

	return (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && (!d->opened || d->opening != s->seq);
}

/* Whose beginning may be looked at: FLOW_NONE where this segment shows none. */
static uint32_t open_tcp(struct wire *w, const struct segment *s, const struct flow_key *key,
			 uint8_t from, struct instant time, uint32_t packet)
{
	int sender = CLIENT;

	if ((s->flags & TCP_RST) != 0)
		sender = -1;
	else if ((s->flags & TCP_SYN) != 0)
		sender = (s->flags & TCP_ACK) != 0 ? SERVER : CLIENT;
	else
		sender = tcp_sender(s->payload, s->n);
	if (sender < 0) {
		w->counts.midstream++;
		return FLOW_NONE;
	}
	return begin(w, key, sender == CLIENT ? from : (uint8_t)(1 - from), time, packet);
}

static bool is_over(const struct connection *c)
{
	const struct infer_side *client = &c->side[CLIENT].facts, *server = &c->side[SERVER].facts;

	if (instant_known(client->rst) || instant_known(server->rst))
		return true;
	return (instant_known(client->fin) || !client->seen) &&
	       (instant_known(server->fin) || !server->seen);
}

static void take_tcp(struct wire *w, const struct segment *s, struct instant time, uint32_t packet)
{
	uint8_t from;
	struct flow_key key = flow_key_of(s, &from);
	uint32_t slot = flow_find(&w->flows, &key);
	struct tcp_context x = { .packet = packet, .max_held = w->options.max_held };
	struct connection *c;

	if (slot != FLOW_NONE) {
		c = w->flows.slots[slot];
		if (starts_over(c, from == c->client ? CLIENT : SERVER, s)) {
			give_out(w, slot, false);
			slot = FLOW_NONE;
		}
	}
	if (slot == FLOW_NONE)
		slot = open_tcp(w, s, &key, from, time, packet);
	if (slot == FLOW_NONE)
		return;
	c = w->flows.slots[slot];
	x.c = c;
	x.side = from == c->client ? CLIENT : SERVER;
	if (time.ns < c->first.ns)
		c->first = time;
	/* After the end only stragglers come, which say nothing of how long it lasted. */
	if (!c->closing && time.ns > c->last.ns)
		c->last = time;
	tcp_take(&x, s, time);
	learn(w, slot, &x, time);
	if (!c->closing && is_over(c))
		flow_close(&w->flows, slot);
	else if (!c->closing)
		flow_touch(&w->flows, slot);
}

static void take_udp(struct wire *w, const struct segment *s, struct instant time, uint32_t packet)
{
	uint8_t from;
	struct flow_key key = flow_key_of(s, &from);
	uint32_t slot = flow_find(&w->flows, &key);
	struct connection *c;
	int side;

	if (slot == FLOW_NONE) {
		if (!quic_begins(s->payload, s->n))
			return;
		slot = begin(w, &key, from, time, packet);
		c = w->flows.slots[slot];
		c->state = CONNECTION_QUIC;
		c->quic = quic_new();
	}
	c = w->flows.slots[slot];
	side = from == c->client ? CLIENT : SERVER;
	c->side[side].stream.bytes += s->length;
	if (time.ns > c->last.ns)
		c->last = time;
	quic_take(c, side, s->payload, s->n, packet, time);
	flow_touch(&w->flows, slot);
}

void wire_tick(struct wire *w, struct instant now)
{
	if (instant_known(w->now) && now.ns <= w->now.ns)
		return;
	w->now = now;
	expire(w);
}

void wire_packet(struct wire *w, struct instant time, int link, const uint8_t *frame, size_t n)
{
	struct segment s;
	uint32_t packet;

	w->counts.packets++;
	w->counts.bytes += n;
	packet = w->counts.packets < UINT32_MAX ? (uint32_t)w->counts.packets : UINT32_MAX;
	if (time.ns < 0 || time.ns > MAX_NS)
		time.ns = time.ns < 0 ? 0 : MAX_NS;
	wire_tick(w, time);
	switch (packet_decode(link, frame, n, &s)) {
	case PACKET_SEGMENT:
		w->counts.segments++;
		if (s.udp)
			take_udp(w, &s, time, packet);
		else
			take_tcp(w, &s, time, packet);
		break;
	case PACKET_OTHER:
		w->counts.other++;
		break;
	case PACKET_FRAGMENT:
		w->counts.fragments++;
		break;
	case PACKET_CUT:
		w->counts.cut++;
		break;
	case PACKET_LINK:
		w->counts.unknown_link++;
		break;
	}
}

void wire_finish(struct wire *w)
{
	struct flows *f = &w->flows;

	/* In the order of their ends, as they would have come. */
	while (f->closing.head != FLOW_NONE || f->open.head != FLOW_NONE) {
		uint32_t a = f->closing.head, b = f->open.head;

		if (a == FLOW_NONE ||
		    (b != FLOW_NONE && f->slots[b]->last.ns < f->slots[a]->last.ns))
			a = b;
		give_out(w, a, false);
	}
}
