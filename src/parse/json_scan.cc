/* The scanner. simdjson finds where strings, brackets, commas and values begin, checks UTF-8 and
 * strings (its first stage, with the best instructions the processor has); what stands there is
 * read here, straight from its list of positions. Its On-Demand interface would do the same with
 * several calls and checks a field more, which cost as much as everything else parsing does.
 */
#define SIMDJSON_EXCEPTIONS 0
#include "parse/json_keys.hh"

using simdjson::SIMDJSON_PADDING;
using status = simdjson::error_code; /* base/error.h has an error_code of its own */

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

	const uint32_t *object(object_plan &o, const uint32_t *at);

      private:
	known_key *unexpected(object_plan &o, known_key *before, const uint32_t *at);
	const uint32_t *inside(const known_key &k, const uint32_t *at);
	const uint32_t *skip(const uint32_t *at);
	bool take(struct raw &r, unsigned first, const uint32_t *at);
	bool wants(const known_key &k) const
	{
		return k.slot != JSON_NOTHING && slots[k.slot].type == RAW_ABSENT;
	}
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

		while (p[to - 1] <= ' ' && is_space(p[to - 1]))
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

/* What a value is, by its first byte. */
enum first { FIRST_LITERAL, FIRST_QUOTE, FIRST_N, FIRST_BRACKET, FIRST_NONE };

struct first_bytes {
	uint8_t is[256] = {};

	constexpr first_bytes()
	{
		is[static_cast<unsigned char>('"')] = FIRST_QUOTE;
		is[static_cast<unsigned char>('n')] = FIRST_N;
		for (const char c : { '{', '[' })
			is[static_cast<unsigned char>(c)] = FIRST_BRACKET;
		for (const char c : { '}', ']', ',', ':' })
			is[static_cast<unsigned char>(c)] = FIRST_NONE;
	}
};
constexpr first_bytes first_bytes;

/* Fills a slot with the value that begins with a byte of that kind. False: the error is said. */
inline bool scan::take(struct raw &r, unsigned first, const uint32_t *at)
{
	switch (first) {
	case FIRST_QUOTE:
		if (!string(at, &r.text)) {
			error = simdjson::STRING_ERROR;
			return false;
		}
		if (r.text.n == 0) /* as null */
			return true;
		r.type = RAW_TEXT;
		break;
	case FIRST_N:
		if (!sv_eq(token(at), sv{ "null", 4 })) {
			error = simdjson::N_ATOM_ERROR;
			return false;
		}
		return true; /* not said, and not counted: a repeat may say it */
	default:
		r.text = token(at);
		r.type = RAW_LITERAL;
		break;
	}
	found++;
	return true;
}

/* An object or a list. An object that a name leads into may be wanted as a whole as well. */
const uint32_t *scan::inside(const known_key &k, const uint32_t *at)
{
	const bool deeper = k.deeper != JSON_NOTHING && p[*at] == '{';
	const uint32_t *behind = deeper ? object(scanner.plans[k.deeper], at) : skip(at);

	if (error != simdjson::SUCCESS || !wants(k))
		return behind;
	slots[k.slot].text = sv{ p + *at, static_cast<size_t>(behind[-1] + 1 - *at) };
	slots[k.slot].type = RAW_JSON;
	found++;
	return behind;
}

/* A name that was not to be expected. nullptr: the error is said. */
known_key *scan::unexpected(object_plan &o, known_key *before, const uint32_t *at)
{
	struct sv name = {};

	if (p[at[0]] != '"' || p[at[1]] != ':')
		error = simdjson::TAPE_ERROR;
	else if (!string(at, &name))
		error = simdjson::STRING_ERROR;
	return error == simdjson::SUCCESS ? o.unexpected(before, name) : nullptr;
}

/* The object whose brace stands at `at`; returns the position behind it. Ends early with found ==
 * wanted. */
const uint32_t *scan::object(object_plan &o, const uint32_t *at)
{
	/* Nothing that is stored can change these: the compiler does not know. */
	const char *const bytes = p;
	const uint32_t *const last = end;
	const size_t all = scanner.wanted;
	known_key *k = &o.keys[0];

	at++;
	if (at < end && p[*at] == '}')
		return at + 1;
	for (;;) {
		if (last - at < 4) /* name, colon, value, and what closes */
			return fail(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, end);
		known_key *next = bytes[at[0]] == '"' ? k->next_at(bytes + at[0] + 1) : nullptr;
		if (next != nullptr)
			k = next;
		else if ((k = unexpected(o, k, at)) == nullptr)
			return at;
		at += 2;
		const unsigned first = first_bytes.is[static_cast<unsigned char>(bytes[*at])];
		if (first < FIRST_BRACKET) {
			if (wants(*k) && !take(slots[k->slot], first, at))
				return at;
			at++;
		} else {
			if (first == FIRST_NONE)
				return fail(simdjson::TAPE_ERROR, at);
			at = inside(*k, at);
			if (error != simdjson::SUCCESS || found == all)
				return at;
			if (at == end)
				return fail(simdjson::INCOMPLETE_ARRAY_OR_OBJECT, end);
		}
		if (found == all)
			return at;
		const char c = bytes[*at];
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
	at = scan.object(s->plans[0], at);
	e = scan.error;
	if (e == simdjson::SUCCESS && scan.found < s->wanted && at < end)
		e = simdjson::TRAILING_CONTENT;
	if (e == simdjson::SUCCESS)
		return true;
	return json_refuse(record, e, at < end ? *at : record.n, err);
}
