#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "read/syslog_internal.h"

#define BLOCK (64u * 1024u)
#define ROUNDS 16 /* blocks of one connection before others get a turn */
#define HANDSHAKE (10 * NS_PER_S)

static bool tls_failed(SSL_CTX *tls, const char *path, const char *what, struct error *err)
{
	const char *why = ERR_reason_error_string(ERR_get_error());

	SSL_CTX_free(tls);
	ERR_clear_error();
	return error_set(err, ERROR_CONFIG, 0, "%s: cannot be used as the listener's %s: %s", path,
			 what, why != NULL ? why : "the file cannot be read");
}

SSL_CTX *syslog_tls(const struct syslog_options *o, struct error *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (tls == NULL) {
		error_set(err, ERROR_LIMIT, 0, "tls: the connection cannot begin: out of memory");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (o->certificate == NULL ||
	    SSL_CTX_use_certificate_chain_file(tls, o->certificate) != 1) {
		tls_failed(tls, o->certificate != NULL ? o->certificate : "(none)", "certificate",
			   err);
		return NULL;
	}
	if (o->key == NULL || SSL_CTX_use_PrivateKey_file(tls, o->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(tls) != 1) {
		tls_failed(tls, o->key != NULL ? o->key : "(none)", "key", err);
		return NULL;
	}
	if (o->client_ca != NULL) {
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(o->client_ca);
		if (names == NULL || SSL_CTX_load_verify_locations(tls, o->client_ca, NULL) != 1) {
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			tls_failed(tls, o->client_ca, "client CA", err);
			return NULL;
		}
		SSL_CTX_set_client_CA_list(tls, names);
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return tls;
}

static void free_connection(struct syslog_connection *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	free(c->p);
	free(c);
}

void syslog_close(struct syslog_listener *l, struct syslog_connection *c)
{
	struct syslog_connection *last = l->connections[--l->n_connections];

	last->at = c->at;
	l->connections[c->at] = last;
	free_connection(c);
	pthread_mutex_lock(&l->lock);
	l->stats.closed++;
	l->stats.connections = l->n_connections;
	pthread_mutex_unlock(&l->lock);
}

static struct addr address(const struct sockaddr_storage *from)
{
	struct addr a = { { 0 } };

	if (from->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof(in));
		memset(a.b + 10, 0xff, 2);
		memcpy(a.b + 12, &in.sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		struct sockaddr_in6 in;
		memcpy(&in, from, sizeof(in));
		memcpy(a.b, &in.sin6_addr, sizeof(a.b));
	}
	return a;
}

static void add(struct syslog_listener *l, int fd, const struct sockaddr_storage *from)
{
	struct syslog_connection *c = xcalloc(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

	c->fd = fd;
	c->peer = address(from);
	c->framer.max_message = l->options.max_message;
	c->heard = syslog_monotonic();
	c->handshaken = l->tls == NULL;
	if (l->tls != NULL) {
		c->ssl = SSL_new(l->tls);
		if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1)
			goto failed;
		SSL_set_accept_state(c->ssl);
	}
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		goto failed;
	c->at = l->n_connections;
	l->connections[l->n_connections++] = c;
	pthread_mutex_lock(&l->lock);
	l->stats.accepted++;
	l->stats.connections = l->n_connections;
	pthread_mutex_unlock(&l->lock);
	return;
failed:
	free_connection(c);
	syslog_count(l, &l->stats.refused);
}

void syslog_accept(struct syslog_listener *l)
{
	for (unsigned i = 0; i < 64; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof(from);
		int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return;
		if (l->n_connections < l->options.max_connections) {
			add(l, fd, &from);
		} else {
			close(fd);
			syslog_count(l, &l->stats.refused);
		}
	}
}

/* Bytes into the buffer. 0: none now; -1: none ever. */
static ssize_t receive(struct syslog_listener *l, struct syslog_connection *c)
{
	char *out = c->p + c->n;
	size_t room = c->capacity - c->n;
	ssize_t n;
	int got;

	if (c->ssl == NULL) {
		do {
			n = recv(c->fd, out, room, 0);
		} while (n < 0 && errno == EINTR);
		if (n > 0)
			return n;
		return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
	}
	ERR_clear_error();
	got = SSL_read(c->ssl, out, room > INT32_MAX ? INT32_MAX : (int)room);
	if (SSL_is_init_finished(c->ssl))
		c->handshaken = true;
	if (got > 0)
		return got;
	switch (SSL_get_error(c->ssl, got)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: /* a handshake's few bytes always find room in the socket */
		return 0;
	default:
		if (!c->handshaken)
			syslog_count(l, &l->stats.handshakes_failed);
		return -1;
	}
}

enum outcome { GO_ON, WAIT, CLOSE };

/* Hands on all whole messages of the buffer. */
static enum outcome take_messages(struct syslog_listener *l, struct syslog_connection *c)
{
	size_t at = 0;
	enum outcome outcome = GO_ON;

	while (at < c->n) {
		struct syslog_framer before = c->framer;
		struct syslog_frame frame;
		enum syslog_framed r =
		    syslog_frame_next(&c->framer, sv_make(c->p + at, c->n - at), c->ended, &frame);
		if (r == SYSLOG_MORE)
			break;
		if (r == SYSLOG_MALFORMED) {
			syslog_count(l, &l->stats.malformed);
			at = c->n;
			outcome = CLOSE;
			break;
		}
		if (r == SYSLOG_MESSAGE &&
		    syslog_take(l, &c->peer, frame.message, frame.cut) == SYSLOG_WAIT) {
			c->framer = before;
			outcome = WAIT;
			break;
		}
		at += frame.used;
	}
	c->n -= at;
	if (c->n > 0)
		memmove(c->p, c->p + at, c->n);
	return outcome;
}

static void make_room(struct syslog_listener *l, struct syslog_connection *c)
{
	size_t most = l->options.max_message + SYSLOG_FRAME_ROOM + BLOCK;

	if (c->capacity - c->n >= BLOCK || c->capacity == most)
		return;
	c->capacity = c->n + BLOCK < most ? c->n + BLOCK : most;
	c->p = xrealloc(c->p, c->capacity, 1);
}

void syslog_read(struct syslog_listener *l, struct syslog_connection *c)
{
	/* What TLS has decrypted already makes no descriptor readable. */
	for (unsigned round = 0; round < ROUNDS || (c->ssl != NULL && SSL_pending(c->ssl) > 0);
	     round++) {
		enum outcome outcome = take_messages(l, c);
		ssize_t n;

		if (outcome == CLOSE || (c->ended && outcome == GO_ON)) {
			syslog_close(l, c);
			return;
		}
		if (outcome == WAIT)
			return;
		make_room(l, c);
		n = receive(l, c);
		if (n == 0)
			break;
		if (n < 0) {
			c->ended = true;
			if (c->n > 0 || c->framer.skip > 0 || c->framer.skip_line)
				syslog_count(l, &l->stats.unfinished);
			continue;
		}
		c->heard = syslog_monotonic();
		c->n += (size_t)n;
	}
	if (c->n == 0 &&
	    !c->ended) { /* nothing waits: thousands of quiet connections cost nothing */
		free(c->p);
		c->p = NULL;
		c->capacity = 0;
	}
}

void syslog_close_idle(struct syslog_listener *l)
{
	int64_t now = syslog_monotonic();

	for (size_t i = l->n_connections; i > 0; i--) {
		struct syslog_connection *c = l->connections[i - 1];
		int64_t quiet = now - c->heard;
		if (!c->handshaken && quiet > HANDSHAKE) {
			syslog_count(l, &l->stats.handshakes_failed);
			syslog_close(l, c);
		} else if (l->options.idle.ns > 0 && quiet > l->options.idle.ns) {
			syslog_close(l, c);
		}
	}
}
