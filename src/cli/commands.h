/* The subcommands: one file each. argv[0] is the subcommand's name, argc counts it.
 *
 * Each returns the program's exit code, prints results to standard output and everything else to
 * standard error. Codes are those of docs/interface.md.
 */
#ifndef PINWATCH_CLI_COMMANDS_H
#define PINWATCH_CLI_COMMANDS_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FINDINGS = 1,     /* at or above --fail-on; for `score` below --min-f1 */
	EXIT_USAGE = 2,	       /* usage or configuration error */
	EXIT_INPUT = 3,	       /* unreadable, unrecognised, or nothing could be parsed */
	EXIT_PARTIAL = 4,      /* done, but partly */
	EXIT_INTERRUPTED = 130 /* results so far were written whole */
};

int cmd_scan(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_parse(int argc, char **argv);
int cmd_formats(int argc, char **argv);
int cmd_analytic(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_backtest(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_findings(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_db(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_score(int argc, char **argv);

#endif
