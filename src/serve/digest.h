/* Whether a finding says the same as before, without writing it out: a hash of everything that its
 * JSON is made of. */
#ifndef PINWATCH_SERVE_DIGEST_H
#define PINWATCH_SERVE_DIGEST_H

#include "model/finding.h"
#include "model/settings.h"

struct digest {
	uint64_t half[2];
};

/* Of the settings that findings repeat, and the program's version. */
uint64_t digest_seed(const struct settings *s);
/* Of all but the revision. */
struct digest digest_finding(const struct finding *f, uint64_t seed);

#endif
