#include "http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"

#define THREADS 4
#define CONNECTIONS 1024
#define TIMEOUT 30
#define MAX_BODIES ((size_t)256 << 20)
#define MAX_PEM ((size_t)1 << 20)

/* Paths and queries are decoded where they are used, so that a `%2F` in a name stays one. */
static size_t leave_escapes(void *context, struct MHD_Connection *c, char *text)
{
	(void)context;
	(void)c;
	return strlen(text);
}

static void no_log(void *context, const char *format, va_list args)
{
	(void)context;
	(void)format;
	(void)args;
}

static char *read_pem(const char *path, struct error *err)
{
	FILE *f = fopen(path, "re");
	char *text = xmalloc(MAX_PEM);
	size_t n = f != NULL ? fread(text, 1, MAX_PEM - 1, f) : 0;

	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	if (n > 0)
		return text;
	free(text);
	error_set(err, ERROR_IO, 0, "%s: cannot be read: expected a PEM file", path);
	return NULL;
}

/* A listening socket at unix_path; -1 and *err. */
static int listen_unix(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
	    (int)sizeof(address.sun_path)) {
		error_set(err, ERROR_CONFIG, 0,
			  "%s: too long for a socket's name; give serve.state a shorter path",
			  path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, 0660) == 0 && listen(fd, 64) == 0)
		return fd;
	error_set(err, ERROR_IO, 0, "%s: cannot be opened: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool start_unix(struct http_server *s, struct error *err)
{
	const struct http_options *o = &s->options;
	int fd = listen_unix(o->unix_path, err);

	if (fd < 0)
		return false;
	s->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	    NULL, http_handle, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, http_complete, s,
	    MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_THREAD_POOL_SIZE,
	    o->threads, MHD_OPTION_CONNECTION_LIMIT, o->max_connections,
	    MHD_OPTION_CONNECTION_TIMEOUT, o->timeout, MHD_OPTION_END);
	if (s->daemon == NULL)
		close(fd);
	return s->daemon != NULL || error_set(err, ERROR_IO, 0, "%s: cannot be served: %s",
					      o->unix_path, strerror(errno));
}

static bool start(struct http_server *s, struct error *err)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const struct http_options *o = &s->options;
	bool v4 = memcmp(o->ip.b, mapped, sizeof(mapped)) == 0;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	unsigned flags =
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, s->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		  (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem no_tls[] = { { MHD_OPTION_END, 0, NULL } };
	const union MHD_DaemonInfo *info;
	char ip[ADDR_TEXT_SIZE];

	memcpy(&six.sin6_addr, o->ip.b, sizeof(o->ip.b));
	memcpy(&four.sin_addr, o->ip.b + 12, 4);
	flags |= v4 ? 0u : MHD_USE_IPv6;
	flags |= s->certificate != NULL ? (unsigned)MHD_USE_TLS : 0u;
	s->daemon = MHD_start_daemon(
	    flags, o->port, NULL, NULL, http_handle, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	    MHD_OPTION_SOCK_ADDR, v4 ? (struct sockaddr *)&four : (struct sockaddr *)&six,
	    MHD_OPTION_NOTIFY_COMPLETED, http_complete, s, MHD_OPTION_UNESCAPE_CALLBACK,
	    leave_escapes, NULL, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
	    MHD_OPTION_CONNECTION_LIMIT, o->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    o->max_per_address, MHD_OPTION_CONNECTION_TIMEOUT, o->timeout, MHD_OPTION_ARRAY,
	    s->certificate != NULL ? tls : no_tls, MHD_OPTION_END);
	addr_format(&o->ip, ip);
	if (s->daemon == NULL)
		return error_set(err, ERROR_IO, 0,
				 "serve.listen: %s port %u: cannot be listened on%s: look at "
				 "whether another program is there",
				 addr_known(&o->ip) ? ip : "[::]", o->port,
				 s->certificate != NULL ? ", or certificate and key do not fit"
							: "");
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
	s->port = info != NULL ? info->port : o->port;
	return true;
}

struct http_server *http_start(const struct http_options *options, struct error *err)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	struct http_options *o = &s->options;

	*o = *options;
	pthread_mutex_init(&s->streams, NULL);
	o->threads = o->threads > 0 ? o->threads : THREADS;
	o->max_connections = o->max_connections > 0 ? o->max_connections : CONNECTIONS;
	if (o->max_connections < o->threads)
		o->max_connections = o->threads;
	o->timeout = o->timeout > 0 ? o->timeout : TIMEOUT;
	o->max_bodies = o->max_bodies > 0 ? o->max_bodies : MAX_BODIES;
	s->routes = xcalloc(o->n_routes + 1, sizeof(*s->routes));
	if (o->n_routes > 0)
		memcpy(s->routes, options->routes, o->n_routes * sizeof(*s->routes));
	o->routes = s->routes;
	s->by_route = xcalloc(o->n_routes + 1, sizeof(*s->by_route));
	if (o->certificate != NULL &&
	    ((s->certificate = read_pem(o->certificate, err)) == NULL ||
	     (s->key = read_pem(o->key != NULL ? o->key : o->certificate, err)) == NULL)) {
		http_stop(s);
		return NULL;
	}
	if (!(o->unix_path != NULL ? start_unix(s, err) : start(s, err))) {
		http_stop(s);
		return NULL;
	}
	return s;
}

void http_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	if (s->daemon != NULL) {
		http_wake_streams(s, true);
		MHD_stop_daemon(s->daemon);
		if (s->options.unix_path != NULL)
			unlink(s->options.unix_path);
	}
	pthread_mutex_destroy(&s->streams);
	if (s->key != NULL) /* it need not outlive the server in memory */
		explicit_bzero(s->key, strlen(s->key));
	free(s->key);
	free(s->certificate);
	free(s->routes);
	free((void *)(uintptr_t)s->by_route);
	free(s);
}

void http_wake(struct http_server *s) { http_wake_streams(s, false); }

uint16_t http_port(const struct http_server *s) { return s->port; }

void http_stats(struct http_server *s, struct http_stats *out)
{
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	*out = (struct http_stats){
		.requests = s->requests,
		.bytes_in = s->bytes_in,
		.bytes_out = s->bytes_out,
		.unauthorised = s->unauthorised,
		.refused = s->refused,
		.connections = info != NULL ? info->num_connections : 0,
	};
	for (size_t i = 0; i < 6; i++)
		out->by_class[i] = s->by_class[i];
}

uint64_t http_route_requests(struct http_server *s, size_t route)
{
	return route < s->options.n_routes ? s->by_route[route] : 0;
}
