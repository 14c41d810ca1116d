/* Trials: the bursts of one version group, by device and TLS stack, and what they are worth.
 * docs/evidence.md, 4 and 5.1–5.2.
 */
#ifndef PINWATCH_JUDGE_TRIALS_H
#define PINWATCH_JUDGE_TRIALS_H

#include "base/arena.h"
#include "correlate/facts.h"

/* More distinct stacks than this on one device and the later ones do not count: a client that shows
 * a new one each time has none. */
#define MAX_STACKS 64

/* A burst holds what starts less than this after its first member. */
#define BURST (60 * NS_PER_S)

struct burst {
	int64_t start;
	uint32_t device, stack; /* stack 0: none */
	uint8_t weight;		/* enum failure_weight; FAILURE_NONE: a success */
};

/* One device in its highest-scoring stack. */
struct device_trials {
	uint32_t device, stack;
	uint32_t failed, trials;
	enum failure_weight class;
	double value; /* decibans, before the cap a device */
	/* The device's attempts in the group: by_device[first] … [first + n − 1]. */
	uint32_t first, n;
};

/* A success under inspection, under its label. */
struct success {
	uint32_t stack, device;
};

struct trials {
	const struct fact **facts; /* the group, by start */
	size_t n;
	const struct fact **by_device; /* the same by (device, start) */
	struct device_trials *devices; /* by device number */
	size_t n_devices;
	struct burst *runs;   /* bursts of every device and stack, by device, stack, start */
	struct burst *bursts; /* the same by (stack, start) */
	size_t n_bursts;
	const uint32_t *labels;	   /* stack of each fact of by_device; 0: none */
	struct success *successes; /* by (stack, device) */
	size_t n_successes;
};

/* facts: one version's non-excluded attempts by start. Everything lands in the arena. */
void trials_build(struct trials *t, const struct fact **facts, size_t n, const struct names *names,
		  struct arena *a);
/* Whether a success counts in the stack, on any device, or (other_than ≠ 0) on any but this one.
 * Successes without a stack count in every stack. */
bool trials_succeeded(const struct trials *t, uint32_t stack, uint32_t other_than);
/* 10·log10 of the likelihood ratio of k failed in n trials, pinned against not. */
double differential(uint32_t k, uint32_t n, enum failure_weight class);

/* Steps through bursts: true when a member at `start` begins a new one. `state` starts as
 * INT64_MIN. */
static inline bool burst_begins(int64_t *state, int64_t start)
{
	if (*state != INT64_MIN && start - *state < BURST)
		return false;
	*state = start;
	return true;
}

#endif
