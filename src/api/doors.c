#include "api/doors.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/auth.h"
#include "api/backtest.h"
#include "api/pages.h"
#include "http/certificate.h"
#include "serve/admit.h"
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

static bool pick_certificate(struct doors *o, const struct daemon *d, struct http_options *options,
			     struct error *err)
{
	const struct conf *c = d->conf;
	char fingerprint[CERTIFICATE_FINGERPRINT_SIZE];

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
			daemon_log(d, LOG_INFO, "HTTPS with a certificate of its own; SHA-256 %s",
				   fingerprint);
		return true;
	}
	return admit_doors(c, err);
}

static bool open_local(struct doors *o, const struct daemon *d, const struct http_route *routes,
		       size_t n, struct error *err)
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

static void close_doors(struct doors *o)
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

static struct doors *open_doors(struct daemon *d, struct error *err)
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
		close_doors(o);
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
		close_doors(o);
		return NULL;
	}
	api_serves(o->api, o->local);
	api_serves(o->api, o->http);
	return o;
}

static void configure(struct doors *o, const struct daemon *d)
{
	api_configure(o->api, d->conf,
		      !sv_empty(d->conf->tls_certificate) || o->certificate != NULL);
	api_pages_settings(o->api, d);
}

static void changed(struct doors *o)
{
	http_wake(o->http);
	http_wake(o->local);
}

static void look(struct doors *o, const struct daemon *d)
{
	api_pages_look(o->api, d);
	api_backtest_look(o->api, d);
	changed(o);
}

static int fd(const struct doors *o) { return api_fd(o->api); }

static bool allow_changed(struct doors *o) { return (api_told(o->api) & API_NEWS_ALLOW) != 0; }

const struct doors_kind api_doors = { open_doors, close_doors, configure,    look,
				      changed,	  fd,	       allow_changed };
