#include "serve/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "serve/http_internal.h"
#include "serve/http_route.h"

#define THREADS 4
#define CONNECTIONS 1024
#define TIMEOUT 30
#define MAX_BODIES ((size_t)256 << 20)
/* Of a request that is refused this much more is read, so that the sender sees the answer. */
#define MAX_DISCARDED ((size_t)64 << 20)
#define STREAM_BLOCK 16384
#define MAX_PEM ((size_t)1 << 20)

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_options options;
	struct http_route *routes;
	char *certificate, *key;
	uint16_t port;
	atomic_size_t bodies; /* bytes held */
	_Atomic uint64_t requests, by_class[6], bytes_in, bytes_out, unauthorised, refused;
	_Atomic uint64_t *by_route;
	pthread_mutex_t streams; /* for what follows */
	struct exchange *asleep; /* streams that have nothing to say */
	uint64_t wakes;
	bool ending;
};

/* A request on its way. */
struct exchange {
	struct http_server *server;
	const struct http_route *route; /* NULL: none takes it */
	struct http_request request;
	struct http_response response;
	struct buf body;
	size_t held;	  /* of the server's `bodies` */
	size_t discarded;
	bool decided;	  /* the answer stands; what still comes of the body is discarded */
	unsigned status;  /* sent */
	struct MHD_Connection *connection;
	struct exchange *next_asleep;
	struct arena arena;
};

struct sv http_header(const struct http_request *r, const char *name)
{
	if (r->_connection == NULL)
		return SV_NONE;
	return sv_cstr(MHD_lookup_connection_value(r->_connection, MHD_HEADER_KIND, name));
}

struct wanted {
	struct sv name, value;
};

static void find_wanted(void *arg, struct sv name, struct sv value)
{
	struct wanted *w = arg;

	/* `?name` without a value is an empty one; the first of several counts. */
	if (w->value.p == NULL && sv_eq(name, w->name))
		w->value = value;
}

struct sv http_query(const struct http_request *r, const char *name)
{
	struct wanted w = { sv_cstr(name), SV_NONE };

	http_each_query(r, find_wanted, &w);
	return w.value;
}

struct each {
	const struct http_request *request;
	void (*take)(void *arg, struct sv name, struct sv value);
	void *arg;
};

static struct sv decoded(struct sv text, struct arena *a)
{
	struct sv out;

	return http_decode(text, a, &out) ? out : SV_NONE;
}

static enum MHD_Result one_argument(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_n,
				    const char *value, size_t n)
{
	const struct each *e = arg;
	struct arena *a = e->request->_arena;

	(void)kind;
	e->take(e->arg, decoded(sv_make(key, key_n), a), decoded(sv_make(value != NULL ? value : "", n), a));
	return MHD_YES;
}

void http_each_query(const struct http_request *r, void (*take)(void *arg, struct sv name, struct sv value), void *arg)
{
	struct each e = { r, take, arg };

	if (r->_connection == NULL)
		http_each_local(r, take, arg);
	else
		MHD_get_connection_values_n(r->_connection, MHD_GET_ARGUMENT_KIND, one_argument, &e);
}

static struct instant wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct instant){ ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

static struct addr peer_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct addr a = { { 0 } };

	if (info == NULL || info->client_addr == NULL)
		return a;
	if (info->client_addr->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, info->client_addr, sizeof(in));
		memset(a.b + 10, 0xff, 2);
		memcpy(a.b + 12, &in.sin_addr, 4);
	} else if (info->client_addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		memcpy(&in, info->client_addr, sizeof(in));
		memcpy(a.b, &in.sin6_addr, sizeof(a.b));
	}
	return a;
}

/* What came after the stream was asked must not be slept through. */
static ssize_t sleep_on(struct exchange *x, uint64_t wakes)
{
	struct http_server *s = x->server;
	bool ending;

	pthread_mutex_lock(&s->streams);
	ending = s->ending;
	if (!ending && s->wakes == wakes) {
		MHD_suspend_connection(x->connection);
		x->next_asleep = s->asleep;
		s->asleep = x;
	}
	pthread_mutex_unlock(&s->streams);
	return ending ? MHD_CONTENT_READER_END_OF_STREAM : 0;
}

static ssize_t read_stream(void *state, uint64_t at, char *out, size_t n)
{
	struct exchange *x = state;
	ptrdiff_t got;
	uint64_t wakes;

	(void)at;
	pthread_mutex_lock(&x->server->streams);
	wakes = x->server->wakes;
	pthread_mutex_unlock(&x->server->streams);
	got = x->response.stream(x->response.state, out, n);
	if (got == 0)
		return sleep_on(x, wakes);
	if (got > 0)
		x->server->bytes_out += (uint64_t)got;
	return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void wake(struct http_server *s, bool ending)
{
	struct exchange *x;

	pthread_mutex_lock(&s->streams);
	s->wakes++;
	s->ending |= ending;
	x = s->asleep;
	s->asleep = NULL;
	while (x != NULL) {
		struct exchange *next = x->next_asleep;

		MHD_resume_connection(x->connection);
		x = next;
	}
	pthread_mutex_unlock(&s->streams);
}

void http_wake(struct http_server *s) { wake(s, false); }

/* Unless the handler says otherwise. */
static void add_header(struct MHD_Response *m, const struct http_response *r, const char *name, const char *value)
{
	for (const struct http_header_list *h = r->_headers; h != NULL; h = h->next)
		if (strcasecmp(h->name, name) == 0)
			return;
	MHD_add_response_header(m, name, value);
}

static void add_headers(struct MHD_Response *m, const struct http_server *s, const struct http_response *r)
{
	MHD_add_response_header(m, "Content-Type", r->type);
	add_header(m, r, "X-Content-Type-Options", "nosniff");
	add_header(m, r, "Cache-Control", "no-store");
	add_header(m, r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	add_header(m, r, "X-Frame-Options", "DENY");
	add_header(m, r, "Referrer-Policy", "no-referrer");
	add_header(m, r, "Cross-Origin-Resource-Policy", "same-origin");
	if (s->options.strict_transport)
		add_header(m, r, "Strict-Transport-Security", "max-age=31536000");
	for (const struct http_header_list *h = r->_headers; h != NULL; h = h->next)
		MHD_add_response_header(m, h->name, h->value);
}

static enum MHD_Result answer(struct exchange *x, struct MHD_Connection *c)
{
	struct http_response *r = &x->response;
	struct MHD_Response *m;
	enum MHD_Result ok;

	if (r->body.overflowed)
		http_error(r, 500, "too_large", "the answer is larger than %zu bytes: ask for less",
			   HTTP_MAX_REPLY);
	if (r->stream != NULL) {
		m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL);
	} else {
		m = MHD_create_response_from_buffer(r->body.n, r->body.p, MHD_RESPMEM_MUST_FREE);
		x->server->bytes_out += r->body.n;
		if (m != NULL)
			r->body.p = NULL; /* the response's now */
	}
	if (m == NULL)
		return MHD_NO;
	add_headers(m, x->server, r);
	x->status = r->status;
	ok = MHD_queue_response(c, r->status, m);
	MHD_destroy_response(m);
	return ok;
}

static void check_role(struct exchange *x)
{
	const struct http_options *o = &x->server->options;

	if (x->route->role == HTTP_ANYONE)
		return;
	if (o->authenticate != NULL)
		o->authenticate(o->context, &x->request);
	http_check_role(x->route, &x->request, &x->response);
}

static void check_length(struct exchange *x)
{
	struct sv length = http_header(&x->request, "Content-Length");
	uint64_t n;

	if (length.p != NULL && sv_to_u64(length, &n) && n > x->route->max_body)
		http_error(&x->response, 413, "too_large", "the body has %llu bytes, more than the %zu allowed",
			   (unsigned long long)n, x->route->max_body);
}

static uint32_t uid_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return UINT32_MAX;
	return peer.uid;
}

/* The headers are there. */
static struct exchange *begin(struct http_server *s, struct MHD_Connection *c, const char *path,
			      const char *method)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	s->requests++;
	x->server = s;
	x->request = (struct http_request){ .method = method,
					    .path = sv_cstr(path),
					    .peer = peer_of(c),
					    .uid = UINT32_MAX,
					    .now = wall(),
					    ._connection = c,
					    ._arena = &x->arena };
	x->connection = c;
	http_response_init(&x->response);
	x->route = http_find_route(s->routes, s->options.n_routes, &x->request, &x->response);
	if (s->options.unix_path != NULL)
		x->request.uid = uid_of(c);
	if (x->route != NULL) {
		buf_init(&x->body, x->route->max_body > 0 ? x->route->max_body : 1);
		s->by_route[x->route - s->routes]++;
		check_length(x);
		if (x->response.status < 400)
			check_role(x);
		if (x->response.status < 400 && x->route->admit != NULL)
			x->route->admit(x->route->context, &x->request, &x->response);
	}
	x->decided = x->response.status >= 400;
	return x;
}

/* False: the connection is given up. */
static bool take(struct exchange *x, const char *p, size_t n)
{
	struct http_server *s = x->server;

	s->bytes_in += n;
	if (!x->decided && x->body.n + n > x->route->max_body) {
		http_error(&x->response, 413, "too_large", "the body has more than the %zu bytes allowed",
			   x->route->max_body);
		x->decided = true;
	}
	if (!x->decided && atomic_fetch_add(&s->bodies, n) + n > s->options.max_bodies) {
		atomic_fetch_sub(&s->bodies, n);
		http_error(&x->response, 503, "busy", "too much is being received at once: try again");
		http_set_header(&x->response, "Retry-After", "1");
		x->decided = true;
	}
	if (x->decided) {
		x->discarded += n;
		return x->discarded <= MAX_DISCARDED;
	}
	x->held += n;
	return buf_append(&x->body, p, n);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_n, void **state)
{
	struct exchange *x = *state;

	(void)version;
	if (x == NULL) {
		*state = begin(context, c, path, method);
		return MHD_YES;
	}
	if (*upload_n > 0) {
		bool ok = take(x, upload, *upload_n);
		*upload_n = 0;
		return ok ? MHD_YES : MHD_NO;
	}
	if (!x->decided) {
		x->request.body = buf_view(&x->body);
		x->request.now = wall();
		x->route->handler(x->route->context, &x->request, &x->response);
	}
	return answer(x, c);
}

static void complete(void *context, struct MHD_Connection *c, void **state,
		     enum MHD_RequestTerminationCode why)
{
	struct http_server *s = context;
	struct exchange *x = *state;

	(void)c;
	(void)why;
	if (x == NULL)
		return;
	s->by_class[x->status / 100 < 6 ? x->status / 100 : 0]++;
	s->unauthorised += x->status == 401 || x->status == 403;
	s->refused += x->status == 413 || x->status == 429 || x->status == 503;
	http_response_free(&x->response);
	atomic_fetch_sub(&s->bodies, x->held);
	buf_free(&x->body);
	arena_free(&x->arena);
	free(x);
	*state = NULL;
}

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

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path)) {
		error_set(err, ERROR_CONFIG, 0, "%s: too long for a socket's name; give serve.state a shorter path",
			  path);
		return -1;
	}
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && chmod(path, 0660) == 0 &&
	    listen(fd, 64) == 0)
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
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, s,
	    MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
	    complete, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_THREAD_POOL_SIZE, o->threads,
	    MHD_OPTION_CONNECTION_LIMIT, o->max_connections, MHD_OPTION_CONNECTION_TIMEOUT, o->timeout,
	    MHD_OPTION_END);
	if (s->daemon == NULL)
		close(fd);
	return s->daemon != NULL || error_set(err, ERROR_IO, 0, "%s: cannot be served: %s", o->unix_path, strerror(errno));
}

static bool start(struct http_server *s, struct error *err)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const struct http_options *o = &s->options;
	bool v4 = memcmp(o->ip.b, mapped, sizeof(mapped)) == 0;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
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
	    flags, o->port, NULL, NULL, handle, s, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	    MHD_OPTION_SOCK_ADDR, v4 ? (struct sockaddr *)&four : (struct sockaddr *)&six,
	    MHD_OPTION_NOTIFY_COMPLETED, complete, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
	    MHD_OPTION_THREAD_POOL_SIZE, o->threads, MHD_OPTION_CONNECTION_LIMIT, o->max_connections,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_per_address, MHD_OPTION_CONNECTION_TIMEOUT,
	    o->timeout, MHD_OPTION_ARRAY, s->certificate != NULL ? tls : no_tls, MHD_OPTION_END);
	addr_format(&o->ip, ip);
	if (s->daemon == NULL)
		return error_set(err, ERROR_IO, 0,
				 "serve.listen: %s port %u: cannot be listened on%s: look at whether another program is there",
				 addr_known(&o->ip) ? ip : "[::]", o->port,
				 s->certificate != NULL ? ", or certificate and key do not fit" : "");
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
		wake(s, true);
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
