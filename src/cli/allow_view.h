/* The API's answers about allow-lists, for people. */
#ifndef PINWATCH_CLI_ALLOW_VIEW_H
#define PINWATCH_CLI_ALLOW_VIEW_H

#include "base/buf.h"
#include "parse/value.h"

/* `entries`: of all pages, one after another. */
void allow_view_list(struct buf *out, const struct value *const *pages, size_t n);
/* One entry after a change; done: what was done to it. */
void allow_view_entry(struct buf *out, const struct value *entry, const char *done);
void allow_view_preview(struct buf *out, const struct value *preview);
void allow_view_test(struct buf *out, const struct value *test);

#endif
