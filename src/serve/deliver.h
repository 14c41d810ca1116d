/* Delivery of revisions through the outbox: at least once, in the order in which they were
 * committed.
 *
 * After a checkpoint has committed, the outbox's rows behind the last delivered one are appended to
 * the file as JSON lines and synced; the next checkpoint drops them from the outbox. A crash
 * between the two delivers again. A line that was torn by a crash is cut off when the file is next
 * opened: its row is in the outbox still. The file may be moved away at any time.
 */
#ifndef PINWATCH_SERVE_DELIVER_H
#define PINWATCH_SERVE_DELIVER_H

#include "store/store.h"

/* The output's name in the outbox. */
#define DELIVER_FILE SV("file")

struct deliver {
	struct sv path;	 /* NUL-terminated, borrowed; empty: nothing is delivered */
	int64_t done;	 /* outbox id: everything up to here is in the file */
	int64_t dropped; /* and up to here out of the outbox */
	uint64_t delivered, failed;
	struct error why;
};

/* Delivers what waits. False where the file refuses; *err in d->why. */
bool deliver_run(struct deliver *d, struct store *s);
/* In the checkpoint's transaction: drops what has been delivered. */
bool deliver_commit(struct deliver *d, struct store *s, struct error *err);

#endif
