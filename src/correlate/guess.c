#include "correlate/guess.h"

#include <stdlib.h>

#include "base/arena.h"

/* So many mismatches, and at least half of the flows there, make a listener: a client port that
 * happens to be used twice within two minutes is rare and never so regular. */
#define ENOUGH 20
#define MAX_PLACES 65536

struct guess_count {
	uint64_t flows, mismatches;
};

struct place {
	uint32_t addr, port;
};

void guess_init(struct guess *g, uint64_t seed)
{
	*g = (struct guess){ 0 };
	keymap_init(&g->_numbers, sizeof(struct place), seed);
}

void guess_free(struct guess *g)
{
	keymap_free(&g->_numbers);
	free(g->_counts);
}

static struct guess_count *count_of(struct guess *g, uint32_t addr, uint16_t port)
{
	struct place key = { addr, port };
	uint32_t *slot;

	if (addr == 0 || port == 0 ||
	    (g->_n >= MAX_PLACES && keymap_get(&g->_numbers, &key) == KEYMAP_NONE))
		return NULL;
	slot = keymap_slot(&g->_numbers, &key);
	if (*slot == KEYMAP_NONE) {
		if (g->_n == g->_capacity) {
			g->_capacity = g->_capacity == 0 ? 64 : g->_capacity * 2;
			g->_counts = xrealloc(g->_counts, g->_capacity, sizeof(*g->_counts));
		}
		g->_counts[g->_n] = (struct guess_count){ 0 };
		*slot = g->_n++;
	}
	return &g->_counts[*slot];
}

void guess_flow(struct guess *g, uint32_t addr, uint16_t port)
{
	struct guess_count *c = count_of(g, addr, port);

	if (c != NULL)
		c->flows++;
}

void guess_mismatch(struct guess *g, uint32_t addr, uint16_t port)
{
	struct guess_count *c = count_of(g, addr, port);

	if (c == NULL || g->found)
		return;
	c->mismatches++;
	if (c->mismatches >= ENOUGH && c->mismatches * 2 >= c->flows) {
		g->found = true;
		g->addr = addr;
		g->port = port;
	}
}
