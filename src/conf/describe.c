#include <stdio.h>

#include "base/safe.h"
#include "conf/assign.h"
#include "conf/conf.h"
#include "conf/options.h"

#define MAX_VALUE 4096
/* Characters shown of a value that is longer. */
#define MAX_SHOWN 200

/* List files come from many hands: what they say must not steer the reader's terminal. */
static void write_text(struct buf *out, struct sv text) { text_safe(out, text, 0); }

static void write_labelled(struct buf *out, const char *label, struct sv text)
{
	if (text.n == 0)
		return;
	buf_str(out, label);
	write_text(out, text);
}

static void pad(struct buf *out, size_t used, size_t width)
{
	do
		buf_char(out, ' ');
	while (++used < width);
}

static void write_origin(struct buf *out, const struct conf_origin *origin)
{
	if (origin->file == NULL)
		buf_str(out, "default");
	else
		write_text(out, sv_cstr(origin->file));
	if (origin->line != 0)
		buf_printf(out, ":%u", origin->line);
}

static void write_patterns(struct buf *out, const struct allow_entry *e)
{
	for (size_t i = 0; i < e->n_only; i++) {
		buf_str(out, i > 0 ? ", " : e->kind == ALLOW_APP ? " to " : " from ");
		write_text(out, e->only[i].text);
	}
}

static void write_entry(struct buf *out, const struct allow_entry *e, struct instant now)
{
	buf_str(out, "      ");
	write_text(out, e->subject.text);
	write_patterns(out, e);
	write_labelled(out, "; owner ", e->owner);
	write_labelled(out, "; ", e->reason);
	write_labelled(out, "; ", e->ticket);
	if (instant_known(e->until))
		write_labelled(out, "; to the end of ", e->expires_text);
	if (e->line > 0) {
		write_labelled(out, "  (", sv_cstr(e->file));
		buf_printf(out, ":%u)", e->line);
	}
	if (instant_known(e->until) && instant_known(now) && e->until.ns <= now.ns)
		buf_str(out, "\n        note: has expired, covers no newer attempts");
	if (!instant_known(e->until))
		buf_str(out, "\n        note: never expires");
	if (e->owner.n == 0)
		buf_str(out, "\n        note: has no owner");
	if (e->reason.n == 0)
		buf_str(out, "\n        note: gives no reason");
	buf_char(out, '\n');
}

static void write_option(struct buf *out, const struct option *o, const void *record,
			 const struct conf_origin *origin, struct instant now)
{
	struct sv leaf = option_leaf(o);
	struct buf value;
	bool set;

	buf_init(&value, MAX_VALUE);
	set = option_format(o, record, &value);
	buf_str(out, "  ");
	buf_sv(out, leaf);
	pad(out, leaf.n, 28);
	if (set && !value.overflowed)
		write_text(out, buf_view(&value));
	else if (set)
		text_safe(out, buf_view(&value), MAX_SHOWN);
	else
		buf_printf(out, "- (%s)", o->unset != NULL ? o->unset : "unset");
	pad(out, set ? value.n : 14, 14);
	buf_char(out, '[');
	write_origin(out, origin);
	buf_str(out, "]\n      ");
	buf_str(out, o->description);
	buf_char(out, '\n');
	if (o->type == OPTION_APPS || o->type == OPTION_DESTINATIONS) {
		const struct allow_list *list = (const void *)((const char *)record + o->offset);
		for (size_t i = 0; i < list->n; i++)
			write_entry(out, &list->entries[i], now);
	}
	buf_free(&value);
}

/* The section of a path, without its last dot; empty at the top. */
static struct sv section_of(const struct option *o)
{
	struct sv path = sv_cstr(o->path);
	size_t leaf = option_leaf(o).n;

	return sv_first(path, path.n > leaf ? path.n - leaf - 1 : 0);
}

void conf_describe(struct buf *out, const struct conf *c, struct instant now)
{
	struct sv section = SV("-");

	if (c->file.n > 0)
		write_labelled(out, "Configuration: ", c->file);
	else
		buf_str(out, "Configuration: none read, all defaults");
	buf_char(out, '\n');
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (option_of_source(o))
			continue;
		if (!sv_eq(section_of(o), section)) {
			section = section_of(o);
			buf_printf(out, "\n%.*s\n", SV_ARG(section.n > 0 ? section : SV("(top)")));
		}
		write_option(out, o, c, &c->_origins[i], now);
	}
	if (c->n_sources == 0)
		buf_str(out, "\nsources\n  none: give paths on the command line\n");
	for (size_t s = 0; s < c->n_sources; s++) {
		const struct conf_source *source = &c->sources[s];
		write_labelled(out, "\nsource ", source->name);
		write_labelled(out, " (", sv_cstr(source->file));
		buf_printf(out, ":%u)\n", source->line);
		for (size_t i = 0; i < option_count; i++)
			if (option_of_source(&option_table[i]))
				write_option(out, &option_table[i], source, &source->_origins[i],
					     now);
	}
}
