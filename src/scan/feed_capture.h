/* Runs of an input that is a capture: packets in place of records, the wire sensor in place of a
 * parser. */
#ifndef PINWATCH_SCAN_FEED_CAPTURE_H
#define PINWATCH_SCAN_FEED_CAPTURE_H

#include "scan/feed_run.h"

struct lane_capture;

/* NULL and *err where it cannot be opened. */
struct lane_capture *lane_capture_open(const struct input *x, const struct scan_options *options,
				       struct error *err);
void lane_capture_run(struct lane_capture *c, struct run *r);
void lane_capture_close(struct lane_capture *c);

#endif
