/* What the phones' own agent tells, as canonical observations: app lifecycle, and connections as
 * the content filter sees them, before the proxy. No public iOS product exports all of it; the
 * canonical form stands for whichever does. */
#include "sim/render.h"

#include "parse/parser.h"

enum { PART_EVENT, PART_CONNECT };

static void app_of(const struct sim *s, struct observation *o, uint16_t app, bool updated)
{
	o->app.bundle_id = sv_cstr(s->apps[app].bundle);
	o->app.version = sv_cstr(sim_app_version(s, app, updated));
}

static void from_event(const struct sim *s, const struct sim_event *e, struct observation *o)
{
	observation_clear(o, OBS_APP_ACTIVITY);
	o->time.ns = e->time + s->agent_ahead;
	o->device.udid = sv_cstr(s->devices[e->device].udid);
	app_of(s, o, e->app, e->updated);
	o->activity.event = (enum activity_event)e->what;
	o->activity.app_state = e->foreground ? APP_STATE_FOREGROUND : APP_STATE_BACKGROUND;
	o->activity.device_locked = e->locked ? TRI_TRUE : TRI_FALSE;
	o->activity.user_interaction = e->interaction ? TRI_TRUE : TRI_FALSE;
}

static void from_conn(const struct sim *s, const struct sim_conn *c, struct observation *o)
{
	const struct sim_device *d = &s->devices[c->device];
	const struct sim_pair *p = &s->pairs[c->pair];
	bool system = s->apps[p->app].system;

	observation_clear(o, OBS_APP_ACTIVITY);
	o->time.ns = c->start / NS_PER_MS * NS_PER_MS + s->agent_ahead;
	o->device.udid = sv_cstr(d->udid);
	app_of(s, o, p->app, c->updated);
	o->activity.event = ACTIVITY_CONNECT;
	if (!system) {
		bool background = (c->flags & CONN_BACKGROUND) != 0;
		o->activity.app_state = background ? APP_STATE_BACKGROUND : APP_STATE_FOREGROUND;
		o->activity.device_locked = c->flags & CONN_LOCKED ? TRI_TRUE : TRI_FALSE;
	}
	o->dst.hostname = sv_cstr(s->hosts[p->host].name);
	o->dst.port = 443;
	if (d->edr == EDR_EXACT) {
		o->src.ip = sim_addr(sim_conn_client(s, c));
		o->src.port = c->port;
	}
}

bool sim_render_edr(struct sim *s, struct error *err)
{
	struct sim_log log = { 0 };
	struct observation o;
	struct sim_file f;
	struct buf line;

	if (!sim_file_open(s, &f, "edr.jsonl", err))
		return false;
	buf_init(&line, (size_t)1 << 20);
	for (size_t i = 0; i < s->n_events; i++)
		sim_log_add(&log, s->events[i].time, i, PART_EVENT);
	for (size_t i = 0; i < s->n_conns; i++)
		if (s->devices[s->conns[i].device].edr != EDR_NONE &&
		    (s->conns[i].flags & CONN_PROXY_ONLY) == 0)
			sim_log_add(&log, s->conns[i].start + sim_conn_put_off(&s->conns[i], i), i,
				    PART_CONNECT);
	sim_log_order(s, &log, "edr");
	for (size_t i = 0; i < log.n; i++) {
		if (log.lines[i].part == PART_EVENT)
			from_event(s, &s->events[log.lines[i].item], &o);
		else
			from_conn(s, &s->conns[log.lines[i].item], &o);
		buf_reset(&line);
		observation_write_json(&line, &o, SV("edr"));
		sink_sv(&f.sink, buf_view(&line));
		sim_file_line(&f);
	}
	sim_log_free(&log);
	buf_free(&line);
	return sim_file_close(s, &f, err);
}
