#include "scan/capture.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/arena.h"
#include "wire/packet.h"

struct capture_input {
	struct capture *capture;
	struct wire *wire;
	bool ended;
};

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	/* Without a random seed the tables still work; they are then only as safe as a fixed
	 * one. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15u;
	return seed;
}

const char *capture_filter(const struct conf_strings *filters, struct arena *a)
{
	struct buf b;
	const char *text;

	if (filters->n == 0)
		return NULL;
	buf_init(&b, (size_t)1 << 20);
	for (size_t i = 0; i < filters->n; i++)
		buf_printf(&b, i == 0 ? "(%.*s)" : " and (%.*s)", SV_ARG(filters->items[i]));
	text = arena_sv(a, buf_view(&b)).p;
	buf_free(&b);
	return text;
}

bool capture_filter_check(const struct conf_source *s, struct error *err)
{
	struct arena a = { 0 };
	const char *filter = capture_filter(&s->filter, &a);
	bool ok = filter == NULL || capture_filter_compiles(filter, err);

	arena_free(&a);
	if (ok)
		return true;
	err->code = ERROR_CONFIG;
	error_prefix(err, "source %.*s", SV_ARG(s->name));
	return false;
}

struct capture_input *capture_input_open(const struct capture_input_options *o, struct error *err)
{
	struct wire_options wire = { .seen = o->seen,
				     .arg = o->arg,
				     .max_connections = o->max_connections,
				     .seed = random_seed() };
	const char *name = o->interface != NULL ? o->interface : o->path;
	struct capture_input *c;
	struct capture *capture;

	capture = o->interface != NULL ? capture_open_live(name, &o->capture, err)
				       : capture_open_file(name, &o->capture, err);
	if (capture == NULL)
		return NULL;
	if (!packet_link_known(capture_link(capture))) {
		error_set(err, ERROR_FORMAT, 0,
			  "%s: link type %d is not supported: capture on Ethernet instead, or as "
			  "raw IP (tcpdump -y)",
			  name, capture_link(capture));
		capture_close(capture);
		return NULL;
	}
	if (o->settings != NULL) {
		wire.listeners = o->settings->listeners;
		wire.n_listeners = o->settings->n_listeners;
		wire.addresses = o->settings->addresses;
		wire.n_addresses = o->settings->n_addresses;
	}
	c = xcalloc(1, sizeof(*c));
	c->capture = capture;
	c->wire = wire_new(&wire);
	return c;
}

void capture_input_finish(struct capture_input *c)
{
	if (c->ended)
		return;
	c->ended = true;
	wire_finish(c->wire);
}

bool capture_input_ended(const struct capture_input *c) { return c->ended; }

enum capture_result capture_input_run(struct capture_input *c, uint64_t packets, struct instant now,
				      struct error *err)
{
	struct capture_packet p;
	enum capture_result result = CAPTURE_PACKET;

	for (; packets > 0 && result == CAPTURE_PACKET; packets--) {
		result = capture_next(c->capture, &p, err);
		if (result == CAPTURE_PACKET)
			wire_packet(c->wire, p.time, p.link, p.bytes, p.n);
	}
	if (result == CAPTURE_NOTHING_YET && instant_known(now))
		wire_tick(c->wire, now);
	if (result == CAPTURE_END || result == CAPTURE_ERROR)
		capture_input_finish(c);
	return result;
}

const struct wire_counts *capture_input_counts(const struct capture_input *c)
{
	return wire_counts(c->wire);
}
uint64_t capture_input_bytes(const struct capture_input *c) { return capture_bytes(c->capture); }
struct capture_counts capture_input_losses(struct capture_input *c)
{
	return capture_counts(c->capture);
}

void capture_input_close(struct capture_input *c)
{
	if (c == NULL)
		return;
	wire_free(c->wire);
	capture_close(c->capture);
	free(c);
}
