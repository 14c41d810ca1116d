/* The state as a whole, for tools: checked, exported while a daemon runs, put in place again.
 *
 * An export is a folder with the database and the journal exactly as far as that database counts
 * it, and no more. It is a state folder: a daemon begins from it like from its own.
 */
#ifndef PINWATCH_STORE_ARCHIVE_H
#define PINWATCH_STORE_ARCHIVE_H

#include "store/store.h"

/* Database and journal of a state folder. Calls `complain` for each thing that is wrong. */
bool archive_check(const char *state, void (*complain)(void *arg, const char *what), void *arg,
		   struct error *err);
/* Copies to a folder that does not exist or is empty. */
bool archive_export(const char *state, const char *to, struct error *err);
/* Checks an export, then copies it to a state folder that does not exist or is empty. */
bool archive_restore(const char *from, const char *state, struct error *err);

#endif
