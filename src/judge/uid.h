/* Stable ids of findings: UUIDv5 (RFC 9562, 5.5) over what a finding is about, never over what was
 * seen. */
#ifndef PINWATCH_JUDGE_UID_H
#define PINWATCH_JUDGE_UID_H

#include "model/finding.h"

/* Of KIND|BUNDLE|HOST|PORT (bundle empty if unknown). */
void uid_pinning(char out[37], struct sv bundle, struct sv host, uint32_t port);
/* Of KIND|DEVICE. */
void uid_device(char out[37], struct sv device);
/* Of KIND|MINUTE, the minute of the outage's first failure. */
void uid_fault(char out[37], struct instant first);
/* Of KIND|SOURCE, the source's name. */
void uid_source(char out[37], struct sv source);

#endif
