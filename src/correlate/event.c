#include "correlate/event.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static bool is_listener(const struct endpoint *e, const struct settings *s)
{
	if (!addr_known(&e->ip))
		return false;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (s->listeners[i].port == e->port && addr_eq(&s->listeners[i].ip, &e->ip))
			return true;
	return false;
}

bool event_is_gateways_own(const struct observation *o, const struct settings *s)
{
	if (o->kind != OBS_TLS_ATTEMPT || o->sensor != SENSOR_FLOW || !addr_known(&o->src.ip))
		return false;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (addr_eq(&s->listeners[i].ip, &o->src.ip))
			return true;
	for (size_t i = 0; i < s->n_addresses; i++)
		if (cidr_holds(&s->addresses[i], &o->src.ip))
			return true;
	return false;
}

void event_from(struct event *e, const struct observation *o, struct stamp stamp,
		enum vantage vantage, struct names *names, const struct settings *settings,
		uint64_t seed)
{
	*e = (struct event){
		.stamp = stamp,
		.time = o->time.ns,
		.duration = span_known(o->duration) ? o->duration.ns : -1,
		.bytes_out = -1,
		.bytes_in = -1,
		.flow = o->flow_id.n > 0
			    ? XXH3_64bits_withSeed(o->flow_id.p, o->flow_id.n, seed) | 1
			    : 0,
		.client = names_addr(names, &o->src.ip),
		.server = names_addr(names, &o->dst.ip),
		.hostname = names_put(names, o->dst.hostname),
		.keys = names_keys(names, &o->device),
		.bundle = names_put(names, o->app.bundle_id),
		.version = names_put(names, o->app.version),
		.agent = names_put(names, o->app.user_agent),
		.count = 1,
		.client_port = o->src.port,
		.server_port = o->dst.port,
		.alert = -1,
		.kind = (uint8_t)o->kind,
		.sensor = (uint8_t)o->sensor,
		.vantage = (uint8_t)vantage,
		.listener = is_listener(&o->dst, settings),
	};
	if (o->kind != OBS_TLS_ATTEMPT)
		return;
	e->bytes_out = o->tls.bytes_out;
	e->bytes_in = o->tls.bytes_in;
	e->sni = names_put(names, o->tls.sni);
	e->ja4 = names_put(names, o->tls.ja4);
	e->ja3 = names_put(names, o->tls.ja3);
	e->issuer = names_put(names, o->tls.issuer);
	e->tls_version = names_put(names, o->tls.version);
	e->count = count_add(0, o->tls.count);
	e->alert = (int16_t)o->tls.alert;
	e->outcome = (uint8_t)o->tls.outcome;
	e->inspection = (uint8_t)o->tls.inspection;
	e->bypass_reason = (uint8_t)o->tls.bypass_reason;
	e->established = (uint8_t)o->tls.established;
	e->server_certificate = (uint8_t)o->tls.server_certificate;
	e->ended = (uint8_t)o->tls.ended;
	e->udp = (uint8_t)o->tls.udp;
	e->closed_by = (uint8_t)o->tls.closed_by;
	e->close = (uint8_t)o->tls.close;
	e->weak_late = o->tls.weak_late;
}

int event_cmp(const void *a, const void *b)
{
	return stamp_cmp(&((const struct event *)a)->stamp, &((const struct event *)b)->stamp);
}
