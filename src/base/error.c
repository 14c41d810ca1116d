#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *e, enum error_code code, size_t position, const char *fmt, ...)
{
	va_list args;

	e->code = code;
	e->position = position;
	va_start(args, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, args);
	va_end(args);
	return false;
}

void error_prefix(struct error *e, const char *fmt, ...)
{
	char old[sizeof(e->message)];
	va_list args;
	int n;

	memcpy(old, e->message, sizeof(old));
	va_start(args, fmt);
	n = vsnprintf(e->message, sizeof(e->message), fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(e->message))
		snprintf(e->message + n, sizeof(e->message) - (size_t)n, ": %.*s",
			 (int)(sizeof(old) - (size_t)n - 3), old);
}
