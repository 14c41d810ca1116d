/* Plain words for the enumerations of a finding: what a person reads where JSON has a name.
 *
 * Every function returns a constant without trailing full stop unless it says "sentence".
 */
#ifndef PINWATCH_EMIT_WORDS_H
#define PINWATCH_EMIT_WORDS_H

#include "base/buf.h"
#include "model/finding.h"

/* "bayes factor of the failures" and the like: what a term measures. */
const char *words_term(enum term t);
/* What the observation shows, and what would supply it where it is missing. */
const char *words_control(enum control c);
const char *words_control_missing(enum control c);
/* "the device does not trust the inspection root". */
const char *words_rival(enum rival r);
const char *words_risk(enum risk_factor f);
const char *words_path(enum path p);
/* Why the path counts as not reached: what it needs. */
const char *words_path_needs(enum path p);
const char *words_attribution(enum attribution a);
const char *words_id_type(enum id_type t);
/* Sentence: what a run without this log source cannot say, and the cap that follows. */
const char *words_missing_source(enum sensor_kind s);
/* Who writes it: "the device management's inventory". */
const char *words_log_source(enum sensor_kind s);

/* `com.acme.bank 7.1`, `an unknown app`: safe for a terminal. */
void words_app(struct buf *out, const struct finding *f);
/* `api.bank.test`, with `:PORT` unless it is 443: safe for a terminal. */
void words_destination(struct buf *out, const struct finding *f);
/* The strongest reason for the verdict, one sentence without full stop; safe for a terminal. */
void words_why(struct buf *out, const struct finding *f);

#endif
