/* Time: UTC nanoseconds since 1970, wrapped so that an instant and a span cannot mix.
 *
 * Event time comes from records; the wall clock is passed in (as a struct instant) by whoever needs
 * it. The range is 1970-01-01 to 2262-04-11; INSTANT_NONE stands for "not said".
 */
#ifndef PINWATCH_BASE_CLOCK_H
#define PINWATCH_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sv.h"

struct instant {
	int64_t ns;
};
struct span {
	int64_t ns;
};

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (86400 * NS_PER_S)

#define INSTANT_NONE ((struct instant){ INT64_MIN })
#define SPAN_NONE ((struct span){ INT64_MIN })

static inline bool instant_known(struct instant t) { return t.ns != INT64_MIN; }
static inline bool span_known(struct span d) { return d.ns != INT64_MIN; }
static inline struct instant instant_add(struct instant t, struct span d)
{
	return (struct instant){ t.ns + d.ns };
}
static inline struct span span_between(struct instant from, struct instant to)
{
	return (struct span){ to.ns - from.ns };
}

/* ISO 8601 / RFC 3339: `2026-11-24T02:14:13.903Z`, also a space for T, `,` for `.`, up to 9
 * decimals, and an offset `±hh:mm` or `±hhmm`. Without an offset the time is taken as UTC + `zone`
 * seconds east. Whole-string; false on anything else. */
bool instant_parse_iso(struct sv v, int32_t zone, struct instant *out);
/* Decimal seconds (`1795486453.759`), milli-, micro- or nanoseconds, told apart by magnitude. */
bool instant_parse_epoch(struct sv v, struct instant *out);
/* From civil UTC fields; month 1–12, day 1–31. No range check beyond those of the caller. */
struct instant instant_from_civil(int year, unsigned month, unsigned day, unsigned hour,
				  unsigned minute, unsigned second, uint32_t ns);

#define INSTANT_ISO_SIZE 40
/* `2026-11-24T02:14:13.903Z`: milliseconds, or as many of 0, 3, 6, 9 decimals as keep the value
 * whole but never fewer than 3. Returns the length; `out` is NUL-terminated. */
size_t instant_format_iso(struct instant t, char out[INSTANT_ISO_SIZE]);
/* `2026-11-24T02:14Z`. */
size_t instant_format_minute(struct instant t, char out[INSTANT_ISO_SIZE]);

/* `10m`, `30s`, `500ms`, `2h`, `7d`, `1h30m`; a bare number is refused. Non-negative. */
bool span_parse(struct sv v, struct span *out);
/* The shortest exact form of the above. Returns the length. */
size_t span_format(struct span d, char out[INSTANT_ISO_SIZE]);

#endif
