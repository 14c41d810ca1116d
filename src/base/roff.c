#include "base/roff.h"

void roff_text(struct buf *out, struct sv text)
{
	bool line_starts = true;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (line_starts && (c == '.' || c == '\''))
			buf_str(out, "\\&");
		if (c == '\\')
			buf_str(out, "\\e");
		else if (c == '-')
			buf_str(out, "\\-");
		else
			buf_char(out, c);
		line_starts = c == '\n';
	}
}
