/* Subcommands that ask the API: where the daemon is, how its answer is written, and the verb with
 * its operands. Shared by findings, allow and user; status and db take their options from here.
 *
 * The rows below stand in each command's table, so that help and completion know them; what they
 * say is read here. Everything borrows from argv.
 */
#ifndef PINWATCH_CLI_WHERE_H
#define PINWATCH_CLI_WHERE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/args.h"
#include "cli/door.h"

enum where_arg {
	WHERE_CONFIG = 1,
	WHERE_STATE,
	WHERE_DB,
	WHERE_OUTPUT,
	WHERE_ARGS /* the command's own ids start here */
};

/* clang-format off */
#define WHERE_ARG_STATE \
	{ WHERE_CONFIG, 'c', "config", "FILE", NULL, \
	  "the daemon's configuration, for its serve.state" }, \
	{ WHERE_STATE, 0, "state", "DIR", NULL, "the daemon's state folder" }
#define WHERE_ARG_OUTPUT \
	{ WHERE_OUTPUT, 'o', "output", "FORM", "table json", "how it is written; table" }
#define WHERE_ARG_LIST_OUTPUT \
	{ WHERE_OUTPUT, 'o', "output", "FORM", "table json jsonl", \
	  "how it is written, jsonl with one of a list a line; table" }
#define WHERE_ARG_TABLE \
	WHERE_ARG_STATE, \
	{ WHERE_DB, 0, "db", "FILE", NULL, "the database, pinwatch.db in the state folder" }, \
	WHERE_ARG_LIST_OUTPUT
/* clang-format on */

#define WHERE_MAX_WORDS 3

struct where {
	const char *config, *state, *database; /* NULL: not said */
	const char *words[WHERE_MAX_WORDS];    /* verb and operands; NULL behind them */
	size_t n_words;
	bool json, lines; /* lines: jsonl, which is json too */
};

struct where_command {
	const struct args_command *args;
	size_t max_words;      /* at most WHERE_MAX_WORDS */
	const char *otherwise; /* the verb where none is given; NULL: none */
	/* An option of the command's own. */
	bool (*option)(void *arg, int id, const char *value, struct error *err);
	/* Looks at the whole line before a daemon is looked for. NULL: nothing to look at. */
	bool (*check)(void *arg, struct error *err);
	/* Asks, and prints what comes. */
	bool (*run)(struct door *d, void *arg, struct error *err);
};

/* Takes an option whose id is below WHERE_ARGS. */
void where_option(struct where *w, int id, const char *value);
/* The whole subcommand; returns its exit code. `w` is part of what `arg` points at. */
int where_main(const struct where_command *c, struct where *w, void *arg, int argc, char **argv);

#endif
