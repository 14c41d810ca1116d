/* `pinwatch parse` on captured packets, from a file or live. */
#ifndef PINWATCH_CLI_PARSE_CAPTURE_H
#define PINWATCH_CLI_PARSE_CAPTURE_H

#include <signal.h>

#include "cli/parse_stats.h"
#include "scan/capture.h"

struct parse_capture {
	const char *path; /* or */
	const char *interface;
	const char *filter; /* NULL: all packets */
	const volatile sig_atomic_t *interrupted;
	struct parse_stats *stats; /* records and packets are counted here */
	/* One observation; views die with the call. */
	void (*seen)(void *arg, const struct observation *o);
	/* Live: nothing has come for a moment, so that what was seen should be shown. */
	void (*quiet)(void *arg);
	void *arg;
};

/* To the end of the capture, or until interrupted. False and *err where it cannot be opened or is
 * damaged; what stood before the damage has been given out. */
bool parse_capture(const struct parse_capture *p, struct error *err);

#endif
