/* Controls: what else that app, that phone and that destination did at the time.
 * docs/evidence.md, 5.3. */
#include "judge/case.h"

#include <stdarg.h>
#include <stdio.h>

#define WITHIN_A_DAY NS_PER_DAY

struct sv say(struct arena *a, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		n = 0;
	return arena_sv(a, sv_make(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

static bool same_app_uninspected(const struct version_case *c)
{
	size_t from = 0;

	for (size_t i = 0; i < c->trials.n; i++) {
		const struct fact *x = c->trials.facts[i];
		if (!fact_fine_uninspected(x))
			continue;
		while (from < c->n_failures && c->failures[from]->start < x->start - WITHIN_A_DAY)
			from++;
		if (from < c->n_failures && c->failures[from]->start <= x->start + WITHIN_A_DAY)
			return true;
	}
	return false;
}

void find_controls(struct version_case *c)
{
	if (c->n_failures == 0)
		return;
	if (same_app_uninspected(c))
		c->controls |= 1u << CONTROL_SAME_APP_UNINSPECTED;
	for (size_t i = 0; i < c->n_failures; i++) {
		if (c->failures[i]->other_app_fine)
			c->controls |= 1u << CONTROL_OTHER_APP_SAME_DESTINATION;
		if (c->failures[i]->fine_elsewhere)
			c->controls |= 1u << CONTROL_SAME_DEVICE_OTHER_DESTINATION;
	}
}
