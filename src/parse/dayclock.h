/* The clock of a log whose lines carry a time of day and no date.
 *
 * The day is the source's `date`, and that is the day on which the input *ends*: it begins as many
 * days earlier as it passes midnights (parser_options.midnights, counted beforehand by
 * parser_midnights), and moves on with every midnight. A midnight is where a time of day falls back
 * by more than an hour: less is a clock set back, or lines written out of order. A leap of more
 * than 23 hours ahead is a line from before the midnight just passed. A silence of a whole day
 * leaves no trace in such a log.
 *
 * Lines with a full date are read as they are.
 */
#ifndef PINWATCH_PARSE_DAYCLOCK_H
#define PINWATCH_PARSE_DAYCLOCK_H

#include "base/arena.h"
#include "parse/parser.h"

struct dayclock {
	struct parser_options options;
	int64_t day;	 /* midnights passed */
	int64_t time_ns; /* of day, of the line before */
	bool started;
};

void dayclock_init(struct dayclock *c, const struct parser_options *options);
/* True where the text is a time of day alone. */
bool dayclock_is_time_of_day(struct sv text);
/* Reads a line's time. False when it is none. */
bool dayclock_read(struct dayclock *c, struct sv text, struct arena *scratch, struct instant *out);

#endif
