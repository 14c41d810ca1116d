/* Derivations: the named steps from a raw text to a value of an observation.
 *
 * `via: [{after: "TLS_LIB_ERR="}, {until: "+"}, openssl_alert]` in a format file is a chain of
 * them. All but the last make text of text; the last makes what the target holds. None of them
 * knows a product: they know encodings (epoch times, OpenSSL error words, the letters of a
 * connection history). Results borrow from the input or the scratch arena.
 */
#ifndef PINWATCH_PARSE_DERIVE_H
#define PINWATCH_PARSE_DERIVE_H

#include "base/arena.h"
#include "parse/parser.h"

enum cell_type {
	CELL_TEXT,
	CELL_TIME,
	CELL_SPAN,
	CELL_ADDR,
	CELL_NUMBER,
	CELL_TRI,
	CELL_SENSOR,
	CELL_SIDE,
	CELL_CLOSE,
	CELL_OUTCOME,
	CELL_INSPECTION,
	CELL_BYPASS,
	CELL_EVENT,
	CELL_APP_STATE,
	CELL_LEASE_BY,
	CELL_TEXTS, /* a list of texts; only from a path with [] */
};

struct cell {
	union {
		struct sv text;
		struct instant time;
		struct span span;
		struct addr addr;
		int64_t number; /* CELL_NUMBER and every enumeration, CELL_TRI included */
	};
};

enum derived {
	DERIVED,
	DERIVED_NOTHING, /* well-formed, says nothing: the next alternative has its turn */
	DERIVED_BAD,	 /* not what it should be; context->expected says what that is */
};

struct host_cache;

struct derive_context {
	struct arena *scratch;
	const struct parser_options *options;
	const struct observation *so_far; /* the observation as far as it is built */
	struct sv argument;		  /* of {name: argument} */
	const char *expected;
	struct host_cache *hosts; /* or NULL */
};

struct derivation {
	const char *name;
	enum cell_type out;
	bool takes_argument;
	bool takes_no_field; /* works on the observation so far or on the options */
	enum derived (*run)(struct derive_context *c, struct sv in, struct cell *out);
	const char *about; /* one line for docs/formats.md */
};

const struct derivation *derivation_find(struct sv name);
/* All of them, for documentation and suggestions; NULL past the end. */
const struct derivation *derivation_at(size_t i);

/* The word for value i where d reads the words of an enumeration; empty for a value without word,
 * SV_NONE past the last and for all other derivations. */
struct sv derivation_word(const struct derivation *d, size_t i);

/* The derivations `time` and `udid`, for others that end in them. */
enum derived derive_any_time(struct derive_context *c, struct sv in, struct cell *out);
enum derived derive_udid(struct derive_context *c, struct sv in, struct cell *out);
/* Zeros, `unknown`, `none` and the like: what consoles write where they know no name. */
bool derive_is_placeholder(struct sv in);

/* The tables behind derivation_find, one a file. */
struct derivation_table {
	const struct derivation *list;
	size_t n;
};
struct derivation_table derive_text_table(void);
struct derivation_table derive_name_table(void);
struct derivation_table derive_time_table(void);
struct derivation_table derive_value_table(void);
struct derivation_table derive_tls_table(void);
struct derivation_table derive_date_table(void);
struct derivation_table derive_device_table(void);
struct derivation_table derive_flow_table(void);

static inline enum derived derive_text(struct cell *out, struct sv text)
{
	out->text = text;
	return text.n > 0 ? DERIVED : DERIVED_NOTHING;
}
static inline enum derived derive_number(struct cell *out, int64_t n)
{
	out->number = n;
	return DERIVED;
}
static inline enum derived derive_bad(struct derive_context *c, const char *expected)
{
	c->expected = expected;
	return DERIVED_BAD;
}

#endif
