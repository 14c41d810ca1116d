#include "cli/backtest_truth.h"

#include <stdlib.h>

#include "read/reader.h"
#include "sim/score.h"

struct truth {
	struct reader *reader; /* keeps the document */
	struct sv document;
	struct score score; /* of the setting at hand */
	const char *path;
};

struct truth *truth_read(const char *path, struct error *err)
{
	struct reader_options options = { .framing = FRAMING_DOCUMENT };
	struct truth *t = xcalloc(1, sizeof(*t));
	enum read_result got;

	t->path = path;
	t->reader = reader_open(path, &options, err);
	if (t->reader == NULL) {
		free(t);
		return NULL;
	}
	got = reader_next(t->reader, &t->document, err);
	if (got == READ_OVERLONG)
		error_set(err, ERROR_LIMIT, 0,
			  "%s: too long for a truth file: expected the truth.json that `pinwatch "
			  "sim` writes",
			  path);
	else if (got == READ_END)
		error_set(err, ERROR_FORMAT, 0,
			  "%s: empty: expected the truth.json that `pinwatch sim` writes", path);
	else if (got != READ_RECORD)
		error_prefix(err, "%s", path);
	if (got == READ_RECORD && truth_begin(t, err))
		return t;
	truth_free(t);
	return NULL;
}

void truth_free(struct truth *t)
{
	if (t == NULL)
		return;
	score_free(&t->score);
	reader_close(t->reader);
	free(t);
}

bool truth_begin(struct truth *t, struct error *err)
{
	score_free(&t->score);
	t->score = (struct score){ 0 };
	if (score_truth(&t->score, t->document, err))
		return true;
	error_prefix(err, "%s", t->path);
	return false;
}

bool truth_finding(struct truth *t, struct sv json, struct error *err)
{
	return score_finding(&t->score, json, err);
}

void truth_end(struct truth *t, struct truth_result *out)
{
	const struct score *s = &t->score;

	score_finish(&t->score);
	*out = (struct truth_result){
		.precision = score_precision(s),
		.recall = score_recall(s),
		.f1 = score_f1(s),
		.true_positive = s->outcomes[SCORE_TP],
		.false_positive = s->outcomes[SCORE_FP],
		.false_negative = s->outcomes[SCORE_FN],
		.true_negative = s->outcomes[SCORE_TN],
	};
}
