/* Words for a web page: every hostile byte made harmless twice, first as text_safe has it
 * (controls, reordering and invisible characters), then as HTML.
 *
 * What these functions append may stand between tags and inside a quoted attribute alike, except
 * where the comment says that they write elements.
 */
#ifndef PINWATCH_EMIT_HTML_TEXT_H
#define PINWATCH_EMIT_HTML_TEXT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/sv.h"
#include "model/finding.h"

/* & < > " ' become character references; v is already safe text. */
void html_escape(struct buf *out, struct sv v);
/* Hostile text, cut to max_chars characters. */
void html_plain(struct buf *out, struct sv v, size_t max_chars);
/* The same in an element that keeps right-to-left letters from reordering what stands around. */
void html_value(struct buf *out, struct sv v, size_t max_chars);
/* What one of the words_ functions says of a finding, in such an element. */
void html_say(struct buf *out, void (*say)(struct buf *, const struct finding *),
	      const struct finding *f);
/* A <time> element, to the second: `2026-11-24 02:14:13`, UTC; `-` when unknown. */
void html_time(struct buf *out, struct instant t);
/* Two of them and the length between. */
void html_period(struct buf *out, struct instant from, struct instant to);
/* The clock alone, `02:14:13`, and the day alone, `24 Nov`; both UTC, no element. */
void html_clock(struct buf *out, struct instant t, bool seconds);
void html_day(struct buf *out, struct instant t);
/* A <span> that shows the word in a coloured pill of that name: `pill high`. */
void html_pill(struct buf *out, const char *style, const char *word);

#endif
