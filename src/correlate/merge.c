#include "correlate/merge.h"

#include "correlate/merge_internal.h"

/* An attempt is packed when no record has joined it for so long: then no event that took up to a
 * minute can start within JOIN_WITHIN of it any more. */
#define OPEN_FOR (180 * NS_PER_S)
#define INSPECTING 0
#define OTHER 1
/* How far back a chain of attempts of one client port is followed. */
#define MAX_CHAIN 256

/* Client: an address, or 0 with the device keys. */
struct portless_key {
	uint32_t client, keys, host, port, outcome;
	uint32_t zero; /* where padding would stand: keys are compared bytewise */
	int64_t second;
};

struct pending_key {
	uint32_t client, keys, host, port, source;
};

void merge_init(struct merge *m, struct names *names, uint64_t seed)
{
	*m = (struct merge){ .now = INT64_MIN, ._newest = INT64_MIN, .names = names };
	attempts_init(&m->attempts, seed);
	joins_init(&m->_by_conn, seed);
	joins_init(&m->_by_flow, seed);
	keymap_init(&m->_portless, sizeof(struct portless_key), seed);
	keymap_init(&m->_portless_sums, sizeof(struct sum_key), seed);
	keymap_init(&m->_portless_pending, sizeof(struct pending_key), seed);
}

static void free_maps(struct merge *m)
{
	joins_free(&m->_by_conn);
	joins_free(&m->_by_flow);
	keymap_free(&m->_portless);
	keymap_free(&m->_portless_sums);
	keymap_free(&m->_portless_pending);
}

void merge_finish(struct merge *m)
{
	free_maps(m);
	attempts_pack(&m->attempts, INT64_MAX, m->_newest);
	attempts_trim(&m->attempts);
}

void merge_free(struct merge *m)
{
	free_maps(m);
	attempts_free(&m->attempts);
}

static void keep_first(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

static void keep_tri(uint8_t *field, uint8_t value)
{
	if (value > *field)
		*field = value;
}

static uint64_t conn_key(uint32_t client, uint16_t port) { return (uint64_t)client << 16 | port; }

static bool wins(enum outcome challenger, enum outcome holder)
{
	int c = outcome_specificity(challenger), h = outcome_specificity(holder);

	return c < h || (c == h && challenger < holder);
}

static void take_outcome(struct attempt *a, const struct event *e)
{
	int who = e->sensor == SENSOR_INSPECTION ? INSPECTING : OTHER;
	struct said *s = &a->s;

	if (e->outcome == ESTABLISHED_NO_DATA) {
		s->weak_late |= e->weak_late;
		s->sure_late |= !e->weak_late;
	}

	if (e->outcome == ESTABLISHED_NO_DATA && e->ended == TRI_FALSE) {
		if (s->wait[who] == WAIT_NONE)
			s->wait[who] = WAIT_OPEN;
		if (e->stamp.order < a->waits_since[who])
			a->waits_since[who] = e->stamp.order;
	} else if (wins((enum outcome)e->outcome, (enum outcome)s->outcome[who])) {
		s->outcome[who] = e->outcome;
		s->alert[who] = e->alert;
	}
	if (s->inspection[who] == INSPECTION_UNKNOWN) {
		s->inspection[who] = e->inspection;
		s->bypass_reason[who] = e->bypass_reason;
	}
}

/* Host: SNI before host name before address; at equal kind the inspecting source. 0: none. */
static uint8_t host_rank(const struct event *e)
{
	uint8_t inspecting = e->sensor == SENSOR_INSPECTION;

	if (e->sni != 0)
		return (uint8_t)(6 + inspecting);
	if (e->hostname != 0)
		return (uint8_t)(4 + inspecting);
	return e->server != 0 && !e->listener ? (uint8_t)(2 + inspecting) : 0;
}

static uint32_t host_of(struct merge *m, const struct event *e)
{
	char text[ADDR_TEXT_SIZE];
	size_t n;

	if (e->sni != 0 || e->hostname != 0)
		return e->sni != 0 ? e->sni : e->hostname;
	if (e->server == 0 || e->listener)
		return 0;
	n = addr_format(names_addr_get(m->names, e->server), text);
	return names_put(m->names, sv_make(text, n));
}

/* Of equal rank the first. */
static void take_host(struct merge *m, struct attempt *a, const struct event *e)
{
	uint8_t rank = host_rank(e);

	if (rank <= a->s.host_rank)
		return;
	a->s.host_rank = rank;
	a->p.host = host_of(m, e);
}

static void take_duration(struct said *s, int64_t duration)
{
	uint8_t d = duration < 0		      ? DURATION_UNKNOWN
		    : duration < DURATION_SHORT_BELOW ? DURATION_SHORT
						      : DURATION_LONG;

	if (d > s->duration)
		s->duration = d;
}

static void take_flags(struct said *s, const struct event *e)
{
	bool inspecting = e->sensor == SENSOR_INSPECTION;

	s->flags |= SEEN_TLS;
	s->flags |= inspecting ? SEEN_INSPECTION : e->sensor == SENSOR_FLOW ? SEEN_FLOW : SEEN_EDR;
	if (e->udp == TRI_TRUE)
		s->flags |= WAS_UDP;
	if (e->vantage == VANTAGE_OUTSIDE && !inspecting)
		s->flags |= WAS_OUTSIDE;
	if (e->listener)
		s->flags |= WENT_TO_LISTENER;
	else if (!inspecting && (e->server != 0 || e->server_port != 0))
		s->flags |= WENT_ELSEWHERE;
}

static void take_tls(struct merge *m, struct attempt *a, const struct event *e)
{
	struct peers *p = &a->p;
	struct said *s = &a->s;

	if (!(s->flags & SEEN_TLS) || e->time < a->start)
		a->start = e->time;
	take_flags(s, e);
	take_duration(s, e->duration);
	if (e->bytes_out > a->bytes_out)
		a->bytes_out = e->bytes_out;
	if (e->count > s->count)
		s->count = e->count;
	keep_first(&p->tls_version, e->tls_version);
	keep_first(&p->ja4, e->ja4);
	keep_first(&p->ja3, e->ja3);
	keep_first(&p->issuer, e->issuer);
	keep_first(&p->agent, e->agent);
	keep_tri(&s->established, e->established);
	keep_tri(&s->server_certificate, e->server_certificate);
	keep_tri(&s->ended, e->ended);
	if (e->closed_by != SIDE_UNKNOWN || e->close != CLOSE_UNKNOWN) {
		int from = e->sensor == SENSOR_FLOW ? 0 : 1;
		if (s->closed_by[from] == SIDE_UNKNOWN)
			s->closed_by[from] = e->closed_by;
		if (s->close[from] == CLOSE_UNKNOWN)
			s->close[from] = e->close;
	}
	if (e->sensor == SENSOR_INSPECTION && p->inspecting_port == 0 && !e->listener)
		p->inspecting_port = e->server_port;
	take_host(m, a, e);
	take_outcome(a, e);
}

static void take(struct merge *m, struct attempt *a, const struct event *e)
{
	struct attempt_ref ref = {
		.ref = e->stamp.ref,
		.time = e->time,
		.kind = e->kind,
		.outcome = e->outcome,
		.alert = e->alert,
	};
	struct peers *p = &a->p;

	if (e->kind == OBS_TLS_ATTEMPT)
		take_tls(m, a, e);
	else
		a->s.flags |= SEEN_EDR;
	keep_first(&p->bundle, e->bundle);
	keep_first(&p->version, e->version);
	p->keys = names_keys_join(m->names, p->keys, e->keys);
	keep_first(&p->client, e->client);
	if (a->s.client_port == 0)
		a->s.client_port = e->client_port;
	if (!e->listener) {
		if (p->join_port == 0)
			p->join_port = e->server_port;
		if (e->kind == OBS_TLS_ATTEMPT)
			keep_first(&p->server, e->server);
	}
	attempts_add_ref(&m->attempts, a, &ref);
}

static bool apart(const struct event *e, int64_t first_start)
{
	int64_t by;

	return __builtin_sub_overflow(e->time, first_start, &by) || by > JOIN_WITHIN ||
	       by < -JOIN_WITHIN;
}

/* Whether what was packed, and so has not been joined for OPEN_FOR, began too early for the
 * event. */
static bool beyond_packed(const struct merge *m, const struct event *e)
{
	return e->time - JOIN_WITHIN > m->_newest - OPEN_FOR;
}

/* The attempt of the chain that the event belongs to, or 0. Numbers fall along a chain, and nothing
 * begins after the newest event of its moment: behind a packed one all began at least OPEN_FOR
 * ago. */
static uint32_t find_in_chain(const struct merge *m, uint32_t number, const struct event *e)
{
	const struct attempts *t = &m->attempts;

	for (int depth = 0; number != 0 && depth < MAX_CHAIN; depth++) {
		const struct attempt *a = attempts_peek(t, number);
		uint16_t port;

		if (a == NULL && beyond_packed(m, e))
			return 0;
		if (!apart(e, a != NULL ? a->first_start : attempt_first_start(t, number))) {
			port = a != NULL ? a->p.join_port : attempt_peers(t, number)->join_port;
			return e->listener || e->server_port == 0 || port == 0 ||
				       port == e->server_port
				   ? number
				   : 0;
		}
		number = t->records[number].previous;
	}
	return 0;
}

/* A client port that the gateway and a flow sensor name with different server ports. */
static void note_mismatch(struct merge *m, uint32_t chain, const struct event *e)
{
	const struct attempts *t = &m->attempts;
	const struct attempt *a = chain != 0 ? attempts_peek(t, chain) : NULL;
	const struct peers *p;
	uint8_t flags;

	if (e->kind != OBS_TLS_ATTEMPT)
		return;
	if (e->sensor == SENSOR_FLOW)
		guess_flow(m->guess, e->server, e->server_port);
	if (chain == 0 || (a == NULL && beyond_packed(m, e)) ||
	    apart(e, a != NULL ? a->first_start : attempt_first_start(t, chain)))
		return;
	p = a != NULL ? &a->p : attempt_peers(t, chain);
	flags = a != NULL ? a->s.flags : attempt_said(t, chain)->flags;
	if (e->sensor == SENSOR_FLOW && (flags & SEEN_INSPECTION) && !(flags & SEEN_FLOW))
		guess_mismatch(m->guess, e->server, e->server_port);
	else if (e->sensor == SENSOR_INSPECTION && (flags & SEEN_FLOW) &&
		 !(flags & SEEN_INSPECTION))
		guess_mismatch(m->guess, p->server, p->join_port);
}

static uint32_t with_port(struct merge *m, const struct event *e)
{
	uint64_t key = conn_key(e->client, e->client_port);
	uint32_t chain = joins_get(&m->_by_conn, key), number = find_in_chain(m, chain, e);

	if (number != 0)
		return number;
	if (m->guess != NULL)
		note_mismatch(m, chain, e);
	number = attempts_new(&m->attempts, e->time, m->_newest)->number;
	m->attempts.records[number].previous = chain;
	joins_set(&m->_by_conn, key, number);
	return number;
}

/* Whether the attempt's unended handshake may still be waiting for the event. */
static bool still_waits(const struct merge *m, uint32_t number, const struct event *e)
{
	const struct attempt *a = attempts_peek(&m->attempts, number);

	if (a == NULL)
		return false;
	return a->waits_since[a->waits_since[0] != INT64_MAX ? 0 : 1] >=
	       e->stamp.order - INNER_REQUEST_WAIT;
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
	struct attempt *a;

	if (e->outcome == ESTABLISHED) {
		number = keymap_get(&m->_portless_pending, &pending);
		if (number != KEYMAP_NONE && still_waits(m, number, e))
			return number;
	}
	slot = keymap_slot(&m->_portless, &key);
	if (*slot == KEYMAP_NONE)
		*slot = attempts_new(&m->attempts, e->time, m->_newest)->number;
	number = *slot;
	sum_key = (struct sum_key){ number, e->stamp.ref.source };
	sum = keymap_slot(&m->_portless_sums, &sum_key);
	*sum = *sum == KEYMAP_NONE ? e->count : count_add(*sum, e->count);
	a = attempts_open(&m->attempts, number, m->_newest);
	if (*sum > a->s.count)
		a->s.count = *sum;
	if (e->outcome == ESTABLISHED_NO_DATA && e->ended == TRI_FALSE)
		*keymap_slot(&m->_portless_pending, &pending) = number;
	return number;
}

/* An attempt that began without a client port has learnt it: from now on it is found by it, behind
 * what was made later. */
static void enter_chain(struct merge *m, const struct attempt *a)
{
	struct attempt_record *records = m->attempts.records;
	uint64_t key = conn_key(a->p.client, a->s.client_port);
	uint32_t number = a->number, at = joins_get(&m->_by_conn, key);

	if (at < number) {
		records[number].previous = at;
		joins_set(&m->_by_conn, key, number);
		return;
	}
	while (records[at].previous > number)
		at = records[at].previous;
	records[number].previous = records[at].previous;
	records[at].previous = number;
}

void merge_prefetch(const struct merge *m, const struct event *e)
{
	if (e->flow != 0)
		joins_prefetch(&m->_by_flow, e->flow);
	if (e->client_port != 0)
		joins_prefetch(&m->_by_conn, conn_key(e->client, e->client_port));
}

static uint32_t find_or_begin(struct merge *m, const struct event *e, bool *with_its_port)
{
	*with_its_port = e->client != 0 && e->client_port != 0;
	if (*with_its_port)
		return with_port(m, e);
	if (e->kind == OBS_TLS_ATTEMPT)
		return without_port(m, e);
	return attempts_new(&m->attempts, e->time, m->_newest)->number;
}

void merge_event(struct merge *m, const struct event *e)
{
	uint32_t number = e->flow != 0 ? joins_get(&m->_by_flow, e->flow) : 0;
	bool made_with_port = false;
	struct attempt *a;

	if (e->stamp.order > m->_newest)
		m->_newest = e->stamp.order;
	if (m->_newest / NS_PER_S != m->_packed_second) {
		attempts_pack(&m->attempts, m->_newest - OPEN_FOR, m->_newest);
		m->_packed_second = m->_newest / NS_PER_S;
	}
	if (number == 0) {
		number = find_or_begin(m, e, &made_with_port);
		if (e->flow != 0)
			joins_set(&m->_by_flow, e->flow, number);
	}
	a = attempts_open(&m->attempts, number, m->_newest);
	take(m, a, e);
	if (!a->s.in_chain && a->p.client != 0 && a->s.client_port != 0) {
		a->s.in_chain = true;
		if (!made_with_port)
			enter_chain(m, a);
	}
}

static enum side closer(const struct said *s)
{
	return (enum side)(s->closed_by[0] != SIDE_UNKNOWN ? s->closed_by[0] : s->closed_by[1]);
}

static bool wait_is_over(const struct attempts *t, uint32_t number, int who, int64_t now)
{
	const struct said *s = attempt_said(t, number);

	if (s->wait[who] == WAIT_OVER || s->ended == TRI_TRUE || closer(s) != SIDE_UNKNOWN ||
	    s->close[0] != CLOSE_UNKNOWN || s->close[1] != CLOSE_UNKNOWN)
		return true;
	return attempts_peek(t, number)->waits_since[who] <= now - INNER_REQUEST_WAIT;
}

/* What one kind of source says, an unended handshake included once its wait is over. */
static enum outcome said_by(const struct attempts *t, uint32_t number, int who, int64_t now,
			    int *alert)
{
	const struct said *s = attempt_said(t, number);
	enum outcome o = (enum outcome)s->outcome[who];

	*alert = s->alert[who];
	if (s->wait[who] == WAIT_NONE || !wins(ESTABLISHED_NO_DATA, o) ||
	    !wait_is_over(t, number, who, now))
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

enum outcome attempt_outcome(const struct attempts *t, uint32_t number, int64_t now, int *alert,
			     bool *contradiction)
{
	const struct said *s = attempt_said(t, number);
	int other_alert;
	enum outcome inspecting = said_by(t, number, INSPECTING, now, alert);
	enum outcome other = said_by(t, number, OTHER, now, &other_alert);
	enum outcome o = inspecting;
	enum close_kind close =
	    (enum close_kind)(s->close[0] != CLOSE_UNKNOWN ? s->close[0] : s->close[1]);

	*contradiction = contradict(inspecting, other);
	if (!*contradiction && outcome_specificity(other) < outcome_specificity(inspecting)) {
		o = other;
		*alert = other_alert;
	}
	if (o != OUTCOME_UNKNOWN || s->established != TRI_FALSE)
		return o;
	if (closer(s) == SIDE_CLIENT && s->server_certificate == TRI_TRUE)
		return CLIENT_SILENT_CLOSE;
	if (closer(s) == SIDE_SERVER && close == CLOSE_RST && s->server_certificate != TRI_TRUE)
		return UPSTREAM_FAILED;
	return INCOMPLETE;
}
