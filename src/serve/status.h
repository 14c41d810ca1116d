/* What a running daemon says of itself: for people, for programs, for Prometheus.
 *
 * All three are made from the daemon's own state, in its thread. A source is red where nothing can
 * be read of it (errors, over its bad-line budget), yellow where it is silent or was never heard,
 * else green.
 */
#ifndef PINWATCH_SERVE_STATUS_H
#define PINWATCH_SERVE_STATUS_H

#include "serve/daemon.h"

void status_json(struct buf *out, const struct daemon *d);
/* {"sources":[…]} alone. */
void status_sources_json(struct buf *out, const struct daemon *d);
void status_table(struct buf *out, const struct daemon *d);
/* Text format 0.0.4. */
void status_metrics(struct buf *out, const struct daemon *d);

/* "green", "yellow", "red". */
const char *status_colour(const struct daemon *d, const struct live_source *s);
/* Event time behind the newest of all sources, ns; -1 unknown. */
int64_t status_lag(const struct daemon *d, const struct live_source *s);

#endif
