#include <stdio.h>

#include "base/jsonw.h"
#include "emit/backtest.h"

/* A share of 1, as `pinwatch score` writes it. */
static void key_share(struct jsonw *w, const char *key, double share)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%.4f", share);

	jsonw_key(w, key);
	jsonw_raw(w, sv_make(text, (size_t)n));
}

static void side(struct jsonw *w, const char *key, const struct backtest_side *s)
{
	jsonw_key(w, key);
	if (!s->there) {
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	jsonw_key_str(w, "verdict", verdict_name(s->verdict));
	jsonw_key_full(w, "explained_by", s->explained_by);
	jsonw_key(w, "score_db");
	jsonw_fixed2(w, s->score_centidb);
	jsonw_key_str(w, "confidence", confidence_name(s->confidence));
	jsonw_key_count(w, "risk", s->risk > 0 ? (uint64_t)s->risk : 0);
	jsonw_key_str(w, "severity", severity_name(s->severity));
	jsonw_key(w, "paths");
	jsonw_open(w, '[');
	for (unsigned p = PATH_REJECTION; p <= PATH_PERSISTENT_OPACITY; p <<= 1)
		if (s->paths & p)
			jsonw_str(w, path_name((enum path)p));
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void change(struct jsonw *w, const struct backtest_change *c)
{
	jsonw_open(w, '{');
	jsonw_key_str(w, "change", backtest_change_name(c->kind));
	jsonw_key_str(w, "uid", c->uid);
	jsonw_key_str(w, "kind", finding_kind_name(c->finding));
	jsonw_key_full(w, "app", c->app);
	jsonw_key_full(w, "host", c->host);
	jsonw_key(w, "port");
	if (c->finding == FINDING_PINNING)
		jsonw_int(w, c->port);
	else
		jsonw_null(w);
	jsonw_key_full(w, "device", c->device);
	jsonw_key_time(w, "first_seen", c->first_seen);
	jsonw_key_time(w, "last_seen", c->last_seen);
	side(w, "before", &c->before);
	side(w, "after", &c->after);
	jsonw_key(w, "reasons");
	jsonw_open(w, '[');
	for (size_t i = 0; i < c->n_reasons; i++)
		jsonw_sv(w, c->reasons[i]);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void measure(struct jsonw *w, const struct backtest_measure *m)
{
	jsonw_key(w, "truth");
	if (!m->there) {
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	key_share(w, "precision", m->precision);
	key_share(w, "recall", m->recall);
	key_share(w, "f1", m->f1);
	jsonw_key_count(w, "true_positive", m->true_positive);
	jsonw_key_count(w, "false_positive", m->false_positive);
	jsonw_key_count(w, "false_negative", m->false_negative);
	jsonw_key_count(w, "true_negative", m->true_negative);
	jsonw_close(w, '}');
}

static void setting(struct jsonw *w, const struct backtest_setting *s, bool in_force)
{
	char window[INSTANT_ISO_SIZE];

	span_format(s->time_window, window);
	jsonw_open(w, '{');
	jsonw_key_bool(w, "in_force", in_force);
	jsonw_key_text(w, "label", s->label);
	jsonw_key(w, "settings");
	jsonw_open(w, '{');
	jsonw_key_str(w, "TimeWindow", window);
	jsonw_key_count(w, "InspectionFailureThreshold", s->inspection_failure_threshold);
	jsonw_key_bool(w, "ForegroundStateRequired", s->foreground_state_required);
	jsonw_key_count(w, "AllowedAppList", s->n_apps);
	jsonw_key_count(w, "AllowedDestinationList", s->n_destinations);
	jsonw_close(w, '}');
	jsonw_key(w, "findings");
	jsonw_open(w, '{');
	for (int v = 0; v < VERDICTS; v++)
		jsonw_key_count(w, verdict_name((enum verdict)v), s->by_verdict[v]);
	jsonw_key_count(w, "others", s->others);
	jsonw_close(w, '}');
	for (int k = 0; k < BACKTEST_CHANGES; k++)
		jsonw_key_count(w, backtest_change_name((enum backtest_change_kind)k),
				s->by_change[k]);
	measure(w, &s->measure);
	jsonw_key(w, "changes");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_changes; i++)
		change(w, &s->changes[i]);
	jsonw_close(w, ']');
	jsonw_key_count(w, "left_out", s->left_out);
	jsonw_close(w, '}');
}

void backtest_json(struct buf *out, const struct backtest *b)
{
	struct jsonw json = jsonw_on(out), *w = &json;

	jsonw_open(w, '{');
	jsonw_key_str(w, "schema", "pinwatch.backtest/1");
	jsonw_key_time(w, "since", b->since);
	jsonw_key_time(w, "until", b->until);
	jsonw_key_time(w, "first", b->first);
	jsonw_key_time(w, "last", b->last);
	jsonw_key_count(w, "observations", b->observations);
	jsonw_key_count(w, "outside", b->outside);
	jsonw_key_count(w, "attempts", b->attempts);
	jsonw_key_full(w, "swept", b->swept);
	jsonw_key_full(w, "fixed", b->fixed);
	jsonw_key_bool(w, "stopped", b->stopped);
	jsonw_key(w, "settings");
	jsonw_open(w, '[');
	for (size_t i = 0; i < b->n; i++)
		setting(w, &b->settings[i], i == 0);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}
