/* The daemon's doors: through what others come in. The daemon opens them and tells them what has
 * happened; what is behind them (api/doors.h) stands to its right and is handed to it.
 */
#ifndef PINWATCH_SERVE_DOORS_H
#define PINWATCH_SERVE_DOORS_H

#include "serve/daemon.h"

struct doors;

/* All called by the daemon's thread. */
struct doors_kind {
	/* NULL: they cannot be opened. */
	struct doors *(*open)(struct daemon *d, struct error *err);
	/* Waits for running handlers. */
	void (*close)(struct doors *o);
	/* A reload: what the configuration says of who may. */
	void (*configure)(struct doors *o, const struct daemon *d);
	/* Once a second: publishes, wakes streams for their heartbeat. */
	void (*look)(struct doors *o, const struct daemon *d);
	/* A checkpoint has written changes. */
	void (*changed)(struct doors *o);
	/* Becomes readable when somebody has changed something. */
	int (*fd)(const struct doors *o);
	/* What was changed since the last call: whether the allow-list was. */
	bool (*allow_changed)(struct doors *o);
};

#endif
