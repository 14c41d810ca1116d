#include "correlate/attempts_stream.h"

#include <string.h>

#include "base/arena.h"

#define VARINT_MAX 10u
/* Differences of time are mostly whole milli- or microseconds: the unit stands in the two lowest
 * bits. */
enum time_unit { UNIT_NS, UNIT_US, UNIT_MS, UNIT_RAW };
#define NS_PER_US INT64_C(1000)

static unsigned char *put(unsigned char *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (unsigned char)(value | 0x80);
	*at++ = (unsigned char)value;
	return at;
}

static const unsigned char *get(const unsigned char *at, uint64_t *value)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		v |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at++ & 0x80))
			break;
	}
	*value = v;
	return at;
}

static uint64_t zigzag(int64_t v) { return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0); }
static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1 ^ (0 - (v & 1))); }

static unsigned char *put_time(unsigned char *at, int64_t time, int64_t start)
{
	int64_t apart = (int64_t)((uint64_t)time - (uint64_t)start);
	enum time_unit unit = UNIT_NS;

	if (apart % NS_PER_MS == 0) {
		unit = UNIT_MS;
		apart /= NS_PER_MS;
	} else if (apart % NS_PER_US == 0) {
		unit = UNIT_US;
		apart /= NS_PER_US;
	}
	if (zigzag(apart) >> 62 == 0)
		return put(at, zigzag(apart) << 2 | unit);
	*at++ = UNIT_RAW;
	memcpy(at, &time, sizeof(time));
	return at + sizeof(time);
}

static const unsigned char *get_time(const unsigned char *at, int64_t *time, int64_t start)
{
	static const int64_t ns[] = { [UNIT_NS] = 1, [UNIT_US] = NS_PER_US, [UNIT_MS] = NS_PER_MS };
	uint64_t value;

	at = get(at, &value);
	if ((value & 3) == UNIT_RAW) {
		memcpy(time, at, sizeof(*time));
		return at + sizeof(*time);
	}
	*time =
	    (int64_t)((uint64_t)start + (uint64_t)unzigzag(value >> 2) * (uint64_t)ns[value & 3]);
	return at;
}

static uint32_t shape_of(struct attempts *t, const struct attempt_ref *ref)
{
	struct ref_shape shape = {
		.file = ref->ref.file,
		.source = ref->ref.source,
		.alert = ref->alert,
		.kind = ref->kind,
		.outcome = ref->outcome,
	};
	uint32_t *recent = &t->_recent_shapes[(ref->ref.file * 16u + ref->outcome) % 64u];

	if (*recent == 0 ||
	    memcmp(tuples_get(&t->_shapes, *recent - 1), &shape, sizeof(shape)) != 0)
		*recent = tuples_put(&t->_shapes, &shape) + 1;
	return *recent - 1;
}

bool stream_put(struct attempts *t, const struct attempt *a, uint32_t *place)
{
	size_t most = t->_n_stream + 2 * VARINT_MAX + a->n_refs * (3 * VARINT_MAX) + STREAM_UNIT;
	uint32_t file = UINT32_MAX, line = 0;
	unsigned char *at;

	if (most / STREAM_UNIT >= OPEN_ATTEMPT)
		return false;
	if (most > t->_stream_capacity) {
		t->_stream_capacity = most * 2;
		t->_stream = xrealloc(t->_stream, t->_stream_capacity, 1);
	}
	*place = (uint32_t)(t->_n_stream / STREAM_UNIT);
	at = put(t->_stream + t->_n_stream, a->bytes_out < 0 ? 0 : (uint64_t)a->bytes_out + 1);
	at = put(at, a->n_refs);
	for (uint32_t i = a->first_ref; i != 0; i = t->_refs[i].next) {
		const struct attempt_ref *ref = &t->_refs[i];
		at = put(at, shape_of(t, ref));
		at = put(at, ref->ref.file == file ? zigzag((int64_t)ref->ref.line - (int64_t)line)
						   : ref->ref.line);
		at = put_time(at, ref->time, a->start);
		file = ref->ref.file;
		line = ref->ref.line;
	}
	t->_n_stream = (size_t)(at - t->_stream);
	t->_n_stream += (STREAM_UNIT - t->_n_stream % STREAM_UNIT) % STREAM_UNIT;
	return true;
}

static const unsigned char *place_at(const struct attempts *t, uint32_t place)
{
	return t->_stream + (size_t)place * STREAM_UNIT;
}

struct ref_cursor attempt_refs(const struct attempts *t, uint32_t number)
{
	const struct attempt *a = attempts_peek(t, number);
	struct ref_cursor c = { ._attempts = t, ._start = t->records[number].start };
	uint64_t bytes, n;

	if (a != NULL) {
		c._next = a->first_ref;
		c.bytes_out = a->bytes_out;
		return c;
	}
	c._at = get(get(place_at(t, t->records[number].place), &bytes), &n);
	c.bytes_out = bytes == 0 ? -1 : (int64_t)(bytes - 1);
	c._next = (uint32_t)n;
	c._packed = true;
	c._file = UINT32_MAX;
	return c;
}

bool ref_next(struct ref_cursor *c, struct attempt_ref *out)
{
	const struct ref_shape *shape;
	uint64_t number, line;

	if (c->_next == 0)
		return false;
	if (!c->_packed) {
		*out = c->_attempts->_refs[c->_next];
		c->_next = out->next;
		return true;
	}
	c->_next--;
	c->_at = get(get(c->_at, &number), &line);
	shape = tuples_get(&c->_attempts->_shapes, (uint32_t)number);
	*out = (struct attempt_ref){
		.ref = { shape->file,
			 shape->file == c->_file ? c->_line + (uint32_t)unzigzag(line)
						 : (uint32_t)line,
			 shape->source },
		.kind = shape->kind,
		.outcome = shape->outcome,
		.alert = shape->alert,
	};
	c->_at = get_time(c->_at, &out->time, c->_start);
	c->_file = shape->file;
	c->_line = out->ref.line;
	return true;
}

int64_t attempt_bytes_out(const struct attempts *t, uint32_t number)
{
	return attempt_refs(t, number).bytes_out;
}

int64_t attempt_first_start(const struct attempts *t, uint32_t number)
{
	struct ref_cursor c = attempt_refs(t, number);
	struct attempt_ref first = { 0 };

	ref_next(&c, &first);
	return first.time;
}

size_t stream_size(const struct attempts *t, uint32_t place)
{
	const unsigned char *begin = place_at(t, place), *at;
	uint64_t bytes, n, value;
	int64_t time;
	size_t size;

	at = get(get(begin, &bytes), &n);
	for (uint64_t i = 0; i < n; i++)
		at = get_time(get(get(at, &value), &value), &time, 0);
	size = (size_t)(at - begin);
	return size + (STREAM_UNIT - size % STREAM_UNIT) % STREAM_UNIT;
}
