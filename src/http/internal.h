/* Between the files of the HTTP server. */
#ifndef PINWATCH_HTTP_INTERNAL_H
#define PINWATCH_HTTP_INTERNAL_H

#include "http/http.h"

#define HTTP_MAX_REPLY ((size_t)256 << 20)

struct http_header_list {
	const char *name;
	char *value;
	struct http_header_list *next;
};

/* The route of a request, whose params it fills; NULL where the response says why there is none. */
const struct http_route *http_find_route(const struct http_route *routes, size_t n,
					 struct http_request *request,
					 struct http_response *response);
/* Has whoever asks the route's role? Else the response says no. */
void http_check_role(const struct http_route *route, const struct http_request *request,
		     struct http_response *response);
/* http_each_query where there is no connection. */
void http_each_local(const struct http_request *r,
		     void (*take)(void *arg, struct sv name, struct sv value), void *arg);

#endif
