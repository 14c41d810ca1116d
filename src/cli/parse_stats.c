#include "cli/parse_stats.h"

#include <stdio.h>

void parse_stats_begin(struct parse_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->first = s->last = INSTANT_NONE;
}

void parse_stats_add(struct parse_stats *s, const struct observation *o)
{
	s->kinds[o->kind]++;
	s->sensors[o->sensor]++;
	if (instant_known(o->time)) {
		if (!instant_known(s->first) || o->time.ns < s->first.ns)
			s->first = o->time;
		if (!instant_known(s->last) || o->time.ns > s->last.ns)
			s->last = o->time;
	}
	if (o->kind == OBS_APP_ACTIVITY)
		s->events[o->activity.event]++;
	if (o->kind != OBS_TLS_ATTEMPT)
		return;
	s->outcomes[o->tls.outcome]++;
	s->inspections[o->tls.inspection]++;
	if (o->tls.inspection == BYPASSED)
		s->bypasses[o->tls.bypass_reason]++;
	if (o->tls.alert >= 0 && o->tls.alert < STATS_ALERTS)
		s->alerts[o->tls.alert]++;
}

static void line(struct buf *b, const char *group, const char *name, uint64_t n)
{
	struct buf count;

	if (n == 0)
		return;
	buf_init(&count, 64);
	text_count(&count, n);
	buf_printf(b, "%-12s %-26s %14.*s\n", group, name, SV_ARG(buf_view(&count)));
	buf_free(&count);
}

void parse_stats_text(struct buf *b, const struct parse_stats *s, const struct text_style *style)
{
	char alert[64];

	line(b, "records", "read", s->records);
	line(b, "records", "rejected", s->rejected);
	line(b, "records", "overlong", s->overlong);
	line(b, "records", "irrelevant", s->irrelevant);
	line(b, "packets", "captured", s->wire.packets);
	line(b, "packets", "dropped by the kernel", s->dropped);
	line(b, "packets", "not TCP or UDP", s->wire.other);
	line(b, "packets", "later IP fragments", s->wire.fragments);
	line(b, "packets", "cut within headers", s->wire.cut);
	line(b, "packets", "of unseen beginnings", s->wire.midstream);
	line(b, "connections", "begun", s->wire.connections);
	line(b, "connections", "not TLS", s->wire.not_tls);
	line(b, "connections", "the gateway's own", s->wire.gateways_own);
	line(b, "connections", "with bytes missing", s->wire.incomplete);
	line(b, "connections", "given out for room", s->wire.evicted);
	for (int k = 0; k < OBS_KINDS; k++)
		line(b, "observations", observation_kind_name((enum observation_kind)k),
		     s->kinds[k]);
	for (int k = 0; k < SENSORS; k++)
		line(b, "kind", sensor_kind_name((enum sensor_kind)k), s->sensors[k]);
	for (int i = 0; s->kinds[OBS_TLS_ATTEMPT] > 0 && i <= UNINSPECTED; i++)
		line(b, "inspection", inspection_name((enum inspection)i), s->inspections[i]);
	for (int r = 0; r <= BYPASS_TECHNICAL; r++)
		line(b, "bypass", bypass_reason_name((enum bypass_reason)r), s->bypasses[r]);
	for (int o = 0; s->kinds[OBS_TLS_ATTEMPT] > 0 && o < OUTCOMES; o++)
		line(b, "outcome", outcome_name((enum outcome)o), s->outcomes[o]);
	for (int a = 0; a < STATS_ALERTS; a++) {
		const char *name = alert_name(a);

		snprintf(alert, sizeof(alert), "%d %s", a, name != NULL ? name : "unassigned");
		line(b, "alert", alert, s->alerts[a]);
	}
	for (int e = 1; e < ACTIVITIES; e++)
		line(b, "event", activity_event_name((enum activity_event)e), s->events[e]);
	if (instant_known(s->first)) {
		buf_str(b, "time         ");
		text_time(b, s->first, style);
		buf_str(b, " to ");
		text_time(b, s->last, style);
		buf_char(b, '\n');
	}
}
