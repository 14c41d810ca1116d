/* Command lines: options in any position, one table a command.
 *
 * `--name value`, `--name=value`, `-n value`, `-nvalue`, clustered flags (`-qv`), `--` ends
 * options, `-` is an operand (standard input). The same table gives --help, the completion scripts
 * and "did you mean". Values borrow from argv.
 */
#ifndef PINWATCH_CLI_ARGS_H
#define PINWATCH_CLI_ARGS_H

#include <stdbool.h>

#include "base/error.h"

/* One option. */
struct arg {
	int id;		   /* ≥ 1, the command's own */
	char letter;	   /* short form; 0: none */
	const char *name;  /* without dashes; NULL ends a table */
	const char *value; /* what it takes, as help shows it; NULL: a flag */
	const char *words; /* the values it takes, separated by spaces; NULL: anything */
	const char *help;
};

/* What an operand is, for completion. */
enum arg_operands { OPERANDS_NONE, OPERANDS_FILES };

struct args_command {
	const char *name;
	const char *summary;  /* one line */
	const char *usage;    /* after `pinwatch NAME` */
	const char *about;    /* paragraphs, wrapped by hand */
	const char *examples; /* lines, each indented by two */
	const struct arg *args;
	enum arg_operands operands;
	const char *verbs; /* what the first operand may be, separated by spaces; NULL: anything */
};

struct args {
	const struct args_command *command;
	int argc;
	char **argv;
	int _at;
	const char *_cluster; /* rest of `-qv` */
	bool _only_operands;
};

#define ARG_HELP 0

enum args_result { ARGS_END, ARGS_OPTION, ARGS_OPERAND, ARGS_ERROR };

/* argv[0] is skipped. */
void args_begin(struct args *a, const struct args_command *command, int argc, char **argv);
/* The next option (*id, *value, NULL for flags; ARG_HELP for --help and -h) or operand (*value). */
enum args_result args_next(struct args *a, int *id, const char **value, struct error *err);
/* The whole --help page on standard output. */
void args_help(const struct args_command *command);

#endif
