/* Time zones of logs that write local times without one.
 *
 * `UTC`, a fixed offset (`+01:00`, `-0530`, `+2`), or an IANA name (`Europe/Berlin`), read from the
 * system's zone files (RFC 8536) without touching TZ or the C library's own zone state, so that
 * each source has its own. A zone borrows from the arena it was read into and is read-only.
 */
#ifndef PINWATCH_CONF_TIMEZONE_H
#define PINWATCH_CONF_TIMEZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

struct zone_change {
	int64_t from;	/* UTC seconds */
	int32_t offset; /* seconds east of UTC from then on */
};

/* A zeroed zone is UTC. */
struct zone {
	struct sv name;			   /* as written */
	int32_t offset;			   /* seconds east, before the first change */
	const struct zone_change *changes; /* by `from`, ascending; none for a fixed offset */
	size_t n_changes;
};

/* err->message says what was expected, without a position. */
bool zone_parse(struct sv text, struct arena *a, struct zone *out, struct error *err);
static inline bool zone_fixed(const struct zone *z) { return z->n_changes == 0; }
/* Seconds east of UTC at a moment. */
int32_t zone_offset(const struct zone *z, struct instant utc);
/* Seconds east of UTC for a local clock reading, given as if it were UTC. In the hour that a clock
 * put back shows twice this is the later (winter) offset; in the hour it skips, the earlier one. */
int32_t zone_offset_local(const struct zone *z, struct instant local);

#endif
