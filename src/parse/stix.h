/* The analytic as MITRE publishes it: ATT&CK STIX bundles in, one analytic and all that hangs on it
 * out.
 *
 * Takes STIX 2.0 and 2.1 bundles (also a bare object, an array of objects, a TAXII envelope), from
 * one analytic to whole corpora of 50 MB, in any number of documents: objects are read one at a
 * time and only what the resolution may need is kept. References are resolved against everything
 * added: the analytic's log source references name data components; the detection strategy whose
 * x_mitre_analytic_refs name the analytic `detects` a technique. What is not among the added
 * documents stays open and is said to be. Objects may be repeated in several documents; the newest
 * `modified` counts.
 *
 * Texts of the result live in the reader until stix_free. A reader belongs to one thread.
 */
#ifndef PINWATCH_PARSE_STIX_H
#define PINWATCH_PARSE_STIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sv.h"

#define STIX_MAX_BYTES (512u * 1024u * 1024u)
#define STIX_MAX_OBJECTS 2000000u

/* What an object is known by; all empty where a reference stays open but for stix_id. */
struct stix_ref {
	struct sv stix_id;     /* x-mitre-data-component--… */
	struct sv external_id; /* DC0114, DET0646, T1521.003 */
	struct sv name;
	bool resolved; /* the object is among the documents */
	bool revoked, deprecated;
};

struct stix_log_source {
	struct sv name; /* trimmed: the published ones have stray spaces */
	struct sv channel;
	struct stix_ref component;
};

struct stix_element {
	struct sv field, description;
};

struct stix_strings {
	const struct sv *items;
	size_t n;
};

struct stix_analytic {
	struct stix_ref self;
	struct sv description;
	struct sv version;  /* x_mitre_version */
	struct sv modified; /* as written, ISO 8601 */
	struct sv attack_spec_version;
	struct sv stix_version; /* "2.0", "2.1"; empty: the document does not say */
	struct stix_strings platforms, domains;
	const struct stix_log_source *log_sources;
	size_t n_log_sources;
	size_t n_open; /* log sources whose data component is not resolved */
	const struct stix_element *elements;
	size_t n_elements;
	struct stix_ref strategy;  /* stix_id empty: no strategy names the analytic */
	struct stix_ref technique; /* stix_id empty: no `detects` relationship */
	size_t n_objects;	   /* read in all */
};

struct stix;

/* external_id: the analytic wanted, "AN1726"; copied. */
struct stix *stix_new(struct sv external_id);
void stix_free(struct stix *s);
/* One document. Errors: ERROR_FORMAT with the byte offset, ERROR_LIMIT. */
bool stix_add(struct stix *s, struct sv json, struct error *err);
/* One file, plain, gzip or zstd; the error names it. */
bool stix_add_file(struct stix *s, const char *path, struct error *err);
/* False with ERROR_FORMAT when the analytic is in none of the documents. */
bool stix_resolve(struct stix *s, struct stix_analytic *out, struct error *err);

#endif
