#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "live.h"
#include "read/spool.h"
#include "read/syslog_frame.h"
#include "read/syslog_listener.h"

#define SEGMENT (UINT64_C(256) << 10)

/* Frames of a stream that comes in pieces of `step` bytes: `MESSAGE|` each, `CUT~` for cut ones,
 * `!` where it is malformed. */
static void frames(struct sv bytes, size_t step, size_t max, struct buf *out)
{
	struct syslog_framer f = { .max_message = max };
	size_t at = 0, there = 0;

	buf_reset(out);
	for (;;) {
		bool end = there == bytes.n;
		struct syslog_frame frame;
		enum syslog_framed r =
		    syslog_frame_next(&f, sv_make(bytes.p + at, there - at), end, &frame);

		if (r == SYSLOG_MALFORMED) {
			buf_char(out, '!');
			return;
		}
		if (r == SYSLOG_MORE) {
			if (end)
				return;
			assert_true(there - at <= max + SYSLOG_FRAME_ROOM);
			there = there + step < bytes.n ? there + step : bytes.n;
			continue;
		}
		assert_in_range(frame.used, 1, there - at);
		at += frame.used;
		if (r == SYSLOG_MESSAGE) {
			buf_sv(out, frame.message);
			buf_char(out, frame.cut ? '~' : '|');
		}
	}
}

static void both_framings(void **state)
{
	static const struct {
		struct sv in, out;
	} cases[] = {
		{ SV("<13>one\n<13>two\r\n"), SV("<13>one|<13>two|") },
		{ SV("<13>one\n\n<13>no end"), SV("<13>one||<13>no end|") },
		{ SV("7 <13>one7 <13>two"), SV("<13>one|<13>two|") },
		{ SV("8 <13>one\n7 <13>two"), SV("<13>one|<13>two|") },
		{ SV("7 <13>one\n7 <13>two\n"), SV("<13>one|<13>two|") },
		{ SV("11 <13>one\ntwo7 <13>two"), SV("<13>one\ntwo|<13>two|") },
		{ SV("1795485600.120 a line that begins with a number\n2 b\n"),
		  SV("1795485600.120 a line that begins with a number|2 b|") },
		{ SV("12 plain words\n"), SV("12 plain words|") },
		{ SV("7 <13>oneX7 <13>two"), SV("<13>one|!") },
		{ SV("7 <13>one1234567890 <13>two"), SV("<13>one|!") },
		{ SV("9 <13>one"), SV("<13>one|") }, /* ended too early */
		{ SV("20 <13>12345678901234567 <13>two"), SV("<13>123456789012~<13>two|") },
		{ SV("<13>1234567890123456\n<13>two\n"), SV("<13>123456789012~<13>two|") },
		{ SV("999"), SV("999|") },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step < 40; step++) {
			struct sv in = cases[i].in;
			/* Two long cases are for a maximum of 16 bytes, the others for more. */
			size_t max = sv_find_char(cases[i].out, '~') != SIZE_MAX ? 16 : 100;
			frames(in, step, max, &out);
			if (!sv_eq(buf_view(&out), cases[i].out))
				fail_msg("%.*s in steps of %zu gave %.*s", SV_ARG(in), step,
					 SV_ARG(buf_view(&out)));
		}
	buf_free(&out);
}

struct bench {
	char dir[256];
	struct spool *spool;
	struct spool_reader *reader;
	struct syslog_listener *listener;
	struct syslog_options o;
};

static void begin(struct bench *b, enum syslog_transport transport, const char *ip,
		  uint64_t spool_size)
{
	struct spool_options o = { .segment_size = SEGMENT, .max_size = spool_size };
	struct error err = { 0 };

	if (b->dir[0] == '\0')
		make_dir(b->dir, sizeof(b->dir));
	o.dir = b->dir;
	b->spool = spool_open(&o, &err);
	assert_non_null(b->spool);
	b->reader = spool_reader_open(b->spool, SV_NONE, &err);
	assert_non_null(b->reader);
	b->o.transport = transport;
	b->o.spool = b->spool;
	assert_true(addr_parse(sv_cstr(ip), &b->o.ip));
	b->listener = syslog_listener_start(&b->o, &err);
	if (b->listener == NULL)
		fail_msg("%s", err.message);
}

static void end(struct bench *b)
{
	syslog_listener_stop(b->listener);
	spool_reader_close(b->reader);
	spool_close(b->spool);
	remove_dir(b->dir);
}

static int connect_to(const struct bench *b, int type)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(syslog_listener_port(b->listener)),
				    .sin6_addr = in6addr_loopback };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(syslog_listener_port(b->listener)),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	bool v6 = b->o.ip.b[15] == 1 && b->o.ip.b[10] == 0;
	int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
				 v6 ? sizeof(six) : sizeof(four)),
			 0);
	return fd;
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static struct sv next(struct bench *b)
{
	struct pollfd p = { spool_fd(b->spool), POLLIN, 0 };
	struct input_where where;
	struct instant arrival;
	struct error err;
	struct sv record;

	while (spool_next(b->reader, &record, &arrival, &where, &err) != INPUT_RECORD)
		if (poll(&p, 1, 20000) != 1)
			fail_msg("no message came");
	return record;
}

static void expect(struct bench *b, const char *wanted)
{
	struct sv got = next(b);

	if (!sv_eq(got, sv_cstr(wanted)))
		fail_msg("expected `%s`, got `%.*s`", wanted, SV_ARG(got));
}

static bool closed_by_peer(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char byte;

	return poll(&p, 1, 20000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void udp_on(const char *ip)
{
	struct bench b = { 0 };
	struct syslog_stats stats;
	struct syslog_peer peers[2];
	uint64_t others;
	int fd;

	begin(&b, SYSLOG_UDP, ip, 0);
	fd = connect_to(&b, SOCK_DGRAM);
	send_text(fd, "<13>one\n");
	send_text(fd, "<13>two");
	expect(&b, "<13>one");
	expect(&b, "<13>two");
	syslog_listener_stats(b.listener, &stats);
	assert_int_equal(stats.messages, 2);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(syslog_listener_peers(b.listener, peers, 2, &others), 1);
	assert_true(addr_eq(&peers[0].ip, &b.o.ip));
	assert_int_equal(peers[0].messages, 2);
	assert_int_equal(others, 0);
	close(fd);
	end(&b);
}

static void udp(void **state)
{
	(void)state;
	udp_on("127.0.0.1");
	udp_on("::1");
}

/* While the spool is full nothing is read; the kernel's buffer overflows, and its counter says by
 * how many. Taken and lost together are what was sent. */
static void udp_loss_is_counted(void **state)
{
	static char big[8000];
	struct bench b = { 0 };
	struct syslog_stats stats;
	struct buf position;
	struct error err;
	uint64_t sent = 0, got = 0;
	int fd;

	(void)state;
	begin(&b, SYSLOG_UDP, "127.0.0.1", 2 * SEGMENT);
	buf_init(&position, 4096);
	memset(big, 'x', sizeof(big));
	fd = connect_to(&b, SOCK_DGRAM);
	do {
		for (int i = 0; i < 100; i++)
			sent += send(fd, big, sizeof(big), MSG_NOSIGNAL) == sizeof(big);
		syslog_listener_stats(b.listener, &stats);
		assert_true(sent < 100000);
	} while (stats.lost == 0);
	/* Now there is room again, and all that was not lost comes. */
	while (got + stats.lost < sent) {
		assert_int_equal(next(&b).n, sizeof(big));
		got++;
		buf_reset(&position);
		spool_position(b.reader, &position);
		assert_true(spool_trim(b.spool, buf_view(&position), &err));
		syslog_listener_stats(b.listener, &stats);
	}
	assert_int_equal(got + stats.lost, sent);
	assert_true(stats.paused > 0);
	buf_free(&position);
	close(fd);
	end(&b);
}

static void tcp(void **state)
{
	struct bench b = { .o = { .max_message = 1000, .max_connections = 2 } };
	struct syslog_stats stats;
	char big[2000];
	int lines, counted, third;

	(void)state;
	begin(&b, SYSLOG_TCP, "::1", 0);
	lines = connect_to(&b, SOCK_STREAM);
	counted = connect_to(&b, SOCK_STREAM);
	send_text(lines, "<13>one\n<13>tw");
	expect(&b, "<13>one");
	send_text(counted, "7 <13>two10 <13>");
	expect(&b, "<13>two");
	send_text(lines, "o\n");
	expect(&b, "<13>two");
	third = connect_to(&b, SOCK_STREAM); /* one too many */
	assert_true(closed_by_peer(third));
	close(third);
	send_text(counted, "line\nxno length at all");
	expect(&b, "<13>line\nx");
	assert_true(closed_by_peer(counted));
	close(counted);
	memset(big, 'y', sizeof(big));
	big[1990] = '\n';
	big[1991] = '\0';
	send_text(lines, big);
	assert_int_equal(next(&b).n, 1000);
	send_text(lines, "<13>last, without an end");
	shutdown(lines, SHUT_WR);
	expect(&b, "<13>last, without an end");
	assert_true(closed_by_peer(lines));
	close(lines);
	syslog_listener_stats(b.listener, &stats);
	assert_int_equal(stats.messages, 6);
	assert_int_equal(stats.cut, 1);
	assert_int_equal(stats.malformed, 1);
	assert_int_equal(stats.unfinished, 1);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(stats.connections, 0);
	end(&b);
}

/* A full spool makes the sender wait; nothing is lost and the order stays. */
static void tcp_waits_for_room(void **state)
{
	struct bench b = { 0 };
	struct buf position;
	struct syslog_stats stats;
	struct error err;
	enum { MESSAGES = 20000 };
	pid_t child;
	int fd, status;

	(void)state;
	begin(&b, SYSLOG_TCP, "127.0.0.1", 2 * SEGMENT);
	buf_init(&position, 4096);
	fd = connect_to(&b, SOCK_STREAM);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < MESSAGES; i++) {
			char text[200];
			int n = snprintf(text, sizeof(text), "<13>%d %0100d\n", i, i);
			if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
				_exit(1);
		}
		_exit(0);
	}
	close(fd);
	for (int i = 0; i < MESSAGES; i++) {
		int number;
		assert_int_equal(sscanf(next(&b).p, "<13>%d", &number), 1);
		assert_int_equal(number, i);
		if (i % 500 != 0)
			continue;
		buf_reset(&position);
		spool_position(b.reader, &position);
		assert_true(spool_trim(b.spool, buf_view(&position), &err));
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	syslog_listener_stats(b.listener, &stats);
	assert_int_equal(stats.messages, MESSAGES);
	buf_free(&position);
	end(&b);
}

/* Runs a program with the text as its input; its exit status. */
static int run(const char *const *argv, const char *input)
{
	int in[2], status, quiet;
	pid_t child;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		quiet = open("/dev/null", O_WRONLY);
		dup2(in[0], 0);
		dup2(quiet, 1);
		dup2(quiet, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	if (input != NULL && write(in[1], input, strlen(input)) < 0)
		status = 0; /* a client that is refused may be gone already */
	close(in[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_certificate(const char *key, const char *certificate)
{
	const char *argv[] = { "openssl",
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
			       "-days",
			       "2",
			       NULL };

	if (run(argv, NULL) != 0)
		fail_msg("openssl req failed: is openssl installed?");
}

static int send_by_tls(const struct bench *b, const char *certificate, const char *key,
		       const char *text)
{
	char to[32];
	const char *argv[] = { "openssl",
			       "s_client",
			       "-quiet",
			       "-no_ign_eof",
			       "-connect",
			       to,
			       certificate != NULL ? "-cert" : NULL,
			       certificate,
			       "-key",
			       key,
			       NULL };

	snprintf(to, sizeof(to), "127.0.0.1:%u", syslog_listener_port(b->listener));
	return run(argv, text);
}

static void tls(void **state)
{
	struct bench b = { 0 };
	struct syslog_stats stats;
	char key[300], certificate[300], wrong[300];
	struct error err = { 0 };
	char files[256];
	int plain;

	(void)state;
	make_dir(files, sizeof(files));
	snprintf(key, sizeof(key), "%s/key.pem", files);
	snprintf(certificate, sizeof(certificate), "%s/certificate.pem", files);
	snprintf(wrong, sizeof(wrong), "%s/nothing.pem", files);
	make_certificate(key, certificate);
	b.o = (struct syslog_options){ .certificate = certificate, .key = key };
	begin(&b, SYSLOG_TLS, "127.0.0.1", 0);
	send_by_tls(&b, NULL, NULL, "<13>one\n<13>two\n");
	expect(&b, "<13>one");
	expect(&b, "<13>two");
	plain = connect_to(&b, SOCK_STREAM); /* no TLS at all */
	send_text(plain, "<13>three\n<13>four and some more bytes\n");
	assert_true(closed_by_peer(plain));
	close(plain);
	syslog_listener_stats(b.listener, &stats);
	assert_int_equal(stats.messages, 2);
	assert_int_equal(stats.handshakes_failed, 1);
	end(&b);

	/* With a client CA: only who shows a certificate of it. */
	b = (struct bench){
		.o = { .certificate = certificate, .key = key, .client_ca = certificate }
	};
	begin(&b, SYSLOG_TLS, "127.0.0.1", 0);
	send_by_tls(&b, NULL, NULL, "<13>stranger\n");
	send_by_tls(&b, certificate, key, "<13>known\n");
	expect(&b, "<13>known");
	b.o.certificate = wrong;
	assert_null(syslog_listener_start(&b.o, &err));
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.message, "nothing.pem"));
	end(&b);
	remove_dir(files);
}

static void idle_connections_are_closed(void **state)
{
	struct bench b = { .o = { .idle = { 10 * NS_PER_MS } } };
	int fd;

	(void)state;
	begin(&b, SYSLOG_TCP, "127.0.0.1", 0);
	fd = connect_to(&b, SOCK_STREAM);
	assert_true(closed_by_peer(fd));
	close(fd);
	end(&b);
}

static void a_port_in_use_is_said(void **state)
{
	struct bench b = { 0 };
	struct syslog_options o;
	struct error err = { 0 };

	(void)state;
	begin(&b, SYSLOG_TCP, "127.0.0.1", 0);
	o = b.o;
	o.port = syslog_listener_port(b.listener);
	assert_null(syslog_listener_start(&o, &err));
	assert_non_null(strstr(err.message, "tcp://127.0.0.1 port"));
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_framings),
		cmocka_unit_test(udp),
		cmocka_unit_test(udp_loss_is_counted),
		cmocka_unit_test(tcp),
		cmocka_unit_test(tcp_waits_for_room),
		cmocka_unit_test(tls),
		cmocka_unit_test(idle_connections_are_closed),
		cmocka_unit_test(a_port_in_use_is_said),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
