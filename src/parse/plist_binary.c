#include "parse/plist_internal.h"

#include <math.h>
#include <stdlib.h>

/* The layout, big-endian throughout:
 *
 *   "bplist00"
 *   objects     a marker byte (type in the high, size in the low half), then the content;
 * containers hold object numbers of ref_size bytes offsets     one of offset_size bytes an object:
 * where it begins trailer     32 bytes: 6 unused, offset_size, ref_size, then count, top object,
 * place of the offsets, 8 bytes each
 *
 * Nothing in it is trusted. Each object is decoded once and shared by all who refer to it, so
 * decoding is linear in the size of the file; what the tree would weigh with nothing shared is
 * counted as well, since whoever walks it meets every copy. */
#define HEADER_SIZE 8
#define TRAILER_SIZE 32

enum state {
	STATE_NEW,
	STATE_OPEN, /* being decoded: to meet it again is a cycle */
	STATE_DONE,
};

struct object {
	struct value value;
	enum state state;
	uint32_t nodes;	 /* of the subtree, written out */
	uint32_t height; /* levels of containers */
	uint64_t bytes;	 /* of text and data in the subtree, written out */
};

struct binary {
	struct sv file;
	struct arena *arena;
	struct error *err;
	struct object *objects;
	size_t count;
	size_t offsets;
	size_t end; /* of the objects */
	size_t offset_size;
	size_t ref_size;
	uint64_t references; /* of all containers decoded, and ... */
	uint64_t bytes;	     /* ... bytes of all texts: objects may overlap in the file */
};

static bool bad(struct binary *b, size_t at, const char *what)
{
	return error_set(b->err, ERROR_FORMAT, at, "binary property list: damaged at byte %zu: %s",
			 at, what);
}

static bool too_much(struct binary *b, size_t at, const char *what)
{
	return error_set(b->err, ERROR_LIMIT, at, "binary property list: more than the allowed %s",
			 what);
}

/* n ≤ 8 bytes that are known to lie within the file. */
static uint64_t big_endian(const struct binary *b, size_t at, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)b->file.p[at + i];
	return v;
}

static bool within(const struct binary *b, size_t at, uint64_t n)
{
	return at <= b->end && n <= b->end - at;
}

static bool read_trailer(struct binary *b, size_t *top)
{
	size_t t = b->file.n - TRAILER_SIZE;
	uint64_t count, first, place;

	b->offset_size = (size_t)big_endian(b, t + 6, 1);
	b->ref_size = (size_t)big_endian(b, t + 7, 1);
	count = big_endian(b, t + 8, 8);
	first = big_endian(b, t + 16, 8);
	place = big_endian(b, t + 24, 8);
	if (b->offset_size < 1 || b->offset_size > 8 || b->ref_size < 1 || b->ref_size > 8)
		return bad(b, t + 6, "impossible sizes in the trailer");
	if (count > VALUE_MAX_NODES)
		return too_much(b, t + 8, "1000000 objects");
	if (count == 0 || first >= count)
		return bad(b, t + 8, "impossible object numbers in the trailer");
	if (place < HEADER_SIZE || place > t || count * b->offset_size > t - place)
		return bad(b, t + 24, "an offset table outside of the file, named");
	b->count = (size_t)count;
	b->offsets = b->end = (size_t)place;
	*top = (size_t)first;
	return true;
}

/* The count behind a marker: its low half, or where that is 15 an integer object. Leaves *at
 * behind. */
static bool read_count(struct binary *b, unsigned low, size_t *at, uint64_t *n)
{
	size_t size;

	*n = low;
	if (low != 15)
		return true;
	if (!within(b, *at, 1) || ((unsigned char)b->file.p[*at] & 0xf0) != 0x10)
		return bad(b, *at, "no length where one is due");
	size = (size_t)1 << ((unsigned char)b->file.p[*at] & 0x0f);
	if (size > 8 || !within(b, *at + 1, size))
		return bad(b, *at, "an impossible length");
	*n = big_endian(b, *at + 1, size);
	*at += 1 + size;
	return true;
}

/* 1, 2 and 4 bytes are unsigned, 8 signed, 16 signed of which the lower half is the usual value. */
static bool read_int(struct binary *b, unsigned low, size_t at, struct value *v)
{
	size_t size = (size_t)1 << low;
	uint64_t n, high;

	if (low > 4 || !within(b, at, size))
		return bad(b, at - 1, "an impossible integer");
	n = big_endian(b, at + (size > 8 ? 8 : 0), size > 8 ? 8 : size);
	high = size > 8 ? big_endian(b, at, 8) : n >> 63 == 1 ? UINT64_MAX : 0;
	if (high == (n >> 63 == 1 ? UINT64_MAX : 0)) {
		v->type = VALUE_INT;
		memcpy(&v->integer, &n, sizeof(n));
	} else {
		int64_t signed_high;
		memcpy(&signed_high, &high, sizeof(high));
		v->type = VALUE_REAL;
		v->real = (double)signed_high * 0x1p64 + (double)n;
	}
	return true;
}

static bool read_real(struct binary *b, unsigned low, size_t at, double *out)
{
	uint64_t bits;

	if ((low != 2 && low != 3) || !within(b, at, low == 2 ? 4 : 8))
		return bad(b, at - 1, "an impossible real number");
	bits = big_endian(b, at, low == 2 ? 4 : 8);
	if (low == 2) {
		uint32_t narrow = (uint32_t)bits;
		float f;
		memcpy(&f, &narrow, sizeof(f));
		*out = (double)f;
	} else {
		memcpy(out, &bits, sizeof(*out));
	}
	return true;
}

/* Seconds since 2001-01-01, to the microsecond, which is what a double of that size still
 * resolves. */
static struct instant from_apple_epoch(double seconds)
{
	const double epoch = 978307200.0, last = 9223372036.0;
	double whole = floor(seconds);

	if (!(seconds >= -epoch) || !(whole + epoch < last))
		return INSTANT_NONE;
	return (struct instant){ ((int64_t)whole + (int64_t)epoch) * NS_PER_S +
				 (int64_t)llround((seconds - whole) * 1e6) * 1000 };
}

static size_t put_utf8(char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (char)(0xe0 | c >> 12);
		p[1] = (char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (char)(0xf0 | c >> 18);
	p[1] = (char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* n units of UTF-16; a surrogate without its partner becomes U+FFFD. */
static struct sv from_utf16(struct binary *b, size_t at, size_t n)
{
	char *text = arena_alloc(b->arena, n * 3 + 1);
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = (uint32_t)big_endian(b, at + 2 * i, 2);
		if (c >= 0xd800 && c <= 0xdfff) {
			uint32_t next = i + 1 < n ? (uint32_t)big_endian(b, at + 2 * i + 2, 2) : 0;
			if (c <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
				c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
				i++;
			} else {
				c = 0xfffd;
			}
		}
		length += put_utf8(text + length, c);
	}
	text[length] = '\0';
	return sv_make(text, length);
}

static bool read_text(struct binary *b, unsigned type, unsigned low, size_t at, struct object *o)
{
	size_t marker = at - 1, unit = type == 0x6 ? 2 : 1;
	uint64_t n;

	if (!read_count(b, low, &at, &n))
		return false;
	if (n > b->file.n || !within(b, at, n * unit))
		return bad(b, marker, "text or data that ends outside of the file");
	b->bytes += n;
	if (b->bytes > VALUE_MAX_BYTES)
		return too_much(b, marker, "bytes of text");
	o->value.type = type == 0x4 ? VALUE_DATA : VALUE_STRING;
	o->value.text = unit == 2 ? from_utf16(b, at, (size_t)n)
				  : arena_sv(b->arena, sv_make(b->file.p + at, (size_t)n));
	o->bytes = o->value.text.n;
	return true;
}

static bool read_object(struct binary *b, size_t number, unsigned depth);

/* The child whose number stands at `at`, decoded; its weight is added to the parent's. */
static struct object *read_child(struct binary *b, size_t at, struct object *parent, unsigned depth)
{
	uint64_t number = big_endian(b, at, b->ref_size);
	struct object *child;

	if (number >= b->count) {
		bad(b, at, "a reference to an object that does not exist");
		return NULL;
	}
	child = &b->objects[number];
	if (child->state == STATE_OPEN) {
		bad(b, at, "a container that contains itself");
		return NULL;
	}
	if (child->state == STATE_NEW && !read_object(b, (size_t)number, depth + 1))
		return NULL;
	parent->nodes += child->nodes;
	parent->bytes += child->bytes;
	if (parent->height < child->height + 1)
		parent->height = child->height + 1;
	if (parent->nodes > VALUE_MAX_NODES) {
		too_much(b, at, "1000000 nodes, shared ones counted as often as they are used");
		return NULL;
	}
	if (parent->bytes > VALUE_MAX_BYTES) {
		too_much(b, at, "bytes of text, shared ones counted as often as they are used");
		return NULL;
	}
	return child;
}

static bool read_container(struct binary *b, unsigned type, unsigned low, size_t at,
			   struct object *o, unsigned depth)
{
	size_t marker = at - 1, per_child = type == 0xd ? 2 * b->ref_size : b->ref_size, n;
	struct value_member *members = NULL;
	struct value *items = NULL;
	uint64_t count;

	if (!read_count(b, low, &at, &count))
		return false;
	if (count > b->file.n || !within(b, at, count * per_child))
		return bad(b, marker, "a container that ends outside of the file");
	b->references += count;
	if (b->references > VALUE_MAX_NODES)
		return too_much(b, marker, "1000000 nodes");
	o->height = 1;
	n = (size_t)count;
	if (type == 0xd && n > 0)
		members = arena_alloc(b->arena, n * sizeof(*members));
	else if (n > 0)
		items = arena_alloc(b->arena, n * sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		size_t refs = at + i * b->ref_size;
		const struct object *child;

		if (type == 0xd) {
			child = read_child(b, refs, o, depth);
			if (child == NULL)
				return false;
			if (child->value.type != VALUE_STRING)
				return bad(b, refs, "a key that is not a string");
			members[i].key = child->value.text;
			refs += n * b->ref_size;
		}
		child = read_child(b, refs, o, depth);
		if (child == NULL)
			return false;
		if (type == 0xd)
			members[i].value = child->value;
		else
			items[i] = child->value;
	}
	if (type == 0xd)
		o->value = (struct value){ .type = VALUE_OBJECT, .object = { members, n } };
	else
		o->value = (struct value){ .type = VALUE_ARRAY, .array = { items, n } };
	return true;
}

static bool read_simple(struct binary *b, unsigned low, size_t at, struct value *v)
{
	switch (low) {
	case 0x0:
		v->type = VALUE_NULL;
		return true;
	case 0x8:
	case 0x9:
		v->type = VALUE_BOOL;
		v->boolean = low == 0x9;
		return true;
	default:
		return bad(b, at - 1, "an unknown kind of object");
	}
}

/* Recursion is as deep as the tree, which `depth` bounds. */
static bool read_object(struct binary *b, size_t number, unsigned depth)
{
	struct object *o = &b->objects[number];
	uint64_t place = big_endian(b, b->offsets + number * b->offset_size, b->offset_size);
	unsigned type, low;
	size_t at;
	bool ok;

	if (place < HEADER_SIZE || place >= b->end)
		return bad(b, b->offsets + number * b->offset_size,
			   "an object outside of the file, named");
	at = (size_t)place;
	type = (unsigned char)b->file.p[at] >> 4;
	low = (unsigned char)b->file.p[at] & 0x0f;
	at++;
	o->state = STATE_OPEN;
	o->nodes = 1;
	switch (type) {
	case 0x0:
		ok = read_simple(b, low, at, &o->value);
		break;
	case 0x1:
		ok = read_int(b, low, at, &o->value);
		break;
	case 0x2:
		o->value.type = VALUE_REAL;
		ok = read_real(b, low, at, &o->value.real);
		break;
	case 0x3: {
		double seconds = 0;
		ok = read_real(b, low, at, &seconds);
		o->value = (struct value){ .type = VALUE_DATE, .date = from_apple_epoch(seconds) };
		break;
	}
	case 0x4:
	case 0x5:
	case 0x6:
	case 0x7: /* UTF-8, written by newer systems */
		ok = read_text(b, type, low, at, o);
		break;
	case 0x8: /* UID of low + 1 bytes */
		if (low > 7 || !within(b, at, low + 1)) {
			ok = bad(b, at - 1, "an impossible UID");
		} else {
			uint64_t uid = big_endian(b, at, low + 1);
			o->value.type = VALUE_INT;
			memcpy(&o->value.integer, &uid, sizeof(uid));
			ok = true;
		}
		break;
	case 0xa:
	case 0xb: /* ordered set */
	case 0xc: /* set */
	case 0xd:
		if (depth > VALUE_MAX_DEPTH)
			ok = too_much(b, at - 1, "64 levels of nesting");
		else
			ok = read_container(b, type, low, at, o, depth);
		break;
	default:
		ok = bad(b, at - 1, "an unknown kind of object");
	}
	/* A shared subtree may have been decoded nearer to the root than it is used. */
	if (ok && o->height + depth > VALUE_MAX_DEPTH + 1)
		ok = too_much(b, at - 1, "64 levels of nesting");
	o->state = STATE_DONE;
	return ok;
}

bool plist_parse_binary(struct sv bytes, struct arena *a, struct value *out, struct error *err)
{
	struct binary b = { .file = bytes, .arena = a, .err = err };
	size_t top = 0;
	bool ok;

	if (bytes.n < HEADER_SIZE + TRAILER_SIZE + 2)
		return error_set(err, ERROR_FORMAT, bytes.n,
				 "binary property list: ends at byte %zu, expected its trailer",
				 bytes.n);
	if (!read_trailer(&b, &top))
		return false;
	b.objects = xcalloc(b.count, sizeof(*b.objects));
	ok = read_object(&b, top, 1);
	if (ok)
		*out = b.objects[top].value;
	free(b.objects);
	return ok;
}
