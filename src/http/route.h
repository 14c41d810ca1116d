/* Which route a path takes. */
#ifndef PINWATCH_HTTP_ROUTE_H
#define PINWATCH_HTTP_ROUTE_H

#include "base/arena.h"
#include "http/http.h"

/* True where the path is the pattern's; params are views into the path, still percent-encoded. */
bool http_route_matches(const char *pattern, struct sv path, struct sv params[HTTP_MAX_PARAMS]);
/* Percent-decoding into the arena. False on half or wrong escapes, and on a NUL. */
bool http_decode(struct sv text, struct arena *a, struct sv *out);

#endif
