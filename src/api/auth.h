/* Who asks: the `authenticate` of the two doors.
 *
 * api.sock: whoever may open the socket is admin, under the name of the process's user. HTTP: a
 * bearer token, else a session's cookie, else, from the addresses of serve.proxy_addresses alone,
 * the name that a proxy puts into a header. A session's and a proxy's unsafe requests need
 * X-CSRF-Token, and an Origin that is ours where one is sent.
 */
#ifndef PINWATCH_API_AUTH_H
#define PINWATCH_API_AUTH_H

#include "api/api.h"

struct conf;

/* For http_options; context: the struct api. */
void api_authenticate(void *context, struct http_request *request);
void api_authenticate_local(void *context, struct http_request *request);

/* Takes over what the configuration says of who may. tls: HTTP is spoken over TLS. Any time. */
void api_configure(struct api *a, const struct conf *c, bool tls);
/* A server whose streams are woken by api_tell. Before the daemon runs. */
void api_serves(struct api *a, struct http_server *s);

#endif
