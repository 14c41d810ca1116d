/* Chance that can be repeated: xorshift64 (Marsaglia, 2003). A test sets the state, not 0, and
 * prints it where it hangs on it. */
#ifndef PINWATCH_TESTS_CHANCE_H
#define PINWATCH_TESTS_CHANCE_H

#include <stdint.h>

static uint64_t chance = UINT64_C(0x2545f4914f6cdd1d);

static inline uint32_t rnd(size_t below)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (uint32_t)((chance >> 33) % below);
}

#endif
