/* What apps did, as the EDR tells it: states, lock, interaction and contacts.
 * docs/evidence.md, 3.5, 3.6. */
#ifndef PINWATCH_IDENTIFY_ACTIVITY_H
#define PINWATCH_IDENTIFY_ACTIVITY_H

#include "base/order.h"
#include "base/pool.h"
#include "base/tuples.h"
#include "identify/device.h"
#include "identify/learned.h"
#include "identify/track.h"

/* What records have in common; kept once. */
struct activity_what {
	int64_t delay; /* order time after time */
	uint32_t file;
	uint32_t keys, addr;
	uint32_t bundle, host, ip;
	uint16_t source;
	uint8_t event;
	uint8_t _zero[5];
};

struct activity_record {
	int64_t time;
	uint64_t content; /* of its stamp */
	uint32_t line;
	uint32_t what;
	uint32_t device; /* since activities_finish */
	uint8_t app_state, locked, interaction;
};

/* Value in a state track where the app's state became unknown (terminated). */
#define ACTIVITY_STATE_ENDED 3u

struct activities {
	struct activity_record *records; /* by time since activities_finish */
	size_t n_records, _capacity;
	struct tuples whats;
	struct tracks _states;	     /* (device, bundle): enum app_state */
	struct tracks _apps;	     /* (device, 0): bundles with states */
	struct tracks _locks;	     /* (device, 0): enum tri */
	struct tracks _interactions; /* (device, 0): value enum tri, extra bundle */
	struct tracks _contacts;     /* (device, host): bundle */
	struct tracks _ip_contacts;  /* (device, address): bundle, of records without host */
	struct grouping _of_device;
	struct learned learned; /* by what the records say */
	struct names *names;
};

void activities_init(struct activities *a, struct names *names, uint64_t seed);
void activities_free(struct activities *a);
void activities_add(struct activities *a, const struct observation *o, struct stamp stamp);
/* Forgets a source's records from this order time on. */
void activities_drop(struct activities *a, uint16_t source, int64_t from);
/* Forgets the source's (UINT32_MAX: all) records from before this time; returns how many. */
size_t activities_evict(struct activities *a, uint32_t source, int64_t before);
size_t activities_footprint(const struct activities *a, uint32_t source);
/* activity_index.c: sorts, resolves devices, indexes, the latter with the pool's threads; more may
 * be added and finished again. */
void activities_finish(struct activities *a, struct devices *d, struct pool *pool);

enum app_state activity_app_state(const struct activities *a, uint32_t device, uint32_t bundle,
				  int64_t t, int64_t max_age);
enum tri activity_locked(const struct activities *a, uint32_t device, int64_t t, int64_t max_age);
enum tri activity_interaction(const struct activities *a, uint32_t device, uint32_t bundle,
			      int64_t t, int64_t window);
/* The one app seen contacting host (or ip) on the device within the window. 0: none or several. */
uint32_t activity_contact(const struct activities *a, uint32_t device, uint32_t host, uint32_t ip,
			  int64_t t, int64_t window);
/* The one app in the foreground. 0: none or several. */
uint32_t activity_foreground(const struct activities *a, uint32_t device, int64_t t,
			     int64_t max_age);
static inline const struct activity_what *activity_what(const struct activities *a,
							const struct activity_record *r)
{
	return tuples_get(&a->whats, r->what);
}
struct stamp activity_stamp(const struct activities *a, const struct activity_record *r);
/* The device's records, by time. */
struct group activity_records_of(const struct activities *a, uint32_t device);
/* How many of them lie before t. */
size_t activity_records_before(const struct activities *a, struct group of, int64_t t);
/* Whether any record of the device lies in [from, to]. */
bool activity_between(const struct activities *a, uint32_t device, int64_t from, int64_t to);

#endif
