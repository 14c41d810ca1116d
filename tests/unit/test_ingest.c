#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

#include "base/arena.h"
#include "http/route.h"
#include "live.h"
#include "parse/json_check.h"
#include "read/spool.h"
#include "serve/ingest.h"

#define SEGMENT (UINT64_C(256) << 10)
#define JSON "Content-Type: application/json\r\n"
#define NDJSON "Content-Type: application/x-ndjson\r\n"
#define AUTHORISED "Authorization: Bearer secret-token-1\r\n"
#define PUSH "POST /api/v1/ingest/events"

struct bench {
	char dir[256], spool_dirs[2][280];
	struct spool *spools[2];
	struct spool_reader *reader; /* of the first */
	struct ingest *ingest;
	struct http_server *server;
	char status[4];
	char answer[8192];
};

static void echo(void *context, const struct http_request *q, struct http_response *r)
{
	struct sv word = http_query(q, "word");

	(void)context;
	buf_printf(&r->body, "%.*s %.*s", SV_ARG(q->params[0]), SV_ARG(word));
	r->type = "text/plain";
}

static ptrdiff_t count_down(void *state, char *out, size_t n)
{
	int *left = state;

	assert_true(n > 0);
	if (*left == 0)
		return -1;
	out[0] = (char)('0' + *left);
	--*left;
	return 1;
}

static void stream(void *context, const struct http_request *q, struct http_response *r)
{
	(void)q;
	r->stream = count_down;
	r->state = context;
}

static void ignore(void *state) { (void)state; }

static void close_stream(void *context, const struct http_request *q, struct http_response *r)
{
	stream(context, q, r);
	r->closed = ignore;
}

/* `viewer` and `admin` are tokens. */
static void authenticate(void *context, struct http_request *q)
{
	struct sv who = http_header(q, "Authorization");

	(void)context;
	if (sv_eq(who, SV("Bearer viewer")))
		q->role = HTTP_VIEWER;
	if (sv_eq(who, SV("Bearer admin")))
		q->role = HTTP_ADMIN;
}

static struct spool *open_spool(const char *dir, uint64_t max_size)
{
	struct spool_options o = { .dir = dir, .segment_size = SEGMENT, .max_size = max_size };
	struct error err = { 0 };
	struct spool *s = spool_open(&o, &err);

	assert_non_null(s);
	return s;
}

static void begin(struct bench *b, uint64_t spool_size, const char *certificate, const char *key)
{
	struct error err = { 0 };
	char dir[256];
	static int left;

	memset(b, 0, sizeof(*b));
	left = 3;
	make_dir(dir, sizeof(dir));
	memcpy(b->dir, dir, sizeof(dir));
	for (int i = 0; i < 2; i++) {
		snprintf(b->spool_dirs[i], sizeof(b->spool_dirs[i]), "%s/%d", dir, i);
		b->spools[i] = open_spool(b->spool_dirs[i], spool_size);
	}
	b->reader = spool_reader_open(b->spools[0], SV_NONE, &err);
	const struct ingest_source sources[] = {
		{ .name = SV("events"), .spool = b->spools[0], .token = SV("secret-token-1") },
		{ .name = SV("mdm"), .spool = b->spools[1], .secret = SV("hmac-secret") },
		{ .name = SV("other"), .spool = b->spools[1], .token = SV("secret-token-2") },
	};
	b->ingest = ingest_new(&(struct ingest_options){ .sources = sources,
							 .n_sources = 3,
							 .max_body = 1000000,
							 .max_unpacked = 1200000,
							 .max_record = 100000 },
			       &err);
	assert_non_null(b->ingest);
	const struct http_route routes[] = {
		ingest_route(b->ingest),
		{ .method = "GET", .pattern = "/echo/{word}", .handler = echo },
		{ .method = "GET",
		  .pattern = "/stream",
		  .handler = close_stream,
		  .context = &left },
		{ .method = "GET", .pattern = "/admin", .role = HTTP_ADMIN, .handler = echo },
	};
	struct http_options o = { .certificate = certificate,
				  .key = key,
				  .routes = routes,
				  .n_routes = sizeof(routes) / sizeof(routes[0]),
				  .authenticate = authenticate };
	assert_true(addr_parse(SV("127.0.0.1"), &o.ip));
	b->server = http_start(&o, &err);
	if (b->server == NULL)
		fail_msg("%s", err.message);
}

static void end(struct bench *b)
{
	http_stop(b->server);
	ingest_free(b->ingest);
	spool_reader_close(b->reader);
	for (int i = 0; i < 2; i++) {
		spool_close(b->spools[i]);
		remove_dir(b->spool_dirs[i]);
	}
	remove_dir(b->dir);
}

/* Sends one request and takes the whole answer. `request`: method and path; headers with line
 * ends. */
static void ask_bytes(struct bench *b, const char *request, const char *headers, struct sv body)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(http_port(b->server)),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char head[2048];
	size_t have = 0, at = 0;
	ssize_t n;

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	n = snprintf(head, sizeof(head),
		     "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", request, headers);
	if (body.p != NULL)
		n +=
		    snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n", body.n);
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	assert_int_equal(send(fd, head, (size_t)n, MSG_NOSIGNAL), n);
	while (at < body.n && (n = send(fd, body.p + at, body.n - at, MSG_NOSIGNAL)) > 0)
		at += (size_t)n;
	while (have < sizeof(b->answer) - 1 &&
	       (n = recv(fd, b->answer + have, sizeof(b->answer) - 1 - have, 0)) > 0)
		have += (size_t)n;
	close(fd);
	b->answer[have] = '\0';
	assert_true(have > 12);
	snprintf(b->status, sizeof(b->status), "%.3s", b->answer + 9);
}

static void ask(struct bench *b, const char *request, const char *headers, const char *body)
{
	ask_bytes(b, request, headers, sv_cstr(body));
}

static void expect_answer(const struct bench *b, const char *status, const char *part)
{
	if (strcmp(b->status, status) != 0 || strstr(b->answer, part) == NULL)
		fail_msg("expected %s with `%s`, got\n%s", status, part, b->answer);
}

static void expect_record(struct bench *b, const char *wanted)
{
	struct input_where where;
	struct instant arrival;
	struct error err;
	struct sv record;

	/* An answer has been given, so the record has to be there without waiting. */
	assert_int_equal(spool_next(b->reader, &record, &arrival, &where, &err), INPUT_RECORD);
	if (!sv_eq(record, sv_cstr(wanted)))
		fail_msg("expected `%s`, got `%.*s`", wanted, SV_ARG(record));
}

static void expect_no_record(struct bench *b)
{
	struct input_where where;
	struct instant arrival;
	struct error err;
	struct sv record;

	assert_int_equal(spool_next(b->reader, &record, &arrival, &where, &err), INPUT_NOTHING_YET);
}

static void routes(void **state)
{
	struct sv params[HTTP_MAX_PARAMS] = { { 0 } }, decoded;
	struct arena a = { 0 };

	(void)state;
	assert_true(http_route_matches("/a/{x}/b/{y...}", SV("/a/one/b/two/three"), params));
	assert_true(sv_eq(params[0], SV("one")));
	assert_true(sv_eq(params[1], SV("two/three")));
	assert_false(http_route_matches("/a/{x}", SV("/a/"), params));
	assert_false(http_route_matches("/a/{x}", SV("/a/b/c"), params));
	assert_false(http_route_matches("/a", SV("/a/"), params));
	assert_false(http_route_matches("/a/b", SV("/a"), params));
	assert_true(http_decode(SV("a%2Fb%20c+d"), &a, &decoded));
	assert_true(sv_eq(decoded, SV("a/b c+d")));
	assert_false(http_decode(SV("a%2"), &a, &decoded));
	assert_false(http_decode(SV("a%zz"), &a, &decoded));
	assert_false(http_decode(SV("a%00"), &a, &decoded));
	arena_free(&a);
}

static void elements_of_an_array(void **state)
{
	struct sv rest = SV(" [ {\"a\":[1,2],\"b\":\"],{\\\"\"} , [3,[4]],5 ,\"x\" ] "), element;
	struct sv empty = SV("[ ]");

	(void)state;
	assert_true(json_next_element(&rest, &element));
	assert_true(sv_eq(element, SV("{\"a\":[1,2],\"b\":\"],{\\\"\"}")));
	assert_true(json_next_element(&rest, &element));
	assert_true(sv_eq(element, SV("[3,[4]]")));
	assert_true(json_next_element(&rest, &element));
	assert_true(sv_eq(element, SV("5")));
	assert_true(json_next_element(&rest, &element));
	assert_true(sv_eq(element, SV("\"x\"")));
	assert_false(json_next_element(&rest, &element));
	assert_false(json_next_element(&empty, &element));
}

static void signatures(void **state)
{
	/* RFC 4231, test case 2 */
	struct sv key = SV("Jefe"), data = SV("what do ya want for nothing?");
	struct sv hex = SV("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

	(void)state;
	assert_true(hmac_matches(HMAC_SHA256, HMAC_HEX, key, data, hex));
	assert_true(hmac_matches(HMAC_SHA256, HMAC_BASE64, key, data,
				 SV("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")));
	assert_true(hmac_matches(
	    HMAC_SHA256, HMAC_HEX, key, data,
	    SV("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")));
	assert_false(hmac_matches(HMAC_SHA256, HMAC_HEX, SV("jefe"), data, hex));
	assert_false(
	    hmac_matches(HMAC_SHA256, HMAC_HEX, key, SV("what do ya want for nothing!"), hex));
	assert_false(hmac_matches(HMAC_SHA256, HMAC_HEX, key, data, sv_first(hex, 62)));
	assert_false(hmac_matches(HMAC_SHA256, HMAC_HEX, key, data, SV("")));
	assert_false(
	    hmac_matches(HMAC_SHA256, HMAC_HEX, SV(""), data, hex)); /* no secret is none */
	/* RFC 2202, test case 2 */
	assert_true(hmac_matches(HMAC_SHA1, HMAC_HEX, key, data,
				 SV("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")));
	assert_true(sv_eq(token_bearer(SV("bearer abc ")), SV("abc")));
	assert_null(token_bearer(SV("Basic abc")).p);
	assert_false(token_matches(&(struct token_hash){ { 0 } }, SV("")));
}

static void bodies(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 0, NULL, NULL);
	ask(&b, PUSH, NDJSON AUTHORISED, "{\"a\":1}\r\n\n{\"a\":2}");
	expect_answer(&b, "200", "{\"accepted\":2}");
	expect_record(&b, "{\"a\":1}");
	expect_record(&b, "{\"a\":2}");
	ask(&b, PUSH, "Content-Type: application/json; charset=utf-8\r\n" AUTHORISED,
	    "[{\"a\":3},\n {\"b\":\n[1]}]");
	expect_answer(&b, "200", "{\"accepted\":2}");
	expect_record(&b, "{\"a\":3}");
	expect_record(&b, "{\"b\":\n[1]}");
	ask(&b, PUSH, JSON AUTHORISED, " {\"topic\":\"mdm.Connect\"}\n");
	expect_answer(&b, "200", "{\"accepted\":1}");
	expect_record(&b, "{\"topic\":\"mdm.Connect\"}");
	ask(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED, "any line\nand one more\n");
	expect_answer(&b, "200", "{\"accepted\":2}");
	expect_record(&b, "any line");
	expect_record(&b, "and one more");
	ask(&b, PUSH, JSON AUTHORISED, "[]");
	expect_answer(&b, "200", "{\"accepted\":0}");
	expect_no_record(&b);
	end(&b);
}

/* Nothing of a bad body is taken, and the answer names the line. */
static void bad_bodies(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 0, NULL, NULL);
	ask(&b, PUSH, NDJSON AUTHORISED, "{\"a\":1}\n\n{\"a\":}\n{\"a\":3}\n");
	expect_answer(&b, "400", "line 3: not valid JSON");
	expect_answer(&b, "400", "{\"error\":{\"code\":\"bad_record\"");
	ask(&b, PUSH, NDJSON AUTHORISED, "{\"a\":1}\n[2]\n");
	expect_answer(&b, "400", "line 2: byte 0: expected an object");
	ask(&b, PUSH, JSON AUTHORISED, "[{\"a\":1},\n{\"a\":2},\n3]");
	expect_answer(&b, "400", "line 3: element 3");
	ask(&b, PUSH, JSON AUTHORISED, "17");
	expect_answer(&b, "400", "line 1: expected a JSON object");
	ask(&b, PUSH, JSON AUTHORISED,
	    "{\"a\":1}\n{\"a\":2}\n"); /* lines that claim to be a document */
	expect_answer(&b, "400", "not valid JSON");
	ask(&b, PUSH, JSON AUTHORISED, "");
	expect_answer(&b, "400", "not valid JSON");
	ask(&b, PUSH, NDJSON AUTHORISED "Content-Encoding: gzip\r\n", "{\"a\":1}\n");
	expect_answer(&b, "400", "expected gzip data");
	ask(&b, PUSH, "Content-Type: text/csv\r\n" AUTHORISED, "a,b\n");
	expect_answer(&b, "415", "application/x-ndjson");
	ask(&b, PUSH, AUTHORISED, "{}");
	expect_answer(&b, "415", "unsupported_media_type");
	ask(&b, PUSH, NDJSON AUTHORISED "Content-Encoding: br\r\n", "x");
	expect_answer(&b, "415", "gzip, zstd");
	expect_no_record(&b);
	end(&b);
}

static void packed_bodies(void **state)
{
	static char zeros[2000000], packed[100000];
	static const char text[] = "{\"a\":1}\n{\"a\":2}\n";
	struct bench b;
	size_t n;
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)text,
		       .avail_in = sizeof(text) - 1,
		       .next_out = (unsigned char *)packed,
		       .avail_out = sizeof(packed) };

	(void)state;
	begin(&b, 0, NULL, NULL);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	deflateEnd(&z);
	ask_bytes(&b, PUSH, NDJSON AUTHORISED "Content-Encoding: gzip\r\n", sv_make(packed, n));
	expect_answer(&b, "200", "{\"accepted\":2}");
	ask_bytes(&b, PUSH, NDJSON AUTHORISED "Content-Encoding: gzip\r\n", sv_make(packed, n - 5));
	expect_answer(&b, "400", "ends too early");
	n = ZSTD_compress(packed, sizeof(packed), text, sizeof(text) - 1, 3);
	ask_bytes(&b, PUSH, NDJSON AUTHORISED "Content-Encoding: zstd\r\n", sv_make(packed, n));
	expect_answer(&b, "200", "{\"accepted\":2}");
	for (int i = 0; i < 2; i++) {
		expect_record(&b, "{\"a\":1}");
		expect_record(&b, "{\"a\":2}");
	}
	/* A few hundred bytes that unfold to 2 MB, more than max_unpacked. */
	n = ZSTD_compress(packed, sizeof(packed), zeros, sizeof(zeros), 3);
	assert_true(n < 1000);
	ask_bytes(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED "Content-Encoding: zstd\r\n",
		  sv_make(packed, n));
	expect_answer(&b, "413", "too_large");
	expect_no_record(&b);
	end(&b);
}

static void who_may(void **state)
{
	struct bench b;
	struct ingest_stats stats;
	unsigned char hmac[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
	char headers[300];
	unsigned n;
	static const char body[] = "{\"topic\":\"mdm.CheckIn\"}";

	(void)state;
	begin(&b, 0, NULL, NULL);
	ask(&b, PUSH, JSON, "{}");
	expect_answer(&b, "401", "WWW-Authenticate: Bearer");
	ask(&b, PUSH, JSON "Authorization: Bearer secret-token\r\n", "{}");
	expect_answer(&b, "401", "unauthorized");
	ask(&b, PUSH, JSON "Authorization: Bearer secret-token-2\r\n", "{}");
	expect_answer(&b, "403", "another source's");
	ask(&b, "POST /api/v1/ingest/nobody", JSON AUTHORISED, "{}");
	expect_answer(&b, "404", "no_such_source");
	ask(&b, "POST /api/v1/ingest/mdm", JSON AUTHORISED, body);
	expect_answer(&b, "401", "X-Hmac-Signature");
	HMAC(EVP_sha256(), "hmac-secret", 11, (const unsigned char *)body, sizeof(body) - 1, hmac,
	     &n);
	EVP_EncodeBlock(text, hmac, (int)n);
	snprintf(headers, sizeof(headers), JSON "X-Hmac-Signature: %s\r\n", text);
	ask(&b, "POST /api/v1/ingest/mdm", headers, body);
	expect_answer(&b, "200", "{\"accepted\":1}");
	ask(&b, "POST /api/v1/ingest/mdm", headers, "{\"topic\":\"mdm.CheckOut\"}");
	expect_answer(&b, "401", "wrong_signature");
	assert_true(ingest_stats(b.ingest, SV("events"), &stats));
	assert_int_equal(stats.unauthorised, 3);
	assert_int_equal(stats.records, 0);
	expect_no_record(&b);
	end(&b);
}

static void methods_paths_and_sizes(void **state)
{
	static char big[1100000];
	struct bench b;
	struct http_stats stats;

	(void)state;
	begin(&b, 0, NULL, NULL);
	memset(big, 'x', sizeof(big));
	ask(&b, "GET /api/v1/ingest/events", AUTHORISED, NULL);
	expect_answer(&b, "405", "Allow: POST");
	ask(&b, "GET /nothing", "", NULL);
	expect_answer(&b, "404", "{\"error\":{\"code\":\"not_found\"");
	ask_bytes(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED, sv_make(big, sizeof(big)));
	expect_answer(&b, "413", "1100000 bytes, more than the 1000000 allowed");
	big[500000] = '\n';
	ask_bytes(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED, sv_make(big, 600000));
	expect_answer(&b, "413", "line 1: a record of 500000 bytes");
	ask(&b, "GET /echo/a%2Fb%20c?word=x%26y&z", "", NULL);
	expect_answer(&b, "200", "\r\n\r\na/b c x&y");
	ask(&b, "HEAD /echo/a", "", NULL);
	expect_answer(&b, "200", "Content-Length: 2");
	assert_true(sv_ends(sv_cstr(b.answer), SV("\r\n\r\n")));
	ask(&b, "GET /echo/%zz", "", NULL);
	expect_answer(&b, "400", "percent escape");
	ask(&b, "GET /stream", "", NULL);
	expect_answer(&b, "200", "3");
	assert_non_null(strstr(b.answer, "chunked"));
	ask(&b, "GET /admin", "", NULL);
	expect_answer(&b, "401", "WWW-Authenticate");
	ask(&b, "GET /admin", "Authorization: Bearer viewer\r\n", NULL);
	expect_answer(&b, "403", "forbidden");
	ask(&b, "GET /admin", "Authorization: Bearer admin\r\n", NULL);
	expect_answer(&b, "200", "");
	expect_no_record(&b);
	http_stats(b.server, &stats);
	assert_int_equal(stats.requests, 11);
	assert_int_equal(stats.unauthorised, 2);
	assert_int_equal(http_route_requests(b.server, 1), 2); /* the wrong escape found no route */
	end(&b);
}

/* A body that is sent again under its key is accepted once. */
static void repeated_bodies(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 0, NULL, NULL);
	for (int i = 0; i < 3; i++) {
		ask(&b, PUSH, JSON AUTHORISED "Idempotency-Key: batch-7\r\n", "{\"a\":1}");
		expect_answer(&b, "200",
			      i == 0 ? "{\"accepted\":1}" : "{\"accepted\":0,\"known\":true}");
	}
	expect_record(&b, "{\"a\":1}");
	expect_no_record(&b);
	end(&b);
}

static void a_full_spool_is_429(void **state)
{
	static char line[90001];
	struct bench b;
	struct buf position;
	struct error err;
	int accepted = 0;

	(void)state;
	begin(&b, 2 * SEGMENT, NULL, NULL);
	buf_init(&position, 4096);
	memset(line, 'x', sizeof(line) - 1);
	while (accepted < 100) {
		ask(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED, line);
		if (strcmp(b.status, "200") != 0)
			break;
		accepted++;
	}
	expect_answer(&b, "429", "Retry-After: 5");
	assert_int_equal(accepted, 4); /* two in each segment */
	for (int i = 0; i < accepted; i++)
		expect_record(&b, line);
	expect_no_record(&b);
	spool_position(b.reader, &position);
	assert_true(spool_trim(b.spools[0], buf_view(&position), &err));
	ask(&b, PUSH, "Content-Type: text/plain\r\n" AUTHORISED, line);
	expect_answer(&b, "200", "{\"accepted\":1}");
	buf_free(&position);
	end(&b);
}

static void nobody_is_let_in_unasked(void **state)
{
	struct ingest_source source = { .name = SV("open") };
	struct ingest_options o = { .sources = &source, .n_sources = 1 };
	struct error err = { 0 };

	(void)state;
	assert_null(ingest_new(&o, &err));
	assert_non_null(strstr(err.message, "token_file"));
}

static int run(const char *const *argv)
{
	int status, quiet;
	pid_t child = fork();

	if (child == 0) {
		quiet = open("/dev/null", O_RDWR);
		dup2(quiet, 0);
		dup2(quiet, 1);
		dup2(quiet, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void over_tls(void **state)
{
	struct bench b;
	char dir[256], key[300], certificate[300], url[100];
	struct error err = { 0 };
	struct http_options wrong = { .certificate = "/nonexistent/certificate.pem" };

	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(key, sizeof(key), "%s/key.pem", dir);
	snprintf(certificate, sizeof(certificate), "%s/certificate.pem", dir);
	const char *make[] = { "openssl",
			       "req",
			       "-x509",
			       "-newkey",
			       "ec",
			       "-pkeyopt",
			       "ec_paramgen_curve:P-256",
			       "-nodes",
			       "-keyout",
			       key,
			       "-out",
			       certificate,
			       "-subj",
			       "/CN=localhost",
			       "-addext",
			       "subjectAltName=IP:127.0.0.1",
			       "-days",
			       "2",
			       NULL };
	assert_int_equal(run(make), 0);
	begin(&b, 0, certificate, key);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/api/v1/ingest/events",
		 http_port(b.server));
	const char *curl[] = { "curl",
			       "--fail",
			       "--cacert",
			       certificate,
			       "-H",
			       "Content-Type: application/json",
			       "-H",
			       "Authorization: Bearer secret-token-1",
			       "--data-binary",
			       "{\"by\":\"curl\"}",
			       url,
			       NULL };
	assert_int_equal(run(curl), 0);
	expect_record(&b, "{\"by\":\"curl\"}");
	const char *old[] = { "curl", "--fail", "--insecure", "--tls-max", "1.1", url, NULL };
	assert_int_not_equal(run(old), 0);
	assert_null(http_start(&wrong, &err));
	assert_non_null(strstr(err.message, "/nonexistent/certificate.pem"));
	end(&b);
	remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes),
		cmocka_unit_test(elements_of_an_array),
		cmocka_unit_test(signatures),
		cmocka_unit_test(bodies),
		cmocka_unit_test(bad_bodies),
		cmocka_unit_test(packed_bodies),
		cmocka_unit_test(who_may),
		cmocka_unit_test(methods_paths_and_sizes),
		cmocka_unit_test(repeated_bodies),
		cmocka_unit_test(a_full_spool_is_429),
		cmocka_unit_test(nobody_is_let_in_unasked),
		cmocka_unit_test(over_tls),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
