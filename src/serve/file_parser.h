/* Which format a file of a live input is in, and the parser that has read it so far. */
#ifndef PINWATCH_SERVE_FILE_PARSER_H
#define PINWATCH_SERVE_FILE_PARSER_H

#include "parse/parser.h"
#include "serve/intake.h"

struct file_parser {
	uint64_t file;		     /* input_where.file */
	uint32_t number;	     /* keeper's */
	const struct format *format; /* NULL: in no known format; *why says so */
	struct parser *parser;
	enum framing framing;
	bool resumed;	/* reading goes on in the middle of it */
	bool fed;	/* and what came before has been shown to the parser */
	int64_t newest; /* order time; INT64_MIN none */
	int64_t first;
	bool touched; /* since its input was last read to its end */
	uint64_t used;
	char why[512];
};

/* Tells the file's format from its first bytes, or by what its source says; makes its parser. */
struct file_parser *file_parser_begin(struct live_input *x, uint64_t file, struct sv path,
				      struct sv head, bool resumed);
/* Of a capture, which needs no parser: what is known of it otherwise. */
struct file_parser *file_parser_capture(struct live_input *x, uint64_t file, struct sv path);
/* The one of that file, NULL where there is none (any more). */
struct file_parser *file_parser_find(struct live_input *x, uint64_t file);
/* Before the first record of a file in the middle of which reading goes on: lets the parser see
 * what it needs of what stands before. */
void file_parser_catch_up(struct live_input *x, struct file_parser *f, struct sv path,
			  uint64_t line);
void file_parsers_free(struct live_input *x);

#endif
