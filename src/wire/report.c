#include "wire/report.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "wire/both.h"
#include "wire/quic.h"

static bool is_listener(const struct endpoint *e, const struct wire_options *o)
{
	for (size_t i = 0; i < o->n_listeners; i++)
		if (o->listeners[i].port == e->port && addr_eq(&o->listeners[i].ip, &e->ip))
			return true;
	return false;
}

/* Where the client wanted to. To a proxy that is not configured as a listener it is what the client
 * asked for, as in the proxy's own records of the connection. */
static struct endpoint destination(const struct connection *c, const struct wire_options *o)
{
	struct endpoint to = connection_end(c, SERVER);
	struct addr ip;

	if (c->connect_host == NULL)
		return to;
	if (!is_listener(&to, o))
		to = (struct endpoint){ .port = c->connect_port };
	if (addr_parse(sv_cstr(c->connect_host), &ip)) {
		if (!addr_known(&to.ip))
			to.ip = ip;
	} else {
		to.hostname = sv_cstr(c->connect_host);
	}
	return to;
}

/* Payload of a direction: as seen, or where it was not, as the other acknowledged. */
static int64_t bytes_of(const struct connection *c, int side)
{
	const struct direction *self = &c->side[side], *other = &c->side[1 - side];

	if (self->facts.seen)
		return (int64_t)self->stream.bytes;
	return other->acks ? (int64_t)(uint32_t)(other->last_ack - other->first_ack) : -1;
}

/* Who sent the first FIN or RST. */
static void take_close(const struct connection *c, struct tls_attempt *t)
{
	struct instant first = INSTANT_NONE;

	for (int side = CLIENT; side < SIDES; side++) {
		const struct infer_side *f = &c->side[side].facts;
		const struct instant ends[] = { f->fin, f->rst };

		for (int i = 0; i < 2; i++) {
			if (!instant_known(ends[i]) ||
			    (instant_known(first) && first.ns <= ends[i].ns))
				continue;
			first = ends[i];
			t->closed_by = side == CLIENT ? SIDE_CLIENT : SIDE_SERVER;
			t->close = i == 0 ? CLOSE_FIN : CLOSE_RST;
		}
	}
	t->ended = instant_known(first) ? TRI_TRUE : TRI_FALSE;
}

static void take_inference(const struct connection *c, struct instant now, struct tls_attempt *t)
{
	struct infer_facts facts = connection_facts(c);
	struct inference i = c->state == CONNECTION_QUIC ? quic_infer(c, now) : infer(&facts);

	t->outcome = i.outcome;
	t->alert = i.alert;
	t->alert_from = i.alert >= 0 ? i.alert_from : SIDE_UNKNOWN;
	t->established = i.established;
	t->server_certificate = i.server_certificate;
	t->weak_late = i.weak_late;
}

static uint64_t content_of(const struct connection *c, const struct tls_attempt *t)
{
	struct {
		struct flow_key key;
		int64_t first;
		uint32_t outcome, alert;
		uint8_t random[32];
	} what = { .key = c->key,
		   .first = c->first.ns,
		   .outcome = t->outcome,
		   .alert = (uint32_t)t->alert };

	if (c->hello != NULL)
		memcpy(what.random, c->hello->random, sizeof(what.random));
	return XXH3_64bits(&what, sizeof(what));
}

bool report_connection(const struct connection *c, const struct wire_options *options,
		       struct instant now, struct wire_seen *out)
{
	struct observation *o = &out->observation;
	const char *version;

	if (c->state == CONNECTION_OTHER ||
	    (c->state != CONNECTION_QUIC && c->state != CONNECTION_TLS) ||
	    (c->state == CONNECTION_QUIC && c->hello == NULL))
		return false;
	*out = (struct wire_seen){ .packet = c->packet };
	observation_clear(o, OBS_TLS_ATTEMPT);
	o->sensor = SENSOR_FLOW;
	o->time = c->first;
	o->duration = span_between(c->first, c->last);
	o->src = connection_end(c, CLIENT);
	o->dst = destination(c, options);
	o->tls.udp = c->state == CONNECTION_QUIC ? TRI_TRUE : TRI_FALSE;
	if (c->hello != NULL) {
		o->tls.sni = sv_cstr(c->hello->sni);
		o->tls.ja3 = sv_cstr(c->hello->ja3);
		o->tls.ja4 = sv_cstr(c->hello->ja4);
		out->alpn = sv_cstr(c->hello->alpn);
		out->ech = c->hello->ech;
	}
	version = c->facts.server_hello ? hello_version_name(c->facts.version) : NULL;
	o->tls.version = version != NULL ? sv_cstr(version) : SV_NONE;
	o->tls.issuer = sv_cstr(c->issuer);
	o->tls.bytes_out = bytes_of(c, CLIENT);
	o->tls.bytes_in = bytes_of(c, SERVER);
	take_close(c, &o->tls);
	take_inference(c, now, &o->tls);
	if (both_intercepted(c)) {
		o->tls.inspection = INTERCEPTED;
		out->vantage = VANTAGE_INSIDE;
	} else if (c->passed) {
		o->tls.inspection = BYPASSED;
		out->vantage = VANTAGE_INSIDE;
	}
	out->content = content_of(c, &o->tls);
	return true;
}
