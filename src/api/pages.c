#include "api/pages.h"

#include "api/internal.h"
#include "conf/assign.h"
#include "conf/options.h"
#include "emit/finding_json.h"
#include "model/observation.h"
#include "serve/status.h"

#define MAX_PAGE ((size_t)64 << 20)
#define MAX_VALUE ((size_t)1 << 20)

/* ---- handlers */

static void page(void *context, enum api_page which, const struct http_request *q,
		 struct http_response *r)
{
	if (api_only(q, NULL, 0, r))
		api_published(context, which, r);
}

static void get_status(void *context, const struct http_request *q, struct http_response *r)
{
	page(context, API_STATUS, q, r);
}

static void get_sources(void *context, const struct http_request *q, struct http_response *r)
{
	page(context, API_SOURCES, q, r);
}

static void get_settings(void *context, const struct http_request *q, struct http_response *r)
{
	page(context, API_SETTINGS, q, r);
}

static void get_analytic(void *context, const struct http_request *q, struct http_response *r)
{
	page(context, API_ANALYTIC, q, r);
}

size_t api_pages_routes(struct api *a, struct http_route *out)
{
	static const struct api_route list[] = {
		{ "GET", API_PREFIX "/status", HTTP_VIEWER, get_status, false },
		{ "GET", API_PREFIX "/sources", HTTP_VIEWER, get_sources, false },
		{ "GET", API_PREFIX "/settings", HTTP_VIEWER, get_settings, false },
		{ "GET", API_PREFIX "/analytic", HTTP_VIEWER, get_analytic, false },
	};

	return api_add_routes(a, list, sizeof(list) / sizeof(list[0]), out);
}

/* ---- publishing */

/* Where secrets lie is nobody's business who only looks. */
static bool is_secret(const struct option *o)
{
	return o->type == OPTION_PATH && (sv_ends(option_leaf(o), SV("token_file")) ||
					  sv_ends(option_leaf(o), SV("secret_file")) ||
					  sv_ends(option_leaf(o), SV("tls_key")));
}

static void option_json(struct jsonw *w, const struct option *o, const void *record,
			const struct conf_origin *origin)
{
	struct buf value;
	bool set;

	buf_init(&value, MAX_VALUE);
	set = option_format(o, record, &value);
	jsonw_open(w, '{');
	jsonw_key_str(w, "option", o->path);
	jsonw_key(w, "value");
	if (set && is_secret(o))
		jsonw_str(w, "(set)");
	else if (set)
		jsonw_sv(w, buf_view(&value));
	else
		jsonw_null(w);
	jsonw_key_str(w, "file", origin->file);
	jsonw_key_int(w, "line", origin->line);
	jsonw_key_str(w, "description", o->description);
	jsonw_close(w, '}');
	buf_free(&value);
}

static void options_json(struct jsonw *w, const void *record, const struct conf_origin *origins,
			 bool of_source)
{
	jsonw_key(w, "options");
	jsonw_open(w, '[');
	for (size_t i = 0; i < option_count; i++)
		if (option_of_source(&option_table[i]) == of_source)
			option_json(w, &option_table[i], record, &origins[i]);
	jsonw_close(w, ']');
}

static void settings_json(struct buf *out, const struct conf *c)
{
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	jsonw_key_full(&w, "file", c->file);
	options_json(&w, c, c->_origins, false);
	jsonw_key(&w, "sources");
	jsonw_open(&w, '[');
	for (size_t i = 0; i < c->n_sources; i++) {
		jsonw_open(&w, '{');
		jsonw_key_said(&w, "name", c->sources[i].name);
		options_json(&w, &c->sources[i], c->sources[i]._origins, true);
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_char(out, '\n');
}

/* One of the analytic's four log sources: how it stands, and who feeds it. */
static void log_source_json(struct jsonw *w, const struct daemon *d, enum sensor_kind kind)
{
	jsonw_open(w, '{');
	jsonw_key_str(w, "log_source", log_source_name(kind));
	jsonw_key_str(w, "status", source_status_name(live_sources_status(&d->sources, kind)));
	jsonw_key(w, "sources");
	jsonw_open(w, '[');
	for (size_t i = 0; i < d->sources.n; i++)
		if ((d->sources.list[i]->counts.sensors & 1u << kind) != 0)
			jsonw_sv(w, d->sources.list[i]->name);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

static void write_analytic(struct buf *out, const struct daemon *d)
{
	static const enum sensor_kind kinds[] = { SENSOR_MDM, SENSOR_EDR, SENSOR_FLOW,
						  SENSOR_INSPECTION };
	struct jsonw w = jsonw_on(out);

	jsonw_open(&w, '{');
	finding_json_analytic(&w, &d->keeper.settings);
	jsonw_key(&w, "coverage");
	jsonw_open(&w, '[');
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		log_source_json(&w, d, kinds[i]);
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	buf_char(out, '\n');
}

void api_pages_look(struct api *a, const struct daemon *d)
{
	struct buf b;

	buf_init(&b, MAX_PAGE);
	status_json(&b, d);
	api_publish(a, API_STATUS, buf_view(&b));
	buf_reset(&b);
	status_sources_json(&b, d);
	api_publish(a, API_SOURCES, buf_view(&b));
	buf_reset(&b);
	write_analytic(&b, d);
	api_publish(a, API_ANALYTIC, buf_view(&b));
	buf_free(&b);
}

void api_pages_settings(struct api *a, const struct daemon *d)
{
	struct buf b;

	buf_init(&b, MAX_PAGE);
	settings_json(&b, d->conf);
	api_publish(a, API_SETTINGS, buf_view(&b));
	buf_free(&b);
}
