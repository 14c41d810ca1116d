/* Which allow-list entries to look at for an app and a host, without looking at all.
 *
 * An entry is found by the names that it is about: by its hosts and suffixes where it has nothing
 * else for destinations, else by its apps and prefixes; an entry that has networks and any app is
 * looked at always. What is found need not match: whoever asks checks.
 */
#ifndef PINWATCH_JUDGE_ALLOW_INDEX_H
#define PINWATCH_JUDGE_ALLOW_INDEX_H

#include "base/arena.h"
#include "base/keymap.h"
#include "model/settings.h"

struct allow_index {
	struct keymap _heads;	   /* by kind and name: the first link */
	struct allow_link *_links; /* number 0: none */
	size_t _n, _capacity;
	uint32_t _always; /* the first link of those that are looked at always */
	uint32_t *_seen;  /* by entry: the number of the asking that found it */
	uint32_t _asking;
};

void allow_index_build(struct allow_index *x, const struct settings *s, uint64_t seed);
void allow_index_free(struct allow_index *x);
/* Entries by number, each once, in no order; `out` has room for all of them. Returns how many. */
size_t allow_index_find(struct allow_index *x, struct sv app, struct sv host, uint32_t *out);

#endif
