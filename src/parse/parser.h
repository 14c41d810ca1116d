/* Bytes to observations: formats as data, compiled once into plans, run per record.
 *
 * A format_set holds the built-in formats (formats/ of the source tree, compiled into the program)
 * and those of `--formats DIR`. A parser applies one format to one input and keeps what the
 * encoding needs between records (a Zeek header, a CSV heading). Views in the observations borrow
 * from the record and the parser's scratch memory: they die with the next parser_run. A format_set
 * is read-only once loaded and may be shared; a parser belongs to one thread.
 */
#ifndef PINWATCH_PARSE_PARSER_H
#define PINWATCH_PARSE_PARSER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/observation.h"
#include "read/reader.h"

struct format;
struct format_set;
struct parser;

/* The built-in formats. */
struct format_set *format_set_builtin(struct error *err);
void format_set_free(struct format_set *set);
/* Adds every *.yaml of a folder; a format of a known name replaces it. Errors name file, line,
 * column. */
bool format_set_add_dir(struct format_set *set, const char *dir, struct error *err);
bool format_set_add_text(struct format_set *set, const char *name, struct sv yaml,
			 struct error *err);

size_t format_set_count(const struct format_set *set);
const struct format *format_set_at(const struct format_set *set, size_t i); /* sorted by name */
const struct format *format_find(const struct format_set *set, struct sv name);

struct sv format_name(const struct format *f);
struct sv format_title(const struct format *f); /* one line for people */
enum framing format_framing(const struct format *f);
/* What the records usually feed; a single record says its own in observation.sensor. */
enum sensor_kind format_sensor(const struct format *f);
/* The name under which the records of this format appear as a source when none is configured.
 * Formats that are encodings of one log (Zeek TSV and JSON) share it. */
struct sv format_source(const struct format *f);
/* What to configure instead, for logs that are known but say nothing of TLS or of devices; empty
 * for all others. parser_run answers every record of such a format with it. */
struct sv format_refusal(const struct format *f);
/* Whether one connection is told by several lines: reading on in the middle of an input wants them
 * all. */
bool format_has_conversations(const struct format *f);

/* Detection by content. */
struct format_match {
	const struct format *format;
	int score; /* higher is surer; 0: does not match */
	/* to read this input with: JSON may be a line a record or one document */
	enum framing framing;
	char reason[160]; /* why, or the field at which it failed */
};
/* The first bytes of an input (a few lines suffice). Fills at most n matches, best first, failed
 * ones (score 0) after those that match, nearest first. Returns how many. */
size_t format_detect(const struct format_set *set, struct sv head, struct format_match *out,
		     size_t n);

struct parser_options {
	int32_t zone;	     /* seconds east of UTC for times without a zone */
	struct instant date; /* day for times without a date; INSTANT_NONE where there is none */
	enum vantage vantage;
	/* Ports counted as TLS in flow records that do not say what they carry; 443 and 8443 always
	 * are. Copied. */
	const uint16_t *tls_ports;
	size_t n_tls_ports;
	/* Destinations the gateway passes on unopened, where its log does not tell them from
	 * others: host, `.suffix` (the name itself and all below) or CIDR. Copied. */
	const struct sv *ignore_hosts;
	size_t n_ignore_hosts;
	/* How many midnights the input's times of day pass until its end, which lies on `date`; see
	 * parser_midnights. */
	uint32_t midnights;
};

struct parser *parser_new(const struct format *f, const struct parser_options *options);
void parser_free(struct parser *p);

enum parse_result {
	PARSE_OBSERVATIONS, /* *n ≥ 1 */
	PARSE_IRRELEVANT,   /* well-formed, but no observation: another kind of traffic, a header, a
			       comment, or a line of a conversation that is not at its end */
	PARSE_REJECTED, /* *err says which field, what was expected; position is a byte offset */
};
/* Runs the plan over one record. READ_PADDING bytes behind it must be readable. */
enum parse_result parser_run(struct parser *p, struct sv record, const struct observation **out,
			     size_t *n, struct error *err);

/* What several records give, side by side: between parser_begin and parser_end the observations of
 * every parser_run, and of parser_finish, stay in the batch, whose memory they may then be read
 * from for as long as the records' bytes live; *out of parser_run is good until the next one only.
 * What the batch held before is gone. A zeroed batch is a valid empty one; it may go through
 * several parsers, one after another. */
struct parser_batch {
	struct observation *list;
	size_t n;
	size_t _capacity;
	struct arena _scratch;
};
void parser_begin(struct parser *p, struct parser_batch *b);
void parser_end(struct parser *p, struct parser_batch *b);
void parser_batch_free(struct parser_batch *b);
/* Gives back what a batch needs only when it is large. */
void parser_batch_trim(struct parser_batch *b);

/* Whether a record says the same wherever in the input it stands. Where not (a heading names the
 * columns, a connection is told by several lines), all records of an input go through one parser,
 * in order. */
bool parser_needs_order(const struct format *f);

/* The input has ended. Formats whose connections are told by several lines give what is still open,
 * cut off; of all others nothing is left. *n may be 0. Where parser_rejected_items says that some
 * were rejected, *err tells of the first. To be called once, after the last parser_run; the views
 * live until parser_free. */
void parser_finish(struct parser *p, const struct observation **out, size_t *n, struct error *err);

/* Counts parser_options.midnights of a file by reading it once, where the format's lines carry a
 * time of day alone; 0 for all other formats and for what is no regular file. False when it cannot
 * be opened. */
bool parser_midnights(const struct format *f, const char *path, enum framing framing,
		      uint32_t *midnights, struct error *err);

/* How many items of the last record were rejected, where the record was a list of records and
 * others of it were not (PARSE_OBSERVATIONS, PARSE_IRRELEVANT). *err of parser_run tells of the
 * first one. */
size_t parser_rejected_items(const struct parser *p);

/* One canonical JSON object, without line break; `source` as the observation's source name. Absent
 * keys mean "not said". */
void observation_write_json(struct buf *b, const struct observation *o, struct sv source);

#endif
