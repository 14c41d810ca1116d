#include "base/intern.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct intern_name {
	const char *p;
	uint32_t n;
	uint32_t hash;
};

void intern_init(struct intern *t, uint32_t max, uint64_t seed)
{
	*t = (struct intern){ ._seed = seed, .max = max, .count = 1 };
	t->_capacity = 64;
	t->_names = xcalloc(t->_capacity, sizeof(*t->_names));
	t->_names[0].p = "";
	t->_mask = 127;
	t->_slots = xcalloc(t->_mask + 1, sizeof(*t->_slots));
}

void intern_free(struct intern *t)
{
	free(t->_names);
	free(t->_slots);
	arena_free(&t->_bytes);
	*t = (struct intern){ 0 };
}

static void rehash(struct intern *t)
{
	size_t slots = (t->_mask + 1) * 2;

	t->_slots = xrealloc(t->_slots, slots, sizeof(*t->_slots));
	memset(t->_slots, 0, slots * sizeof(*t->_slots));
	t->_mask = slots - 1;
	for (uint32_t k = 1; k < t->count; k++) {
		size_t i = t->_names[k].hash & t->_mask;
		while (t->_slots[i] != 0)
			i = (i + 1) & t->_mask;
		t->_slots[i] = k;
	}
}

/* Slot of the name, or the free one where it would go. */
static size_t locate(const struct intern *t, struct sv name, uint32_t hash)
{
	size_t i = hash & t->_mask;

	for (; t->_slots[i] != 0; i = (i + 1) & t->_mask) {
		const struct intern_name *k = &t->_names[t->_slots[i]];
		if (k->hash == hash && k->n == name.n && memcmp(k->p, name.p, name.n) == 0)
			break;
	}
	return i;
}

uint32_t intern_find(const struct intern *t, struct sv name)
{
	size_t i;

	if (name.n == 0)
		return 0;
	i = locate(t, name, (uint32_t)XXH3_64bits_withSeed(name.p, name.n, t->_seed));
	return t->_slots[i] != 0 ? t->_slots[i] : INTERN_FULL;
}

uint32_t intern_put(struct intern *t, struct sv name)
{
	uint32_t hash;
	size_t i;

	if (name.n == 0)
		return 0;
	hash = (uint32_t)XXH3_64bits_withSeed(name.p, name.n, t->_seed);
	i = locate(t, name, hash);
	if (t->_slots[i] != 0)
		return t->_slots[i];
	if (t->count >= t->max || name.n > UINT32_MAX) {
		t->refused++;
		return INTERN_FULL;
	}
	if (t->count == t->_capacity) {
		t->_capacity *= 2;
		t->_names = xrealloc(t->_names, t->_capacity, sizeof(*t->_names));
	}
	t->_names[t->count] = (struct intern_name){
		.p = arena_sv(&t->_bytes, name).p,
		.n = (uint32_t)name.n,
		.hash = hash,
	};
	t->_slots[i] = t->count++;
	if ((size_t)t->count * 2 > t->_mask)
		rehash(t);
	return t->count - 1;
}

struct sv intern_get(const struct intern *t, uint32_t number)
{
	if (number >= t->count)
		return SV("(full)");
	return sv_make(t->_names[number].p, t->_names[number].n);
}

size_t intern_footprint(const struct intern *t)
{
	return arena_footprint(&t->_bytes) + t->_capacity * sizeof(*t->_names) +
	       (t->_mask + 1) * sizeof(*t->_slots);
}
