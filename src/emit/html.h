/* The report: one self-contained page that explains every finding to whoever must decide about it.
 *
 * No script, nothing loaded from anywhere, a content security policy that allows exactly the page's
 * own style sheet. It reads in light and dark, prints with everything opened, and says the same for
 * the same findings: no wall clock. Times are UTC whatever the style asks for, since a report
 * travels.
 */
#ifndef PINWATCH_EMIT_HTML_H
#define PINWATCH_EMIT_HTML_H

#include <stdio.h>

#include "base/error.h"

struct emit_input;

/* An emitter: see emit.h. */
bool html_write(FILE *out, const struct emit_input *in, struct error *err);

#endif
