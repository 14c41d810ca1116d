#include "read/syslog_frame.h"

#define MAX_DIGITS 9

struct sv syslog_trim(struct sv message)
{
	while (message.n > 0 &&
	       (message.p[message.n - 1] == '\n' || message.p[message.n - 1] == '\r' ||
		message.p[message.n - 1] == '\0'))
		message.n--;
	return message;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t syslog_octet_count(struct sv text, size_t *count)
{
	size_t i = 0;

	*count = 0;
	while (i < text.n && i < 8 && is_digit(text.p[i]))
		*count = *count * 10 + (size_t)(text.p[i++] - '0');
	if (i == 0 || i + 2 >= text.n || text.p[0] == '0' || text.p[i] != ' ' ||
	    text.p[i + 1] != '<' || !is_digit(text.p[i + 2]))
		return 0;
	return i + 1;
}

/* Length of `123 ` at the beginning. 0: there is no such thing; SIZE_MAX: it is not yet all
 * there. */
static size_t count_at(struct sv bytes, uint64_t *count)
{
	size_t n = 0;

	*count = 0;
	while (n < bytes.n && n <= MAX_DIGITS && bytes.p[n] >= '0' && bytes.p[n] <= '9') {
		*count = *count * 10 + (uint64_t)(bytes.p[n] - '0');
		n++;
	}
	if (n > MAX_DIGITS || (n > 0 && bytes.p[0] == '0'))
		return 0;
	if (n == bytes.n)
		return SIZE_MAX;
	return n > 0 && bytes.p[n] == ' ' ? n + 1 : 0;
}

static enum syslog_framing framing_of(struct sv bytes, bool end)
{
	uint64_t count;
	size_t n = count_at(bytes, &count);

	if (n == 0)
		return SYSLOG_LINES;
	if (n >= bytes.n)
		return end ? SYSLOG_LINES : SYSLOG_UNKNOWN;
	return bytes.p[n] == '<' ? SYSLOG_COUNTED : SYSLOG_LINES;
}

static enum syslog_framed next_line(struct syslog_framer *f, struct sv bytes, bool end,
				    struct syslog_frame *out)
{
	const char *lf = memchr(bytes.p, '\n', bytes.n);
	size_t length = lf != NULL ? (size_t)(lf - bytes.p) : bytes.n;

	out->used = lf != NULL ? length + 1 : bytes.n;
	if (f->skip_line) {
		f->skip_line = lf == NULL;
		return SYSLOG_PASSED;
	}
	if (lf == NULL && !end && length <= f->max_message)
		return SYSLOG_MORE;
	out->cut = length > f->max_message;
	f->skip_line = out->cut && lf == NULL;
	out->message = syslog_trim(sv_first(bytes, out->cut ? f->max_message : length));
	return SYSLOG_MESSAGE;
}

static enum syslog_framed next_counted(struct syslog_framer *f, struct sv bytes, bool end,
				       struct syslog_frame *out)
{
	uint64_t count;
	size_t head, there;

	if (f->skip > 0) {
		out->used = f->skip < bytes.n ? (size_t)f->skip : bytes.n;
		f->skip -= out->used;
		return SYSLOG_PASSED;
	}
	if (bytes.p[0] == '\n') { /* some senders end a counted message with a line break too */
		out->used = 1;
		return SYSLOG_PASSED;
	}
	head = count_at(bytes, &count);
	if (head == SIZE_MAX && !end)
		return SYSLOG_MORE;
	if (head == SIZE_MAX || head == 0)
		return SYSLOG_MALFORMED;
	there = bytes.n - head;
	if (there < count && there < f->max_message && !end)
		return SYSLOG_MORE;
	out->cut = count > f->max_message;
	if (there > count)
		there = (size_t)count;
	out->message = syslog_trim(
	    sv_make(bytes.p + head, out->cut && there > f->max_message ? f->max_message : there));
	out->used = head + there;
	f->skip = end ? 0 : count - there;
	return SYSLOG_MESSAGE;
}

enum syslog_framed syslog_frame_next(struct syslog_framer *f, struct sv bytes, bool end,
				     struct syslog_frame *out)
{
	*out = (struct syslog_frame){ .message = SV_NONE };
	if (bytes.n == 0)
		return SYSLOG_MORE;
	if (f->framing == SYSLOG_UNKNOWN)
		f->framing = framing_of(bytes, end);
	if (f->framing == SYSLOG_UNKNOWN)
		return SYSLOG_MORE;
	return f->framing == SYSLOG_COUNTED ? next_counted(f, bytes, end, out)
					    : next_line(f, bytes, end, out);
}
