/* What the parts of a syslog listener share: syslog_listener.c the thread, syslog_stream.c the
 * connections, syslog_datagram.c UDP. All but what stands below `lock` belongs to the thread. */
#ifndef PINWATCH_READ_SYSLOG_INTERNAL_H
#define PINWATCH_READ_SYSLOG_INTERNAL_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "base/keymap.h"
#include "read/spool.h"
#include "read/syslog_frame.h"
#include "read/syslog_listener.h"

struct syslog_datagrams;

struct syslog_connection {
	int fd;
	SSL *ssl;	 /* NULL: plain */
	bool handshaken; /* or plain */
	bool ended;	 /* the peer will send nothing more */
	struct addr peer;
	struct syslog_framer framer;
	char *p;
	size_t n, capacity;
	int64_t heard; /* monotonic ns: last bytes, or the beginning */
	size_t at;     /* in the listener's list */
};

struct syslog_listener {
	struct syslog_options options;
	int fd, epoll_fd, stop_fd;
	uint16_t port;
	pthread_t thread, syncer;
	bool thread_runs, syncer_runs;
	SSL_CTX *tls;
	struct syslog_connection **connections;
	size_t n_connections;
	struct syslog_datagrams *datagrams;
	bool paused;

	pthread_mutex_t lock;
	pthread_cond_t appended;
	bool dirty, stopping; /* for the syncer */
	struct syslog_stats stats;
	struct keymap peer_numbers;
	struct syslog_peer *peers;
	size_t n_peers;
	uint64_t others;
};

enum syslog_taken { SYSLOG_TAKEN, SYSLOG_WAIT };
/* Into the spool, and counted. SYSLOG_WAIT: it is full; offer the message again. */
enum syslog_taken syslog_take(struct syslog_listener *l, const struct addr *peer, struct sv message,
			      bool cut);
int64_t syslog_monotonic(void);
void syslog_count(struct syslog_listener *l, uint64_t *counter);

/* syslog_stream.c */
SSL_CTX *syslog_tls(const struct syslog_options *o, struct error *err);
void syslog_accept(struct syslog_listener *l);
/* Reads what is there. The connection may be closed and freed then. */
void syslog_read(struct syslog_listener *l, struct syslog_connection *c);
void syslog_close(struct syslog_listener *l, struct syslog_connection *c);
/* Closes those that were quiet for too long. */
void syslog_close_idle(struct syslog_listener *l);

/* syslog_datagram.c */
struct syslog_datagrams *syslog_datagrams_new(const struct syslog_options *o);
void syslog_datagrams_free(struct syslog_datagrams *d);
void syslog_datagrams_read(struct syslog_listener *l);
/* The kernel's own count of what it dropped. */
uint64_t syslog_datagrams_lost(int fd);

#endif
