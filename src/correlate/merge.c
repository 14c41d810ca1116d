#include "correlate/merge.h"

#include <stdlib.h>

#define JOIN_WITHIN (120 * NS_PER_S)
#define INNER_REQUEST_WAIT (30 * NS_PER_S)
#define INSPECTING 0
#define OTHER 1
/* How far back a chain of attempts of one client port is followed. */
#define MAX_CHAIN 256

struct conn_key {
	uint32_t client;
	uint32_t port;
};

/* Client: an address, or 0 with the device keys. */
struct portless_key {
	uint32_t client, keys, host, port, outcome;
	uint32_t zero; /* where padding would stand: keys are compared bytewise */
	int64_t second;
};

struct sum_key {
	uint32_t attempt, source;
};

struct pending_key {
	uint32_t client, keys, host, port, source;
};

void merge_init(struct merge *m, struct names *names, uint64_t seed)
{
	*m = (struct merge){ .n = 1, .n_refs = 1, .now = INT64_MIN, .names = names };
	m->attempts = xcalloc(m->_capacity = 1024, sizeof(*m->attempts));
	m->refs = xcalloc(m->_refs_capacity = 1024, sizeof(*m->refs));
	keymap_init(&m->_by_conn, sizeof(struct conn_key), seed);
	keymap_init(&m->_by_flow, sizeof(uint64_t), seed);
	keymap_init(&m->_portless, sizeof(struct portless_key), seed);
	keymap_init(&m->_portless_sums, sizeof(struct sum_key), seed);
	keymap_init(&m->_portless_pending, sizeof(struct pending_key), seed);
}

void merge_finish(struct merge *m)
{
	keymap_free(&m->_by_conn);
	keymap_free(&m->_by_flow);
	keymap_free(&m->_portless);
	keymap_free(&m->_portless_sums);
	keymap_free(&m->_portless_pending);
	m->attempts = xrealloc(m->attempts, m->n, sizeof(*m->attempts));
	m->refs = xrealloc(m->refs, m->n_refs, sizeof(*m->refs));
	m->_capacity = m->n;
	m->_refs_capacity = m->n_refs;
}

void merge_free(struct merge *m)
{
	merge_finish(m);
	free(m->attempts);
	free(m->refs);
}

static uint32_t new_attempt(struct merge *m, const struct event *e)
{
	if (m->n == m->_capacity)
		m->attempts = xrealloc(m->attempts, m->_capacity *= 2, sizeof(*m->attempts));
	m->attempts[m->n] = (struct attempt){
		.start = e->time,
		.first_start = e->time,
		.duration = -1,
		.bytes_out = -1,
		.bytes_in = -1,
		.pending_order = { INT64_MAX, INT64_MAX },
		.alert = { -1, -1 },
	};
	return m->n++;
}

static void add_ref(struct merge *m, struct attempt *a, const struct event *e)
{
	if (m->n_refs == m->_refs_capacity)
		m->refs = xrealloc(m->refs, m->_refs_capacity *= 2, sizeof(*m->refs));
	m->refs[m->n_refs] = (struct attempt_ref){
		.ref = e->stamp.ref,
		.time = e->time,
		.kind = e->kind,
		.outcome = e->outcome,
		.alert = e->alert,
	};
	if (a->first_ref == 0)
		a->first_ref = m->n_refs;
	else
		m->refs[a->last_ref].next = m->n_refs;
	a->last_ref = m->n_refs++;
	a->n_refs++;
}

static void keep_first(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

static void keep_largest(int64_t *field, int64_t value)
{
	if (value > *field)
		*field = value;
}

static void keep_tri(uint8_t *field, uint8_t value)
{
	if (value > *field)
		*field = value;
}

static bool wins(enum outcome challenger, enum outcome holder)
{
	int c = outcome_specificity(challenger), h = outcome_specificity(holder);

	return c < h || (c == h && challenger < holder);
}

static void take_outcome(struct attempt *a, const struct event *e)
{
	int who = e->sensor == SENSOR_INSPECTION ? INSPECTING : OTHER;

	if (e->outcome == ESTABLISHED_NO_DATA) {
		a->weak_late |= e->weak_late;
		a->sure_late |= !e->weak_late;
	}

	if (e->outcome == ESTABLISHED_NO_DATA && e->ended == TRI_FALSE) {
		if (e->stamp.order < a->pending_order[who])
			a->pending_order[who] = e->stamp.order;
	} else if (wins((enum outcome)e->outcome, (enum outcome)a->outcome[who])) {
		a->outcome[who] = e->outcome;
		a->alert[who] = e->alert;
	}
	if (a->inspection[who] == INSPECTION_UNKNOWN) {
		a->inspection[who] = e->inspection;
		a->bypass_reason[who] = e->bypass_reason;
	}
}

/* Host: SNI before host name before address; at equal kind the inspecting source, then the first. */
static void take_host(struct merge *m, struct attempt *a, const struct event *e)
{
	uint8_t inspecting = e->sensor == SENSOR_INSPECTION;
	uint8_t rank = 0;
	uint32_t host = 0;

	if (e->sni != 0) {
		rank = (uint8_t)(6 + inspecting);
		host = e->sni;
	} else if (e->hostname != 0) {
		rank = (uint8_t)(4 + inspecting);
		host = e->hostname;
	} else if (e->server != 0 && !e->listener) {
		rank = (uint8_t)(2 + inspecting);
	}
	if (rank <= a->host_rank)
		return;
	if (host == 0) {
		char text[ADDR_TEXT_SIZE];
		size_t n = addr_format(names_addr_get(m->names, e->server), text);
		host = names_put(m->names, sv_make(text, n));
	}
	a->host_rank = rank;
	a->host = host;
}

static void take_tls(struct merge *m, struct attempt *a, const struct event *e)
{
	bool inspecting = e->sensor == SENSOR_INSPECTION;

	if (!(a->flags & SEEN_TLS) || e->time < a->start)
		a->start = e->time;
	a->flags |= SEEN_TLS;
	a->flags |= inspecting ? SEEN_INSPECTION : e->sensor == SENSOR_FLOW ? SEEN_FLOW : SEEN_EDR;
	if (e->udp == TRI_TRUE)
		a->flags |= WAS_UDP;
	if (e->vantage == VANTAGE_OUTSIDE && !inspecting)
		a->flags |= WAS_OUTSIDE;
	if (e->listener)
		a->flags |= WENT_TO_LISTENER;
	else if (!inspecting && (e->server != 0 || e->server_port != 0))
		a->flags |= WENT_ELSEWHERE;
	keep_largest(&a->duration, e->duration);
	keep_largest(&a->bytes_out, e->bytes_out);
	keep_largest(&a->bytes_in, e->bytes_in);
	if (e->count > a->count)
		a->count = e->count;
	keep_first(&a->tls_version, e->tls_version);
	keep_first(&a->ja4, e->ja4);
	keep_first(&a->ja3, e->ja3);
	keep_first(&a->issuer, e->issuer);
	keep_first(&a->agent, e->agent);
	keep_tri(&a->established, e->established);
	keep_tri(&a->server_certificate, e->server_certificate);
	keep_tri(&a->ended, e->ended);
	if (e->closed_by != SIDE_UNKNOWN || e->close != CLOSE_UNKNOWN) {
		int from = e->sensor == SENSOR_FLOW ? 0 : 1;
		if (a->closed_by[from] == SIDE_UNKNOWN)
			a->closed_by[from] = e->closed_by;
		if (a->close[from] == CLOSE_UNKNOWN)
			a->close[from] = e->close;
	}
	if (inspecting && a->inspecting_port == 0 && !e->listener)
		a->inspecting_port = e->server_port;
	take_host(m, a, e);
	take_outcome(a, e);
}

static void take(struct merge *m, uint32_t number, const struct event *e)
{
	struct attempt *a = &m->attempts[number];

	if (e->kind == OBS_TLS_ATTEMPT)
		take_tls(m, a, e);
	else
		a->flags |= SEEN_EDR;
	keep_first(&a->bundle, e->bundle);
	keep_first(&a->version, e->version);
	a->keys = names_keys_join(m->names, a->keys, e->keys);
	keep_first(&a->client, e->client);
	if (a->client_port == 0)
		a->client_port = e->client_port;
	if (!e->listener) {
		if (a->join_port == 0)
			a->join_port = e->server_port;
		if (e->kind == OBS_TLS_ATTEMPT)
			keep_first(&a->server, e->server);
	}
	add_ref(m, a, e);
}

static bool ports_agree(const struct attempt *a, const struct event *e)
{
	return e->listener || e->server_port == 0 || a->join_port == 0 ||
	       a->join_port == e->server_port;
}

/* The attempt of the chain that the event belongs to, or 0. */
static uint32_t find_in_chain(const struct merge *m, uint32_t number, const struct event *e)
{
	for (int depth = 0; number != 0 && depth < MAX_CHAIN; depth++) {
		const struct attempt *a = &m->attempts[number];
		int64_t apart = e->time - a->first_start;

		if (!a->forgotten && apart <= JOIN_WITHIN && apart >= -JOIN_WITHIN)
			return ports_agree(a, e) ? number : 0;
		number = a->previous;
	}
	return 0;
}

/* A client port that the gateway and a flow sensor name with different server ports. */
static void note_mismatch(struct merge *m, uint32_t chain, const struct event *e)
{
	const struct attempt *a = &m->attempts[chain];
	int64_t apart = e->time - a->first_start;

	if (e->kind != OBS_TLS_ATTEMPT)
		return;
	if (e->sensor == SENSOR_FLOW)
		guess_flow(m->guess, e->server, e->server_port);
	if (chain == 0 || apart > JOIN_WITHIN || apart < -JOIN_WITHIN)
		return;
	if (e->sensor == SENSOR_FLOW && (a->flags & SEEN_INSPECTION) && !(a->flags & SEEN_FLOW))
		guess_mismatch(m->guess, e->server, e->server_port);
	else if (e->sensor == SENSOR_INSPECTION && (a->flags & SEEN_FLOW) &&
		 !(a->flags & SEEN_INSPECTION))
		guess_mismatch(m->guess, a->server, a->join_port);
}

static uint32_t with_port(struct merge *m, const struct event *e)
{
	struct conn_key key = { e->client, e->client_port };
	uint32_t *newest = keymap_slot(&m->_by_conn, &key);
	uint32_t chain = *newest == KEYMAP_NONE ? 0 : *newest, number = find_in_chain(m, chain, e);

	if (number != 0)
		return number;
	if (m->guess != NULL)
		note_mismatch(m, chain, e);
	number = new_attempt(m, e);
	m->attempts[number].previous = chain;
	*newest = number;
	return number;
}

static uint32_t host_of(struct merge *m, const struct event *e)
{
	struct attempt probe = { 0 };

	take_host(m, &probe, e);
	return probe.host;
}

/* Records without a client port: sums per source, the largest counts. */
static uint32_t without_port(struct merge *m, const struct event *e)
{
	uint32_t host = host_of(m, e), keys = e->client != 0 ? 0 : e->keys;
	struct pending_key pending = { e->client, keys, host, e->server_port, e->stamp.ref.source };
	struct portless_key key = {
		.client = e->client,
		.keys = keys,
		.host = host,
		.port = e->server_port,
		.outcome = e->outcome,
		.second = e->time / NS_PER_S,
	};
	struct sum_key sum_key;
	uint32_t number, *slot, *sum;

	if (e->outcome == ESTABLISHED) {
		number = keymap_get(&m->_portless_pending, &pending);
		if (number != KEYMAP_NONE && !m->attempts[number].forgotten) {
			int64_t since = m->attempts[number].pending_order[0] != INT64_MAX
						? m->attempts[number].pending_order[0]
						: m->attempts[number].pending_order[1];
			if (e->stamp.order - since <= INNER_REQUEST_WAIT)
				return number;
		}
	}
	slot = keymap_slot(&m->_portless, &key);
	if (*slot == KEYMAP_NONE || m->attempts[*slot].forgotten)
		*slot = new_attempt(m, e);
	number = *slot;
	sum_key = (struct sum_key){ number, e->stamp.ref.source };
	sum = keymap_slot(&m->_portless_sums, &sum_key);
	*sum = *sum == KEYMAP_NONE ? e->count : count_add(*sum, e->count);
	if (*sum > m->attempts[number].count)
		m->attempts[number].count = *sum;
	if (e->outcome == ESTABLISHED_NO_DATA && e->ended == TRI_FALSE)
		*keymap_slot(&m->_portless_pending, &pending) = number;
	return number;
}

/* An attempt that began without a client port has learnt it: from now on it is found by it, behind what was made
 * later. */
static void enter_chain(struct merge *m, uint32_t number)
{
	struct attempt *a = &m->attempts[number];
	struct conn_key key = { a->client, a->client_port };
	uint32_t *newest = keymap_slot(&m->_by_conn, &key);
	uint32_t at = *newest == KEYMAP_NONE ? 0 : *newest;

	if (at < number) {
		a->previous = at;
		*newest = number;
		return;
	}
	while (m->attempts[at].previous > number)
		at = m->attempts[at].previous;
	a->previous = m->attempts[at].previous;
	m->attempts[at].previous = number;
}

void merge_prefetch(const struct merge *m, const struct event *e)
{
	struct conn_key key = { e->client, e->client_port };

	if (e->flow != 0)
		keymap_prefetch(&m->_by_flow, &e->flow);
	if (e->client_port != 0)
		keymap_prefetch(&m->_by_conn, &key);
}

void merge_event(struct merge *m, const struct event *e)
{
	uint32_t *by_flow = e->flow != 0 ? keymap_slot(&m->_by_flow, &e->flow) : NULL;
	uint32_t number = by_flow != NULL && *by_flow != KEYMAP_NONE ? *by_flow : 0;
	bool made_with_port = false, known;

	if (m->attempts[number].forgotten)
		number = 0;
	if (number == 0) {
		made_with_port = e->client != 0 && e->client_port != 0;
		if (made_with_port)
			number = with_port(m, e);
		else if (e->kind == OBS_TLS_ATTEMPT)
			number = without_port(m, e);
		else
			number = new_attempt(m, e);
	}
	if (by_flow != NULL)
		*by_flow = number;
	known = m->attempts[number].in_chain;
	take(m, number, e);
	if (!known && m->attempts[number].client != 0 && m->attempts[number].client_port != 0) {
		m->attempts[number].in_chain = true;
		if (!made_with_port)
			enter_chain(m, number);
	}
}

static bool may_go(const struct merge *m, const struct attempt *a, uint32_t source, int64_t before)
{
	for (uint32_t i = a->first_ref; i != 0; i = m->refs[i].next)
		if (m->refs[i].time >= before ||
		    (source != UINT32_MAX && m->refs[i].ref.source != source))
			return false;
	return a->first_ref != 0;
}

uint64_t merge_evict(struct merge *m, uint32_t source, int64_t before)
{
	uint64_t n = 0;

	for (uint32_t i = 1; i < m->n; i++) {
		struct attempt *a = &m->attempts[i];
		if (a->forgotten || !may_go(m, a, source, before))
			continue;
		a->forgotten = true;
		a->flags = 0;
		a->first_ref = a->last_ref = 0;
		n++;
	}
	return n;
}

size_t merge_footprint(const struct merge *m, uint32_t source)
{
	size_t n = 0;

	if (source == UINT32_MAX)
		return m->_capacity * sizeof(*m->attempts) + m->_refs_capacity * sizeof(*m->refs) +
		       keymap_footprint(&m->_by_conn) + keymap_footprint(&m->_by_flow) +
		       keymap_footprint(&m->_portless) + keymap_footprint(&m->_portless_sums) +
		       keymap_footprint(&m->_portless_pending);
	for (uint32_t i = 1; i < m->n; i++) {
		if (m->attempts[i].first_ref == 0 ||
		    m->refs[m->attempts[i].first_ref].ref.source != source)
			continue;
		n += sizeof(*m->attempts) + m->attempts[i].n_refs * sizeof(*m->refs);
	}
	return n;
}

static enum side closer(const struct attempt *a)
{
	return (enum side)(a->closed_by[0] != SIDE_UNKNOWN ? a->closed_by[0] : a->closed_by[1]);
}

/* What one kind of source says, an unended handshake included once its wait is over. */
static enum outcome said_by(const struct attempt *a, int who, int64_t now, int *alert)
{
	enum outcome o = (enum outcome)a->outcome[who];
	bool over = a->ended == TRI_TRUE || closer(a) != SIDE_UNKNOWN ||
		    a->close[0] != CLOSE_UNKNOWN || a->close[1] != CLOSE_UNKNOWN;

	*alert = a->alert[who];
	if (a->pending_order[who] == INT64_MAX || !wins(ESTABLISHED_NO_DATA, o))
		return o;
	if (!over && now - a->pending_order[who] < INNER_REQUEST_WAIT)
		return o;
	*alert = -1;
	return ESTABLISHED_NO_DATA;
}

static bool contradict(enum outcome a, enum outcome b)
{
	enum outcome_class x = outcome_class(a), y = outcome_class(b);

	return outcome_specificity(a) <= 4 && outcome_specificity(b) <= 4 &&
	       ((x == CLASS_FAILURE && y == CLASS_SUCCESS) ||
		(x == CLASS_SUCCESS && y == CLASS_FAILURE));
}

enum outcome attempt_outcome(const struct attempt *a, int64_t now, int *alert, bool *contradiction)
{
	int other_alert;
	enum outcome inspecting = said_by(a, INSPECTING, now, alert);
	enum outcome other = said_by(a, OTHER, now, &other_alert);
	enum outcome o = inspecting;
	enum close_kind close = (enum close_kind)(a->close[0] != CLOSE_UNKNOWN ? a->close[0]
									       : a->close[1]);

	*contradiction = contradict(inspecting, other);
	if (!*contradiction && outcome_specificity(other) < outcome_specificity(inspecting)) {
		o = other;
		*alert = other_alert;
	}
	if (o != OUTCOME_UNKNOWN || a->established != TRI_FALSE)
		return o;
	if (closer(a) == SIDE_CLIENT && a->server_certificate == TRI_TRUE)
		return CLIENT_SILENT_CLOSE;
	if (closer(a) == SIDE_SERVER && close == CLOSE_RST && a->server_certificate != TRI_TRUE)
		return UPSTREAM_FAILED;
	return INCOMPLETE;
}
