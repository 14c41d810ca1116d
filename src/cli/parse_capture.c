#include "cli/parse_capture.h"

#include <time.h>

/* Packets between two looks at whether to stop. */
#define STEP 1024

static void seen(void *arg, const struct wire_seen *s)
{
	const struct parse_capture *p = arg;

	p->seen(p->arg, &s->observation);
}

static struct instant wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct instant){ (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec };
}

static void add(uint64_t *to, uint64_t n) { *to += n; }

static void count(struct parse_stats *s, struct capture_input *c)
{
	const struct wire_counts *w = capture_input_counts(c);
	struct capture_counts losses = capture_input_losses(c);

	s->records += w->reported + w->not_tls + w->gateways_own;
	s->irrelevant += w->not_tls + w->gateways_own;
	add(&s->wire.packets, w->packets);
	add(&s->wire.segments, w->segments);
	add(&s->wire.other, w->other);
	add(&s->wire.fragments, w->fragments);
	add(&s->wire.cut, w->cut);
	add(&s->wire.midstream, w->midstream);
	add(&s->wire.connections, w->connections);
	add(&s->wire.not_tls, w->not_tls);
	add(&s->wire.gateways_own, w->gateways_own);
	add(&s->wire.evicted, w->evicted);
	add(&s->wire.incomplete, w->incomplete);
	add(&s->dropped, losses.dropped + losses.dropped_by_interface);
}

bool parse_capture(const struct parse_capture *p, struct error *err)
{
	struct capture_input_options options = {
		.path = p->path,
		.interface = p->interface,
		.capture = { .filter = p->filter },
		.seen = seen,
		.arg = (void *)(uintptr_t)p,
	};
	struct capture_input *c = capture_input_open(&options, err);
	enum capture_result result = CAPTURE_PACKET;

	if (c == NULL)
		return false;
	while (!*p->interrupted && result != CAPTURE_END && result != CAPTURE_ERROR) {
		result = capture_input_run(c, STEP, wall_clock(), err);
		if (result == CAPTURE_NOTHING_YET)
			p->quiet(p->arg);
	}
	capture_input_finish(c);
	count(p->stats, c);
	capture_input_close(c);
	return result != CAPTURE_ERROR;
}
