/* How often something failed lately, by name: so that passwords cannot be tried out.
 *
 * A fixed table; where it is full the entry that is quiet longest gives way. Any thread.
 */
#ifndef PINWATCH_API_LIMIT_H
#define PINWATCH_API_LIMIT_H

#include "base/clock.h"
#include "base/sv.h"

#define API_LIMIT_SPAN (15 * NS_PER_MINUTE)

struct api_limit;

struct api_limit *api_limit_new(void);
void api_limit_free(struct api_limit *l);
/* Seconds to wait, where the name has failed `most` times within API_LIMIT_SPAN; 0: go on. */
unsigned api_limit_wait(struct api_limit *l, struct sv name, unsigned most, struct instant now);
void api_limit_failed(struct api_limit *l, struct sv name, struct instant now);
void api_limit_forget(struct api_limit *l, struct sv name);

#endif
