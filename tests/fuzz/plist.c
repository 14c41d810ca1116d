/* Property lists, XML and binary. */
#include "fuzz.h"

#include <stdlib.h>

#include "parse/plist_internal.h"

static bool same_list(const struct value *a, const struct value *b);

static bool same(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_REAL:
		return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
	case VALUE_STRING:
	case VALUE_DATA:
		return sv_eq(a->text, b->text);
	case VALUE_DATE:
		return a->date.ns == b->date.ns;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	return same_list(a, b);
}

static bool same_list(const struct value *a, const struct value *b)
{
	if (a->type == VALUE_ARRAY) {
		if (a->array.n != b->array.n)
			return false;
		for (size_t i = 0; i < a->array.n; i++)
			if (!same(&a->array.items[i], &b->array.items[i]))
				return false;
		return true;
	}
	if (a->object.n != b->object.n)
		return false;
	for (size_t i = 0; i < a->object.n; i++)
		if (!sv_eq(a->object.members[i].key, b->object.members[i].key) ||
		    !same(&a->object.members[i].value, &b->object.members[i].value))
			return false;
	return true;
}

/* What is read without an XML parser, the XML parser reads alike. */
static void check_quick(struct sv bytes)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value quick, whole;

	if (plist_parse_xml_quick(bytes, &a, &quick)) {
		fuzz_require(plist_parse_xml(bytes, &a, &whole, &err));
		fuzz_require(same(&quick, &whole));
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value v;
	char *bytes = xmalloc(size > 0 ? size : 1);

	if (size > 0)
		memcpy(bytes, data, size);
	check_quick(sv_make(bytes, size));
	if (plist_parse(sv_make(bytes, size), &a, &v, &err)) {
		free(bytes); /* the tree is independent of them */
		bytes = NULL;
		fuzz_tree(&v);
	} else {
		fuzz_require(err.message[0] != '\0' && err.position <= size);
	}
	free(bytes);
	arena_free(&a);
	return 0;
}
