/* Findings against a simulated fleet's truth, as `pinwatch score` measures them.
 *
 * Apart from cli/backtest.c, since the simulator has names of its own for verdicts.
 */
#ifndef PINWATCH_CLI_BACKTEST_TRUTH_H
#define PINWATCH_CLI_BACKTEST_TRUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/sv.h"

struct truth;

struct truth_result {
	double precision, recall, f1;
	size_t true_positive, false_positive, false_negative, true_negative;
};

/* The truth.json that `pinwatch sim` writes. */
struct truth *truth_read(const char *path, struct error *err);
void truth_free(struct truth *t);
/* Begins a setting; then a line of JSON for each of all its findings; then what comes of it. */
bool truth_begin(struct truth *t, struct error *err);
bool truth_finding(struct truth *t, struct sv json, struct error *err);
void truth_end(struct truth *t, struct truth_result *out);

#endif
