/* `score --naive`: the rule of thumb, run over logs, and its results in words and JSON. */
#ifndef PINWATCH_CLI_SCORE_NAIVE_H
#define PINWATCH_CLI_SCORE_NAIVE_H

#include "base/error.h"
#include "base/jsonw.h"
#include "sim/naive.h"

/* Shows the rule every record of the logs, told by content. Files of the four kinds may be among
 * them: only the proxy's say something to it. */
bool score_naive_read(struct naive *n, const char *const *paths, size_t n_paths, struct error *err);

/* `findings`: compare with the findings that were scored. */
void score_naive_text(struct buf *b, const struct naive *n, const struct score *s, bool findings);
/* Members of the object that is open. */
void score_naive_json(struct jsonw *w, const struct naive *n, const struct score *s, bool findings);

#endif
