/* The proxy's access log, one line a transaction, in this logformat:
 *
 *   %ts.%03tu %>a %>p %Ss/%03>Hs %err_code/%err_detail %ssl::bump_mode sni=%ssl::>sni
 *   %ssl::>negotiated_version %ssl::<negotiated_version %ssl::>cert_subject err=%ssl::<cert_errors
 *   %rm %ru %<st %tr "%{User-Agent}>h"
 *
 * A line is written, and dated, at the end of its transaction: CONNECT when the handshake with the
 * client is over (a spliced tunnel: when it closes), requests when they are answered.
 */
#include <stdio.h>

#include "sim/render.h"

struct words {
	const char *status; /* %Ss/%Hs */
	const char *error;
	const char *mode;
	bool client_version, server_version;
	const char *cert_errors;
};

static struct words connect_words(const struct sim_conn *c, char error[128])
{
	struct words w = { "NONE_NONE/200", "-/-", "bump", false, true, "-" };
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];

	switch ((enum sim_happening)c->happening) {
	case HAPPENED_OK:
	case HAPPENED_LATE:
	case HAPPENED_IDLE:
	case HAPPENED_MTLS_LATE:
		w.client_version = true;
		break;
	case HAPPENED_REJECT:
	case HAPPENED_EXPIRED:
		/* OpenSSL's reason is 1000 + alert. */
		snprintf(
		    error, 128,
		    "ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_LIB_ERR=A000%X+TLS_IO_ERR=1",
		    1000u + (c->happening == HAPPENED_EXPIRED ? 45u : stack->alert));
		w.error = error;
		break;
	case HAPPENED_FIN:
		w.error = "ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_IO_ERR=5";
		break;
	case HAPPENED_RST:
		w.error = "ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_IO_ERR=5+errno=104";
		break;
	case HAPPENED_MISMATCH:
		w.error =
		    "ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_LIB_ERR=A000076+TLS_IO_ERR=1";
		break;
	case HAPPENED_MTLS_ALERT:
		w.error = "ERR_SECURE_CONNECT_FAIL/"
			  "SQUID_TLS_ERR_CONNECT+TLS_LIB_ERR=A000410+TLS_IO_ERR=1";
		w.client_version = true;
		w.server_version = false;
		break;
	case HAPPENED_BAD_ORIGIN:
		w.error = "ERR_SECURE_CONNECT_FAIL/"
			  "SQUID_TLS_ERR_CONNECT+TLS_LIB_ERR=A000086+TLS_IO_ERR=1";
		w.cert_errors = "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN";
		w.client_version = true;
		w.server_version = false;
		break;
	case HAPPENED_GONE:
		w.error = "ERR_CLIENT_GONE/WITH_CLIENT";
		w.mode = "peek";
		w.server_version = false;
		break;
	}
	if (c->route == ROUTE_SPLICE) {
		w.status = "TCP_TUNNEL/200";
		w.mode = "splice";
		w.client_version = w.server_version = false;
	}
	return w;
}

/* Everything up to the method. */
static void write_start(const struct sim *s, struct sink *k, const struct sim_conn *c, int64_t time,
			const struct words *w)
{
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];

	if (c->flags & CONN_FUTURE)
		time += SIM_LEAP(s);
	sink_seconds(k, time + s->proxy_ahead, 3);
	sink_char(k, ' ');
	sink_ip(k, sim_conn_client(s, c));
	sink_char(k, ' ');
	sink_u64(k, c->port);
	sink_char(k, ' ');
	sink_str(k, w->status);
	sink_char(k, ' ');
	sink_str(k, w->error);
	sink_char(k, ' ');
	sink_str(k, w->mode);
	sink_str(k, " sni=");
	sink_str(k, sim_conn_host(s, c));
	sink_char(k, ' ');
	sink_str(k, w->client_version ? stack->squid_version : "-");
	sink_str(k, w->server_version ? " TLS/1.3 - err=" : " - - err=");
	sink_str(k, w->cert_errors);
	sink_char(k, ' ');
}

static void write_end(struct sink *k, uint64_t bytes, int64_t took, const char *agent)
{
	sink_char(k, ' ');
	sink_u64(k, bytes);
	sink_char(k, ' ');
	sink_u64(k, (uint64_t)(took / NS_PER_MS));
	sink_str(k, " \"");
	sink_str(k, agent);
	sink_char(k, '"');
}

/* When the connection's line number `part` is written: 0 the CONNECT, then the requests. */
static int64_t written_at(const struct sim_conn *c, unsigned part)
{
	int64_t handshake = (int64_t)c->handshake_us * 1000;
	int64_t rest = (int64_t)c->duration_us * 1000 - handshake;

	if (c->route == ROUTE_SPLICE)
		return sim_conn_end(c);
	if (part == 0)
		return c->start + handshake;
	/* Answers come within the first seconds, however long the connection is then kept. */
	if (rest > 6 * NS_PER_S)
		rest = 6 * NS_PER_S;
	return c->start + handshake + rest * part / (c->requests + 1);
}

static unsigned lines_of(const struct sim_conn *c)
{
	if (c->route == ROUTE_DIRECT || c->route == ROUTE_QUIC)
		return 0;
	if (c->route == ROUTE_SPLICE)
		return 1;
	switch ((enum sim_happening)c->happening) {
	case HAPPENED_OK:
		return 1u + c->requests;
	case HAPPENED_MTLS_ALERT:
	case HAPPENED_BAD_ORIGIN:
	case HAPPENED_MTLS_LATE:
		return 2;
	default:
		return 1;
	}
}

static void write_connect(const struct sim *s, struct sink *k, const struct sim_conn *c)
{
	char error[128];
	struct words w = connect_words(c, error);
	int64_t time = written_at(c, 0);

	write_start(s, k, c, time, &w);
	sink_str(k, "CONNECT ");
	sink_str(k, sim_conn_host(s, c));
	sink_str(k, ":443");
	/* Milliseconds, rounded so that end − took is not before the start. */
	write_end(k, c->route == ROUTE_SPLICE ? c->bytes_in : 0,
		  time / NS_PER_MS * NS_PER_MS - c->start / NS_PER_MS * NS_PER_MS,
		  s->apps[s->pairs[c->pair].app].agent);
}

static void write_request(const struct sim *s, struct sink *k, const struct sim_conn *c,
			  unsigned part)
{
	static const char *const paths[] = { "/",	    "/v1/sync",	   "/v2/items?page=1",
					     "/img/a.webp", "/api/status", "/feed.json" };
	uint64_t pick = rng_mix((uint64_t)c->start ^ part);
	bool failed = c->happening == HAPPENED_BAD_ORIGIN || c->happening == HAPPENED_MTLS_ALERT;
	struct words w = { .status = failed ? "NONE_NONE/503" : "TCP_MISS/200",
			   .error = failed ? "ERR_SECURE_CONNECT_FAIL/-" : "-/-",
			   .mode = failed ? "-" : "bump",
			   .client_version = true,
			   .server_version = !failed,
			   .cert_errors = "-" };

	if (c->happening == HAPPENED_MTLS_LATE) {
		w.status = "NONE_NONE/000";
		write_start(s, k, c, written_at(c, part), &w);
		sink_str(k, "- error:transaction-end-before-headers");
		write_end(k, 0, 0, "-");
		return;
	}
	write_start(s, k, c, written_at(c, part), &w);
	sink_str(k, "GET https://");
	sink_str(k, sim_conn_host(s, c));
	sink_str(k, paths[pick % (sizeof(paths) / sizeof(paths[0]))]);
	write_end(k, failed ? 4096 : c->bytes_in / c->requests,
		  (int64_t)(1 + pick % 40) * NS_PER_MS, s->apps[s->pairs[c->pair].app].agent);
}

/* A phone that joins a network asks whether it is a captive one, in the clear. */
static void write_probe(const struct sim *s, struct sink *k, const struct sim_conn *c, int64_t time)
{
	sink_seconds(k, time + s->proxy_ahead, 3);
	sink_char(k, ' ');
	sink_ip(k, sim_conn_client(s, c));
	sink_str(k, " 49151 TCP_MISS/200 -/- - sni=- - - - err=- GET "
		    "http://captive.apple.com/hotspot-detect.html 260 31 "
		    "\"CaptiveNetworkSupport-481 wispr\"");
}

#define PROBE_PART 7

bool sim_render_squid(struct sim *s, struct error *err)
{
	struct sim_log log = { 0 };
	struct sim_file f;
	bool ok = sim_file_open(s, &f, "squid-access.log", err);

	if (!ok)
		return false;
	for (size_t i = 0; i < s->n_conns; i++) {
		const struct sim_conn *c = &s->conns[i];
		int64_t put_off = sim_conn_put_off(c, i);
		for (unsigned part = 0; part < lines_of(c); part++)
			sim_log_add(&log, written_at(c, part) + put_off, i, part);
		if (i > 0 && rng_mix(s->o->seed ^ i) % 400 == 0)
			sim_log_add(&log, c->start, i, PROBE_PART);
	}
	sim_log_order(s, &log, "squid");
	for (size_t i = 0; i < log.n; i++) {
		const struct sim_conn *c = &s->conns[log.lines[i].item];
		if (log.lines[i].part == 0)
			write_connect(s, &f.sink, c);
		else if (log.lines[i].part == PROBE_PART)
			write_probe(s, &f.sink, c, c->start);
		else
			write_request(s, &f.sink, c, log.lines[i].part);
		sim_file_line(&f);
	}
	sim_log_free(&log);
	return sim_file_close(s, &f, err);
}
