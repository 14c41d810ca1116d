/* Backtests over HTTP: POST, GET and DELETE /api/v1/backtest, over the daemon's own journal.
 *
 * One at a time, with one thread; bounded by `limits.memory` for its records and ten minutes. What
 * is in force is the daemon's to say: without a daemon there is none (503).
 */
#ifndef PINWATCH_API_BACKTEST_H
#define PINWATCH_API_BACKTEST_H

#include "api/api.h"
#include "serve/daemon.h"

struct api_backtest;

struct api_backtest *api_backtest_new(void);
/* Cancels what runs, waits for it. */
void api_backtest_free(struct api_backtest *b);
/* Takes a copy of what is in force, where it has changed since the last call. The daemon's
 * thread. */
void api_backtest_look(struct api *a, const struct daemon *d);

#endif
