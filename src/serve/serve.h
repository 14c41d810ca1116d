/* The daemon: reads what arrives, keeps it, judges it, and tells. See docs/daemon.md.
 *
 * One thread owns engine and database; the HTTP server and the syslog listeners have their own and
 * only append to spools.
 */
#ifndef PINWATCH_SERVE_SERVE_H
#define PINWATCH_SERVE_SERVE_H

#include "base/clock.h"
#include "base/error.h"

struct doors_kind;

struct serve_clock {
	struct instant (*wall)(void *arg);	/* UTC */
	struct instant (*monotonic)(void *arg); /* never leaps */
	void *arg;
};

struct serve_options {
	const char *config;
	const char *const *sets; /* `--set`, applied again after every reload */
	size_t n_sets;
	const char *formats_dir; /* or NULL */
	unsigned threads;	 /* for judging, the main one included; 0: as many as processors */
	bool verbose;
	struct serve_clock clock;
	const struct doors_kind *doors; /* through what others come in */
};

/* Runs until SIGTERM or SIGINT. False: it could not begin, or had to stop. */
bool serve_run(const struct serve_options *options, struct error *err);

#endif
