#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern "C" { /* the headers are C; what they include of the standard library has come in already */
#include "base/jsonw.h"
#include "parse/json.h"
}

namespace ondemand = simdjson::ondemand;
namespace dom = simdjson::dom;
using status = simdjson::error_code; /* base/error.h has an error_code of its own */
using simdjson::SIMDJSON_PADDING;

namespace
{

constexpr uint32_t NOTHING = UINT32_MAX;

/* One key that may be met in one object: fills a slot, leads deeper, or both. */
struct wanted_key {
	std::string text; /* with the closing quote, so that one memcmp compares whole keys */
	uint32_t slot = NOTHING;
	uint32_t deeper = NOTHING;
};

/* Records of one source repeat their keys in one order: what stood at a place last time is tried
 * first. */
struct guess {
	char text[48]; /* with the closing quote */
	uint32_t n = 0;
	uint32_t key = NOTHING;

	/* p has READ_PADDING readable bytes or more. */
	bool fits(const char *p) const
	{
		uint64_t a, b, different = 0;
		uint32_t i = 0;

		for (; i + 8 <= n; i += 8) {
			memcpy(&a, p + i, 8);
			memcpy(&b, text + i, 8);
			different |= a ^ b;
		}
		for (; i < n; i++)
			different |= static_cast<uint64_t>(p[i] != text[i]);
		return different == 0 && n > 0;
	}
};

constexpr size_t GUESSES = 64;

struct object_plan {
	std::vector<wanted_key> keys;
	std::vector<uint32_t> table; /* open addressing over keys */
	std::vector<guess> guesses;

	static size_t hash(const char *p, size_t n)
	{
		return n * 7 + static_cast<unsigned char>(p[0]) * 31u +
		       static_cast<unsigned char>(p[n - 1]) * 131u +
		       static_cast<unsigned char>(p[n / 2]) * 17u;
	}
	/* The key of that name (without quote), or NOTHING. */
	uint32_t find(const char *p, size_t n) const
	{
		if (n == 0)
			return NOTHING;
		for (size_t i = hash(p, n) & (table.size() - 1);;
		     i = (i + 1) & (table.size() - 1)) {
			uint32_t k = table[i];
			if (k == NOTHING)
				return NOTHING;
			if (keys[k].text.size() == n + 1 && memcmp(keys[k].text.data(), p, n) == 0)
				return k;
		}
	}
	void build_table()
	{
		size_t size = 4;

		while (size < keys.size() * 3)
			size *= 2;
		table.assign(size, NOTHING);
		for (uint32_t k = 0; k < keys.size(); k++) {
			size_t i = hash(keys[k].text.data(), keys[k].text.size() - 1) & (size - 1);
			while (table[i] != NOTHING)
				i = (i + 1) & (size - 1);
			table[i] = k;
		}
		guesses.resize(GUESSES);
	}
};

} // namespace

struct json_scanner {
	ondemand::parser parser;
	std::vector<object_plan> plans; /* [0] is the root */
	size_t wanted = 0;		/* slots that names lead to */

	wanted_key &key_of(uint32_t plan, const std::string &name)
	{
		std::string text = name + "\"";

		for (auto &k : plans[plan].keys)
			if (k.text == text)
				return k;
		plans[plan].keys.emplace_back();
		plans[plan].keys.back().text = text;
		return plans[plan].keys.back();
	}
	void add(uint32_t plan, const std::string &path, uint32_t slot)
	{
		key_of(plan, path).slot = slot;
		for (size_t dot = path.find('.'); dot != std::string::npos;
		     dot = path.find('.', dot + 1)) {
			if (dot == 0 || dot + 1 == path.size())
				continue;
			std::string head = path.substr(0, dot);
			uint32_t deeper = key_of(plan, head).deeper;
			if (deeper == NOTHING) {
				deeper = static_cast<uint32_t>(plans.size());
				plans.emplace_back();
				key_of(plan, head).deeper = deeper;
			}
			add(deeper, path.substr(dot + 1), slot);
		}
	}
};

extern "C" struct json_scanner *json_scanner_new(const struct json_name *names, size_t n)
{
	auto *s = new json_scanner;
	std::vector<uint32_t> seen;

	s->plans.emplace_back();
	for (size_t i = 0; i < n; i++) {
		if (names[i].path.n == 0)
			continue;
		s->add(0, std::string(names[i].path.p, names[i].path.n), names[i].slot);
		bool known = false;
		for (uint32_t slot : seen)
			known = known || slot == names[i].slot;
		if (!known)
			seen.push_back(names[i].slot);
	}
	s->wanted = seen.size();
	for (auto &plan : s->plans)
		plan.build_table();
	return s;
}

extern "C" void json_scanner_free(struct json_scanner *s) { delete s; }

namespace
{

struct scan {
	json_scanner *scanner;
	struct raw *slots;
	struct arena *scratch;
	size_t found;
	bool escapes; /* a backslash stands somewhere in the record */
};

/* An escaped string, unescaped into the scratch arena. */
bool unescape(struct scan &s, std::string_view text, struct sv *out)
{
	auto *room = static_cast<uint8_t *>(arena_alloc(s.scratch, text.size() + SIMDJSON_PADDING));
	uint8_t *end = room;
	ondemand::raw_json_string raw(reinterpret_cast<const uint8_t *>(text.data()));
	std::string_view plain;

	if (s.scanner->parser.unescape(raw, end).get(plain) != simdjson::SUCCESS)
		return false;
	*out = sv{ plain.data(), plain.size() };
	return true;
}

std::string_view without_space(std::string_view t)
{
	while (!t.empty() &&
	       (t.back() == ' ' || t.back() == '\n' || t.back() == '\r' || t.back() == '\t'))
		t.remove_suffix(1);
	return t;
}

status take(struct scan &s, const wanted_key &key, ondemand::value &v);

/* Which wanted key stands here; the i-th key of its object. */
uint32_t which_key(struct scan &s, uint32_t plan, size_t i, const char *p, status &error)
{
	object_plan &o = s.scanner->plans[plan];
	guess *g = i < GUESSES ? &o.guesses[i] : nullptr;

	if (g != nullptr && g->fits(p))
		return g->key;
	const char *end = p;
	bool escaped = false;
	while (*end != '"') {
		if (*end == '\\') {
			escaped = true;
			end++;
		}
		end++;
	}
	size_t n = static_cast<size_t>(end - p);
	if (escaped) {
		struct sv plain;
		if (!unescape(s, std::string_view(p, n), &plain)) {
			error = simdjson::STRING_ERROR;
			return NOTHING;
		}
		return o.find(plain.p, plain.n);
	}
	uint32_t k = o.find(p, n);
	if (g != nullptr && n + 1 <= sizeof(g->text)) {
		memcpy(g->text, p, n + 1);
		g->n = static_cast<uint32_t>(n + 1);
		g->key = k;
	}
	return k;
}

/* Ends with found == wanted as soon as that is so. */
status scan_object(struct scan &s, uint32_t plan, ondemand::object &object)
{
	size_t i = 0;

	for (auto item : object) {
		ondemand::field f;
		status e = std::move(item).get(f);
		if (e != simdjson::SUCCESS)
			return e;
		uint32_t k = which_key(s, plan, i++, f.key().raw(), e);
		if (e != simdjson::SUCCESS)
			return e;
		if (k == NOTHING)
			continue;
		e = take(s, s.scanner->plans[plan].keys[k], f.value());
		if (e != simdjson::SUCCESS || s.found == s.scanner->wanted)
			return e;
	}
	return simdjson::SUCCESS;
}

status take(struct scan &s, const wanted_key &key, ondemand::value &v)
{
	std::string_view t = v.raw_json_token();
	struct raw *r = key.slot != NOTHING ? &s.slots[key.slot] : nullptr;

	if (t.empty())
		return simdjson::TAPE_ERROR;
	if (t[0] == '{' && key.deeper != NOTHING) {
		ondemand::object inner;
		status e = v.get_object().get(inner);
		return e != simdjson::SUCCESS ? e : scan_object(s, key.deeper, inner);
	}
	if (r == nullptr || r->type != RAW_ABSENT)
		return simdjson::SUCCESS;
	switch (t[0]) {
	case '"': {
		t = without_space(t);
		if (t.size() < 2 || t.back() != '"')
			return simdjson::STRING_ERROR;
		struct sv text = { t.data() + 1, t.size() - 2 };
		if (s.escapes && memchr(text.p, '\\', text.n) != nullptr &&
		    !unescape(s, std::string_view(text.p, text.n), &text))
			return simdjson::STRING_ERROR;
		r->text = text;
		r->type = RAW_TEXT;
		break;
	}
	case '{': {
		ondemand::object inner;
		status e = v.get_object().get(inner);
		if (e == simdjson::SUCCESS)
			e = inner.raw_json().get(t);
		if (e != simdjson::SUCCESS)
			return e;
		r->text = sv{ t.data(), t.size() };
		r->type = RAW_JSON;
		break;
	}
	case '[': {
		ondemand::array inner;
		status e = v.get_array().get(inner);
		if (e == simdjson::SUCCESS)
			e = inner.raw_json().get(t);
		if (e != simdjson::SUCCESS)
			return e;
		r->text = sv{ t.data(), t.size() };
		r->type = RAW_JSON;
		break;
	}
	case 'n':
		if (without_space(t) != "null")
			return simdjson::N_ATOM_ERROR;
		return simdjson::SUCCESS; /* not said, and not counted: a repeat may say it */
	default:
		t = without_space(t);
		r->text = sv{ t.data(), t.size() };
		r->type = RAW_LITERAL;
		break;
	}
	s.found++;
	return simdjson::SUCCESS;
}

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

bool refuse(struct sv bytes, status code, const char *at, struct error *err)
{
	size_t offset = bytes.n;

	if (code == simdjson::UTF8_ERROR)
		offset = first_bad_utf8(bytes);
	else if (at != nullptr && at >= bytes.p && at <= bytes.p + bytes.n)
		offset = static_cast<size_t>(at - bytes.p);
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

} // namespace

extern "C" bool json_scan(struct json_scanner *s, struct sv record, struct raw *slots,
			  struct arena *scratch, struct error *err)
{
	struct scan scan = { s, slots, scratch, 0, sv_find_char(record, '\\') != SIZE_MAX };
	ondemand::document doc;
	ondemand::object root;

	status e = s->parser
		       .iterate(simdjson::padded_string_view(record.p, record.n,
							     record.n + SIMDJSON_PADDING))
		       .get(doc);
	if (e != simdjson::SUCCESS)
		return refuse(record, e, nullptr, err);
	e = doc.get_object().get(root);
	if (e == simdjson::SUCCESS)
		e = scan_object(scan, 0, root);
	const char *at = nullptr;
	if (e == simdjson::SUCCESS && scan.found < s->wanted &&
	    doc.current_location().error() != simdjson::OUT_OF_BOUNDS)
		e = simdjson::TRAILING_CONTENT;
	if (e == simdjson::SUCCESS)
		return true;
	if (doc.current_location().get(at) != simdjson::SUCCESS)
		at = nullptr;
	return refuse(record, e, at, err);
}

namespace
{

struct builder {
	struct arena *arena;
	size_t nodes;
	const char *limit; /* which bound was passed */
};

struct sv keep(struct builder &b, std::string_view v)
{
	return arena_sv(b.arena, sv{ v.data(), v.size() });
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
		size_t n = 0, i = 0;
		for (auto item : array) {
			(void)item;
			n++;
		}
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
		size_t n = 0, i = 0;
		for (auto item : object) {
			(void)item;
			n++;
		}
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

extern "C" bool json_to_value(struct sv bytes, struct arena *a, struct value *out,
			      struct error *err)
{
	dom::parser parser(VALUE_MAX_BYTES);
	dom::element root;
	struct builder b = { a, 0, nullptr };

	if (bytes.n > VALUE_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, 0,
				 "the JSON document has %zu bytes, more than the %u allowed",
				 bytes.n, VALUE_MAX_BYTES);
	status e = parser.parse(bytes.p, bytes.n, true).get(root);
	if (e != simdjson::SUCCESS)
		return refuse(bytes, e, nullptr, err);
	if (!build(b, root, 1, out))
		return error_set(err, ERROR_LIMIT, 0, "the JSON document is %s",
				 b.limit != nullptr ? b.limit : "malformed");
	return true;
}
