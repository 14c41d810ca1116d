/* Joins: which attempt holds a flow id or a client port; 64-bit keys to attempt numbers.
 *
 * There is an entry for nearly every attempt of a run, so entries are packed to twelve bytes and
 * the table grows by half. Seeded like keymap. Not thread-safe.
 */
#ifndef PINWATCH_CORRELATE_JOINS_H
#define PINWATCH_CORRELATE_JOINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct joins_entry;

struct joins {
	struct joins_entry *_entries;
	size_t _size;
	uint64_t _seed;
	size_t n;
};

void joins_init(struct joins *j, uint64_t seed);
void joins_free(struct joins *j);
/* 0: none. */
uint32_t joins_get(const struct joins *j, uint64_t key);
/* number: not 0; replaces what was there. */
void joins_set(struct joins *j, uint64_t key, uint32_t number);
/* Fetches the key's place into the cache. */
void joins_prefetch(const struct joins *j, uint64_t key);
/* Passes every number through `map`; where that gives 0 the entry goes. */
void joins_renumber(struct joins *j, uint32_t (*map)(void *arg, uint32_t number), void *arg);
size_t joins_footprint(const struct joins *j);

#endif
