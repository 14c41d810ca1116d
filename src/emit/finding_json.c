#include "emit/finding_json.h"

#include <stdio.h>

#include "base/jsonw.h"

static void subject(struct jsonw *w, const struct finding *f)
{
	jsonw_key(w, "app");
	if (f->kind != FINDING_PINNING) {
		jsonw_null(w);
		jsonw_key(w, "destination");
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	jsonw_key_full(w, "bundle_id", f->bundle_id);
	jsonw_key_full(w, "version", f->app_version);
	jsonw_key_str(w, "attribution", attribution_name(f->attribution));
	jsonw_close(w, '}');
	jsonw_key(w, "destination");
	jsonw_open(w, '{');
	jsonw_key_full(w, "host", f->host);
	jsonw_key_int(w, "port", f->port);
	jsonw_close(w, '}');
}

static void devices(struct jsonw *w, const struct finding *f)
{
	jsonw_key(w, "devices");
	jsonw_open(w, '[');
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct finding_device *d = &f->devices[i];

		jsonw_open(w, '{');
		jsonw_key_text(w, "id", d->id);
		jsonw_key_str(w, "id_type", id_type_name(d->id_type));
		if (d->ambiguous) {
			jsonw_key_bool(w, "ambiguous", true);
		}
		jsonw_key_int(w, "failures", d->failures);
		jsonw_key_int(w, "trials", d->trials);
		jsonw_key_int(w, "successes", d->successes);
		jsonw_key_int(w, "uninspected", d->uninspected);
		jsonw_key_int(w, "background_starts", d->background_starts);
		jsonw_key_int(w, "locked_starts", d->locked_starts);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void judgement(struct jsonw *w, const struct finding *f)
{
	bool pinning = f->kind == FINDING_PINNING;

	jsonw_key(w, "contributions");
	jsonw_open(w, '[');
	for (size_t i = 0; i < f->n_contributions; i++) {
		jsonw_open(w, '{');
		jsonw_key_str(w, "term", term_name(f->contributions[i].term));
		jsonw_key(w, "db");
		jsonw_fixed2(w, f->contributions[i].centidb);
		jsonw_key_text(w, "because", f->contributions[i].because);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');

	jsonw_key(w, "controls");
	jsonw_open(w, '{');
	for (int met = 1; met >= 0; met--) {
		jsonw_key(w, met ? "met" : "missing");
		jsonw_open(w, '[');
		for (int c = 0; pinning && c < CONTROLS; c++)
			if ((f->controls_met >> c & 1u) == (unsigned)met)
				jsonw_str(w, control_name((enum control)c));
		jsonw_close(w, ']');
	}
	jsonw_close(w, '}');

	jsonw_key(w, "rivals");
	jsonw_open(w, '[');
	for (int r = 0; pinning && r < RIVALS; r++) {
		jsonw_open(w, '{');
		jsonw_key_str(w, "name", rival_name((enum rival)r));
		jsonw_key_str(w, "status", rival_status_name(f->rivals[r].status));
		jsonw_key_text(w, "because", f->rivals[r].because);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');

	jsonw_key(w, "risk_factors");
	jsonw_open(w, '[');
	for (size_t i = 0; i < f->n_risk_factors; i++) {
		jsonw_open(w, '{');
		jsonw_key_str(w, "factor", risk_factor_name(f->risk_factors[i].factor));
		jsonw_key_int(w, "points", f->risk_factors[i].points);
		jsonw_key_text(w, "because", f->risk_factors[i].because);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void evidence(struct jsonw *w, const struct finding *f)
{
	jsonw_key(w, "evidence");
	jsonw_open(w, '[');
	for (size_t i = 0; i < f->n_evidence; i++) {
		const struct evidence *e = &f->evidence[i];

		jsonw_open(w, '{');
		jsonw_key_text(w, "source", e->source);
		jsonw_key_text(w, "path", e->path);
		jsonw_key_int(w, "line", e->line);
		jsonw_key(w, "time");
		jsonw_instant(w, e->time);
		jsonw_key_text(w, "what", e->what);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void allowances(struct jsonw *w, const char *key, const struct settings *s, bool app_list)
{
	char more[32];
	size_t n = 0;

	jsonw_key(w, key);
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_allowances; i++)
		if (s->allowances[i].is_app_list == app_list && n++ < SETTINGS_MAX_NAMES)
			jsonw_sv(w, s->allowances[i].text);
	if (n > SETTINGS_MAX_NAMES) {
		snprintf(more, sizeof(more), "+%zu more", n - SETTINGS_MAX_NAMES);
		jsonw_str(w, more);
	}
	jsonw_close(w, ']');
}

void finding_json_analytic(struct jsonw *w, const struct settings *s)
{
	char window[INSTANT_ISO_SIZE];

	span_format(s->time_window, window);
	jsonw_key(w, "analytic");
	jsonw_open(w, '{');
	jsonw_key_str(w, "id", "AN1726");
	jsonw_key_str(w, "detection_strategy", "DET0646");
	jsonw_key_str(w, "technique", "T1521.003");
	jsonw_key(w, "settings");
	jsonw_open(w, '{');
	jsonw_key_str(w, "TimeWindow", window);
	jsonw_key_int(w, "InspectionFailureThreshold", s->inspection_failure_threshold);
	jsonw_key_bool(w, "ForegroundStateRequired", s->foreground_state_required);
	allowances(w, "AllowedAppList", s, true);
	allowances(w, "AllowedDestinationList", s, false);
	jsonw_close(w, '}');
	jsonw_close(w, '}');
}

void finding_json(struct buf *b, const struct finding *f, const struct settings *s)
{
	/* As docs/interface.md lists them, which is not the order of enum sensor_kind. */
	static const enum sensor_kind log_sources[] = { SENSOR_MDM, SENSOR_EDR, SENSOR_FLOW,
							SENSOR_INSPECTION };
	struct jsonw w = jsonw_on(b);

	jsonw_open(&w, '{');
	jsonw_key_str(&w, "schema", "pinwatch.finding/1");
	jsonw_key_str(&w, "uid", f->uid);
	jsonw_key_int(&w, "revision", f->revision);
	jsonw_key_str(&w, "kind", finding_kind_name(f->kind));
	jsonw_key_str(&w, "verdict", verdict_name(f->verdict));
	jsonw_key_full(&w, "explained_by", f->explained_by);
	subject(&w, f);
	jsonw_key(&w, "score_db");
	jsonw_fixed2(&w, f->score_centidb);
	jsonw_key_str(&w, "confidence", confidence_name(f->confidence));
	jsonw_key_int(&w, "risk", f->risk);
	jsonw_key_str(&w, "severity", severity_name(f->severity));
	jsonw_key(&w, "paths");
	jsonw_open(&w, '[');
	for (unsigned p = PATH_REJECTION; p <= PATH_PERSISTENT_OPACITY; p <<= 1)
		if (f->paths & p)
			jsonw_str(&w, path_name((enum path)p));
	jsonw_close(&w, ']');
	jsonw_key(&w, "first_seen");
	jsonw_instant(&w, f->first_seen);
	jsonw_key(&w, "last_seen");
	jsonw_instant(&w, f->last_seen);
	devices(&w, f);
	jsonw_key(&w, "excluded");
	jsonw_open(&w, '{');
	jsonw_key_int(&w, "ca_untrusted", f->excluded_ca_untrusted);
	jsonw_key_int(&w, "gateway_fault", f->excluded_gateway_fault);
	jsonw_close(&w, '}');
	jsonw_key(&w, "log_sources");
	jsonw_open(&w, '{');
	for (size_t i = 0; i < sizeof(log_sources) / sizeof(log_sources[0]); i++)
		jsonw_key_str(&w, log_source_name(log_sources[i]),
			      source_status_name(f->log_sources[log_sources[i]]));
	jsonw_close(&w, '}');
	judgement(&w, f);
	evidence(&w, f);
	finding_json_analytic(&w, s);
	jsonw_close(&w, '}');
}
