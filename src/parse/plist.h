/* Apple property lists, XML and binary, as MDM servers hand them on.
 *
 * Apple, "Property List Programming Guide" and PropertyList-1.0.dtd; the binary layout as described
 * in CoreFoundation's CFBinaryPList.c. Both are hostile input: depth, nodes and bytes keep the
 * bounds of value.h, counted as if everything shared were written out; nothing is fetched, no
 * entity is declared or expanded beyond XML's own five; a binary list's offsets, sizes and
 * references are all checked, and cycles refused.
 *
 * What has no counterpart in a struct value: integers beyond 64 signed bits become VALUE_REAL,
 * binary UIDs VALUE_INT, sets VALUE_ARRAY; dates outside the range of struct instant (Apple writes
 * the years 1 and 4001 for "long ago" and "never") become INSTANT_NONE.
 */
#ifndef PINWATCH_PARSE_PLIST_H
#define PINWATCH_PARSE_PLIST_H

#include "base/arena.h"
#include "base/error.h"
#include "parse/value.h"

/* The tree and every byte of it are put into the arena; `bytes` may go afterwards. False with *err
 * (position: byte offset) when it is no property list or passes a bound; the arena may have
 * grown. */
bool plist_parse(struct sv bytes, struct arena *a, struct value *out, struct error *err);

#endif
