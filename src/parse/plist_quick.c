#include "parse/plist_internal.h"

#include "base/utf8.h"
#include "parse/base64.h"

/* Containers within containers that are read here; the others take the long way. */
#define QUICK_DEPTH 32u

/* What is left of the text. It is a copy, so that references can be undone where they stand. */
struct quick_xml {
	char *p, *end;
	struct arena *arena;
	size_t nodes;
};

static bool take(struct quick_xml *x, struct sv text)
{
	if ((size_t)(x->end - x->p) < text.n || memcmp(x->p, text.p, text.n) != 0)
		return false;
	x->p += text.n;
	return true;
}

static void skip_blank(struct quick_xml *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t' || *x->p == '\n'))
		x->p++;
}

/* One of XML's five references, or 0. */
static char reference(struct quick_xml *x)
{
	static const struct {
		struct sv text;
		char c;
	} known[] = { { { "&amp;", 5 }, '&' },
		      { { "&lt;", 4 }, '<' },
		      { { "&gt;", 4 }, '>' },
		      { { "&quot;", 6 }, '"' },
		      { { "&apos;", 6 }, '\'' } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (take(x, known[i].text))
			return known[i].c;
	return '\0';
}

static inline bool is_plain(char c)
{
	return (signed char)c > '>' || (c >= ' ' && c != '<' && c != '>' && c != '&') ||
	       c == '\n' || c == '\t';
}

/* Text up to the next tag. Anything that is not plain (a CR, a control, `]]>`, foreign bytes that
 * are no UTF-8) is left to expat. */
static bool text(struct quick_xml *x, struct sv *out)
{
	char *from = x->p, *to;

	while (x->p < x->end && is_plain(*x->p))
		x->p++;
	to = x->p;
	while (x->p < x->end && *x->p != '<') {
		unsigned char c = (unsigned char)*x->p;

		if (c == '&') {
			*to = reference(x);
			if (*to++ == '\0')
				return false;
		} else if (c >= 0x80) {
			size_t n = utf8_sequence(x->p, (size_t)(x->end - x->p));
			if (n == 0 ||
			    (c == 0xef && (unsigned char)x->p[1] == 0xbf)) /* U+FFFE, U+FFFF */
				return false;
			memmove(to, x->p, n);
			to += n;
			x->p += n;
		} else if ((c < ' ' && c != '\t' && c != '\n') || c == '>') {
			return false;
		} else {
			*to++ = *x->p++;
		}
	}
	*out = sv_make(from, (size_t)(to - from));
	return x->p < x->end;
}

static bool value(struct quick_xml *x, unsigned depth, struct value *out);

/* Room for one more of n; the last array is given up where it is full. */
static void *grown(struct arena *a, void *list, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return list;
	*room = *room == 0 ? 8 : *room * 2;
	more = arena_alloc(a, *room * size);
	if (n > 0)
		memcpy(more, list, n * size);
	return more;
}

static bool dict(struct quick_xml *x, unsigned depth, struct value *out)
{
	struct value_member *list = NULL;
	size_t n = 0, room = 0;

	for (;;) {
		skip_blank(x);
		if (take(x, SV("</dict>")))
			break;
		list = grown(x->arena, list, n, &room, sizeof(*list));
		if (!take(x, SV("<key>")) || !text(x, &list[n].key) || !take(x, SV("</key>")))
			return false;
		x->nodes++;
		skip_blank(x);
		if (!value(x, depth + 1, &list[n].value))
			return false;
		n++;
	}
	*out = (struct value){ .type = VALUE_OBJECT, .object = { list, n } };
	return true;
}

static bool array(struct quick_xml *x, unsigned depth, struct value *out)
{
	struct value *list = NULL;
	size_t n = 0, room = 0;

	for (;;) {
		skip_blank(x);
		if (take(x, SV("</array>")))
			break;
		list = grown(x->arena, list, n, &room, sizeof(*list));
		if (!value(x, depth + 1, &list[n]))
			return false;
		n++;
	}
	*out = (struct value){ .type = VALUE_ARRAY, .array = { list, n } };
	return true;
}

/* Decimals that fit; the others are for expat's side to read. */
static bool integer(struct sv v, struct value *out)
{
	out->type = VALUE_INT;
	return v.n > 0 && v.n <= 18 && sv_to_i64(v, &out->integer) &&
	       ((v.p[0] >= '0' && v.p[0] <= '9') || v.p[0] == '-');
}

/* An element, at its `<`. */
static bool value(struct quick_xml *x, unsigned depth, struct value *out)
{
	struct sv v;

	if (depth > QUICK_DEPTH || ++x->nodes > VALUE_MAX_NODES || x->end - x->p < 4)
		return false;
	switch (x->p[1]) {
	case 's':
		if (!take(x, SV("<string>")) || !text(x, &v) || !take(x, SV("</string>")))
			return false;
		*out = (struct value){ .type = VALUE_STRING, .text = v };
		return true;
	case 'd':
		if (take(x, SV("<dict>")))
			return dict(x, depth, out);
		out->type = VALUE_DATA;
		return take(x, SV("<data>")) && text(x, &v) && take(x, SV("</data>")) &&
		       base64_decode(v, x->arena, &out->text);
	case 'a':
		return take(x, SV("<array>")) && array(x, depth, out);
	case 'i':
		return take(x, SV("<integer>")) && text(x, &v) && take(x, SV("</integer>")) &&
		       integer(v, out);
	case 't':
		*out = (struct value){ .type = VALUE_BOOL, .boolean = true };
		return take(x, SV("<true/>"));
	case 'f':
		*out = (struct value){ .type = VALUE_BOOL, .boolean = false };
		return take(x, SV("<false/>"));
	default:
		return false;
	}
}

bool plist_parse_xml_quick(struct sv bytes, struct arena *a, struct value *out)
{
	struct quick_xml x = { .arena = a };

	if (bytes.n == 0)
		return false;
	x.p = arena_copy(a, bytes.p, bytes.n);
	x.end = x.p + bytes.n;
	take(&x, SV("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
	skip_blank(&x);
	if (take(&x, SV("<!DOCTYPE plist PUBLIC \"-//Apple")) &&
	    !((take(&x, SV(" Computer")) || true) &&
	      take(
		  &x,
		  SV("//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">"))))
		return false;
	skip_blank(&x);
	if (!take(&x, SV("<plist version=\"1.0\">")))
		return false;
	skip_blank(&x);
	if (!value(&x, 1, out))
		return false;
	skip_blank(&x);
	if (!take(&x, SV("</plist>")))
		return false;
	skip_blank(&x);
	return x.p == x.end;
}
