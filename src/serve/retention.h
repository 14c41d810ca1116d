/* What is given up: old segments of the journal by age and size, and a source's oldest records by
 * memory.
 *
 * The engine forgets exactly what the journal forgets, so that a restart changes nothing: first
 * `evict` is written down and done, then, behind it, what has to outlive the segments is carried
 * over (the newest posture of each device, leases that still hold); after the checkpoint the
 * segments are removed.
 */
#ifndef PINWATCH_SERVE_RETENTION_H
#define PINWATCH_SERVE_RETENTION_H

#include "serve/daemon.h"

/* Looks whether segments are too old or too many. Call now and then. */
void retention_journal(struct daemon *d);
/* In the checkpoint's transaction, and after it. */
bool retention_commit(struct daemon *d, struct error *err);
void retention_committed(struct daemon *d);
/* Looks at what sources hold in memory; gives up the oldest of those that hold too much. */
void retention_memory(struct daemon *d);

#endif
