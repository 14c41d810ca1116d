/* Captures as inputs: packets from a file or an interface through the wire sensor, observations
 * out.
 *
 * A capture has no lines: a record's position is the packet that held the ClientHello, counted from
 * 1, as packet analysers count them. Observations come in the order in which connections ended.
 */
#ifndef PINWATCH_SCAN_CAPTURE_H
#define PINWATCH_SCAN_CAPTURE_H

#include "conf/conf.h"
#include "model/settings.h"
#include "read/capture.h"
#include "wire/wire.h"

/* What inputs that are captures are called: their format, and the source where none is
 * configured. */
#define CAPTURE_FORMAT SV("pcap")
#define CAPTURE_SOURCE SV("wire")

struct capture_input_options {
	const char *path;      /* file, or */
	const char *interface; /* live */
	struct capture_options capture;
	const struct settings *settings; /* of the gateway; borrowed, may be NULL */
	uint32_t max_connections;	 /* 0: WIRE_CONNECTIONS */
	void (*seen)(void *arg, const struct wire_seen *s);
	void *arg;
};

struct capture_input;

/* A source's filters as one expression, `(one) and (two)`; NULL for none. */
const char *capture_filter(const struct conf_strings *filters, struct arena *a);
/* Whether the source's filters can be compiled. */
bool capture_filter_check(const struct conf_source *s, struct error *err);

struct capture_input *capture_input_open(const struct capture_input_options *options,
					 struct error *err);
/* Takes up to so many packets. CAPTURE_PACKET: there may be more; CAPTURE_NOTHING_YET: live, and
 * quiet; `now` then passes time on (INSTANT_NONE: it does not). At CAPTURE_END and CAPTURE_ERROR
 * all that was still open has been given out. */
enum capture_result capture_input_run(struct capture_input *c, uint64_t packets, struct instant now,
				      struct error *err);
/* What is given out now was open when the capture ended. */
bool capture_input_ended(const struct capture_input *c);
/* Gives out what is open: for whoever ends before the capture does. */
void capture_input_finish(struct capture_input *c);
const struct wire_counts *capture_input_counts(const struct capture_input *c);
uint64_t capture_input_bytes(const struct capture_input *c);
struct capture_counts capture_input_losses(struct capture_input *c);
void capture_input_close(struct capture_input *c);

#endif
