/* The same fleet as canonical observations: what proxy, flow sensor, MDM and lease sources would
 * say once mapped. Each sensor says no more than its raw log does. */
#include "sim/render.h"

#include <stdlib.h>

#include "parse/parser.h"

static enum outcome seen_by_proxy(const struct sim_conn *c)
{
	switch ((enum sim_happening)c->happening) {
	case HAPPENED_OK:
		return c->route == ROUTE_SPLICE ? OUTCOME_UNKNOWN : ESTABLISHED;
	case HAPPENED_REJECT:
		return CLIENT_REJECT;
	case HAPPENED_EXPIRED:
		return CLIENT_REJECT_VALIDITY;
	case HAPPENED_FIN:
	case HAPPENED_RST:
		return CLIENT_SILENT_CLOSE;
	case HAPPENED_LATE:
	case HAPPENED_IDLE:
	case HAPPENED_MTLS_LATE:
		return ESTABLISHED_NO_DATA;
	case HAPPENED_MTLS_ALERT:
		return MUTUAL_TLS;
	case HAPPENED_BAD_ORIGIN:
		return UPSTREAM_FAILED;
	case HAPPENED_MISMATCH:
		return TLS_MISMATCH;
	case HAPPENED_GONE:
		break;
	}
	return INCOMPLETE;
}

static void common(const struct sim *s, const struct sim_conn *c, struct observation *o)
{
	observation_clear(o, OBS_TLS_ATTEMPT);
	o->time.ns = c->start / NS_PER_MS * NS_PER_MS;
	o->duration.ns = (int64_t)c->duration_us / 1000 * NS_PER_MS;
	o->src.ip = sim_addr(sim_conn_client(s, c));
	o->src.port = c->port;
	o->tls.sni = sv_cstr(sim_conn_host(s, c));
}

static void alert_of(const struct sim_conn *c, struct observation *o)
{
	if (c->happening == HAPPENED_REJECT)
		o->tls.alert = sim_stacks[c->stack].alert;
	else if (c->happening == HAPPENED_EXPIRED)
		o->tls.alert = 45;
	if (o->tls.alert >= 0)
		o->tls.alert_from = SIDE_CLIENT;
}

static void inspection(const struct sim *s, const struct sim_conn *c, struct observation *o)
{
	common(s, c, o);
	o->sensor = SENSOR_INSPECTION;
	o->time.ns += s->proxy_ahead;
	if (c->flags & CONN_FUTURE)
		o->time.ns += SIM_LEAP(s);
	o->dst.hostname = o->tls.sni;
	o->dst.port = 443;
	o->app.user_agent = sv_cstr(s->apps[s->pairs[c->pair].app].agent);
	o->tls.outcome = seen_by_proxy(c);
	o->tls.inspection = c->route == ROUTE_SPLICE ? BYPASSED : INTERCEPTED;
	if (c->happening == HAPPENED_GONE)
		o->tls.inspection = INSPECTION_UNKNOWN; /* not decided yet */
	if (c->route == ROUTE_SPLICE)
		o->tls.bypass_reason = BYPASS_POLICY;
	else if (c->happening != HAPPENED_GONE && c->happening != HAPPENED_MISMATCH)
		o->tls.version = sv_cstr(sim_stacks[c->stack].version);
	alert_of(c, o);
	o->tls.ended = TRI_TRUE;
}

static void flow(const struct sim *s, const struct sim_conn *c, struct observation *o)
{
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];
	bool proxied = c->route == ROUTE_BUMP || c->route == ROUTE_SPLICE;
	bool refused = c->happening == HAPPENED_REJECT || c->happening == HAPPENED_EXPIRED;
	bool silent = c->happening == HAPPENED_FIN || c->happening == HAPPENED_RST;

	common(s, c, o);
	o->sensor = SENSOR_FLOW;
	o->dst.ip = sim_addr(proxied ? UINT32_C(0x0a000005) : s->hosts[s->pairs[c->pair].host].ip);
	o->dst.port = proxied ? SIM_PROXY_PORT : 443;
	o->tls.bytes_out = c->bytes_out;
	o->tls.bytes_in = c->bytes_in;
	o->tls.closed_by = c->flags & CONN_CLIENT_CLOSES ? SIDE_CLIENT : SIDE_SERVER;
	o->tls.close = c->flags & CONN_RESET ? CLOSE_RST : CLOSE_FIN;
	o->tls.ja3 = sv_cstr(stack->ja3);
	o->tls.ja4 = sv_cstr(stack->ja4);
	if (c->happening == HAPPENED_MISMATCH) {
		o->tls.alert = 70;
		o->tls.alert_from = SIDE_SERVER;
		o->tls.outcome = TLS_MISMATCH;
		return;
	}
	o->tls.version = sv_cstr(stack->version);
	o->tls.server_certificate = TRI_TRUE;
	o->tls.established = silent ? TRI_FALSE : TRI_TRUE;
	if (c->route == ROUTE_QUIC) {
		o->tls.udp = TRI_TRUE;
		o->tls.established = TRI_UNKNOWN;
		o->tls.ja4 = sv_cstr(stack->quic_ja4);
	} else if (refused && stack->clear_alerts) {
		alert_of(c, o);
		o->tls.established = TRI_FALSE;
		o->tls.outcome = seen_by_proxy(c);
	}
	if (!stack->tls13)
		o->tls.issuer = c->flags & CONN_GUEST	 ? SV("CN=Guest Portal CA")
				: c->route == ROUTE_BUMP ? SV("CN=" SIM_ISSUER ",O=Acme")
							 : SV("CN=Public Root R1,O=Public Trust");
}

static void write(struct sim_file *f, struct buf *line, const struct observation *o,
		  struct sv source)
{
	buf_reset(line);
	observation_write_json(line, o, source);
	sink_sv(&f->sink, buf_view(line));
	sim_file_line(f);
}

static bool render_attempts(struct sim *s, enum sensor_kind sensor, const char *name,
			    struct buf *line, struct error *err)
{
	struct sim_log log = { 0 };
	struct observation o;
	struct sim_file f;

	if (!sim_file_open(s, &f, name, err))
		return false;
	for (size_t i = 0; i < s->n_conns; i++) {
		const struct sim_conn *c = &s->conns[i];
		if (sensor == SENSOR_INSPECTION
			? c->route == ROUTE_BUMP || c->route == ROUTE_SPLICE
			: (c->flags & (CONN_PROXY_ONLY | CONN_NO_FLOW)) == 0 &&
			      c->happening != HAPPENED_GONE)
			sim_log_add(&log, sim_conn_end(c) + sim_conn_put_off(c, i), i, 0);
	}
	sim_log_order(s, &log, name);
	for (size_t i = 0; i < log.n; i++) {
		const struct sim_conn *c = &s->conns[log.lines[i].item];
		if (sensor == SENSOR_INSPECTION)
			inspection(s, c, &o);
		else
			flow(s, c, &o);
		write(&f, line, &o, sensor == SENSOR_INSPECTION ? SV("proxy") : SV("zeek"));
	}
	sim_log_free(&log);
	return sim_file_close(s, &f, err);
}

static void posture(const struct sim *s, const struct sim_report_time *r, struct observation *o,
		    struct installed_app *apps, struct profile *profiles)
{
	static const struct sv payloads[] = { { "com.apple.wifi.managed", 22 },
					      { "com.apple.security.root", 23 } };
	const struct sim_device *d = &s->devices[r->device];

	observation_clear(o, OBS_POSTURE);
	o->time.ns = r->time;
	o->device.udid = sv_cstr(d->udid);
	o->device.serial = sv_cstr(d->serial);
	o->posture.wifi_mac = sv_cstr(d->mac);
	o->posture.supervised = o->posture.managed = o->posture.compliant = TRI_TRUE;
	o->posture.os_version = SV("18.1");
	o->posture.snapshot = true;
	o->posture.has_apps = o->posture.has_profiles = true;
	for (uint16_t a = 0; a < s->n_apps; a++)
		if (sim_app_listed(s, r->device, a, r->time)) {
			bool updated = sim_updated(s, a, r->device, o->time);
			apps[o->posture.n_apps++] = (struct installed_app){
				.bundle_id = sv_cstr(s->apps[a].bundle),
				.name = sv_cstr(s->apps[a].name),
				.version = sv_cstr(sim_app_version(s, a, updated)),
				.managed = s->apps[a].managed ? TRI_TRUE : TRI_FALSE,
			};
		}
	profiles[o->posture.n_profiles++] =
	    (struct profile){ SV("com.acme.wifi"), &payloads[0], 1 };
	if (sim_root_listed(s, r->device, r->time))
		profiles[o->posture.n_profiles++] =
		    (struct profile){ SV(SIM_ROOT_PROFILE), &payloads[1], 1 };
	o->posture.apps = apps;
	o->posture.profiles = profiles;
}

static bool render_posture(struct sim *s, struct buf *line, struct error *err)
{
	struct installed_app apps[SIM_MAX_APPS];
	struct profile profiles[2];
	struct sim_report_time *times;
	struct observation o;
	struct sim_file f;
	size_t n;

	if (!sim_file_open(s, &f, "mdm.jsonl", err))
		return false;
	n = sim_mdm_times(s, &times);
	for (size_t i = 0; i < n; i++) {
		posture(s, &times[i], &o, apps, profiles);
		write(&f, line, &o, SV("mdm"));
	}
	free(times);
	return sim_file_close(s, &f, err);
}

static bool render_leases(struct sim *s, struct buf *line, struct error *err)
{
	struct sim_lease *leases;
	struct observation o;
	struct sim_file f;
	size_t n;

	if (!sim_file_open(s, &f, "lease.jsonl", err))
		return false;
	n = sim_leases(s, &leases);
	for (size_t i = 0; i < n; i++) {
		const struct sim_lease *l = &leases[i];
		const struct sim_device *d = &s->devices[l->device];

		observation_clear(&o, OBS_LEASE);
		o.time.ns = l->time;
		o.device.mac = sv_cstr(d->lease_mac);
		o.lease.ip = sim_addr(l->ip);
		o.lease.by = l->kind == LEASED_RADIUS ? LEASE_RADIUS : LEASE_DHCP;
		if (l->kind == LEASED_RADIUS)
			o.device.user = sv_cstr(d->radius_name);
		else
			o.lease.until.ns = l->time + SIM_DHCP_LIFETIME;
		if (l->what == LEASE_STOP)
			o.lease.until = o.time;
		write(&f, line, &o, l->kind == LEASED_RADIUS ? SV("radius") : SV("dhcp"));
	}
	free(leases);
	return sim_file_close(s, &f, err);
}

bool sim_render_canonical(struct sim *s, struct error *err)
{
	struct buf line;
	bool ok;

	buf_init(&line, (size_t)1 << 20);
	ok = render_attempts(s, SENSOR_INSPECTION, "inspection.jsonl", &line, err) &&
	     render_attempts(s, SENSOR_FLOW, "flow.jsonl", &line, err) &&
	     render_posture(s, &line, err) && render_leases(s, &line, err);
	buf_free(&line);
	return ok;
}
