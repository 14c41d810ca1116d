#include "read/frame.h"

/* Without the line break, or half of one, at the end. */
static size_t without_break(const char *p, size_t n)
{
	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	return n;
}

/* Length of the line that begins at `at`, its LF included; 0: it has no end yet. */
static size_t line_length(struct sv text, size_t at, size_t searched)
{
	size_t from = searched > at ? searched : at;
	const char *lf = text.n > from ? memchr(text.p + from, '\n', text.n - from) : NULL;

	return lf == NULL ? 0 : (size_t)(lf - text.p) + 1 - at;
}

static enum frame_result found(struct frame *f, struct sv text, size_t used, uint32_t lines,
			       size_t max_record)
{
	size_t length = without_break(text.p, used);

	f->used = used;
	f->lines = lines;
	f->length = length < max_record ? length : max_record;
	if (length == 0)
		return FRAME_NOTHING;
	return length > max_record ? FRAME_OVERLONG : FRAME_RECORD;
}

static enum frame_result next_line(struct sv text, size_t searched, bool final, size_t max_record,
				   struct frame *f)
{
	size_t n = line_length(text, 0, searched);

	if (n == 0 && text.n > max_record + 2) {
		f->skip = SKIP_REST;
		f->length = max_record;
		f->used = text.n;
		f->lines = 1;
		return FRAME_OVERLONG;
	}
	if (n == 0 && (!final || text.n == 0))
		return FRAME_MORE;
	return found(f, text, n > 0 ? n : text.n, 1, max_record);
}

static enum frame_result next_paragraph(struct sv text, bool final, size_t max_record,
					struct frame *f)
{
	size_t at = 0, n;
	uint32_t lines = 0;

	while ((n = line_length(text, at, 0)) > 0) {
		bool empty = without_break(text.p + at, n) == 0;
		lines++;
		if (empty && at == 0)
			return found(f, text, n, 1, max_record);
		if (empty) {
			enum frame_result r = found(f, text, at, lines, max_record);
			f->used = at + n;
			return r;
		}
		at += n;
	}
	/* A record of max_record bytes, its line break, and half of an empty line's. */
	if (text.n > max_record + 3) {
		/* A CR alone may be half of an empty line's end: it is looked at again with what follows. */
		bool half = text.n - at == 1 && text.p[at] == '\r';

		f->skip = at < text.n && !half ? SKIP_WITHIN_LINE : SKIP_REST;
		f->length = max_record;
		f->used = half ? at : text.n;
		f->lines = lines;
		return FRAME_OVERLONG;
	}
	if (!final || text.n == 0)
		return FRAME_MORE;
	if (without_break(text.p + at, text.n - at) == 0) { /* a CR alone: half of an empty line's end */
		enum frame_result r = found(f, text, at, lines, max_record);
		f->used = text.n;
		return r;
	}
	return found(f, text, text.n, lines + 1, max_record);
}

/* On to the next line, or to the line behind the next empty one. */
static enum frame_result skip_rest(struct sv text, bool final, enum framing framing,
				   struct frame *f)
{
	size_t at = 0, n;

	while ((n = line_length(text, at, 0)) > 0) {
		bool empty = f->skip == SKIP_REST && without_break(text.p + at, n) == 0;
		at += n;
		f->used = at;
		if (framing == FRAMING_LINE || empty) {
			f->lines += framing != FRAMING_LINE; /* a line's own number was counted with it */
			f->skip = SKIP_NONE;
			return FRAME_NOTHING;
		}
		f->lines++;
		f->skip = SKIP_REST;
	}
	/* A CR alone may be half of an empty line's end. */
	if (at < text.n && (final || text.n - at > 1 || text.p[at] != '\r')) {
		if (framing != FRAMING_LINE)
			f->skip = SKIP_WITHIN_LINE;
		f->used = text.n;
	}
	return f->used > 0 ? FRAME_NOTHING : FRAME_MORE;
}

enum frame_result frame_next(struct sv text, size_t searched, bool final, enum framing framing,
			     size_t max_record, struct frame *f)
{
	f->length = f->used = f->lines = 0;
	if (f->skip != SKIP_NONE)
		return skip_rest(text, final, framing, f);
	if (framing == FRAMING_PARAGRAPH)
		return next_paragraph(text, final, max_record, f);
	return next_line(text, searched, final, max_record, f);
}
