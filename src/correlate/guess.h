/* Explicit proxies that nobody configured: told by flows to one address and port whose client
 * address and port the gateway's own records name with another server port.
 *
 * Without knowing its listeners a flow to the proxy and the proxy's record of the same connection
 * look like two connections; a scan that finds one starts over with it.
 */
#ifndef PINWATCH_CORRELATE_GUESS_H
#define PINWATCH_CORRELATE_GUESS_H

#include "base/addr.h"
#include "base/keymap.h"

struct guess_count;

struct guess {
	struct keymap _numbers;
	struct guess_count *_counts;
	uint32_t _n, _capacity;
	bool found;
	uint32_t addr; /* the found one */
	uint16_t port;
};

void guess_init(struct guess *g, uint64_t seed);
void guess_free(struct guess *g);
/* A flow's connection to this address and port begins. */
void guess_flow(struct guess *g, uint32_t addr, uint16_t port);
/* The gateway names the client side of such a connection with another server port. */
void guess_mismatch(struct guess *g, uint32_t addr, uint16_t port);

#endif
