/* Whole documents checked, nothing kept of them. */
#define SIMDJSON_EXCEPTIONS 0
#include <new>
#include <simdjson.h>

#include "parse/json_internal.hh"

extern "C" {
#include "parse/json_check.h"
}

namespace dom = simdjson::dom;

#define LEAST 16384u

struct json_checker {
	dom::parser parser{ VALUE_MAX_BYTES };
};

extern "C" struct json_checker *json_checker_new(void) { return new json_checker; }
extern "C" void json_checker_free(struct json_checker *c) { delete c; }

extern "C" bool json_check(struct json_checker *c, struct sv bytes, bool object, bool *array,
			   struct error *err)
{
	dom::element root;

	*array = false;
	if (bytes.n == 0)
		return json_refuse(bytes, simdjson::EMPTY, 0, err);
	if (bytes.n > VALUE_MAX_BYTES)
		return error_set(
		    err, ERROR_LIMIT, 0,
		    "byte 0: the JSON document has %zu bytes, more than the %u allowed", bytes.n,
		    VALUE_MAX_BYTES);
	simdjson::error_code e = simdjson::SUCCESS;
	if (c->parser.capacity() < bytes.n || c->parser.capacity() == 0)
		e = c->parser.allocate(bytes.n < LEAST ? LEAST : bytes.n, VALUE_MAX_DEPTH);
	if (e == simdjson::SUCCESS)
		e = c->parser.parse(bytes.p, bytes.n, true).get(root);
	if (e != simdjson::SUCCESS)
		return json_refuse(bytes, e, bytes.n, err);
	*array = root.is_array();
	if (object && !root.is_object())
		return error_set(err, ERROR_FORMAT, 0, "byte 0: expected an object {…}");
	return true;
}
