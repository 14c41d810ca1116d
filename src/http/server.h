/* The server as the files that make it share it. libmicrohttpd's threads run http_handle and
 * http_complete. */
#ifndef PINWATCH_HTTP_SERVER_H
#define PINWATCH_HTTP_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/internal.h"

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_options options;
	struct http_route *routes;
	char *certificate, *key;
	uint16_t port;
	atomic_size_t bodies; /* bytes held */
	_Atomic uint64_t requests, by_class[6], bytes_in, bytes_out, unauthorised, refused;
	_Atomic uint64_t *by_route;
	pthread_mutex_t streams; /* for what follows */
	struct exchange *asleep; /* streams that have nothing to say */
	uint64_t wakes;
	bool ending;
};

/* exchange.c: a request from its headers to the end of its answer. */
enum MHD_Result http_handle(void *context, struct MHD_Connection *c, const char *path,
			    const char *method, const char *version, const char *upload,
			    size_t *upload_n, void **state);
void http_complete(void *context, struct MHD_Connection *c, void **state,
		   enum MHD_RequestTerminationCode why);
/* Streams that have had nothing to say are asked again; ending: they end. */
void http_wake_streams(struct http_server *s, bool ending);

#endif
