/* What the two kinds of past share. */
#ifndef PINWATCH_BACKTEST_PAST_INTERNAL_H
#define PINWATCH_BACKTEST_PAST_INTERNAL_H

#include "backtest/past.h"

void past_free_journal(struct past *p);

#endif
