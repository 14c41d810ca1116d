/* The configuration: what pinwatch.yaml and `--set` say, checked, as plain fields.
 *
 * Everything is described once, in the option table (options.h): the reader, its error messages,
 * `check-config`, its --reference and the manual page all come from there. Defaults are applied
 * first, then the file, then each --set; a failed load leaves the defaults, a failed set leaves
 * what was there. To reload, load a second `struct conf` and swap it in when it succeeded.
 *
 * A conf owns all its memory through its arena: views and arrays die with conf_free. It is
 * read-only once loaded and may then be shared between threads. Errors are ERROR_CONFIG
 * (ERROR_USAGE for a --set without `=`), "FILE:LINE:COLUMN: …", position = line.
 */
#ifndef PINWATCH_CONF_CONF_H
#define PINWATCH_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"
#include "conf/conf_list.h"
#include "conf/timezone.h"
#include "model/observation.h"

#define CONF_MAX_SOURCES 1024

struct conf_strings {
	const struct sv *items; /* each NUL-terminated behind its last byte */
	size_t n;
};

struct conf_ports {
	const uint16_t *items;
	size_t n;
};

struct conf_endpoint {
	struct addr ip;
	uint16_t port;
};

struct conf_endpoints {
	const struct conf_endpoint *items;
	size_t n;
};

struct conf_networks {
	const struct cidr *items;
	size_t n;
};

/* Where an option's value was said. A zeroed origin is the default. */
struct conf_origin {
	const char *file; /* NULL: the default; else the file's name, or "--set" */
	uint32_t line;	  /* 0 where there are no lines */
};

/* How bodies are signed: the HMAC and its text. */
enum conf_signature {
	SIGNATURE_SHA256_BASE64,
	SIGNATURE_SHA256_HEX,
	SIGNATURE_SHA1_HEX,
	SIGNATURE_SHA512_HEX,
};

/* What a source is said to be, beside a sensor kind (SENSORS: as the format says): captured
 * packets, a flow sensor of our own. */
#define CONF_KIND_WIRE (SENSORS + 1)

struct conf_source {
	struct sv name;
	/* enum sensor_kind, SENSORS or CONF_KIND_WIRE; conf_source_sensor tells */
	unsigned kind;
	struct sv format;	    /* "auto", or a format's name */
	struct conf_strings filter; /* BPF, of captures; all have to hold */
	/* globs as written, made absolute to the file's folder; "-" stdin */
	struct conf_strings path;
	struct sv interface; /* network interface to capture from; empty: none */
	struct sv drop;	     /* watched folder; empty: none */
	/* `udp://ADDRESS:PORT`, likewise tcp and tls; checked on loading */
	struct conf_strings listen;
	bool ingest;			   /* takes records over HTTP */
	struct sv token_file, secret_file; /* paths; empty: none */
	struct sv signature_header;	   /* empty: the usual one */
	unsigned signature;		   /* enum conf_signature */
	uint64_t spool_size;
	struct span max_lag, idle, silence_after;
	unsigned vantage; /* enum vantage */
	struct zone timezone;
	struct instant date;	  /* midnight UTC; INSTANT_NONE: the file's modification day */
	uint32_t bad_line_budget; /* parts per million of a source's records */
	/* lower-case A-labels; `.suffix` for a domain and below */
	struct conf_strings ignore_hosts;

	const char *file; /* where the source stands */
	uint32_t line;
	struct conf_origin *_origins;
};

struct conf {
	/* analytic: the five mutable elements of AN1726 */
	struct sv bundle; /* path; empty: none */
	struct span time_window;
	uint32_t inspection_failure_threshold;
	bool foreground_state_required;
	struct allow_list allowed_apps, allowed_destinations;

	/* correlation */
	struct span score_window, posture_max_age, state_max_age;
	uint32_t baseline_days, baseline_devices;
	uint32_t opaque_sessions;

	/* inspection: the gateway */
	struct conf_strings root_profiles, issuers;
	struct conf_endpoints listeners;
	struct conf_networks addresses;

	struct conf_ports tls_ports; /* beside 443 and 8443; see conf_tls_ports */
	uint32_t threads;	     /* 0: as many as there are processors */

	/* limits, bytes */
	uint64_t max_record;
	uint64_t source_memory, memory, dead_letter;

	struct conf_source *sources;
	size_t n_sources;

	/* serve */
	struct conf_endpoint listen;
	struct sv tls_certificate, tls_key, tls_client_ca; /* PEM files; empty: none */
	struct sv state;				   /* folder */
	struct span checkpoint, judge_every, history, resolve_after;
	uint64_t history_size, segment_size;
	struct sv findings_file; /* path; empty: none */
	/* where no certificate is given: one's own, made once in the state folder */
	bool tls_self_made;
	struct span session_age;
	uint32_t login_attempts, event_streams;
	struct conf_networks proxy_addresses;
	struct sv proxy_user_header, proxy_role_header; /* empty: none */

	struct sv file; /* the configuration file as named; empty: none was read */
	struct sv dir;	/* the folder that relative paths count from; empty: the current one */
	struct conf_origin *_origins;
	struct arena _arena;
};

/* Fills every option with its default. The result must be freed. */
void conf_defaults(struct conf *c);
/* Defaults, then the file and the list files it names. What *c held before is not freed; on failure
 * it holds the defaults. Must be freed either way. */
bool conf_load(struct conf *c, const char *path, struct error *err);
/* Likewise from bytes; relative paths count from the folder of `path`. */
bool conf_load_text(struct conf *c, struct sv yaml, const char *path, struct error *err);
/* `analytic.TimeWindow=5m`, `inspection.issuers=[A, B]`, `sources.proxy.max_lag=1m`,
 * `sources[0].idle=1m`. The last name alone suffices where it is unique and not a source's. A list
 * replaces the list. Relative paths count from the current folder. */
bool conf_set(struct conf *c, const char *assignment, struct error *err);
void conf_free(struct conf *c);
/* The log source that the source is said to feed; SENSORS: as its format says. */
static inline enum sensor_kind conf_source_sensor(const struct conf_source *s)
{
	return s->kind == CONF_KIND_WIRE ? SENSOR_FLOW : (enum sensor_kind)s->kind;
}
/* The ports that carry TLS though a flow record does not say so: tls_ports, and those of explicit
 * proxies. The caller frees them. */
uint16_t *conf_tls_ports(const struct conf *c, size_t *n);
/* What a source's `listen` says. False where it is none. */
enum conf_transport { CONF_UDP, CONF_TCP, CONF_TLS };
bool conf_listen(struct sv text, enum conf_transport *transport, struct conf_endpoint *at);

/* What a YAML file in a scanned folder is, told by its keys: NONE for anything else. */
enum conf_document { CONF_DOCUMENT_NONE, CONF_DOCUMENT_CONFIGURATION, CONF_DOCUMENT_LIST };
enum conf_document conf_recognise(struct sv bytes);

/* Text for people: every option with the value in force and where that was said, sources and list
 * entries included; entries without owner, reason or expiry are pointed out, as are entries that
 * have expired at `now`. */
void conf_describe(struct buf *out, const struct conf *c, struct instant now);
/* Text for people: every option with type, unit, default, bounds and description. */
void conf_reference(struct buf *out);
/* The same as the manual page pinwatch.yaml(5), in man(7) macros. */
void conf_reference_man(struct buf *out);

#endif
