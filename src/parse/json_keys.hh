/* The names a scanner wants, those it has met, and in which order they come. C++, behind
 * parse/json.h. */
#ifndef PINWATCH_PARSE_JSON_KEYS_HH
#define PINWATCH_PARSE_JSON_KEYS_HH

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "parse/json_internal.hh"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

constexpr uint32_t JSON_NOTHING = UINT32_MAX;

/* A name met in an object. A wanted one fills a slot, leads deeper, or both. Records of one source
 * repeat their fields in one order, with some left out now and then: what has followed a name is
 * what is tried first behind it. */
struct alignas(64) known_key {
	static constexpr size_t WORD = 16;

	/* The first and the last 16 bytes of the name with its closing quote and a colon. */
	char head[WORD] = {}, tail[WORD] = {};
	known_key *follower[2] = {}; /* names of at most 32 bytes with both, and without escapes */
	uint32_t n = 0;
	uint32_t slot = JSON_NOTHING;
	uint32_t deeper = JSON_NOTHING;
	uint16_t head_mask = 0; /* a bit a byte of head that counts */

	/* Whether its name, a quote and a colon stand at p, which has 32 readable bytes behind
	 * it. */
	bool stands_at(const char *p) const
	{
		if (!alike(p, head, head_mask))
			return false;
		return n <= WORD || alike(p + n - WORD, tail, 0xffff);
	}
	/* Of its followers the one that stands there, or nullptr. */
	known_key *next_at(const char *p) const
	{
		for (known_key *next : follower)
			if (next != nullptr && next->stands_at(p))
				return next;
		return nullptr;
	}

      private:
	static bool alike(const char *p, const char *q, unsigned mask)
	{
#ifdef __SSE2__
		const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
		const __m128i b = _mm_load_si128(reinterpret_cast<const __m128i *>(q));

		return (~static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b))) & mask) ==
		       0;
#else
		size_t n = 0;

		while (n < WORD && (mask >> n & 1) != 0)
			n++;
		return memcmp(p, q, n) == 0;
#endif
	}
};

/* What may be met in one object. keys[0] has no name: it stands for the opening brace, and for
 * names that are not known. */
struct object_plan {
	std::vector<known_key> keys;
	std::vector<std::string> names; /* of the keys */
	std::vector<uint32_t> table;	/* open addressing over keys */
	size_t learnt = 0;

	object_plan() { add(""); }
	known_key &add(const std::string &name);
	known_key &named(const std::string &name); /* made when new */
	void build();				   /* once all wanted names are there */
	/* The name behind `before` that was not the one to be expected, expected from now on.
	 * Learnt where it is new; keys[0] where it is not to be remembered. */
	known_key *unexpected(known_key *before, struct sv name);

      private:
	size_t place(struct sv name) const;
	known_key *find(struct sv name);
	bool is(const known_key *k, struct sv name) const;
};

struct json_scanner {
	simdjson::ondemand::parser unescaper;
	std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer;
	std::vector<object_plan> plans; /* [0] is the root */
	size_t wanted = 0;		/* slots that names lead to */
};

#endif
