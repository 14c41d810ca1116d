/* Syslog from the network into a spool: UDP (RFC 5426), TCP (RFC 6587, both framings) and TLS (RFC
 * 5425). IPv4 and IPv6.
 *
 * A listener has one thread of its own and one socket. Each message becomes one record of the
 * spool, as it came, without the framing and without line breaks or NULs at its end. Nothing is
 * parsed here.
 *
 * Back-pressure: while the spool is full the listener stops reading. TCP and TLS senders then wait;
 * UDP loses, and the kernel counts it (`lost`). Neither syslog transport acknowledges anything:
 * what a sender has in flight when either end dies is lost to it, which is the protocols' limit.
 *
 * Peers are counted by address, the first SYSLOG_MAX_PEERS of them; all others together.
 */
#ifndef PINWATCH_READ_SYSLOG_LISTENER_H
#define PINWATCH_READ_SYSLOG_LISTENER_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/error.h"

#define SYSLOG_MAX_PEERS 1024

enum syslog_transport { SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };

struct spool;

struct syslog_options {
	enum syslog_transport transport;
	struct addr ip;
	uint16_t port;		  /* 0: the system chooses */
	struct spool *spool;	  /* borrowed until stop */
	size_t max_message;	  /* bytes; 0: 64 KiB. A longer one is cut, and counted */
	uint32_t max_connections; /* 0: 1024 */
	struct span idle;	  /* close connections that say nothing for so long; 0: never */
	const char *certificate, *key; /* TLS: PEM files */
	const char *client_ca;	       /* TLS: PEM file; NULL: clients need no certificate */
	struct instant (*now)(void);   /* wall clock for arrival times; NULL: the system's */
};

struct syslog_stats {
	uint64_t messages, bytes; /* in the spool */
	uint64_t cut;		  /* longer than max_message */
	uint64_t empty;		  /* datagrams or frames with nothing in them */
	uint64_t malformed;	  /* connections closed for a frame length that cannot be */
	uint64_t unfinished;	  /* connections that ended within a message; what came was kept */
	uint64_t lost;		  /* UDP: dropped by the kernel, by its own counter */
	uint64_t failed;	  /* messages the spool could not take because the disk failed */
	uint64_t accepted, refused, closed; /* connections; refused: beyond max_connections */
	uint64_t handshakes_failed;
	uint64_t connections; /* now */
	uint64_t paused;      /* times reading stopped because the spool was full */
	bool waiting;	      /* it is stopped now */
};

struct syslog_peer {
	struct addr ip;
	uint64_t messages, bytes;
	struct instant newest;
};

struct syslog_listener;

struct syslog_listener *syslog_listener_start(const struct syslog_options *options,
					      struct error *err);
/* Stops reading, syncs what was read, closes. */
void syslog_listener_stop(struct syslog_listener *l);
/* The port in use. */
uint16_t syslog_listener_port(const struct syslog_listener *l);
/* Any thread. */
void syslog_listener_stats(struct syslog_listener *l, struct syslog_stats *out);
/* Any thread. At most n peers, in no order; returns how many. *others: messages of all further
 * ones. */
size_t syslog_listener_peers(struct syslog_listener *l, struct syslog_peer *out, size_t n,
			     uint64_t *others);

#endif
