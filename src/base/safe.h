/* Hostile bytes made harmless for whoever reads them. */
#ifndef PINWATCH_BASE_SAFE_H
#define PINWATCH_BASE_SAFE_H

#include "base/buf.h"

/* Appends v so that a terminal shows it and does nothing else: control characters become their
 * pictures (ESC → ␛), bytes that are not UTF-8 become U+FFFD, and characters that reorder or hide
 * text (C1, bidirectional controls, zero-width, line separators, tags) become `<U+202E>`. Cut to at
 * most max_chars characters, the last one `…`; 0 means no cut. */
void text_safe(struct buf *out, struct sv v, size_t max_chars);
#endif
