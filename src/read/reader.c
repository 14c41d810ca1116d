#include "read/reader.h"

#include <stdlib.h>

#include "base/arena.h"
#include "read/frame.h"
#include "read/syslog_frame.h"
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
	size_t searched; /* bytes behind start known to hold no line end */
	bool started;
	bool at_end;	      /* nothing more will come */
	enum frame_skip skip; /* the rest of an overlong record is to be skipped */
	bool failed;	      /* err is to be reported once the buffer is used up */
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

static void count_lines(uint32_t *lines, uint32_t n)
{
	*lines = n > UINT32_MAX - *lines ? UINT32_MAX : *lines + n;
}

/* What is still in the buffer after a failure is the beginning of a record whose rest is lost: it
 * is not handed out. The error is, once. */
static enum read_result finish(struct reader *r, struct error *err)
{
	r->start = r->end;
	r->searched = 0;
	if (!r->failed)
		return READ_END;
	r->failed = false;
	*err = r->err;
	return READ_ERROR;
}

/* Cuts what stands in the buffer. FRAME_MORE: nothing can be cut any more, the buffer is used up
 * but for the beginning of a record whose rest was lost. Otherwise *f is the piece that was passed
 * over, which began at *at. */
static enum frame_result cut(struct reader *r, struct frame *f, const char **at)
{
	for (;;) {
		struct sv text = sv_make(r->p + r->start, r->end - r->start);
		enum frame_result result;

		*f = (struct frame){ .skip = r->skip };
		result = frame_next(text, r->searched, r->at_end && !r->failed, r->framing,
				    r->max_record, f);
		if (result == FRAME_MORE && r->at_end)
			return FRAME_MORE;
		if (result == FRAME_MORE) {
			r->searched = text.n;
			fill(r);
			continue;
		}
		*at = text.p;
		r->start += f->used;
		r->searched = 0;
		r->skip = f->skip;
		return result;
	}
}

static enum read_result next_cut(struct reader *r, struct sv *record, struct error *err)
{
	enum frame_result result;
	struct frame f;
	const char *at;

	do {
		result = cut(r, &f, &at);
		if (result == FRAME_MORE)
			return finish(r, err);
		r->record_line = r->lines;
		count_lines(&r->record_line, 1);
		count_lines(&r->lines, f.lines);
	} while (result == FRAME_NOTHING);
	*record = sv_make(at, f.length);
	return result == FRAME_OVERLONG ? READ_OVERLONG : READ_RECORD;
}

static enum read_result next_document(struct reader *r, struct sv *record, struct error *err)
{
	size_t waiting;

	while (!r->at_end && (r->skip != SKIP_NONE || r->end - r->start <= r->max_record)) {
		if (r->skip != SKIP_NONE)
			r->start = r->end;
		fill(r);
	}
	if (r->skip != SKIP_NONE)
		r->start = r->end;
	waiting = r->end - r->start;
	if (waiting <= r->max_record &&
	    (r->failed || sv_trim(sv_make(r->p + r->start, waiting)).n == 0))
		return finish(r, err);
	r->record_line = 1;
	*record = sv_first(sv_make(r->p + r->start, waiting), r->max_record);
	r->start = r->end;
	if (waiting <= r->max_record)
		return READ_RECORD;
	r->skip = SKIP_REST;
	return READ_OVERLONG;
}

/* Hands the lines before `end` to the block, by changing buffers with it: only what stands behind
 * them is copied. */
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
	b->_overlong = r->skip != SKIP_NONE;
	b->line = 0;
	r->start = 0;
	r->end = rest;
	r->searched = 0;
	memset(r->p + rest, 0, READ_PADDING);
}

/* Behind how many of the waiting bytes whole records end, at least one and about `size` bytes of
 * them; 0: more bytes are needed. */
static size_t counted_records(struct reader *r, size_t size)
{
	size_t at = r->start;

	while (at < r->end && at - r->start < size) {
		struct frame f = { .skip = SKIP_NONE };
		enum frame_result result =
		    frame_next(sv_make(r->p + at, r->end - at), 0, r->at_end && !r->failed,
			       FRAMING_LINE, r->max_record, &f);

		if (result == FRAME_MORE || (f.skip != SKIP_NONE && at > r->start))
			break;
		at += f.used;
		r->skip = f.skip;
		if (f.skip != SKIP_NONE)
			break;
	}
	return at - r->start;
}

/* Messages that begin with their length need no line breaks. */
static bool begins_counted(const struct reader *r)
{
	size_t count;

	return syslog_octet_count(sv_make(r->p + r->start, r->end - r->start), &count) > 0;
}

enum read_result reader_take(struct reader *r, struct read_block *b, size_t size, struct error *err)
{
	struct frame f;
	const char *at;

	b->_from = b->_end = 0;
	b->line = 0;
	if (!r->started)
		start(r);
	while (r->skip != SKIP_NONE && cut(r, &f, &at) != FRAME_MORE)
		count_lines(&r->lines, f.lines);
	for (;;) {
		char *from = r->p + r->start;
		size_t waiting = r->end - r->start;
		char *lf;

		if (waiting < size && !r->at_end) {
			fill_by(r, size - waiting);
			continue;
		}
		if (begins_counted(r)) {
			size_t whole = counted_records(r, size);
			if (whole > 0) {
				change_buffers(r, b, r->start + whole, size);
				return READ_RECORD;
			}
			if (!r->at_end) {
				size = waiting + BLOCK;
				continue;
			}
			return finish(r, err);
		}
		lf = memrchr(from + r->searched, '\n', waiting - r->searched);
		if (lf != NULL) {
			change_buffers(r, b, (size_t)(lf - r->p) + 1, size);
			return READ_RECORD;
		}
		if (waiting > r->max_record + 2) { /* as frame_next has it */
			r->skip = SKIP_REST;
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
	*record = SV_NONE;
	while (b->_from < b->_end) {
		struct sv text = sv_make(b->_p + b->_from, b->_end - b->_from);
		struct frame f = { .skip = SKIP_NONE };
		enum frame_result result =
		    frame_next(text, 0, !b->_overlong, FRAMING_LINE, b->_max_record, &f);

		if (result == FRAME_MORE && b->_overlong && text.n > b->_max_record) {
			f.used = text.n;
			f.length = b->_max_record;
			f.lines = 1;
			result = FRAME_OVERLONG;
		}
		if (result == FRAME_MORE)
			return READ_END;
		b->_from += f.used;
		count_lines(&b->line, f.lines);
		if (result == FRAME_NOTHING)
			continue;
		*record = sv_first(text, f.length);
		return result == FRAME_OVERLONG ? READ_OVERLONG : READ_RECORD;
	}
	return READ_END;
}

void read_block_free(struct read_block *b)
{
	free(b->_p);
	*b = (struct read_block){ 0 };
}

bool reader_exhausted(const struct reader *r)
{
	return r->at_end && r->start == r->end && !r->failed && r->skip == SKIP_NONE;
}

enum read_result reader_next(struct reader *r, struct sv *record, struct error *err)
{
	*record = SV_NONE;
	if (!r->started)
		start(r);
	return r->framing == FRAMING_DOCUMENT ? next_document(r, record, err)
					      : next_cut(r, record, err);
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
