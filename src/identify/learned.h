/* Which apps are known to speak with a host, and since when. */
#ifndef PINWATCH_IDENTIFY_LEARNED_H
#define PINWATCH_IDENTIFY_LEARNED_H

#include "identify/track.h"

struct learned {
	struct keymap _numbers; /* (host, bundle) → index of its time */
	struct tracks _bundles; /* (host, 0): bundle, extra: index */
	int64_t *_since;
	uint32_t _n, _capacity;
};

void learned_init(struct learned *l, uint64_t seed);
void learned_clear(struct learned *l);
void learned_free(struct learned *l);
void learned_add(struct learned *l, uint32_t host, uint32_t bundle, int64_t since);
/* Calls `take` with every bundle seen with the host by t. */
void learned_at(const struct learned *l, uint32_t host, int64_t t,
		void (*take)(void *arg, uint32_t bundle), void *arg);

#endif
