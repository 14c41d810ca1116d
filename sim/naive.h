/* The rule that people write today, to measure against: N or more refused certificates of one
 * client address and one host within ten minutes raise the host.
 *
 * It sees the inspecting proxy's records alone and looks at nothing else. Tried with every N from 1
 * to NAIVE_MOST against the truth by host: a host is positive when any app pins it that nobody has
 * allowed. The second tally leaves out hosts that are on an allow-list or documented as never
 * inspectable, as an operator would. A zeroed struct first; naive_free frees everything.
 */
#ifndef PINWATCH_SIM_NAIVE_H
#define PINWATCH_SIM_NAIVE_H

#include "model/observation.h"
#include "sim/score.h"

#define NAIVE_MOST 20

struct tally {
	size_t found, missed, false_alarms;
};

struct naive_alert {
	struct sv host;
	struct addr client;
	int64_t time; /* ns */
	uint32_t count;
};

struct naive {
	struct arena arena;
	struct naive_alert *alerts;
	size_t n, _capacity;
	/* After naive_finish, by threshold; [0] is unused. */
	struct tally all[NAIVE_MOST + 1], unlisted[NAIVE_MOST + 1];
};

void naive_take(struct naive *n, const struct observation *o);
/* The truth must have been read. */
void naive_finish(struct naive *n, const struct score *truth);
void naive_free(struct naive *n);
/* The N with the best F1, the smallest of equals. */
unsigned naive_best(const struct tally *by_threshold);

/* The same tally of the findings that were scored, after score_finish. */
struct tally score_by_host(const struct score *s, bool unlisted);

/* 0 to 1; 1 where there was nothing to get wrong. */
double tally_precision(const struct tally *t);
double tally_recall(const struct tally *t);
double tally_f1(const struct tally *t);

#endif
