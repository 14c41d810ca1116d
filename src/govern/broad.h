/* What is to be said against an allow-list entry: that it is broader than its owner may mean, that
 * nobody answers for it, that it never
 * ends. */
#ifndef PINWATCH_GOVERN_BROAD_H
#define PINWATCH_GOVERN_BROAD_H

#include "base/jsonw.h"
#include "govern/entry.h"

/* A prefix that holds more apps than this that were seen is broad. */
#define ALLOW_MANY_APPS 10
/* A network with fewer bits than these is broad. */
#define ALLOW_IPV4_BITS 16
#define ALLOW_IPV6_BITS 32
#define ALLOW_MAX_WARNINGS 8

struct allow_warning {
	/* public_suffix, wide_network, many_apps, no_owner, no_reason, no_expiry, quiets_severe */
	const char *code;
	char text[256];
};

struct allow_warnings {
	struct allow_warning list[ALLOW_MAX_WARNINGS];
	size_t n;
	bool broad; /* one of the first three is among them */
};

/* Apps that findings are about; in the arena that made it. */
struct allow_apps {
	struct sv *list;
	size_t n, _capacity;
	struct arena *_arena;
};

bool allow_apps_read(struct allow_apps *apps, struct store *s, struct arena *a, struct error *err);

/* Broad is an entry that is so in what it allows and in what it is narrowed to. */
void allow_warn(const struct allow_entry *e, const struct allow_apps *apps,
		struct allow_warnings *out);
void allow_warning_add(struct allow_warnings *w, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As an array. */
void allow_warnings_json(struct jsonw *w, const struct allow_warnings *list);

#endif
