#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/findings_view.h"
#include "cli/json_list.h"
#include "cli/report.h"
#include "cli/tables.h"
#include "cli/where.h"
#include "parse/json.h"

#define TARGET "/api/v1/findings"
#define MAX_OUTPUT ((size_t)256 * 1024 * 1024)
/* Characters of a uid that name it, when they do. */
#define MIN_UID 4

enum {
	FINDINGS_LOCAL = WHERE_ARGS,
	FINDINGS_REASON,
	FINDINGS_COMMENT,
	FINDINGS_ALL,
	FINDINGS_LIMIT,
	/* What the API is asked for. */
	FINDINGS_STATUS,
	FINDINGS_VERDICT,
	FINDINGS_SEVERITY,
	FINDINGS_KIND,
	FINDINGS_APP,
	FINDINGS_DESTINATION,
	FINDINGS_DEVICE,
	FINDINGS_ASSIGNEE,
	FINDINGS_SINCE,
	FINDINGS_SORT,
	FINDINGS_END
};

static const struct arg findings_args[] = {
	WHERE_ARG_TABLE,
	{ FINDINGS_LOCAL, 0, "local", NULL, NULL, "times in your zone instead of UTC" },
	{ FINDINGS_STATUS, 0, "status", "WORDS", NULL,
	  "list: open, acknowledged, closed, reopened, resolved; several with commas; "
	  "open,acknowledged,reopened" },
	{ FINDINGS_VERDICT, 0, "verdict", "WORDS", NULL, "list: these verdicts" },
	{ FINDINGS_SEVERITY, 0, "severity", "WORDS", NULL, "list: these severities" },
	{ FINDINGS_KIND, 0, "kind", "WORDS", NULL, "list: these kinds" },
	{ FINDINGS_APP, 0, "app", "BUNDLE", NULL, "list: of this app, or com.vendor.*" },
	{ FINDINGS_DESTINATION, 0, "destination", "HOST", NULL, "list: to this host, or .suffix" },
	{ FINDINGS_DEVICE, 0, "device", "ID", NULL, "list: with this device" },
	{ FINDINGS_ASSIGNEE, 0, "assignee", "NAME", NULL, "list: whose they are; - for nobody's" },
	{ FINDINGS_SINCE, 0, "since", "TIME", NULL, "list: seen at or after this time, ISO 8601" },
	{ FINDINGS_SORT, 0, "sort", "KEY", NULL,
	  "list: last_seen, first_seen, changed_at, created_at, risk, score, severity, devices, "
	  "app or destination; - before it: downwards; -last_seen" },
	{ FINDINGS_LIMIT, 0, "limit", "N", NULL, "list: so many at most; all" },
	{ FINDINGS_ALL, 'a', "all", NULL, NULL,
	  "list: of any status, observed, explained and expected ones too" },
	{ FINDINGS_REASON, 0, "reason", "TEXT", NULL, "close, reopen: why" },
	{ FINDINGS_COMMENT, 'm', "comment", "TEXT", NULL,
	  "ack, close, reopen: a comment beside it" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command findings_command = {
	.name = "findings",
	.verbs = "list show ack close reopen assign comment",
	.summary = "a daemon's findings: list, show, acknowledge, close, reopen, assign, comment",
	.usage = "[OPTION]... list\n"
		 "       pinwatch findings [OPTION]... show UID\n"
		 "       pinwatch findings [OPTION]... ack UID\n"
		 "       pinwatch findings [OPTION]... close UID --reason TEXT\n"
		 "       pinwatch findings [OPTION]... reopen UID\n"
		 "       pinwatch findings [OPTION]... assign UID (NAME | -)\n"
		 "       pinwatch findings [OPTION]... comment UID TEXT",
	.about = "Works over the socket of a running daemon, or on its database where none runs.\n"
		 "UID may be cut to its first characters where they name one finding. What was\n"
		 "acknowledged or closed is reopened by itself when its evidence grows: a graver\n"
		 "verdict or severity, a path or a device more. All that is done is kept in the\n"
		 "audit, with your name.\n"
		 "\n"
		 "Exit code: 0 done; 2 usage or configuration error, or refused; 3 no daemon or\n"
		 "database answers.",
	.examples = "  pinwatch findings list -c pinwatch.yaml --severity high,medium\n"
		    "  pinwatch findings show 6f1c\n"
		    "  pinwatch findings close 6f1c --reason \"pins by design, SEC-1234\"\n"
		    "  pinwatch findings assign 6f1c alice\n",
	.args = findings_args,
	.operands = OPERANDS_NONE,
};

struct request {
	struct where where;
	const char *reason, *comment, *limit;
	const char *queries[FINDINGS_END];
	bool local, all;
};

/* ---- the command line */

static bool take_option(void *arg, int id, const char *value, struct error *err)
{
	struct request *q = arg;

	(void)err;
	switch (id) {
	case FINDINGS_LOCAL:
		q->local = true;
		break;
	case FINDINGS_REASON:
		q->reason = value;
		break;
	case FINDINGS_COMMENT:
		q->comment = value;
		break;
	case FINDINGS_ALL:
		q->all = true;
		break;
	case FINDINGS_LIMIT:
		q->limit = value;
		break;
	default:
		q->queries[id] = value;
	}
	return true;
}

/* ---- asking */

static bool ask(struct door *d, const char *method, struct buf *target, struct sv body,
		struct buf *answer, struct error *err)
{
	buf_char(target, '\0');
	return door_ask(d, method, target->p, body, answer, err);
}

static const char *name_of(int id)
{
	for (const struct arg *a = findings_args; a->name != NULL; a++)
		if (a->id == id)
			return a->name;
	return "";
}

/* The target of a page: of what the command line asks for, behind `cursor`. */
static void page_target(struct buf *target, const struct request *q, struct sv cursor,
			uint64_t left)
{
	char number[24];

	buf_str(target, TARGET);
	for (int id = FINDINGS_STATUS; id < FINDINGS_END; id++)
		door_query(target, name_of(id), q->queries[id]);
	if (q->queries[FINDINGS_STATUS] == NULL && !q->all)
		door_query(target, "status", "open,acknowledged,reopened");
	door_query(target, "all", q->all ? "true" : NULL);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)(left < 500 ? left : 500));
	door_query(target, "limit", number);
	if (cursor.n > 0) {
		buf_str(target, "&cursor=");
		door_encode(target, cursor);
	}
}

static size_t length(const struct value *page)
{
	const struct value *list = value_member(page, SV("findings"));

	return list != NULL && list->type == VALUE_ARRAY ? list->array.n : 0;
}

/* All pages as one list. */
static bool list(struct door *d, const struct request *q, struct error *err)
{
	struct findings_list *table = findings_list_begin(q->local);
	struct json_list json;
	uint64_t left = UINT64_MAX;
	struct buf target, answer, out;
	struct arena a = { 0 };
	struct sv cursor = SV_NONE;
	bool ok = true;

	buf_init(&target, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	buf_init(&out, MAX_OUTPUT);
	json_list_begin(&json, q->where.lines, MAX_OUTPUT);
	if (q->limit != NULL && (!sv_to_u64(sv_cstr(q->limit), &left) || left == 0))
		ok = error_set(err, ERROR_USAGE, 0, "--limit %.100s: expected a number above 0",
			       q->limit);
	while (ok && left > 0) {
		struct value *v = arena_alloc(&a, sizeof(*v));

		buf_reset(&target);
		buf_reset(&answer);
		page_target(&target, q, cursor, left);
		ok = ask(d, "GET", &target, SV_NONE, &answer, err) &&
		     json_to_value(buf_view(&answer), &a, v, err);
		if (!ok)
			break;
		if (q->where.json)
			json_list_add(&json, buf_view(&answer));
		else
			findings_list_add(table, v);
		left -= length(v);
		cursor = findings_text(v, "next");
		if (cursor.n == 0)
			break;
	}
	findings_list_end(table, ok && !q->where.json ? &out : NULL);
	json_list_end(&json);
	if (ok && q->where.json)
		buf_sv(&out, buf_view(&json.out));
	report_buf(stdout, &out);
	buf_free(&json.out);
	buf_free(&target);
	buf_free(&answer);
	arena_free(&a);
	return ok;
}

/* ---- one finding */

struct search {
	struct sv prefix;
	struct sv found;
	size_t n;
};

static bool look_through(struct door *d, struct search *s, struct arena *a, struct error *err)
{
	struct sv cursor = SV_NONE;
	bool ok;

	do {
		struct value *v = arena_alloc(a, sizeof(*v));
		const struct value *list;
		struct buf target, answer;

		buf_init(&target, 65536);
		buf_init(&answer, MAX_OUTPUT);
		buf_str(&target, TARGET "?all=true&limit=500&sort=created_at");
		if (cursor.n > 0) {
			buf_str(&target, "&cursor=");
			door_encode(&target, cursor);
		}
		ok = ask(d, "GET", &target, SV_NONE, &answer, err) &&
		     json_to_value(buf_view(&answer), a, v, err);
		buf_free(&target);
		buf_free(&answer);
		if (!ok)
			return false;
		list = value_member(v, SV("findings"));
		for (size_t i = 0; list != NULL && list->type == VALUE_ARRAY && i < list->array.n;
		     i++) {
			struct sv uid = findings_text(&list->array.items[i], "uid");

			if (!sv_starts(uid, s->prefix) || sv_eq(uid, s->found))
				continue;
			s->found = uid;
			s->n++;
		}
		cursor = findings_text(v, "next");
	} while (cursor.n > 0);
	return true;
}

/* The uid that is meant. */
static bool find(struct door *d, const char *word, struct arena *a, struct sv *uid,
		 struct error *err)
{
	struct search s = { .prefix = sv_cstr(word) };

	*uid = s.prefix;
	if (s.prefix.n >= 36)
		return true;
	if (s.prefix.n < MIN_UID)
		return error_set(err, ERROR_USAGE, 0,
				 "%s: expected at least %d characters of a finding's uid", word,
				 MIN_UID);
	if (!look_through(d, &s, a, err))
		return false;
	*uid = s.found;
	if (s.n == 0)
		return error_set(err, ERROR_USAGE, 0,
				 "%.100s: there is no finding of this uid; `pinwatch findings list "
				 "--all` lists all",
				 word);
	return s.n == 1 ||
	       error_set(err, ERROR_USAGE, 0, "%.100s: %zu findings begin so; give more of the uid",
			 word, s.n);
}

static bool give(const struct request *q, struct buf *answer,
		 void (*view)(struct buf *out, const struct value *v, bool local),
		 struct error *err)
{
	struct arena a = { 0 };
	struct value v;
	struct buf out;
	bool ok = true;

	buf_init(&out, MAX_OUTPUT);
	if (q->where.json)
		buf_sv(&out, buf_view(answer));
	else if ((ok = json_to_value(buf_view(answer), &a, &v, err)))
		view(&out, &v, q->local);
	report_buf(stdout, &out);
	arena_free(&a);
	return ok;
}

/* The verbs that change a finding: what the API calls them, and what they take. */
static const struct verb {
	const char *word, *action;
	bool reason, comment, operand;
} verbs[] = {
	{ "ack", "acknowledge", false, true, false },
	{ "acknowledge", "acknowledge", false, true, false },
	{ "close", "close", true, true, false },
	{ "reopen", "reopen", true, true, false },
	{ "assign", "assign", false, false, true },
	{ "comment", "comments", false, false, true },
};

static bool write_body(struct buf *body, const struct verb *verb, const struct request *q,
		       struct error *err)
{
	bool assign = strcmp(verb->word, "assign") == 0;
	struct jsonw w = jsonw_on(body);

	if (verb->operand && q->where.n_words < 3)
		return error_set(err, ERROR_USAGE, 0, "%s: expected %s behind the uid", verb->word,
				 assign ? "a name, or - for nobody," : "a text");
	if (!verb->operand && q->where.n_words > 2)
		return error_set(err, ERROR_USAGE, 0,
				 "%.200s: one word too many (`pinwatch findings --help` says more)",
				 q->where.words[2]);
	if (strcmp(verb->word, "close") == 0 && q->reason == NULL)
		return error_set(err, ERROR_USAGE, 0,
				 "close: expected --reason TEXT: why it needs no more attention");
	jsonw_open(&w, '{');
	if (assign) {
		jsonw_key(&w, "assignee");
		if (strcmp(q->where.words[2], "-") == 0)
			jsonw_null(&w);
		else
			jsonw_str(&w, q->where.words[2]);
	} else if (verb->operand) {
		door_member(&w, "text", q->where.words[2]);
	}
	door_member(&w, "reason", verb->reason ? q->reason : NULL);
	door_member(&w, "comment", verb->comment ? q->comment : NULL);
	jsonw_close(&w, '}');
	return true;
}

static bool one(struct door *d, const struct request *q, const struct verb *verb, struct error *err)
{
	struct buf target, body, answer;
	struct arena a = { 0 };
	struct sv uid;
	bool ok;

	if (q->where.n_words < 2)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "%s: expected a finding's uid (`pinwatch findings list` shows them)",
		    q->where.words[0]);
	buf_init(&target, 65536);
	buf_init(&body, MAX_OUTPUT);
	buf_init(&answer, MAX_OUTPUT);
	ok = (verb == NULL || write_body(&body, verb, q, err)) &&
	     find(d, q->where.words[1], &a, &uid, err);
	if (ok) {
		buf_str(&target, TARGET "/");
		door_encode(&target, uid);
		if (verb != NULL)
			buf_printf(&target, "/%s", verb->action);
		ok =
		    ask(d, verb != NULL ? "POST" : "GET", &target, buf_view(&body), &answer, err) &&
		    give(q, &answer, verb == NULL ? findings_view_one : findings_view_done, err);
	}
	buf_free(&target);
	buf_free(&body);
	buf_free(&answer);
	arena_free(&a);
	return ok;
}

static bool run(struct door *d, void *arg, struct error *err)
{
	const struct request *q = arg;
	const char *word = q->where.words[0];

	if (strcmp(word, "list") == 0)
		return q->where.n_words == 1 ? list(d, q, err)
					     : error_set(err, ERROR_USAGE, 0,
							 "%.200s: list takes no words but options",
							 q->where.words[1]);
	if (strcmp(word, "show") == 0)
		return one(d, q, NULL, err);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(word, verbs[i].word) == 0)
			return one(d, q, &verbs[i], err);
	return error_set(err, ERROR_USAGE, 0,
			 "%.100s: expected list, show, ack, close, reopen, assign or comment "
			 "(`pinwatch findings --help` says more)",
			 word);
}

int cmd_findings(int argc, char **argv)
{
	static const struct where_command command = {
		.args = &findings_command,
		.max_words = 3,
		.otherwise = "list",
		.option = take_option,
		.run = run,
	};
	struct request q = { 0 };

	return where_main(&command, &q.where, &q, argc, argv);
}
