#include "parse/talks.h"

#include <stdlib.h>

#include "parse/talk.h"

struct talks *talks_new(const struct format *f, const struct parser_options *options)
{
	struct talks *t = xcalloc(1, sizeof(*t));

	t->c = f->conversation;
	t->n_names = f->names.n;
	t->now = INSTANT_NONE;
	dayclock_init(&t->clock, options);
	/* Keys are clients' addresses and ports; the table's own seed is enough against chosen
	 * ones. */
	keymap_init(&t->by_key, sizeof(struct talk_key), (uint64_t)(uintptr_t)t);
	t->free = t->oldest = t->newest = t->last = TALK_NONE;
	if (t->c->n_keys == 0) {
		t->list = xcalloc(1, sizeof(*t->list));
		t->n = t->capacity = 1;
		talk_begin(t, &t->list[0]);
	}
	return t;
}

void talks_free(struct talks *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		free(t->list[i].bytes);
	free(t->list);
	keymap_free(&t->by_key);
	free(t);
}

static void take_out(struct talks *t, uint32_t i)
{
	struct talk *x = &t->list[i];

	*(x->older != TALK_NONE ? &t->list[x->older].newer : &t->oldest) = x->newer;
	*(x->newer != TALK_NONE ? &t->list[x->newer].older : &t->newest) = x->older;
	keymap_remove(&t->by_key, &x->key);
	talk_forget(t, x);
	x->newer = t->free;
	t->free = i;
	t->open--;
	if (t->last == i)
		t->last = TALK_NONE;
}

static void cut(struct talks *t, uint32_t i, const struct talk_sink *sink)
{
	if (!t->list[i].told)
		talk_tell(t, &t->list[i], "cut", sink);
	take_out(t, i);
}

static uint32_t put_in(struct talks *t, const struct talk_key *key, const struct talk_sink *sink)
{
	uint32_t i;

	while (t->open >= TALKS_MAX || (t->open > 0 && t->bytes >= TALKS_MAX_BYTES))
		cut(t, t->oldest, sink);
	if (t->free == TALK_NONE && t->n == t->capacity) {
		t->capacity = t->capacity == 0 ? 16 : t->capacity * 2;
		t->list = xrealloc(t->list, t->capacity, sizeof(*t->list));
	}
	if (t->free != TALK_NONE) {
		i = t->free;
		t->free = t->list[i].newer;
	} else {
		i = t->n++;
	}
	t->list[i] = (struct talk){ .key = *key, .older = t->newest, .newer = TALK_NONE };
	talk_begin(t, &t->list[i]);
	*(t->newest != TALK_NONE ? &t->list[t->newest].newer : &t->oldest) = i;
	t->newest = i;
	t->open++;
	*keymap_slot(&t->by_key, key) = i;
	return i;
}

/* A line that decides and belongs to nothing: a conversation of its own. */
static void alone(struct talks *t, const struct line_rule *rule, const struct raw *line,
		  const struct talk_sink *sink)
{
	struct talk x = { .told = false };

	talk_begin(t, &x);
	talk_keep(t, &x, rule, line);
	talk_tell(t, &x, "decided", sink);
	talk_forget(t, &x);
}

/* The texts with a blank between them. False where nothing says anything, or too much. */
static bool joined_key(const struct conversation *c, const struct raw *line, struct talk_key *key)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_keys; i++) {
		struct sv text = conversation_text(&c->keys[i], 1, line);
		if (n + text.n + 1 > TALK_KEY_MAX)
			return false;
		if (i > 0)
			key->b[1 + n++] = ' ';
		if (text.n > 0)
			memcpy(key->b + 1 + n, text.p, text.n);
		n += text.n;
	}
	key->b[0] = (unsigned char)n;
	return n >= c->n_keys;
}

/* Which conversation the line belongs to, TALK_NONE where none is open. False: to none at all. */
static bool find(struct talks *t, const struct raw *line, struct talk_key *key, uint32_t *found)
{
	struct sv text = conversation_text(t->c->keys, t->c->n_keys, line);

	*key = (struct talk_key){ { 0 } };
	*found = t->last;
	if (text.n == 0 && !t->c->joined)
		return true;
	t->last = *found = TALK_NONE;
	if (text.n > TALK_KEY_MAX)
		return false;
	if (t->c->joined) {
		if (!joined_key(t->c, line, key))
			return false;
	} else {
		key->b[0] = (unsigned char)text.n;
		memcpy(key->b + 1, text.p, text.n);
	}
	*found = keymap_get(&t->by_key, key);
	t->last = *found;
	return true;
}

/* A line that is a piece of a message. Where the line does not say which, it is a message by
 * itself. */
static void part_line(struct talks *t, const struct line_rule *rule, const struct raw *line,
		      const struct talk_sink *sink)
{
	uint64_t number = 0, of = 1;
	struct talk_key key;
	struct talk *x;
	uint32_t i;

	while (t->oldest != TALK_NONE && t->lines - t->list[t->oldest].line > t->c->within)
		cut(t, t->oldest, sink);
	if (rule == NULL)
		return;
	if (!sv_to_u64(conversation_text(&t->c->part_number, 1, line), &number) ||
	    !sv_to_u64(conversation_text(&t->c->part_of, 1, line), &of) || of < 2 || of > 64 ||
	    number >= of || !find(t, line, &key, &i)) {
		alone(t, rule, line, sink);
		return;
	}
	if (i == TALK_NONE) {
		i = put_in(t, &key, sink);
		t->list[i].line = t->lines;
	}
	x = &t->list[i];
	talk_keep(t, x, rule, line);
	x->parts |= UINT64_C(1) << number;
	if (x->parts != UINT64_MAX >> (64 - of))
		return;
	talk_tell(t, x, "closed", sink);
	take_out(t, i);
}

static void keyed_line(struct talks *t, const struct line_rule *rule, const struct raw *line,
		       const struct talk_sink *sink)
{
	struct talk_key key;
	struct talk *x;
	uint32_t i;

	if (!find(t, line, &key, &i) || rule == NULL)
		return;
	if (rule->opens && i != TALK_NONE) {
		cut(t, i, sink);
		i = TALK_NONE;
	}
	if (i == TALK_NONE && key.b[0] == 0) {
		if (rule->decides)
			alone(t, rule, line, sink);
		return;
	}
	if (i == TALK_NONE && rule->closes && rule->n_keep == 0)
		return; /* the end of something the log does not tell */
	if (i == TALK_NONE)
		i = put_in(t, &key, sink);
	t->last = i;
	x = &t->list[i];
	x->latest = t->now;
	if (!x->told)
		talk_keep(t, x, rule, line);
	if (!x->told && (rule->decides || rule->closes))
		talk_tell(t, x, rule->decides ? "decided" : "closed", sink);
	if (rule->closes) {
		take_out(t, i);
	} else if (rule->decides) {
		x->told = true;
		talk_forget(t, x);
	}
}

void talks_line(struct talks *t, const struct raw *line, const struct talk_sink *sink)
{
	const struct line_rule *rule = conversation_rule(t->c, line, &t->clock.options);
	struct sv clock = conversation_text(t->c->clocks, t->c->n_clocks, line);
	struct instant now;

	if (clock.n > 0 && dayclock_read(&t->clock, clock, sink->scratch, &now))
		t->now = now;
	t->lines++;
	if (t->c->has_parts)
		part_line(t, rule, line, sink);
	else if (t->c->n_keys > 0)
		keyed_line(t, rule, line, sink);
	else
		talk_block_line(t, rule, line, sink);
}

void talks_end(struct talks *t, const struct talk_sink *sink)
{
	if (t->c->n_keys == 0)
		talk_block_end(t, sink);
	while (t->oldest != TALK_NONE)
		cut(t, t->oldest, sink);
}
