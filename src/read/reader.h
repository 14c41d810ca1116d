/* Bytes in: a file, standard input or a buffer, as records.
 *
 * gzip and zstd are unpacked as they are read (told by their first bytes, concatenated members and
 * frames included). A record is a line, a paragraph or the whole document, as the format's framing
 * says. Nothing is lost silently: an overlong or damaged piece is returned as READ_OVERLONG or ends
 * in an error that names the byte. One reader, one thread.
 */
#ifndef PINWATCH_READ_READER_H
#define PINWATCH_READ_READER_H

#include "base/error.h"
#include "base/sv.h"

/* Every record view is followed by at least this many readable bytes (simdjson wants them). */
#define READ_PADDING 64

enum framing {
	FRAMING_LINE,	   /* LF or CRLF; the last one may lack it; empty lines are skipped */
	FRAMING_PARAGRAPH, /* lines up to an empty line, as one record with its line breaks */
	FRAMING_DOCUMENT,  /* the whole input is one record */
};

enum read_result {
	READ_RECORD,
	READ_OVERLONG, /* a record longer than max_record: *record holds its first bytes, rest
			  skipped */
	READ_END,
	READ_ERROR,
};

struct reader_options {
	enum framing framing;
	size_t max_record;   /* bytes; 0: READER_MAX_RECORD */
	size_t max_unpacked; /* bytes a packed input may unfold to; 0: no limit but the disk's */
};
#define READER_MAX_RECORD (16u * 1024u * 1024u)

struct reader;

/* path "-" is standard input. NULL and *err when it cannot be opened. */
struct reader *reader_open(const char *path, const struct reader_options *options,
			   struct error *err);
/* Borrows the bytes (packed or plain) until reader_close. */
struct reader *reader_on_bytes(struct sv bytes, const struct reader_options *options);
void reader_close(struct reader *r);
/* *record is good until the next call. */
enum read_result reader_next(struct reader *r, struct sv *record, struct error *err);

/* Whole lines taken out of a reader, for FRAMING_LINE: what needs no order can be done with them
 * elsewhere. A zeroed block is a valid empty one. It belongs to the caller; one thread at a
 * time. */
struct read_block {
	char *_p;
	size_t _capacity, _from, _end, _max_record;
	bool _overlong; /* its last line is the beginning of one that is longer than max_record */
	uint32_t line;	/* 1-based, of the last record, within the block; behind the last one: how
			   many lines */
};
/* The next lines, about `size` bytes of them, at least one; what the block held is gone.
 * READ_RECORD where there are some, else as reader_next. Not to be mixed with reader_next. */
enum read_result reader_take(struct reader *r, struct read_block *b, size_t size,
			     struct error *err);
/* READ_RECORD, READ_OVERLONG or READ_END. *record is good until the block is filled again or
 * freed. */
enum read_result read_block_next(struct read_block *b, struct sv *record);
void read_block_free(struct read_block *b);
/* Nothing more will come, and nothing has gone wrong. */
bool reader_exhausted(const struct reader *r);

/* 1-based number of the first line of the last record. */
uint32_t reader_line(const struct reader *r);
/* Bytes taken from the file so far (packed ones, where packed), and the file's size or 0. */
uint64_t reader_bytes(const struct reader *r);
uint64_t reader_size(const struct reader *r);
/* The first bytes of the input, unpacked, at most n, without consuming them: for format detection.
 * Good until the next reader_next. */
struct sv reader_peek(struct reader *r, size_t n);
/* Framing may be set until the first reader_next. */
void reader_set_framing(struct reader *r, enum framing framing);

#endif
