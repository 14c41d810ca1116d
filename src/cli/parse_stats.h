/* `pinwatch parse --stats`: what an input holds, in counts. */
#ifndef PINWATCH_CLI_PARSE_STATS_H
#define PINWATCH_CLI_PARSE_STATS_H

#include "base/buf.h"
#include "emit/text.h"
#include "model/observation.h"
#include "wire/wire.h"

#define STATS_ALERTS 256

struct parse_stats {
	uint64_t records, irrelevant, rejected, overlong;
	uint64_t kinds[OBS_KINDS];
	uint64_t sensors[SENSORS];
	uint64_t outcomes[OUTCOMES];
	uint64_t inspections[UNINSPECTED + 1];
	uint64_t bypasses[BYPASS_TECHNICAL + 1];
	uint64_t alerts[STATS_ALERTS];
	uint64_t events[ACTIVITIES];
	struct wire_counts wire; /* of captures */
	uint64_t dropped;	 /* by the kernel, live */
	struct instant first, last;
};

void parse_stats_begin(struct parse_stats *s);
void parse_stats_add(struct parse_stats *s, const struct observation *o);
void parse_stats_text(struct buf *out, const struct parse_stats *s, const struct text_style *style);

#endif
