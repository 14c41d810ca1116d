#include "read/frame.h"

#include "read/syslog_frame.h"

/* No count and priority is longer. So much has to be seen behind a counted message to know that it
 * ends there. */
#define COUNT_ROOM 16
#define COUNT_DIGITS 8
/* Where records may not be longer than this, counts are text like any other. */
#define COUNT_MIN_RECORD 64

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

static enum frame_result more_than(struct frame *f, struct sv text, enum frame_skip skip,
				   size_t max_record)
{
	f->skip = skip;
	f->length = max_record;
	f->used = skip == SKIP_TO_COUNT ? text.n - COUNT_ROOM
					: text.n; /* half a count may stand at the end */
	f->lines = 1;
	return FRAME_OVERLONG;
}

/* `<N>` or `<NNN>` behind a count: all of it. */
static bool begins_counted(struct sv text)
{
	size_t count, head = syslog_octet_count(text, &count), i = head + 1;

	while (head > 0 && i < text.n && i < head + 4 && text.p[i] >= '0' && text.p[i] <= '9')
		i++;
	return head > 0 && i < text.n && text.p[i] == '>';
}

/* Where a counted message begins at `floor` or behind it, or SIZE_MAX. Zeros and digits before a
 * count are none of it, so that what is found hangs on the COUNT_ROOM bytes around it alone, in
 * whatever pieces they come. */
static size_t next_count(struct sv text, size_t floor)
{
	for (size_t at = floor; at < text.n; at++) {
		const char *lt = memchr(text.p + at, '<', text.n - at);
		size_t digits, from;

		if (lt == NULL)
			break;
		at = (size_t)(lt - text.p);
		if (at < floor + 2 || text.p[at - 1] != ' ')
			continue;
		for (digits = 0, from = at - 1; from > floor && digits < COUNT_DIGITS;
		     digits++, from--)
			if (text.p[from - 1] < '0' || text.p[from - 1] > '9')
				break;
		while (text.p[from] == '0')
			from++;
		if (begins_counted(sv_skip(text, from)))
			return from;
	}
	return SIZE_MAX;
}

/* Length of the line, 0 where it has no end yet; *next: where a count stands in it at floor or
 * behind, or SIZE_MAX. Looks no further than about twice as far as it has to. */
static size_t line_or_count(struct sv text, size_t floor, size_t *next)
{
	size_t n, part = 256;

	do {
		n = line_length(sv_first(text, part), 0, 0);
		*next = next_count(sv_first(text, n > 0 ? n : part), floor);
		part *= 2;
	} while (n == 0 && *next == SIZE_MAX && part / 2 < text.n);
	return n;
}

static bool ends_at(struct sv text, size_t end, bool final)
{
	struct sv behind = sv_skip(text, end);

	return text.p[end - 1] == '\n' || sv_starts(behind, SV("\n")) ||
	       sv_starts(behind, SV("\r\n")) || begins_counted(behind) || (final && behind.n == 0);
}

/* A message whose count stands before it (RFC 6587, 3.4.1), with the line break that some senders
 * put behind it. It may hold line breaks itself, and counts as the lines an editor would show, or
 * as one. A count that does not lead to the beginning of another message, to a line break or to the
 * end is wrong (of characters, or of a message that was cut): such a message ends at the line's
 * end, or where the next count stands. */
static enum frame_result next_counted(struct sv text, size_t head, size_t count, bool final,
				      size_t max_record, struct frame *f)
{
	size_t end = head + count, next, n;
	uint32_t lines = 0;

	if (end + COUNT_ROOM <= max_record) {
		bool whole = text.n >= end && ends_at(text, end, final);

		if (!whole && text.n < end + COUNT_ROOM && !final)
			return FRAME_MORE;
		if (whole) {
			if (text.p[end - 1] != '\n')
				end += sv_starts(sv_skip(text, end), SV("\n"))	   ? 1
				       : sv_starts(sv_skip(text, end), SV("\r\n")) ? 2
										   : 0;
			for (size_t at = 0; (n = line_length(sv_first(text, end), at, 0)) > 0;
			     at += n)
				lines++;
			return found(f, text, end, lines > 0 ? lines : 1, max_record);
		}
	}
	n = line_or_count(text, head + 1, &next);
	if (next != SIZE_MAX)
		return found(f, text, next, 1, max_record);
	if (n == 0 && text.n > max_record + 2 + COUNT_ROOM)
		return more_than(f, text, SKIP_TO_COUNT, max_record);
	if (n == 0 && !final)
		return FRAME_MORE;
	return found(f, text, n > 0 ? n : text.n, 1, max_record);
}

static enum frame_result next_line(struct sv text, size_t searched, bool final, size_t max_record,
				   struct frame *f)
{
	size_t count, head = syslog_octet_count(text, &count), n;

	if (head > 0 && max_record >= COUNT_MIN_RECORD)
		return next_counted(text, head, count, final, max_record, f);
	n = line_length(text, 0, searched);
	if (n == 0 && text.n > max_record + 2)
		return more_than(f, text, SKIP_REST, max_record);
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
		/* A CR alone may be half of an empty line's end: it is looked at again with what
		 * follows. */
		bool half = text.n - at == 1 && text.p[at] == '\r';

		f->skip = at < text.n && !half ? SKIP_WITHIN_LINE : SKIP_REST;
		f->length = max_record;
		f->used = half ? at : text.n;
		f->lines = lines;
		return FRAME_OVERLONG;
	}
	if (!final || text.n == 0)
		return FRAME_MORE;
	if (without_break(text.p + at, text.n - at) ==
	    0) { /* a CR alone: half of an empty line's end */
		enum frame_result r = found(f, text, at, lines, max_record);
		f->used = text.n;
		return r;
	}
	return found(f, text, text.n, lines + 1, max_record);
}

/* On to the next line, or to the next counted message. */
static enum frame_result skip_counted(struct sv text, bool final, struct frame *f)
{
	size_t next, n = line_or_count(text, 1, &next);

	if (next != SIZE_MAX || n > 0) {
		f->skip = SKIP_NONE;
		f->used = next != SIZE_MAX ? next : n;
	} else if (final || text.n > COUNT_ROOM) {
		f->used = final ? text.n : text.n - COUNT_ROOM;
	}
	return f->used > 0 ? FRAME_NOTHING : FRAME_MORE;
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
			f->lines +=
			    framing != FRAMING_LINE; /* a line's own number was counted with it */
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
	if (f->skip == SKIP_TO_COUNT)
		return skip_counted(text, final, f);
	if (f->skip != SKIP_NONE)
		return skip_rest(text, final, framing, f);
	if (framing == FRAMING_PARAGRAPH)
		return next_paragraph(text, final, max_record, f);
	return next_line(text, searched, final, max_record, f);
}
