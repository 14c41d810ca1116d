/* The connections that are open: found by their ends, bounded in number, the longest quiet one
 * first to go.
 *
 * Connections live in numbered slots and stay where they are until flow_remove. Two lists hold them
 * in the order in which they fell quiet: those that are open, and those that have closed and wait
 * for stragglers.
 */
#ifndef PINWATCH_WIRE_FLOW_H
#define PINWATCH_WIRE_FLOW_H

#include "base/keymap.h"
#include "wire/connection.h"

struct flow_list {
	uint32_t head, tail;
};

struct flows {
	struct keymap _slots_by_key;
	struct connection **slots;
	uint32_t n_slots, _capacity, count;
	uint32_t *_free;
	uint32_t _n_free;
	uint64_t _serial;
	struct flow_list open, closing;
};

void flows_init(struct flows *f, uint64_t seed);
/* Connections that are left are freed with it. */
void flows_free(struct flows *f);
/* The key of a segment's ends; *from is the end that sent it. */
struct flow_key flow_key_of(const struct segment *s, uint8_t *from);
uint32_t flow_find(const struct flows *f, const struct flow_key *key);
/* The key must not be there. The connection is zeroed but for key, times and what "not said"
 * needs. */
uint32_t flow_add(struct flows *f, const struct flow_key *key, struct instant time);
void flow_remove(struct flows *f, uint32_t slot);
/* To the end of its list. */
void flow_touch(struct flows *f, uint32_t slot);
/* Over to the closing ones. */
void flow_close(struct flows *f, uint32_t slot);

#endif
