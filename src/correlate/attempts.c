#include "correlate/attempts.h"

#include <stdlib.h>

#include "correlate/attempts_stream.h"

#define NO_OPEN UINT32_MAX

/* One of the open attempts, and when a record had joined it last when it began to wait. */
struct attempt_waiting {
	int64_t since;
	uint32_t open;
};

void attempts_init(struct attempts *t, uint64_t seed)
{
	*t = (struct attempts){ .n = 1, ._n_refs = 1, ._free_open = NO_OPEN };
	tuples_init(&t->peers, sizeof(struct peers), seed);
	tuples_init(&t->said, sizeof(struct said), seed);
	tuples_init(&t->_shapes, sizeof(struct ref_shape), seed);
	t->records = xcalloc(t->_capacity = 1024, sizeof(*t->records));
	t->_refs = xcalloc(t->_refs_capacity = 1024, sizeof(*t->_refs));
}

void attempts_free(struct attempts *t)
{
	tuples_free(&t->peers);
	tuples_free(&t->said);
	tuples_free(&t->_shapes);
	free(t->records);
	free(t->_open);
	free(t->_refs);
	free(t->_queue);
	free(t->_stream);
	free(t->noted);
	*t = (struct attempts){ 0 };
}

static void queue_up(struct attempts *t, uint32_t open, int64_t since)
{
	if (t->_n_queue == t->_queue_capacity) {
		uint32_t capacity = t->_queue_capacity == 0 ? 1024 : t->_queue_capacity * 2;
		struct attempt_waiting *grown = xmalloc(capacity * sizeof(*grown));
		for (uint32_t i = 0; i < t->_n_queue; i++)
			grown[i] = t->_queue[(t->_first + i) & (t->_queue_capacity - 1)];
		free(t->_queue);
		t->_queue = grown;
		t->_queue_capacity = capacity;
		t->_first = 0;
	}
	t->_queue[(t->_first + t->_n_queue++) & (t->_queue_capacity - 1)] =
	    (struct attempt_waiting){ since, open };
}

static struct attempt *take_open(struct attempts *t, uint32_t number, int64_t now)
{
	uint32_t open = t->_free_open;

	if (open != NO_OPEN) {
		t->_free_open = t->_open[open].first_ref;
	} else {
		if (t->_n_open == t->_open_capacity) {
			t->_open_capacity = t->_open_capacity == 0 ? 256 : t->_open_capacity * 2;
			t->_open = xrealloc(t->_open, t->_open_capacity, sizeof(*t->_open));
		}
		open = t->_n_open++;
	}
	t->_open[open] = (struct attempt){
		.number = number,
		.bytes_out = -1,
		.waits_since = { INT64_MAX, INT64_MAX },
		.touched = now,
	};
	t->records[number].place = OPEN_ATTEMPT | open;
	queue_up(t, open, now);
	return &t->_open[open];
}

static void give_back(struct attempts *t, struct attempt *a)
{
	if (a->first_ref != 0) {
		t->_refs[a->last_ref].next = t->_free_ref;
		t->_free_ref = a->first_ref;
	}
	a->number = 0;
	a->first_ref = t->_free_open;
	t->_free_open = (uint32_t)(a - t->_open);
}

struct attempt *attempts_new(struct attempts *t, int64_t start, int64_t now)
{
	struct attempt *a;

	if (t->n == t->_capacity)
		t->records = xrealloc(t->records, t->_capacity *= 2, sizeof(*t->records));
	t->records[t->n] = (struct attempt_record){ .start = start };
	a = take_open(t, t->n++, now);
	a->start = a->first_start = start;
	a->s.alert[0] = a->s.alert[1] = -1;
	return a;
}

void attempts_add_ref(struct attempts *t, struct attempt *a, const struct attempt_ref *ref)
{
	uint32_t number = t->_free_ref;

	if (number != 0) {
		t->_free_ref = t->_refs[number].next;
	} else {
		if (t->_n_refs == t->_refs_capacity)
			t->_refs = xrealloc(t->_refs, t->_refs_capacity *= 2, sizeof(*t->_refs));
		number = t->_n_refs++;
	}
	t->_refs[number] = *ref;
	t->_refs[number].next = 0;
	if (a->first_ref == 0)
		a->first_ref = number;
	else
		t->_refs[a->last_ref].next = number;
	a->last_ref = number;
	a->n_refs++;
}

static void unpack(struct attempts *t, struct attempt *a, uint32_t place)
{
	const struct attempt_record *r = &t->records[a->number];
	struct ref_cursor c;
	struct attempt_ref ref;

	t->records[a->number].place = place;
	c = attempt_refs(t, a->number);
	t->records[a->number].place = OPEN_ATTEMPT | (uint32_t)(a - t->_open);
	a->p = *(const struct peers *)tuples_get(&t->peers, r->peers);
	a->s = *(const struct said *)tuples_get(&t->said, r->said);
	a->start = r->start;
	a->bytes_out = c.bytes_out;
	for (int who = 0; who < 2; who++)
		if (a->s.wait[who] == WAIT_OVER)
			a->waits_since[who] = INT64_MIN;
	while (ref_next(&c, &ref)) {
		if (a->n_refs == 0)
			a->first_start = ref.time;
		attempts_add_ref(t, a, &ref);
	}
	t->lost += stream_size(t, place);
}

struct attempt *attempts_open(struct attempts *t, uint32_t number, int64_t now)
{
	uint32_t place = t->records[number].place;
	struct attempt *a;

	if (place & OPEN_ATTEMPT) {
		a = &t->_open[place & ~OPEN_ATTEMPT];
		a->touched = now;
	} else {
		a = take_open(t, number, now);
		unpack(t, a, place);
	}
	a->noted = false;
	return a;
}

static void note(struct attempts *t, struct attempt *a)
{
	struct attempt_record *r = &t->records[a->number];
	struct said said = a->s;

	if (said.in_chain)
		said.client_port = 0;
	r->peers = tuples_put(&t->peers, &a->p);
	r->said = tuples_put(&t->said, &said);
	r->start = a->start;
	a->noted = true;
	if (!t->_listened)
		return;
	if (t->n_noted == t->_noted_capacity) {
		t->_noted_capacity = t->_noted_capacity == 0 ? 1024 : t->_noted_capacity * 2;
		t->noted = xrealloc(t->noted, t->_noted_capacity, sizeof(*t->noted));
	}
	t->noted[t->n_noted++] = a->number;
}

void attempts_heard(struct attempts *t)
{
	t->_listened = true;
	t->n_noted = 0;
}

void attempts_note(struct attempts *t)
{
	for (uint32_t i = 0; i < t->_n_open; i++)
		if (t->_open[i].number != 0 && !t->_open[i].noted)
			note(t, &t->_open[i]);
}

/* Whether no wait is left that could change its outcome. */
static bool settle_waits(struct attempt *a, int64_t now)
{
	for (int who = 0; who < 2; who++) {
		if (a->s.wait[who] != WAIT_OPEN)
			continue;
		if (a->waits_since[who] > now - INNER_REQUEST_WAIT)
			return false;
		a->s.wait[who] = WAIT_OVER;
		a->noted = false;
	}
	return true;
}

static bool pack(struct attempts *t, struct attempt *a, int64_t now)
{
	uint32_t place;

	if (!settle_waits(a, now) || !stream_put(t, a, &place))
		return false;
	if (!a->noted)
		note(t, a);
	t->records[a->number].place = place;
	give_back(t, a);
	return true;
}

void attempts_pack(struct attempts *t, int64_t before, int64_t now)
{
	for (uint32_t left = t->_n_queue; left > 0; left--) {
		struct attempt_waiting w = t->_queue[t->_first];
		struct attempt *a = &t->_open[w.open];

		if (w.since > before)
			break;
		t->_first = (t->_first + 1) & (t->_queue_capacity - 1);
		t->_n_queue--;
		if (a->touched > before || !pack(t, a, now))
			queue_up(t, w.open, a->touched);
	}
}

void attempts_trim(struct attempts *t)
{
	t->records = xrealloc(t->records, t->_capacity = t->n, sizeof(*t->records));
	t->_stream = xrealloc(t->_stream, t->_stream_capacity = t->_n_stream, 1);
	if (t->_n_queue > 0)
		return;
	free(t->_open);
	free(t->_queue);
	t->_open = NULL;
	t->_queue = NULL;
	t->_refs = xrealloc(t->_refs, t->_refs_capacity = t->_n_refs = 1, sizeof(*t->_refs));
	t->_n_open = t->_open_capacity = t->_queue_capacity = t->_first = t->_free_ref = 0;
	t->_free_open = NO_OPEN;
}

/* The packed attempt's bytes, moved from one stream to the other. */
static uint32_t move(struct attempts *t, const struct attempts *from, uint32_t place)
{
	size_t size = stream_size(from, place), at = t->_n_stream;

	if (at + size > t->_stream_capacity)
		t->_stream = xrealloc(t->_stream, t->_stream_capacity = (at + size) * 2, 1);
	memcpy(t->_stream + at, from->_stream + (size_t)place * STREAM_UNIT, size);
	t->_n_stream += size;
	return (uint32_t)(at / STREAM_UNIT);
}

static void drop_waiting(struct attempts *t)
{
	uint32_t n = t->_n_queue;

	t->_n_queue = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct attempt_waiting w = t->_queue[(t->_first + i) & (t->_queue_capacity - 1)];
		if (t->_open[w.open].number != 0)
			t->_queue[(t->_first + t->_n_queue++) & (t->_queue_capacity - 1)] = w;
	}
}

void attempts_keep(struct attempts *t, const bool *keep, uint32_t *renumbered, uint32_t *older)
{
	struct attempts old = *t;
	uint32_t n = 1;

	attempts_note(t);
	old = *t;
	tuples_init(&t->peers, sizeof(struct peers), old.peers._seed);
	tuples_init(&t->said, sizeof(struct said), old.said._seed);
	t->_stream = NULL;
	t->_n_stream = t->_stream_capacity = 0;
	t->lost = 0;
	renumbered[0] = older[0] = 0;
	for (uint32_t i = 1; i < old.n; i++) {
		struct attempt_record r = t->records[i];

		renumbered[i] = 0;
		older[i] = older[r.previous];
		if (!keep[i]) {
			if (r.place & OPEN_ATTEMPT)
				give_back(t, &t->_open[r.place & ~OPEN_ATTEMPT]);
			continue;
		}
		r.previous = older[r.previous];
		r.peers = tuples_put(&t->peers, tuples_get(&old.peers, r.peers));
		r.said = tuples_put(&t->said, tuples_get(&old.said, r.said));
		if (r.place & OPEN_ATTEMPT)
			t->_open[r.place & ~OPEN_ATTEMPT].number = n;
		else
			r.place = move(t, &old, r.place);
		t->records[n] = r;
		renumbered[i] = older[i] = n++;
	}
	t->n = n;
	drop_waiting(t);
	tuples_free(&old.peers);
	tuples_free(&old.said);
	free(old._stream);
}

size_t attempts_footprint(const struct attempts *t)
{
	return t->_capacity * sizeof(*t->records) + t->_open_capacity * sizeof(*t->_open) +
	       t->_refs_capacity * sizeof(*t->_refs) + t->_queue_capacity * sizeof(*t->_queue) +
	       t->_stream_capacity + tuples_footprint(&t->peers) + tuples_footprint(&t->said) +
	       tuples_footprint(&t->_shapes);
}
