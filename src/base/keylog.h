/* TLS session secrets, as debug logs and key log files (SSLKEYLOGFILE) write them.
 *
 * Whoever has such a line can read the recorded connection. They are no evidence of anything here,
 * so that no output may carry one: neither a dead letter nor a message that quotes a line.
 */
#ifndef PINWATCH_BASE_KEYLOG_H
#define PINWATCH_BASE_KEYLOG_H

#include "base/sv.h"

/* What stands in its place. */
#define KEYLOG_INSTEAD SV("(a TLS session's secret, not kept)")

/* True where the text holds a line of a key log, anywhere. */
bool keylog_holds(struct sv text);

#endif
