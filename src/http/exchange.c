#include "http/server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/arena.h"
#include "http/route.h"

/* Of a request that is refused this much more is read, so that the sender sees the answer. */
#define MAX_DISCARDED ((size_t)64 << 20)
#define STREAM_BLOCK 16384

/* A request on its way. */
struct exchange {
	struct http_server *server;
	const struct http_route *route; /* NULL: none takes it */
	struct http_request request;
	struct http_response response;
	struct buf body;
	size_t held; /* of the server's `bodies` */
	size_t discarded;
	bool decided;	 /* the answer stands; what still comes of the body is discarded */
	unsigned status; /* sent */
	struct MHD_Connection *connection;
	struct exchange *next_asleep;
	struct arena arena;
};

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

void http_wake_streams(struct http_server *s, bool ending)
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

/* Unless the handler says otherwise. */
static void add_header(struct MHD_Response *m, const struct http_response *r, const char *name,
		       const char *value)
{
	for (const struct http_header_list *h = r->_headers; h != NULL; h = h->next)
		if (strcasecmp(h->name, name) == 0)
			return;
	MHD_add_response_header(m, name, value);
}

static void add_headers(struct MHD_Response *m, const struct http_server *s,
			const struct http_response *r)
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
		m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
						      x, NULL);
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
		http_error(&x->response, 413, "too_large",
			   "the body has %llu bytes, more than the %zu allowed",
			   (unsigned long long)n, x->route->max_body);
}

static uint32_t uid_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
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
		http_error(&x->response, 413, "too_large",
			   "the body has more than the %zu bytes allowed", x->route->max_body);
		x->decided = true;
	}
	if (!x->decided && atomic_fetch_add(&s->bodies, n) + n > s->options.max_bodies) {
		atomic_fetch_sub(&s->bodies, n);
		http_error(&x->response, 503, "busy",
			   "too much is being received at once: try again");
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

enum MHD_Result http_handle(void *context, struct MHD_Connection *c, const char *path,
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

void http_complete(void *context, struct MHD_Connection *c, void **state,
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
