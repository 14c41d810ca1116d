#include "serve/pushed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parse/parser.h"
#include "read/syslog_listener.h"
#include "scan/capture.h"
#include "scan/settings.h"
#include "serve/ingest.h"
#include "serve/wire_live.h"

#define MAX_PATH 4096
#define MAX_SECRET 65536

struct pushed_source {
	const struct conf_source *conf; /* as of the start */
	struct sv name;
	struct spool *spool;
	struct syslog_listener **listeners;
	size_t n_listeners;
	struct sv token, secret;
	struct wire_live *wire; /* of an interface */
	struct settings settings;
};

struct pushed {
	struct daemon *d;
	struct pushed_source *list;
	size_t n;
	struct ingest *ingest;
	struct arena arena;
};

static bool is_pushed(const struct conf_source *c)
{
	return c->listen.n > 0 || c->ingest || !sv_empty(c->interface);
}

static bool read_word(struct sv path, struct arena *a, struct sv *out, struct error *err)
{
	char text[MAX_SECRET];
	FILE *f = fopen(path.p, "re");
	size_t n;

	if (f == NULL)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path.p,
				 strerror(errno));
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	*out = arena_sv(a, sv_trim(sv_make(text, n)));
	return out->n > 0 ||
	       error_set(err, ERROR_CONFIG, 0, "%s: is empty: expected a token or secret", path.p);
}

static bool open_source(struct pushed *p, const struct conf_source *c, struct error *err)
{
	struct pushed_source *s = &p->list[p->n++];
	char dir[MAX_PATH];
	const struct spool_options options = {
		.dir = dir,
		.max_size = c->spool_size,
		.max_record = p->d->conf->max_record,
	};

	*s = (struct pushed_source){ .conf = c, .name = arena_sv(&p->arena, c->name) };
	if (snprintf(dir, sizeof(dir), "%s/spool/%.*s", p->d->state_dir, SV_ARG(c->name)) >=
	    MAX_PATH)
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: the path is longer than any file's; name another",
				 p->d->state_dir);
	if ((!sv_empty(c->token_file) && !read_word(c->token_file, &p->arena, &s->token, err)) ||
	    (!sv_empty(c->secret_file) && !read_word(c->secret_file, &p->arena, &s->secret, err)))
		return false;
	s->spool = spool_open(&options, err);
	return s->spool != NULL;
}

struct pushed *pushed_open(struct daemon *d, struct error *err)
{
	struct pushed *p = xcalloc(1, sizeof(*p));
	char dir[MAX_PATH];
	bool ok;

	p->d = d;
	p->list = xcalloc(d->conf->n_sources + 1, sizeof(*p->list));
	snprintf(dir, sizeof(dir), "%s/spool", d->state_dir);
	ok = mkdir(dir, 0750) == 0 || errno == EEXIST ||
	     error_set(err, ERROR_IO, 0, "%s: cannot be made: %s", dir, strerror(errno));
	for (size_t i = 0; i < d->conf->n_sources && ok; i++)
		if (is_pushed(&d->conf->sources[i]))
			ok = open_source(p, &d->conf->sources[i], err);
	if (ok)
		return p;
	pushed_close(p);
	return NULL;
}

static bool start_listener(struct pushed *p, struct pushed_source *s, struct sv where,
			   struct error *err)
{
	const struct conf *c = p->d->conf;
	enum conf_transport transport;
	struct conf_endpoint at;
	struct syslog_options options = { .spool = s->spool };

	if (!conf_listen(where, &transport, &at))
		return error_set(err, ERROR_CONFIG, 0,
				 "source %.*s: listen: expected udp://, tcp:// or tls://",
				 SV_ARG(s->name));
	options.transport = transport == CONF_UDP   ? SYSLOG_UDP
			    : transport == CONF_TCP ? SYSLOG_TCP
						    : SYSLOG_TLS;
	options.ip = at.ip;
	options.port = at.port;
	options.max_message = (size_t)c->max_record;
	if (transport == CONF_TLS) {
		options.certificate = c->tls_certificate.p;
		options.key = c->tls_key.p;
		options.client_ca = sv_empty(c->tls_client_ca) ? NULL : c->tls_client_ca.p;
		if (sv_empty(c->tls_certificate) || sv_empty(c->tls_key))
			return error_set(err, ERROR_CONFIG, 0,
					 "source %.*s: syslog over TLS needs serve.tls_certificate "
					 "and serve.tls_key",
					 SV_ARG(s->name));
	}
	s->listeners = xrealloc(s->listeners, s->n_listeners + 1, sizeof(struct syslog_listener *));
	s->listeners[s->n_listeners] = syslog_listener_start(&options, err);
	if (s->listeners[s->n_listeners] == NULL)
		return false;
	s->n_listeners++;
	return true;
}

static bool start_capture(struct pushed *p, struct pushed_source *s, struct error *err)
{
	char heard[MAX_PATH];
	struct wire_live_options options = {
		.interface = s->conf->interface.p,
		.filter = capture_filter(&s->conf->filter, &p->arena),
		.source = s->name,
		.spool = s->spool,
		.heard = heard,
		.settings = &s->settings,
	};

	settings_from_conf(&s->settings, p->d->conf, &p->arena);
	if (snprintf(heard, sizeof(heard), "%s/spool/%.*s.heard", p->d->state_dir,
		     SV_ARG(s->name)) >= MAX_PATH)
		return error_set(err, ERROR_CONFIG, 0,
				 "%s: the path is longer than any file's; name another",
				 p->d->state_dir);
	s->wire = wire_live_start(&options, err);
	if (s->wire == NULL)
		error_prefix(err, "source %.*s", SV_ARG(s->name));
	return s->wire != NULL;
}

static bool make_ingest(struct pushed *p, struct error *err)
{
	static const struct {
		enum hmac_algorithm algorithm;
		enum hmac_encoding encoding;
	} signatures[] = {
		[SIGNATURE_SHA256_BASE64] = { HMAC_SHA256, HMAC_BASE64 },
		[SIGNATURE_SHA256_HEX] = { HMAC_SHA256, HMAC_HEX },
		[SIGNATURE_SHA1_HEX] = { HMAC_SHA1, HMAC_HEX },
		[SIGNATURE_SHA512_HEX] = { HMAC_SHA512, HMAC_HEX },
	};
	struct ingest_source *list = xcalloc(p->n + 1, sizeof(*list));
	struct ingest_options options = { .sources = list, .max_record = p->d->conf->max_record };

	for (size_t i = 0; i < p->n; i++) {
		const struct pushed_source *s = &p->list[i];

		if (!s->conf->ingest)
			continue;
		list[options.n_sources++] = (struct ingest_source){
			.name = s->name,
			.spool = s->spool,
			.token = s->token,
			.secret = s->secret,
			.signature_header = s->conf->signature_header,
			.algorithm = signatures[s->conf->signature].algorithm,
			.encoding = signatures[s->conf->signature].encoding,
		};
	}
	if (options.n_sources > 0)
		p->ingest = ingest_new(&options, err);
	free(list);
	return options.n_sources == 0 || p->ingest != NULL;
}

bool pushed_start(struct pushed *p, struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct pushed_source *s = &p->list[i];

		for (size_t k = 0; k < s->conf->listen.n; k++)
			if (!start_listener(p, s, s->conf->listen.items[k], err))
				return false;
		if (!sv_empty(s->conf->interface) && !start_capture(p, s, err))
			return false;
	}
	return make_ingest(p, err);
}

void pushed_stop(struct pushed *p)
{
	for (size_t i = 0; p != NULL && i < p->n; i++) {
		for (size_t k = 0; k < p->list[i].n_listeners; k++)
			syslog_listener_stop(p->list[i].listeners[k]);
		p->list[i].n_listeners = 0;
		wire_live_stop(p->list[i].wire);
		p->list[i].wire = NULL;
	}
}

void pushed_close(struct pushed *p)
{
	if (p == NULL)
		return;
	pushed_stop(p);
	ingest_free(p->ingest);
	for (size_t i = 0; i < p->n; i++) {
		if (p->list[i].spool != NULL)
			spool_close(p->list[i].spool);
		free(p->list[i].listeners);
	}
	free(p->list);
	arena_free(&p->arena);
	free(p);
}

struct spool *pushed_spool(const struct pushed *p, struct sv source)
{
	for (size_t i = 0; i < p->n; i++)
		if (sv_eq(p->list[i].name, source))
			return p->list[i].spool;
	return NULL;
}

bool pushed_route(const struct pushed *p, struct http_route *out)
{
	if (p->ingest != NULL)
		*out = ingest_route(p->ingest);
	return p->ingest != NULL;
}

void pushed_look(struct pushed *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct live_source *source = live_sources_find(&p->d->sources, p->list[i].name);
		char words[WIRE_LIVE_WORDS];

		while (p->list[i].wire != NULL && wire_live_word(p->list[i].wire, words)) {
			daemon_log(p->d, LOG_WARNING, "source %.*s: %s", SV_ARG(p->list[i].name),
				   words);
			dead_letter_put(&p->d->dead, p->d->wall, p->list[i].name,
					p->list[i].conf->interface, 0, words, SV_NONE);
			if (source == NULL)
				continue;
			live_source_example(&p->d->sources, source, words);
			source->counts.errors++;
			source->changed = true;
		}
	}
}

bool pushed_capture(const struct pushed *p, struct sv source, struct wire_live_stats *out)
{
	for (size_t i = 0; i < p->n; i++)
		if (sv_eq(p->list[i].name, source) && p->list[i].wire != NULL) {
			wire_live_stats(p->list[i].wire, out);
			return true;
		}
	return false;
}

static bool same_strings(const struct conf_strings *a, const struct conf_strings *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!sv_eq(a->items[i], b->items[i]))
			return false;
	return a->n == b->n;
}

static bool is_in(const struct conf *c, const struct conf_source *s)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		const struct conf_source *o = &c->sources[i];

		if (sv_eq(o->name, s->name))
			return o->ingest == s->ingest && o->spool_size == s->spool_size &&
			       sv_eq(o->interface, s->interface) &&
			       (sv_empty(s->interface) || same_strings(&o->filter, &s->filter)) &&
			       o->signature == s->signature &&
			       same_strings(&o->listen, &s->listen) &&
			       sv_eq(o->token_file, s->token_file) &&
			       sv_eq(o->secret_file, s->secret_file) &&
			       sv_eq(o->signature_header, s->signature_header);
	}
	return false;
}

bool pushed_same(const struct conf *a, const struct conf *b)
{
	for (size_t i = 0; i < a->n_sources; i++)
		if (is_pushed(&a->sources[i]) && !is_in(b, &a->sources[i]))
			return false;
	for (size_t i = 0; i < b->n_sources; i++)
		if (is_pushed(&b->sources[i]) && !is_in(a, &b->sources[i]))
			return false;
	return a->listen.port == b->listen.port && addr_eq(&a->listen.ip, &b->listen.ip) &&
	       a->tls_self_made == b->tls_self_made &&
	       sv_eq(a->tls_certificate, b->tls_certificate) && sv_eq(a->tls_key, b->tls_key) &&
	       sv_eq(a->tls_client_ca, b->tls_client_ca);
}

static void capture_metrics(const struct pushed *p, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} all[] = {
		{ "capture_up", "gauge", "1 while the interface is captured from." },
		{ "capture_packets_total", "counter", "Packets decoded, since the start." },
		{ "capture_dropped_total", "counter",
		  "Packets that kernel or interface dropped before they were decoded, since the "
		  "start." },
		{ "capture_connections_total", "counter", "Connections seen, since the start." },
		{ "capture_incomplete_total", "counter",
		  "Connections in which bytes are missing, since the start." },
		{ "capture_gaps_total", "counter", "Times that nobody listened, since the start." },
		{ "capture_gap_seconds_total", "counter",
		  "How long nobody listened, since the start." },
	};

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		buf_printf(out, "# HELP pinwatch_%s %s\n# TYPE pinwatch_%s %s\n", all[k].name,
			   all[k].help, all[k].name, all[k].type);
		for (size_t i = 0; i < p->n; i++) {
			struct wire_live_stats s;

			if (!pushed_capture(p, p->list[i].name, &s))
				continue;
			buf_printf(out, "pinwatch_%s{source=\"%.*s\"} %llu\n", all[k].name,
				   SV_ARG(p->list[i].name),
				   (unsigned long long)(uint64_t[]){
				       s.capturing, s.wire.packets,
				       s.dropped + s.dropped_by_interface, s.wire.connections,
				       s.wire.incomplete, s.gaps,
				       (uint64_t)(s.gap.ns / NS_PER_S) }[k]);
		}
	}
}

void pushed_metrics(const struct pushed *p, struct buf *out)
{
	static const struct {
		const char *name, *type, *help;
	} all[] = {
		{ "spool_bytes", "gauge", "Disk that the source's spool takes." },
		{ "spool_waiting", "gauge", "Records in the spool that are not read yet." },
		{ "pushed_total", "counter", "Records that were pushed, since the start." },
		{ "pushed_refused_total", "counter",
		  "Records that the spool could not take, since the start." },
		{ "udp_lost_total", "counter",
		  "Datagrams that the kernel dropped, since the start." },
	};

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
		buf_printf(out, "# HELP pinwatch_%s %s\n# TYPE pinwatch_%s %s\n", all[k].name,
			   all[k].help, all[k].name, all[k].type);
		for (size_t i = 0; i < p->n; i++) {
			struct spool_stats spool;
			struct syslog_stats syslog;
			uint64_t lost = 0, value;

			spool_stats(p->list[i].spool, &spool);
			for (size_t l = 0; l < p->list[i].n_listeners; l++) {
				syslog_listener_stats(p->list[i].listeners[l], &syslog);
				lost += syslog.lost;
			}
			value = k == 0	 ? spool.size
				: k == 1 ? spool.waiting
				: k == 2 ? spool.appended
				: k == 3 ? spool.refused_full + spool.refused_long
					 : lost;
			buf_printf(out, "pinwatch_%s{source=\"%.*s\"} %llu\n", all[k].name,
				   SV_ARG(p->list[i].name), (unsigned long long)value);
		}
	}
	capture_metrics(p, out);
}
