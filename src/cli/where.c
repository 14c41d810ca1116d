#include "cli/where.h"

#include <string.h>

#include "cli/report.h"

void where_option(struct where *w, int id, const char *value)
{
	switch (id) {
	case WHERE_CONFIG:
		w->config = value;
		break;
	case WHERE_STATE:
		w->state = value;
		break;
	case WHERE_DB:
		w->database = value;
		break;
	default:
		w->lines = strcmp(value, "jsonl") == 0;
		w->json = w->lines || strcmp(value, "json") == 0;
	}
}

static bool take_word(const struct where_command *c, struct where *w, const char *word,
		      struct error *err)
{
	if (w->n_words == c->max_words)
		return error_set(err, ERROR_USAGE, 0,
				 "%.200s: one word too many (`pinwatch %s --help` says more)", word,
				 c->args->name);
	w->words[w->n_words++] = word;
	return true;
}

/* *help: --help was met, and nothing behind it is read. */
static bool read_line(const struct where_command *c, struct where *w, void *arg, int argc,
		      char **argv, bool *help, struct error *err)
{
	struct args args;
	enum args_result r;
	const char *value;
	bool ok = true;
	int id;

	*help = false;
	args_begin(&args, c->args, argc, argv);
	while (ok && !*help && (r = args_next(&args, &id, &value, err)) != ARGS_END) {
		if (r == ARGS_ERROR)
			ok = false;
		else if (r == ARGS_OPERAND)
			ok = take_word(c, w, value, err);
		else if (id == ARG_HELP)
			*help = true;
		else if (id < WHERE_ARGS)
			where_option(w, id, value);
		else
			ok = c->option(arg, id, value, err);
	}
	return ok;
}

int where_main(const struct where_command *c, struct where *w, void *arg, int argc, char **argv)
{
	struct error err = { 0 };
	struct door d;
	bool help, ok = read_line(c, w, arg, argc, argv, &help, &err);

	if (help) {
		args_help(c->args);
		return report_finish(c->args->name, EXIT_DONE);
	}
	if (w->n_words == 0 && c->otherwise != NULL)
		w->words[w->n_words++] = c->otherwise;
	ok = ok && (c->check == NULL || c->check(arg, &err)) &&
	     door_open(&d, w->config, w->state, w->database, &err);
	if (ok) {
		ok = c->run(&d, arg, &err);
		door_close(&d);
	}
	return ok ? report_finish(c->args->name, EXIT_DONE) : report_error(c->args->name, &err);
}
