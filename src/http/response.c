#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "http/internal.h"

void http_response_init(struct http_response *r)
{
	*r = (struct http_response){ .status = 200, .type = "application/json" };
	buf_init(&r->body, HTTP_MAX_REPLY);
}

void http_response_free(struct http_response *r)
{
	if (r->closed != NULL)
		r->closed(r->state);
	r->closed = NULL;
	while (r->_headers != NULL) {
		struct http_header_list *h = r->_headers;

		r->_headers = h->next;
		free(h->value);
		free(h);
	}
	buf_free(&r->body);
}

void http_set_header(struct http_response *r, const char *name, const char *value)
{
	struct http_header_list *h = xmalloc(sizeof(*h));
	size_t n = strlen(value) + 1;

	*h = (struct http_header_list){ name, memcpy(xmalloc(n), value, n), r->_headers };
	r->_headers = h;
}

void http_error(struct http_response *r, unsigned status, const char *code, const char *fmt, ...)
{
	char message[1024];
	va_list args;
	struct jsonw w;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	r->status = status;
	r->type = "application/json";
	buf_reset(&r->body);
	w = jsonw_on(&r->body);
	jsonw_open(&w, '{');
	jsonw_key(&w, "error");
	jsonw_open(&w, '{');
	jsonw_key_str(&w, "code", code);
	jsonw_key_str(&w, "message", message);
	jsonw_close(&w, '}');
	jsonw_close(&w, '}');
	buf_char(&r->body, '\n');
}
