#include "cli/door.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api.h"
#include "base/arena.h"
#include "conf/conf.h"
#include "parse/json.h"

#define MAX_PATH 65536
/* An entry of the user database. */
#define MAX_PASSWD 16384
#define MAX_ANSWER ((size_t)256 * 1024 * 1024)

static char *below(const char *dir, const char *name)
{
	struct buf b;

	buf_init(&b, MAX_PATH);
	buf_printf(&b, "%s/%s", dir, name);
	buf_char(&b, '\0');
	return b.p;
}

/* The folder that a file lies in. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static bool connect_to(const char *path, int *fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);

	*fd = -1;
	if (n >= (int)sizeof(address.sun_path))
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%.200s: too long for a socket's name; give serve.state a shorter path", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	error_set(err, ERROR_IO, 0, "%s: the daemon cannot be asked: %s", path, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return false;
}

/* ---- which door */

/* True where a daemon holds the state. */
static bool is_held(struct door *d, const char *state, struct error *err, bool *ok)
{
	char *path = below(state, "lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	*ok = true;
	if (fd < 0) {
		*ok =
		    error_set(err, ERROR_IO, 0, "%s: cannot be opened: %s", path, strerror(errno));
		free(path);
		return false;
	}
	free(path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		d->lock = fd;
		return false;
	}
	close(fd);
	return true;
}

static void name_actor(struct door *d)
{
	char text[MAX_PASSWD];
	struct passwd entry, *p = NULL;

	if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &p) == 0 && p != NULL)
		snprintf(d->actor, sizeof(d->actor), "%s", p->pw_name);
	else
		snprintf(d->actor, sizeof(d->actor), "uid %u", (unsigned)geteuid());
}

static bool open_state(struct door *d, const char *state, const char *database, struct error *err)
{
	bool ok, held;
	int fd;

	if (access(database, F_OK) != 0)
		return error_set(err, ERROR_IO, 0,
				 "%s: no database is there: %s; `pinwatch serve` makes it, -c "
				 "FILE, --state DIR or --db FILE say where it is",
				 database, strerror(errno));
	held = is_held(d, state, err, &ok);
	if (!ok)
		return false;
	if (held) {
		d->socket = below(state, "api.sock");
		ok = connect_to(d->socket, &fd, err);
		if (ok)
			close(fd);
		return ok;
	}
	name_actor(d);
	d->api = api_open(database, err);
	return d->api != NULL;
}

bool door_open(struct door *d, const char *config, const char *state, const char *database,
	       struct error *err)
{
	char *folder = NULL, *file = NULL;
	struct conf conf;
	bool ok = true;

	*d = (struct door){ .lock = -1 };
	conf_defaults(&conf);
	if (database != NULL) {
		folder = folder_of(database);
	} else if (state != NULL) {
		folder = xstrdup(state);
	} else {
		if (config != NULL) {
			conf_free(&conf);
			ok = conf_load(&conf, config, err);
		}
		folder = ok ? xstrndup(conf.state.p, conf.state.n) : NULL;
	}
	conf_free(&conf);
	if (ok && database == NULL)
		file = below(folder, "pinwatch.db");
	ok = ok && open_state(d, folder, database != NULL ? database : file, err);
	free(folder);
	free(file);
	if (!ok)
		door_close(d);
	return ok;
}

void door_close(struct door *d)
{
	api_close(d->api);
	free(d->socket);
	if (d->lock >= 0)
		close(d->lock);
	*d = (struct door){ .lock = -1 };
}

/* ---- asking */

static bool send_all(int fd, struct sv bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = sv_skip(bytes, (size_t)n);
	}
	return true;
}

static bool receive_all(int fd, struct buf *out)
{
	char chunk[65536];
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), 0)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !buf_append(out, chunk, (size_t)n))
			return false;
	}
	return true;
}

/* Takes an answer apart that ends with its connection. */
static bool split(struct sv whole, unsigned *status, struct sv *body)
{
	size_t end = sv_find(whole, SV("\r\n\r\n"));
	uint64_t code;

	if (end == SIZE_MAX || whole.n < 12 || !sv_starts(whole, SV("HTTP/1.")) ||
	    !sv_to_u64(sv_make(whole.p + 9, 3), &code))
		return false;
	*status = (unsigned)code;
	*body = sv_skip(whole, end + 4);
	return true;
}

static bool ask_socket(const struct door *d, const char *method, const char *target, struct sv body,
		       unsigned *status, struct buf *answer, struct error *err)
{
	struct buf out, in;
	struct sv rest;
	bool ok;
	int fd;

	if (!connect_to(d->socket, &fd, err))
		return false;
	buf_init(&out, MAX_ANSWER);
	buf_init(&in, MAX_ANSWER);
	/* HTTP/1.0: the answer ends where the connection does, and comes in one piece. */
	buf_printf(&out, "%s %s HTTP/1.0\r\nHost: pinwatch\r\n", method, target);
	if (body.n > 0)
		buf_printf(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   body.n);
	else if (strcmp(method, "GET") != 0)
		buf_str(&out, "Content-Length: 0\r\n");
	buf_str(&out, "\r\n");
	buf_sv(&out, body);
	ok = send_all(fd, buf_view(&out)) && receive_all(fd, &in) &&
	     split(buf_view(&in), status, &rest);
	close(fd);
	if (ok)
		buf_sv(answer, rest);
	else
		error_set(err, ERROR_IO, 0,
			  "%s: the daemon ended before it answered; look at what it said",
			  d->socket);
	buf_free(&out);
	buf_free(&in);
	return ok;
}

/* Turns an answer of 400 and more into its words. */
static bool accepted(unsigned status, struct sv answer, struct error *err)
{
	struct arena a = { 0 };
	struct error ignored;
	struct value v;
	const struct value *message = NULL;

	if (status < 400)
		return true;
	if (json_to_value(answer, &a, &v, &ignored))
		message = value_member(value_member(&v, SV("error")), SV("message"));
	if (message != NULL && message->type == VALUE_STRING)
		error_set(err, status < 500 ? ERROR_USAGE : ERROR_IO, 0, "%.*s",
			  SV_ARG(message->text));
	else
		error_set(err, ERROR_IO, 0,
			  "`serve` answered %u without a reason; look at what it said", status);
	arena_free(&a);
	return false;
}

bool door_ask(struct door *d, const char *method, const char *target, struct sv body,
	      struct buf *answer, struct error *err)
{
	struct http_response r;
	size_t from = answer->n;
	unsigned status;

	if (d->socket != NULL) {
		if (!ask_socket(d, method, target, body, &status, answer, err))
			return false;
	} else {
		api_call(d->api, method, target, body, d->actor, &r);
		status = r.status != 0 ? r.status : 200;
		buf_sv(answer, buf_view(&r.body));
		http_response_free(&r);
	}
	return accepted(status, sv_skip(buf_view(answer), from), err);
}

/* ---- what is asked */

void door_encode(struct buf *out, struct sv v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    c == '.' || c == '-' || c == '_')
			buf_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

void door_query(struct buf *target, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(target, "%c%s=", sv_find_char(buf_view(target), '?') == SIZE_MAX ? '?' : '&',
		   name);
	door_encode(target, sv_cstr(value));
}

void door_member(struct jsonw *body, const char *key, const char *value)
{
	if (value != NULL)
		jsonw_key_str(body, key, value);
}
