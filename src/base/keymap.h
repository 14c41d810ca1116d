/* Keyed map: fixed-size keys to 32-bit values, seeded, bounded, insert-only with overwrite.
 *
 * Open addressing with linear probing, load at most 3/4, hashes XXH3 under a random seed so that
 * chosen keys cannot be made to collide. Keys are compared bytewise: zero any padding. Iteration
 * order is the table's and must not reach any output.
 * Not thread-safe.
 */
#ifndef PINWATCH_BASE_KEYMAP_H
#define PINWATCH_BASE_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYMAP_NONE UINT32_MAX

struct keymap {
	unsigned char *_slots;
	size_t _key_size;
	size_t _slot_size;
	size_t _mask; /* slots − 1, or 0 while empty */
	size_t count;
	uint64_t _seed;
};

/* key_size: bytes, 4–64. */
void keymap_init(struct keymap *m, size_t key_size, uint64_t seed);
void keymap_free(struct keymap *m);
/* The value, or KEYMAP_NONE. */
uint32_t keymap_get(const struct keymap *m, const void *key);
/* Pointer to the key's value, made as `KEYMAP_NONE` when the key is new; good until the next
 * call. */
uint32_t *keymap_slot(struct keymap *m, const void *key);
/* Forgets the key; true when it was there. */
bool keymap_remove(struct keymap *m, const void *key);
/* Steps through the entries: *at begins as 0; false behind the last. */
bool keymap_next(const struct keymap *m, size_t *at, const void **key, uint32_t *value);
void keymap_clear(struct keymap *m);
size_t keymap_footprint(const struct keymap *m);

#endif
