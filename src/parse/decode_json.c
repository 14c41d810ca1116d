/* JSON records: `decode: {json: {snake_case: true, unset: ["N/A"], list: events}}`. With `list`,
 * the items of that member are the records, where an object has it: a page of an API. */
#include <stdlib.h>

#include "parse/decode.h"
#include "parse/json.h"

struct json_options {
	bool snake_case; /* serialNumber is also found as serial_number */
	struct unset unset;
	uint32_t list; /* slot of the member that holds the records, or SLOT_NONE */
};

struct json_state {
	const struct format *format;
	struct json_scanner *scanner;
};

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "snake_case", "unset", "list", NULL };
	struct json_options *o = arena_alloc(&f->arena, sizeof(*o));
	struct sv list = SV_NONE;

	*out = o;
	o->list = SLOT_NONE;
	if (!yfile_is_map(options))
		return true;
	if (!yfile_check_keys(options, keys, err) ||
	    !yfile_take_bool(yfile_get(options, "snake_case"), &o->snake_case, err) ||
	    !yfile_take_text(yfile_get(options, "list"), &list, err) ||
	    !unset_compile(f, yfile_get(options, "unset"), &o->unset, err))
		return false;
	if (list.n > 0)
		o->list = names_add(&f->names, &f->arena, list);
	return true;
}

static bool upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/* serialNumber → serial_number, jssID → jss_id, wifiMACAddress → wifi_mac_address */
static struct sv snake_case(struct sv name, struct arena *a)
{
	char *p = arena_alloc(a, name.n * 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool begins = upper(c) && i > 0 &&
			      (lower(name.p[i - 1]) ||
			       (upper(name.p[i - 1]) && i + 1 < name.n && lower(name.p[i + 1])));
		if (begins)
			p[n++] = '_';
		p[n++] = upper(c) ? (char)(c + 32) : c;
	}
	return sv_make(p, n);
}

static void *open(const struct format *f)
{
	const struct json_options *o = f->decoder_options;
	struct json_state *s = xcalloc(1, sizeof(*s));
	struct json_name *names = xcalloc(f->names.n * 2 + f->names.n_others + 1, sizeof(*names));
	struct arena a = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < f->names.n; i++) {
		struct sv name = f->names.list[i], snake;
		if (format_name_is_inner(f, name) || name.p[0] == '#')
			continue; /* #path is of headers, which JSON has none of */
		names[n++] = (struct json_name){ name, (uint32_t)i };
		snake = o->snake_case ? snake_case(name, &a) : name;
		if (!sv_eq(snake, name))
			names[n++] = (struct json_name){ snake, (uint32_t)i };
	}
	for (size_t i = 0; i < f->names.n_others; i++)
		names[n++] = (struct json_name){ f->names.others[i].name, f->names.others[i].slot };
	s->format = f;
	s->scanner = json_scanner_new(names, n);
	free(names);
	arena_free(&a);
	return s;
}

static void close(void *state)
{
	struct json_state *s = state;

	json_scanner_free(s->scanner);
	free(s);
}

static void drop_unset(const struct format *f, const struct unset *unset, struct raw *raws)
{
	for (size_t i = 0; i < f->names.n; i++)
		if (raws[i].type == RAW_TEXT && unset_holds(unset, raws[i].text))
			raws[i].type = RAW_ABSENT;
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	struct json_state *s = state;
	const struct json_options *o = s->format->decoder_options;
	size_t i = 0;

	while (i < record.n && (record.p[i] == ' ' || record.p[i] == '\t' || record.p[i] == '\n' ||
				record.p[i] == '\r'))
		i++;
	if (i < record.n && record.p[i] == '[') {
		struct value *list = arena_alloc(c->scratch, sizeof(*list));
		if (!json_read(c->json, record, c->scratch, list, c->err))
			return DECODE_BAD;
		c->list = list;
		return DECODE_LIST;
	}
	if (!json_scan(s->scanner, record, c->raws, c->scratch, c->err))
		return DECODE_BAD;
	if (o->list != SLOT_NONE && c->raws[o->list].type == RAW_JSON &&
	    c->raws[o->list].text.p[0] == '[') {
		struct value *list = arena_alloc(c->scratch, sizeof(*list));
		if (!json_read(c->json, c->raws[o->list].text, c->scratch, list, c->err))
			return DECODE_BAD;
		c->list = list;
		return DECODE_LIST;
	}
	if (o->unset.n > 0)
		drop_unset(s->format, &o->unset, c->raws);
	return DECODE_FIELDS;
}

const struct decoder decoder_json = { "json", compile, NULL, open, close, run, NULL };
