/* What a finding's judgement stands on, as a hash: all that it reads, and nothing that it does not.
 *
 * That is, of its attempts what facts and records say, its allow-list entry, what other apps did
 * there, the baseline's answers, which sources there are, and of each of its devices who it is, its
 * posture, and its activity up to the time behind which nothing is asked any more: what a phone
 * does later leaves an old finding alone. Numbers of names, attempts and tuples stand for what they
 * name, so a hash is worth something only while they do: until something is evicted, and until the
 * settings are others. Hashes are XXH3 under a random seed, 128 bits over all, 64 along a device's
 * records.
 */
#ifndef PINWATCH_JUDGE_FOOTING_H
#define PINWATCH_JUDGE_FOOTING_H

#include "judge/case.h"

/* By device, what its records come down to; made when posture and activity have been indexed. */
struct footing {
	uint64_t *_postures; /* by device */
	/* of the device's records up to this one, devices one behind the other */
	uint64_t *_activity;
	size_t *_begin; /* by device */
	uint32_t _n;
	size_t _n_activity;
	uint64_t _seed;
};

void footing_build(struct footing *f, const struct context *c);
void footing_free(struct footing *f);
size_t footing_footprint(const struct footing *f);
static inline bool footing_there(const struct footing *f) { return f->_begin != NULL; }
/* seen: by device, 0 at first; what it holds afterwards is for the next call that has it. round:
 * another for each call with one `seen`, not 0. */
void footing_hash(const struct footing *f, const struct sitting *s, const struct allowance *entry,
		  uint32_t *seen, uint32_t round, uint64_t out[2]);

#endif
