#define SIMDJSON_EXCEPTIONS 0
#include "parse/json_keys.hh"

/* Unwanted names that are remembered, of one object, and how long they may be. */
static constexpr size_t MAX_LEARNT = 64;
static constexpr size_t MAX_LEARNT_BYTES = 64;

known_key &object_plan::add(const std::string &name)
{
	const std::string whole = name + "\":";
	const size_t head = whole.size() < known_key::WORD ? whole.size() : known_key::WORD;
	known_key k;

	k.n = static_cast<uint32_t>(whole.size());
	memcpy(k.head, whole.data(), head);
	if (head == known_key::WORD)
		memcpy(k.tail, whole.data() + whole.size() - head, head);
	k.head_mask = static_cast<uint16_t>((1u << head) - 1);
	keys.push_back(k);
	names.push_back(name);
	return keys.back();
}

bool object_plan::is(const known_key *k, struct sv name) const
{
	const std::string &own = names[static_cast<size_t>(k - keys.data())];

	return own.size() == name.n && memcmp(own.data(), name.p, name.n) == 0;
}

known_key &object_plan::named(const std::string &name)
{
	for (auto &k : keys)
		if (is(&k, sv{ name.data(), name.size() }))
			return k;
	return add(name);
}

static size_t hash(struct sv v)
{
	return v.n * 7 + static_cast<unsigned char>(v.p[0]) * 31u +
	       static_cast<unsigned char>(v.p[v.n - 1]) * 131u +
	       static_cast<unsigned char>(v.p[v.n / 2]) * 17u;
}

/* Where that name stands in the table, or the free place it belongs to. */
size_t object_plan::place(struct sv name) const
{
	size_t mask = table.size() - 1, i = hash(name) & mask;

	while (table[i] != JSON_NOTHING && !is(&keys[table[i]], name))
		i = (i + 1) & mask;
	return i;
}

void object_plan::build()
{
	size_t size = 4;

	keys.reserve(keys.size() + MAX_LEARNT); /* so that none of them ever moves */
	while (size < keys.capacity() * 2)
		size *= 2;
	table.assign(size, JSON_NOTHING);
	for (uint32_t k = 1; k < keys.size(); k++)
		table[place(sv{ names[k].data(), names[k].size() })] = k;
}

known_key *object_plan::find(struct sv name)
{
	if (name.n == 0)
		return &keys[0];
	uint32_t &k = table[place(name)];
	if (k == JSON_NOTHING && name.n <= MAX_LEARNT_BYTES && learnt < MAX_LEARNT) {
		learnt++;
		k = static_cast<uint32_t>(keys.size());
		add(std::string(name.p, name.n));
	}
	return &keys[k != JSON_NOTHING ? k : 0];
}

known_key *object_plan::unexpected(known_key *before, struct sv name)
{
	known_key *k = find(name);

	if (k != &keys[0] && k->n <= 2 * known_key::WORD &&
	    memchr(name.p, '"', name.n) == nullptr && memchr(name.p, '\\', name.n) == nullptr) {
		before->follower[1] = before->follower[0];
		before->follower[0] = k;
	}
	return k;
}

static void want(json_scanner &s, uint32_t plan, const std::string &path, uint32_t slot)
{
	s.plans[plan].named(path).slot = slot;
	for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
		if (dot == 0 || dot + 1 == path.size())
			continue;
		std::string head = path.substr(0, dot);
		uint32_t deeper = s.plans[plan].named(head).deeper;
		if (deeper == JSON_NOTHING) {
			deeper = static_cast<uint32_t>(s.plans.size());
			s.plans.emplace_back();
			s.plans[plan].named(head).deeper = deeper;
		}
		want(s, deeper, path.substr(dot + 1), slot);
	}
}

extern "C" struct json_scanner *json_scanner_new(const struct json_name *names, size_t n)
{
	auto *s = new json_scanner;
	std::vector<bool> seen;

	s->plans.emplace_back();
	for (size_t i = 0; i < n; i++) {
		if (names[i].path.n == 0)
			continue;
		want(*s, 0, std::string(names[i].path.p, names[i].path.n), names[i].slot);
		if (names[i].slot >= seen.size())
			seen.resize(names[i].slot + 1);
		s->wanted += !seen[names[i].slot];
		seen[names[i].slot] = true;
	}
	for (auto &plan : s->plans)
		plan.build();
	return s;
}

extern "C" void json_scanner_free(struct json_scanner *s) { delete s; }
