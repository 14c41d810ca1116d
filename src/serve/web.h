/* Health and metrics over HTTP: /healthz, /readyz, /metrics.
 *
 * Handlers run on the server's threads and never touch the daemon: its thread publishes what they
 * answer, once a second. /healthz is 200 while the daemon's loop turns, /readyz while it reads and
 * can make things durable; both are 503 else, with the reason.
 */
#ifndef PINWATCH_SERVE_WEB_H
#define PINWATCH_SERVE_WEB_H

#include "http/http.h"
#include "serve/daemon.h"

/* Not turning for so long, the loop is stuck. Judging and replaying take their time. */
#define WEB_STUCK (120 * NS_PER_S)
#define WEB_ROUTES 3

struct web;

struct web *web_new(void);
void web_free(struct web *w);
/* The daemon's thread. */
void web_publish(struct web *w, const struct daemon *d);
void web_routes(struct web *w, struct http_route out[WEB_ROUTES]);

#endif
