/* What requests bring: bodies and queries, held to a table of fields. */
#include <stdio.h>

#include "api/internal.h"
#include "parse/json.h"

static bool wrong(struct http_response *r, const char *where, const char *name,
		  const char *expected)
{
	http_error(r, 400, "bad_request", "%s%.100s: expected %s", where, name, expected);
	return false;
}

static bool is_word(struct sv text, const char *words)
{
	struct sv rest = sv_cstr(words);

	while (rest.n > 0)
		if (sv_eq(sv_cut(rest, ' ', &rest), text))
			return true;
	return false;
}

static bool is_clean(struct sv text, bool lines)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		size_t len;

		if (c < 0x80) {
			if ((c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7f)
				return false;
			continue;
		}
		len = utf8_sequence(text.p + i, text.n - i);
		if (len == 0)
			return false;
		i += len - 1;
	}
	return true;
}

static bool text_ok(const struct api_field *f, struct sv text, const char *where,
		    struct http_response *r)
{
	char expected[256];

	if (f->words != NULL && !is_word(text, f->words)) {
		snprintf(expected, sizeof(expected), "one of: %s", f->words);
		return wrong(r, where, f->name, expected);
	}
	if (text.n < (size_t)f->min || text.n > (size_t)f->max) {
		snprintf(expected, sizeof(expected), "%lld to %lld bytes", (long long)f->min,
			 (long long)f->max);
		return f->words != NULL || wrong(r, where, f->name, expected);
	}
	return is_clean(text, f->lines) ||
	       wrong(r, where, f->name,
		     f->lines ? "UTF-8 text" : "UTF-8 text without control characters");
}

static bool value_ok(const struct api_field *f, const struct value *v, struct http_response *r)
{
	char expected[128];

	switch (f->type) {
	case API_TEXT:
		if (v->type != VALUE_STRING)
			return wrong(r, "", f->name, "a string");
		return text_ok(f, v->text, "", r);
	case API_TEXTS:
		if (v->type != VALUE_ARRAY)
			return wrong(r, "", f->name, "an array of strings");
		for (size_t i = 0; i < v->array.n; i++) {
			if (v->array.items[i].type != VALUE_STRING)
				return wrong(r, "", f->name, "an array of strings");
			if (!text_ok(f, v->array.items[i].text, "", r))
				return false;
		}
		return true;
	case API_INTEGER:
		if (v->type == VALUE_INT && v->integer >= f->min && v->integer <= f->max)
			return true;
		snprintf(expected, sizeof(expected), "an integer from %lld to %lld",
			 (long long)f->min, (long long)f->max);
		return wrong(r, "", f->name, expected);
	case API_BOOLEAN:
	default:
		return v->type == VALUE_BOOL || wrong(r, "", f->name, "true or false");
	}
}

static bool take_member(const struct value_member *m, const struct api_field *fields, size_t n,
			const struct value **out, bool *seen, struct http_response *r)
{
	for (size_t i = 0; i < n; i++) {
		if (!sv_eq(m->key, sv_cstr(fields[i].name)))
			continue;
		if (seen[i])
			return wrong(r, "", fields[i].name, "it once");
		seen[i] = true;
		if (m->value.type == VALUE_NULL && fields[i].nullable)
			return true;
		out[i] = &m->value;
		return value_ok(&fields[i], &m->value, r);
	}
	http_error(r, 400, "bad_request", "the body has a member that is not known here: %.*s",
		   SV_ARG(sv_first(m->key, 100)));
	return false;
}

static bool is_json(const struct http_request *q)
{
	struct sv type = http_header(q, "Content-Type"), rest;

	return q->_connection == NULL ||
	       sv_eq_nocase(sv_trim(sv_cut(type, ';', &rest)), SV("application/json"));
}

bool api_body(const struct http_request *q, const struct api_field *fields, size_t n,
	      const struct value **out, struct http_response *r)
{
	struct value *v = arena_alloc(q->_arena, sizeof(*v));
	bool *seen = arena_alloc(q->_arena, n + 1);
	struct error err = { 0 };

	for (size_t i = 0; i < n; i++)
		out[i] = NULL;
	*v = (struct value){ .type = VALUE_OBJECT };
	if (q->body.n > 0 && !is_json(q)) {
		http_error(r, 415, "unsupported_media_type",
			   "expected Content-Type application/json");
		return false;
	}
	if (q->body.n > 0 && !json_to_value(q->body, q->_arena, v, &err)) {
		http_error(r, 400, "bad_request", "the body is not JSON: %s", err.message);
		return false;
	}
	if (v->type != VALUE_OBJECT) {
		http_error(r, 400, "bad_request", "the body is not a JSON object");
		return false;
	}
	for (size_t i = 0; i < v->object.n; i++)
		if (!take_member(&v->object.members[i], fields, n, out, seen, r))
			return false;
	for (size_t i = 0; i < n; i++)
		if (fields[i].required && !seen[i])
			return wrong(r, "", fields[i].name, "it in the body");
	return true;
}

struct sv api_text(const struct value *v)
{
	return v != NULL && v->type == VALUE_STRING ? v->text : SV_NONE;
}

bool api_query(const struct http_request *q, const struct api_field *f, struct sv *out,
	       struct http_response *r)
{
	*out = http_query(q, f->name);
	if (out->p == NULL)
		return !f->required || wrong(r, "parameter ", f->name, "it in the query");
	return text_ok(f, *out, "parameter ", r);
}

struct only {
	const struct api_field *fields;
	size_t n;
	struct http_response *r;
	uint64_t seen;
	bool ok;
};

static void look(void *arg, struct sv name, struct sv value)
{
	struct only *o = arg;

	if (!o->ok)
		return;
	for (size_t i = 0; i < o->n; i++) {
		if (!sv_eq(name, sv_cstr(o->fields[i].name)))
			continue;
		if (value.p == NULL)
			o->ok =
			    wrong(o->r, "parameter ", o->fields[i].name, "right percent escapes");
		else if (o->seen >> i & 1)
			o->ok = wrong(o->r, "parameter ", o->fields[i].name, "it once");
		o->seen |= UINT64_C(1) << i;
		return;
	}
	o->ok = false;
	http_error(o->r, 400, "bad_request",
		   "the query has a parameter that is not known here: %.*s",
		   SV_ARG(sv_first(name, 100)));
}

bool api_only(const struct http_request *q, const struct api_field *fields, size_t n,
	      struct http_response *r)
{
	struct only o = { fields, n, r, 0, true };

	http_each_query(q, look, &o);
	return o.ok;
}
