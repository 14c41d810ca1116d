#include "base/keymap.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"

/* A slot is the value (KEYMAP_EMPTY when free) followed by the key. The free mark differs from
 * KEYMAP_NONE, which a fresh slot holds until its owner writes it. */
#define KEYMAP_EMPTY (UINT32_MAX - 1)

static uint32_t *value_of(const struct keymap *m, size_t i)
{
	return (uint32_t *)(void *)(m->_slots + i * m->_slot_size);
}
static unsigned char *key_of(const struct keymap *m, size_t i)
{
	return m->_slots + i * m->_slot_size + sizeof(uint32_t);
}

void keymap_init(struct keymap *m, size_t key_size, uint64_t seed)
{
	*m = (struct keymap){
		._key_size = key_size,
		._slot_size = (sizeof(uint32_t) + key_size + 3) & ~(size_t)3,
		._seed = seed,
	};
}

void keymap_free(struct keymap *m)
{
	free(m->_slots);
	keymap_init(m, m->_key_size, m->_seed);
}

static size_t home(const struct keymap *m, const void *key)
{
	uint64_t hash;

	switch (m->_key_size) {
	case 4:
		hash = XXH3_64bits_withSeed(key, 4, m->_seed);
		break;
	case 8:
		hash = XXH3_64bits_withSeed(key, 8, m->_seed);
		break;
	default:
		hash = XXH3_64bits_withSeed(key, m->_key_size, m->_seed);
		break;
	}
	return (size_t)hash & m->_mask;
}

static bool same(const struct keymap *m, const unsigned char *a, const void *b)
{
	/* The usual sizes, so that the compiler sees them. */
	switch (m->_key_size) {
	case 4:
		return memcmp(a, b, 4) == 0;
	case 8:
		return memcmp(a, b, 8) == 0;
	case 16:
		return memcmp(a, b, 16) == 0;
	case 20:
		return memcmp(a, b, 20) == 0;
	default:
		return memcmp(a, b, m->_key_size) == 0;
	}
}

/* Index of the key, or of the free slot where it would go. Needs a table. */
static size_t find(const struct keymap *m, const void *key)
{
	size_t i = home(m, key);

	while (*value_of(m, i) != KEYMAP_EMPTY && !same(m, key_of(m, i), key))
		i = (i + 1) & m->_mask;
	return i;
}

static void mark_empty(struct keymap *m, size_t slots)
{
	for (size_t i = 0; i < slots; i++)
		*value_of(m, i) = KEYMAP_EMPTY;
}

static void grow(struct keymap *m)
{
	struct keymap old = *m;
	size_t slots = old._slots == NULL ? 64 : (old._mask + 1) * 2;

	m->_slots = xmalloc(slots * m->_slot_size);
	m->_mask = slots - 1;
	mark_empty(m, slots);
	if (old._slots == NULL)
		return;
	for (size_t i = 0; i <= old._mask; i++) {
		if (*value_of(&old, i) == KEYMAP_EMPTY)
			continue;
		memcpy(value_of(m, find(m, key_of(&old, i))), value_of(&old, i), m->_slot_size);
	}
	free(old._slots);
}

uint32_t keymap_get(const struct keymap *m, const void *key)
{
	size_t i;

	if (m->count == 0)
		return KEYMAP_NONE;
	i = find(m, key);
	return *value_of(m, i) == KEYMAP_EMPTY ? KEYMAP_NONE : *value_of(m, i);
}

uint32_t *keymap_slot(struct keymap *m, const void *key)
{
	size_t i;

	if (m->_slots == NULL || (m->count + 1) * 4 > (m->_mask + 1) * 3)
		grow(m);
	i = find(m, key);
	if (*value_of(m, i) == KEYMAP_EMPTY) {
		*value_of(m, i) = KEYMAP_NONE;
		memcpy(key_of(m, i), key, m->_key_size);
		m->count++;
	}
	return value_of(m, i);
}

bool keymap_remove(struct keymap *m, const void *key)
{
	size_t hole, i;

	if (m->count == 0)
		return false;
	hole = find(m, key);
	if (*value_of(m, hole) == KEYMAP_EMPTY)
		return false;
	*value_of(m, hole) = KEYMAP_EMPTY;
	m->count--;
	/* Close the gap: move back whatever probed past the hole. */
	for (i = (hole + 1) & m->_mask; *value_of(m, i) != KEYMAP_EMPTY; i = (i + 1) & m->_mask) {
		size_t h = home(m, key_of(m, i));
		if (((i - h) & m->_mask) < ((i - hole) & m->_mask))
			continue;
		memcpy(value_of(m, hole), value_of(m, i), m->_slot_size);
		*value_of(m, i) = KEYMAP_EMPTY;
		hole = i;
	}
	return true;
}

bool keymap_next(const struct keymap *m, size_t *at, const void **key, uint32_t *value)
{
	for (; m->_slots != NULL && *at <= m->_mask; ++*at) {
		if (*value_of(m, *at) == KEYMAP_EMPTY)
			continue;
		*value = *value_of(m, *at);
		*key = key_of(m, (*at)++);
		return true;
	}
	return false;
}

void keymap_clear(struct keymap *m)
{
	if (m->_slots != NULL)
		mark_empty(m, m->_mask + 1);
	m->count = 0;
}

size_t keymap_footprint(const struct keymap *m)
{
	return m->_slots == NULL ? 0 : (m->_mask + 1) * m->_slot_size;
}
