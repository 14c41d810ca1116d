#include "parse/raw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "parse/json.h"

uint32_t names_add(struct names *names, struct arena *a, struct sv name)
{
	size_t at = names_find(names, name);

	if (at != SIZE_MAX)
		return (uint32_t)at;
	if (names->n == names->_capacity) {
		size_t more = names->_capacity > 0 ? names->_capacity * 2 : 16;
		struct sv *list = arena_alloc(a, more * sizeof(*list));
		if (names->n > 0)
			memcpy(list, names->list, names->n * sizeof(*list));
		names->list = list;
		names->_capacity = more;
	}
	names->list[names->n] = arena_sv(a, name);
	names->_index = NULL;
	return (uint32_t)names->n++;
}

static size_t hash(struct sv name)
{
	unsigned char first = (unsigned char)name.p[0], middle = (unsigned char)name.p[name.n / 2],
		      last = (unsigned char)name.p[name.n - 1];

	return name.n * 7 + first * 31u + middle * 17u + last * 131u;
}

/* The name with number i, first the slots' own, then the others. */
static struct sv name_at(const struct names *names, size_t i)
{
	return i < names->n ? names->list[i] : names->others[i - names->n].name;
}

void names_index(struct names *names, struct arena *a)
{
	size_t n = names->n + names->n_others, size = 16;
	uint16_t *index;

	if (n >= UINT16_MAX)
		return;
	while (size < 4 * n)
		size *= 2;
	index = arena_alloc(a, size * sizeof(*index));
	memset(index, 0, size * sizeof(*index));
	for (size_t i = 0; i < n; i++) {
		size_t at;
		if (name_at(names, i).n == 0)
			continue;
		at = hash(name_at(names, i)) & (size - 1);
		while (index[at] != 0)
			at = (at + 1) & (size - 1);
		index[at] = (uint16_t)(i + 1);
	}
	names->_index = index;
	names->_index_mask = size - 1;
}

static size_t look_up(const struct names *names, struct sv name)
{
	size_t at = hash(name) & names->_index_mask;

	for (; names->_index[at] != 0; at = (at + 1) & names->_index_mask) {
		size_t i = names->_index[at] - 1u;
		if (sv_eq(name_at(names, i), name))
			return i < names->n ? i : names->others[i - names->n].slot;
	}
	return SIZE_MAX;
}

size_t names_find(const struct names *names, struct sv name)
{
	if (names->_index != NULL && name.n > 0)
		return look_up(names, name);
	for (size_t i = 0; i < names->n; i++)
		if (sv_eq(names->list[i], name))
			return i;
	for (size_t i = 0; i < names->n_others; i++)
		if (sv_eq(names->others[i].name, name))
			return names->others[i].slot;
	return SIZE_MAX;
}

static struct sv printed(struct arena *a, const char *text, int n)
{
	return arena_sv(a, sv_make(text, (size_t)n));
}

void raw_from_value(struct raw *r, const struct value *v, struct arena *a)
{
	char text[64];

	r->type = RAW_ABSENT;
	if (v == NULL)
		return;
	switch (v->type) {
	case VALUE_NULL:
		return;
	case VALUE_BOOL:
		r->text = v->boolean ? SV("true") : SV("false");
		r->type = RAW_LITERAL;
		return;
	case VALUE_INT:
		r->text =
		    printed(a, text, snprintf(text, sizeof(text), "%lld", (long long)v->integer));
		r->type = RAW_LITERAL;
		return;
	case VALUE_REAL:
		if (!isfinite(v->real))
			return;
		r->text = printed(a, text, snprintf(text, sizeof(text), "%.17g", v->real));
		r->type = RAW_LITERAL;
		return;
	case VALUE_STRING:
	case VALUE_DATA:
		if (v->text.n > 0)
			raw_set_text(r, v->text);
		return;
	case VALUE_DATE:
		if (!instant_known(v->date))
			return;
		r->text = printed(a, text, (int)instant_format_iso(v->date, text));
		r->type = RAW_TEXT;
		return;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		r->tree = v;
		r->type = RAW_TREE;
		return;
	}
}

const struct value *raw_tree(const struct raw *r, struct json_reader *json, struct arena *a)
{
	struct value *v;
	struct error ignored;

	if (r->type == RAW_TREE)
		return r->tree;
	if (r->type != RAW_JSON)
		return NULL;
	v = arena_alloc(a, sizeof(*v));
	return json_read(json, r->text, a, v, &ignored) ? v : NULL;
}
