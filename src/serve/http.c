#include "serve/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "serve/http_route.h"

#define THREADS 4
#define CONNECTIONS 1024
#define TIMEOUT 30
#define MAX_BODIES ((size_t)256 << 20)
#define MAX_REPLY ((size_t)256 << 20)
/* Of a request that is refused this much more is read, so that the sender sees the answer. */
#define MAX_DISCARDED ((size_t)64 << 20)
#define STREAM_BLOCK 16384
#define MAX_HEADERS 16
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
};

struct http_header_list {
	const char *name;
	char *value;
	struct http_header_list *next;
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
	struct arena arena;
};

void http_set_header(struct http_response *r, const char *name, const char *value)
{
	struct http_header_list *h = xmalloc(sizeof(*h));
	size_t n = strlen(value) + 1;

	*h = (struct http_header_list){ name, memcpy(xmalloc(n), value, n), r->_headers };
	r->_headers = h;
}

void http_error(struct http_response *r, unsigned status, const char *code, const char *fmt, ...)
{
	char message[1024];
	va_list args;
	struct jsonw w;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	r->status = status;
	r->type = "application/json";
	buf_reset(&r->body);
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "error");
	jsonw_open(&w, '{');
	jsonw_key(&w, "code");
	jsonw_str(&w, code);
	jsonw_key(&w, "message");
	jsonw_str(&w, message);
	jsonw_close(&w, '}');
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}

struct sv http_header(const struct http_request *r, const char *name)
{
	return sv_cstr(MHD_lookup_connection_value(r->_connection, MHD_HEADER_KIND, name));
}

struct sv http_query(const struct http_request *r, const char *name)
{
	const char *value = NULL;
	size_t n = 0;
	struct sv decoded;

	if (MHD_lookup_connection_value_n(r->_connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
					  &value, &n) != MHD_YES)
		return SV_NONE;
	/* `?name` without a value is an empty one. */
	return http_decode(sv_make(value != NULL ? value : "", n), r->_arena, &decoded) ? decoded
											 : SV_NONE;
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

static ssize_t read_stream(void *state, uint64_t at, char *out, size_t n)
{
	struct exchange *x = state;
	ptrdiff_t got = x->response.stream(x->response.state, out, n);

	(void)at;
	if (got > 0)
		x->server->bytes_out += (uint64_t)got;
	return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static enum MHD_Result answer(struct exchange *x, struct MHD_Connection *c)
{
	struct http_response *r = &x->response;
	struct MHD_Response *m;
	enum MHD_Result ok;

	if (r->body.overflowed)
		http_error(r, 500, "too_large", "the answer is larger than %zu bytes: ask for less",
			   MAX_REPLY);
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
	MHD_add_response_header(m, "Content-Type", r->type);
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	for (const struct http_header_list *h = r->_headers; h != NULL; h = h->next)
		MHD_add_response_header(m, h->name, h->value);
	x->status = r->status;
	ok = MHD_queue_response(c, r->status, m);
	MHD_destroy_response(m);
	return ok;
}

/* The methods that the path has routes for. */
static void refuse_method(struct exchange *x, const char *allowed)
{
	http_error(&x->response, 405, "method_not_allowed", "%s is not allowed here: use %s",
		   x->request.method, allowed);
	http_set_header(&x->response, "Allow", allowed);
}

static void find_route(struct exchange *x)
{
	struct sv raw[HTTP_MAX_PARAMS], method = sv_cstr(x->request.method);
	char allowed[128] = "";
	size_t length = 0;

	if (sv_eq(method, SV("HEAD")))
		method = SV("GET");
	for (size_t i = 0; i < x->server->options.n_routes; i++) {
		const struct http_route *route = &x->server->routes[i];
		memset(raw, 0, sizeof(raw));
		if (!http_route_matches(route->pattern, x->request.path, raw))
			continue;
		if (!sv_eq(method, sv_cstr(route->method))) {
			if (length < sizeof(allowed))
				length += (size_t)snprintf(allowed + length, sizeof(allowed) - length,
							   "%s%s", length > 0 ? ", " : "", route->method);
			continue;
		}
		for (size_t p = 0; p < HTTP_MAX_PARAMS; p++)
			if (raw[p].p != NULL && !http_decode(raw[p], &x->arena, &x->request.params[p])) {
				http_error(&x->response, 400, "bad_path",
					   "the path holds a wrong percent escape");
				return;
			}
		x->route = route;
		return;
	}
	if (length > 0)
		refuse_method(x, allowed);
	else
		http_error(&x->response, 404, "not_found", "there is nothing at this path");
}

static void check_role(struct exchange *x)
{
	const struct http_server *s = x->server;

	if (s->options.authenticate != NULL)
		s->options.authenticate(s->options.context, &x->request);
	if (x->request.role >= x->route->role)
		return;
	if (x->request.role == HTTP_ANYONE) {
		http_error(&x->response, 401, "unauthorized", "say who you are: Authorization: Bearer TOKEN");
		http_set_header(&x->response, "WWW-Authenticate", "Bearer realm=\"pinwatch\"");
	} else {
		http_error(&x->response, 403, "forbidden", "your role does not allow this");
	}
}

static void check_length(struct exchange *x)
{
	struct sv length = http_header(&x->request, "Content-Length");
	uint64_t n;

	if (length.p != NULL && sv_to_u64(length, &n) && n > x->route->max_body)
		http_error(&x->response, 413, "too_large", "the body has %llu bytes, more than the %zu allowed",
			   (unsigned long long)n, x->route->max_body);
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
					    ._connection = c,
					    ._arena = &x->arena };
	x->response = (struct http_response){ .status = 200, .type = "application/json" };
	buf_init(&x->response.body, MAX_REPLY);
	find_route(x);
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
	if (x->response.closed != NULL)
		x->response.closed(x->response.state);
	while (x->response._headers != NULL) {
		struct http_header_list *h = x->response._headers;
		x->response._headers = h->next;
		free(h->value);
		free(h);
	}
	buf_free(&x->response.body);
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

static bool start(struct http_server *s, struct error *err)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const struct http_options *o = &s->options;
	bool v4 = memcmp(o->ip.b, mapped, sizeof(mapped)) == 0;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
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
	if (!start(s, err)) {
		http_stop(s);
		return NULL;
	}
	return s;
}

void http_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
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
