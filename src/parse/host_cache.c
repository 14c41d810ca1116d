#include "parse/host_cache.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static size_t place(struct sv name) { return XXH3_64bits(name.p, name.n) % HOST_CACHE_PLACES; }

struct sv host_cache_get(const struct host_cache *c, struct sv name)
{
	const struct host_cache_entry *e = &c->at[place(name)];

	if (e->n_name == 0 || !sv_eq(name, sv_make(e->name, e->n_name)))
		return SV_NONE;
	return sv_make(e->label, e->n_label);
}

void host_cache_put(struct host_cache *c, struct sv name, struct sv label)
{
	struct host_cache_entry *e = &c->at[place(name)];

	if (name.n == 0 || name.n > HOST_CACHE_NAME || label.n == 0 || label.n > HOST_CACHE_NAME)
		return;
	memcpy(e->name, name.p, name.n);
	memcpy(e->label, label.p, label.n);
	e->n_name = (uint8_t)name.n;
	e->n_label = (uint8_t)label.n;
}
