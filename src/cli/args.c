#include "cli/args.h"

#include <stdio.h>
#include <string.h>

#include "base/sv.h"
#include "conf/nearest.h"

/* More options than any command has. */
#define MAX_NAMES 64

void args_begin(struct args *a, const struct args_command *command, int argc, char **argv)
{
	*a = (struct args){ .command = command, .argc = argc, .argv = argv, ._at = 1 };
}

static bool usage(const struct args *a, struct error *err, const char *what, struct sv word,
		  const char *nearest, const char *prefix)
{
	char hint[128] = "";

	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "; did you mean %s%s?", prefix, nearest);
	return error_set(err, ERROR_USAGE, 0,
			 "%s %s%.*s%s (`pinwatch %s --help` lists what there is)", what, prefix,
			 SV_ARG(sv_first(word, 80)), hint, a->command->name);
}

static const struct arg *by_name(const struct args *a, struct sv name)
{
	for (const struct arg *o = a->command->args; o->name != NULL; o++)
		if (sv_eq(name, sv_cstr(o->name)))
			return o;
	return NULL;
}

static const struct arg *by_letter(const struct args *a, char letter)
{
	for (const struct arg *o = a->command->args; o->name != NULL; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static const char *nearest_name(const struct args *a, struct sv name)
{
	const char *names[MAX_NAMES + 1];
	size_t n = 0;

	for (const struct arg *o = a->command->args; o->name != NULL && n < MAX_NAMES; o++)
		names[n++] = o->name;
	names[n++] = "help";
	return nearest_word(name, names, n);
}

/* Is the value one of the words? Otherwise says which there are. */
static bool check_word(const struct args *a, const struct arg *o, const char *value,
		       struct error *err)
{
	struct sv rest = sv_cstr(o->words);
	struct sv given = sv_cstr(value);

	while (rest.n > 0)
		if (sv_eq(sv_cut(rest, ' ', &rest), given))
			return true;
	return error_set(err, ERROR_USAGE, 0,
			 "--%s takes one of: %s; not %.*s (`pinwatch %s --help` says more)",
			 o->name, o->words, SV_ARG(sv_first(given, 80)), a->command->name);
}

static enum args_result found(struct args *a, const struct arg *o, const char *inline_value,
			      int *id, const char **value, struct error *err)
{
	*id = o->id;
	*value = inline_value;
	if (o->value == NULL) {
		if (inline_value == NULL)
			return ARGS_OPTION;
		error_set(err, ERROR_USAGE, 0, "--%s takes no value", o->name);
		return ARGS_ERROR;
	}
	if (*value == NULL) {
		if (a->_at >= a->argc) {
			error_set(err, ERROR_USAGE, 0, "--%s needs a value: --%s %s", o->name,
				  o->name, o->value);
			return ARGS_ERROR;
		}
		*value = a->argv[a->_at++];
	}
	if (o->words != NULL && !check_word(a, o, *value, err))
		return ARGS_ERROR;
	return ARGS_OPTION;
}

static enum args_result short_option(struct args *a, int *id, const char **value, struct error *err)
{
	char letter = *a->_cluster++;
	const struct arg *o = by_letter(a, letter);
	const char *rest = a->_cluster;

	if (*rest == '\0')
		a->_cluster = NULL;
	if (o == NULL && letter == 'h') {
		*id = ARG_HELP;
		return ARGS_OPTION;
	}
	if (o == NULL) {
		usage(a, err, "unknown option", sv_make(&letter, 1), NULL, "-");
		return ARGS_ERROR;
	}
	if (o->value != NULL && *rest != '\0') { /* -cFILE, -c=FILE */
		a->_cluster = NULL;
		return found(a, o, *rest == '=' ? rest + 1 : rest, id, value, err);
	}
	return found(a, o, NULL, id, value, err);
}

enum args_result args_next(struct args *a, int *id, const char **value, struct error *err)
{
	const char *word;
	struct sv name, inline_value;
	const struct arg *o;

	*value = NULL;
	if (a->_cluster != NULL)
		return short_option(a, id, value, err);
	if (a->_at >= a->argc)
		return ARGS_END;
	word = a->argv[a->_at++];
	if (!a->_only_operands && strcmp(word, "--") == 0) {
		a->_only_operands = true;
		return args_next(a, id, value, err);
	}
	if (a->_only_operands || word[0] != '-' || word[1] == '\0') {
		*value = word;
		return ARGS_OPERAND;
	}
	if (word[1] != '-') {
		a->_cluster = word + 1;
		return short_option(a, id, value, err);
	}
	name = sv_cut(sv_cstr(word + 2), '=', &inline_value);
	o = by_name(a, name);
	if (o == NULL && sv_eq(name, SV("help"))) {
		*id = ARG_HELP;
		return ARGS_OPTION;
	}
	if (o == NULL) {
		usage(a, err, "unknown option", name, nearest_name(a, name), "--");
		return ARGS_ERROR;
	}
	return found(a, o, inline_value.p, id, value, err);
}

void args_help(const struct args_command *c)
{
	printf("Usage: pinwatch %s%s%s\n\n%s\n", c->name, c->usage[0] != '\0' ? " " : "", c->usage,
	       c->about);
	printf("\nOptions:\n");
	for (const struct arg *o = c->args; o->name != NULL; o++) {
		char left[64];
		int n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
				 o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
				 o->value != NULL ? " " : "", o->value != NULL ? o->value : "");

		if (n > 30)
			printf("%s\n%30s  %s\n", left, "", o->help);
		else
			printf("%-30s  %s\n", left, o->help);
		if (o->words != NULL)
			printf("%30s  one of: %s\n", "", o->words);
	}
	printf("%-30s  this page\n", "  -h, --help");
	printf("\nExamples:\n%s", c->examples);
}
