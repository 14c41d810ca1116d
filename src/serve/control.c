#include "serve/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "serve/status.h"

#define MAX_CLIENTS 32
#define MAX_REQUEST 256
#define MAX_ANSWER ((size_t)64 * 1024 * 1024)

struct client {
	int fd; /* -1: free */
	char request[MAX_REQUEST];
	size_t n;
	struct buf answer;
	size_t written;
	bool answering, settling;
};

struct control_socket {
	struct daemon *d;
	char *path;
	int listening, epoll;
	struct client clients[MAX_CLIENTS];
};

struct control_socket *control_open(struct daemon *d, struct error *err)
{
	struct control_socket *c = xcalloc(1, sizeof(*c));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN };
	int n =
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", d->state_dir);

	c->d = d;
	c->listening = -1;
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		c->clients[i].fd = -1;
		buf_init(&c->clients[i].answer, MAX_ANSWER);
	}
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n >= (int)sizeof(address.sun_path)) {
		error_set(err, ERROR_CONFIG, 0,
			  "%s/control.sock: too long for a socket's name; give serve.state a "
			  "shorter path",
			  d->state_dir);
		control_close(c);
		return NULL;
	}
	c->path = xstrdup(address.sun_path);
	unlink(c->path);
	c->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->listening >= 0 &&
	    bind(c->listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(c->path, 0660) == 0 && listen(c->listening, 16) == 0 &&
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listening, &event) == 0)
		return c;
	error_set(err, ERROR_IO, 0, "%s: cannot be opened: %s", c->path, strerror(errno));
	control_close(c);
	return NULL;
}

static void hang_up(struct client *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	buf_reset(&x->answer);
	x->n = x->written = 0;
	x->answering = x->settling = false;
}

void control_close(struct control_socket *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		hang_up(&c->clients[i]);
		buf_free(&c->clients[i].answer);
	}
	if (c->listening >= 0)
		close(c->listening);
	if (c->epoll >= 0)
		close(c->epoll);
	if (c->path != NULL)
		unlink(c->path);
	free(c->path);
	free(c);
}

int control_fd(const struct control_socket *c) { return c->epoll; }

static void greet(struct control_socket *c)
{
	for (;;) {
		int fd = accept4(c->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client *x = NULL;
		struct epoll_event event = { .events = EPOLLIN };

		if (fd < 0)
			return;
		for (size_t i = 0; i < MAX_CLIENTS && x == NULL; i++)
			if (c->clients[i].fd < 0)
				x = &c->clients[i];
		event.data.ptr = x;
		if (x == NULL || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
			close(fd);
			continue;
		}
		x->fd = fd;
	}
}

/* Writes what the socket takes; the rest when it takes more. */
static void answer(struct control_socket *c, struct client *x)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = x };

	x->answering = true;
	while (x->written < x->answer.n) {
		ssize_t n =
		    send(x->fd, x->answer.p + x->written, x->answer.n - x->written, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			epoll_ctl(c->epoll, EPOLL_CTL_MOD, x->fd, &event);
			return;
		}
		if (n < 0)
			break;
		x->written += (size_t)n;
	}
	hang_up(x);
}

static void obey(struct control_socket *c, struct client *x, struct sv line)
{
	if (sv_eq(line, SV("status json"))) {
		status_json(&x->answer, c->d);
	} else if (sv_eq(line, SV("status table"))) {
		status_table(&x->answer, c->d);
	} else if (sv_eq(line, SV("settle"))) {
		x->settling = c->d->settle = true;
		return;
	} else if (sv_eq(line, SV("reload"))) {
		c->d->reload = true;
		buf_str(&x->answer, "ok\n");
	} else {
		buf_str(&x->answer,
			"unknown request: expected status json, status table, settle or reload\n");
	}
	answer(c, x);
}

static void listen_to(struct control_socket *c, struct client *x)
{
	ssize_t n = recv(x->fd, x->request + x->n, sizeof(x->request) - x->n, 0);
	size_t end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(x);
		return;
	}
	x->n += (size_t)n;
	end = sv_find_char(sv_make(x->request, x->n), '\n');
	if (end != SIZE_MAX && !x->settling)
		obey(c, x, sv_trim(sv_make(x->request, end)));
	else if (x->n == sizeof(x->request))
		hang_up(x);
}

void control_serve(struct control_socket *c)
{
	struct epoll_event events[MAX_CLIENTS + 1];
	int n = epoll_wait(c->epoll, events, MAX_CLIENTS + 1, 0);

	for (int i = 0; i < n; i++) {
		struct client *x = events[i].data.ptr;

		if (x == NULL)
			greet(c);
		else if (x->fd >= 0 && x->answering)
			answer(c, x);
		else if (x->fd >= 0)
			listen_to(c, x);
	}
}

void control_settled(struct control_socket *c)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		struct client *x = &c->clients[i];

		if (x->fd < 0 || !x->settling)
			continue;
		if (c->d->trouble)
			buf_printf(&x->answer, "failed: %s\n", c->d->trouble_why.message);
		else
			buf_str(&x->answer, "ok\n");
		answer(c, x);
	}
	c->d->settle = false;
}
