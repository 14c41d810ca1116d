#include <stdio.h>
#include <string.h>

#include "base/sv.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "conf/nearest.h"

static const struct arg completion_args[] = { { 0, 0, NULL, NULL, NULL, NULL } };

const struct args_command completion_command = {
	.name = "completion",
	.summary = "completion for a shell: bash, zsh or fish",
	.usage = "bash|zsh|fish",
	.about = "Prints a script that teaches the shell the commands, their options and the\n"
		 "words they take.",
	.examples = "  pinwatch completion bash > /etc/bash_completion.d/pinwatch\n"
		    "  pinwatch completion zsh > \"${fpath[1]}/_pinwatch\"\n"
		    "  pinwatch completion fish > ~/.config/fish/completions/pinwatch.fish\n",
	.args = completion_args,
	.verbs = "bash zsh fish",
};

/* A shell's single-quoted text; none of our tables holds a quote but help texts with an
 * apostrophe. */
static void quoted(const char *text, const char *escaped_quote)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs(escaped_quote, stdout);
		else
			putchar(*text);
}

/* A command whose first operand is a verb: verbs are offered but behind one, and behind an option
 * that takes a value. */
static void bash_verbs(const struct args_command *c)
{
	struct sv verb, rest = sv_cstr(c->verbs);

	for (const struct arg *o = c->args; o->name != NULL; o++)
		if (o->value != NULL && o->words == NULL) {
			printf("\t\t--%s", o->name);
			if (o->letter != 0)
				printf("|-%c", o->letter);
			printf(") ;;\n");
		}
	while (rest.n > 0) {
		verb = sv_cut(rest, ' ', &rest);
		printf("\t\t%.*s) ;;\n", SV_ARG(verb));
	}
	printf("\t\t*) words='%s' ;;\n", c->verbs);
}

static void bash(void)
{
	printf("# bash completion for pinwatch\n"
	       "_pinwatch()\n"
	       "{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
	       "cmd=${COMP_WORDS[1]}\n"
	       "\tlocal options='' words=''\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '");
	for (const struct command *c = command_table; c->name != NULL; c++)
		printf("%s ", c->name);
	printf("--help --version --man' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $cmd in\n");
	for (const struct command *c = command_table; c->name != NULL; c++) {
		if (c->args == NULL)
			continue;
		printf("\t%s)\n\t\toptions='", c->name);
		for (const struct arg *o = c->args->args; o->name != NULL; o++)
			printf("--%s ", o->name);
		printf("--help'\n\t\tcase $prev in\n");
		for (const struct arg *o = c->args->args; o->name != NULL; o++)
			if (o->words != NULL && o->letter != 0)
				printf("\t\t--%s|-%c) words='%s' ;;\n", o->name, o->letter,
				       o->words);
			else if (o->words != NULL)
				printf("\t\t--%s) words='%s' ;;\n", o->name, o->words);
		if (c->args->verbs != NULL)
			bash_verbs(c->args);
		printf("\t\tesac\n\t\t;;\n");
	}
	printf("\tesac\n"
	       "\tif [ -n \"$words\" ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "\telif [ \"${cur#-}\" != \"$cur\" ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	       "\telse\n"
	       "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	       "\tfi\n"
	       "}\n"
	       "complete -o filenames -F _pinwatch pinwatch\n");
}

static void zsh(void)
{
	printf("#compdef pinwatch\n_pinwatch() {\n\tlocal -a commands\n\tcommands=(\n");
	for (const struct command *c = command_table; c->name != NULL; c++) {
		printf("\t\t'%s:", c->name);
		quoted(c->summary, "'\\''");
		printf("'\n");
	}
	printf("\t)\n"
	       "\tif (( CURRENT == 2 )); then\n"
	       "\t\t_describe command commands\n"
	       "\t\treturn\n"
	       "\tfi\n"
	       "\tcase $words[2] in\n");
	for (const struct command *c = command_table; c->name != NULL; c++) {
		if (c->args == NULL)
			continue;
		printf("\t%s)\n\t\t_arguments", c->name);
		for (const struct arg *o = c->args->args; o->name != NULL; o++) {
			printf(" \\\n\t\t\t'*--%s[", o->name);
			for (const char *p = o->help; *p != '\0';
			     p++) /* brackets and colons are syntax */
				if (*p == '\'')
					fputs("'\\''", stdout);
				else if (*p == '[' || *p == ']' || *p == ':')
					printf("\\%c", *p);
				else
					putchar(*p);
			printf("]%s%s", o->value != NULL ? ":" : "",
			       o->value != NULL ? o->name : "");
			if (o->words != NULL)
				printf(":(%s)", o->words);
			else if (o->value != NULL)
				printf(":_files");
			printf("'");
		}
		printf(" \\\n\t\t\t'--help[help]'");
		if (c->args->verbs != NULL) /* the command is the first argument */
			printf(" '2:what:(%s)'", c->args->verbs);
		printf(" '*:file:_files'\n\t\t;;\n");
	}
	printf(
	    "\t*) _files ;;\n\tesac\n}\n"
	    "if [ \"$funcstack[1]\" = _pinwatch ]; then\n" /* loaded from fpath: called already */
	    "\t_pinwatch \"$@\"\nelse\n\tcompdef _pinwatch pinwatch\nfi\n");
}

static void fish(void)
{
	for (const struct command *c = command_table; c->name != NULL; c++) {
		printf("complete -c pinwatch -n __fish_use_subcommand -f -a %s -d '", c->name);
		quoted(c->summary, "\\'");
		printf("'\n");
		if (c->args == NULL)
			continue;
		for (const struct arg *o = c->args->args; o->name != NULL; o++) {
			printf("complete -c pinwatch -n '__fish_seen_subcommand_from %s' -l %s",
			       c->name, o->name);
			if (o->letter != 0)
				printf(" -s %c", o->letter);
			if (o->value != NULL)
				printf(" -r");
			if (o->words != NULL)
				printf(" -f -a '%s'", o->words);
			printf(" -d '");
			quoted(o->help, "\\'");
			printf("'\n");
		}
		if (c->args->verbs != NULL)
			printf("complete -c pinwatch -n '__fish_seen_subcommand_from %s; and not "
			       "__fish_seen_subcommand_from %s' -f -a '%s'\n",
			       c->name, c->args->verbs, c->args->verbs);
	}
}

int cmd_completion(int argc, char **argv)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	const char *shell = NULL, *value, *nearest;
	enum args_result r;
	struct args args;
	struct error err;
	int id;

	args_begin(&args, &completion_command, argc, argv);
	while ((r = args_next(&args, &id, &value, &err)) != ARGS_END) {
		if (r == ARGS_ERROR)
			return report_error("completion", &err);
		if (r == ARGS_OPTION) {
			args_help(&completion_command);
			return report_finish("completion", EXIT_DONE);
		}
		shell = value;
	}
	if (shell == NULL) {
		error_set(&err, ERROR_USAGE, 0,
			  "SHELL is missing: `pinwatch completion bash`, zsh or fish");
		return report_error("completion", &err);
	}
	if (strcmp(shell, "bash") == 0)
		bash();
	else if (strcmp(shell, "zsh") == 0)
		zsh();
	else if (strcmp(shell, "fish") == 0)
		fish();
	else {
		nearest = nearest_word(sv_cstr(shell), shells, 3);
		error_set(&err, ERROR_USAGE, 0,
			  "no completion for the shell %.80s; there is bash, zsh and fish%s%s%s",
			  shell, nearest != NULL ? "; did you mean " : "",
			  nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
		return report_error("completion", &err);
	}
	return report_finish("completion", EXIT_DONE);
}
