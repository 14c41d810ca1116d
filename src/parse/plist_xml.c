#include "parse/plist_internal.h"

#include <expat.h>
#include <locale.h>
#include <stdlib.h>

#include "base/buf.h"
#include "parse/base64.h"

enum element {
	ELEMENT_UNKNOWN,
	ELEMENT_PLIST,
	ELEMENT_DICT,
	ELEMENT_ARRAY,
	ELEMENT_KEY,
	ELEMENT_STRING,
	ELEMENT_INTEGER,
	ELEMENT_REAL,
	ELEMENT_TRUE,
	ELEMENT_FALSE,
	ELEMENT_DATE,
	ELEMENT_DATA,
};

static const char *const names[] = {
	[ELEMENT_PLIST] = "plist", [ELEMENT_DICT] = "dict",	[ELEMENT_ARRAY] = "array",
	[ELEMENT_KEY] = "key",	   [ELEMENT_STRING] = "string", [ELEMENT_INTEGER] = "integer",
	[ELEMENT_REAL] = "real",   [ELEMENT_TRUE] = "true",	[ELEMENT_FALSE] = "false",
	[ELEMENT_DATE] = "date",   [ELEMENT_DATA] = "data",
};

/* A container that is still open, the <plist> element at the bottom. */
struct open {
	enum element element;
	size_t first; /* its first child on the stack of children */
	bool has_key; /* dict: a key waits for its value */
	struct sv key;
};

/* Children are gathered on one stack and moved into the arena, to their final place, when their
 * container closes. */
struct xml {
	XML_Parser parser;
	struct arena *arena;
	struct error *err;
	locale_t c_locale; /* real numbers have a point whatever the user's locale says */
	struct open open[VALUE_MAX_DEPTH + 1];
	size_t depth;	   /* open containers, <plist> included */
	enum element leaf; /* the leaf element we are in, or ELEMENT_UNKNOWN */
	struct buf text;
	struct value_member *children;
	size_t n_children;
	size_t children_capacity;
	size_t nodes;
	bool done; /* <plist> closed */
	bool failed;
};

static void fail(struct xml *x, enum error_code code, const char *what, const char *name)
{
	XML_Index at = XML_GetCurrentByteIndex(x->parser);

	if (x->failed)
		return;
	x->failed = true;
	error_set(x->err, code, at > 0 ? (size_t)at : 0, "line %lu: %s%s%.40s%s",
		  (unsigned long)XML_GetCurrentLineNumber(x->parser), what,
		  name != NULL ? " <" : "", name != NULL ? name : "", name != NULL ? ">" : "");
	XML_StopParser(x->parser, XML_FALSE);
}

static enum element element_of(const char *name)
{
	for (size_t i = ELEMENT_PLIST; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum element)i;
	return ELEMENT_UNKNOWN;
}

static bool is_container(enum element e)
{
	return e == ELEMENT_DICT || e == ELEMENT_ARRAY || e == ELEMENT_PLIST;
}

/* Puts a value where the innermost open container wants it. */
static void add(struct xml *x, struct value v)
{
	struct open *in = &x->open[x->depth - 1];

	if (x->n_children == x->children_capacity) {
		x->children_capacity = x->children_capacity == 0 ? 64 : x->children_capacity * 2;
		x->children = xrealloc(x->children, x->children_capacity, sizeof(*x->children));
	}
	x->children[x->n_children++] = (struct value_member){ .key = in->key, .value = v };
	in->has_key = false;
	in->key = SV_NONE;
}

static void close_container(struct xml *x)
{
	struct open *o = &x->open[x->depth - 1];
	size_t n = x->n_children - o->first;
	const struct value_member *from = n > 0 ? x->children + o->first : NULL;
	struct value v = { .type = o->element == ELEMENT_DICT ? VALUE_OBJECT : VALUE_ARRAY };

	if (o->has_key) {
		fail(x, ERROR_FORMAT, "a key without a value, expected one before the end of",
		     "dict");
		return;
	}
	if (o->element == ELEMENT_DICT) {
		v.object.n = n;
		if (n > 0)
			v.object.members = arena_copy(x->arena, from, n * sizeof(*from));
	} else {
		struct value *items = n > 0 ? arena_alloc(x->arena, n * sizeof(*items)) : NULL;
		for (size_t i = 0; i < n; i++)
			items[i] = from[i].value;
		v.array.items = items;
		v.array.n = n;
	}
	x->n_children = o->first;
	x->depth--;
	add(x, v);
}

static void open_container(struct xml *x, enum element e)
{
	if (x->depth > VALUE_MAX_DEPTH) {
		fail(x, ERROR_LIMIT, "nested deeper than the allowed 64 levels", NULL);
		return;
	}
	x->open[x->depth++] = (struct open){ .element = e, .first = x->n_children };
}

static void XMLCALL on_start(void *data, const char *name, const char **attributes)
{
	struct xml *x = data;
	enum element e = element_of(name);
	struct open *in = x->depth > 0 ? &x->open[x->depth - 1] : NULL;

	(void)attributes; /* the version says nothing that matters */
	if (x->failed)
		return;
	if (in == NULL) {
		if (e == ELEMENT_PLIST)
			open_container(x, e);
		else
			fail(x, ERROR_FORMAT, "expected <plist>, found", name);
		return;
	}
	if (e == ELEMENT_UNKNOWN || e == ELEMENT_PLIST)
		fail(x, ERROR_FORMAT, "not an element of a property list, expected one, found",
		     name);
	else if (x->leaf != ELEMENT_UNKNOWN)
		fail(x, ERROR_FORMAT, "an element within a plain value, expected its end, found",
		     name);
	else if (in->element == ELEMENT_PLIST && x->n_children > 0)
		fail(x, ERROR_FORMAT, "a second value within <plist>, expected one only, found",
		     name);
	else if (in->element == ELEMENT_DICT && in->has_key != (e != ELEMENT_KEY))
		fail(x, ERROR_FORMAT,
		     in->has_key ? "expected a value after a key, found"
				 : "expected a key within <dict>, found",
		     name);
	else if (in->element != ELEMENT_DICT && e == ELEMENT_KEY)
		fail(x, ERROR_FORMAT, "expected a value (only a <dict> has keys), found", name);
	else if (++x->nodes > VALUE_MAX_NODES)
		fail(x, ERROR_LIMIT, "more than the allowed 1000000 elements", NULL);
	else if (is_container(e))
		open_container(x, e);
	else
		x->leaf = e;
	buf_reset(&x->text);
}

static void XMLCALL on_text(void *data, const char *text, int n)
{
	struct xml *x = data;

	if (x->failed)
		return;
	if (x->leaf == ELEMENT_UNKNOWN) {
		if (sv_trim(sv_make(text, (size_t)n)).n > 0)
			fail(x, ERROR_FORMAT, "expected an element, found text outside of a value",
			     NULL);
		return;
	}
	if (!buf_append(&x->text, text, (size_t)n))
		fail(x, ERROR_LIMIT, "a value longer than allowed in", names[x->leaf]);
}

/* Decimal or 0x hexadecimal. What 64 signed bits do not hold becomes the nearest real. */
static bool integer(struct sv v, struct value *out)
{
	bool negative = v.n > 0 && v.p[0] == '-';
	uint64_t n;

	if (v.n > 0 && (v.p[0] == '-' || v.p[0] == '+'))
		v = sv_skip(v, 1);
	if (sv_starts(v, SV("0x")) || sv_starts(v, SV("0X"))) {
		if (!sv_hex_to_u64(sv_skip(v, 2), &n))
			return false;
	} else if (!sv_to_u64(v, &n)) {
		return false;
	}
	if (n <= (uint64_t)INT64_MAX) {
		out->type = VALUE_INT;
		out->integer = negative ? -(int64_t)n : (int64_t)n;
	} else if (negative && n == (uint64_t)INT64_MAX + 1) {
		out->type = VALUE_INT;
		out->integer = INT64_MIN;
	} else {
		out->type = VALUE_REAL;
		out->real = negative ? -(double)n : (double)n;
	}
	return true;
}

static bool real(struct sv v, locale_t c_locale, struct value *out)
{
	char text[64], *end;

	if (v.n == 0 || v.n >= sizeof(text))
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	/* strtod knows hexadecimal numbers, which a property list does not. */
	if (strpbrk(text, "xXpP(") != NULL)
		return false;
	out->type = VALUE_REAL;
	out->real = strtod_l(text, &end, c_locale);
	return end == text + v.n;
}

/* `2026-11-24T02:14:13Z`. */
static bool date(struct sv v, struct value *out)
{
	static const char shape[] = "0000-00-00T00:00:00Z";

	out->type = VALUE_DATE;
	if (instant_parse_iso(v, 0, &out->date))
		return true;
	if (v.n != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (shape[i] == '0' ? v.p[i] < '0' || v.p[i] > '9' : v.p[i] != shape[i])
			return false;
	out->date = INSTANT_NONE;
	return true;
}

static bool leaf_value(struct xml *x, struct sv text, struct value *out)
{
	struct sv trimmed = sv_trim(text);

	switch (x->leaf) {
	case ELEMENT_STRING:
		*out = (struct value){ .type = VALUE_STRING, .text = arena_sv(x->arena, text) };
		return true;
	case ELEMENT_DATA:
		out->type = VALUE_DATA;
		return base64_decode(text, x->arena, &out->text);
	case ELEMENT_INTEGER:
		return integer(trimmed, out);
	case ELEMENT_REAL:
		return real(trimmed, x->c_locale, out);
	case ELEMENT_DATE:
		return date(trimmed, out);
	default:
		*out = (struct value){ .type = VALUE_BOOL, .boolean = x->leaf == ELEMENT_TRUE };
		return trimmed.n == 0;
	}
}

static void XMLCALL on_end(void *data, const char *name)
{
	struct xml *x = data;
	struct open *in = &x->open[x->depth > 0 ? x->depth - 1 : 0];
	struct value v = { .type = VALUE_NULL };

	if (x->failed)
		return;
	if (x->leaf == ELEMENT_UNKNOWN) {
		if (in->element == ELEMENT_PLIST)
			x->done = true;
		else
			close_container(x);
		return;
	}
	if (x->leaf == ELEMENT_KEY) {
		in->key = arena_sv(x->arena, buf_view(&x->text));
		in->has_key = true;
	} else if (leaf_value(x, buf_view(&x->text), &v)) {
		add(x, v);
	} else {
		fail(x, ERROR_FORMAT, "expected other content in", name);
	}
	x->leaf = ELEMENT_UNKNOWN;
}

static void XMLCALL on_doctype(void *data, const char *name, const char *system_id,
			       const char *public_id, int has_internal_subset)
{
	struct xml *x = data;

	(void)name;
	(void)system_id; /* Apple's DTD; never fetched */
	(void)public_id;
	if (has_internal_subset != 0)
		fail(x, ERROR_FORMAT,
		     "a DOCTYPE with declarations of its own: only Apple's is allowed", NULL);
}

static void XMLCALL on_entity(void *data, const char *name, int is_parameter_entity,
			      const char *value, int n, const char *base, const char *system_id,
			      const char *public_id, const char *notation)
{
	(void)name;
	(void)is_parameter_entity;
	(void)value;
	(void)n;
	(void)base;
	(void)system_id;
	(void)public_id;
	(void)notation;
	fail(data, ERROR_FORMAT, "an entity declaration: none is allowed", NULL);
}

/* An entity that only the external DTD could declare. Leaving it out silently would change the
 * text. */
static void XMLCALL on_skipped(void *data, const char *name, int is_parameter_entity)
{
	(void)name;
	(void)is_parameter_entity;
	fail(data, ERROR_FORMAT,
	     "an entity that XML itself does not define: write the character instead", NULL);
}

bool plist_parse_xml(struct sv bytes, struct arena *a, struct value *out, struct error *err)
{
	struct xml x = { .arena = a, .err = err };
	bool ok = false;

	x.c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	x.parser = XML_ParserCreate(NULL);
	buf_init(&x.text, VALUE_MAX_BYTES);
	if (x.parser == NULL || x.c_locale == (locale_t)0) {
		error_set(err, ERROR_LIMIT, 0, "no memory for an XML parser");
		goto done;
	}
	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, on_start, on_end);
	XML_SetCharacterDataHandler(x.parser, on_text);
	XML_SetStartDoctypeDeclHandler(x.parser, on_doctype);
	XML_SetEntityDeclHandler(x.parser, on_entity);
	XML_SetSkippedEntityHandler(x.parser, on_skipped);
	XML_SetParamEntityParsing(x.parser, XML_PARAM_ENTITY_PARSING_NEVER);
	if (XML_Parse(x.parser, bytes.p, (int)bytes.n, XML_TRUE) != XML_STATUS_OK && !x.failed)
		fail(&x, ERROR_FORMAT, XML_ErrorString(XML_GetErrorCode(x.parser)), NULL);
	if (x.failed)
		goto done;
	if (!x.done || x.n_children == 0) {
		error_set(err, ERROR_FORMAT, 0, "an empty <plist>, expected a value within");
		goto done;
	}
	*out = x.children[0].value;
	ok = true;
done:
	if (x.parser != NULL)
		XML_ParserFree(x.parser);
	if (x.c_locale != (locale_t)0)
		freelocale(x.c_locale);
	buf_free(&x.text);
	free(x.children);
	return ok;
}
