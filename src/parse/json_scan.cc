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
/* Longest name that is remembered; wanted ones may be longer. */
constexpr size_t KNOWN_BYTES = 48;
/* Unwanted names that are remembered, of one object. */
constexpr size_t MAX_LEARNT = 64;

/* A name met in an object. A wanted one fills a slot, leads deeper, or both. Records of one source
 * repeat their fields in one order, with some left out now and then: what has followed a name is
 * what is tried first behind it. */
struct known_key {
	std::string text;
	uint64_t words[KNOWN_BYTES / 8] = {}; /* the text again, to be compared by words */
	uint64_t last_mask = 0;
	size_t n_words = 0; /* 0: too long for that */
	uint32_t slot = NOTHING;
	uint32_t deeper = NOTHING;
	uint32_t follower[2] = { NOTHING, NOTHING };

	explicit known_key(const std::string &name) : text(name)
	{
		if (name.empty() || name.size() > KNOWN_BYTES)
			return;
		n_words = (name.size() + 7) / 8;
		last_mask = ~UINT64_C(0);
		if (name.size() % 8 != 0) { /* by bytes, whatever their order in a word is */
			last_mask = 0;
			memset(&last_mask, 0xff, name.size() % 8);
		}
		memcpy(words, name.data(), name.size());
	}
	/* p has READ_PADDING readable bytes or more behind it. */
	bool is(const char *p, size_t n) const
	{
		uint64_t word, different = 0;
		size_t i = 0;

		if (n != text.size() || n_words == 0)
			return false;
		for (; i + 1 < n_words; i++) {
			memcpy(&word, p + 8 * i, 8);
			different |= word ^ words[i];
		}
		memcpy(&word, p + 8 * i, 8);
		return (different | ((word & last_mask) ^ words[i])) == 0;
	}
};

/* What may be met in one object. keys[0] has no name: it stands for the opening brace. */
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
	/* NOTHING for a name that is neither wanted nor can be remembered. */
	uint32_t find(const char *p, size_t n)
	{
		if (n == 0)
			return NOTHING;
		uint32_t &k = table[place(p, n)];
		if (k == NOTHING && n <= KNOWN_BYTES && learnt < MAX_LEARNT) {
			learnt++;
			k = static_cast<uint32_t>(keys.size());
			keys.emplace_back(std::string(p, n));
		}
		return k;
	}
	void build_table()
	{
		size_t size = 4;

		while (size < (keys.size() + MAX_LEARNT) * 2)
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
		plan.build_table();
	return s;
}

extern "C" void json_scanner_free(struct json_scanner *s) { delete s; }

namespace
{

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* One record being read. `at` runs over the positions where something begins: brackets, colons,
 * commas, the opening quotes of strings, the first bytes of numbers and words. */
struct scan {
	json_scanner &scanner;
	struct raw *slots;
	struct arena *scratch;
	const char *p;
	const uint32_t *at, *end;
	size_t found;
	bool escapes; /* a backslash stands somewhere in the record */

	status object(uint32_t plan);

private:
	uint32_t which_key(object_plan &o, uint32_t before, struct sv name);
	status value(const known_key &key);
	status take(struct raw &r);
	status skip_value();
	bool string(struct sv *out);
	bool unescape(struct sv *text);
	/* What begins at *at, up to what begins next, without the white space between. */
	struct sv token() const
	{
		size_t from = at[0], to = at[1];

		while (is_space(p[to - 1]))
			to--;
		return sv{ p + from, to - from };
	}
};

/* An escaped string, unescaped into the scratch arena. */
bool scan::unescape(struct sv *text)
{
	auto *room = static_cast<uint8_t *>(arena_alloc(scratch, text->n + SIMDJSON_PADDING));
	simdjson::ondemand::raw_json_string raw(reinterpret_cast<const uint8_t *>(text->p));
	std::string_view plain;

	if (scanner.unescaper.capacity() == 0 &&
	    scanner.unescaper.allocate(SIMDJSON_PADDING) != simdjson::SUCCESS)
		return false;
	if (scanner.unescaper.unescape(raw, room).get(plain) != simdjson::SUCCESS)
		return false;
	*text = sv{ plain.data(), plain.size() };
	return true;
}

/* The string at *at, followed by anything but its own end. */
bool scan::string(struct sv *out)
{
	struct sv t = token();

	if (t.n < 2 || t.p[t.n - 1] != '"')
		return false;
	*out = sv{ t.p + 1, t.n - 2 };
	return !escapes || out->n == 0 || memchr(out->p, '\\', out->n) == nullptr || unescape(out);
}

uint32_t scan::which_key(object_plan &o, uint32_t before, struct sv name)
{
	uint32_t *follower = o.keys[before].follower;

	for (size_t i = 0; i < 2; i++)
		if (follower[i] != NOTHING && o.keys[follower[i]].is(name.p, name.n))
			return follower[i];
	uint32_t k = o.find(name.p, name.n);
	if (k != NOTHING) {
		follower = o.keys[before].follower; /* finding may move them */
		follower[1] = follower[0];
		follower[0] = k;
	}
	return k;
}

/* Over any value. What is inside brackets is only counted. */
status scan::skip_value()
{
	size_t depth = 0;

	do {
		if (at == end)
			return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
		char c = p[*at++];
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	} while (depth > 0);
	return simdjson::SUCCESS;
}

status scan::take(struct raw &r)
{
	const char *from = p + *at;

	switch (*from) {
	case '"':
		if (!string(&r.text))
			return simdjson::STRING_ERROR;
		r.type = RAW_TEXT;
		at++;
		break;
	case '{':
	case '[': {
		status e = skip_value();
		if (e != simdjson::SUCCESS)
			return e;
		r.text = sv{ from, static_cast<size_t>(p + at[-1] + 1 - from) };
		r.type = RAW_JSON;
		break;
	}
	case 'n':
		if (!sv_eq(token(), sv{ "null", 4 }))
			return simdjson::N_ATOM_ERROR;
		at++;
		return simdjson::SUCCESS; /* not said, and not counted: a repeat may say it */
	default:
		r.text = token();
		r.type = RAW_LITERAL;
		at++;
		break;
	}
	found++;
	return simdjson::SUCCESS;
}

status scan::value(const known_key &key)
{
	switch (p[*at]) {
	case ',':
	case ':':
	case '}':
	case ']':
		return simdjson::TAPE_ERROR;
	case '{':
		if (key.deeper != NOTHING)
			return object(key.deeper);
		break;
	default:
		break;
	}
	if (key.slot == NOTHING || slots[key.slot].type != RAW_ABSENT)
		return skip_value();
	return take(slots[key.slot]);
}

/* The object whose brace is at *at. Ends with found == wanted as soon as that is so. */
status scan::object(uint32_t plan)
{
	object_plan &o = scanner.plans[plan];
	uint32_t k = 0, before = 0;
	char next;

	at++;
	if (at < end && p[*at] == '}') {
		at++;
		return simdjson::SUCCESS;
	}
	do {
		struct sv name;

		if (end - at < 4) /* name, colon, value, and what closes */
			return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
		if (p[at[0]] != '"' || p[at[1]] != ':')
			return simdjson::TAPE_ERROR;
		if (!string(&name))
			return simdjson::STRING_ERROR;
		at += 2;
		k = which_key(o, before, name);
		before = k != NOTHING ? k : 0;
		/* keys[0] wants nothing, like a name that is not known. */
		status e = value(o.keys[before]);
		if (e != simdjson::SUCCESS || found == scanner.wanted)
			return e;
		if (at == end)
			return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
		next = p[*at];
		if (next != ',' && next != '}')
			return simdjson::TAPE_ERROR;
		at++;
	} while (next == ',');
	return simdjson::SUCCESS;
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
	struct scan scan = { *s, slots, scratch, record.p,
			     at, end,	0,	 sv_find_char(record, '\\') != SIZE_MAX };
	if (record.p[*at] != '{')
		return json_refuse(record, simdjson::INCORRECT_TYPE, *at, err);
	e = scan.object(0);
	if (e == simdjson::SUCCESS && scan.found < s->wanted && scan.at < end)
		e = simdjson::TRAILING_CONTENT;
	if (e == simdjson::SUCCESS)
		return true;
	return json_refuse(record, e, scan.at < end ? *scan.at : record.n, err);
}
