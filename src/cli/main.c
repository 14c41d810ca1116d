/* pinwatch: the command line. */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sv.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/man.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/nearest.h"

#ifndef PINWATCH_VERSION
#define PINWATCH_VERSION "0"
#endif

#define MAX_COMMANDS 32
#define MAN_MAX_BYTES ((size_t)1024 * 1024)

const struct command command_table[] = {
	{ "scan", "analyse files and folders to their end", cmd_scan, &scan_command },
	{ "explain", "why a finding is what it is, or why there is none", cmd_explain,
	  &explain_command },
	{ "parse", "print the observations of any log as canonical JSON", cmd_parse,
	  &parse_command },
	{ "formats", "the known formats; with a file, what it is and why", cmd_formats,
	  &formats_command },
	{ "analytic", "the analytic: bundle, settings, log sources, coverage, drift", cmd_analytic,
	  &analytic_command },
	{ "backtest", "judge the past under other settings: what would be gained and lost",
	  cmd_backtest, &backtest_command },
	{ "serve", "run as a daemon: follow logs, judge as they come, keep findings", cmd_serve,
	  &serve_command },
	{ "status", "how a running daemon is: sources, watermark, findings, checkpoints",
	  cmd_status, &status_command },
	{ "findings",
	  "a daemon's findings: list, show, acknowledge, close, reopen, assign, comment",
	  cmd_findings, &findings_command },
	{ "allow", "who may pin, and where to: allow-lists with an owner and an end", cmd_allow,
	  &allow_command },
	{ "user", "who may use the API: users, roles, passwords, tokens", cmd_user, &user_command },
	{ "db", "check, export and restore what a daemon keeps", cmd_db, &db_command },
	{ "check-config", "load the configuration and say what it means", cmd_check_config,
	  &check_config_command },
	{ "sim", "the fleet simulator", cmd_sim, &sim_command },
	{ "score", "compare findings with a simulated fleet's truth", cmd_score, &score_command },
	{ "completion", "completion for bash, zsh or fish", cmd_completion, &completion_command },
	{ NULL, NULL, NULL, NULL },
};

static void help(FILE *out)
{
	fprintf(out, "Usage: pinwatch COMMAND [OPTION]...\n"
		     "\n"
		     "Finds apps on supervised iPhones that pin certificates, from the logs of a\n"
		     "TLS-inspecting gateway, network sensors, device agents and device\n"
		     "management (MITRE ATT&CK AN1726).\n"
		     "\n"
		     "Commands:\n");
	for (const struct command *c = command_table; c->name != NULL; c++)
		fprintf(out, "  %-14s %s\n", c->name, c->summary);
	fprintf(out,
		"\n"
		"`pinwatch COMMAND --help` says more about each; `pinwatch --man` is all of it\n"
		"as manual page pinwatch(1), `pinwatch --version` the version.\n"
		"\n"
		"Examples:\n"
		"  pinwatch scan /var/log/squid/access.log /opt/zeek/logs/current\n"
		"  pinwatch sim --out fleet && pinwatch scan fleet\n");
}

static int manual(void)
{
	struct buf b;

	buf_init(&b, MAN_MAX_BYTES);
	man_page(&b);
	report_buf(stdout, &b);
	return report_finish("", EXIT_DONE);
}

static const struct command *find(const char *name)
{
	for (const struct command *c = command_table; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int unknown(const char *word)
{
	const char *names[MAX_COMMANDS];
	const char *nearest;
	struct error err;
	size_t n = 0;

	if (word[0] == '-') {
		error_set(&err, ERROR_USAGE, 0,
			  "%.80s stands before any command: expected `pinwatch COMMAND %.80s` "
			  "(`pinwatch --help` lists commands)",
			  word, word);
		return report_error("", &err);
	}
	for (const struct command *c = command_table; c->name != NULL; c++)
		names[n++] = c->name;
	nearest = nearest_word(sv_cstr(word), names, n);
	error_set(&err, ERROR_USAGE, 0,
		  "unknown command %.80s%s%s%s (`pinwatch --help` lists them)", word,
		  nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
		  nearest != NULL ? "?" : "");
	return report_error("", &err);
}

/* Output is UTF-8; terminals' column widths need a locale that knows it. */
static void set_locale(void)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	tzset();
}

/* A closed standard stream would be reopened as some input, and be written over. Output is held so
 * that writing to it fails: results that nobody gets are an error, not silence. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			_exit(EXIT_INPUT); /* there is nobody to tell */
}

int main(int argc, char **argv)
{
	const struct command *c;

	hold_standard_streams();
	signal(SIGPIPE, SIG_DFL); /* a reader that went away ends the program quietly */
	set_locale();
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("pinwatch %s\n", PINWATCH_VERSION);
		return report_finish("", EXIT_DONE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		char *page[] = { argc > 2 ? argv[2] : NULL, (char[]){ "--help" }, NULL };

		c = argc > 2 ? find(argv[2]) : NULL;
		if (argc > 2)
			return c != NULL ? c->run(2, page) : unknown(argv[2]);
		help(stdout);
		return report_finish("", EXIT_DONE);
	}
	if (strcmp(argv[1], "--man") == 0)
		return manual();
	c = find(argv[1]);
	if (c == NULL)
		return unknown(argv[1]);
	return c->run(argc - 1, argv + 1);
}
