/* Loading the configuration again: as a whole, or not at all.
 *
 * What changed is logged, option by option. State survives: inputs go on where they are, the engine
 * keeps what it knows, and is built anew from the journal only where it reads a changed option
 * while taking records. What cannot change while the daemon runs (where its state lies) refuses the
 * whole.
 */
#ifndef PINWATCH_SERVE_RELOAD_H
#define PINWATCH_SERVE_RELOAD_H

#include "serve/daemon.h"

/* Loads the options' configuration with their --set, and sees whether the daemon can run by it. */
bool reload_load(const struct serve_options *o, const struct format_set *formats, struct conf *c,
		 struct error *err);
/* Tries; a refusal is logged and changes nothing. */
void reload_run(struct daemon *d);
/* The database's allow-list has changed: judges with what stands there now. */
void reload_allow(struct daemon *d);
/* An entry's end has come. */
void reload_allow_ends(struct daemon *d);
/* True once after one of the configuration's files was written, and has been left alone for a
 * look. */
bool reload_noticed(struct daemon *d);
/* How the files are now is how they were loaded. */
void reload_note(struct daemon *d);

#endif
