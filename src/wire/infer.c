#include "wire/infer.h"

#include "wire/hello.h"

/* A failed check closes at once; a spare connection waits for something to do. */
#define IDLE_BEFORE_CLOSE (250 * NS_PER_MS)
/* A server's flight with a certificate, by bytes, where only the client's acknowledgements show
 * it. */
#define FLIGHT_BYTES 600
#define PADDING 16 /* of clients that pad records */
/* Inner content type and tag around every record of TLS 1.3. */
#define HANDSHAKE_HEADER 4

/* Lengths of records in TLS 1.3 under one suite. */
struct lengths {
	uint16_t alert, finished, empty_certificate, end_of_early_data;
};

static struct lengths lengths_of(uint16_t suite)
{
	uint16_t around = suite == 0x1305 ? 1 + 8 : 1 + 16, hash = suite == 0x1302 ? 48 : 32;

	return (struct lengths){
		.alert = (uint16_t)(2 + around),
		.finished = (uint16_t)(HANDSHAKE_HEADER + hash + around),
		.empty_certificate = (uint16_t)(HANDSHAKE_HEADER + 4 + around),
		.end_of_early_data = (uint16_t)(HANDSHAKE_HEADER + around),
	};
}

/* What the client's encrypted records of TLS 1.3 amount to. */
struct reading {
	bool rejected, finished, data;
	bool left;     /* an alert behind its Finished: it takes its leave */
	bool asked;    /* the client sent a Certificate: the origin had asked for one */
	bool declined; /* an empty one */
};

static bool is_either(uint16_t length, uint16_t plain)
{
	return length == plain || length == plain + PADDING;
}

/* Which record is the client's Finished, n_client: none. */
static unsigned finished_at(const struct infer_facts *f, const struct lengths *l, unsigned from)
{
	/* Certificate and CertificateVerify may go before it; whatever comes later is data. */
	for (unsigned i = from; i < f->n_client && i < from + 3; i++)
		if (is_either(f->client_lengths[i], l->finished))
			return i;
	return f->n_client;
}

/* Without a ServerHello the suite is unknown: SHA-384's Finished is as long as SHA-256's that is
 * padded. */
static struct lengths lengths_seen(const struct infer_facts *f)
{
	struct lengths small = lengths_of(0x1301), large = lengths_of(0x1302);

	if (f->server_hello)
		return lengths_of(f->suite);
	for (unsigned i = 0; i < f->n_client && i < 3; i++)
		if (f->client_lengths[i] == small.finished)
			return small;
	return f->n_client > 0 && f->client_lengths[0] >= large.finished ? large : small;
}

static void read_after_finished(const struct infer_facts *f, const struct lengths *l, unsigned from,
				bool padding, struct reading *r)
{
	uint16_t alert = (uint16_t)(l->alert + (padding ? PADDING : 0));

	r->finished = true;
	r->left = from < f->n_client;
	for (unsigned i = from; i < f->n_client; i++)
		r->data |= f->client_lengths[i] != alert;
}

/* Early data comes before EndOfEarlyData, or before Finished where the server would not have it. */
static unsigned skip_early_data(const struct infer_facts *f, const struct lengths *l,
				struct reading *r)
{
	for (unsigned i = 0; f->early_data && i < f->n_client; i++) {
		if (is_either(f->client_lengths[i], l->end_of_early_data)) {
			r->data = true;
			return i + 1;
		}
		if (is_either(f->client_lengths[i], l->finished))
			return i;
	}
	return 0;
}

static struct reading read_client(const struct infer_facts *f)
{
	struct lengths l = lengths_seen(f);
	struct reading r = { 0 };
	unsigned first = skip_early_data(f, &l, &r), at;
	uint16_t length;

	if (first >= f->n_client)
		return r;
	length = f->client_lengths[first];
	at = finished_at(f, &l, first);
	r.asked = at > first && at < f->n_client;
	if (at < f->n_client) {
		r.declined = r.asked && is_either(length, l.empty_certificate);
		read_after_finished(f, &l, at + 1, f->client_lengths[at] != l.finished, &r);
	} else if (length > l.finished) { /* Certificate and Finished in one record */
		r.asked = true;
		r.declined = is_either(length, (uint16_t)(l.finished + HANDSHAKE_HEADER + 4));
		read_after_finished(f, &l, first + 1, false, &r);
	} else {
		r.rejected = !is_either(length, l.empty_certificate);
	}
	return r;
}

static bool earlier(struct instant a, struct instant b)
{
	return instant_known(a) && (!instant_known(b) || a.ns < b.ns);
}

static struct instant end_of(const struct infer_side *s)
{
	return earlier(s->fin, s->rst) ? s->fin : s->rst;
}

static bool has_ended(const struct infer_side *s)
{
	return instant_known(s->fin) || instant_known(s->rst);
}

static bool is_13(const struct infer_facts *f)
{
	if (f->server_hello)
		return f->version >= TLS_1_3;
	return f->offers_13 && !f->client_answered && !f->certificate;
}

/* The server's certificate, or over TLS 1.3 its flight, has come. */
static bool flight_seen(const struct infer_facts *f)
{
	struct lengths l = lengths_of(f->suite);

	if (f->certificate)
		return true;
	if (!f->server.seen)
		return f->client_answered || f->n_client > 0 || f->server_bytes >= FLIGHT_BYTES;
	if (f->server_hello && is_13(f))
		return f->server_data > 0 && !is_either(f->server_first, l.alert);
	/* TLS ≤ 1.2: resumed, or the certificate is among what the capture missed. */
	return f->server_hello && (f->server.ccs || f->server.holes);
}

/* close_notify and user_canceled are no complaint but a way to leave. */
static bool is_leaving(int alert) { return alert == 0 || alert == 90; }

static void by_alert(const struct infer_facts *f, struct inference *out)
{
	const struct infer_side *client = &f->client, *server = &f->server;
	bool from_client = client->alert >= 0 &&
			   (server->alert < 0 || !earlier(server->alert_time, client->alert_time));

	out->alert = from_client ? client->alert : server->alert;
	out->alert_from = from_client ? SIDE_CLIENT : SIDE_SERVER;
	out->outcome = outcome_of_alert(out->alert, out->alert_from);
	if (!from_client && out->alert == 40 && f->certificate_request)
		out->outcome = MUTUAL_TLS;
	/* Gone before there was a certificate to judge. */
	if (from_client && (is_leaving(out->alert) || out->alert == 80) && !flight_seen(f))
		out->outcome = INCOMPLETE;
	if (!from_client && is_leaving(out->alert))
		out->outcome = INCOMPLETE;
	/* What the table does not know stays unknown, whoever closes then. */
	if (out->outcome == OUTCOME_UNKNOWN)
		out->established = TRI_UNKNOWN;
}

/* The end came before any encrypted word of the client. */
static void by_close(const struct infer_facts *f, struct inference *out)
{
	struct instant client = end_of(&f->client), server = end_of(&f->server);

	out->outcome = INCOMPLETE;
	if (flight_seen(f)) {
		if (instant_known(client) && !earlier(server, client))
			out->outcome = CLIENT_SILENT_CLOSE;
	} else if (!f->server_hello && f->client_hello && earlier(server, client)) {
		if (earlier(f->server.rst, f->server.fin))
			out->outcome = UPSTREAM_FAILED;
		else if (!f->usual)
			out->outcome =
			    TLS_MISMATCH; /* left without a word over an offer nobody takes */
	}
}

/* Who closes TCP first is chance where the client has taken its leave before (`left`): the server
 * answers that. */
static void late(const struct infer_facts *f, bool left, struct inference *out)
{
	struct instant client = end_of(&f->client), server = end_of(&f->server);

	if (!has_ended(&f->client) && !has_ended(&f->server)) {
		out->outcome = INCOMPLETE;
		return;
	}
	out->outcome = ESTABLISHED_NO_DATA;
	if (earlier(f->client.alert_time, client))
		client = f->client.alert_time;
	if (left && earlier(f->farewell, client))
		client = f->farewell;
	out->weak_late =
	    earlier(server, client) || !instant_known(client) ||
	    (instant_known(f->complete) && client.ns - f->complete.ns >= IDLE_BEFORE_CLOSE);
}

/* The origin asked for a certificate, and was not content with the answer: it speaks an alert at
 * once, or leaves. */
static bool refused_client(const struct infer_facts *f)
{
	struct lengths l = lengths_of(f->suite);

	if (f->n_server > 0)
		return is_either(f->server_lengths[0], l.alert);
	return has_ended(&f->server) && earlier(end_of(&f->server), end_of(&f->client));
}

static void infer_13(const struct infer_facts *all, struct inference *out)
{
	struct infer_facts certain = *all;
	const struct infer_facts *f = &certain;
	struct reading r;

	if (all->client.holes)
		certain.n_client = all->n_certain;
	r = read_client(f);
	out->data = r.data;
	if (f->client.holes && !r.rejected && !r.data) {
		/* Which record is which cannot be told any more: only many of them say
		 * something. */
		out->data = f->client_data > INFER_CLIENT / 2;
		out->outcome = out->data ? ESTABLISHED : INCOMPLETE;
		out->established = out->data ? TRI_TRUE : TRI_UNKNOWN;
	} else if (r.rejected) {
		out->outcome = CLIENT_REJECT;
	} else if (!r.finished) {
		by_close(f, out);
	} else {
		out->established = TRI_TRUE;
		if (r.asked && (!r.data || r.declined) && refused_client(f))
			out->outcome = MUTUAL_TLS;
		else if (r.data)
			out->outcome = ESTABLISHED;
		else
			late(f, r.left, out);
	}
}

static void infer_12(const struct infer_facts *f, struct inference *out)
{
	out->data = f->client_data > 0;
	if (f->client_data > 0 || (!f->client.seen && f->server.ccs && f->server_data > 0)) {
		out->established = TRI_TRUE;
		out->outcome = ESTABLISHED;
	} else if (f->client.ccs && f->client_finished) {
		out->established = TRI_TRUE;
		late(f, true, out);
	} else {
		by_close(f, out);
	}
}

struct inference infer(const struct infer_facts *f)
{
	struct inference out = { .alert = -1, .established = TRI_FALSE };
	bool alert = f->client.alert >= 0 || f->server.alert >= 0;
	struct instant said = f->client.alert >= 0 ? f->client.alert_time : f->server.alert_time;

	out.server_certificate = f->resumed ? TRI_FALSE : flight_seen(f) ? TRI_TRUE : TRI_FALSE;
	/* A server that has left before its hello has already answered, whatever the client says to
	 * that. */
	if (alert && !f->server_hello && f->server.alert < 0 && earlier(end_of(&f->server), said))
		alert = false;
	/* A client that left in the middle of the handshake is told so, with whatever alert the
	 * library has for an end it did not expect. */
	if (alert && f->client.alert < 0 && !f->client_finished &&
	    earlier(end_of(&f->client), f->server.alert_time))
		alert = false;
	if (alert)
		by_alert(f, &out);
	else if (!f->client_hello && !f->server_hello)
		out.outcome =
		    INCOMPLETE; /* both hellos are missing: no telling what lengths mean */
	else if (is_13(f))
		infer_13(f, &out);
	else
		infer_12(f, &out);
	return out;
}

bool infer_settled(const struct infer_facts *f)
{
	struct reading r;

	if (!f->client_hello || !f->server_hello || f->client.alert >= 0 || f->server.alert >= 0)
		return false;
	if (!is_13(f))
		return f->client_data > 0 && f->server.ccs;
	if (f->n_client == INFER_CLIENT)
		return true;
	r = read_client(f);
	return r.finished && r.data && !r.asked;
}
