/* The scanner. simdjson finds where strings, brackets, commas and values begin, checks UTF-8 and
 * strings (its first stage, with the best instructions the processor has); what stands there is
 * read here, straight from its list of positions. Its On-Demand interface would do the same with
 * several calls and checks a field more, which cost as much as everything else parsing does.
 */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "parse/json_internal.hh"

using simdjson::SIMDJSON_PADDING;
using status = simdjson::error_code; /* base/error.h has an error_code of its own */

namespace
{

constexpr uint32_t NOTHING = UINT32_MAX;
/* Unwanted names that are remembered, of one object, and how long they may be. */
constexpr size_t MAX_LEARNT = 64;
constexpr size_t MAX_LEARNT_BYTES = 64;

/* A name met in an object. A wanted one fills a slot, leads deeper, or both. Records of one source
 * repeat their fields in one order, with some left out now and then: what has followed a name is
 * what is tried first behind it. */
struct known_key {
	uint64_t words[2] = {}; /* the first 16 bytes of the name and its closing quote */
	uint64_t masks[2] = {};
	uint32_t n; /* of both */
	uint32_t slot = NOTHING;
	uint32_t deeper = NOTHING;
	bool plain; /* stands in JSON as it is; only such names are tried */
	known_key *follower[2] = {};
	std::string text; /* without the quote */

	explicit known_key(const std::string &name)
	    : n(static_cast<uint32_t>(name.size() + 1)),
	      plain(name.find_first_of("\"\\") == std::string::npos), text(name)
	{
		const size_t head = n < sizeof(words) ? n : sizeof(words);

		memcpy(words, (name + '"').data(), head);
		memset(masks, 0xff, head);
	}
	/* Whether it is the string whose first byte is *p and whose length is `length`. p has
	 * READ_PADDING readable bytes or more behind it. */
	bool is(const char *p, size_t length) const
	{
		uint64_t a, b;

		memcpy(&a, p, sizeof(a));
		memcpy(&b, p + sizeof(a), sizeof(b));
		if ((((a ^ words[0]) & masks[0]) | ((b ^ words[1]) & masks[1])) != 0)
			return false;
		return n <= sizeof(words) ||
		       (n == length + 1 && memcmp(p + sizeof(words), text.data() + sizeof(words),
						  length - sizeof(words)) == 0);
	}
};

/* What may be met in one object. keys[0] has no name: it stands for the opening brace, and for
 * names that are not known. */
struct object_plan {
	std::vector<known_key> keys{ known_key("") };
	std::vector<uint32_t> table; /* open addressing over keys */
	size_t learnt = 0;

	static size_t hash(const char *p, size_t n)
	{
		return n * 7 + static_cast<unsigned char>(p[0]) * 31u +
		       static_cast<unsigned char>(p[n - 1]) * 131u +
		       static_cast<unsigned char>(p[n / 2]) * 17u;
	}
	/* Where that name stands in the table, or the free place it belongs to. */
	size_t place(const char *p, size_t n) const
	{
		size_t mask = table.size() - 1, i = hash(p, n) & mask;

		while (table[i] != NOTHING && (keys[table[i]].text.size() != n ||
					       memcmp(keys[table[i]].text.data(), p, n) != 0))
			i = (i + 1) & mask;
		return i;
	}
	known_key *find(const char *p, size_t n)
	{
		if (n == 0)
			return &keys[0];
		uint32_t &k = table[place(p, n)];
		if (k == NOTHING && n <= MAX_LEARNT_BYTES && learnt < MAX_LEARNT) {
			learnt++;
			k = static_cast<uint32_t>(keys.size());
			keys.emplace_back(std::string(p, n));
		}
		return &keys[k != NOTHING ? k : 0];
	}
	void build()
	{
		size_t size = 4;

		keys.reserve(keys.size() + MAX_LEARNT); /* so that none of them ever moves */
		while (size < keys.capacity() * 2)
			size *= 2;
		table.assign(size, NOTHING);
		for (uint32_t k = 1; k < keys.size(); k++)
			table[place(keys[k].text.data(), keys[k].text.size())] = k;
	}
};

} // namespace

struct json_scanner {
	simdjson::ondemand::parser unescaper;
	std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer;
	std::vector<object_plan> plans; /* [0] is the root */
	size_t wanted = 0;		/* slots that names lead to */

	known_key &key_of(uint32_t plan, const std::string &name)
	{
		for (auto &k : plans[plan].keys)
			if (k.text == name)
				return k;
		plans[plan].keys.emplace_back(name);
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
		plan.build();
	return s;
}

extern "C" void json_scanner_free(struct json_scanner *s) { delete s; }

namespace
{

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* One record being read. Positions are those where something begins: brackets, colons, commas, the
 * opening quotes of strings, the first bytes of numbers and words. */
struct scan {
	json_scanner &scanner;
	struct raw *slots;
	struct arena *scratch;
	const char *p;
	const uint32_t *end; /* of the positions */
	size_t found;
	bool escapes; /* a backslash stands somewhere in the record */
	status error; /* what is wrong, at the position returned */

	const uint32_t *object(uint32_t plan, const uint32_t *at);

      private:
	known_key *slow_key(object_plan &o, known_key *before, struct sv name);
	const uint32_t *inside(const known_key &k, const uint32_t *at);
	const uint32_t *skip(const uint32_t *at);
	const uint32_t *take(struct raw &r, const uint32_t *at);
	bool unescape(struct sv *text);
	const uint32_t *fail(status e, const uint32_t *at)
	{
		error = e;
		return at;
	}
	/* What begins at `at`, up to what begins next, without the white space between. */
	struct sv token(const uint32_t *at) const
	{
		size_t from = at[0], to = at[1];

		while (is_space(p[to - 1]))
			to--;
		return sv{ p + from, to - from };
	}
	/* The string there. What begins next is never part of it. */
	bool string(const uint32_t *at, struct sv *out)
	{
		struct sv t = token(at);

		if (t.n < 2 || t.p[t.n - 1] != '"')
			return false;
		*out = sv{ t.p + 1, t.n - 2 };
		return !escapes || unescape(out);
	}
};

/* A string with escapes is unescaped into the scratch arena. */
bool scan::unescape(struct sv *text)
{
	std::string_view plain;

	if (sv_find_char(*text, '\\') == SIZE_MAX)
		return true;
	auto *room = static_cast<uint8_t *>(arena_alloc(scratch, text->n + SIMDJSON_PADDING));
	simdjson::ondemand::raw_json_string raw(reinterpret_cast<const uint8_t *>(text->p));
	if (scanner.unescaper.capacity() == 0 &&
	    scanner.unescaper.allocate(SIMDJSON_PADDING) != simdjson::SUCCESS)
		return false;
	if (scanner.unescaper.unescape(raw, room).get(plain) != simdjson::SUCCESS)
		return false;
	*text = sv{ plain.data(), plain.size() };
	return true;
}

/* The name that was not the one to be expected, expected from now on. */
known_key *scan::slow_key(object_plan &o, known_key *before, struct sv name)
{
	known_key *k = before->follower[1];

	if (k != nullptr && k->n == name.n + 1 && k->is(name.p, name.n))
		return k;
	k = o.find(name.p, name.n);
	if (k->plain && k != &o.keys[0]) {
		before->follower[1] = before->follower[0];
		before->follower[0] = k;
	}
	return k;
}

/* Behind any value. What is inside brackets is only counted. */
const uint32_t *scan::skip(const uint32_t *at)
{
	size_t depth = 0;

	do {
		if (at == end)
			return fail(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, end);
		char c = p[*at++];
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	} while (depth > 0);
	return at;
}

const uint32_t *scan::take(struct raw &r, const uint32_t *at)
{
	const uint32_t *behind = at + 1;

	switch (p[*at]) {
	case '"':
		if (!string(at, &r.text))
			return fail(simdjson::STRING_ERROR, at);
		if (r.text.n == 0) /* as null */
			return behind;
		r.type = RAW_TEXT;
		break;
	case '{':
	case '[':
		behind = skip(at);
		r.text = sv{ p + *at, static_cast<size_t>(behind[-1] + 1 - *at) };
		r.type = RAW_JSON;
		break;
	case 'n':
		if (!sv_eq(token(at), sv{ "null", 4 }))
			return fail(simdjson::N_ATOM_ERROR, at);
		return behind; /* not said, and not counted: a repeat may say it */
	default:
		r.text = token(at);
		r.type = RAW_LITERAL;
		break;
	}
	found++;
	return behind;
}

/* An object that a name leads into, and that may be wanted as a whole as well. */
const uint32_t *scan::inside(const known_key &k, const uint32_t *at)
{
	const uint32_t *behind = object(k.deeper, at);

	if (error != simdjson::SUCCESS || k.slot == NOTHING || slots[k.slot].type != RAW_ABSENT)
		return behind;
	slots[k.slot].text = sv{ p + *at, static_cast<size_t>(behind[-1] + 1 - *at) };
	slots[k.slot].type = RAW_JSON;
	found++;
	return behind;
}

/* The object whose brace stands at `at`; returns the position behind it. Ends early with found ==
 * wanted. */
const uint32_t *scan::object(uint32_t plan, const uint32_t *at)
{
	object_plan &o = scanner.plans[plan];
	known_key *k = &o.keys[0];

	at++;
	if (at < end && p[*at] == '}')
		return at + 1;
	for (;;) {
		if (end - at < 4) /* name, colon, value, and what closes */
			return fail(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, end);
		if (p[at[0]] != '"' || p[at[1]] != ':')
			return fail(simdjson::TAPE_ERROR, at);
		known_key *expected = k->follower[0];
		if (expected != nullptr && expected->is(p + at[0] + 1, at[1] - at[0] - 2)) {
			k = expected;
		} else {
			struct sv name;
			if (!string(at, &name))
				return fail(simdjson::STRING_ERROR, at);
			k = slow_key(o, k, name);
		}
		at += 2;
		char c = p[*at];
		if (c == ',' || c == ':' || c == '}' || c == ']')
			return fail(simdjson::TAPE_ERROR, at);
		if (c == '{' && k->deeper != NOTHING)
			at = inside(*k, at);
		else if (k->slot == NOTHING || slots[k->slot].type != RAW_ABSENT)
			at = skip(at);
		else
			at = take(slots[k->slot], at);
		if (error != simdjson::SUCCESS || found == scanner.wanted)
			return at;
		if (at == end)
			return fail(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, end);
		c = p[*at];
		if (c != ',' && c != '}')
			return fail(simdjson::TAPE_ERROR, at);
		at++;
		if (c == '}')
			return at;
	}
}

/* Where everything begins in the record. */
status index(json_scanner &s, struct sv record)
{
	status e = simdjson::SUCCESS;
	size_t room = (record.n + 4095) / 4096 * 4096;

	if (s.indexer == nullptr)
		e = simdjson::get_active_implementation()->create_dom_parser_implementation(
		    room, simdjson::DEFAULT_MAX_DEPTH, s.indexer);
	else if (s.indexer->capacity() < room)
		e = s.indexer->set_capacity(room);
	if (e == simdjson::SUCCESS)
		e = s.indexer->stage1(reinterpret_cast<const uint8_t *>(record.p), record.n,
				      simdjson::stage1_mode::regular);
	return e;
}

} // namespace

extern "C" bool json_scan(struct json_scanner *s, struct sv record, struct raw *slots,
			  struct arena *scratch, struct error *err)
{
	status e = index(*s, record);

	if (e != simdjson::SUCCESS)
		return json_refuse(record, e, record.n, err);
	const uint32_t *at = s->indexer->structural_indexes.get();
	const uint32_t *end = at + s->indexer->n_structural_indexes;
	bool escapes = sv_find_char(record, '\\') != SIZE_MAX;
	struct scan scan = { *s, slots, scratch, record.p, end, 0, escapes, e };
	if (record.p[*at] != '{')
		return json_refuse(record, simdjson::INCORRECT_TYPE, *at, err);
	at = scan.object(0, at);
	e = scan.error;
	if (e == simdjson::SUCCESS && scan.found < s->wanted && at < end)
		e = simdjson::TRAILING_CONTENT;
	if (e == simdjson::SUCCESS)
		return true;
	return json_refuse(record, e, at < end ? *at : record.n, err);
}
