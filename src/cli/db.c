#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "cli/where.h"
#include "conf/conf.h"
#include "emit/text.h"
#include "store/archive.h"

static const struct arg db_args[] = {
	WHERE_ARG_STATE,
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command db_command = {
	.name = "db",
	.summary = "check, export and restore what a daemon keeps",
	.usage = "[OPTION]... check\n       pinwatch db [OPTION]... export DIR\n"
		 "       pinwatch db [OPTION]... restore DIR",
	.about =
	    "check    looks through database and journal, also of a running daemon, and says\n"
	    "         what is wrong\n"
	    "export   copies both to a new folder, as of the last checkpoint, also of a\n"
	    "         running daemon; the copy is a state folder itself\n"
	    "restore  checks such a copy and makes it the state, which must not exist yet\n"
	    "\n"
	    "Exit code: 0 done; 2 usage or configuration error; 3 something cannot be read or\n"
	    "written; 4 check has found something.",
	.examples = "  pinwatch db -c /etc/pinwatch/pinwatch.yaml check\n"
		    "  pinwatch db --state /var/lib/pinwatch export /backup/pinwatch-monday\n",
	.args = db_args,
	.operands = OPERANDS_FILES,
	.verbs = "check export restore",
};

static void complain(void *arg, const char *what)
{
	struct buf line;

	(*(size_t *)arg)++;
	buf_init(&line, 8192);
	text_safe(&line, sv_cstr(what), 0);
	buf_char(&line, '\n');
	report_buf(stdout, &line);
}

static int check(const char *state)
{
	size_t found = 0;
	struct error err;

	if (!archive_check(state, complain, &found, &err))
		return report_error("db", &err);
	if (found == 0)
		printf("nothing is wrong\n");
	return report_finish("db", found > 0 ? EXIT_PARTIAL : EXIT_DONE);
}

static int run(const char *state, const char *verb, const char *folder)
{
	struct error err;
	bool ok;

	if (verb != NULL && strcmp(verb, "check") == 0 && folder == NULL)
		return check(state);
	if (verb != NULL && strcmp(verb, "export") == 0 && folder != NULL)
		ok = archive_export(state, folder, &err);
	else if (verb != NULL && strcmp(verb, "restore") == 0 && folder != NULL)
		ok = archive_restore(folder, state, &err);
	else
		ok = error_set(
		    &err, ERROR_USAGE, 0,
		    "expected check, export DIR or restore DIR (`pinwatch db --help` says more)");
	return ok ? report_finish("db", EXIT_DONE) : report_error("db", &err);
}

int cmd_db(int argc, char **argv)
{
	struct where where = { 0 };
	const char *value, *words[2] = { NULL, NULL };
	size_t n = 0;
	struct conf conf;
	struct args args;
	struct error err;
	enum args_result r;
	bool ok = true;
	int id, code;

	conf_defaults(&conf);
	args_begin(&args, &db_command, argc, argv);
	while (ok && (r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_OPTION && id == ARG_HELP) {
			args_help(&db_command);
			conf_free(&conf);
			return report_finish("db", EXIT_DONE);
		}
		if (r == ARGS_OPERAND && n < 2)
			words[n++] = value;
		else if (r == ARGS_OPERAND)
			ok = error_set(
			    &err, ERROR_USAGE, 0,
			    "%.200s: one word too many: expected check, export DIR or restore DIR",
			    value);
		else if (r == ARGS_ERROR)
			ok = false;
		else
			where_option(&where, id, value);
	}
	if (ok && where.config != NULL) {
		conf_free(&conf);
		ok = conf_load(&conf, where.config, &err);
	}
	code = ok ? run(where.state != NULL ? where.state : conf.state.p, words[0], words[1])
		  : report_error("db", &err);
	conf_free(&conf);
	return code;
}
