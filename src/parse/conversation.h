/* Conversations: formats in which one connection is told by several lines.
 *
 *     conversation:
 *       key: peer                  # lines with equal text in this field belong together
 *       clock: [stamp]             # when a line was written; a line without it is as old as the
 * one before lines:                     # what a line does, by the first `when` that holds
 *         - {when: {event: client connect}, opens: true}
 *         - {when: {event: {starts: "server connect "}}, keep: {server: event}}
 *         - {when: {event: {starts: "handshake failed"}}, keep: {failure: event}, decides: true}
 *         - {when: {event: client disconnect}, closes: true}
 *
 * What the lines `keep` becomes the record that the rules of the format are applied to, once: where
 * a line decides, where one closes, or where the conversation is cut off (opened again under its
 * key, crowded out by newer ones, or the input ends). `@how` says which: decided, closed or cut;
 * `@began` is the time of its first line and `@lasted` the seconds from there to its last.
 *
 * With `parts: {number: NAME, of: NAME}` the lines are the pieces of one message, in any order: it
 * closes when all are there, and is cut off when `within` lines have come since its first.
 *
 * A line without key belongs to the conversation of the line before it; where there is none it can
 * still decide, and then stands alone. Without `key:` there is one conversation at a time, and
 * `begins` marks the lines of one that stand together (within `within` lines): what was kept before
 * them counts only if no other conversation was open meanwhile.
 */
#ifndef PINWATCH_PARSE_CONVERSATION_H
#define PINWATCH_PARSE_CONVERSATION_H

#include "parse/condition.h"

/* Fields a conversation may keep. */
#define KEPT_MAX 32u

struct kept_field {
	uint32_t from;	/* slot of the line */
	uint32_t piece; /* which of conversation.kept */
};

struct line_rule {
	const struct condition *when;
	bool opens, begins, decides, closes;
	/* of a block: taken inside of it and as the one line behind the closing one */
	bool lingers;
	const struct kept_field *keep; /* the first line that says something counts */
	size_t n_keep;
};

struct conversation {
	const uint32_t *keys; /* slots, alternatives; none: one conversation at a time */
	size_t n_keys;
	const uint32_t *clocks; /* slots, alternatives */
	size_t n_clocks;
	bool joined; /* all of `keys`, not the first that says something */
	/* One message in several lines: the slots of a line's number, from 0, and of how many there
	 * are. */
	bool has_parts;
	uint32_t part_number, part_of;
	uint32_t within; /* lines; only without key, or with parts */
	const struct line_rule *rules;
	size_t n_rules;
	/* Which rules may hold for a line whose field `begun` begins with a byte, a bit a rule;
	 * NULL: any may. */
	const uint64_t *by_first;
	uint32_t begun;
	uint32_t kept[KEPT_MAX]; /* slots the pieces fill in the record made of them */
	size_t n_kept;
	uint32_t began, lasted, how; /* slots */
};

/* Compiles a `conversation:` mapping into `a`; names become slots. An absent node gives NULL. */
bool conversation_compile(struct yaml y, struct names *names, struct arena *a,
			  const struct conversation **out, struct error *err);
/* True for a name that only conversations deliver, no line. */
bool conversation_delivers(const struct conversation *c, const struct names *names, struct sv name);
/* The first rule that holds for a line's fields, or NULL. */
const struct line_rule *conversation_rule(const struct conversation *c, const struct raw *line,
					  const struct parser_options *options);
/* The first of the slots that holds a text, or SV_NONE. */
struct sv conversation_text(const uint32_t *slots, size_t n, const struct raw *line);

#endif
