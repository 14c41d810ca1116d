#include "base/jsonw.h"

static void separate(struct jsonw *w)
{
	if (w->_comma)
		buf_char(w->b, ',');
	w->_comma = true;
}

static void string(struct buf *b, struct sv v)
{
	size_t clean = 0;

	buf_char(b, '"');
	for (size_t i = 0; i < v.n;) {
		unsigned char c = (unsigned char)v.p[i];
		size_t len;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		len = c >= 0x80 ? utf8_sequence(v.p + i, v.n - i) : 1;
		if (c >= 0x80 && len > 0) {
			i += len;
			continue;
		}
		buf_append(b, v.p + clean, i - clean);
		if (c >= 0x80)
			buf_str(b, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_str(b, "\\n");
		else if (c == '\t')
			buf_str(b, "\\t");
		else if (c == '\r')
			buf_str(b, "\\r");
		else
			buf_printf(b, "\\u%04x", c);
		clean = ++i;
	}
	if (v.n > clean)
		buf_append(b, v.p + clean, v.n - clean);
	buf_char(b, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
	separate(w);
	buf_printf(w->b, "\"%s\":", key);
	w->_comma = false;
}

void jsonw_key_sv(struct jsonw *w, struct sv key)
{
	separate(w);
	string(w->b, key);
	buf_char(w->b, ':');
	w->_comma = false;
}

void jsonw_open(struct jsonw *w, char bracket)
{
	separate(w);
	buf_char(w->b, bracket);
	w->_comma = false;
}

void jsonw_close(struct jsonw *w, char bracket)
{
	buf_char(w->b, bracket);
	w->_comma = true;
}

void jsonw_sv(struct jsonw *w, struct sv v)
{
	separate(w);
	string(w->b, v);
}

void jsonw_str(struct jsonw *w, const char *s)
{
	if (s == NULL)
		jsonw_null(w);
	else
		jsonw_sv(w, sv_cstr(s));
}

void jsonw_int(struct jsonw *w, int64_t n)
{
	separate(w);
	buf_printf(w->b, "%lld", (long long)n);
}

void jsonw_fixed2(struct jsonw *w, int64_t hundredths)
{
	int64_t magnitude = hundredths < 0 ? -hundredths : hundredths;
	const char *sign = hundredths < 0 ? "-" : "";
	long long whole = (long long)(magnitude / 100);
	int rest = (int)(magnitude % 100);

	separate(w);
	if (rest % 10 == 0)
		buf_printf(w->b, "%s%lld.%d", sign, whole, rest / 10);
	else
		buf_printf(w->b, "%s%lld.%02d", sign, whole, rest);
}

void jsonw_bool(struct jsonw *w, bool v)
{
	separate(w);
	buf_str(w->b, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
	separate(w);
	buf_str(w->b, "null");
}

void jsonw_instant(struct jsonw *w, struct instant t)
{
	char text[INSTANT_ISO_SIZE];

	if (!instant_known(t)) {
		jsonw_null(w);
		return;
	}
	instant_format_iso(t, text);
	jsonw_str(w, text);
}

void jsonw_raw(struct jsonw *w, struct sv json)
{
	separate(w);
	buf_sv(w->b, json);
}

void jsonw_key_int(struct jsonw *w, const char *key, int64_t n)
{
	jsonw_key(w, key);
	jsonw_int(w, n);
}

void jsonw_key_count(struct jsonw *w, const char *key, uint64_t n)
{
	jsonw_key_int(w, key, (int64_t)n);
}

void jsonw_key_bool(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

void jsonw_key_str(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_key_text(struct jsonw *w, const char *key, struct sv v)
{
	jsonw_key(w, key);
	jsonw_sv(w, v);
}

void jsonw_key_said(struct jsonw *w, const char *key, struct sv v)
{
	jsonw_key(w, key);
	if (v.p == NULL)
		jsonw_null(w);
	else
		jsonw_sv(w, v);
}

void jsonw_key_full(struct jsonw *w, const char *key, struct sv v)
{
	jsonw_key_said(w, key, v.n > 0 ? v : SV_NONE);
}

void jsonw_key_time(struct jsonw *w, const char *key, struct instant t)
{
	jsonw_key(w, key);
	jsonw_instant(w, t);
}
