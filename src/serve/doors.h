/* The daemon's doors: HTTP(S) at serve.listen, and api.sock in the state folder, with one table of routes. */
#ifndef PINWATCH_SERVE_DOORS_H
#define PINWATCH_SERVE_DOORS_H

#include "serve/daemon.h"

struct doors;

/* Off loopback only TLS is spoken. NULL: they cannot be opened. */
struct doors *doors_open(struct daemon *d, struct error *err);
/* Waits for running handlers. */
void doors_close(struct doors *o);
/* A reload: what the configuration says of who may. */
void doors_configure(struct doors *o, const struct daemon *d);
/* Once a second: publishes, wakes streams for their heartbeat. */
void doors_look(struct doors *o, const struct daemon *d);
/* A checkpoint has written changes. */
void doors_changed(struct doors *o);
struct api *doors_api(struct doors *o);

#endif
