#include "serve/doors.h"

#include <stdio.h>
#include <stdlib.h>

#include "serve/api_auth.h"
#include "serve/api_backtest.h"
#include "serve/api_pages.h"
#include "serve/certificate.h"
#include "serve/pushed.h"
#include "serve/web.h"

#define MAX_PATH 4096
#define THREADS 8
#define LOCAL_THREADS 2

struct doors {
	struct api *api;
	struct http_server *local, *http;
	char *certificate, *key; /* self-made */
};

static bool is_loopback(const struct addr *a)
{
	static const struct cidr all[] = {
		{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 } }, 104 },
		{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } }, 128 },
	};

	return cidr_holds(&all[0], a) || cidr_holds(&all[1], a);
}

static bool pick_certificate(struct doors *o, const struct daemon *d, struct http_options *options, struct error *err)
{
	const struct conf *c = d->conf;
	char fingerprint[CERTIFICATE_FINGERPRINT_SIZE], ip[ADDR_TEXT_SIZE];

	if (sv_empty(c->tls_certificate) != sv_empty(c->tls_key))
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: serve.tls_certificate and serve.tls_key: one is given without the other; give both",
				 d->options->config);
	if (!sv_empty(c->tls_certificate)) {
		options->certificate = c->tls_certificate.p;
		options->key = c->tls_key.p;
		options->strict_transport = true;
		return true;
	}
	if (c->tls_self_made) {
		if (!certificate_own(d->state_dir, &c->listen.ip, &o->certificate, &o->key, err))
			return false;
		options->certificate = o->certificate;
		options->key = o->key;
		if (certificate_fingerprint(o->certificate, fingerprint))
			daemon_log(d, LOG_INFO, "HTTPS with a certificate of its own; SHA-256 %s", fingerprint);
		return true;
	}
	if (is_loopback(&c->listen.ip))
		return true;
	addr_format(&c->listen.ip, ip);
	return error_set(err, ERROR_CONFIG, 0,
			 "%s: serve.listen: %s is not loopback, and passwords and tokens do not go there in the clear: give "
			 "serve.tls_certificate and serve.tls_key, or set serve.tls_self_made, or listen on 127.0.0.1",
			 d->options->config, addr_known(&c->listen.ip) ? ip : "[::]");
}

static bool open_local(struct doors *o, const struct daemon *d, const struct http_route *routes, size_t n,
		       struct error *err)
{
	char path[MAX_PATH];
	struct http_options options = {
		.unix_path = path,
		.routes = routes,
		.n_routes = n,
		.authenticate = api_authenticate_local,
		.context = o->api,
		.threads = LOCAL_THREADS,
	};

	snprintf(path, sizeof(path), "%s/api.sock", d->state_dir);
	o->local = http_start(&options, err);
	return o->local != NULL;
}

struct doors *doors_open(struct daemon *d, struct error *err)
{
	struct http_route routes[WEB_ROUTES + 1 + API_MAX_ROUTES];
	struct doors *o = xcalloc(1, sizeof(*o));
	struct http_options options = {
		.ip = d->conf->listen.ip,
		.port = d->conf->listen.port,
		.routes = routes,
		.authenticate = api_authenticate,
		.threads = THREADS,
	};
	char path[MAX_PATH];

	snprintf(path, sizeof(path), "%s/pinwatch.db", d->state_dir);
	o->api = api_open(path, err);
	if (o->api == NULL || !pick_certificate(o, d, &options, err)) {
		doors_close(o);
		return NULL;
	}
	api_configure(o->api, d->conf, options.certificate != NULL);
	api_pages_settings(o->api, d);
	api_pages_look(o->api, d);
	api_backtest_look(o->api, d);
	web_routes(d->web, routes);
	options.n_routes = WEB_ROUTES;
	options.n_routes += pushed_route(d->pushed, &routes[options.n_routes]);
	options.n_routes += api_routes(o->api, &routes[options.n_routes]);
	options.context = o->api;
	if (open_local(o, d, routes, options.n_routes, err))
		o->http = http_start(&options, err);
	if (o->http == NULL) {
		doors_close(o);
		return NULL;
	}
	api_serves(o->api, o->local);
	api_serves(o->api, o->http);
	return o;
}

void doors_close(struct doors *o)
{
	if (o == NULL)
		return;
	http_stop(o->http);
	http_stop(o->local);
	api_close(o->api);
	free(o->certificate);
	free(o->key);
	free(o);
}

void doors_configure(struct doors *o, const struct daemon *d)
{
	api_configure(o->api, d->conf, !sv_empty(d->conf->tls_certificate) || o->certificate != NULL);
	api_pages_settings(o->api, d);
}

void doors_look(struct doors *o, const struct daemon *d)
{
	api_pages_look(o->api, d);
	api_backtest_look(o->api, d);
	doors_changed(o);
}

void doors_changed(struct doors *o)
{
	http_wake(o->http);
	http_wake(o->local);
}

struct api *doors_api(struct doors *o) { return o->api; }
