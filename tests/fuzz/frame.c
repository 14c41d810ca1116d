/* Records of a file that is still written to. In whatever pieces it grows, a tail cuts it into the
 * records that reading the finished file gives. */
#include "fuzz.h"

#include <stdlib.h>

#include "read/frame.h"

/* READ_PADDING behind, as a tail's buffer has it. */
static void follow(struct sv bytes, size_t step, enum framing framing, size_t max, struct buf *out)
{
	size_t at = 0, there = 0, line = 0;
	enum frame_skip skip = SKIP_NONE;

	for (;;) {
		bool final = there == bytes.n;
		struct frame f = { .skip = skip };
		struct sv text = sv_make(bytes.p + at, there - at);
		enum frame_result r = frame_next(text, 0, false, framing, max, &f);

		if (r == FRAME_MORE && final)
			r = frame_next(text, 0, true, framing, max, &f);
		if (r == FRAME_MORE && final)
			return;
		if (r == FRAME_MORE) {
			fuzz_require(there - at <=
				     max + 18); /* half a count behind an overlong message */
			there = bytes.n - there > step ? there + step : bytes.n;
			continue;
		}
		fuzz_require(f.used > 0 && f.used <= text.n);
		if (r != FRAME_NOTHING) {
			buf_printf(out, "%zu:%s", line + 1, r == FRAME_OVERLONG ? "!" : "");
			buf_sv(out, sv_first(text, f.length));
			buf_char(out, '\n');
		}
		skip = f.skip;
		line += f.lines;
		at += f.used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = { (const char *)data, size }, record;
	unsigned what = fuzz_byte(&rest);
	size_t max = (size_t)fuzz_byte(&rest) + 1, step = (size_t)fuzz_byte(&rest) + 1;
	const struct reader_options options = { .framing = what % 2 == 0 ? FRAMING_LINE
									 : FRAMING_PARAGRAPH,
						.max_record = max };
	struct reader *r = reader_on_bytes(rest, &options);
	struct error err = { 0 };
	struct buf whole, pieces;
	enum read_result result;

	buf_init(&whole, (size_t)1 << 26);
	buf_init(&pieces, (size_t)1 << 26);
	while ((result = reader_next(r, &record, &err)) == READ_RECORD || result == READ_OVERLONG) {
		buf_printf(&whole, "%u:%s", reader_line(r), result == READ_OVERLONG ? "!" : "");
		buf_sv(&whole, record);
		buf_char(&whole, '\n');
	}
	follow(rest, step, options.framing, max, &pieces);
	/* The reader also unpacks, drops marks and refuses UTF-16. */
	if (result == READ_END && !sv_starts(rest, SV("\xef\xbb\xbf")) &&
	    !sv_starts(rest, SV("\x1f\x8b")) && !sv_starts(rest, SV("\x28\xb5\x2f\xfd")) &&
	    !(rest.n >= 4 && (rest.p[0] & 0xf0) == 0x50 &&
	      sv_starts(sv_skip(rest, 1), SV("\x2a\x4d\x18"))))
		fuzz_require_same(buf_view(&whole), buf_view(&pieces));
	reader_close(r);
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
