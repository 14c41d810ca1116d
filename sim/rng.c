#include "sim/rng.h"

uint64_t rng_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

struct rng rng_stream(uint64_t seed, const char *tag, uint64_t number)
{
	struct rng r;
	uint64_t x = rng_mix(seed);

	for (; *tag != '\0'; tag++)
		x = rng_mix(x ^ (unsigned char)*tag);
	x = rng_mix(x ^ number);
	for (int i = 0; i < 4; i++)
		r.s[i] = x = rng_mix(x);
	return r;
}

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
	/* Numbers under 2^64 mod n would make small results likelier. */
	uint64_t floor = (0 - n) % n;
	uint64_t x;

	do
		x = rng_next(r);
	while (x < floor);
	return x % n;
}

int64_t rng_range(struct rng *r, int64_t low, int64_t high)
{
	return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

bool rng_chance(struct rng *r, unsigned per_mille) { return rng_below(r, 1000) < per_mille; }
