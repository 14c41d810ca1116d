#include <stdio.h>

#include "conf/assign.h"
#include "conf/conf.h"
#include "conf/options.h"

#define MAX_VALUE 4096

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
	else if (origin->line == 0)
		buf_str(out, origin->file);
	else
		buf_printf(out, "%s:%u", origin->file, origin->line);
}

static void write_patterns(struct buf *out, const struct allow_entry *e)
{
	for (size_t i = 0; i < e->n_only; i++) {
		buf_str(out, i > 0 ? ", " : e->kind == ALLOW_APP ? " to " : " from ");
		buf_sv(out, e->only[i].text);
	}
}

static void write_entry(struct buf *out, const struct allow_entry *e, struct instant now)
{
	buf_str(out, "      ");
	buf_sv(out, e->subject.text);
	write_patterns(out, e);
	if (e->owner.n > 0)
		buf_printf(out, "; owner %.*s", SV_ARG(e->owner));
	if (e->reason.n > 0)
		buf_printf(out, "; %.*s", SV_ARG(e->reason));
	if (e->ticket.n > 0)
		buf_printf(out, "; %.*s", SV_ARG(e->ticket));
	if (instant_known(e->until))
		buf_printf(out, "; to the end of %.*s", SV_ARG(e->expires_text));
	if (e->line > 0)
		buf_printf(out, "  (%s:%u)", e->file, e->line);
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
		buf_sv(out, buf_view(&value));
	else if (set)
		buf_printf(out, "%.*s …", SV_ARG(sv_first(buf_view(&value), 200)));
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
		buf_printf(out, "Configuration: %.*s\n", SV_ARG(c->file));
	else
		buf_str(out, "Configuration: none read, all defaults\n");
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
		buf_printf(out, "\nsource %.*s (%s:%u)\n", SV_ARG(source->name), source->file,
			   source->line);
		for (size_t i = 0; i < option_count; i++)
			if (option_of_source(&option_table[i]))
				write_option(out, &option_table[i], source, &source->_origins[i],
					     now);
	}
}
