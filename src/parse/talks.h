/* Conversations at work: what the lines of each have said so far (parse/conversation.h).
 *
 * Bounded: at most TALKS_MAX are open, holding at most TALKS_MAX_BYTES of text; the oldest make
 * room and are told as cut off. A text is kept up to TALK_TEXT_MAX bytes. One an input, one thread.
 */
#ifndef PINWATCH_PARSE_TALKS_H
#define PINWATCH_PARSE_TALKS_H

#include "parse/format.h"

#define TALKS_MAX 65536u
#define TALKS_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define TALK_TEXT_MAX 1024u

struct talks;

/* Where the record that a conversation has become goes. The fields lie in the scratch arena. */
struct talk_sink {
	void (*told)(void *arg, struct raw *fields);
	void *arg;
	struct arena *scratch;
};

struct talks *talks_new(const struct format *f, const struct parser_options *options);
void talks_free(struct talks *t);
/* The fields of one line. Tells what ends with it, at most two records and those that make room. */
void talks_line(struct talks *t, const struct raw *line, const struct talk_sink *sink);
/* The input has ended: tells what is still open, oldest first. */
void talks_end(struct talks *t, const struct talk_sink *sink);

#endif
