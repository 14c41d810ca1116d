/* A TLS or contact observation with its names turned into numbers: what the reordering holds. */
#ifndef PINWATCH_CORRELATE_EVENT_H
#define PINWATCH_CORRELATE_EVENT_H

#include "identify/inventory.h"
#include "model/settings.h"

struct event {
	struct stamp stamp;
	int64_t time;
	int64_t duration;	     /* ns, −1 unknown */
	int64_t bytes_out, bytes_in; /* −1 unknown */
	uint64_t flow;		     /* hash of the flow id, 0 none */
	uint32_t client, server;     /* addresses */
	uint32_t sni, hostname, keys, bundle, version, agent, ja4, ja3, issuer, tls_version;
	uint32_t count;
	uint16_t client_port, server_port;
	int16_t alert;
	uint8_t kind; /* OBS_TLS_ATTEMPT or OBS_APP_ACTIVITY */
	uint8_t sensor, vantage;
	uint8_t outcome, inspection, bypass_reason;
	uint8_t established, server_certificate, ended, udp; /* enum tri */
	uint8_t closed_by, close;
	bool weak_late; /* established_no_data by a log that cannot tell it from other things */
	bool listener;	/* the server side is one of the gateway's listeners */
};

/* How many connections a record stands for is what it says: sums stop here rather than begin
 * anew. */
#define COUNT_MAX (UINT32_MAX - 1)
static inline uint32_t count_add(uint32_t sum, uint32_t count)
{
	return count < COUNT_MAX - sum ? sum + count : COUNT_MAX;
}

/* Fills *e from a TLS attempt, or from app activity that names a connection. */
void event_from(struct event *e, const struct observation *o, struct stamp stamp,
		enum vantage vantage, struct names *names, const struct settings *settings,
		uint64_t seed);
/* The total order: order time, source, content. For calendar_init. */
int event_cmp(const void *a, const void *b);
/* Whether the record is of a sensor beyond the gateway, whose client is the gateway itself. */
bool event_is_gateways_own(const struct observation *o, const struct settings *settings);

#endif
