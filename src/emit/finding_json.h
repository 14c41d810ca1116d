/* A finding as one JSON object: schema/finding.schema.json, keys in the order of docs/interface.md.
 *
 * The database, the API and `--output json|jsonl` all write it through here. Times are UTC.
 */
#ifndef PINWATCH_EMIT_FINDING_JSON_H
#define PINWATCH_EMIT_FINDING_JSON_H

#include "base/buf.h"
#include "model/finding.h"
#include "model/settings.h"

/* Entries of an allow-list that a finding repeats; a longer list ends in `+N more`. */
#define SETTINGS_MAX_NAMES 64

/* Appends the object, without line break. Of the settings it repeats the five mutable elements. */
void finding_json(struct buf *b, const struct finding *f, const struct settings *s);
/* The member `analytic` of an open object. */
struct jsonw;
void finding_json_analytic(struct jsonw *w, const struct settings *s);

#endif
