/* Captured frames: from a file (pcap or pcapng, also packed like any other input, or standard
 * input), or live from an interface. libpcap does the reading and the filtering.
 *
 * A filter is a BPF expression, as in pcap-filter(7). Live capture needs the right to it
 * (CAP_NET_RAW) and is not blocking: CAPTURE_NOTHING_YET after the timeout. One capture, one
 * thread.
 */
#ifndef PINWATCH_READ_CAPTURE_H
#define PINWATCH_READ_CAPTURE_H

#include "base/clock.h"
#include "base/error.h"

struct capture_packet {
	struct instant time;
	int link;	      /* https://www.tcpdump.org/linktypes.html */
	const uint8_t *bytes; /* good until the next call */
	uint32_t n;	      /* captured */
	uint32_t length;      /* on the wire */
};

enum capture_result { CAPTURE_PACKET, CAPTURE_NOTHING_YET, CAPTURE_END, CAPTURE_ERROR };

struct capture_options {
	const char *filter;    /* NULL: all */
	uint32_t snaplen;      /* live: bytes kept of a frame; 0: all */
	uint32_t buffer_bytes; /* live: the kernel's buffer; 0: the system's default */
	struct span timeout;   /* live: how long one call waits; 0: CAPTURE_TIMEOUT */
	bool not_promiscuous;
};
#define CAPTURE_TIMEOUT (100 * NS_PER_MS)

/* What the kernel says of a live capture; zero for files. */
struct capture_counts {
	uint64_t received, dropped, dropped_by_interface;
};

struct capture;

/* Whether a file that begins so is a capture. */
bool capture_recognise(struct sv head);
/* Whether it is a BPF expression; else ERROR_USAGE. For no particular link type but Ethernet. */
bool capture_filter_compiles(const char *filter, struct error *err);
/* NULL and *err: ERROR_IO, or ERROR_FORMAT where it is no capture, or ERROR_USAGE for a filter that
 * does not compile. */
struct capture *capture_open_file(const char *path, const struct capture_options *options,
				  struct error *err);
struct capture *capture_open_live(const char *interface, const struct capture_options *options,
				  struct error *err);
/* CAPTURE_ERROR: a damaged or truncated file after the packets before, or a capture that broke
 * off. */
enum capture_result capture_next(struct capture *c, struct capture_packet *packet,
				 struct error *err);
/* https://www.tcpdump.org/linktypes.html */
int capture_link(const struct capture *c);
/* Bytes taken from the file (packed ones, where packed). */
uint64_t capture_bytes(const struct capture *c);
struct capture_counts capture_counts(struct capture *c);
void capture_close(struct capture *c);

#endif
