/* The parts of plist.c; for it alone. Bounds on the size of the whole are already checked. */
#ifndef PINWATCH_PARSE_PLIST_INTERNAL_H
#define PINWATCH_PARSE_PLIST_INTERNAL_H

#include "parse/plist.h"

#define PLIST_BINARY_MAGIC SV("bplist00")

_Static_assert(VALUE_MAX_DEPTH == 64 && VALUE_MAX_NODES == 1000000, "the messages name them");

/* XML as Apple's own software writes it, without an XML parser. False, with *out and the arena
 * spoilt, for whatever is written otherwise or is wrong: plist_parse_xml then has the word. What it
 * accepts, plist_parse_xml accepts with the same tree (tests/fuzz/plist.c). */
bool plist_parse_xml_quick(struct sv bytes, struct arena *a, struct value *out);
bool plist_parse_xml(struct sv bytes, struct arena *a, struct value *out, struct error *err);
bool plist_parse_binary(struct sv bytes, struct arena *a, struct value *out, struct error *err);

#endif
