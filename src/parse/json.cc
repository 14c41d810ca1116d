/* Documents as trees, and what is said of JSON that is none. The scanner is json_scan.cc. */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstring>

#include "parse/json_internal.hh"

extern "C" {
#include "base/jsonw.h"
}

namespace dom = simdjson::dom;
using status = simdjson::error_code; /* base/error.h has an error_code of its own */

namespace
{

size_t first_bad_utf8(struct sv v)
{
	size_t i = 0;

	while (i < v.n) {
		size_t n = utf8_sequence(v.p + i, v.n - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

} // namespace

bool json_refuse(struct sv bytes, status code, size_t offset, struct error *err)
{
	if (code == simdjson::UTF8_ERROR)
		offset = first_bad_utf8(bytes);
	const char *what = simdjson::error_message(code);
	if (code == simdjson::UTF8_ERROR)
		what = "the bytes are not valid UTF-8";
	else if (code == simdjson::EMPTY)
		what = "nothing there";
	else if (code == simdjson::INCORRECT_TYPE)
		what = "expected an object {…}";
	else if (code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT || code == simdjson::UNCLOSED_STRING)
		what = "it ends early";
	else if (code == simdjson::STRING_ERROR)
		what = "a string is malformed";
	else if (code == simdjson::UNESCAPED_CHARS)
		what = "a string holds a bare control character";
	else if (code == simdjson::TRAILING_CONTENT)
		what = "more follows behind the object";
	else if (code == simdjson::TAPE_ERROR)
		what = "the structure is malformed";
	return error_set(err, ERROR_FORMAT, offset, "not valid JSON at byte %zu: %s", offset, what);
}

namespace
{

struct builder {
	struct arena *arena;
	size_t nodes;
	const char *limit; /* which bound was passed */
	char *text;	   /* room for the strings still to come */
};

struct sv keep(struct builder &b, std::string_view v)
{
	struct sv kept = { b.text, v.size() };

	memcpy(b.text, v.data(), v.size());
	b.text += v.size();
	return kept;
}

/* The tape counts up to 0xffffff. */
template <typename T> size_t count(const T &list)
{
	size_t n = list.size();

	if (n < 0xffffff)
		return n;
	n = 0;
	for (auto item : list) {
		(void)item;
		n++;
	}
	return n;
}

bool build(struct builder &b, dom::element e, unsigned depth, struct value *out)
{
	if (depth > VALUE_MAX_DEPTH) {
		b.limit = "nested too deeply";
		return false;
	}
	if (++b.nodes > VALUE_MAX_NODES) {
		b.limit = "too many values";
		return false;
	}
	switch (e.type()) {
	case dom::element_type::NULL_VALUE:
		out->type = VALUE_NULL;
		return true;
	case dom::element_type::BOOL:
		out->type = VALUE_BOOL;
		return e.get_bool().get(out->boolean) == simdjson::SUCCESS;
	case dom::element_type::INT64:
		out->type = VALUE_INT;
		return e.get_int64().get(out->integer) == simdjson::SUCCESS;
	case dom::element_type::UINT64: {
		uint64_t u;
		if (e.get_uint64().get(u) != simdjson::SUCCESS)
			return false;
		out->type = VALUE_REAL;
		out->real = static_cast<double>(u);
		return true;
	}
	case dom::element_type::DOUBLE:
		out->type = VALUE_REAL;
		return e.get_double().get(out->real) == simdjson::SUCCESS;
	case dom::element_type::STRING: {
		std::string_view text;
		if (e.get_string().get(text) != simdjson::SUCCESS)
			return false;
		out->type = VALUE_STRING;
		out->text = keep(b, text);
		return true;
	}
	case dom::element_type::ARRAY: {
		dom::array array;
		if (e.get_array().get(array) != simdjson::SUCCESS)
			return false;
		size_t n = count(array), i = 0;
		auto *items =
		    static_cast<struct value *>(arena_alloc(b.arena, n * sizeof(struct value)));
		for (auto item : array)
			if (!build(b, item, depth + 1, &items[i++]))
				return false;
		out->type = VALUE_ARRAY;
		out->array.items = items;
		out->array.n = n;
		return true;
	}
	case dom::element_type::OBJECT: {
		dom::object object;
		if (e.get_object().get(object) != simdjson::SUCCESS)
			return false;
		size_t n = count(object), i = 0;
		auto *members = static_cast<struct value_member *>(
		    arena_alloc(b.arena, n * sizeof(struct value_member)));
		for (auto item : object) {
			members[i].key = keep(b, item.key);
			if (!build(b, item.value, depth + 1, &members[i++].value))
				return false;
		}
		out->type = VALUE_OBJECT;
		out->object.members = members;
		out->object.n = n;
		return true;
	}
	}
	return false;
}

} // namespace

struct json_reader {
	dom::parser parser{ VALUE_MAX_BYTES };
};

extern "C" struct json_reader *json_reader_new(void) { return new json_reader; }
extern "C" void json_reader_free(struct json_reader *r) { delete r; }

extern "C" bool json_read(struct json_reader *r, struct sv bytes, struct arena *a,
			  struct value *out, struct error *err)
{
	dom::element root;
	struct builder b = { a, 0, nullptr, nullptr };

	if (bytes.n > VALUE_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, 0,
				 "the JSON document has %zu bytes, more than the %u allowed",
				 bytes.n, VALUE_MAX_BYTES);
	status e = r->parser.parse(bytes.p, bytes.n, true).get(root);
	if (e != simdjson::SUCCESS)
		return json_refuse(bytes, e, bytes.n, err);
	b.text = static_cast<char *>(
	    arena_alloc(a, bytes.n)); /* no string is longer than what it was written as */
	if (!build(b, root, 1, out))
		return error_set(err, ERROR_LIMIT, 0, "the JSON document is %s",
				 b.limit != nullptr ? b.limit : "malformed");
	return true;
}

extern "C" bool json_to_value(struct sv bytes, struct arena *a, struct value *out,
			      struct error *err)
{
	json_reader once;

	return json_read(&once, bytes, a, out, err);
}
