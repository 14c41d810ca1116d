#include "parse/talk.h"

#include <stdio.h>
#include <stdlib.h>

void talk_begin(struct talks *t, struct talk *x)
{
	x->told = false;
	x->began = x->latest = t->now;
	x->used = 0;
	memset(x->pieces, 0, sizeof(x->pieces));
}

void talk_forget(struct talks *t, struct talk *x)
{
	t->bytes -= x->capacity;
	free(x->bytes);
	x->bytes = NULL;
	x->used = x->capacity = 0;
	memset(x->pieces, 0, sizeof(x->pieces));
}

static void keep_text(struct talks *t, struct talk *x, struct talk_piece *piece, struct sv text)
{
	text = sv_first(text, TALK_TEXT_MAX);
	if (x->used + text.n > x->capacity) {
		uint32_t more = x->capacity + (uint32_t)text.n + 64;

		x->bytes = xrealloc(x->bytes, more, 1);
		t->bytes += more - x->capacity;
		x->capacity = more;
	}
	memcpy(x->bytes + x->used, text.p, text.n);
	*piece = (struct talk_piece){ x->used, (uint32_t)text.n };
	x->used += (uint32_t)text.n;
}

void talk_keep(struct talks *t, struct talk *x, const struct line_rule *rule,
	       const struct raw *line)
{
	for (size_t i = 0; i < rule->n_keep; i++) {
		const struct raw *r = &line[rule->keep[i].from];
		struct talk_piece *piece = &x->pieces[rule->keep[i].piece];

		if ((r->type == RAW_TEXT || r->type == RAW_LITERAL) && r->text.n > 0 &&
		    piece->n == 0)
			keep_text(t, x, piece, r->text);
	}
}

static void set_copy(struct raw *raw, struct arena *a, struct sv text)
{
	if (text.n > 0)
		raw_set_text(raw, arena_sv(a, text));
}

void talk_tell(struct talks *t, const struct talk *x, const char *how, const struct talk_sink *sink)
{
	const struct conversation *c = t->c;
	struct raw *fields = arena_alloc(sink->scratch, t->n_names * sizeof(*fields));
	char text[INSTANT_ISO_SIZE];

	if (c->n_keys > 0)
		set_copy(&fields[c->keys[0]], sink->scratch,
			 sv_make((const char *)x->key.b + 1, x->key.b[0]));
	for (size_t i = 0; i < c->n_kept; i++)
		if (x->pieces[i].n > 0)
			set_copy(&fields[c->kept[i]], sink->scratch,
				 sv_make(x->bytes + x->pieces[i].at, x->pieces[i].n));
	raw_set_text(&fields[c->how], sv_cstr(how));
	if (instant_known(x->began)) {
		size_t n = instant_format_iso(x->began, text);
		int64_t ns = x->latest.ns - x->began.ns;

		set_copy(&fields[c->began], sink->scratch, sv_make(text, n));
		if (ns >= 0) {
			n = (size_t)snprintf(text, sizeof(text), "%lld.%09lld",
					     (long long)(ns / NS_PER_S),
					     (long long)(ns % NS_PER_S));
			set_copy(&fields[c->lasted], sink->scratch, sv_make(text, n));
		}
	}
	sink->told(sink->arg, fields);
}
