#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "read/syslog_internal.h"

#define BATCH 64
#define ROUNDS 64 /* batches before others get a turn */

/* A batch as received; those from `at` on wait for room in the spool. */
struct syslog_datagrams {
	char *bytes;
	size_t size; /* of one */
	struct mmsghdr headers[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_in6 from[BATCH];
	size_t n, at;
};

struct syslog_datagrams *syslog_datagrams_new(const struct syslog_options *o)
{
	struct syslog_datagrams *d = xcalloc(1, sizeof(*d));

	d->size = o->max_message;
	d->bytes = xmalloc(d->size * BATCH);
	for (size_t i = 0; i < BATCH; i++) {
		d->parts[i] = (struct iovec){ d->bytes + i * d->size, d->size };
		d->headers[i].msg_hdr = (struct msghdr){ .msg_name = &d->from[i],
							 .msg_iov = &d->parts[i],
							 .msg_iovlen = 1 };
	}
	return d;
}

void syslog_datagrams_free(struct syslog_datagrams *d)
{
	if (d == NULL)
		return;
	free(d->bytes);
	free(d);
}

/* False: the spool is full. */
static bool take_batch(struct syslog_listener *l, struct syslog_datagrams *d)
{
	for (; d->at < d->n; d->at++) {
		const struct mmsghdr *m = &d->headers[d->at];
		struct sv message = sv_make(d->parts[d->at].iov_base, m->msg_len);
		struct addr peer = { { 0 } };

		memcpy(peer.b, &d->from[d->at].sin6_addr, sizeof(peer.b));
		if (d->from[d->at].sin6_family == AF_INET) {
			struct sockaddr_in in;
			memcpy(&in, &d->from[d->at], sizeof(in));
			memset(peer.b, 0, 10);
			memset(peer.b + 10, 0xff, 2);
			memcpy(peer.b + 12, &in.sin_addr, 4);
		}
		if (syslog_take(l, &peer, syslog_trim(message),
				(m->msg_hdr.msg_flags & MSG_TRUNC) != 0) == SYSLOG_WAIT)
			return false;
	}
	return true;
}

void syslog_datagrams_read(struct syslog_listener *l)
{
	struct syslog_datagrams *d = l->datagrams;

	for (unsigned round = 0; round < ROUNDS; round++) {
		int n;

		if (!take_batch(l, d))
			return;
		for (size_t i = 0; i < BATCH; i++)
			d->headers[i].msg_hdr.msg_namelen = sizeof(d->from[i]);
		n = recvmmsg(l->fd, d->headers, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		d->at = 0;
		d->n = n > 0 ? (size_t)n : 0;
		if (n <= 0)
			return;
	}
	take_batch(l, d);
}

uint64_t syslog_datagrams_lost(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &n) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
