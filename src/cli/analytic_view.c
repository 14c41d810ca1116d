#include "cli/analytic_view.h"

#include "base/jsonw.h"
#include "emit/words.h"

#define N_SOURCES (sizeof(implemented_analytic.sources) / sizeof(implemented_analytic.sources[0]))
#define N_ELEMENTS                                                                                 \
	(sizeof(implemented_analytic.elements) / sizeof(implemented_analytic.elements[0]))

/* Of a published text no more than this is shown to a person; JSON has it whole. */
#define PARAGRAPH_CHARS 2000

static bool feeds(const struct analytic_view *v, enum sensor_kind sensor)
{
	for (size_t i = 0; i < v->n_feeds; i++)
		if (v->feeds[i].sensor == sensor && v->feeds[i].trouble == NULL)
			return true;
	return false;
}

static size_t fed(const struct analytic_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < N_SOURCES; i++)
		n += feeds(v, implemented_analytic.sources[i].sensor);
	return n;
}

/* The element's value as configuration writes it. */
static void element_value(struct buf *b, const struct conf *c, const char *field)
{
	char window[INSTANT_ISO_SIZE];
	struct sv name = sv_cstr(field);

	if (sv_eq(name, SV("TimeWindow"))) {
		span_format(c->time_window, window);
		buf_str(b, window);
	} else if (sv_eq(name, SV("InspectionFailureThreshold"))) {
		buf_printf(b, "%u", c->inspection_failure_threshold);
	} else if (sv_eq(name, SV("ForegroundStateRequired"))) {
		buf_str(b, c->foreground_state_required ? "true" : "false");
	} else {
		bool apps = sv_eq(name, SV("AllowedAppList"));

		text_plural(b, apps ? c->allowed_apps.n : c->allowed_destinations.n, "entry",
			    "entries");
	}
}

static void heading(struct buf *b, const struct text_style *style, const char *title)
{
	buf_char(b, '\n');
	text_paint(b, style, PAINT_BOLD);
	buf_str(b, title);
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, '\n');
}

/* A paragraph, indented; nothing where the text is empty. */
static void paragraph(struct buf *b, const struct text_style *style, size_t indent, struct sv text)
{
	struct buf safe;

	if (sv_empty(text))
		return;
	buf_init(&safe, 1 << 20);
	text_safe(&safe, text, PARAGRAPH_CHARS);
	text_repeat(b, ' ', indent);
	text_wrap(b, buf_view(&safe), indent, indent, style);
	buf_free(&safe);
}

static void reference(struct buf *b, const char *what, const struct stix_ref *r)
{
	buf_printf(b, "  %-18s ", what);
	if (sv_empty(r->stix_id)) {
		buf_str(b, "open: nothing in the bundle names it\n");
		return;
	}
	if (r->resolved) {
		text_safe(b, r->external_id, 40);
		buf_char(b, ' ');
		text_safe(b, r->name, 120);
	} else {
		buf_str(b, "open: ");
		text_safe(b, r->stix_id, 120);
		buf_str(b, " is not in the bundle");
	}
	buf_printf(b, "%s%s\n", r->revoked ? ", revoked" : "", r->deprecated ? ", deprecated" : "");
}

static void bundle_text(struct buf *b, const struct analytic_view *v,
			const struct text_style *style)
{
	const struct stix_analytic *s = v->bundle;

	heading(b, style, "Bundle");
	if (s == NULL) {
		buf_str(b, "  none loaded (--bundle FILE, or analytic.bundle in the "
			   "configuration): only the implemented version is shown\n");
		return;
	}
	buf_printf(b, "  %-18s ", "analytic");
	text_safe(b, s->self.external_id, 40);
	buf_char(b, ' ');
	text_safe(b, s->self.name, 120);
	buf_str(b, ", version ");
	text_safe(b, s->version, 20);
	buf_str(b, ", modified ");
	text_safe(b, s->modified, 40);
	buf_printf(b, "%s%s\n  %-18s ", s->self.revoked ? ", revoked" : "",
		   s->self.deprecated ? ", deprecated" : "", "STIX");
	text_safe(b, sv_empty(s->stix_version) ? SV("version not said") : s->stix_version, 20);
	buf_str(b, ", ATT&CK spec ");
	text_safe(b, s->attack_spec_version, 20);
	buf_printf(b, ", %zu object%s read\n", s->n_objects, s->n_objects == 1 ? "" : "s");
	paragraph(b, style, 4, s->description);
	reference(b, "detection strategy", &s->strategy);
	reference(b, "technique", &s->technique);
	for (size_t i = 0; i < s->n_log_sources; i++) {
		const struct stix_log_source *l = &s->log_sources[i];

		buf_str(b, "  log source         ");
		text_safe(b, l->name, 60);
		buf_str(b, " -> ");
		if (l->component.resolved) {
			text_safe(b, l->component.external_id, 20);
			buf_char(b, ' ');
			text_safe(b, l->component.name, 80);
		} else {
			buf_str(b, "open: ");
			text_safe(b, l->component.stix_id, 120);
			buf_str(b, " is not in the bundle");
		}
		buf_char(b, '\n');
		paragraph(b, style, 4, l->channel);
	}
	for (size_t i = 0; i < s->n_elements; i++) {
		buf_str(b, "  mutable element    ");
		text_safe(b, s->elements[i].field, 60);
		buf_char(b, '\n');
		paragraph(b, style, 4, s->elements[i].description);
	}
}

static void feeds_text(struct buf *b, const struct analytic_view *v, const struct text_style *style,
		       enum sensor_kind sensor)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_feeds; i++) {
		const struct analytic_feed *f = &v->feeds[i];

		if (f->sensor != sensor)
			continue;
		n++;
		buf_str(b, f->trouble == NULL ? "    fed by " : "    not fed by ");
		text_safe(b, f->name, 60);
		if (!sv_empty(f->format)) {
			buf_str(b, " (");
			text_safe(b, f->format, 40);
			buf_char(b, ')');
		}
		if (f->scanned && f->trouble == NULL) {
			buf_str(b, ", ");
			text_plural(b, f->observations, "observation", "observations");
		}
		if (f->trouble != NULL)
			buf_printf(b, ": %s", f->trouble);
		buf_char(b, '\n');
	}
	if (n > 0)
		return;
	text_paint(b, style, PAINT_YELLOW);
	buf_str(b,
		v->asked ? "    fed by nothing" : "    no sources named: give paths, or -c FILE");
	text_paint(b, style, PAINT_PLAIN);
	buf_char(b, '\n');
	if (v->asked)
		paragraph(b, style, 4, sv_cstr(words_missing_source(sensor)));
}

void analytic_text(struct buf *b, const struct analytic_view *v, const struct text_style *style)
{
	const struct implemented_analytic *a = &implemented_analytic;

	text_paint(b, style, PAINT_BOLD);
	buf_printf(b,
		   "%s, version %s as implemented (%s; detection strategy %s, technique %s %s)\n",
		   a->external_id, a->version, a->platform, a->strategy_id, a->technique_id,
		   a->technique_name);
	text_paint(b, style, PAINT_PLAIN);
	paragraph(b, style, 0, sv_cstr(a->description.words));

	bundle_text(b, v, style);

	heading(b, style, "Mutable elements");
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		text_paint(b, style, PAINT_CYAN);
		buf_printf(b, "  %-28s ", a->elements[i].field);
		element_value(b, v->conf, a->elements[i].field);
		text_paint(b, style, PAINT_PLAIN);
		buf_char(b, '\n');
		paragraph(b, style, 4, sv_cstr(a->elements[i].description.words));
	}

	heading(b, style, "Log sources");
	for (size_t i = 0; i < N_SOURCES; i++) {
		text_paint(b, style, PAINT_CYAN);
		buf_printf(b, "  %s", a->sources[i].name);
		text_paint(b, style, PAINT_PLAIN);
		buf_printf(b, " (%s %s), from %s\n", a->sources[i].component_id,
			   a->sources[i].component_name, words_log_source(a->sources[i].sensor));
		paragraph(b, style, 4, sv_cstr(a->sources[i].channel.words));
		feeds_text(b, v, style, a->sources[i].sensor);
	}
	buf_str(b, "  identity that joins them\n");
	feeds_text(b, v, style, SENSOR_LEASE);

	heading(b, style, "Coverage");
	buf_printf(b, "  %zu of the %zu log sources are fed\n", fed(v), N_SOURCES);

	heading(b, style, "Drift");
	if (v->bundle == NULL)
		buf_str(b, "  not compared: no bundle\n");
	else if (v->n_drift == 0)
		buf_str(b, "  none: the bundle's analytic is the one implemented\n");
	for (size_t i = 0; i < v->n_drift; i++) {
		struct buf line;

		buf_init(&line, 1 << 20);
		buf_printf(&line, "%s%s, ", v->drift[i].note ? "note: " : "",
			   drift_kind_name(v->drift[i].kind));
		text_safe(&line, v->drift[i].subject, 200);
		buf_str(&line, ": ");
		text_safe(&line, v->drift[i].because, 2000);
		buf_str(b, "  - ");
		text_wrap(b, buf_view(&line), 4, 4, style);
		buf_free(&line);
	}
}

static void key_sv(struct jsonw *w, const char *key, struct sv v)
{
	jsonw_key(w, key);
	if (sv_empty(v))
		jsonw_null(w);
	else
		jsonw_sv(w, v);
}

static void ref_json(struct jsonw *w, const char *key, const struct stix_ref *r)
{
	jsonw_key(w, key);
	if (sv_empty(r->stix_id)) {
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	key_sv(w, "stix_id", r->stix_id);
	key_sv(w, "id", r->external_id);
	key_sv(w, "name", r->name);
	jsonw_key_bool(w, "resolved", r->resolved);
	jsonw_close(w, '}');
}

static void bundle_json(struct jsonw *w, const struct stix_analytic *s)
{
	jsonw_key(w, "bundle");
	if (s == NULL) {
		jsonw_null(w);
		return;
	}
	jsonw_open(w, '{');
	key_sv(w, "id", s->self.external_id);
	key_sv(w, "name", s->self.name);
	key_sv(w, "version", s->version);
	key_sv(w, "modified", s->modified);
	key_sv(w, "attack_spec_version", s->attack_spec_version);
	key_sv(w, "stix_version", s->stix_version);
	key_sv(w, "description", s->description);
	jsonw_key_bool(w, "revoked", s->self.revoked);
	jsonw_key_bool(w, "deprecated", s->self.deprecated);
	ref_json(w, "detection_strategy", &s->strategy);
	ref_json(w, "technique", &s->technique);
	jsonw_key(w, "log_sources");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_log_sources; i++) {
		jsonw_open(w, '{');
		key_sv(w, "name", s->log_sources[i].name);
		key_sv(w, "channel", s->log_sources[i].channel);
		ref_json(w, "data_component", &s->log_sources[i].component);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_key(w, "mutable_elements");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_elements; i++) {
		jsonw_open(w, '{');
		key_sv(w, "field", s->elements[i].field);
		key_sv(w, "description", s->elements[i].description);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_key_int(w, "objects", (int64_t)s->n_objects);
	jsonw_close(w, '}');
}

static void sources_json(struct jsonw *w, const struct analytic_view *v)
{
	jsonw_key(w, "log_sources");
	jsonw_open(w, '[');
	for (size_t i = 0; i < N_SOURCES; i++) {
		const struct implemented_source *s = &implemented_analytic.sources[i];

		jsonw_open(w, '{');
		key_sv(w, "name", sv_cstr(s->name));
		key_sv(w, "description", sv_cstr(s->channel.words));
		key_sv(w, "data_component", sv_cstr(s->component_id));
		key_sv(w, "kind", sv_cstr(sensor_kind_name(s->sensor)));
		jsonw_key_bool(w, "fed", feeds(v, s->sensor));
		jsonw_key(w, "sources");
		jsonw_open(w, '[');
		for (size_t k = 0; k < v->n_feeds; k++) {
			const struct analytic_feed *f = &v->feeds[k];

			if (f->sensor != s->sensor)
				continue;
			jsonw_open(w, '{');
			key_sv(w, "name", f->name);
			key_sv(w, "format", f->format);
			jsonw_key(w, "observations");
			if (f->scanned)
				jsonw_int(w, (int64_t)f->observations);
			else
				jsonw_null(w);
			jsonw_key_str(w, "trouble", f->trouble);
			jsonw_close(w, '}');
		}
		jsonw_close(w, ']');
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_key(w, "coverage");
	jsonw_open(w, '{');
	jsonw_key_int(w, "fed", (int64_t)fed(v));
	jsonw_key_int(w, "of", (int64_t)N_SOURCES);
	jsonw_close(w, '}');
}

void analytic_json(struct buf *out, const struct analytic_view *v)
{
	const struct implemented_analytic *a = &implemented_analytic;
	struct jsonw w = jsonw_on(out);
	struct buf value;

	jsonw_open(&w, '{');
	key_sv(&w, "schema", SV("pinwatch.analytic/1"));
	jsonw_key(&w, "implemented");
	jsonw_open(&w, '{');
	key_sv(&w, "id", sv_cstr(a->external_id));
	key_sv(&w, "version", sv_cstr(a->version));
	key_sv(&w, "platform", sv_cstr(a->platform));
	key_sv(&w, "detection_strategy", sv_cstr(a->strategy_id));
	key_sv(&w, "technique", sv_cstr(a->technique_id));
	key_sv(&w, "description", sv_cstr(a->description.words));
	jsonw_close(&w, '}');
	bundle_json(&w, v->bundle);
	jsonw_key(&w, "mutable_elements");
	jsonw_open(&w, '[');
	buf_init(&value, 4096);
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		buf_reset(&value);
		element_value(&value, v->conf, a->elements[i].field);
		jsonw_open(&w, '{');
		key_sv(&w, "field", sv_cstr(a->elements[i].field));
		key_sv(&w, "value", buf_view(&value));
		key_sv(&w, "description", sv_cstr(a->elements[i].description.words));
		jsonw_close(&w, '}');
	}
	buf_free(&value);
	jsonw_close(&w, ']');
	sources_json(&w, v);
	jsonw_key(&w, "drift");
	if (v->bundle == NULL) {
		jsonw_null(&w);
	} else {
		jsonw_open(&w, '[');
		for (size_t i = 0; i < v->n_drift; i++) {
			jsonw_open(&w, '{');
			key_sv(&w, "kind", sv_cstr(drift_kind_name(v->drift[i].kind)));
			jsonw_key_bool(&w, "note", v->drift[i].note);
			key_sv(&w, "subject", v->drift[i].subject);
			key_sv(&w, "because", v->drift[i].because);
			jsonw_close(&w, '}');
		}
		jsonw_close(&w, ']');
	}
	jsonw_close(&w, '}');
	buf_char(out, '\n');
}
