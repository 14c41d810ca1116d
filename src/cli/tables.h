/* The commands' option tables, for help and completion. */
#ifndef PINWATCH_CLI_TABLES_H
#define PINWATCH_CLI_TABLES_H

#include "cli/args.h"

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
	const struct args_command *args; /* NULL: the command reads its own */
};

/* In the order in which help lists them; ends with a NULL name. */
extern const struct command command_table[];

extern const struct args_command scan_command, explain_command, parse_command, formats_command,
    analytic_command, backtest_command, check_config_command, serve_command, status_command,
    findings_command, allow_command, user_command, db_command, sim_command, score_command,
    completion_command;

#endif
