/* Conditions on raw fields: the `when:` of a format file, compiled.
 *
 *     when: {method: CONNECT, bump: [bump, stare], detail: {has: TLS_IO_ERR=5}}
 *
 * All members have to hold. `any:` holds where one of its list does, `none:` where none does. Texts
 * are compared byte by byte; a field that is absent equals nothing.
 */
#ifndef PINWATCH_PARSE_CONDITION_H
#define PINWATCH_PARSE_CONDITION_H

#include "parse/parser.h"
#include "parse/raw.h"
#include "parse/short_text.h"
#include "parse/yfile.h"

enum condition_op {
	WHEN_ALL,   /* every child */
	WHEN_ANY,   /* a child */
	WHEN_NONE,  /* no child */
	WHEN_IS,    /* equals one of the texts */
	WHEN_NOT,   /* equals none of the texts; absent fields do */
	WHEN_HAS,   /* holds one of the texts */
	WHEN_LACKS, /* holds none of the texts; absent fields do */
	WHEN_STARTS,
	WHEN_ENDS,
	WHEN_WORD, /* one of its words, between anything but letters, digits, _ and -, is one of the
		      texts */
	WHEN_PRESENT,
	WHEN_ABSENT,
	WHEN_SAME,     /* both fields are there and hold equal texts */
	WHEN_PRIVATE,  /* an address of a private network */
	WHEN_TLS_PORT, /* a port that carries TLS: 443, 8443 or one of parser_options.tls_ports */
};

struct beginnings;

struct condition {
	enum condition_op op;
	uint32_t slot;
	uint32_t other; /* slot, of WHEN_SAME */
	const struct sv *texts;
	const struct short_text *heads; /* of the texts */
	size_t n_texts;
	const struct beginnings *beginnings; /* of WHEN_STARTS: of the texts */
	const struct condition *children;
	size_t n_children;
};

/* Compiles a `when:` mapping into `a`; field names become slots. An absent node gives NULL, which
 * always holds. */
bool condition_compile(struct yaml when, struct names *names, struct arena *a,
		       const struct condition **out, struct error *err);
bool condition_holds(const struct condition *c, const struct raw *raws,
		     const struct parser_options *options);
/* Whether it holds only where the text in `slot` begins with one of certain bytes, whose bits are
 * then set in `first` (zeroed before). */
bool condition_begins(const struct condition *c, uint32_t slot, uint64_t first[4]);
/* Like condition_holds for the members of the outermost mapping, counted: *held of *all. The first
 * that does not hold is returned, or NULL. */
const struct condition *condition_first_failing(const struct condition *c, const struct raw *raws,
						const struct parser_options *options, size_t *held);

#endif
