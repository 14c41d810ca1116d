/* The flow sensor's conn.log and ssl.log, JSON or TSV. It sits inside, between phones and proxy:
 * what goes through the proxy it sees as connections to the proxy, with the server's name from the
 * ClientHello.
 *
 * conn.log is written when the connection is over, ssl.log when the handshake is over or has
 * failed. Over TLS 1.3 the sensor takes an encrypted rejection for an established connection.
 */
#include "sim/render.h"

struct sensor {
	struct sim *s;
	struct sink *k;
	bool tsv;
	bool first; /* field of the line */
	unsigned number;
};

/* Field writers: JSON names what it says and leaves out what is unset, TSV does the opposite. */
static void field(struct sensor *z, const char *name)
{
	if (z->tsv) {
		if (!z->first)
			sink_char(z->k, '\t');
	} else {
		sink_str(z->k, z->first ? "{\"" : ",\"");
		sink_str(z->k, name);
		sink_str(z->k, "\":");
	}
	z->first = false;
}

static void text(struct sensor *z, const char *name, const char *value)
{
	if (value == NULL && !z->tsv)
		return;
	field(z, name);
	if (z->tsv) {
		sink_str(z->k, value != NULL ? value : "-");
		return;
	}
	sink_char(z->k, '"');
	sink_str(z->k, value);
	sink_char(z->k, '"');
}

static void number(struct sensor *z, const char *name, uint64_t value)
{
	field(z, name);
	sink_u64(z->k, value);
}

static void truth(struct sensor *z, const char *name, bool value)
{
	field(z, name);
	sink_str(z->k, z->tsv ? (value ? "T" : "F") : (value ? "true" : "false"));
}

static void seconds(struct sensor *z, const char *name, int64_t ns)
{
	field(z, name);
	sink_seconds(z->k, ns, 6);
}

static void address(struct sensor *z, const char *name, uint32_t ip)
{
	field(z, name);
	if (!z->tsv)
		sink_char(z->k, '"');
	sink_ip(z->k, ip);
	if (!z->tsv)
		sink_char(z->k, '"');
}

static void end_record(struct sensor *z)
{
	if (!z->tsv)
		sink_char(z->k, '}');
	z->first = true;
}

/* "C" and 17 letters or digits. */
static void uid(struct sensor *z, uint64_t index)
{
	static const char letters[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t x = rng_mix(z->s->o->seed ^ index << 8 ^ z->number);
	char out[19] = "C";

	for (int i = 1; i < 18; i++) {
		out[i] = letters[x % 62];
		x = i == 9 ? rng_mix(x ^ index) : x / 62;
	}
	text(z, "uid", out);
}

static void ends(struct sensor *z, const struct sim_conn *c)
{
	bool proxied = c->route == ROUTE_BUMP || c->route == ROUTE_SPLICE;

	address(z, "id.orig_h", sim_conn_client(z->s, c));
	number(z, "id.orig_p", c->port);
	address(z, "id.resp_h",
		proxied ? UINT32_C(0x0a000005) : z->s->hosts[z->s->pairs[c->pair].host].ip);
	number(z, "id.resp_p", proxied ? SIM_PROXY_PORT : 443);
}

static void traffic(struct sensor *z, uint64_t out, uint64_t in, const char *state, bool local_resp,
		    const char *history)
{
	uint64_t out_packets = 6 + out / 1200, in_packets = 5 + in / 1300;

	number(z, "orig_bytes", out);
	number(z, "resp_bytes", in);
	text(z, "conn_state", state);
	truth(z, "local_orig", true);
	truth(z, "local_resp", local_resp);
	number(z, "missed_bytes", 0);
	text(z, "history", history);
	number(z, "orig_pkts", out_packets);
	number(z, "orig_ip_bytes", out + out_packets * 52);
	number(z, "resp_pkts", in_packets);
	number(z, "resp_ip_bytes", in + in_packets * 52);
	end_record(z);
}

static void write_conn(struct sensor *z, const struct sim_conn *c, uint64_t index)
{
	const char *state = "SF", *history;
	bool client = (c->flags & CONN_CLIENT_CLOSES) != 0;
	const char *service = "ssl";

	if (c->route == ROUTE_QUIC) {
		history = "Dd";
		service = "quic,ssl";
	} else if (c->flags & CONN_RESET) {
		state = client ? "RSTO" : "RSTR";
		history = client ? "ShADadR" : "ShADadr";
	} else {
		history = client ? "ShADadFf" : "ShADadfF";
	}
	if (c->happening == HAPPENED_GONE)
		service = NULL;
	seconds(z, "ts", c->start);
	uid(z, index);
	ends(z, c);
	text(z, "proto", c->route == ROUTE_QUIC ? "udp" : "tcp");
	text(z, "service", service);
	seconds(z, "duration", (int64_t)c->duration_us * 1000);
	traffic(z, c->bytes_out, c->bytes_in, state, c->route < ROUTE_DIRECT, history);
}

/* The name service, before a connection now and then: no TLS, nothing to read. */
static void write_dns(struct sensor *z, const struct sim_conn *c, uint64_t index)
{
	seconds(z, "ts", c->start - 9 * NS_PER_MS);
	uid(z, index | UINT64_C(1) << 40);
	address(z, "id.orig_h", sim_conn_client(z->s, c));
	number(z, "id.orig_p", 49152 + (c->port + 7919u) % 16384);
	address(z, "id.resp_h", UINT32_C(0x0a000035));
	number(z, "id.resp_p", 53);
	text(z, "proto", "udp");
	text(z, "service", "dns");
	seconds(z, "duration", (int64_t)(rng_mix(index) % 20000) * 1000 + 900000);
	traffic(z, 41, 137, "SF", true, "Dd");
}

struct handshake {
	bool established;
	const char *history, *alert;
	const char *version, *cipher;
	const char *curve;
};

static struct handshake handshake_of(const struct sim_conn *c)
{
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];
	struct handshake h = { true,	      stack->tls13 ? "CsiI" : "CsxknGIi",
			       NULL,	      stack->zeek_version,
			       stack->cipher, stack->tls13 ? "x25519" : "secp256r1" };

	switch ((enum sim_happening)c->happening) {
	case HAPPENED_REJECT:
	case HAPPENED_EXPIRED:
		if (!stack->clear_alerts)
			break; /* encrypted: looks established */
		h.established = false;
		h.history = stack->tls13 ? "CsiL" : "CsxknL";
		h.alert = c->happening == HAPPENED_EXPIRED ? "certificate_expired"
			  : stack->alert == 48		   ? "unknown_ca"
							   : "certificate_unknown";
		break;
	case HAPPENED_FIN:
	case HAPPENED_RST:
		h.established = false;
		h.history = stack->tls13 ? "Csi" : "Csxkn";
		break;
	case HAPPENED_MISMATCH:
		h = (struct handshake){ false, "Cl", "protocol_version", NULL, NULL, NULL };
		break;
	default:
		break;
	}
	if (c->route == ROUTE_QUIC) {
		/* Only the first flights of QUIC are readable to a bystander. */
		h.established = false;
		h.history = "Cs";
	}
	return h;
}

static int64_t ssl_written(const struct sim_conn *c)
{
	int64_t handshake = c->start + (int64_t)c->handshake_us * 1000;

	return handshake_of(c).established ? handshake : sim_conn_end(c);
}

static void write_ssl(struct sensor *z, const struct sim_conn *c, uint64_t index)
{
	const struct sim_stack_facts *stack = &sim_stacks[c->stack];
	struct handshake h = handshake_of(c);
	bool certificate = !stack->tls13 && c->happening != HAPPENED_MISMATCH;

	seconds(z, "ts", c->start + (int64_t)c->handshake_us * 200);
	uid(z, index);
	ends(z, c);
	text(z, "version", h.version);
	text(z, "cipher", h.cipher);
	text(z, "curve", h.curve);
	text(z, "server_name", sim_conn_host(z->s, c));
	truth(z, "resumed", false);
	text(z, "last_alert", h.alert);
	text(z, "next_protocol", NULL);
	truth(z, "established", h.established);
	text(z, "ssl_history", h.history);
	/* Up to TLS 1.2 the certificate is in the clear; on the inside it is the proxy's. */
	text(z, "issuer",
	     !certificate	       ? NULL
	     : (c->flags & CONN_GUEST) ? "CN=Guest Portal CA"
	     : c->route == ROUTE_BUMP  ? "CN=" SIM_ISSUER ",O=Acme"
				       : "CN=Public Root R1,O=Public Trust");
	text(z, "ja3", stack->ja3);
	text(z, "ja4", c->route == ROUTE_QUIC ? stack->quic_ja4 : stack->ja4);
	end_record(z);
}

static void write_heading(struct sensor *z, const char *path, const char *fields, const char *types)
{
	if (!z->tsv)
		return;
	sink_str(z->k,
		 "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n");
	sink_printf(z->k, "#path\t%s\n#open\t2026-11-16-00-00-00\n", path);
	sink_printf(z->k, "#fields\t%s\n#types\t%s\n", fields, types);
}

#define ID_FIELDS "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"
#define ID_TYPES "time\tstring\taddr\tport\taddr\tport\t"

enum { PART_TLS, PART_DNS };

static bool seen_by(const struct sim *s, const struct sim_conn *c, unsigned number)
{
	return (c->flags & (CONN_PROXY_ONLY | CONN_NO_FLOW)) == 0 &&
	       (number == 0 || s->devices[c->device].second_sensor);
}

static bool render_conn(struct sim *s, unsigned which, const char *name, struct error *err)
{
	struct sim_log log = { 0 };
	struct sim_file f;
	struct sensor z = { s, &f.sink, s->o->zeek_tsv, true, which };

	if (!sim_file_open(s, &f, name, err))
		return false;
	for (size_t i = 0; i < s->n_conns; i++) {
		const struct sim_conn *c = &s->conns[i];
		if (!seen_by(s, c, which))
			continue;
		sim_log_add(&log, sim_conn_end(c) + sim_conn_put_off(c, i), i, PART_TLS);
		if (i > 0 && rng_mix(s->o->seed ^ i << 20) % 12 == 0)
			sim_log_add(&log, c->start, i, PART_DNS);
	}
	sim_log_order(s, &log, name);
	write_heading(&z, "conn",
		      ID_FIELDS "proto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\t"
				"local_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\t"
				"orig_ip_bytes\tresp_pkts\tresp_ip_bytes",
		      ID_TYPES "enum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\t"
			       "string\tcount\tcount\tcount\tcount");
	for (size_t i = 0; i < log.n; i++) {
		const struct sim_conn *c = &s->conns[log.lines[i].item];
		if (log.lines[i].part == PART_TLS)
			write_conn(&z, c, log.lines[i].item);
		else
			write_dns(&z, c, log.lines[i].item);
		sim_file_line(&f);
	}
	if (z.tsv)
		sink_str(&f.sink, "#close\t2026-12-31-00-00-00\n");
	sim_log_free(&log);
	return sim_file_close(s, &f, err);
}

static bool render_ssl(struct sim *s, unsigned which, const char *name, struct error *err)
{
	struct sim_log log = { 0 };
	struct sim_file f;
	struct sensor z = { s, &f.sink, s->o->zeek_tsv, true, which };

	if (!sim_file_open(s, &f, name, err))
		return false;
	for (size_t i = 0; i < s->n_conns; i++)
		if (seen_by(s, &s->conns[i], which) && s->conns[i].happening != HAPPENED_GONE)
			sim_log_add(&log,
				    ssl_written(&s->conns[i]) + sim_conn_put_off(&s->conns[i], i),
				    i, 0);
	sim_log_order(s, &log, name);
	write_heading(&z, "ssl",
		      ID_FIELDS "version\tcipher\tcurve\tserver_name\tresumed\tlast_alert\t"
				"next_protocol\testablished\tssl_history\tissuer\tja3\tja4",
		      ID_TYPES
		      "string\tstring\tstring\tstring\tbool\tstring\tstring\tbool\tstring\t"
		      "string\tstring\tstring");
	for (size_t i = 0; i < log.n; i++) {
		write_ssl(&z, &s->conns[log.lines[i].item], log.lines[i].item);
		sim_file_line(&f);
	}
	if (z.tsv)
		sink_str(&f.sink, "#close\t2026-12-31-00-00-00\n");
	sim_log_free(&log);
	return sim_file_close(s, &f, err);
}

bool sim_render_zeek(struct sim *s, struct error *err)
{
	bool second = false;

	for (uint32_t d = 0; d < s->n_devices; d++)
		second = second || s->devices[d].second_sensor;
	if (!render_conn(s, 0, "conn.log", err) || !render_ssl(s, 0, "ssl.log", err))
		return false;
	return !second ||
	       (render_conn(s, 1, "conn-b.log", err) && render_ssl(s, 1, "ssl-b.log", err));
}
