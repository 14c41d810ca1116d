#include "wire/tcp.h"

#include <stdlib.h>

#include "base/arena.h"
#include "wire/prelude.h"

/* A hole whose bytes the receiver has acknowledged so long ago will not be filled. */
#define MISSED_FOR (500 * NS_PER_MS)
/* An encrypted Finished of TLS ≤ 1.2 is short; a second ClientHello is not. */
#define FINISHED_MAX 100

enum handshake_type {
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CERTIFICATE = 11,
	CERTIFICATE_REQUEST = 13,
};

int tcp_sender(const uint8_t *p, size_t n)
{
	if (n >= 8 && memcmp(p, "CONNECT ", 8) == 0)
		return CLIENT;
	if (n < 6 || p[0] != RECORD_HANDSHAKE || p[1] != 3 || p[2] > 4)
		return -1;
	return p[5] == CLIENT_HELLO ? CLIENT : p[5] == SERVER_HELLO ? SERVER : -1;
}

static bool is_13(const struct connection *c)
{
	return c->facts.server_hello ? c->facts.version >= TLS_1_3 : c->facts.offers_13;
}

static void client_record(struct connection *c, enum record_type type, uint16_t length,
			  struct instant time)
{
	struct infer_facts *f = &c->facts;
	struct records *r = &c->side[CLIENT].records;

	switch (type) {
	case RECORD_CCS:
		c->side[CLIENT].facts.ccs = true;
		break;
	case RECORD_HANDSHAKE:
		r->encrypted = c->side[CLIENT].facts.ccs && length < FINISHED_MAX;
		f->client_finished |= r->encrypted;
		f->complete = time;
		break;
	case RECORD_DATA:
		f->client_data++;
		/* Before the ServerHello it can only be early data, and is one fact with what comes
		 * after. */
		if (!is_13(c) || (!f->server_hello && c->side[SERVER].facts.seen && f->early_data))
			break;
		if (f->n_client < INFER_CLIENT)
			f->client_lengths[f->n_client++] = length;
		if (!r->holes)
			f->n_certain = f->n_client;
		if (f->n_client == 1)
			f->complete = time;
		else
			f->farewell = time;
		break;
	case RECORD_ALERT:
		if (f->client_finished)
			f->farewell = time;
		break;
	}
}

static void server_record(struct connection *c, enum record_type type, uint16_t length,
			  struct instant time)
{
	struct infer_facts *f = &c->facts;
	struct records *r = &c->side[SERVER].records;

	switch (type) {
	case RECORD_CCS:
		c->side[SERVER].facts.ccs = true;
		break;
	case RECORD_HANDSHAKE:
		/* Over TLS 1.3 a CCS means nothing: another hello may follow. */
		r->encrypted = c->side[SERVER].facts.ccs && !is_13(c);
		if (!is_13(c))
			f->complete = time;
		break;
	case RECORD_DATA:
		if (f->server_data++ == 0)
			f->server_first = length;
		if (f->n_client > 0 && f->n_server < INFER_SERVER)
			f->server_lengths[f->n_server++] = length;
		break;
	case RECORD_ALERT:
		break;
	}
}

static void on_record(void *arg, enum record_type type, uint16_t length, struct instant time)
{
	struct tcp_context *x = arg;

	if (x->side == CLIENT)
		client_record(x->c, type, length, time);
	else
		server_record(x->c, type, length, time);
}

static void client_message(struct tcp_context *x, uint8_t type, struct bytes body,
			   struct instant time)
{
	struct connection *c = x->c;
	struct client_hello hello;

	if (type != CLIENT_HELLO) {
		c->facts.client_answered = true;
		return;
	}
	/* The second one, after a HelloRetryRequest, says nothing new. */
	if (c->hello != NULL || body.bad || !hello_client(body, false, &hello))
		return;
	c->hello = xmalloc(sizeof(hello));
	*c->hello = hello;
	c->hello_time = time;
	c->packet = x->packet;
	c->facts.client_hello = true;
	c->facts.usual = hello.usual;
	c->facts.offers_13 = hello.version >= TLS_1_3;
	c->facts.early_data = hello.early_data;
	x->hello = true;
}

static void server_message(struct tcp_context *x, uint8_t type, struct bytes body,
			   struct instant time)
{
	struct connection *c = x->c;
	struct server_hello hello;

	switch (type) {
	case SERVER_HELLO:
		if (c->facts.server_hello || body.bad || !hello_server(body, &hello) || hello.retry)
			break;
		c->server = hello;
		c->server_hello_time = time;
		c->facts.server_hello = true;
		c->facts.version = hello.version;
		c->facts.suite = hello.suite;
		c->facts.resumed = hello.resumed;
		x->server_hello = true;
		break;
	case CERTIFICATE:
		c->facts.certificate = true;
		if (c->issuer == NULL && !body.bad)
			c->issuer = hello_issuer(body);
		break;
	case CERTIFICATE_REQUEST:
		c->facts.certificate_request = true;
		break;
	default:
		break;
	}
}

static void on_message(void *arg, uint8_t type, struct bytes body, struct instant time)
{
	struct tcp_context *x = arg;

	if (x->side == CLIENT)
		client_message(x, type, body, time);
	else
		server_message(x, type, body, time);
}

static void on_alert(void *arg, uint8_t level, uint8_t description, struct instant time)
{
	struct tcp_context *x = arg;
	struct infer_side *f = &x->c->side[x->side].facts;

	/* Warnings do not end anything, but for the two that announce the end. */
	if (f->alert >= 0 || (level == 1 && description != 0 && description != 90))
		return;
	f->alert = description;
	f->alert_time = time;
}

static void forget_content(struct connection *c)
{
	for (int i = 0; i < SIDES; i++) {
		stream_free(&c->side[i].stream);
		buf_free(&c->side[i].prelude.text);
		records_free(&c->side[i].records);
	}
}

static void give_up(struct connection *c)
{
	c->state = CONNECTION_OTHER;
	forget_content(c);
}

static void tls_data(struct tcp_context *x, const uint8_t *p, size_t n, struct instant time)
{
	const struct record_sink sink = { x, on_record, on_message, on_alert };
	struct records *r = &x->c->side[x->side].records;

	records_data(r, p, n, time, &sink);
	if (r->not_tls)
		give_up(x->c);
	else if (r->begun)
		x->c->state = CONNECTION_TLS;
}

static void on_data(void *arg, const uint8_t *p, uint32_t n, struct instant time)
{
	struct tcp_context *x = arg;
	struct connection *c = x->c;
	struct prelude *prelude = &c->side[x->side].prelude;
	size_t used = 0;

	if (c->state == CONNECTION_OTHER)
		return;
	if (prelude->state != PRELUDE_DONE) {
		used = prelude_take(c, x->side, p, n);
		if (c->state == CONNECTION_OTHER) {
			forget_content(c);
			return;
		}
		if (c->connect_host != NULL && !instant_known(c->connect_time)) {
			c->connect_time = time;
			c->packet = x->packet;
			x->connect = true;
		}
	}
	if (used < n)
		tls_data(x, p + used, n - used, time);
}

static void on_gap(void *arg, uint32_t n)
{
	struct tcp_context *x = arg;
	struct direction *side = &x->c->side[x->side];

	/* What stood before TLS is gone, and with it where TLS begins. */
	if (side->prelude.state != PRELUDE_DONE)
		prelude_skip(&side->prelude);
	records_gap(&side->records, n);
}

static void note_acks(struct direction *side, const struct segment *s)
{
	if ((s->flags & TCP_ACK) == 0 || (s->flags & TCP_RST) != 0)
		return;
	if (!side->acks)
		side->first_ack = s->ack;
	if (!side->acks || (int32_t)(s->ack - side->last_ack) > 0)
		side->last_ack = s->ack;
	side->acks = true;
}

/* The other direction's bytes that were acknowledged and are not in the capture. */
static void look_for_missed(struct tcp_context *x, struct instant time)
{
	struct connection *c = x->c;
	struct tcp_context other = *x;
	const struct stream_sink sink = { &other, x->max_held, on_data, on_gap };
	struct stream *stream = &c->side[1 - x->side].stream;

	if (!stream_missed(stream, c->side[x->side].last_ack))
		return;
	if (!instant_known(c->missed_since))
		c->missed_since = time;
	if (time.ns - c->missed_since.ns < MISSED_FOR)
		return;
	c->missed_since = INSTANT_NONE;
	other.side = 1 - x->side;
	stream_flush(stream, &sink);
	x->hello |= other.hello;
	x->server_hello |= other.server_hello;
}

static void settle(struct connection *c)
{
	struct infer_facts f = connection_facts(c);

	if (c->state != CONNECTION_TLS || !infer_settled(&f))
		return;
	c->settled = true;
	forget_content(c);
}

void tcp_take(struct tcp_context *x, const struct segment *s, struct instant time)
{
	const struct stream_sink sink = { x, x->max_held, on_data, on_gap };
	struct connection *c = x->c;
	struct direction *side = &c->side[x->side];
	struct segment segment = *s;

	side->facts.seen = true;
	if ((s->flags & TCP_SYN) != 0) {
		if (!side->opened)
			side->opening = s->seq;
		side->opened = true;
		stream_begin(&side->stream, s->seq + 1);
		segment.seq++; /* data may ride along (RFC 7413) */
	}
	note_acks(side, s);
	if ((s->flags & TCP_RST) != 0) {
		/* Bytes in a reset are the system's words, not the stream's. */
		if (!instant_known(side->facts.rst))
			side->facts.rst = time;
	} else if (c->settled || c->state == CONNECTION_OTHER) {
		stream_count(&side->stream, &segment);
	} else if (segment.length > 0) {
		stream_take(&side->stream, &segment, time, &sink);
		settle(c);
	}
	if (!c->settled)
		look_for_missed(x, time);
	if ((s->flags & TCP_FIN) != 0 && !instant_known(side->facts.fin))
		side->facts.fin = time;
}

void tcp_finish(struct tcp_context *x)
{
	const struct stream_sink sink = { x, x->max_held, on_data, on_gap };

	for (x->side = CLIENT; x->side < SIDES; x->side++)
		stream_flush(&x->c->side[x->side].stream, &sink);
}
