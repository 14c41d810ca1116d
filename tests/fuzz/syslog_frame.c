/* Syslog streams. In whatever pieces a stream arrives, the messages are the same. */
#include "fuzz.h"

#include <stdlib.h>

#include "read/syslog_frame.h"

/* Each message behind its length, `~` behind a cut one, `!` where the stream is malformed. */
static void read_all(struct sv bytes, size_t step, size_t max, struct buf *out)
{
	struct syslog_framer f = { .max_message = max };
	size_t at = 0, there = 0;

	buf_init(out, (size_t)1 << 26);
	for (;;) {
		bool end = there == bytes.n;
		struct syslog_frame frame;
		char *exact = malloc(there - at + 1); /* so that a byte too far is found */
		enum syslog_framed r;

		if (there > at)
			memcpy(exact, bytes.p + at, there - at);
		exact = realloc(exact, there > at ? there - at : 1);
		r = syslog_frame_next(&f, sv_make(exact, there - at), end, &frame);
		if (r == SYSLOG_MESSAGE) {
			fuzz_require(frame.message.n <= max);
			buf_printf(out, "%zu%s:", frame.message.n, frame.cut ? "~" : "");
			buf_sv(out, frame.message);
		}
		free(exact);
		if (r == SYSLOG_MALFORMED) {
			buf_char(out, '!');
			return;
		}
		if (r == SYSLOG_MORE) {
			fuzz_require(there - at <= max + SYSLOG_FRAME_ROOM);
			if (end)
				return;
			there = bytes.n - there > step ? there + step : bytes.n;
			continue;
		}
		fuzz_require(frame.used > 0 && frame.used <= there - at);
		at += frame.used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = { (const char *)data, size };
	size_t max = (size_t)fuzz_byte(&rest) * 4 + 1, step = (size_t)fuzz_byte(&rest) + 1;
	struct buf whole, pieces;

	read_all(rest, SIZE_MAX, max, &whole);
	read_all(rest, step, max, &pieces);
	fuzz_require_same(buf_view(&whole), buf_view(&pieces));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
