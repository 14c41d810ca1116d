/* Findings out: the emitters that `--output` names.
 *
 * An emitter writes one whole result to a stream and never closes it. What it gets is read-only and
 * stays with the caller. The table of emitters is the only place that knows their names.
 */
#ifndef PINWATCH_EMIT_EMIT_H
#define PINWATCH_EMIT_EMIT_H

#include <stdio.h>

#include "base/error.h"
#include "emit/text.h"
#include "model/finding.h"
#include "model/settings.h"
#include "model/summary.h"

struct emit_input {
	const struct finding *findings; /* all verdicts, in the stable order of the judgement */
	size_t n;
	bool all; /* observed, explained and expected ones too */
	const struct run_summary *summary;
	const struct settings *settings;
	struct text_style style;
	/* How the reader asks for an explanation, without the id: `pinwatch explain FLEET`; empty:
	 * no hint. */
	struct sv explain_command;
};

struct emitter {
	const char *name;
	const char *description;
	bool for_people; /* takes colour and width */
	/* ERROR_IO when the stream refuses (errno says why), ERROR_LIMIT when a finding is too
	 * large. */
	bool (*write)(FILE *out, const struct emit_input *in, struct error *err);
};

/* By name; NULL when there is none. */
const struct emitter *emitter_find(struct sv name);
/* The i-th, NULL behind the last. */
const struct emitter *emitter_at(size_t i);

/* Does a run without --all show it? Confirmed and suspected pinning, and findings about devices,
 * gateway and sources. */
bool emit_shows(const struct finding *f, bool all);
/* Writes the buffer and empties it. */
bool emit_flush(FILE *out, struct buf *b, struct error *err);

#endif
