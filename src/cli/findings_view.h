/* The API's answers about findings, for people. */
#ifndef PINWATCH_CLI_FINDINGS_VIEW_H
#define PINWATCH_CLI_FINDINGS_VIEW_H

#include "base/buf.h"
#include "parse/value.h"

/* A member's text; empty where it is none. */
struct sv findings_text(const struct value *v, const char *name);

/* Pages as one table. */
struct findings_list;
struct findings_list *findings_list_begin(bool local);
/* The page may die afterwards. */
void findings_list_add(struct findings_list *l, const struct value *page);
/* Frees; out NULL: writes nothing. */
void findings_list_end(struct findings_list *l, struct buf *out);

void findings_view_one(struct buf *out, const struct value *v, bool local);
/* What was done: the answer of an action. */
void findings_view_done(struct buf *out, const struct value *v, bool local);

#endif
