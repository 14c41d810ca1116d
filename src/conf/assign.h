/* From a node to a field: checks a value against its option's type and bounds and stores it.
 *
 * The counterpart `option_format` writes a field as one would write it in the file.
 */
#ifndef PINWATCH_CONF_ASSIGN_H
#define PINWATCH_CONF_ASSIGN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "conf/node.h"
#include "conf/options.h"

/* record: the struct conf or struct conf_source that `o->offset` counts in; unchanged on failure.
 * dir: what relative paths count from, empty for the current folder. */
bool option_assign(const struct option *o, const struct node *n, struct sv dir, void *record,
		   struct arena *a, struct error *err);
/* The field at its default. */
void option_assign_default(const struct option *o, void *record, struct arena *a);
/* The field's value as text; nothing for an unset one. Returns false for unset. */
bool option_format(const struct option *o, const void *record, struct buf *out);
/* A number in the field's unit, as one would write it. */
bool option_format_number(const struct option *o, int64_t value, struct buf *out);

/* All list fields but the allow-lists have one shape: a pointer to items and their number. */
struct option_list {
	const void *items;
	size_t n;
};
size_t option_item_size(enum option_type type);

/* `path` below `dir`, unless it is absolute or "-". */
struct sv conf_path(struct sv path, struct sv dir, struct arena *a);
/* Day to midnight UTC; false unless it is a date of the calendar, 1970 to 2261. */
bool conf_date(struct sv text, struct instant *out);

#endif
