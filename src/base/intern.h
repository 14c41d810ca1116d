/* Interned names: equal bytes, equal number. Number 0 is the empty (unsaid) name.
 *
 * Seeded like keymap. Names live until intern_free. Bounded by `max`: past it every new name gets
 * INTERN_FULL and is counted in `refused`; callers treat that number as an opaque, shared name.
 * Not thread-safe.
 */
#ifndef PINWATCH_BASE_INTERN_H
#define PINWATCH_BASE_INTERN_H

#include "base/arena.h"
#include "base/sv.h"

#define INTERN_FULL UINT32_MAX

struct intern_name;

struct intern {
	struct intern_name *_names;
	uint32_t *_slots;
	size_t _mask;
	size_t _capacity;
	struct arena _bytes;
	uint64_t _seed;
	uint32_t count; /* numbers in use, 0 included */
	uint32_t max;
	uint64_t refused;
};

void intern_init(struct intern *t, uint32_t max, uint64_t seed);
void intern_free(struct intern *t);
uint32_t intern_put(struct intern *t, struct sv name);
/* The number of a known name, or INTERN_FULL. */
uint32_t intern_find(const struct intern *t, struct sv name);
/* View into the table, NUL-terminated, good until intern_free. `(full)` for INTERN_FULL. */
struct sv intern_get(const struct intern *t, uint32_t number);
size_t intern_footprint(const struct intern *t);

#endif
