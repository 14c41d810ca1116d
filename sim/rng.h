/* Small deterministic generator: the same seed gives the same numbers on every machine.
 *
 * xoshiro256** (Blackman and Vigna, 2018) seeded through splitmix64. A stream is named by a tag and
 * a number, so that one part of the simulation drawing more or fewer numbers leaves all others
 * alone. Integers only: nothing here depends on floating point or on the C library.
 */
#ifndef PINWATCH_SIM_RNG_H
#define PINWATCH_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* The stream `tag`/`number` of a seed. */
struct rng rng_stream(uint64_t seed, const char *tag, uint64_t number);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, n); n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Uniform in [low, high], both inclusive; low ≤ high. */
int64_t rng_range(struct rng *r, int64_t low, int64_t high);
/* True `per_mille` times of a thousand. */
bool rng_chance(struct rng *r, unsigned per_mille);
/* One step of splitmix64 over x: a hash of numbers. */
uint64_t rng_mix(uint64_t x);

#endif
