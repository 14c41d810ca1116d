/* The header a syslog relay puts before a record: RFC 5424, RFC 3164, and the latter with an ISO
 * time. */
#ifndef PINWATCH_PARSE_SYSLOG_H
#define PINWATCH_PARSE_SYSLOG_H

#include "base/sv.h"

struct syslog_header {
	struct sv time, host, program; /* empty where the header does not have them */
};

/* Returns the message behind the header, the whole record where there is none. An octet count
 * before the priority (RFC 6587, 3.4.1) goes with it. */
struct sv syslog_message(struct sv record, struct syslog_header *header);

#endif
