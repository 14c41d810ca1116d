#include "read/syslog_listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "read/syslog_internal.h"

#define MAX_MESSAGE (64u * 1024u)
#define MAX_CONNECTIONS 1024
#define EVENTS 128
#define PAUSE_MS 20  /* between looks at a full spool */
#define TICK_MS 1000 /* between looks for idle connections */
#define UDP_BUFFER (8 * 1024 * 1024)

int64_t syslog_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static struct instant wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct instant){ ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

void syslog_count(struct syslog_listener *l, uint64_t *counter)
{
	pthread_mutex_lock(&l->lock);
	++*counter;
	pthread_mutex_unlock(&l->lock);
}

/* With the lock. */
static void count_peer(struct syslog_listener *l, const struct addr *peer, size_t n,
		       struct instant now)
{
	uint32_t number = keymap_get(&l->peer_numbers, peer->b);

	if (number == KEYMAP_NONE && l->n_peers == SYSLOG_MAX_PEERS) {
		l->others++;
		return;
	}
	if (number == KEYMAP_NONE) {
		number = (uint32_t)l->n_peers++;
		*keymap_slot(&l->peer_numbers, peer->b) = number;
		l->peers[number] = (struct syslog_peer){ .ip = *peer };
	}
	l->peers[number].messages++;
	l->peers[number].bytes += n;
	l->peers[number].newest = now;
}

enum syslog_taken syslog_take(struct syslog_listener *l, const struct addr *peer, struct sv message,
			      bool cut)
{
	struct instant now = l->options.now();
	enum spool_result r = SPOOL_DONE;
	struct error err;

	if (message.n > 0)
		r = spool_append(l->options.spool, message, now, NULL, &err);
	if (r == SPOOL_FULL) {
		l->paused = true;
		return SYSLOG_WAIT;
	}
	pthread_mutex_lock(&l->lock);
	l->stats.cut += cut;
	if (message.n == 0) {
		l->stats.empty++;
	} else if (r == SPOOL_DONE) {
		l->stats.messages++;
		l->stats.bytes += message.n;
		count_peer(l, peer, message.n, now);
		if (!l->dirty)
			pthread_cond_signal(&l->appended);
		l->dirty = true;
	} else {
		l->stats.failed++;
	}
	pthread_mutex_unlock(&l->lock);
	return SYSLOG_TAKEN;
}

/* Syncs what was appended, again and again. No sender waits for it, but the spool's reader does. */
static void *run_syncer(void *arg)
{
	struct syslog_listener *l = arg;
	struct error err; /* the appending thread meets the same one, and counts it */

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->dirty && !l->stopping)
			pthread_cond_wait(&l->appended, &l->lock);
		if (!l->dirty)
			break;
		l->dirty = false;
		pthread_mutex_unlock(&l->lock);
		spool_sync(l->options.spool, UINT64_MAX, &err);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Waits until there is room in the spool, or for `stop`. True: stop. */
static bool wait_for_room(struct syslog_listener *l)
{
	struct pollfd stop = { l->stop_fd, POLLIN, 0 };

	pthread_mutex_lock(&l->lock);
	l->stats.paused++;
	l->stats.waiting = true;
	pthread_mutex_unlock(&l->lock);
	while (spool_full(l->options.spool, l->options.now()))
		if (poll(&stop, 1, PAUSE_MS) > 0)
			return true;
	l->paused = false;
	pthread_mutex_lock(&l->lock);
	l->stats.waiting = false;
	pthread_mutex_unlock(&l->lock);
	return false;
}

/* What was left in the buffers when the spool was full. */
static void read_waiting(struct syslog_listener *l)
{
	if (l->datagrams != NULL)
		syslog_datagrams_read(l);
	for (size_t i = l->n_connections; i > 0 && !l->paused; i--)
		if (i <= l->n_connections && l->connections[i - 1]->n > 0)
			syslog_read(l, l->connections[i - 1]);
}

static void heed(struct syslog_listener *l, const struct epoll_event *e)
{
	if (e->data.ptr == &l->fd && l->datagrams != NULL)
		syslog_datagrams_read(l);
	else if (e->data.ptr == &l->fd)
		syslog_accept(l);
	else
		syslog_read(l, e->data.ptr);
}

static void *run(void *arg)
{
	struct syslog_listener *l = arg;
	struct epoll_event events[EVENTS];
	int64_t ticked = syslog_monotonic();
	bool stop = false;

	while (!stop) {
		int n;

		if (l->paused) {
			if (wait_for_room(l))
				break;
			read_waiting(l);
			continue;
		}
		n = epoll_wait(l->epoll_fd, events, EVENTS, TICK_MS);
		for (int i = 0; i < n && !l->paused && !stop; i++) {
			stop = events[i].data.ptr == &l->stop_fd;
			if (!stop)
				heed(l, &events[i]);
		}
		if (syslog_monotonic() - ticked >= TICK_MS * NS_PER_MS) {
			ticked = syslog_monotonic();
			syslog_close_idle(l);
		}
	}
	return NULL;
}

static bool cannot(const struct syslog_options *o, const char *what, struct error *err)
{
	char ip[ADDR_TEXT_SIZE];
	static const char *const names[] = { "udp", "tcp", "tls" };

	addr_format(&o->ip, ip);
	return error_set(err, ERROR_IO, 0, "%s://%s port %u: cannot be %s: %s", names[o->transport],
			 addr_known(&o->ip) ? ip : "[::]", o->port, what, strerror(errno));
}

static bool open_socket(struct syslog_listener *l, struct error *err)
{
	const struct syslog_options *o = &l->options;
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	bool v4 = memcmp(o->ip.b, mapped, sizeof(mapped)) == 0;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	struct sockaddr_storage bound;
	socklen_t n = sizeof(bound);
	int one = 1, buffer = UDP_BUFFER;

	memcpy(&six.sin6_addr, o->ip.b, sizeof(o->ip.b));
	memcpy(&four.sin_addr, o->ip.b + 12, 4);
	l->fd = socket(v4 ? AF_INET : AF_INET6,
		       (o->transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC |
			   SOCK_NONBLOCK,
		       0);
	if (l->fd < 0)
		return cannot(o, "opened", err);
	if (o->transport != SYSLOG_UDP)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else if (setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0)
		setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &buffer,
			   sizeof(buffer)); /* as much as is allowed */
	if (bind(l->fd, v4 ? (struct sockaddr *)&four : (struct sockaddr *)&six,
		 v4 ? sizeof(four) : sizeof(six)) != 0)
		return cannot(o, "listened on", err);
	if (o->transport != SYSLOG_UDP && listen(l->fd, SOMAXCONN) != 0)
		return cannot(o, "listened on", err);
	if (getsockname(l->fd, (struct sockaddr *)&bound, &n) != 0)
		return cannot(o, "asked for its port", err);
	memcpy(&six, &bound, sizeof(six)); /* the port stands at the same place in both */
	l->port = ntohs(six.sin6_port);
	return true;
}

static bool watch(struct syslog_listener *l, int *fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, *fd, &event) == 0;
}

struct syslog_listener *syslog_listener_start(const struct syslog_options *options,
					      struct error *err)
{
	struct syslog_listener *l = xcalloc(1, sizeof(*l));
	uint64_t seed;

	l->options = *options;
	l->fd = l->epoll_fd = l->stop_fd = -1;
	if (l->options.max_message == 0)
		l->options.max_message = MAX_MESSAGE;
	if (l->options.max_connections == 0)
		l->options.max_connections = MAX_CONNECTIONS;
	if (l->options.now == NULL)
		l->options.now = wall;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->appended, NULL);
	while (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		continue; /* interrupted before the system had any */
	keymap_init(&l->peer_numbers, sizeof(struct addr), seed);
	l->peers = xcalloc(SYSLOG_MAX_PEERS, sizeof(*l->peers));
	l->connections = xcalloc(l->options.max_connections, sizeof(struct syslog_connection *));
	if (options->transport == SYSLOG_TLS) {
		l->tls = syslog_tls(options, err);
		if (l->tls == NULL)
			goto failed;
	}
	if (options->transport == SYSLOG_UDP)
		l->datagrams = syslog_datagrams_new(&l->options);
	if (!open_socket(l, err))
		goto failed;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->stop_fd < 0 || !watch(l, &l->fd) || !watch(l, &l->stop_fd)) {
		cannot(options, "watched", err);
		goto failed;
	}
	l->syncer_runs = pthread_create(&l->syncer, NULL, run_syncer, l) == 0;
	l->thread_runs = l->syncer_runs && pthread_create(&l->thread, NULL, run, l) == 0;
	if (l->thread_runs)
		return l;
	cannot(options, "given a thread", err);
failed:
	syslog_listener_stop(l);
	return NULL;
}

void syslog_listener_stop(struct syslog_listener *l)
{
	uint64_t one = 1;

	if (l == NULL)
		return;
	if (l->thread_runs) {
		while (write(l->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			continue;
		pthread_join(l->thread, NULL);
	}
	if (l->syncer_runs) {
		pthread_mutex_lock(&l->lock);
		l->stopping = true;
		pthread_cond_signal(&l->appended);
		pthread_mutex_unlock(&l->lock);
		pthread_join(l->syncer, NULL);
	}
	while (l->n_connections > 0)
		syslog_close(l, l->connections[0]);
	free(l->connections);
	syslog_datagrams_free(l->datagrams);
	SSL_CTX_free(l->tls);
	if (l->fd >= 0)
		close(l->fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	keymap_free(&l->peer_numbers);
	free(l->peers);
	pthread_cond_destroy(&l->appended);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

uint16_t syslog_listener_port(const struct syslog_listener *l) { return l->port; }

void syslog_listener_stats(struct syslog_listener *l, struct syslog_stats *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->stats;
	pthread_mutex_unlock(&l->lock);
	out->lost = l->datagrams != NULL ? syslog_datagrams_lost(l->fd) : 0;
}

size_t syslog_listener_peers(struct syslog_listener *l, struct syslog_peer *out, size_t n,
			     uint64_t *others)
{
	pthread_mutex_lock(&l->lock);
	if (n > l->n_peers)
		n = l->n_peers;
	memcpy(out, l->peers, n * sizeof(*out));
	*others = l->others;
	pthread_mutex_unlock(&l->lock);
	return n;
}
