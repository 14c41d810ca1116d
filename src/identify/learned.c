#include "identify/learned.h"

#include <stdlib.h>

#include "base/arena.h"

void learned_init(struct learned *l, uint64_t seed)
{
	*l = (struct learned){ 0 };
	tracks_init(&l->_bundles, seed);
	keymap_init(&l->_numbers, 2 * sizeof(uint32_t), seed);
}

void learned_clear(struct learned *l)
{
	tracks_clear(&l->_bundles);
	keymap_clear(&l->_numbers);
	l->_n = 0;
}

void learned_free(struct learned *l)
{
	tracks_free(&l->_bundles);
	keymap_free(&l->_numbers);
	free(l->_since);
}

void learned_add(struct learned *l, uint32_t host, uint32_t bundle, int64_t since)
{
	const uint32_t key[2] = { host, bundle };
	uint32_t *slot = keymap_slot(&l->_numbers, key);

	if (*slot != KEYMAP_NONE) {
		if (since < l->_since[*slot])
			l->_since[*slot] = since;
		return;
	}
	if (l->_n == l->_capacity) {
		l->_capacity = l->_capacity == 0 ? 64 : l->_capacity * 2;
		l->_since = xrealloc(l->_since, l->_capacity, sizeof(*l->_since));
	}
	l->_since[l->_n] = since;
	*slot = l->_n++;
	tracks_add(&l->_bundles, host, 0, (struct point){ 0, bundle, *slot });
}

void learned_at(const struct learned *l, uint32_t host, int64_t t,
		void (*take)(void *arg, uint32_t bundle), void *arg)
{
	struct points bundles = tracks_get(&l->_bundles, host, 0);

	for (uint32_t i = 0; i < bundles.n; i++)
		if (l->_since[bundles.list[i].extra] <= t)
			take(arg, bundles.list[i].value);
}
