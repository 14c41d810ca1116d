/* International names that were made A-labels not long ago. Making one costs as much as all else
 * that a record needs, and the same names come again and again. Bounded: a new name takes the place
 * of another. And the parts of the text that the record at hand was last asked for an authority.
 * One parser, one thread.
 */
#ifndef PINWATCH_PARSE_HOST_CACHE_H
#define PINWATCH_PARSE_HOST_CACHE_H

#include "base/sv.h"

#define HOST_CACHE_PLACES 64u
#define HOST_CACHE_NAME 95u

struct host_cache_entry {
	uint8_t n_name, n_label; /* n_name 0: free */
	char name[HOST_CACHE_NAME], label[HOST_CACHE_NAME];
};

/* The parts of HOST:PORT, alone or in a URL. Several fields are made of one. */
struct authority {
	struct sv of; /* the text it was found in; good while the record at hand is */
	struct sv scheme, name, port;
	bool url;
	bool there; /* false: no authority stands in a URL */
	bool good;  /* false: what should be a port is none */
};

/* Zeroed it is empty. */
struct host_cache {
	struct host_cache_entry at[HOST_CACHE_PLACES];
	struct authority last; /* emptied with every observation */
};

/* The label of that name, until the next host_cache_put; SV_NONE where it is not known. */
struct sv host_cache_get(const struct host_cache *c, struct sv name);
/* Copies both; names and labels longer than HOST_CACHE_NAME are left out. */
void host_cache_put(struct host_cache *c, struct sv name, struct sv label);

#endif
