/* Allow-lists: who may pin, and where to, with an owner and an end.
 *
 * AllowedAppList holds entries by app, AllowedDestinationList by destination; each may be narrowed
 * to patterns of the other kind. A list file is a YAML list of entries; entries may also stand in
 * the configuration itself. Unknown and repeated keys and wrong patterns are errors with file, line
 * and column.
 *
 * Patterns are stored normalised: hosts as lower-case A-labels without trailing dot, bundle ids
 * without team id. They borrow from the arena given.
 */
#ifndef PINWATCH_CONF_CONF_LIST_H
#define PINWATCH_CONF_CONF_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

enum allow_kind { ALLOW_APP, ALLOW_DESTINATION };

enum allow_pattern_kind {
	PATTERN_EXACT,	 /* the name itself */
	PATTERN_PREFIX,	 /* app: `com.vendor.*`, match = "com.vendor." */
	PATTERN_SUFFIX,	 /* host: `.vendor.test`, match = ".vendor.test"; vendor.test itself
			  * included */
	PATTERN_NETWORK, /* destination: an address or CIDR */
};

struct allow_pattern {
	enum allow_pattern_kind kind;
	struct sv text;	 /* as an explanation names it */
	struct sv match; /* what to compare with, see the kinds */
	struct cidr network;
};

struct allow_entry {
	enum allow_kind kind;
	struct allow_pattern subject;	  /* the app or destination that is allowed */
	const struct allow_pattern *only; /* destinations of an app, apps of a destination */
	size_t n_only;			  /* 0: all */
	struct sv owner, reason, ticket;  /* empty: not said */
	struct sv expires_text;		  /* 2027-03-31 */
	struct instant until;		  /* first moment not covered: midnight UTC after `expires`;
					   * INSTANT_NONE: never expires */
	const char *file;		  /* where the entry stands */
	uint32_t line;
};

struct allow_list {
	const struct allow_entry *entries; /* in the order of the configuration */
	size_t n;
	const struct sv *files; /* list files read */
	size_t n_files;
};

#define ALLOW_MAX_ENTRIES 100000u
#define ALLOW_MAX_ONLY 1000u

/* An app pattern: exact bundle id or `prefix.*`; a leading `TEAMID.` or `.` is dropped.
 * err->message says what was expected, without a position. */
bool allow_pattern_app(struct sv text, struct arena *a, struct allow_pattern *out,
		       struct error *err);
/* A destination pattern: exact host, `.suffix`, address or CIDR. A `*.` before a suffix is read as
 * one. */
bool allow_pattern_destination(struct sv text, struct arena *a, struct allow_pattern *out,
			       struct error *err);
/* Is this name covered? `ip` is for networks: the destination's address, may be unknown. */
bool allow_pattern_holds(const struct allow_pattern *p, struct sv name, const struct addr *ip);

struct node;
/* Reads the value of AllowedAppList or AllowedDestinationList: a path, a list of paths and inline
 * entries, or nothing. Relative paths count from `dir` (empty: the current folder). */
bool allow_list_read(const struct node *n, enum allow_kind kind, struct sv dir, struct arena *a,
		     struct allow_list *out, struct error *err);
/* One list file. */
bool allow_list_read_file(const char *path, enum allow_kind kind, struct arena *a,
			  struct allow_list *out, struct error *err);

#endif
