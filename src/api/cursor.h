/* Where a listing stands, as a text that means something to us alone. */
#ifndef PINWATCH_API_CURSOR_H
#define PINWATCH_API_CURSOR_H

#include "base/arena.h"
#include "store/query.h"

#define API_MAX_CURSOR 1024

/* What was asked for goes into it as a number: with another question the cursor is refused. */
struct sv api_cursor_write(const struct query_place *p, uint64_t question, struct arena *a);
bool api_cursor_read(struct sv text, uint64_t question, struct query_place *p);

#endif
