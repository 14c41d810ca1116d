#include "emit/text.h"

#include <stdio.h>
#include <time.h>
#include <wchar.h>

#include "base/utf8.h"

const char *text_paint_code(enum text_paint paint)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "\x1b[0m",  [PAINT_BOLD] = "\x1b[1m",	 [PAINT_DIM] = "\x1b[2m",
		[PAINT_RED] = "\x1b[1;31m", [PAINT_YELLOW] = "\x1b[33m", [PAINT_GREEN] = "\x1b[32m",
		[PAINT_CYAN] = "\x1b[36m",
	};
	return codes[paint];
}

void text_paint(struct buf *out, const struct text_style *style, enum text_paint paint)
{
	if (style->colour)
		buf_str(out, text_paint_code(paint));
}

void text_time(struct buf *out, struct instant t, const struct text_style *style)
{
	char iso[INSTANT_ISO_SIZE];
	char text[INSTANT_ISO_SIZE];
	struct tm tm;
	time_t s;
	size_t n;

	if (!instant_known(t)) {
		buf_char(out, '-');
		return;
	}
	s = (time_t)(t.ns / NS_PER_S);
	if (!style->local || localtime_r(&s, &tm) == NULL) {
		instant_format_iso(t, iso);
		buf_printf(out, "%.19sZ", iso);
		return;
	}
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (n > 2) /* +0100 → +01:00, as RFC 3339 has it */
		buf_printf(out, "%.*s:%s", (int)(n - 2), text, text + n - 2);
}

bool text_is_v6(struct sv host) { return host.n > 0 && memchr(host.p, ':', host.n) != NULL; }

void text_place(struct buf *out, struct sv host, size_t max_chars, unsigned port)
{
	bool bracketed = port != 0 && text_is_v6(host);

	buf_str(out, bracketed ? "[" : "");
	text_safe(out, host, max_chars);
	if (port != 0)
		buf_printf(out, "%s:%u", bracketed ? "]" : "", port);
}

void text_count(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_char(out, ',');
		buf_char(out, digits[i]);
	}
}

void text_plural(struct buf *out, uint64_t n, const char *one, const char *many)
{
	text_count(out, n);
	buf_printf(out, " %s", n == 1 ? one : many);
}

void text_bytes(struct buf *out, uint64_t n)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double scaled = (double)n;
	size_t u = 0;

	if (n < 1000) {
		buf_printf(out, "%u B", (unsigned)n);
		return;
	}
	for (scaled /= 1000; scaled >= 999.95 && u + 1 < sizeof(units) / sizeof(units[0]); u++)
		scaled /= 1000;
	buf_printf(out, "%.1f %s", scaled, units[u]);
}

void text_span(struct buf *out, struct span d)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = { { "d", NS_PER_DAY },
		      { "h", NS_PER_HOUR },
		      { "min", NS_PER_MINUTE },
		      { "s", NS_PER_S } };
	int64_t left = d.ns;
	int shown = 0;

	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]) && shown < 2; u++) {
		if (left / units[u].ns == 0) {
			if (shown > 0)
				break;
			continue;
		}
		buf_printf(out, "%s%lld %s", shown > 0 ? " " : "", (long long)(left / units[u].ns),
			   units[u].unit);
		left %= units[u].ns;
		shown++;
	}
	if (shown == 0)
		buf_str(out, left > 0 ? "< 1 s" : "0 s");
}

void text_fixed2(struct buf *out, int64_t hundredths, bool sign)
{
	int64_t magnitude = hundredths < 0 ? -hundredths : hundredths;

	if (hundredths < 0)
		buf_char(out, '-');
	else if (sign)
		buf_char(out, '+');
	buf_printf(out, "%lld.%02d", (long long)(magnitude / 100), (int)(magnitude % 100));
}

size_t text_columns(struct sv v)
{
	size_t columns = 0;

	for (size_t i = 0; i < v.n;) {
		size_t len = utf8_sequence(v.p + i, v.n - i);
		int w = len == 0 ? 1 : wcwidth((wchar_t)utf8_decode(v.p + i, len));

		columns += w < 0 ? 1 : (size_t)w;
		i += len == 0 ? 1 : len;
	}
	return columns;
}

void text_repeat(struct buf *out, char c, size_t n)
{
	while (n-- > 0)
		buf_char(out, c);
}

void text_wrap(struct buf *out, struct sv text, size_t column, size_t indent,
	       const struct text_style *style)
{
	bool first = true;

	while (text.p != NULL && text.n > 0) {
		struct sv word = sv_cut(text, ' ', &text);
		size_t width = text_columns(word);

		if (word.n == 0)
			continue;
		if (!first && style->width > 0 && column + 1 + width > style->width) {
			buf_char(out, '\n');
			text_repeat(out, ' ', indent);
			column = indent;
		} else if (!first) {
			buf_char(out, ' ');
			column++;
		}
		buf_sv(out, word);
		column += width;
		first = false;
	}
	buf_char(out, '\n');
}
