/* What simdjson alone does with JSON lines: `simdjson_alone FILE... -- FIELD...`.
 *
 * The yardstick for parsing: one pass over each line's fields, taking the tokens of those wanted
 * and stopping when all are there, as a program written for exactly these fields would. Nothing is
 * converted, nothing is read from disk while the time runs. A dotted name is a key of that name or
 * leads into nested objects. Prints "LINES BYTES TOKENS NANOSECONDS", in all passes together.
 */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/cpu_time.h"

namespace ondemand = simdjson::ondemand;

namespace
{

constexpr size_t NOTHING = SIZE_MAX;

struct wanted {
	std::string name;
	bool value = false;	 /* the key's value is wanted */
	size_t deeper = NOTHING; /* or what is inside it */
};

struct level {
	std::vector<wanted> names;
	std::vector<size_t> table;

	static size_t hash(const char *p, size_t n)
	{
		return n * 7 + static_cast<unsigned char>(p[0]) * 31u +
		       static_cast<unsigned char>(p[n - 1]) * 131u +
		       static_cast<unsigned char>(p[n / 2]) * 17u;
	}
	const wanted *find(const char *p, size_t n) const
	{
		if (n == 0)
			return nullptr;
		for (size_t i = hash(p, n) & (table.size() - 1); table[i] != NOTHING;
		     i = (i + 1) & (table.size() - 1)) {
			const wanted &w = names[table[i]];
			if (w.name.size() == n && memcmp(w.name.data(), p, n) == 0)
				return &w;
		}
		return nullptr;
	}
};

struct fields {
	std::vector<level> levels;
	size_t n = 0;

	wanted &at(size_t where, const std::string &name)
	{
		for (auto &w : levels[where].names)
			if (w.name == name)
				return w;
		levels[where].names.emplace_back();
		levels[where].names.back().name = name;
		return levels[where].names.back();
	}
	void add(size_t where, const std::string &path)
	{
		at(where, path).value = true;
		for (size_t dot = path.find('.'); dot != std::string::npos;
		     dot = path.find('.', dot + 1)) {
			std::string head = path.substr(0, dot);
			size_t deeper = at(where, head).deeper;
			if (deeper == NOTHING) {
				deeper = levels.size();
				levels.emplace_back();
				at(where, head).deeper = deeper;
			}
			add(deeper, path.substr(dot + 1));
		}
	}
	void build()
	{
		for (auto &l : levels) {
			size_t size = 8;
			while (size < l.names.size() * 4)
				size *= 2;
			l.table.assign(size, NOTHING);
			for (size_t k = 0; k < l.names.size(); k++) {
				size_t i =
				    level::hash(l.names[k].name.data(), l.names[k].name.size()) &
				    (size - 1);
				while (l.table[i] != NOTHING)
					i = (i + 1) & (size - 1);
				l.table[i] = k;
			}
		}
	}
};

struct line {
	const fields *want;
	size_t found = 0;
	size_t bytes = 0; /* of the tokens, so that taking them is not optimised away */
};

bool take_object(line &l, size_t where, ondemand::object &object)
{
	for (auto item : object) {
		ondemand::field f;
		if (std::move(item).get(f) != simdjson::SUCCESS)
			return false;
		const char *key = f.key().raw();
		const char *end = key;
		while (*end != '"')
			end += *end == '\\' ? 2 : 1;
		const wanted *w = l.want->levels[where].find(key, static_cast<size_t>(end - key));
		if (w == nullptr)
			continue;
		std::string_view token = f.value().raw_json_token();
		if (w->deeper != NOTHING && token[0] == '{') {
			ondemand::object inner;
			if (f.value().get_object().get(inner) != simdjson::SUCCESS ||
			    !take_object(l, w->deeper, inner))
				return false;
		} else if (w->value) {
			l.bytes += token.size();
			l.found++;
		}
		if (l.found == l.want->n)
			break;
	}
	return true;
}

bool load(const char *path, std::string &out)
{
	FILE *f = fopen(path, "rb");
	char chunk[65536];
	size_t n;

	if (f == nullptr)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		out.append(chunk, n);
	fclose(f);
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	std::string text;
	fields want;
	ondemand::parser parser;
	uint64_t lines = 0, bytes = 0, tokens = 0, taken = 0;
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!load(argv[i], text)) {
			fprintf(stderr, "simdjson_alone: cannot read %s\n", argv[i]);
			return 1;
		}
	want.levels.emplace_back();
	for (i++; i < argc; i++, want.n++)
		want.add(0, argv[i]);
	if (text.empty() || want.n == 0) {
		fputs("usage: simdjson_alone FILE... -- FIELD...\n", stderr);
		return 2;
	}
	want.build();
	text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
	const int64_t begin = cpu_time();
	int64_t spent;
	do {
		const char *p = text.data(), *end = p + text.size();
		while (p < end) {
			const void *at = memchr(p, '\n', static_cast<size_t>(end - p));
			const char *stop = at != nullptr ? static_cast<const char *>(at) : end;
			const size_t n = static_cast<size_t>(stop - p);
			ondemand::document doc;
			ondemand::object root;
			line l{ &want };
			if (parser.iterate(simdjson::padded_string_view(
					       p, n, n + simdjson::SIMDJSON_PADDING))
				    .get(doc) == simdjson::SUCCESS &&
			    doc.get_object().get(root) == simdjson::SUCCESS &&
			    take_object(l, 0, root)) {
				tokens += l.found;
				taken += l.bytes;
			}
			lines++;
			p = stop + 1;
		}
		bytes += text.size();
		spent = cpu_time() - begin;
	} while (spent < CPU_TIME_ENOUGH);
	if (taken == 0) {
		fputs("simdjson_alone: nothing of what is wanted was found\n", stderr);
		return 1;
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", lines, bytes, tokens, spent);
	return 0;
}
