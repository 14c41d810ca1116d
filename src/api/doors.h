/* The daemon's doors: HTTP(S) at serve.listen, where off loopback only TLS is spoken, and api.sock
 * in the state folder, with one table of routes.
 */
#ifndef PINWATCH_API_DOORS_H
#define PINWATCH_API_DOORS_H

#include "serve/doors.h"

extern const struct doors_kind api_doors;

#endif
