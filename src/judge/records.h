/* The records that may stand behind a finding, and of them the first and last KEEP of each device
 * and kind. */
#ifndef PINWATCH_JUDGE_RECORDS_H
#define PINWATCH_JUDGE_RECORDS_H

#include "correlate/facts.h"

/* Records at either end of a device's records of a kind. */
#define KEEP 10

struct record {
	int64_t time;
	uint64_t turn; /* in which order it would have been added, were nothing passed over */
	struct record_ref ref;
	uint32_t device;
	uint8_t kind;
	uint8_t outcome; /* TLS attempts */
	int16_t alert;
	const struct activity_record *activity;
	const struct posture_record *posture;
};

struct records {
	struct record *list;
	size_t n, capacity;
	struct arena *scratch;
};

/* One end of a device's records of a kind: those that may be among the KEEP at that end, and more
 * of them than that only until it is full again. */
struct record_end {
	struct records records;
	size_t full;
	int64_t limit; /* what lies beyond it is not among them */
	bool newest;   /* which end */
};

void records_add(struct records *r, struct record record);
void record_end_open(struct record_end *e, bool newest, struct arena *scratch);
/* Whether a record of this time cannot be among the KEEP. */
static inline bool record_end_beyond(const struct record_end *e, int64_t time)
{
	return e->newest ? time < e->limit : time > e->limit;
}
void record_end_add(struct record_end *e, const struct record *record);
/* One device's: each record once, and each kind thinned to its ends. */
void records_thin(struct records *r, const struct context *c);
void records_sort(struct records *r, const struct context *c);

#endif
