/* A connection as an observation. */
#ifndef PINWATCH_WIRE_REPORT_H
#define PINWATCH_WIRE_REPORT_H

#include "wire/connection.h"
#include "wire/wire.h"

/* False where there was no TLS to report. Views borrow from the connection. */
bool report_connection(const struct connection *c, const struct wire_options *options,
		       struct instant now, struct wire_seen *out);

#endif
