/* Host names as an operator writes them, in the form observations carry: lower-case A-labels
 * without trailing dot. */
#ifndef PINWATCH_CONF_HOST_H
#define PINWATCH_CONF_HOST_H

#include "base/arena.h"
#include "base/sv.h"

/* `text` may begin with a dot (a suffix), which is kept. Unicode names are converted (IDNA 2008).
 * NULL when it became *out, else what is wrong with it, for people. */
const char *host_normalise(struct sv text, struct arena *a, struct sv *out);

#endif
