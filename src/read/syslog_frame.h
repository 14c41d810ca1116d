/* Messages in a stream of syslog over TCP or TLS (RFC 6587; RFC 5425).
 *
 * Both framings, told by how the connection begins: octet counting where it begins like `123 <`,
 * else lines. (A line may well begin with a number; only a counted message begins its text with a
 * priority.) A connection keeps its framing. A counted one that then does not begin a frame with a
 * length is malformed: there is no way to find the next message.
 */
#ifndef PINWATCH_READ_SYSLOG_FRAME_H
#define PINWATCH_READ_SYSLOG_FRAME_H

#include "base/sv.h"

enum syslog_framing { SYSLOG_UNKNOWN, SYSLOG_LINES, SYSLOG_COUNTED };

struct syslog_framer {
	size_t max_message;
	enum syslog_framing framing;
	uint64_t skip;	/* counted: bytes of a cut message still to come */
	bool skip_line; /* lines: the rest of a cut one is still to come */
};

struct syslog_frame {
	struct sv message; /* without line breaks and NULs at its end; empty ones are told too */
	bool cut;	   /* it was longer than max_message */
	size_t used;	   /* bytes to pass over */
};

enum syslog_framed {
	SYSLOG_MESSAGE,
	SYSLOG_PASSED, /* `used` bytes that are no message */
	SYSLOG_MORE,   /* more bytes are needed, at most max_message + SYSLOG_FRAME_ROOM */
	SYSLOG_MALFORMED,
};
#define SYSLOG_FRAME_ROOM 16

/* bytes: what has come and is not yet passed over. end: nothing more will come; what is there is
 * then a message. */
enum syslog_framed syslog_frame_next(struct syslog_framer *f, struct sv bytes, bool end,
				     struct syslog_frame *out);
/* `123 <14>…`: how many bytes the count and its blank take, and what it counts. 0 where text does
 * not begin so. */
size_t syslog_octet_count(struct sv text, size_t *count);
/* A message or datagram without line breaks and NULs at its end. */
struct sv syslog_trim(struct sv message);

#endif
