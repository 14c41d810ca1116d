/* Attempts: one TLS connection, merged from every observation of it. docs/evidence.md, 2.
 *
 * Takes events in the one total order. Attempts are never forgotten here; who bounds the run bounds them.
 */
#ifndef PINWATCH_CORRELATE_MERGE_H
#define PINWATCH_CORRELATE_MERGE_H

#include "correlate/event.h"
#include "correlate/guess.h"

enum attempt_flag {
	SEEN_TLS = 1,         /* a TLS observation, not only a contact */
	SEEN_INSPECTION = 2,
	SEEN_FLOW = 4,
	SEEN_EDR = 8,
	WAS_UDP = 16,
	WAS_OUTSIDE = 32,     /* a flow sensor on a path without the gateway */
	WENT_TO_LISTENER = 64,
	WENT_ELSEWHERE = 128, /* a server address or port that is no listener's */
};

struct attempt {
	int64_t start, first_start;
	int64_t duration, bytes_out, bytes_in; /* −1 unknown */
	int64_t pending_order[2];  /* earliest order time of an unended established_no_data, INT64_MAX none; [0] inspecting, [1] other */
	uint32_t client, server, host;
	uint32_t keys;
	uint32_t bundle, version, agent, ja4, ja3, issuer, tls_version;
	uint32_t count;
	uint32_t previous;         /* older attempt of the same client ip and port */
	uint32_t first_ref, last_ref;
	uint32_t n_refs;
	uint16_t client_port;
	uint16_t join_port;        /* for joining: the first known port that is no listener's */
	uint16_t inspecting_port;  /* the first the inspecting source names */
	uint8_t flags;             /* enum attempt_flag */
	uint8_t host_rank;
	uint8_t outcome[2];        /* most specific of the inspecting source, of the others */
	int16_t alert[2];
	uint8_t inspection[2], bypass_reason[2];
	uint8_t established, server_certificate, ended; /* enum tri */
	bool weak_late, sure_late; /* who says established_no_data: a log that may mean other things, one that does not */
	bool in_chain;             /* found by client ip and port */
	bool forgotten;
	uint8_t closed_by[2], close[2]; /* first known: of a flow sensor, of any */
};

/* One record behind an attempt; a chain in order. */
struct attempt_ref {
	struct record_ref ref;
	int64_t time;
	uint32_t next;
	uint8_t kind;    /* enum observation_kind */
	uint8_t outcome;
	int16_t alert;
};

struct merge {
	struct attempt *attempts; /* number 0 unused */
	uint32_t n, _capacity;
	struct attempt_ref *refs; /* number 0 ends a chain */
	uint32_t n_refs, _refs_capacity;
	struct keymap _by_conn, _by_flow, _portless, _portless_sums, _portless_pending;
	struct guess *guess;      /* NULL: the listeners are configured */
	int64_t now;              /* order time of the newest record of any kind; whoever feeds sets it before judging */
	struct names *names;
};

void merge_init(struct merge *m, struct names *names, uint64_t seed);
void merge_free(struct merge *m);
/* Gives back what only merging needs; no event may follow. */
void merge_finish(struct merge *m);
void merge_event(struct merge *m, const struct event *e);
/* Fetches into the cache what merge_event will look at first. */
void merge_prefetch(const struct merge *m, const struct event *e);

/* Forgets attempts of which every record started before `before` and is of the source (UINT32_MAX: any).
 * Returns how many. */
uint64_t merge_evict(struct merge *m, uint32_t source, int64_t before);
/* Bytes held for attempts, or for those of a source. */
size_t merge_footprint(const struct merge *m, uint32_t source);

/* Outcome by rules 5 to 7: what the records say, before byte counts decide. *alert: the alert behind it. */
enum outcome attempt_outcome(const struct attempt *a, int64_t now, int *alert, bool *contradiction);

#endif
