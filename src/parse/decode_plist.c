/* A property list, XML or binary, as one record: `decode: {plist: {name: payload}}`. */
#include <stdlib.h>

#include "parse/decode.h"
#include "parse/plist.h"

struct plist_options {
	/* "payload.": so that the mapping of an enveloped list serves for a bare one */
	struct sv prefix;
};

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "name", NULL };
	struct plist_options *o = arena_alloc(&f->arena, sizeof(*o));
	struct sv name = SV_NONE;
	char *p;

	*out = o;
	if (!yfile_is_map(options))
		return true;
	if (!yfile_check_keys(options, keys, err) ||
	    !yfile_take_text(yfile_get(options, "name"), &name, err))
		return false;
	p = arena_alloc(&f->arena, name.n + 2);
	memcpy(p, name.p, name.n);
	p[name.n] = '.';
	o->prefix = sv_make(p, name.n + 1);
	return true;
}

static void *open(const struct format *f)
{
	const struct format **state = xmalloc(sizeof(*state));

	*state = f;
	return state;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	const struct format *f = *(const struct format **)state;
	const struct plist_options *o = f->decoder_options;
	struct value *tree = arena_alloc(c->scratch, sizeof(*tree));

	if (!plist_parse(record, c->scratch, tree, c->err))
		return DECODE_BAD;
	decode_from_tree(f, o->prefix, tree, c->raws, c->scratch);
	return DECODE_FIELDS;
}

const struct decoder decoder_plist = { "plist", compile, NULL, open, free, run, NULL };
