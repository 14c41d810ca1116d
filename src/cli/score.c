#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/score_naive.h"
#include "cli/tables.h"
#include "read/reader.h"
#include "sim/score.h"

#define MAX_OUTPUT ((size_t)64 * 1024 * 1024)

enum { SCORE_OUTPUT = 1, SCORE_MIN_F1, SCORE_NAIVE, SCORE_FINDINGS };

static const struct arg score_args[] = {
	{ SCORE_OUTPUT, 'o', "output", "FORM", "text json", "how it is written; text" },
	{ SCORE_MIN_F1, 0, "min-f1", "X", NULL, "exit with 1 when F1 is below X (0 to 1)" },
	{ SCORE_NAIVE, 0, "naive", NULL, NULL,
	  "measure a rule of thumb on the LOGs instead: so many refusals in ten minutes" },
	{ SCORE_FINDINGS, 0, "findings", "FILE", NULL, "with --naive: these findings beside it" },
	{ 0, 0, NULL, NULL, NULL, NULL },
};

const struct args_command score_command = {
	.name = "score",
	.summary = "compare findings with a simulated fleet's truth",
	.usage = "[OPTION]... TRUTH FINDINGS | --naive [OPTION]... TRUTH LOG...",
	.about =
	    "TRUTH is a simulated fleet's truth.json, FINDINGS what `pinwatch scan --output jsonl` "
	    "wrote, best with\n"
	    "--all. A case is an (app, host) of the fleet; raised means confirmed or suspected.\n"
	    "\n"
	    "With --naive the proxy's LOGs are put to the rule that is often written by hand: N or "
	    "more refused\n"
	    "certificates of one client and host within ten minutes. The best N from 1 to 20 is "
	    "shown, by host.",
	.examples = "  pinwatch scan -c fleet/pinwatch.yaml --all --output jsonl > findings.jsonl\n"
		    "  pinwatch score fleet/truth.json findings.jsonl --min-f1 0.95\n"
		    "  pinwatch score --naive --findings findings.jsonl fleet/truth.json "
		    "fleet/squid-access.log\n",
	.args = score_args,
	.operands = OPERANDS_FILES,
};

static bool read_truth(struct score *s, const char *path, struct error *err)
{
	struct reader_options options = { .framing = FRAMING_DOCUMENT };
	struct reader *r = reader_open(path, &options, err);
	enum read_result got;
	struct sv document;
	bool ok = false;

	if (r == NULL)
		return false;
	got = reader_next(r, &document, err);
	if (got == READ_RECORD)
		ok = score_truth(s, document, err);
	else if (got == READ_OVERLONG)
		error_set(err, ERROR_LIMIT, 0,
			  "too long for a truth file: expected the truth.json that `pinwatch sim` "
			  "writes");
	else if (got == READ_END)
		error_set(err, ERROR_FORMAT, 0,
			  "empty: expected the truth.json that `pinwatch sim` writes");
	reader_close(r);
	if (!ok)
		error_prefix(err, "%s", path);
	return ok;
}

static bool read_findings(struct score *s, const char *path, struct error *err)
{
	struct reader_options options = { .framing = FRAMING_LINE };
	struct reader *r = reader_open(path, &options, err);
	enum read_result got;
	struct sv line;
	bool ok = true;

	if (r == NULL)
		return false;
	while (ok && (got = reader_next(r, &line, err)) != READ_END) {
		if (got == READ_OVERLONG)
			error_set(err, ERROR_LIMIT, 0,
				  "too long for a finding: expected what `pinwatch scan --output "
				  "jsonl` writes");
		ok = got == READ_RECORD && score_finding(s, line, err);
		if (!ok)
			error_prefix(err, "%s:%u", path, reader_line(r));
	}
	reader_close(r);
	return ok;
}

/* What could be said of a case in one word each. */
static const char *flaw(const struct score_case *c)
{
	if (c->outcome == SCORE_FN)
		return "missed";
	if (c->outcome == SCORE_FP)
		return "false alarm";
	return c->wrong_device ? "wrong device" : "otherwise";
}

static void write_may(struct buf *b, unsigned may)
{
	const char * or = "";

	for (unsigned bit = VERDICT_CONFIRMED; bit <= VERDICT_OBSERVED; bit *= 2)
		if (may & bit) {
			buf_printf(b, "%s%s", or, score_verdict_name((enum score_verdict)bit));
			or = " or ";
		}
}

static void write_flaws(struct buf *b, const struct score *s)
{
	if (s->as_expected < s->n_cases || s->n_extras > 0)
		buf_str(b, "\nNot as expected\n");
	for (size_t i = 0; i < s->n_cases; i++) {
		const struct score_case *c = &s->cases[i];

		if (c->as_expected)
			continue;
		buf_printf(b, "  %-12s %-20.*s %.*s %.*s:%u: %s", flaw(c), SV_ARG(c->scenario),
			   SV_ARG(c->app), SV_ARG(c->host), c->port,
			   score_verdict_name(c->verdict));
		if (!sv_empty(c->found_explained_by))
			buf_printf(b, " (%.*s)", SV_ARG(c->found_explained_by));
		if (c->by_host)
			buf_str(b, " without app");
		buf_str(b, ", expected ");
		write_may(b, c->may);
		if (!sv_empty(c->explained_by))
			buf_printf(b, " (%.*s)", SV_ARG(c->explained_by));
		buf_char(b, '\n');
	}
	for (size_t i = 0; i < s->n_extras; i++) {
		const struct score_extra *x = &s->extras[i];
		char from[INSTANT_ISO_SIZE] = "-";

		if (instant_known(x->from))
			instant_format_iso(x->from, from);
		buf_printf(b, "  %-12s %-20.*s %.*s %.*s %.*s %s: %.*s, not in the truth\n",
			   "unknown", SV_ARG(x->kind), SV_ARG(x->app), SV_ARG(x->host),
			   SV_ARG(x->device), from, SV_ARG(x->verdict));
	}
	for (size_t i = 0; i < s->n_devices; i++)
		if (!s->devices[i].found)
			buf_printf(b, "  %-12s %-20.*s %.*s\n", "missed",
				   SV_ARG(s->devices[i].label), SV_ARG(s->devices[i].udid));
	for (size_t i = 0; i < s->n_spans; i++)
		if (!s->spans[i].found) {
			char from[INSTANT_ISO_SIZE];
			instant_format_iso(s->spans[i].from, from);
			buf_printf(b, "  %-12s %-20.*s %s\n", "missed", SV_ARG(s->spans[i].label),
				   from);
		}
}

static size_t found_devices(const struct score *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_devices; i++)
		n += s->devices[i].found;
	return n;
}

static size_t found_spans(const struct score *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_spans; i++)
		n += s->spans[i].found;
	return n;
}

static size_t extras_of(const struct score *s, struct sv kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_extras; i++)
		n += sv_eq(s->extras[i].kind, kind);
	return n;
}

static void write_text(struct buf *b, const struct score *s)
{
	const size_t *o = s->outcomes;

	buf_printf(b, "precision %.3f  recall %.3f  F1 %.3f\n", score_precision(s), score_recall(s),
		   score_f1(s));
	buf_printf(b,
		   "%zu cases: %zu found, %zu missed, %zu false alarms, %zu rightly quiet; %zu as "
		   "expected\n",
		   s->n_cases, o[SCORE_TP], o[SCORE_FN], o[SCORE_FP], o[SCORE_TN], s->as_expected);
	buf_printf(b, "ca_untrusted: %zu of %zu devices, %zu others\n", found_devices(s),
		   s->n_devices, extras_of(s, SV("ca_untrusted")));
	buf_printf(b, "gateway_fault: %zu of %zu spans, %zu others\n", found_spans(s), s->n_spans,
		   extras_of(s, SV("gateway_fault")));
	if (!s->quiet_ones)
		buf_str(b, "(no explained, expected or observed findings: without --all their "
			   "verdicts cannot be compared)\n");
	buf_printf(b, "\n%-20s %6s %6s %6s %6s %6s %12s\n", "scenario", "cases", "found", "missed",
		   "false", "quiet", "as expected");
	for (size_t i = 0; i < s->n_scenarios; i++) {
		const struct score_scenario *sc = &s->scenarios[i];

		buf_printf(b, "%-20.*s %6zu %6zu %6zu %6zu %6zu %12zu\n", SV_ARG(sc->name),
			   sc->cases, sc->outcomes[SCORE_TP], sc->outcomes[SCORE_FN],
			   sc->outcomes[SCORE_FP], sc->outcomes[SCORE_TN], sc->as_expected);
	}
	write_flaws(b, s);
}

static void json_count(struct jsonw *w, const char *key, size_t n)
{
	jsonw_key(w, key);
	jsonw_int(w, (int64_t)n);
}

static void json_share(struct jsonw *w, const char *key, double share)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%.4f", share);

	jsonw_key(w, key);
	jsonw_raw(w, sv_make(text, (size_t)n));
}

static void json_text(struct jsonw *w, const char *key, struct sv text)
{
	jsonw_key(w, key);
	if (sv_empty(text))
		jsonw_null(w);
	else
		jsonw_sv(w, text);
}

static void json_outcomes(struct jsonw *w, const size_t *outcomes, size_t cases, size_t as_expected)
{
	json_count(w, "cases", cases);
	json_count(w, "true_positive", outcomes[SCORE_TP]);
	json_count(w, "false_positive", outcomes[SCORE_FP]);
	json_count(w, "false_negative", outcomes[SCORE_FN]);
	json_count(w, "true_negative", outcomes[SCORE_TN]);
	json_count(w, "as_expected", as_expected);
}

static void json_case(struct jsonw *w, const struct score_case *c)
{
	jsonw_open(w, '{');
	json_text(w, "app", c->app);
	json_text(w, "host", c->host);
	json_count(w, "port", c->port);
	json_text(w, "scenario", c->scenario);
	json_text(w, "flaw", sv_cstr(flaw(c)));
	json_text(w, "verdict", sv_cstr(score_verdict_name(c->verdict)));
	json_text(w, "explained_by", c->found_explained_by);
	jsonw_key(w, "expected");
	jsonw_open(w, '[');
	for (unsigned bit = VERDICT_CONFIRMED; bit <= VERDICT_OBSERVED; bit *= 2)
		if (c->may & bit)
			jsonw_str(w, score_verdict_name((enum score_verdict)bit));
	jsonw_close(w, ']');
	json_text(w, "expected_explained_by", c->explained_by);
	jsonw_close(w, '}');
}

static void json_kind(struct jsonw *w, const char *kind, size_t found, size_t all, size_t others)
{
	jsonw_key(w, kind);
	jsonw_open(w, '{');
	json_count(w, "found", found);
	json_count(w, "missed", all - found);
	json_count(w, "others", others);
	jsonw_close(w, '}');
}

static void json_findings(struct jsonw *w, const struct score *s)
{
	json_share(w, "precision", score_precision(s));
	json_share(w, "recall", score_recall(s));
	json_share(w, "f1", score_f1(s));
	json_count(w, "findings", s->findings);
	jsonw_key_bool(w, "all", s->quiet_ones);
	json_outcomes(w, s->outcomes, s->n_cases, s->as_expected);
	json_kind(w, "ca_untrusted", found_devices(s), s->n_devices,
		  extras_of(s, SV("ca_untrusted")));
	json_kind(w, "gateway_fault", found_spans(s), s->n_spans,
		  extras_of(s, SV("gateway_fault")));
	jsonw_key(w, "scenarios");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_scenarios; i++) {
		jsonw_open(w, '{');
		json_text(w, "name", s->scenarios[i].name);
		json_outcomes(w, s->scenarios[i].outcomes, s->scenarios[i].cases,
			      s->scenarios[i].as_expected);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
	jsonw_key(w, "not_as_expected");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_cases; i++)
		if (!s->cases[i].as_expected)
			json_case(w, &s->cases[i]);
	jsonw_close(w, ']');
	jsonw_key(w, "not_in_truth");
	jsonw_open(w, '[');
	for (size_t i = 0; i < s->n_extras; i++) {
		jsonw_open(w, '{');
		json_text(w, "kind", s->extras[i].kind);
		json_text(w, "app", s->extras[i].app);
		json_text(w, "host", s->extras[i].host);
		json_text(w, "device", s->extras[i].device);
		json_text(w, "verdict", s->extras[i].verdict);
		jsonw_key(w, "first_seen");
		jsonw_instant(w, s->extras[i].from);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void write_json(struct buf *b, const struct score *s, const struct naive *naive,
		       bool findings)
{
	struct jsonw json = jsonw_on(b), *w = &json;

	jsonw_open(w, '{');
	json_text(w, "schema", SV("pinwatch.score/1"));
	if (findings)
		json_findings(w, s);
	if (naive != NULL)
		score_naive_json(w, naive, s, findings);
	jsonw_close(w, '}');
	buf_char(b, '\n');
}

struct choices {
	const char *truth, *findings; /* NULL: not given */
	const char **logs;
	size_t n_logs;
	bool json, naive;
	double min_f1; /* below 0: not asked for */
};

static bool min_f1(const char *text, double *out, struct error *err)
{
	char *end;

	*out = strtod(text, &end);
	if (end != text && *end == '\0' && *out >= 0 && *out <= 1)
		return true;
	return error_set(err, ERROR_USAGE, 0, "--min-f1 takes a number from 0 to 1, not %.40s",
			 text);
}

static bool read_all(const struct choices *c, struct score *s, struct naive *n, struct error *err)
{
	return read_truth(s, c->truth, err) &&
	       (c->findings == NULL || read_findings(s, c->findings, err)) &&
	       (!c->naive || score_naive_read(n, c->logs, c->n_logs, err));
}

static void write_results(struct buf *b, const struct choices *c, const struct score *s,
			  const struct naive *n)
{
	if (c->json) {
		write_json(b, s, c->naive ? n : NULL, c->findings != NULL);
		return;
	}
	if (c->findings != NULL)
		write_text(b, s);
	if (c->findings != NULL && c->naive)
		buf_char(b, '\n');
	if (c->naive)
		score_naive_text(b, n, s, c->findings != NULL);
}

static int compare(const struct choices *c)
{
	struct score score = { 0 };
	struct naive naive = { 0 };
	struct error err;
	struct buf b;
	int code = EXIT_DONE;

	if (!read_all(c, &score, &naive, &err)) {
		naive_free(&naive);
		score_free(&score);
		return report_error("score", &err);
	}
	score_finish(&score);
	naive_finish(&naive, &score);
	buf_init(&b, MAX_OUTPUT);
	write_results(&b, c, &score, &naive);
	report_buf(stdout, &b);
	if (c->findings != NULL && c->min_f1 >= 0 && score_f1(&score) < c->min_f1) {
		report_note("score", "F1 %.3f is below the %.3f of --min-f1", score_f1(&score),
			    c->min_f1);
		code = EXIT_FINDINGS;
	}
	naive_free(&naive);
	score_free(&score);
	return report_finish("score", code);
}

static bool take_option(struct choices *c, int id, const char *value, struct error *err)
{
	switch (id) {
	case SCORE_OUTPUT:
		c->json = strcmp(value, "json") == 0;
		return true;
	case SCORE_NAIVE:
		c->naive = true;
		return true;
	case SCORE_FINDINGS:
		c->findings = value;
		return true;
	default:
		return min_f1(value, &c->min_f1, err);
	}
}

/* TRUTH came first; what follows are LOGs, or the one FINDINGS. */
static bool settle_operands(struct choices *c, struct error *err)
{
	if (c->truth == NULL || (c->n_logs == 0 && (c->naive || c->findings == NULL)))
		return error_set(err, ERROR_USAGE, 0,
				 "needs TRUTH and %s (`pinwatch score --help`)",
				 c->naive ? "LOGs" : "FINDINGS");
	if (c->naive)
		return true;
	if (c->n_logs + (c->findings != NULL) > 1)
		return error_set(err, ERROR_USAGE, 0,
				 "%.80s is too much: it takes one TRUTH and one FINDINGS",
				 c->logs[c->n_logs - 1]);
	if (c->n_logs > 0)
		c->findings = c->logs[0];
	return true;
}

static int run(struct choices *c, int argc, char **argv)
{
	enum args_result got;
	struct error err;
	struct args a;
	const char *value;
	int id;

	args_begin(&a, &score_command, argc, argv);
	while ((got = args_next(&a, &id, &value, &err)) != ARGS_END) {
		if (got == ARGS_ERROR)
			return report_error("score", &err);
		if (got == ARGS_OPERAND && c->truth == NULL) {
			c->truth = value;
		} else if (got == ARGS_OPERAND) {
			c->logs[c->n_logs++] = value;
		} else if (id == ARG_HELP) {
			args_help(&score_command);
			return report_finish("score", EXIT_DONE);
		} else if (!take_option(c, id, value, &err)) {
			return report_error("score", &err);
		}
	}
	if (!settle_operands(c, &err))
		return report_error("score", &err);
	return compare(c);
}

int cmd_score(int argc, char **argv)
{
	struct choices c = { .min_f1 = -1 };
	int code;

	c.logs = xcalloc((size_t)argc, sizeof(*c.logs));
	code = run(&c, argc, argv);
	free(c.logs);
	return code;
}
