/* Between the files of /api/v1/allow-list. */
#ifndef PINWATCH_API_ALLOW_H
#define PINWATCH_API_ALLOW_H

#include "api/internal.h"
#include "govern/preview.h"

/* The longest pattern, reason and so on, in bytes. */
#define API_ALLOW_TEXT 1000

/* An entry's members, into an object that is open. */
void api_allow_entry(struct jsonw *w, const struct store_allow *e,
		     const struct allow_warnings *warnings, struct instant now);
/* Ends the answer that was written: one that was begun and cannot be ended is none. */
void api_allow_answer(struct http_response *r, bool ok, const struct error *err);
/* The list's handler. */
void api_allow_list(void *context, const struct http_request *q, struct http_response *r);

#endif
