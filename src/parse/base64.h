/* Base64, the standard alphabet (RFC 4648, section 4), as property lists and webhooks carry it. */
#ifndef PINWATCH_PARSE_BASE64_H
#define PINWATCH_PARSE_BASE64_H

#include "base/arena.h"
#include "base/sv.h"

/* Decodes into the arena. White space is skipped anywhere; padding may be missing, but if it is
 * there it has to be complete and last. False, with *out untouched, on anything else: a character
 * outside the alphabet, a single left-over character, bytes behind the padding. At most 3/4 of the
 * text's length is allocated. The result is NUL-terminated behind its last byte. */
bool base64_decode(struct sv text, struct arena *a, struct sv *out);

#endif
