/* The canonical observation, written. Reading it back is a format file like any other
 * (formats/canonical.yaml). */
#include <stdio.h>

#include "base/jsonw.h"
#include "parse/parser.h"

static void text(struct jsonw *w, const char *key, struct sv v)
{
	if (v.n == 0)
		return;
	jsonw_key(w, key);
	jsonw_sv(w, v);
}

static void word(struct jsonw *w, const char *key, const char *v)
{
	if (v == NULL)
		return;
	jsonw_key(w, key);
	jsonw_str(w, v);
}

static void tri(struct jsonw *w, const char *key, enum tri v)
{
	if (v == TRI_UNKNOWN)
		return;
	jsonw_key(w, key);
	jsonw_bool(w, v == TRI_TRUE);
}

static void number(struct jsonw *w, const char *key, int64_t n)
{
	jsonw_key(w, key);
	jsonw_int(w, n);
}

static void instant(struct jsonw *w, const char *key, struct instant t)
{
	if (!instant_known(t))
		return;
	jsonw_key(w, key);
	jsonw_instant(w, t);
}

static void address(struct jsonw *w, const char *key, const struct addr *a)
{
	char out[ADDR_TEXT_SIZE];

	if (!addr_known(a))
		return;
	addr_format(a, out);
	word(w, key, out);
}

/* Milliseconds, with as many decimals as the span has. */
static void duration(struct jsonw *w, struct span d)
{
	char out[40];
	int n;

	if (!span_known(d))
		return;
	n = snprintf(out, sizeof(out), "%lld", (long long)(d.ns / NS_PER_MS));
	if (d.ns % NS_PER_MS != 0) {
		n += snprintf(out + n, sizeof(out) - (size_t)n, ".%06d", (int)(d.ns % NS_PER_MS));
		while (out[n - 1] == '0')
			n--;
	}
	jsonw_key(w, "duration_ms");
	jsonw_raw(w, sv_make(out, (size_t)n));
}

static void device(struct jsonw *w, const struct device_keys *d)
{
	if (d->udid.n + d->serial.n + d->mac.n + d->user.n + d->mdm_id.n == 0)
		return;
	jsonw_key(w, "device");
	jsonw_open(w, '{');
	text(w, "udid", d->udid);
	text(w, "serial", d->serial);
	text(w, "mac", d->mac);
	text(w, "user", d->user);
	text(w, "mdm_id", d->mdm_id);
	jsonw_close(w, '}');
}

static void endpoint(struct jsonw *w, const char *key, const struct endpoint *e)
{
	if (e->hostname.n == 0 && !addr_known(&e->ip) && e->port == 0)
		return;
	jsonw_key(w, key);
	jsonw_open(w, '{');
	text(w, "hostname", e->hostname);
	address(w, "ip", &e->ip);
	if (e->port != 0)
		number(w, "port", e->port);
	jsonw_close(w, '}');
}

static void app(struct jsonw *w, const struct app_ref *a)
{
	if (a->bundle_id.n + a->version.n + a->user_agent.n == 0)
		return;
	jsonw_key(w, "app");
	jsonw_open(w, '{');
	text(w, "bundle_id", a->bundle_id);
	text(w, "version", a->version);
	text(w, "user_agent", a->user_agent);
	jsonw_close(w, '}');
}

static void tls(struct jsonw *w, const struct tls_attempt *t)
{
	if (t->sni.n + t->version.n + t->ja3.n + t->ja4.n + t->issuer.n == 0 && t->alert < 0 &&
	    t->alert_from == SIDE_UNKNOWN && t->established == TRI_UNKNOWN &&
	    t->server_certificate == TRI_UNKNOWN)
		return;
	jsonw_key(w, "tls");
	jsonw_open(w, '{');
	text(w, "sni", t->sni);
	text(w, "version", t->version);
	if (t->alert >= 0)
		number(w, "alert", t->alert);
	word(w, "alert_from", side_name(t->alert_from));
	text(w, "ja3", t->ja3);
	text(w, "ja4", t->ja4);
	text(w, "issuer", t->issuer);
	tri(w, "established", t->established);
	tri(w, "server_certificate", t->server_certificate);
	jsonw_close(w, '}');
}

static void attempt(struct jsonw *w, const struct observation *o)
{
	const struct tls_attempt *t = &o->tls;

	tls(w, t);
	word(w, "inspection", inspection_name(t->inspection));
	if (t->inspection == BYPASSED)
		word(w, "bypass_reason", bypass_reason_name(t->bypass_reason));
	word(w, "outcome", outcome_name(t->outcome));
	number(w, "count", t->count);
	if (t->bytes_out >= 0 || t->bytes_in >= 0) {
		jsonw_key(w, "traffic");
		jsonw_open(w, '{');
		if (t->bytes_out >= 0)
			number(w, "bytes_out", t->bytes_out);
		if (t->bytes_in >= 0)
			number(w, "bytes_in", t->bytes_in);
		jsonw_close(w, '}');
	}
	duration(w, o->duration);
	word(w, "closed_by", side_name(t->closed_by));
	word(w, "close", close_kind_name(t->close));
	text(w, "flow_id", o->flow_id);
	tri(w, "ended", t->ended);
	tri(w, "udp", t->udp);
	tri(w, "weak_late", t->weak_late ? TRI_TRUE : TRI_UNKNOWN);
}

static void activity(struct jsonw *w, const struct observation *o)
{
	word(w, "event", activity_event_name(o->activity.event));
	word(w, "app_state", app_state_name(o->activity.app_state));
	tri(w, "device_locked", o->activity.device_locked);
	tri(w, "user_interaction", o->activity.user_interaction);
	duration(w, o->duration);
	text(w, "flow_id", o->flow_id);
}

static void installed(struct jsonw *w, const struct installed_app *a)
{
	jsonw_open(w, '{');
	text(w, "bundle_id", a->bundle_id);
	text(w, "name", a->name);
	text(w, "version", a->version);
	tri(w, "managed", a->managed);
	tri(w, "declares_pinning", a->declares_pinning);
	jsonw_close(w, '}');
}

static void profile(struct jsonw *w, const struct profile *p)
{
	jsonw_open(w, '{');
	text(w, "identifier", p->identifier);
	jsonw_key(w, "payload_types");
	jsonw_open(w, '[');
	for (size_t i = 0; i < p->n_payload_types; i++)
		jsonw_sv(w, p->payload_types[i]);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void posture(struct jsonw *w, const struct observation *o)
{
	const struct posture *p = &o->posture;

	tri(w, "supervised", p->supervised);
	tri(w, "managed", p->managed);
	text(w, "ownership", p->ownership);
	tri(w, "compliant", p->compliant);
	tri(w, "jailbroken", p->jailbroken);
	text(w, "os_version", p->os_version);
	text(w, "wifi_mac", p->wifi_mac);
	duration(w, o->duration);
	if (p->has_apps) {
		tri(w, "snapshot", p->snapshot ? TRI_TRUE : TRI_FALSE);
		tri(w, "managed_complete", p->managed_complete ? TRI_TRUE : TRI_UNKNOWN);
		jsonw_key(w, "apps");
		jsonw_open(w, '[');
		for (size_t i = 0; i < p->n_apps; i++)
			installed(w, &p->apps[i]);
		jsonw_close(w, ']');
	}
	if (p->has_profiles) {
		jsonw_key(w, "profiles");
		jsonw_open(w, '[');
		for (size_t i = 0; i < p->n_profiles; i++)
			profile(w, &p->profiles[i]);
		jsonw_close(w, ']');
	}
}

void observation_write_json(struct buf *b, const struct observation *o, struct sv source)
{
	struct jsonw w = jsonw_on(b);

	jsonw_open(&w, '{');
	word(&w, "kind", observation_kind_name(o->kind));
	instant(&w, "time", o->time);
	text(&w, "source", source);
	word(&w, "sensor", sensor_kind_name(o->sensor));
	if (o->kind == OBS_LEASE) {
		address(&w, "ip", &o->lease.ip);
		instant(&w, "until", o->lease.until);
	}
	device(&w, &o->device);
	if (o->kind == OBS_TLS_ATTEMPT || o->kind == OBS_APP_ACTIVITY) {
		endpoint(&w, "src_endpoint", &o->src);
		endpoint(&w, "dst_endpoint", &o->dst);
		app(&w, &o->app);
	}
	switch (o->kind) {
	case OBS_TLS_ATTEMPT:
		attempt(&w, o);
		break;
	case OBS_APP_ACTIVITY:
		activity(&w, o);
		break;
	case OBS_POSTURE:
		posture(&w, o);
		break;
	case OBS_LEASE:
		word(&w, "by", lease_by_name(o->lease.by));
		break;
	case OBS_KINDS:
		break;
	}
	jsonw_close(&w, '}');
}
