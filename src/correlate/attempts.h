/* The attempts of a run, kept small.
 *
 * An attempt that may soon be joined again is *open*: a struct attempt, and its records' references
 * as a chain. Then it is *packed*: what many have in common are numbers of tuples (peers, said),
 * and the references a few bytes each in one stream. Packing loses nothing that merging or judging
 * asks for, so a packed attempt opens again whenever a record joins it after all; what its
 * references took in the stream is then lost until attempts_keep.
 *
 * Numbers count from 1 in the order in which attempts began. Not thread-safe; reading alone is.
 */
#ifndef PINWATCH_CORRELATE_ATTEMPTS_H
#define PINWATCH_CORRELATE_ATTEMPTS_H

#include "correlate/event.h"
#include "base/tuples.h"

enum attempt_flag {
	SEEN_TLS = 1, /* a TLS observation, not only a contact */
	SEEN_INSPECTION = 2,
	SEEN_FLOW = 4,
	SEEN_EDR = 8,
	WAS_UDP = 16,
	WAS_OUTSIDE = 32, /* a flow sensor on a path without the gateway */
	WENT_TO_LISTENER = 64,
	WENT_ELSEWHERE = 128, /* a server address or port that is no listener's */
};

/* Of a duration only this is ever asked. */
enum attempt_duration { DURATION_UNKNOWN, DURATION_SHORT, DURATION_LONG };
/* So long an unended handshake may still turn out to have an inner request. */
#define INNER_REQUEST_WAIT (30 * NS_PER_S)
#define DURATION_SHORT_BELOW (5 * NS_PER_S)

/* An unended established_no_data: none, one that may still turn out to be something else, one that
 * stays. */
enum attempt_wait { WAIT_NONE, WAIT_OPEN, WAIT_OVER };

/* Who talks to whom with what: numbers of names. */
struct peers {
	uint32_t client, server, host, keys;
	uint32_t bundle, version, agent, ja4, ja3, issuer, tls_version;
	uint16_t join_port;	  /* for joining: the first known port that is no listener's */
	uint16_t inspecting_port; /* the first the inspecting source names */
};

/* What the records say of it. [0]: the inspecting source, or (closing) a flow sensor; [1]: the
 * others, any. */
struct said {
	uint32_t count;
	int16_t alert[2];
	uint16_t client_port; /* 0 also where it is found by it */
	uint8_t flags;	      /* enum attempt_flag */
	uint8_t host_rank;
	uint8_t outcome[2]; /* most specific */
	uint8_t inspection[2], bypass_reason[2];
	uint8_t closed_by[2], close[2];
	uint8_t established, server_certificate, ended; /* enum tri */
	uint8_t wait[2];				/* enum attempt_wait */
	uint8_t duration;				/* enum attempt_duration */
	uint8_t weak_late, sure_late; /* who says established_no_data: a log that may mean other
					 things, one that does not */
	uint8_t in_chain;	      /* found by client ip and port */
	uint8_t _zero[3];
};

struct attempt {
	struct peers p;
	struct said s;
	int64_t start, first_start;
	int64_t bytes_out;	/* −1 unknown */
	int64_t waits_since[2]; /* earliest order time of what s.wait is about; INT64_MAX: none */
	int64_t touched;	/* the newest order time when a record joined last */
	uint32_t number;
	uint32_t first_ref, last_ref, n_refs;
	bool noted; /* the packed record says the same */
};

/* One record behind an attempt. */
struct attempt_ref {
	struct record_ref ref;
	int64_t time;
	uint32_t next;
	uint8_t kind; /* enum observation_kind */
	uint8_t outcome;
	int16_t alert;
};

struct attempt_record {
	int64_t start;
	uint32_t peers, said;
	uint32_t previous; /* older attempt of the same client ip and port */
	uint32_t place;	   /* where the rest is: OPEN_ATTEMPT with the number of the open one, or a
			      place in the stream */
};
#define OPEN_ATTEMPT 0x80000000u

struct attempts {
	struct attempt_record *records; /* number 0 unused */
	uint32_t n, _capacity;
	struct tuples peers, said, _shapes;
	uint32_t _recent_shapes[64]; /* 1 + number, by what they usually differ in */
	struct attempt *_open;
	uint32_t _n_open, _open_capacity, _free_open;
	struct attempt_ref *_refs; /* of the open ones; number 0 ends a chain */
	uint32_t _n_refs, _refs_capacity, _free_ref;
	struct attempt_waiting *_queue; /* a ring of the open ones, first touched first */
	uint32_t _first, _n_queue, _queue_capacity;
	unsigned char *_stream;
	size_t _n_stream, _stream_capacity;
	uint64_t lost;	 /* bytes of the stream that nothing needs any more */
	uint32_t *noted; /* numbers of those noted since attempts_heard, some more than once */
	uint32_t n_noted, _noted_capacity;
	bool _listened;
};

void attempts_init(struct attempts *t, uint64_t seed);
void attempts_free(struct attempts *t);
/* A new open one with this start, or the attempt opened again. Good until the next call. */
struct attempt *attempts_new(struct attempts *t, int64_t start, int64_t now);
struct attempt *attempts_open(struct attempts *t, uint32_t number, int64_t now);
/* The open one, or NULL where it is packed. */
static inline const struct attempt *attempts_peek(const struct attempts *t, uint32_t number)
{
	uint32_t place = t->records[number].place;

	return place & OPEN_ATTEMPT ? &t->_open[place & ~OPEN_ATTEMPT] : NULL;
}
void attempts_add_ref(struct attempts *t, struct attempt *a, const struct attempt_ref *ref);
/* Packs those that no record joined since `before`, in order time (INT64_MAX: all), and whose
 * outcome no wait can change any more. */
void attempts_pack(struct attempts *t, int64_t before, int64_t now);
/* Brings peers, said and start of the open ones' records up to date. */
void attempts_note(struct attempts *t);
/* From now on `noted` says which attempts change, and it begins anew. */
void attempts_heard(struct attempts *t);
/* Gives back what only open ones need; where some are left, what their judgement needs stays. */
void attempts_trim(struct attempts *t);
/* Keeps what `keep` (by number) says, under new numbers in the same order. Fills, by old number,
 * `renumbered` with the new one, 0 where it is gone, and `older` with that of the newest kept one
 * of its chain that is not newer than it. */
void attempts_keep(struct attempts *t, const bool *keep, uint32_t *renumbered, uint32_t *older);

static inline const struct peers *attempt_peers(const struct attempts *t, uint32_t number)
{
	return tuples_get(&t->peers, t->records[number].peers);
}
static inline const struct said *attempt_said(const struct attempts *t, uint32_t number)
{
	return tuples_get(&t->said, t->records[number].said);
}

/* Steps through the records behind an attempt, in order. */
struct ref_cursor {
	const struct attempts *_attempts;
	const unsigned char *_at;
	int64_t _start;
	uint32_t _next; /* open: the next reference; packed: how many are left */
	bool _packed;
	uint32_t _file, _line;
	int64_t bytes_out;
};
struct ref_cursor attempt_refs(const struct attempts *t, uint32_t number);
bool ref_next(struct ref_cursor *c, struct attempt_ref *out);
/* −1 unknown. */
int64_t attempt_bytes_out(const struct attempts *t, uint32_t number);
/* Start of the record that came first in order. */
int64_t attempt_first_start(const struct attempts *t, uint32_t number);
size_t attempts_footprint(const struct attempts *t);

#endif
