#include "base/safe.h"

#include "base/utf8.h"

/* Characters that move, reorder or hide what stands around them (Unicode categories Cf, Zl, Zp, and
 * the C1 controls, which some terminals obey). */
static bool misleading(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
	       c == 0x1160 || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 ||
	       (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff) || c == 0xfffe || c == 0xffff;
}

void text_safe(struct buf *out, struct sv v, size_t max_chars)
{
	size_t shown = 0;

	for (size_t i = 0; i < v.n; shown++) {
		unsigned char c = (unsigned char)v.p[i];
		size_t len = utf8_sequence(v.p + i, v.n - i);

		if (max_chars > 0 && shown + 1 == max_chars && i + (len > 0 ? len : 1) < v.n) {
			buf_str(out, "…");
			return;
		}
		if (len == 0) {
			buf_str(out, "\xef\xbf\xbd");
			i++;
			continue;
		}
		if (c < 0x20) /* U+2400 + c, the control pictures */
			buf_printf(out, "\xe2\x90%c", (char)(0x80 + c));
		else if (c == 0x7f)
			buf_str(out, "␡");
		else if (len > 1 && misleading(utf8_decode(v.p + i, len)))
			buf_printf(out, "<U+%04X>", (unsigned)utf8_decode(v.p + i, len));
		else
			buf_append(out, v.p + i, len);
		i += len;
	}
}
