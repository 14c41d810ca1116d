/* The analytic as implemented, and how far a published one has drifted from it.
 *
 * ATT&CK changes its analytics between releases (AN1726 was one line in v18.1), and its names are
 * not spelled alike everywhere: log sources with typing errors and stray spaces, mutable elements
 * under several names. A spelling is noted, a change of meaning is a change.
 *
 * The published texts are MITRE's and no part of this program: it describes the analytic in words
 * of its own, and knows the texts it was written from by their digests alone.
 */
#ifndef PINWATCH_PARSE_STIX_DRIFT_H
#define PINWATCH_PARSE_STIX_DRIFT_H

#include "base/arena.h"
#include "model/observation.h"
#include "parse/stix.h"

struct implemented_text {
	const char *words;     /* our own, for people */
	const char *published; /* stix_digest of the text implemented */
};

struct implemented_source {
	const char *name; /* NSM:Flow */
	struct implemented_text channel;
	const char *component_id; /* DC0085 */
	const char *component_name;
	const char *component_ref; /* STIX id */
	enum sensor_kind sensor;   /* which records feed it */
};

struct implemented_element {
	const char *field;
	struct implemented_text description;
	const char *synonyms[4]; /* names of the same thing in sibling analytics; NULL ends */
};

struct implemented_analytic {
	const char *external_id, *name, *version, *platform, *domain;
	const char *strategy_id, *technique_id, *technique_name;
	struct implemented_text description;
	struct implemented_source sources[4];
	struct implemented_element elements[5];
};

/* AN1726, x_mitre_version 1.1. */
extern const struct implemented_analytic implemented_analytic;

enum drift_kind {
	DRIFT_VERSION,
	DRIFT_WITHDRAWN, /* analytic, strategy, technique or component revoked or deprecated */
	DRIFT_DESCRIPTION,
	DRIFT_PLATFORM,
	DRIFT_LINEAGE, /* another strategy or technique */
	DRIFT_ELEMENT_MISSING,
	DRIFT_ELEMENT_ADDED,
	DRIFT_ELEMENT_RENAMED, /* known synonym or a typing error */
	DRIFT_ELEMENT_MEANING, /* its description */
	DRIFT_SOURCE_MISSING,
	DRIFT_SOURCE_ADDED,
	DRIFT_SOURCE_SPELLING,
	DRIFT_SOURCE_CHANNEL, /* what is looked for in the source */
	DRIFT_SOURCE_COMPONENT,
	DRIFT_KINDS
};

struct drift {
	enum drift_kind kind;
	bool note; /* a spelling, nothing that changes what is executed */
	struct sv subject;
	struct sv because; /* a sentence for people */
};

/* "version", "element_missing", … */
const char *drift_kind_name(enum drift_kind kind);
/* Differences in a fixed order; none where the bundle is what is implemented. What a bundle does
 * not hold (strategy, technique, components) is open, not drift. Texts live in the arena. */
size_t stix_drift(const struct stix_analytic *bundle, const struct implemented_analytic *against,
		  struct arena *a, const struct drift **out);

#define STIX_DIGEST_SIZE 65
/* SHA-256 in lower-case hexadecimal of a text without what changes no meaning: blanks at the ends,
 * the length and kind of blanks between words, ASCII case. */
void stix_digest(char hex[STIX_DIGEST_SIZE], struct sv text, struct arena *a);

#endif
