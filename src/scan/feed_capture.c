#include "scan/feed_capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scan/capture.h"
#include "scan/settings.h"

/* Packets of a run; few connections end in them. */
#define RUN_PACKETS 4096

struct lane_capture {
	struct capture_input *input;
	struct settings settings;
	struct arena arena;	/* of the settings */
	struct run *into;	/* while one is made */
	uint64_t bytes, silent; /* as of the last run */
};

static struct sv keep(struct run *r, struct sv v)
{
	return sv_empty(v) ? SV_NONE : arena_sv(&r->_texts, v);
}

static void take(void *arg, const struct wire_seen *s)
{
	struct run *r = ((struct lane_capture *)arg)->into;
	struct parser_batch *b = &r->batch;
	struct observation *o;
	struct run_note *n;

	if (b->n == b->_capacity) {
		b->_capacity = b->_capacity == 0 ? 64 : b->_capacity * 2;
		b->list = xrealloc(b->list, b->_capacity, sizeof(*b->list));
	}
	n = run_add_note(r, NOTE_SEEN, s->packet);
	n->content = s->content;
	n->first = b->n;
	n->n = 1;
	o = &b->list[b->n++];
	*o = s->observation;
	o->dst.hostname = keep(r, o->dst.hostname);
	o->tls.sni = keep(r, o->tls.sni);
	o->tls.version = keep(r, o->tls.version);
	o->tls.ja3 = keep(r, o->tls.ja3);
	o->tls.ja4 = keep(r, o->tls.ja4);
	o->tls.issuer = keep(r, o->tls.issuer);
	r->reached = observation_order(o);
	r->records++;
}

struct lane_capture *lane_capture_open(const struct input *x, const struct scan_options *options,
				       struct error *err)
{
	struct lane_capture *c = xcalloc(1, sizeof(*c));
	struct capture_input_options o = {
		.path = x->open_path, .settings = &c->settings, .seen = take, .arg = c
	};

	if (x->asked->source != NULL)
		o.capture.filter = capture_filter(&x->asked->source->filter, &c->arena);
	settings_from_conf(&c->settings, options->conf, &c->arena);
	c->input = capture_input_open(&o, err);
	if (c->input == NULL) {
		lane_capture_close(c);
		return NULL;
	}
	return c;
}

void lane_capture_close(struct lane_capture *c)
{
	if (c == NULL)
		return;
	capture_input_close(c->input);
	arena_free(&c->arena);
	free(c);
}

/* Frames that say nothing because the capture has too little of them. */
static void note_cut(struct run *r, uint64_t cut)
{
	char reason[200];
	struct run_note *n;

	if (cut == 0)
		return;
	snprintf(reason, sizeof(reason),
		 "%" PRIu64 " packets are captured too short for their own headers: capture them "
		 "whole (tcpdump -s 0)",
		 cut);
	n = run_add_note(r, NOTE_ITEMS, 0);
	n->n = (size_t)cut;
	n->reason = arena_sv(&r->_texts, sv_cstr(reason));
}

void lane_capture_run(struct lane_capture *c, struct run *r)
{
	const struct wire_counts *counts = capture_input_counts(c->input);
	struct error why;
	struct run_note *n;

	r->batch.n = 0;
	c->into = r;
	switch (capture_input_run(c->input, RUN_PACKETS, INSTANT_NONE, &why)) {
	case CAPTURE_ERROR:
		n = run_add_note(r, NOTE_DAMAGED,
				 (uint32_t)(why.position < UINT32_MAX ? why.position : UINT32_MAX));
		n->reason = arena_sv(&r->_texts, sv_cstr(why.message));
		r->err = why;
		r->last = true;
		break;
	case CAPTURE_END:
		r->last = true;
		break;
	case CAPTURE_PACKET:
	case CAPTURE_NOTHING_YET:
		break;
	}
	/* Connections that are not TLS, and the gateway's own, are records without a word to
	 * say. */
	r->irrelevant = counts->not_tls + counts->gateways_own - c->silent;
	r->records += r->irrelevant;
	c->silent += r->irrelevant;
	if (r->last)
		note_cut(r, counts->cut);
	r->bytes = capture_input_bytes(c->input) - c->bytes;
	c->bytes += r->bytes;
}
