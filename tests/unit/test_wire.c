/* The wire sensor's bounds, its order in time, and the reassembly beneath it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wire/packet.h"
#include "wire/stream.h"
#include "wire/wire.h"

#define START (INT64_C(1795486453) * NS_PER_S)

struct counted {
	unsigned n, evicted;
	struct instant last_end;
	bool in_order;
};

static void count(void *arg, const struct wire_seen *s)
{
	struct counted *c = arg;
	struct instant end = instant_add(s->observation.time, s->observation.duration);

	c->n++;
	c->evicted += s->evicted;
	c->in_order = (c->n == 1 || c->in_order) && (c->n == 1 || end.ns >= c->last_end.ns);
	c->last_end = end;
}

/* The beginning of a ClientHello in a segment of IPv4, from a client of that number. */
static void hello(struct wire *w, unsigned client, struct instant time)
{
	uint8_t p[46] = { 0x45,
			  0,
			  0,
			  sizeof(p),
			  [9] = 6,
			  [12] = 10,
			  [16] = 192,
			  [18] = 2,
			  [19] = 7,
			  [22] = 443 >> 8,
			  [23] = 443 & 0xff,
			  [32] = 0x50,
			  [33] = TCP_ACK,
			  [40] = 22,
			  [41] = 3,
			  [42] = 1,
			  [43] = 1,
			  [44] = 0,
			  [45] = 1 };

	p[14] = (uint8_t)(client >> 8);
	p[15] = (uint8_t)client;
	wire_packet(w, time, WIRE_LINK_RAW, p, sizeof(p));
}

/* Whoever floods the sensor with connections pushes out the longest quiet; each is given out, none
 * is lost. */
static void connections_are_bounded(void **state)
{
	struct counted c = { 0 };
	struct wire_options o = { .seen = count, .arg = &c, .max_connections = 8, .seed = 1 };
	struct wire *w = wire_new(&o);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		hello(w, i, (struct instant){ START + i * NS_PER_MS });
	assert_int_equal(c.n, 992);
	assert_int_equal(c.evicted, 992);
	wire_finish(w);
	assert_int_equal(c.n, 1000);
	assert_int_equal(wire_counts(w)->evicted, 992);
	assert_int_equal(wire_counts(w)->reported, 1000);
	assert_true(c.in_order);
	wire_free(w);
}

/* A connection that is quiet for five minutes is given out as time goes on, be it without
 * packets. */
static void the_quiet_are_given_out(void **state)
{
	struct counted c = { 0 };
	struct wire_options o = { .seen = count, .arg = &c, .seed = 1 };
	struct wire *w = wire_new(&o);

	(void)state;
	hello(w, 1, (struct instant){ START });
	wire_tick(w, (struct instant){ START + 299 * NS_PER_S });
	assert_int_equal(c.n, 0);
	wire_tick(w, (struct instant){ START + 301 * NS_PER_S });
	assert_int_equal(c.n, 1);
	assert_int_equal(c.evicted, 0);
	wire_free(w);
}

struct text {
	struct buf b;
};

static void data(void *arg, const uint8_t *p, uint32_t n, struct instant time)
{
	(void)time;
	buf_append(&((struct text *)arg)->b, p, n);
}

static void gap(void *arg, uint32_t n) { buf_printf(&((struct text *)arg)->b, "<%u>", n); }

static void take(struct stream *s, struct text *t, uint32_t max_held, uint32_t seq,
		 const char *payload, uint32_t length)
{
	const struct stream_sink sink = { t, max_held, data, gap };
	struct segment segment = { .seq = seq,
				   .payload = (const uint8_t *)payload,
				   .n = (uint32_t)strlen(payload),
				   .length = length };

	if (segment.length < segment.n)
		segment.length = segment.n;
	stream_take(s, &segment, (struct instant){ START }, &sink);
}

/* Expected to the byte: what comes first counts, holes are told by their size. */
static void streams_are_put_in_order(void **state)
{
	const uint32_t wrap = UINT32_MAX - 1;
	struct stream s = { 0 };
	struct text t;

	(void)state;
	buf_init(&t.b, 4096);
	stream_begin(&s, wrap);
	take(&s, &t, 4096, wrap + 6, "gh", 0);
	take(&s, &t, 4096, wrap + 3, "DEFG", 0); /* its last byte is there already */
	take(&s, &t, 4096, wrap, "abc", 0);
	take(&s, &t, 4096, wrap, "ABCDEFGHI", 0); /* all but the last is */
	take(&s, &t, 4096, wrap + 9, "jk", 5);	  /* three bytes were not captured */
	take(&s, &t, 4096, wrap + 14, "o", 0);
	buf_char(&t.b, '\0');
	assert_string_equal(t.b.p, "abcDEFghIjk<3>o");
	assert_int_equal(s.bytes, 15);
	assert_int_equal(s.missing, 3);
	stream_free(&s);
	buf_free(&t.b);
}

/* What waits behind a hole is bounded: past the bound the hole is given up, and what waited
 * comes. */
static void holes_do_not_grow(void **state)
{
	struct stream s = { 0 };
	struct text t;

	(void)state;
	buf_init(&t.b, (size_t)1 << 20);
	stream_begin(&s, 0);
	for (uint32_t i = 0; i < 1000; i++) {
		take(&s, &t, 1000, 10 + i * 2, "x", 0);
		assert_true(s._held <= 1000);
	}
	assert_true(s.missing >= 10);
	stream_free(&s);
	buf_free(&t.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_are_bounded),
		cmocka_unit_test(the_quiet_are_given_out),
		cmocka_unit_test(streams_are_put_in_order),
		cmocka_unit_test(holes_do_not_grow),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
