#include "correlate/joins.h"

#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"

#define LEAST 64

struct joins_entry {
	uint32_t key[2];
	uint32_t number; /* 0: free */
};

void joins_init(struct joins *j, uint64_t seed) { *j = (struct joins){ ._seed = seed }; }

void joins_free(struct joins *j)
{
	free(j->_entries);
	joins_init(j, j->_seed);
}

static inline size_t home(const struct joins *j, uint64_t key)
{
	uint64_t hash = XXH3_64bits_withSeed(&key, sizeof(key), j->_seed);

	/* The hash's share of the table, which need not be a power of two. */
	return (size_t)(((hash >> 32) * (uint64_t)j->_size) >> 32);
}

/* The key's entry, or the free one where it would go. */
static inline struct joins_entry *find(const struct joins *j, uint64_t key)
{
	const uint32_t half[2] = { (uint32_t)key, (uint32_t)(key >> 32) };
	size_t at = home(j, key);

	while (j->_entries[at].number != 0 &&
	       (j->_entries[at].key[0] != half[0] || j->_entries[at].key[1] != half[1]))
		at = at + 1 == j->_size ? 0 : at + 1;
	return &j->_entries[at];
}

static uint64_t key_of(const struct joins_entry *e)
{
	return (uint64_t)e->key[1] << 32 | e->key[0];
}

static void resize(struct joins *j, size_t size)
{
	struct joins old = *j;

	j->_size = size;
	j->_entries = xcalloc(size, sizeof(*j->_entries));
	for (size_t i = 0; i < old._size; i++)
		if (old._entries[i].number != 0)
			*find(j, key_of(&old._entries[i])) = old._entries[i];
	free(old._entries);
}

uint32_t joins_get(const struct joins *j, uint64_t key)
{
	return j->n == 0 ? 0 : find(j, key)->number;
}

void joins_prefetch(const struct joins *j, uint64_t key)
{
	if (j->_size > 0)
		__builtin_prefetch(&j->_entries[home(j, key)]);
}

void joins_set(struct joins *j, uint64_t key, uint32_t number)
{
	struct joins_entry *e;

	if ((j->n + 1) * 5 > j->_size * 4)
		resize(j, j->_size == 0 ? LEAST : j->_size + j->_size / 2);
	e = find(j, key);
	j->n += e->number == 0;
	*e = (struct joins_entry){ { (uint32_t)key, (uint32_t)(key >> 32) }, number };
}

void joins_renumber(struct joins *j, uint32_t (*map)(void *arg, uint32_t number), void *arg)
{
	size_t kept = 0, size = LEAST;

	for (size_t i = 0; i < j->_size; i++) {
		struct joins_entry *e = &j->_entries[i];
		if (e->number != 0)
			e->number = map(arg, e->number);
		kept += e->number != 0;
	}
	while ((kept + 1) * 4 > size * 3)
		size += size / 2;
	j->n = kept;
	resize(j, size);
}

size_t joins_footprint(const struct joins *j) { return j->_size * sizeof(*j->_entries); }
