/* Cuts a STIX document into its objects without building a tree of the whole.
 *
 * Only the skeleton is looked at here (brackets, strings, commas); each object is checked when it
 * is parsed. No allocation, no recursion.
 */
#ifndef PINWATCH_PARSE_STIX_SPLIT_H
#define PINWATCH_PARSE_STIX_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/sv.h"

struct stix_split {
	struct sv json;
	size_t at;	   /* where the next object is looked for */
	struct sv version; /* the bundle's spec_version, a view; empty: not said */
	bool single;	   /* the document is one object and no bundle */
	bool _done;
};

/* Finds the array of objects. False: the document is no STIX. */
bool stix_split_open(struct stix_split *s, struct sv json, struct error *err);
/* 1: *object is the next object; 0: end; −1: *err. */
int stix_split_next(struct stix_split *s, struct sv *object, struct error *err);

#endif
