#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "cli/where.h"
#include "conf/conf.h"

enum { STATUS_SETTLE = WHERE_ARGS };

static const struct arg status_args[] = {
	WHERE_ARG_STATE,
	WHERE_ARG_OUTPUT,
	{ STATUS_SETTLE, 0, "settle", NULL, NULL,
	  "wait first until everything in the inputs is read, judged and kept" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command status_command = {
	.name = "status",
	.summary = "how a running daemon is: sources, watermark, findings, checkpoints",
	.usage = "[OPTION]... [-c FILE]",
	.about =
	    "Asks the daemon over the socket in its state folder. A source is green, yellow\n"
	    "(silent for longer than silence_after, or never heard of) or red (more bad lines\n"
	    "than bad_line_budget).\n"
	    "\n"
	    "Exit code: 0 done; 2 usage or configuration error; 3 no daemon answers.",
	.examples = "  pinwatch status -c /etc/pinwatch/pinwatch.yaml\n"
		    "  pinwatch status --state /var/lib/pinwatch --output json\n",
	.args = status_args,
	.operands = OPERANDS_NONE,
};

static bool connect_to(const char *state, int *fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", state);

	*fd = -1;
	if (n >= (int)sizeof(address.sun_path))
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%.200s: too long for a socket's name; give serve.state a shorter path", state);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && connect(*fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	error_set(
	    err, ERROR_IO, 0,
	    "%s: no daemon answers: %s; look at whether pinwatch serve runs, with this serve.state",
	    address.sun_path, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	return false;
}

/* Asks, and hands on the answer. */
static bool ask(const char *state, const char *request, FILE *out, char *first, size_t size,
		struct error *err)
{
	char chunk[65536];
	size_t total = 0;
	ssize_t n;
	int fd;

	if (!connect_to(state, &fd, err))
		return false;
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request)) {
		close(fd);
		return error_set(err, ERROR_IO, 0, "%s: cannot be asked: %s", state,
				 strerror(errno));
	}
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (out != NULL)
			fwrite(chunk, 1, (size_t)n, out);
		for (ssize_t i = 0; i < n && total + (size_t)i + 1 < size; i++)
			first[total + (size_t)i] = chunk[i];
		total += (size_t)n;
	}
	close(fd);
	if (size > 0)
		first[total < size ? total : size - 1] = '\0';
	return total > 0 ||
	       error_set(err, ERROR_IO, 0,
			 "%s: the daemon ended before it answered; look at what it said", state);
}

static bool report(const char *state, bool settle, bool json, struct error *err)
{
	char answer[1200] = "";

	if (settle) {
		if (!ask(state, "settle\n", NULL, answer, sizeof(answer), err))
			return false;
		if (strcmp(answer, "ok\n") != 0)
			return error_set(err, ERROR_IO, 0, "%s", answer);
	}
	return ask(state, json ? "status json\n" : "status table\n", stdout, NULL, 0, err);
}

int cmd_status(int argc, char **argv)
{
	struct where where = { 0 };
	bool settle = false, ok = true;
	const char *value;
	struct conf conf;
	struct args args;
	struct error err;
	enum args_result r;
	int id;

	conf_defaults(&conf);
	args_begin(&args, &status_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&status_command);
			conf_free(&conf);
			return report_finish("status", EXIT_DONE);
		}
		if (r == ARGS_OPERAND)
			ok = error_set(
			    &err, ERROR_USAGE, 0,
			    "%.200s: status takes no paths; -c FILE names the configuration",
			    value);
		else if (r == ARGS_ERROR)
			ok = false;
		else if (id < WHERE_ARGS)
			where_option(&where, id, value);
		else
			settle = true;
	}
	if (ok && where.config != NULL) {
		conf_free(&conf);
		ok = conf_load(&conf, where.config, &err);
	}
	if (ok)
		ok = report(where.state != NULL ? where.state : conf.state.p, settle, where.json,
			    &err);
	conf_free(&conf);
	if (!ok)
		return report_error("status", &err);
	return report_finish("status", EXIT_DONE);
}
