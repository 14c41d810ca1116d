/* What the wire and the proxy can measure of each connection: ports, bytes, durations, who
 * closed. */
#include "sim/timeline.h"

#define MS_US 1000u

/* Client records of a handshake, in bytes with their 5-byte headers (RFC 8446, RFC 5246). */
#define CHANGE_CIPHER_SPEC 6u
#define ENCRYPTED_ALERT13 24u /* 5 + 2 + content type + tag */
#define ENCRYPTED_ALERT12 31u
#define CLEAR_ALERT 7u
#define KEY_EXCHANGE12 87u /* ClientKeyExchange and encrypted Finished */
/* The proxy's answer to CONNECT. */
#define CONNECT_ANSWER 39u
/* The smallest thing an app says: with it a success is 74 bytes above a rejection over TLS 1.3. */
#define LEAST_DATA 40u

static uint32_t us(struct rng *r, uint32_t low, uint32_t high)
{
	return (uint32_t)rng_range(r, low, high);
}

/* Bytes of the client up to and with its Finished. */
static uint32_t finished_bytes(const struct sim_stack_facts *stack)
{
	if (!stack->tls13)
		return stack->hello + KEY_EXCHANGE12 + CHANGE_CIPHER_SPEC;
	/* 5 + 4 + hash + type + tag: 58 with SHA-256, 74 with SHA-384. */
	return stack->hello + CHANGE_CIPHER_SPEC +
	       (strstr(stack->cipher, "SHA384") != NULL ? 74u : 58u);
}

static uint32_t reject_bytes(const struct sim_stack_facts *stack)
{
	if (stack->clear_alerts)
		return stack->hello + CLEAR_ALERT;
	return stack->hello + CHANGE_CIPHER_SPEC + ENCRYPTED_ALERT13;
}

static uint32_t close_alert(const struct sim_stack_facts *stack)
{
	return stack->tls13 ? ENCRYPTED_ALERT13 : ENCRYPTED_ALERT12;
}

static void finish_success(struct sim_conn *c, struct rng *r, const struct sim_stack_facts *stack)
{
	uint64_t roll = rng_below(r, 100);

	c->requests = (uint8_t)(roll < 70 ? 1 : roll < 90 ? 2 : 3);
	c->bytes_out = finished_bytes(stack);
	if (c->route == ROUTE_BUMP && c->requests == 1 && rng_chance(r, 50))
		c->bytes_out += LEAST_DATA;
	else
		for (uint8_t i = 0; i < c->requests; i++)
			c->bytes_out += us(r, 220, 2400);
	c->bytes_in = us(r, 1300, 3400);
	for (uint8_t i = 0; i < c->requests; i++)
		c->bytes_in += us(r, 600, 1u << us(r, 10, 17));
	c->duration_us = c->handshake_us + us(r, 90 * MS_US, 2500 * MS_US) * c->requests;
	if (rng_chance(r, 300)) /* kept open for a while */
		c->duration_us += us(r, 3000 * MS_US, 60000 * MS_US);
	if (rng_chance(r, 600))
		c->flags |= CONN_CLIENT_CLOSES;
	if (rng_chance(r, 100))
		c->flags |= CONN_RESET;
}

/* The proxy's own error page is all that the client gets. */
static void finish_error_page(struct sim_conn *c, struct rng *r,
			      const struct sim_stack_facts *stack)
{
	c->bytes_out = finished_bytes(stack) + us(r, 220, 900);
	c->bytes_in = us(r, 4200, 6400);
	c->duration_us = c->handshake_us + us(r, 40 * MS_US, 300 * MS_US);
}

static void finish_failure(struct sim_conn *c, struct rng *r, const struct sim_stack_facts *stack)
{
	uint32_t flight = us(r, 1250, 1450);

	c->duration_us = c->handshake_us + us(r, 1 * MS_US, 40 * MS_US);
	c->flags |= CONN_CLIENT_CLOSES;
	c->bytes_in = flight;
	switch ((enum sim_happening)c->happening) {
	case HAPPENED_REJECT:
	case HAPPENED_EXPIRED:
		c->bytes_out = reject_bytes(stack);
		if (rng_chance(r, 150))
			c->flags |= CONN_RESET;
		break;
	case HAPPENED_RST:
		c->flags |= CONN_RESET;
		c->bytes_out = stack->hello;
		break;
	case HAPPENED_LATE:
		c->bytes_out = finished_bytes(stack);
		c->bytes_in += us(r, 150, 520); /* session tickets */
		if (rng_chance(r, 200))
			c->flags |= CONN_RESET;
		else
			c->bytes_out += close_alert(stack);
		break;
	case HAPPENED_IDLE:
		c->bytes_out = finished_bytes(stack) + close_alert(stack);
		c->bytes_in += us(r, 150, 520);
		c->duration_us = c->handshake_us + us(r, 8000 * MS_US, 58000 * MS_US);
		break;
	case HAPPENED_MTLS_LATE:
		c->bytes_out = finished_bytes(stack);
		c->duration_us = c->handshake_us + us(r, 60 * MS_US, 400 * MS_US);
		c->flags &= (uint16_t)~CONN_CLIENT_CLOSES;
		break;
	case HAPPENED_MISMATCH:
		c->bytes_out = stack->hello;
		c->bytes_in = CLEAR_ALERT;
		c->flags &= (uint16_t)~CONN_CLIENT_CLOSES;
		break;
	case HAPPENED_GONE:
		c->bytes_out = stack->hello;
		c->bytes_in = 0;
		break;
	default: /* a silent close: nothing after the ClientHello */
		c->bytes_out = stack->hello;
		break;
	}
}

static void finish(const struct sim *s, struct sim_conn *c, struct rng *r)
{
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];
	const struct sim_pair *p = &s->pairs[c->pair];

	c->handshake_us = us(r, 14 * MS_US, 95 * MS_US);
	switch ((enum sim_happening)c->happening) {
	case HAPPENED_OK:
		finish_success(c, r, stack);
		break;
	case HAPPENED_MTLS_ALERT:
	case HAPPENED_BAD_ORIGIN:
		finish_error_page(c, r, stack);
		break;
	default:
		finish_failure(c, r, stack);
		break;
	}
	if (c->route == ROUTE_QUIC)
		c->bytes_out += 1200; /* RFC 9000, 14.1: padded initial datagrams */
	if (c->route == ROUTE_BUMP || c->route == ROUTE_SPLICE) {
		/* CONNECT HOST:443, Host, User-Agent and the usual two more headers. */
		c->bytes_out += (uint32_t)(96 + 2 * strlen(s->hosts[p->host].name) +
					   strlen(s->apps[p->app].agent));
		c->bytes_in += CONNECT_ANSWER;
	}
}

void sim_finish_timeline(struct sim *s)
{
	for (size_t i = 0; i < s->n_conns; i++) {
		struct sim_conn *c = &s->conns[i];
		struct sim_device *d = &s->devices[c->device];
		struct rng r = rng_stream(s->o->seed, "wire", i);

		/* Up and around the ephemeral range, as phones do; every device at its own place,
		 * so that two that share an address seldom meet. */
		c->port = (uint16_t)(49152 + d->next_port++ % 16384);
		if (sim_stay_at(d, (struct instant){ c->start })->guest)
			c->flags |= CONN_GUEST;
		finish(s, c, &r);
	}
}
