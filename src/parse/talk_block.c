/* Formats whose lines name their connection only at its end: one conversation at a time.
 *
 * Lines of several connections may mix. A block, the lines from one that `begins` to the one that
 * closes, is written in one go and belongs together; what an opening line has kept before belongs
 * to it for certain only while no second conversation was open, and is dropped otherwise: a failure
 * without its host is a loss, a failure at another one's host a falsehood.
 */
#include "parse/talk.h"

static void settle(struct talks *t, const char *how, const struct talk_sink *sink)
{
	talk_tell(t, &t->list[0], how, sink);
	talk_forget(t, &t->list[0]);
	t->block.begun = t->block.closing = false;
}

/* What the line before it left to be done. True when that used the line up. */
static bool follow(struct talks *t, const struct line_rule *rule, const struct raw *line,
		   const struct talk_sink *sink)
{
	struct talk_block *b = &t->block;

	if (b->closing) {
		bool used = rule != NULL && rule->lingers;
		if (used)
			talk_keep(t, &t->list[0], rule, line);
		settle(t, "closed", sink);
		return used;
	}
	if (b->begun && b->left-- == 0)
		settle(t, "cut", sink);
	return false;
}

static void open_one(struct talks *t)
{
	struct talk_block *b = &t->block;

	b->mixed |= b->open > 0 || b->begun;
	if (b->open < UINT32_MAX)
		b->open++;
	if (!b->begun) {
		talk_forget(t, &t->list[0]);
		talk_begin(t, &t->list[0]);
	}
}

void talk_block_line(struct talks *t, const struct line_rule *rule, const struct raw *line,
		     const struct talk_sink *sink)
{
	struct talk_block *b = &t->block;
	struct talk *x = &t->list[0];

	if (follow(t, rule, line, sink) || rule == NULL || (rule->lingers && !b->begun))
		return;
	if (rule->opens) {
		open_one(t);
		if (b->begun)
			return; /* its fields would be taken for those of the block */
	}
	if (rule->begins && !b->begun) {
		if (b->mixed || b->open == 0) {
			talk_forget(t, x);
			talk_begin(t, x);
		}
		b->begun = true;
		b->left = t->c->within;
	}
	x->latest = t->now;
	talk_keep(t, x, rule, line);
	if (!rule->closes)
		return;
	b->open -= b->open > 0;
	b->mixed &= b->open > 0;
	b->closing = true;
}

void talk_block_end(struct talks *t, const struct talk_sink *sink)
{
	if (t->block.closing)
		settle(t, "closed", sink);
	else if (t->block.begun)
		settle(t, "cut", sink);
}
