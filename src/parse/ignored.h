/* Hosts the gateway was told to pass on unopened (parser_options.ignore_hosts).
 *
 * Some gateways write the same of a connection they passed on as of one whose client left without a
 * request. Which it was only the gateway's configuration says: where the destination is on this
 * list, such a record is bypassed(policy) and says nothing of an outcome. What else a record shows,
 * a handshake that failed or a request, was seen inside the connection, and is left as it is.
 */
#ifndef PINWATCH_PARSE_IGNORED_H
#define PINWATCH_PARSE_IGNORED_H

#include "base/arena.h"
#include "model/observation.h"

struct ignored_hosts {
	struct arena arena;
	struct sv *names;  /* lower case; `.suffix` with its dot */
	struct cidr *nets; /* of entries that are addresses */
	size_t n_names, n_nets;
};

/* Copies the entries. */
void ignored_hosts_init(struct ignored_hosts *h, const struct sv *entries, size_t n);
void ignored_hosts_free(struct ignored_hosts *h);
void ignored_hosts_apply(const struct ignored_hosts *h, struct observation *o);

#endif
