#include "emit/html_text.h"

#include "emit/text.h"

/* No sentence or name on the page is longer, in bytes. */
#define SAY_MAX_BYTES ((size_t)64 * 1024)

void html_escape(struct buf *out, struct sv v)
{
	size_t from = 0;

	for (size_t i = 0; i < v.n; i++) {
		const char *reference;

		switch (v.p[i]) {
		case '&':
			reference = "&amp;";
			break;
		case '<':
			reference = "&lt;";
			break;
		case '>':
			reference = "&gt;";
			break;
		case '"':
			reference = "&#34;";
			break;
		case '\'':
			reference = "&#39;";
			break;
		default:
			continue;
		}
		buf_append(out, v.p + from, i - from);
		buf_str(out, reference);
		from = i + 1;
	}
	if (v.n > from)
		buf_append(out, v.p + from, v.n - from);
}

void html_plain(struct buf *out, struct sv v, size_t max_chars)
{
	struct buf safe;

	buf_init(&safe, SAY_MAX_BYTES);
	text_safe(&safe, v, max_chars);
	html_escape(out, buf_view(&safe));
	buf_free(&safe);
}

void html_value(struct buf *out, struct sv v, size_t max_chars)
{
	buf_str(out, "<bdi>");
	html_plain(out, v, max_chars);
	buf_str(out, "</bdi>");
}

void html_say(struct buf *out, void (*say)(struct buf *, const struct finding *),
	      const struct finding *f)
{
	struct buf words;

	buf_init(&words, SAY_MAX_BYTES);
	say(&words, f);
	buf_str(out, "<bdi>");
	html_escape(out, buf_view(&words));
	buf_str(out, "</bdi>");
	buf_free(&words);
}

void html_time(struct buf *out, struct instant t)
{
	char iso[INSTANT_ISO_SIZE];

	if (!instant_known(t)) {
		buf_char(out, '-');
		return;
	}
	instant_format_iso(t, iso);
	buf_printf(out, "<time datetime=\"%.19sZ\">%.10s %.8s</time>", iso, iso, iso + 11);
}

void html_period(struct buf *out, struct instant from, struct instant to)
{
	html_time(out, from);
	buf_str(out, " to ");
	html_time(out, to);
	if (!instant_known(from) || !instant_known(to))
		return;
	buf_str(out, " (");
	text_span(out, span_between(from, to));
	buf_char(out, ')');
}

void html_clock(struct buf *out, struct instant t, bool seconds)
{
	char iso[INSTANT_ISO_SIZE];

	instant_format_iso(t, iso);
	buf_printf(out, "%.*s", seconds ? 8 : 5, iso + 11);
}

void html_day(struct buf *out, struct instant t)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char iso[INSTANT_ISO_SIZE];
	int month;

	instant_format_iso(t, iso);
	month = (iso[5] - '0') * 10 + (iso[6] - '0') - 1;
	buf_printf(out, "%.*s %s", iso[8] == '0' ? 1 : 2, iso[8] == '0' ? iso + 9 : iso + 8,
		   months[month >= 0 && month < 12 ? month : 0]);
}

void html_pill(struct buf *out, const char *style, const char *word)
{
	buf_printf(out, "<span class=\"pill %s\">%s</span>", style, word);
}
