/* The proxy's event log as mitmdump writes it, one file a day. Since version 9 with a time of day:
 *
 *   [08:10:17.802][10.8.0.14:52854] client connect
 *   [08:10:17.850][10.8.0.14:52854] server connect api.bank.test:443 (203.0.113.9:443)
 *   [08:10:17.861][10.8.0.14:52854] Client TLS handshake failed. The client does not trust …
 *   [08:10:17.880][10.8.0.14:52854] client disconnect
 *
 * and before (`timeless`) as `10.8.0.14:52854: client connect`. A request is written when it has
 * been answered, without a time in either form. The day is nowhere in the file: each is last
 * modified at the end of its day.
 */
#include <stdio.h>

#include "sim/render.h"

/* A connection's lines, in their order. */
enum {
	LINE_CLIENT,
	LINE_SERVER,
	LINE_FAILURE,
	LINE_REQUEST,
	LINE_END = LINE_REQUEST + 8,
	LINE_PROBE
};

struct file {
	struct sim_file f;
	char name[40];
	int64_t day; /* since 1970; −1: none open */
};

static void stamp(const struct sim *s, struct sink *k, uint32_t ip, unsigned port, int64_t time)
{
	int64_t ms = (time + s->proxy_ahead) % NS_PER_DAY / NS_PER_MS;

	if (s->o->timeless) {
		sink_ip(k, ip);
		sink_printf(k, ":%u: ", port);
		return;
	}
	sink_printf(k, "[%02d:%02d:%02d.%03d][", (int)(ms / 3600000), (int)(ms / 60000 % 60),
		    (int)(ms / 1000 % 60), (int)(ms % 1000));
	sink_ip(k, ip);
	sink_printf(k, ":%u] ", port);
}

/* A line of connection c with one text. */
static void event(const struct sim *s, struct sim_file *f, const struct sim_conn *c, int64_t time,
		  const char *text)
{
	stamp(s, &f->sink, sim_conn_client(s, c), c->port, time);
	sink_str(&f->sink, text);
	sim_file_line(f);
}

static const char *alert_words(unsigned alert)
{
	switch (alert) {
	case 42:
		return "sslv3 alert bad certificate";
	case 45:
		return "sslv3 alert certificate expired";
	case 48:
		return "tlsv1 alert unknown ca";
	default:
		return "sslv3 alert certificate unknown";
	}
}

/* The sentence for what went wrong, or empty. */
static void failure_text(const struct sim *s, const struct sim_conn *c, char *out, size_t size)
{
	const char *host = sim_conn_host(s, c);
	unsigned alert = sim_stacks[c->stack].alert;

	*out = '\0';
	switch ((enum sim_happening)c->happening) {
	case HAPPENED_REJECT:
		/* The words for an unknown authority stand alone, as the one case it expects. */
		snprintf(out, size,
			 "Client TLS handshake failed. The client does not trust the proxy's "
			 "certificate for %s (%s%s%s)",
			 host, alert == 48 ? "" : "OpenSSL Error([('SSL routines', '', '",
			 alert_words(alert), alert == 48 ? "" : "')])");
		break;
	case HAPPENED_EXPIRED:
		snprintf(out, size,
			 "Client TLS handshake failed. The client may not trust the proxy's "
			 "certificate for %s (OpenSSL Error([('SSL routines', '', '%s')]))",
			 host, alert_words(45));
		break;
	case HAPPENED_FIN:
	case HAPPENED_RST:
		snprintf(
		    out, size,
		    "Client TLS handshake failed. The client disconnected during the handshake. "
		    "If this happens consistently for %s, this may indicate that the client does "
		    "not trust the proxy's certificate.",
		    host);
		break;
	case HAPPENED_MISMATCH:
		snprintf(
		    out, size,
		    "Client TLS handshake failed. Client and mitmproxy cannot agree on a TLS "
		    "version to use. You may need to adjust mitmproxy's tls_version_client_min "
		    "option.");
		break;
	case HAPPENED_MTLS_ALERT:
		snprintf(out, size,
			 "Server TLS handshake failed. OpenSSL Error([('SSL routines', '', 'sslv3 "
			 "alert handshake failure')])");
		break;
	case HAPPENED_MTLS_LATE:
		snprintf(out, size,
			 "TLS Error: OpenSSL Error([('SSL routines', '', 'tlsv13 alert certificate "
			 "required')])");
		break;
	case HAPPENED_BAD_ORIGIN:
		snprintf(out, size,
			 "Server TLS handshake failed. Certificate verify failed: self-signed "
			 "certificate in certificate chain");
		break;
	default: /* nothing is said of those who leave without a word */
		break;
	}
}

static void server_line(const struct sim *s, struct sim_file *f, const struct sim_conn *c,
			int64_t time, const char *what)
{
	stamp(s, &f->sink, sim_conn_client(s, c), c->port, time);
	sink_printf(&f->sink, "server %s %s:443 (", what, sim_conn_host(s, c));
	sink_ip(&f->sink, s->hosts[s->pairs[c->pair].host].ip);
	sink_str(&f->sink, ":443)");
	sim_file_line(f);
}

/* The request line and the response's under it. */
static void request(const struct sim *s, struct sim_file *f, const struct sim_conn *c,
		    unsigned number)
{
	static const char *const paths[] = { "/",	    "/v1/sync",	   "/v2/items?page=1",
					     "/img/a.webp", "/api/status", "/feed.json" };
	uint64_t pick = rng_mix((uint64_t)c->start ^ number);
	uint32_t bytes = c->bytes_in / c->requests;

	sink_ip(&f->sink, sim_conn_client(s, c));
	sink_printf(&f->sink, ":%u: GET https://%s%s HTTP/2.0", c->port, sim_conn_host(s, c),
		    paths[pick % (sizeof(paths) / sizeof(paths[0]))]);
	sink_line(&f->sink);
	if (bytes < 1024)
		sink_printf(&f->sink, "     << HTTP/2.0 200 OK %ub", bytes);
	else
		sink_printf(&f->sink, "     << HTTP/2.0 200 OK %u.%uk", bytes / 1024,
			    bytes % 1024 * 10 / 1024);
	sim_file_line(f);
}

/* A phone that joins a network asks whether it is a captive one, in the clear. */
static void probe(const struct sim *s, struct sim_file *f, const struct sim_conn *c, int64_t time)
{
	uint32_t ip = sim_conn_client(s, c);

	stamp(s, &f->sink, ip, 49151, time);
	sink_str(&f->sink, "client connect");
	sim_file_line(f);
	stamp(s, &f->sink, ip, 49151, time);
	sink_str(&f->sink, "server connect captive.apple.com:80 (17.253.57.210:80)");
	sim_file_line(f);
	sink_ip(&f->sink, ip);
	sink_str(&f->sink, ":49151: GET http://captive.apple.com/hotspot-detect.html");
	sink_line(&f->sink);
	sink_str(&f->sink, "              << 200 OK 69b");
	sim_file_line(f);
	stamp(s, &f->sink, ip, 49151, time);
	sink_str(&f->sink, "client disconnect");
	sim_file_line(f);
}

static bool has_requests(const struct sim_conn *c)
{
	return c->happening == HAPPENED_OK && c->route == ROUTE_BUMP;
}

/* When the connection's line is written. */
static int64_t written_at(const struct sim_conn *c, unsigned part)
{
	int64_t handshake = (int64_t)c->handshake_us * 1000;
	int64_t rest = (int64_t)c->duration_us * 1000 - handshake;

	if (part == LINE_CLIENT)
		return c->start;
	if (part == LINE_SERVER)
		return c->start + handshake / 2;
	if (part == LINE_FAILURE)
		return c->start + handshake;
	if (part == LINE_END)
		return sim_conn_end(c);
	/* Answers come within the first seconds, however long the connection is then kept. */
	if (rest > 6 * NS_PER_S)
		rest = 6 * NS_PER_S;
	return c->start + handshake + rest * (part - LINE_REQUEST + 1) / (c->requests + 1);
}

static void add_lines(const struct sim *s, struct sim_log *log, size_t i)
{
	const struct sim_conn *c = &s->conns[i];
	int64_t put_off = sim_conn_put_off(c, i);
	char text[512];

	if (c->flags & CONN_FUTURE)
		put_off += SIM_LEAP(s);
	sim_log_add(log, written_at(c, LINE_CLIENT) + put_off, i, LINE_CLIENT);
	/* Who leaves before the server has answered is gone before there is a server to speak
	 * of. */
	if (c->happening != HAPPENED_GONE)
		sim_log_add(log, written_at(c, LINE_SERVER) + put_off, i, LINE_SERVER);
	failure_text(s, c, text, sizeof(text));
	if (*text != '\0')
		sim_log_add(log, written_at(c, LINE_FAILURE) + put_off, i, LINE_FAILURE);
	for (unsigned k = 0; k < c->requests && has_requests(c); k++)
		sim_log_add(log, written_at(c, LINE_REQUEST + k) + put_off, i, LINE_REQUEST + k);
	sim_log_add(log, written_at(c, LINE_END) + put_off, i, LINE_END);
	if (i > 0 && rng_mix(s->o->seed ^ i) % 400 == 0)
		sim_log_add(log, c->start, i, LINE_PROBE);
}

static void write_line(const struct sim *s, struct sim_file *f, const struct sim_line *line)
{
	const struct sim_conn *c = &s->conns[line->item];
	int64_t time = written_at(c, line->part);
	char text[512];

	if (c->flags & CONN_FUTURE)
		time += SIM_LEAP(s);
	switch (line->part) {
	case LINE_CLIENT:
		event(s, f, c, time, "client connect");
		return;
	case LINE_SERVER:
		server_line(s, f, c, time, "connect");
		return;
	case LINE_FAILURE:
		failure_text(s, c, text, sizeof(text));
		event(s, f, c, time, text);
		return;
	case LINE_END:
		event(s, f, c, time, "client disconnect");
		if (c->happening != HAPPENED_GONE)
			server_line(s, f, c, time, "disconnect");
		return;
	case LINE_PROBE:
		probe(s, f, c, c->start);
		return;
	default:
		request(s, f, c, line->part - LINE_REQUEST);
	}
}

static bool close_day(struct sim *s, struct file *out, struct error *err)
{
	if (out->day < 0)
		return true;
	sink_modified(&out->f.sink, (out->day + 1) * NS_PER_DAY - NS_PER_S);
	out->day = -1;
	return sim_file_close(s, &out->f, err);
}

static bool open_day(struct sim *s, struct file *out, int64_t day, struct error *err)
{
	char iso[INSTANT_ISO_SIZE];

	instant_format_iso((struct instant){ day * NS_PER_DAY }, iso);
	snprintf(out->name, sizeof(out->name), "mitmdump-%.10s.log", iso);
	if (!sim_file_open(s, &out->f, out->name, err))
		return false;
	out->day = day;
	/* The process runs on, only its log begins anew. */
	if (day != (s->start.ns + s->proxy_ahead) / NS_PER_DAY)
		return true;
	sink_str(&out->f.sink, s->o->timeless
				   ? "Proxy server listening at *:3128"
				   : "[00:00:00.000] HTTP(S) proxy listening at *:3128.");
	sim_file_line(&out->f);
	return true;
}

bool sim_render_mitmproxy(struct sim *s, struct error *err)
{
	struct file out = { .day = -1 };
	struct sim_log log = { 0 };
	bool ok = true;

	for (size_t i = 0; i < s->n_conns; i++)
		if (s->conns[i].route == ROUTE_BUMP || s->conns[i].route == ROUTE_SPLICE)
			add_lines(s, &log, i);
	sim_log_order_items(s, &log);
	for (size_t i = 0; i < log.n && ok; i++) {
		int64_t day = (log.lines[i].key + s->proxy_ahead) / NS_PER_DAY;
		if (day != out.day)
			ok = close_day(s, &out, err) && open_day(s, &out, day, err);
		if (ok)
			write_line(s, &out.f, &log.lines[i]);
	}
	sim_log_free(&log);
	return close_day(s, &out, err) && ok;
}
