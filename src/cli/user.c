#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/grid.h"
#include "cli/json_list.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "cli/where.h"
#include "parse/json.h"

#define TARGET "/api/v1/users"
#define MAX_OUTPUT ((size_t)64 * 1024 * 1024)
#define MAX_PASSWORD 4096

enum {
	USER_ROLE = WHERE_ARGS,
	USER_NO_PASSWORD,
	USER_LABEL,
	USER_DAYS,
	USER_REVOKE,
};

static const struct arg user_args[] = {
	WHERE_ARG_TABLE,
	{ USER_ROLE, 0, "role", "ROLE", "viewer analyst admin",
	  "add: what the user may, viewer; token: at most this" },
	{ USER_NO_PASSWORD, 0, "no-password", NULL, NULL, "add, passwd: no log-in, tokens only" },
	{ USER_LABEL, 0, "label", "TEXT", NULL, "token: what it is for" },
	{ USER_DAYS, 0, "days", "N", NULL, "token: holds so long; 90" },
	{ USER_REVOKE, 0, "revoke", "ID", NULL, "token: end this one" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command user_command = {
	.name = "user",
	.verbs = "list add remove passwd role token tokens",
	.summary = "who may use the API: users, roles, passwords, tokens",
	.usage =
	    "[OPTION]... list\n"
	    "       pinwatch user [OPTION]... add NAME [--role ROLE] [--no-password]\n"
	    "       pinwatch user [OPTION]... remove NAME\n"
	    "       pinwatch user [OPTION]... passwd NAME\n"
	    "       pinwatch user [OPTION]... role NAME ROLE\n"
	    "       pinwatch user [OPTION]... token NAME [--role ROLE] [--days N] [--label TEXT]\n"
	    "       pinwatch user [OPTION]... token NAME --revoke ID\n"
	    "       pinwatch user [OPTION]... tokens NAME",
	.about =
	    "A viewer reads; an analyst also works on findings and previews allow-lists; an\n"
	    "admin also changes allow-lists and users and reads the audit. Passwords are read\n"
	    "from the terminal, or a line of standard input. A token is shown once, and kept\n"
	    "as its hash; it may do no more than its user, who may lose the role meanwhile.\n"
	    "\n"
	    "Works over the socket of a running daemon, or on its database where none runs.\n"
	    "\n"
	    "Exit code: 0 done; 2 usage or configuration error, or refused; 3 no daemon or\n"
	    "database answers.",
	.examples = "  pinwatch user -c pinwatch.yaml add alice --role analyst\n"
		    "  pinwatch user token alice --role viewer --days 30 --label dashboard\n"
		    "  pinwatch user list\n",
	.args = user_args,
	.operands = OPERANDS_NONE,
};

struct request {
	struct where where;
	const char *role, *label, *days, *revoke;
	bool no_password;
};

static bool take_option(void *arg, int id, const char *value, struct error *err)
{
	struct request *q = arg;

	(void)err;
	switch (id) {
	case USER_ROLE:
		q->role = value;
		break;
	case USER_NO_PASSWORD:
		q->no_password = true;
		break;
	case USER_LABEL:
		q->label = value;
		break;
	case USER_DAYS:
		q->days = value;
		break;
	default:
		q->revoke = value;
	}
	return true;
}

/* ---- passwords */

/* A line without echo. */
static bool read_line(const char *prompt, char *out, size_t size, struct error *err)
{
	struct termios before, silent;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	char *got;

	if (terminal) {
		fprintf(stderr, "%s: ", prompt);
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	got = fgets(out, (int)size, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (got == NULL)
		return error_set(err, ERROR_USAGE, 0,
				 "expected a password: a line of standard input, or --no-password");
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static bool read_password(char *out, size_t size, struct error *err)
{
	char again[MAX_PASSWORD];
	bool ok;

	if (!read_line("password, at least 12 characters", out, size, err))
		return false;
	if (!isatty(STDIN_FILENO))
		return true;
	ok = read_line("once more", again, sizeof(again), err) &&
	     (strcmp(out, again) == 0 ||
	      error_set(err, ERROR_USAGE, 0,
			"expected the same password twice; nothing was changed"));
	explicit_bzero(again, sizeof(again));
	return ok;
}

/* ---- views */

static struct sv text_of(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_STRING ? m->text : SV_NONE;
}

static int64_t number_of(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_INT ? m->integer : 0;
}

static bool is_true(const struct value *v, const char *name)
{
	const struct value *m = value_member(v, sv_cstr(name));

	return m != NULL && m->type == VALUE_BOOL && m->boolean;
}

static void view_users(struct buf *out, const struct value *v)
{
	static const char *const titles[] = {
		"NAME", "ROLE", "PASSWORD", ">TOKENS", "CREATED", "BY"
	};
	const struct value *list = value_member(v, SV("users"));
	struct grid g;

	if (list == NULL || list->type != VALUE_ARRAY || list->array.n == 0) {
		buf_str(out, "no users: only this machine's api.sock lets anybody in\n");
		return;
	}
	grid_begin(&g, titles, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < list->array.n; i++) {
		const struct value *u = &list->array.items[i];

		grid_cell(&g, text_of(u, "name"));
		grid_cell(&g, text_of(u, "role"));
		grid_cell(&g, is_true(u, "password") ? SV("yes") : SV("none"));
		grid_count(&g, number_of(u, "tokens"));
		grid_cell(&g, sv_first(text_of(u, "created_at"), 10));
		grid_cell(&g, text_of(u, "created_by"));
	}
	grid_end(&g, 0, out);
}

static void view_tokens(struct buf *out, const struct value *v)
{
	static const char *const titles[] = { "ID", "ROLE", "LABEL", "CREATED", "EXPIRES", "BY" };
	const struct value *list = value_member(v, SV("tokens"));
	struct grid g;

	if (list == NULL || list->type != VALUE_ARRAY || list->array.n == 0) {
		buf_str(out, "no tokens\n");
		return;
	}
	grid_begin(&g, titles, sizeof(titles) / sizeof(titles[0]));
	for (size_t i = 0; i < list->array.n; i++) {
		const struct value *t = &list->array.items[i];

		grid_cell(&g, text_of(t, "id"));
		grid_cell(&g, text_of(t, "role"));
		grid_cell(&g, text_of(t, "label"));
		grid_cell(&g, sv_first(text_of(t, "created_at"), 10));
		grid_cell(&g, sv_first(text_of(t, "expires_at"), 10));
		grid_cell(&g, text_of(t, "created_by"));
	}
	grid_end(&g, 0, out);
}

static void view_token(struct buf *out, const struct value *v)
{
	text_safe(out, text_of(v, "token"), 0);
	buf_char(out, '\n');
}

static void view_user(struct buf *out, const struct value *v)
{
	const struct value *u = value_member(v, SV("user"));

	if (u == NULL) {
		buf_str(out, "done\n");
		return;
	}
	text_safe(out, text_of(u, "name"), 0);
	buf_str(out, ": ");
	text_safe(out, text_of(u, "role"), 0);
	buf_str(out, is_true(u, "password") ? ", with a password\n" : ", without a password\n");
}

/* ---- verbs */

static bool password_member(struct jsonw *w, const struct request *q, struct error *err)
{
	char password[MAX_PASSWORD];
	bool ok = true;

	jsonw_key(w, "password");
	if (q->no_password)
		jsonw_null(w);
	else if ((ok = read_password(password, sizeof(password), err)))
		jsonw_str(w, password);
	explicit_bzero(password, sizeof(password));
	return ok;
}

static bool token_members(struct jsonw *w, const struct request *q, struct error *err)
{
	int64_t days;

	door_member(w, "role", q->role);
	door_member(w, "label", q->label);
	if (q->days == NULL)
		return true;
	if (!sv_to_i64(sv_cstr(q->days), &days))
		return error_set(err, ERROR_USAGE, 0, "--days %.100s: expected a number", q->days);
	jsonw_key_int(w, "days", days);
	return true;
}

enum verb {
	VERB_LIST,
	VERB_ADD,
	VERB_REMOVE,
	VERB_PASSWD,
	VERB_ROLE,
	VERB_TOKEN,
	VERB_TOKENS,
	VERBS
};

static const struct {
	const char *word, *method, *below;
	size_t n_words;
	bool body;
	void (*view)(struct buf *out, const struct value *v);
} verbs[VERBS] = {
	[VERB_LIST] = { "list", "GET", NULL, 1, false, view_users },
	[VERB_ADD] = { "add", "POST", NULL, 2, true, view_user },
	[VERB_REMOVE] = { "remove", "DELETE", "", 2, false, view_user },
	[VERB_PASSWD] = { "passwd", "POST", "/password", 2, true, view_user },
	[VERB_ROLE] = { "role", "POST", "/role", 3, true, view_user },
	[VERB_TOKEN] = { "token", "POST", "/tokens", 2, true, view_token },
	[VERB_TOKENS] = { "tokens", "GET", "/tokens", 2, false, view_tokens },
};

static bool write_body(struct buf *body, enum verb verb, const struct request *q, struct error *err)
{
	struct jsonw w = jsonw_on(body);
	bool ok = true;

	jsonw_open(&w, '{');
	if (verb == VERB_ADD) {
		door_member(&w, "name", q->where.words[1]);
		door_member(&w, "role", q->role != NULL ? q->role : "viewer");
	}
	if (verb == VERB_ADD || verb == VERB_PASSWD)
		ok = password_member(&w, q, err);
	if (verb == VERB_ROLE)
		door_member(&w, "role", q->where.words[2]);
	if (verb == VERB_TOKEN)
		ok = token_members(&w, q, err);
	jsonw_close(&w, '}');
	return ok;
}

static bool find_verb(const struct request *q, enum verb *verb, struct error *err)
{
	int i = 0;

	while (i < VERBS && strcmp(q->where.words[0], verbs[i].word) != 0)
		i++;
	if (i == VERBS)
		return error_set(err, ERROR_USAGE, 0,
				 "%.100s: expected list, add, remove, passwd, role, token or "
				 "tokens (`pinwatch user --help` says more)",
				 q->where.words[0]);
	if (q->where.n_words != verbs[i].n_words)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: expected %s (`pinwatch user --help` says more)",
				 q->where.words[0],
				 i == VERB_LIST	  ? "no name"
				 : i == VERB_ROLE ? "a name and a role"
						  : "a name alone");
	*verb = (enum verb)i;
	return true;
}

static void put_list(struct buf *out, struct sv answer, bool lines)
{
	struct json_list list;

	json_list_begin(&list, lines, MAX_OUTPUT);
	json_list_add(&list, answer);
	json_list_end(&list);
	buf_sv(out, buf_view(&list.out));
	buf_free(&list.out);
}

static bool run(struct door *d, void *arg, struct error *err)
{
	const struct request *q = arg;
	struct buf target, body, answer, out;
	struct arena a = { 0 };
	enum verb verb = VERB_LIST;
	bool ok = find_verb(q, &verb, err), revoke;
	struct value v;

	if (!ok)
		return false;
	buf_init(&target, 65536);
	buf_init(&body, 65536);
	buf_init(&answer, MAX_OUTPUT);
	buf_init(&out, MAX_OUTPUT);
	revoke = verb == VERB_TOKEN && q->revoke != NULL;
	buf_str(&target, TARGET);
	if (verbs[verb].below != NULL) {
		buf_char(&target, '/');
		door_encode(&target, sv_cstr(q->where.words[1]));
		buf_str(&target, verbs[verb].below);
	}
	if (revoke) {
		buf_char(&target, '/');
		door_encode(&target, sv_cstr(q->revoke));
	}
	buf_char(&target, '\0');
	ok = (revoke || !verbs[verb].body || write_body(&body, verb, q, err)) &&
	     door_ask(d, revoke ? "DELETE" : verbs[verb].method, target.p, buf_view(&body), &answer,
		      err);
	if (ok && q->where.json && (verb == VERB_LIST || verb == VERB_TOKENS))
		put_list(&out, buf_view(&answer), q->where.lines);
	else if (ok && q->where.json)
		buf_sv(&out, buf_view(&answer));
	else if (ok && (ok = json_to_value(buf_view(&answer), &a, &v, err)))
		(revoke ? view_user : verbs[verb].view)(&out, &v);
	report_buf(stdout, &out);
	if (body.n > 0)
		explicit_bzero(body.p, body.n);
	buf_free(&target);
	buf_free(&body);
	buf_free(&answer);
	arena_free(&a);
	return ok;
}

int cmd_user(int argc, char **argv)
{
	static const struct where_command command = {
		.args = &user_command,
		.max_words = 3,
		.otherwise = "list",
		.option = take_option,
		.run = run,
	};
	struct request q = { 0 };

	return where_main(&command, &q.where, &q, argc, argv);
}
