#include "read/reader.h"

#include <stdlib.h>

#include "base/arena.h"
#include "read/unpack.h"

/* What one read asks for. Small enough to stay in the second-level cache between the read and the
 * search for line ends, which is what makes reading as fast as memory. */
#define BLOCK (256u * 1024u)

/* The buffer holds `end` bytes of unpacked input, of which those before `start` are used up; behind
 * them stand READ_PADDING zero bytes. It grows to max_record + BLOCK at most. */
struct reader {
	struct source source;
	struct unpack *unpack;
	enum framing framing;
	size_t max_record;
	char *p;
	size_t capacity;
	size_t start;
	size_t end;
	size_t searched;	/* bytes behind start known to hold no line end that matters */
	size_t line_at;		/* paragraph: where its last line begins, behind start */
	uint32_t pending_lines; /* paragraph: whole lines of it so far */
	bool started;
	bool at_end;   /* nothing more will come */
	bool skipping; /* the rest of an overlong record is to be skipped */
	bool failed;   /* err is to be reported once the buffer is used up */
	struct error err;
	uint32_t lines;	      /* used up */
	uint32_t record_line; /* first line of the last record */
};

static struct reader *reader_new(const struct reader_options *options)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	if (options != NULL)
		r->framing = options->framing;
	r->max_record = READER_MAX_RECORD;
	if (options != NULL && options->max_record > 0)
		r->max_record = options->max_record;
	if (r->max_record > SIZE_MAX / 4)
		r->max_record = SIZE_MAX / 4;
	r->capacity = BLOCK;
	r->p = xcalloc(1, r->capacity + READ_PADDING);
	return r;
}

struct reader *reader_open(const char *path, const struct reader_options *options,
			   struct error *err)
{
	struct reader *r = reader_new(options);

	if (source_open(&r->source, path, err))
		r->unpack =
		    unpack_new(&r->source, options != NULL ? options->max_unpacked : 0, err);
	if (r->unpack == NULL) {
		reader_close(r);
		return NULL;
	}
	return r;
}

struct reader *reader_on_bytes(struct sv bytes, const struct reader_options *options)
{
	struct reader *r = reader_new(options);

	source_on_bytes(&r->source, bytes);
	r->unpack = unpack_new(&r->source, options != NULL ? options->max_unpacked : 0, &r->err);
	r->failed = r->at_end = r->unpack == NULL;
	return r;
}

void reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	unpack_free(r->unpack);
	source_close(&r->source);
	free(r->p);
	free(r);
}

static void make_room(struct reader *r)
{
	size_t waiting = r->end - r->start, most = r->max_record + BLOCK, want = r->capacity;

	if (r->start > 0) {
		memmove(r->p, r->p + r->start, waiting);
		r->start = 0;
		r->end = waiting;
	}
	if (waiting > r->capacity / 2 && r->capacity < most)
		want = r->capacity < most / 2 ? r->capacity * 2 : most;
	else if (waiting == r->capacity) /* only peeking asks for more than `most` */
		want = waiting + BLOCK;
	if (want == r->capacity)
		return;
	r->p = xrealloc(r->p, want + READ_PADDING, 1);
	r->capacity = want;
}

/* Reads once, at most so many bytes. Afterwards there are more, or at_end is set. */
static void fill_by(struct reader *r, size_t most)
{
	size_t got, room;

	if (r->at_end)
		return;
	make_room(r);
	room = r->capacity - r->end;
	if (!unpack_read(r->unpack, r->p + r->end, room < most ? room : most, &got, &r->err)) {
		r->failed = true;
		got = 0;
	}
	r->at_end = got == 0;
	r->end += got;
	memset(r->p + r->end, 0, READ_PADDING);
}

static void fill(struct reader *r) { fill_by(r, SIZE_MAX); }

/* Sets the start of the text: drops a UTF-8 byte order mark, refuses others. */
static void start(struct reader *r)
{
	struct sv head;

	r->started = true;
	while (r->end < 3 && !r->at_end)
		fill(r);
	head = sv_make(r->p, r->end);
	if (sv_starts(head, SV("\xef\xbb\xbf"))) {
		r->start = 3;
	} else if (sv_starts(head, SV("\xff\xfe")) || sv_starts(head, SV("\xfe\xff"))) {
		r->failed = r->at_end = true;
		r->end = 0;
		error_set(
		    &r->err, ERROR_FORMAT, 0,
		    "%s: begins with a UTF-16 byte order mark; pinwatch reads UTF-8: convert it "
		    "first, for example with `iconv -f UTF-16 -t UTF-8`",
		    r->source.name);
	}
}

static void count_line(struct reader *r)
{
	if (r->lines < UINT32_MAX)
		r->lines++;
}

/* What is still in the buffer after a failure is the beginning of a record whose rest is lost: it
 * is not handed out. The error is, once. */
static enum read_result finish(struct reader *r, struct error *err)
{
	r->start = r->end;
	r->searched = r->line_at = 0;
	if (!r->failed)
		return READ_END;
	r->failed = false;
	*err = r->err;
	return READ_ERROR;
}

/* Hands out `length` bytes at start and uses up `used` ≥ length. */
static enum read_result hand_out(struct reader *r, size_t length, size_t used, struct sv *record)
{
	*record = sv_make(r->p + r->start, length < r->max_record ? length : r->max_record);
	r->start += used;
	r->searched = r->line_at = 0;
	return length > r->max_record ? READ_OVERLONG : READ_RECORD;
}

/* Without one CR at the end. */
static size_t without_cr(const char *line, size_t n)
{
	return n > 0 && line[n - 1] == '\r' ? n - 1 : n;
}

static enum read_result next_line(struct reader *r, struct sv *record, struct error *err)
{
	for (;;) {
		char *from = r->p + r->start;
		size_t waiting = r->end - r->start, length, used;
		char *lf = memchr(from + r->searched, '\n', waiting - r->searched);

		if (lf != NULL) {
			length = (size_t)(lf - from);
			used = length + 1;
		} else if (waiting > r->max_record + 1) {
			length = used = waiting;
			r->skipping = true;
		} else if (!r->at_end) {
			r->searched = waiting;
			fill(r);
			continue;
		} else if (waiting == 0 || r->failed) {
			return finish(r, err);
		} else {
			length = used = waiting;
		}
		count_line(r);
		if (!r->skipping)
			length = without_cr(from, length);
		r->record_line = r->lines;
		if (length > 0)
			return hand_out(r, length, used, record);
		r->start += used;
		r->searched = 0;
	}
}

static enum read_result hand_out_paragraph(struct reader *r, size_t length, size_t used,
					   struct sv *record)
{
	r->record_line = r->lines < UINT32_MAX ? r->lines + 1 : r->lines;
	r->lines =
	    r->lines > UINT32_MAX - r->pending_lines ? UINT32_MAX : r->lines + r->pending_lines;
	r->pending_lines = 0;
	return hand_out(r, length, used, record);
}

/* Length of n bytes without the line break at their end. */
static size_t without_break(const char *text, size_t n)
{
	return without_cr(text, n > 0 && text[n - 1] == '\n' ? n - 1 : n);
}

static enum read_result next_paragraph(struct reader *r, struct sv *record, struct error *err)
{
	for (;;) {
		char *from = r->p + r->start;
		size_t waiting = r->end - r->start, line_end;
		char *lf = memchr(from + r->searched, '\n', waiting - r->searched);

		/* A record of max_record bytes, its line break, and half of an empty line's. */
		if (lf == NULL && waiting > r->max_record + 3) {
			size_t used = r->line_at;
			r->skipping = true;
			return hand_out_paragraph(r, waiting, used, record);
		}
		if (lf == NULL && !r->at_end) {
			r->searched = waiting;
			fill(r);
			continue;
		}
		if (lf == NULL) {
			size_t tail = without_cr(from + r->line_at, waiting - r->line_at);
			size_t length =
			    tail > 0 ? r->line_at + tail : without_break(from, r->line_at);
			if (length == 0 || r->failed)
				return finish(r, err);
			r->pending_lines += tail > 0;
			return hand_out_paragraph(r, length, waiting, record);
		}
		line_end = (size_t)(lf - from);
		r->searched = line_end + 1;
		if (without_cr(from + r->line_at, line_end - r->line_at) > 0) {
			r->line_at = r->searched;
			r->pending_lines++;
			continue;
		}
		if (r->line_at > 0) {
			r->pending_lines++;
			return hand_out_paragraph(r, without_break(from, r->line_at), r->searched,
						  record);
		}
		count_line(r);
		r->start += r->searched;
		r->searched = 0;
	}
}

static enum read_result next_document(struct reader *r, struct sv *record, struct error *err)
{
	size_t waiting;

	while (!r->at_end && r->end - r->start <= r->max_record)
		fill(r);
	waiting = r->end - r->start;
	r->skipping = waiting > r->max_record;
	if (!r->skipping && (r->failed || sv_trim(sv_make(r->p + r->start, waiting)).n == 0))
		return finish(r, err);
	r->record_line = 1;
	return hand_out(r, waiting, waiting, record);
}

static void skip_rest(struct reader *r);

/* Hands the lines before `end` to the block, by changing buffers with it: only what stands behind them is
 * copied. */
static void change_buffers(struct reader *r, struct read_block *b, size_t end, size_t size)
{
	size_t rest = r->end - end, want = rest > size ? rest : size;
	char *p = r->p;
	size_t capacity = r->capacity;

	if (b->_capacity < want) {
		free(b->_p);
		b->_p = xmalloc(want + READ_PADDING);
		b->_capacity = want;
	}
	memcpy(b->_p, r->p + end, rest);
	r->p = b->_p;
	r->capacity = b->_capacity;
	b->_p = p;
	b->_capacity = capacity;
	b->_from = r->start;
	b->_end = end;
	b->_max_record = r->max_record;
	b->_overlong = r->skipping;
	b->line = 0;
	r->start = 0;
	r->end = rest;
	r->searched = 0;
	memset(r->p + rest, 0, READ_PADDING);
}

enum read_result reader_take(struct reader *r, struct read_block *b, size_t size, struct error *err)
{
	b->_from = b->_end = 0;
	b->line = 0;
	if (!r->started)
		start(r);
	if (r->skipping)
		skip_rest(r);
	for (;;) {
		char *from = r->p + r->start;
		size_t waiting = r->end - r->start;
		char *lf;

		if (waiting < size && !r->at_end) {
			fill_by(r, size - waiting);
			continue;
		}
		lf = memrchr(from + r->searched, '\n', waiting - r->searched);
		if (lf != NULL) {
			change_buffers(r, b, (size_t)(lf - r->p) + 1, size);
			return READ_RECORD;
		}
		if (waiting > r->max_record + 1) {
			r->skipping = true;
			change_buffers(r, b, r->end, size);
			return READ_RECORD;
		}
		if (!r->at_end) {
			r->searched = waiting;
			size = waiting + BLOCK;
			continue;
		}
		if (waiting == 0 || r->failed)
			return finish(r, err);
		change_buffers(r, b, r->end, size);
		return READ_RECORD;
	}
}

enum read_result read_block_next(struct read_block *b, struct sv *record)
{
	while (b->_from < b->_end) {
		char *from = b->_p + b->_from;
		size_t waiting = b->_end - b->_from, length = waiting, used = waiting;
		char *lf = memchr(from, '\n', waiting);

		if (lf != NULL) {
			length = (size_t)(lf - from);
			used = length + 1;
		}
		if (lf != NULL || !b->_overlong)
			length = without_cr(from, length);
		b->_from += used;
		if (b->line < UINT32_MAX)
			b->line++;
		if (length == 0)
			continue;
		*record = sv_make(from, length < b->_max_record ? length : b->_max_record);
		return length > b->_max_record ? READ_OVERLONG : READ_RECORD;
	}
	*record = SV_NONE;
	return READ_END;
}

void read_block_free(struct read_block *b)
{
	free(b->_p);
	*b = (struct read_block){ 0 };
}

bool reader_exhausted(const struct reader *r)
{
	return r->at_end && r->start == r->end && !r->failed && !r->skipping;
}

/* Behind an overlong record: on to the next line, the line behind the next empty one, or the end.
 */
static void skip_rest(struct reader *r)
{
	bool within = false; /* a line that is not empty, its beginning skipped already */

	r->skipping = false;
	for (;;) {
		char *from = r->p + r->start;
		size_t waiting = r->end - r->start, length;
		char *lf = r->framing == FRAMING_DOCUMENT ? NULL : memchr(from, '\n', waiting);

		if (lf == NULL && r->at_end) {
			r->start = r->end;
			return;
		}
		if (lf == NULL) {
			/* A CR alone may be half of an empty line's end. */
			if (waiting > 1 || (waiting == 1 && from[0] != '\r')) {
				within = true;
				r->start = r->end;
			}
			fill(r);
			continue;
		}
		length = without_cr(from, (size_t)(lf - from));
		r->start += (size_t)(lf - from) + 1;
		if (r->framing == FRAMING_LINE)
			return;
		count_line(r);
		if (length == 0 && !within)
			return;
		within = false;
	}
}

enum read_result reader_next(struct reader *r, struct sv *record, struct error *err)
{
	*record = SV_NONE;
	if (!r->started)
		start(r);
	if (r->skipping)
		skip_rest(r);
	switch (r->framing) {
	case FRAMING_PARAGRAPH:
		return next_paragraph(r, record, err);
	case FRAMING_DOCUMENT:
		return next_document(r, record, err);
	case FRAMING_LINE:
	default:
		return next_line(r, record, err);
	}
}

uint32_t reader_line(const struct reader *r) { return r->record_line; }
uint64_t reader_bytes(const struct reader *r) { return r->source.taken; }
uint64_t reader_size(const struct reader *r) { return r->source.size; }

struct sv reader_peek(struct reader *r, size_t n)
{
	if (!r->started)
		start(r);
	while (r->end - r->start < n && !r->at_end)
		fill(r);
	return sv_first(sv_make(r->p + r->start, r->end - r->start), n);
}

void reader_set_framing(struct reader *r, enum framing framing) { r->framing = framing; }
