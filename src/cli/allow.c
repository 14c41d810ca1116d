#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/allow_view.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/json_list.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "cli/where.h"
#include "parse/json.h"

#define TARGET "/api/v1/allow-list"
#define MAX_ONLY 1000
#define MAX_PAGES 1024
#define MAX_OUTPUT ((size_t)256 * 1024 * 1024)

enum {
	ALLOW_OF_APP = WHERE_ARGS,
	ALLOW_TO,
	ALLOW_ONLY,
	ALLOW_OWNER,
	ALLOW_REASON,
	ALLOW_TICKET,
	ALLOW_EXPIRES,
	ALLOW_PREVIEW,
	ALLOW_UNUSED,
	ALLOW_BROAD,
	ALLOW_COVERS,
	ALLOW_WHICH,
};

static const struct arg allow_args[] = {
	WHERE_ARG_TABLE,
	{ ALLOW_OF_APP, 0, "app", "BUNDLE", NULL, "the app: a bundle id, or com.vendor.*" },
	{ ALLOW_TO, 0, "destination", "PLACE", NULL,
	  "the destination: a host, .suffix, address or network" },
	{ ALLOW_ONLY, 0, "only", "PATTERN", NULL,
	  "narrow to a destination of the app, or an app of the destination; may be repeated" },
	{ ALLOW_OWNER, 0, "owner", "TEXT", NULL, "who answers for the entry" },
	{ ALLOW_REASON, 0, "reason", "TEXT", NULL, "why it is there" },
	{ ALLOW_TICKET, 0, "ticket", "TEXT", NULL, "where that was decided" },
	{ ALLOW_EXPIRES, 0, "expires", "DAY", NULL,
	  "its last day in UTC, 2027-03-31; renew also takes never" },
	{ ALLOW_PREVIEW, 0, "preview", NULL, NULL, "add: only show what the entry would do" },
	{ ALLOW_UNUSED, 0, "unused", NULL, NULL,
	  "list: what covered nothing, ever or for 30 days" },
	{ ALLOW_BROAD, 0, "broad", NULL, NULL, "list: what covers more than is good" },
	{ ALLOW_COVERS, 0, "covers", NULL, NULL, "list: with the findings behind each entry" },
	{ ALLOW_WHICH, 0, "which", "STATE", "active expired removed all",
	  "list: these; active and expired ones" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command allow_command = {
	.name = "allow",
	.verbs = "add preview test list renew expire remove",
	.summary = "who may pin, and where to: allow-lists with an owner and an end",
	.usage = "[OPTION]... add (--app BUNDLE | --destination PLACE) [--preview]\n"
		 "       pinwatch allow [OPTION]... preview (--app BUNDLE | --destination PLACE)\n"
		 "       pinwatch allow [OPTION]... test HOST [--app BUNDLE]\n"
		 "       pinwatch allow [OPTION]... list [ID]\n"
		 "       pinwatch allow [OPTION]... renew ID --expires DAY\n"
		 "       pinwatch allow [OPTION]... expire ID\n"
		 "       pinwatch allow [OPTION]... remove ID",
	.about =
	    "add      puts an entry into the daemon's database, beside those of list files\n"
	    "preview  shows what such an entry would do: findings that it would quiet, now and\n"
	    "         in the past, how much of the fleet, and whether it is too broad\n"
	    "test     which entries cover a destination\n"
	    "list     all entries, what they cover, and what only they cover\n"
	    "renew    gives an entry a new last day\n"
	    "expire   ends an entry now: attempts until now stay covered\n"
	    "remove   takes an entry away, as if it had never been; its history stays\n"
	    "\n"
	    "Works over the socket of a running daemon, or on its database where none runs.\n"
	    "Entries of list files are changed in their files.\n"
	    "\n"
	    "Exit code: 0 done; 2 usage or configuration error, or refused; 3 no daemon or\n"
	    "database answers.",
	.examples =
	    "  pinwatch allow add --app com.acme.bank --owner mobile-security \\\n"
	    "      --reason \"pins by design\" --ticket SEC-1234 --expires 2027-03-31 --preview\n"
	    "  pinwatch allow test api.bank.test --app com.acme.bank\n"
	    "  pinwatch allow list --unused\n",
	.args = allow_args,
	.operands = OPERANDS_NONE,
};

struct request {
	struct where where;
	bool (*verb)(struct door *d, const struct request *q, struct error *err);
	const char *app, *destination, *owner, *reason, *ticket, *expires, *which;
	const char *only[MAX_ONLY];
	size_t n_only;
	bool preview, unused, broad, covers;
};

/* ---- the command line */

static bool take_option(void *arg, int id, const char *value, struct error *err)
{
	struct request *q = arg;

	switch (id) {
	case ALLOW_OF_APP:
		q->app = value;
		break;
	case ALLOW_TO:
		q->destination = value;
		break;
	case ALLOW_ONLY:
		if (q->n_only == MAX_ONLY)
			return error_set(err, ERROR_USAGE, 0, "more than %d --only", MAX_ONLY);
		q->only[q->n_only++] = value;
		break;
	case ALLOW_OWNER:
		q->owner = value;
		break;
	case ALLOW_REASON:
		q->reason = value;
		break;
	case ALLOW_TICKET:
		q->ticket = value;
		break;
	case ALLOW_EXPIRES:
		q->expires = value;
		break;
	case ALLOW_PREVIEW:
		q->preview = true;
		break;
	case ALLOW_UNUSED:
		q->unused = true;
		break;
	case ALLOW_BROAD:
		q->broad = true;
		break;
	case ALLOW_COVERS:
		q->covers = true;
		break;
	default:
		q->which = value;
	}
	return true;
}

/* ---- asking */

/* An entry as it would stand in a list file. */
static bool draft(const struct request *q, struct buf *body, struct error *err)
{
	struct jsonw w = jsonw_on(body);

	if ((q->app == NULL) == (q->destination == NULL))
		return error_set(err, ERROR_USAGE, 0,
				 "%s: expected --app BUNDLE or --destination PLACE (`pinwatch "
				 "allow --help` says more)",
				 q->where.words[0]);
	jsonw_open(&w, '{');
	door_member(&w, "app", q->app);
	door_member(&w, "destination", q->destination);
	if (q->n_only > 0) {
		jsonw_key(&w, q->app != NULL ? "destinations" : "apps");
		jsonw_open(&w, '[');
		for (size_t i = 0; i < q->n_only; i++)
			jsonw_str(&w, q->only[i]);
		jsonw_close(&w, ']');
	}
	door_member(&w, "owner", q->owner);
	door_member(&w, "reason", q->reason);
	door_member(&w, "ticket", q->ticket);
	door_member(&w, "expires", q->expires);
	jsonw_close(&w, '}');
	return true;
}

/* Prints the answer as it is, or as `view` shows it. */
static bool show(const struct request *q, struct buf *answer,
		 void (*view)(struct buf *out, const struct value *v), const char *done,
		 struct error *err)
{
	struct arena a = { 0 };
	struct value v;
	struct buf out;
	bool ok = true;

	buf_init(&out, MAX_OUTPUT);
	if (q->where.json)
		buf_sv(&out, buf_view(answer));
	else if ((ok = json_to_value(buf_view(answer), &a, &v, err))) {
		if (view != NULL)
			view(&out, &v);
		else
			allow_view_entry(&out, &v, done);
	}
	report_buf(stdout, &out);
	arena_free(&a);
	return ok;
}

static bool add(struct door *d, const struct request *q, struct error *err)
{
	bool preview = q->preview || strcmp(q->where.words[0], "preview") == 0, ok;
	struct buf body, answer;

	buf_init(&body, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	ok = draft(q, &body, err) &&
	     door_ask(d, "POST", preview ? TARGET "/preview" : TARGET, buf_view(&body), &answer,
		      err) &&
	     show(q, &answer, preview ? allow_view_preview : NULL, "added", err);
	buf_free(&body);
	buf_free(&answer);
	return ok;
}

static bool test(struct door *d, const struct request *q, struct error *err)
{
	struct buf target, answer;
	bool ok;

	if (q->where.words[1] == NULL)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "test: expected a host or an address: pinwatch allow test api.bank.test");
	buf_init(&target, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	buf_str(&target, TARGET "/test");
	door_query(&target, "host", q->where.words[1]);
	door_query(&target, "app", q->app);
	buf_char(&target, '\0');
	ok = door_ask(d, "GET", target.p, SV_NONE, &answer, err) &&
	     show(q, &answer, allow_view_test, NULL, err);
	buf_free(&target);
	buf_free(&answer);
	return ok;
}

/* One page after the other. */
struct listing {
	struct arena a;
	const struct value *pages[MAX_PAGES];
	size_t n;
	struct json_list json;
};

static bool next_page(struct door *d, const struct request *q, struct listing *l, int64_t *after,
		      struct error *err)
{
	struct value *v = arena_alloc(&l->a, sizeof(*v));
	const struct value *next;
	struct buf target, answer;
	char number[24];
	bool ok;

	buf_init(&target, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	buf_str(&target, TARGET);
	door_query(&target, "id", q->where.words[1]);
	door_query(&target, "state", q->which);
	door_query(&target, "unused", q->unused ? "true" : NULL);
	door_query(&target, "broad", q->broad ? "true" : NULL);
	door_query(&target, "covers", q->covers || q->where.words[1] != NULL ? "true" : NULL);
	snprintf(number, sizeof(number), "%lld", (long long)*after);
	door_query(&target, "after", *after > 0 ? number : NULL);
	buf_char(&target, '\0');
	ok = door_ask(d, "GET", target.p, SV_NONE, &answer, err) &&
	     json_to_value(buf_view(&answer), &l->a, v, err);
	if (ok && q->where.json)
		json_list_add(&l->json, buf_view(&answer));
	if (ok) {
		next = value_member(v, SV("next"));
		*after = next != NULL && next->type == VALUE_INT ? next->integer : 0;
		l->pages[l->n++] = v;
	}
	buf_free(&target);
	buf_free(&answer);
	return ok;
}

static bool list(struct door *d, const struct request *q, struct error *err)
{
	struct listing l = { 0 };
	int64_t after = 0;
	struct buf out;
	bool ok;

	json_list_begin(&l.json, q->where.lines, MAX_OUTPUT);
	do
		ok = next_page(d, q, &l, &after, err);
	while (ok && after > 0 && l.n < MAX_PAGES);
	json_list_end(&l.json);
	buf_init(&out, MAX_OUTPUT);
	if (ok && q->where.json)
		buf_sv(&out, buf_view(&l.json.out));
	else if (ok)
		allow_view_list(&out, l.pages, l.n);
	report_buf(stdout, &out);
	buf_free(&l.json.out);
	arena_free(&l.a);
	return ok;
}

static bool change(struct door *d, const struct request *q, struct error *err)
{
	const char *verb = q->where.words[0];
	bool renew = strcmp(verb, "renew") == 0, ok;
	struct buf target, body, answer;
	struct jsonw w;
	uint64_t id;

	if (q->where.words[1] == NULL || !sv_to_u64(sv_cstr(q->where.words[1]), &id))
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%s: expected an entry's number, as `pinwatch allow list` shows it", verb);
	if (renew && q->expires == NULL)
		return error_set(err, ERROR_USAGE, 0,
				 "renew: expected --expires DAY, or --expires never");
	buf_init(&target, 4096);
	buf_init(&body, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	buf_printf(&target, TARGET "/%llu/%s", (unsigned long long)id, verb);
	buf_char(&target, '\0');
	w = jsonw_on(&body);
	jsonw_open(&w, '{');
	if (renew) {
		jsonw_key_str(&w, "expires", strcmp(q->expires, "never") == 0 ? NULL : q->expires);
		door_member(&w, "owner", q->owner);
		door_member(&w, "reason", q->reason);
		door_member(&w, "ticket", q->ticket);
	}
	jsonw_close(&w, '}');
	ok = door_ask(d, "POST", target.p, buf_view(&body), &answer, err) &&
	     show(q, &answer, NULL,
		  renew				? "renewed"
		  : strcmp(verb, "expire") == 0 ? "ended"
						: "removed",
		  err);
	buf_free(&target);
	buf_free(&body);
	buf_free(&answer);
	return ok;
}

static const struct {
	const char *verb;
	bool (*run)(struct door *d, const struct request *q, struct error *err);
} verbs[] = {
	{ "add", add },	     { "preview", add },   { "test", test },	 { "list", list },
	{ "renew", change }, { "expire", change }, { "remove", change },
};

static bool check(void *arg, struct error *err)
{
	struct request *q = arg;
	const char *word = q->where.words[0];

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && word != NULL; i++) {
		if (strcmp(word, verbs[i].verb) != 0)
			continue;
		q->verb = verbs[i].run;
		return true;
	}
	return error_set(err, ERROR_USAGE, 0,
			 "%.100s%sexpected add, preview, test, list, renew, expire or remove "
			 "(`pinwatch allow --help` says more)",
			 word != NULL ? word : "", word != NULL ? ": " : "");
}

static bool run(struct door *d, void *arg, struct error *err)
{
	const struct request *q = arg;

	return q->verb(d, q, err);
}

int cmd_allow(int argc, char **argv)
{
	static const struct where_command command = {
		.args = &allow_command,
		.max_words = 2,
		.option = take_option,
		.check = check,
		.run = run,
	};
	struct request q = { 0 };

	return where_main(&command, &q.where, &q, argc, argv);
}
