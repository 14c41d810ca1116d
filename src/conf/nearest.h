/* Which known word a mistyped one means, for "did you mean". */
#ifndef PINWATCH_CONF_NEAREST_H
#define PINWATCH_CONF_NEAREST_H

#include <stddef.h>

#include "base/sv.h"

/* Edits (insert, delete, replace, swap of neighbours) between two words, ASCII case, `_`
 * and `-` aside. Words over 64 bytes are SIZE_MAX apart. */
size_t nearest_distance(struct sv a, struct sv b);
/* How many edits still count as a slip in a word of this length. */
size_t nearest_limit(struct sv word);
/* The nearest of n words within the limit, or NULL. */
const char *nearest_word(struct sv word, const char *const *words, size_t n);

#endif
