/* What outlives the journal's oldest segments, copied behind the newest one's end.
 *
 * Posture: of each device and kind of statement the newest before the cut, all that is recent
 * enough to count, and every list of single apps, since those add up. Leases: the newest of each
 * address and device that still holds at the cut. The engine knows all of these already and keeps
 * them when it forgets the rest.
 */
#ifndef PINWATCH_SERVE_CARRY_H
#define PINWATCH_SERVE_CARRY_H

#include "serve/keeper.h"

/* Segments from … until, both included; cut: ns, order time. */
bool carry_over(struct keeper *k, uint64_t from, uint64_t until, int64_t cut, struct error *err);

#endif
