/* One conversation's memory. Inside of parse/talks*.c only. */
#ifndef PINWATCH_PARSE_TALK_H
#define PINWATCH_PARSE_TALK_H

#include "base/keymap.h"
#include "parse/dayclock.h"
#include "parse/talks.h"

#define TALK_NONE UINT32_MAX
/* A key longer than this belongs to no conversation. */
#define TALK_KEY_MAX 63u

/* Length and text, zero padded: keymap compares bytes. */
struct talk_key {
	unsigned char b[TALK_KEY_MAX + 1];
};

/* What one field has said, in talk.bytes; n 0: nothing yet. */
struct talk_piece {
	uint32_t at, n;
};

struct talk {
	struct talk_key key;
	uint32_t older, newer; /* by when they were opened */
	uint64_t parts;	       /* a bit each that is there */
	uint64_t line;	       /* the one that opened it */
	bool told;	       /* decided: what follows up to its end says nothing new */
	struct instant began, latest;
	char *bytes;
	uint32_t used, capacity;
	struct talk_piece pieces[KEPT_MAX];
};

/* A conversation at a time: which lines stand together. */
struct talk_block {
	uint32_t open; /* conversations opened and not closed */
	bool mixed;    /* more than one was open since the last moment without any */
	bool begun;
	bool closing;  /* the line after the closing one may still add */
	uint32_t left; /* lines until the block is given up */
};

struct talks {
	const struct conversation *c;
	size_t n_names;
	struct dayclock clock;
	struct instant now; /* of the newest line that said a time */
	struct keymap by_key;
	struct talk *list;
	uint32_t n, capacity; /* used ones, free ones included */
	uint32_t free;	      /* list of free ones, through `newer` */
	uint32_t oldest, newest;
	uint32_t last;	/* of the line before */
	uint64_t lines; /* seen */
	size_t open;
	size_t bytes;
	struct talk_block block; /* without key; its conversation is list[0] */
};

void talk_begin(struct talks *t, struct talk *x);
void talk_forget(struct talks *t, struct talk *x);
/* Takes what the rule keeps of the line. */
void talk_keep(struct talks *t, struct talk *x, const struct line_rule *rule,
	       const struct raw *line);
/* Makes the record. `how` is decided, closed or cut. */
void talk_tell(struct talks *t, const struct talk *x, const char *how,
	       const struct talk_sink *sink);

/* Formats without key. */
void talk_block_line(struct talks *t, const struct line_rule *rule, const struct raw *line,
		     const struct talk_sink *sink);
void talk_block_end(struct talks *t, const struct talk_sink *sink);

#endif
