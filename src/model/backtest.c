#include "model/backtest.h"

const char *backtest_change_name(enum backtest_change_kind k)
{
	static const char *const names[] = { "gained", "lost", "changed", "quiet" };

	return names[k];
}
