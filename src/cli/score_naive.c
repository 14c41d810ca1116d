#include "cli/score_naive.h"

#include <stdio.h>
#include <sys/stat.h>

#include "scan/recognise.h"

static bool read_records(struct naive *n, struct reader *r, struct parser *p, struct error *err)
{
	const struct observation *o;
	struct sv record;
	enum read_result got;
	struct error why;
	size_t count;

	while ((got = reader_next(r, &record, err)) == READ_RECORD || got == READ_OVERLONG) {
		if (got == READ_OVERLONG ||
		    parser_run(p, record, &o, &count, &why) != PARSE_OBSERVATIONS)
			continue;
		for (size_t i = 0; i < count; i++)
			naive_take(n, &o[i]);
	}
	parser_finish(p, &o, &count, &why);
	for (size_t i = 0; i < count; i++)
		naive_take(n, &o[i]);
	return got == READ_END;
}

static bool read_log(struct naive *n, const struct format_set *set, const char *path,
		     struct error *err)
{
	struct reader_options reading = { .framing = FRAMING_LINE };
	struct parser_options parsing = { .date = { 0 } };
	struct format_match match;
	const struct format *f;
	struct parser *p;
	struct reader *r;
	struct stat st;
	bool ok;

	/* Times without a date take the day on which the file was last written. */
	if (stat(path, &st) == 0)
		parsing.date.ns = (int64_t)st.st_mtim.tv_sec / 86400 * NS_PER_DAY;
	r = reader_open(path, &reading, err);
	if (r == NULL)
		return false;
	f = recognise(set, r, path, &match, err);
	if (f == NULL || !recognise_usable(f, path, err) ||
	    !parser_midnights(f, path, match.framing, &parsing.midnights, err)) {
		reader_close(r);
		return false;
	}
	reader_set_framing(r, match.framing);
	p = parser_new(f, &parsing);
	ok = read_records(n, r, p, err);
	parser_free(p);
	reader_close(r);
	return ok;
}

bool score_naive_read(struct naive *n, const char *const *paths, size_t n_paths, struct error *err)
{
	struct format_set *set = format_set_builtin(err);
	bool ok = set != NULL;

	for (size_t i = 0; i < n_paths && ok; i++)
		ok = read_log(n, set, paths[i], err);
	if (set != NULL)
		format_set_free(set);
	return ok;
}

static void tally_text(struct buf *b, const char *what, const struct tally *t)
{
	buf_printf(b,
		   "  %-28s precision %.3f  recall %.3f  F1 %.3f  (%zu found, %zu missed, %zu "
		   "false alarms)\n",
		   what, tally_precision(t), tally_recall(t), tally_f1(t), t->found, t->missed,
		   t->false_alarms);
}

static void naive_line(struct buf *b, const char *what, const struct tally *by_threshold)
{
	unsigned best = naive_best(by_threshold);
	char text[64];

	snprintf(text, sizeof(text), "%s, best N = %u", what, best);
	tally_text(b, text, &by_threshold[best]);
}

void score_naive_text(struct buf *b, const struct naive *n, const struct score *s, bool findings)
{
	struct tally all = score_by_host(s, false), unlisted = score_by_host(s, true);

	buf_printf(
	    b,
	    "By host: N or more of %zu refused certificates of one client and host in 10 minutes\n",
	    n->n);
	naive_line(b, "naive", n->all);
	if (findings)
		tally_text(b, "pinwatch", &all);
	buf_str(b, "By host, but for those on a list or never inspectable\n");
	naive_line(b, "naive", n->unlisted);
	if (findings)
		tally_text(b, "pinwatch", &unlisted);
}

static void tally_json(struct jsonw *w, const char *key, const struct tally *t, unsigned threshold)
{
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "\"precision\":%.4f,\"recall\":%.4f,\"f1\":%.4f,\"found\":%zu,\"missed\":%"
			 "zu,\"false_alarms\":%zu}",
			 tally_precision(t), tally_recall(t), tally_f1(t), t->found, t->missed,
			 t->false_alarms);
	char whole[200];
	int m = threshold > 0
		    ? snprintf(whole, sizeof(whole), "{\"threshold\":%u,%s", threshold, text)
		    : snprintf(whole, sizeof(whole), "{%s", text);

	if (key != NULL)
		jsonw_key(w, key);
	if (n > 0 && m > 0)
		jsonw_raw(w, sv_make(whole, (size_t)m));
}

static void sweep_json(struct jsonw *w, const char *key, const struct tally *by_threshold)
{
	unsigned best = naive_best(by_threshold);

	jsonw_key(w, key);
	jsonw_open(w, '{');
	tally_json(w, "best", &by_threshold[best], best);
	jsonw_key(w, "sweep");
	jsonw_open(w, '[');
	for (unsigned threshold = 1; threshold <= NAIVE_MOST; threshold++)
		tally_json(w, NULL, &by_threshold[threshold], threshold);
	jsonw_close(w, ']');
	jsonw_close(w, '}');
}

void score_naive_json(struct jsonw *w, const struct naive *n, const struct score *s, bool findings)
{
	struct tally all = score_by_host(s, false), unlisted = score_by_host(s, true);

	jsonw_key(w, "naive");
	jsonw_open(w, '{');
	sweep_json(w, "all", n->all);
	sweep_json(w, "unlisted", n->unlisted);
	jsonw_close(w, '}');
	if (!findings)
		return;
	jsonw_key(w, "by_host");
	jsonw_open(w, '{');
	tally_json(w, "all", &all, 0);
	tally_json(w, "unlisted", &unlisted, 0);
	jsonw_close(w, '}');
}
