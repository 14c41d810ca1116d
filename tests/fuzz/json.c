/* JSON in: the scanner and the tree, and that the two agree on what a document says. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/jsonw.h"
#include "parse/json.h"

#define NAMES 12
static const struct json_name names[NAMES] = {
	{ { "ts", 2 }, 0 },
	{ { "id.orig_h", 9 }, 1 },
	{ { "id.resp_p", 9 }, 2 },
	{ { "device.udid", 11 }, 3 },
	{ { "device", 6 }, 4 },
	{ { "a.b.c", 5 }, 5 },
	{ { "a.b", 3 }, 6 },
	{ { "serialNumber", 12 }, 7 },
	{ { "serial_number", 13 }, 7 },
	{ { "list", 4 }, 8 },
	{ { "a \"quoted\" one", 14 }, 9 },
	{ { "a_name_of_more_than_sixteen_bytes", 33 }, 10 },
};
#define SLOTS 11

static void write_value(struct jsonw *w, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		jsonw_null(w);
		break;
	case VALUE_BOOL:
		jsonw_bool(w, v->boolean);
		break;
	case VALUE_INT:
		jsonw_int(w, v->integer);
		break;
	case VALUE_STRING:
		jsonw_sv(w, v->text);
		break;
	case VALUE_ARRAY:
		jsonw_open(w, '[');
		for (size_t i = 0; i < v->array.n; i++)
			write_value(w, &v->array.items[i]);
		jsonw_close(w, ']');
		break;
	case VALUE_OBJECT:
		jsonw_open(w, '{');
		for (size_t i = 0; i < v->object.n; i++) {
			jsonw_key_sv(w, v->object.members[i].key);
			write_value(w, &v->object.members[i].value);
		}
		jsonw_close(w, '}');
		break;
	default: /* reals have no one spelling */
		jsonw_str(w, "real");
		break;
	}
}

/* What is written from a tree reads back as the same tree. */
static void check_written(const struct value *v)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value again;
	struct buf first, second;
	struct jsonw w;

	buf_init(&first, (size_t)1 << 26);
	buf_init(&second, (size_t)1 << 26);
	w = jsonw_on(&first);
	write_value(&w, v);
	fuzz_require(json_to_value(buf_view(&first), &a, &again, &err));
	w = jsonw_on(&second);
	write_value(&w, &again);
	fuzz_require_same(buf_view(&first), buf_view(&second));
	buf_free(&first);
	buf_free(&second);
	arena_free(&a);
}

/* Where the whole document is good, the scanner finds the same texts as a look into the tree. */
static void check_agreement(const struct value *v, const struct raw *slots, struct arena *a)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct value *member = value_member(v, names[i].path);
		struct raw expected = { .type = RAW_ABSENT };
		struct value tree;
		struct error ignored;

		if (sv_find_char(names[i].path, '.') != SIZE_MAX || names[i].slot == 7)
			continue; /* several spellings: the scanner takes the first in the record */
		raw_from_value(&expected, member, a);
		if (expected.type == RAW_TEXT) {
			fuzz_require(slots[names[i].slot].type == RAW_TEXT);
			fuzz_require_same(slots[names[i].slot].text, expected.text);
		} else if (expected.type == RAW_TREE) {
			fuzz_require(slots[names[i].slot].type == RAW_JSON);
			fuzz_require(json_to_value(slots[names[i].slot].text, a, &tree, &ignored));
		} else if (member == NULL) {
			fuzz_require(slots[names[i].slot].type == RAW_ABSENT);
		}
	}
}

static void check(struct json_scanner *scanner, struct sv text)
{
	struct arena a = { 0 }, scratch = { 0 };
	struct error err = { 0 }, scan_err = { 0 };
	struct value v;
	struct raw slots[SLOTS] = { 0 };
	char *bare = xmalloc(text.n > 0 ? text.n : 1), *record = fuzz_padded(text, '{');
	bool good, scanned;

	if (text.n > 0)
		memcpy(bare, text.p, text.n);
	good = json_to_value(sv_make(bare, text.n), &a, &v, &err);
	scanned = json_scan(scanner, sv_make(record, text.n), slots, &scratch, &scan_err);
	fuzz_require(good || (err.message[0] != '\0' && err.position <= text.n));
	fuzz_require(scanned || (scan_err.message[0] != '\0' && scan_err.position <= text.n));
	if (good) {
		fuzz_tree(&v);
		check_written(&v);
		if (v.type == VALUE_OBJECT) {
			fuzz_require(scanned);
			check_agreement(&v, slots, &scratch);
		}
	}
	free(bare);
	free(record);
	arena_free(&a);
	arena_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_scanner *scanner = json_scanner_new(names, NAMES);
	struct sv text = { (const char *)data, size };

	/* Lines, so that what the scanner learns from one record meets the next. */
	do
		check(scanner, sv_cut(text, '\n', &text));
	while (text.p != NULL);
	json_scanner_free(scanner);
	return 0;
}
