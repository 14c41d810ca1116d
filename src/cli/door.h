/* The door to the API for subcommands: over the socket of a running daemon, or into its database
 * where none runs.
 *
 * Both ways ask the same handlers, so that they answer alike. Whoever may open the socket, or write
 * the database, is admin there. While the database is open the state folder's lock is held, so that
 * no daemon begins meanwhile.
 */
#ifndef PINWATCH_CLI_DOOR_H
#define PINWATCH_CLI_DOOR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/jsonw.h"
#include "base/sv.h"

struct api;

struct door {
	char *socket;	 /* path; NULL: no daemon runs */
	struct api *api; /* without a daemon */
	int lock;	 /* −1: none */
	char actor[128]; /* whose name the audit has, without a daemon */
};

/* config, state, database: what the command line says, or NULL; the first of database, state,
 * config that is there, else the configuration's defaults. */
bool door_open(struct door *d, const char *config, const char *state, const char *database,
	       struct error *err);
void door_close(struct door *d);
/* Asks, and takes an answer of 400 and more for an error, in its words: usage for what was asked
 * wrongly, else IO. target: path and query. body: JSON; empty: none. The answer's body is appended
 * to *answer. False: nobody answered, or it was refused. */
bool door_ask(struct door *d, const char *method, const char *target, struct sv body,
	      struct buf *answer, struct error *err);
/* Appends v, percent-encoded where a query wants it. */
void door_encode(struct buf *out, struct sv v);
/* Appends a parameter to the query of *target, if value is not NULL. */
void door_query(struct buf *target, const char *name, const char *value);
/* Appends a member to a body, if value is not NULL. */
void door_member(struct jsonw *body, const char *key, const char *value);

#endif
