/* Common Event Format and its cousin LEEF, as firewalls write them for collectors:
 *
 *     CEF:0|Vendor|Product|Version|Event|Name|Severity|src=10.0.0.1 msg=words with spaces cs1=x
 *     LEEF:2.0|Vendor|Product|Version|Event|^|src=10.0.0.1^msg=words
 *
 * (ArcSight, "Common Event Format", rev. 26; IBM, "LEEF overview"). What stands before CEF: or
 * LEEF: is skipped. The header's parts are the fields cef.vendor, cef.product, cef.version,
 * cef.event, cef.name and cef.severity; pairs keep their names. A value of CEF goes up to the last
 * space before the next name and `=`; `\=`, `\|`, `\\`, `\n` and `\r` are undone, any other
 * backslash is one (`DOMAIN\user`). LEEF's pairs stand between tabs, or what its header says, and
 * have no escapes. The first of repeated names counts.
 */
#include <stdlib.h>

#include "parse/decode.h"

struct cef_options {
	struct unset unset;
};

static bool compile(struct format *f, struct yaml options, void **out, struct error *err)
{
	static const char *const keys[] = { "unset", NULL };
	struct cef_options *o = arena_alloc(&f->arena, sizeof(*o));

	*out = o;
	return !yfile_is_map(options) ||
	       (yfile_check_keys(options, keys, err) &&
		unset_compile(f, yfile_get(options, "unset"), &o->unset, err));
}

struct cef_state {
	const struct format *format;
	struct name_order order;
	size_t pairs; /* of the record so far */
};

static void *open(const struct format *f)
{
	struct cef_state *s = xcalloc(1, sizeof(*s));

	s->format = f;
	return s;
}

static struct sv unescape(struct sv in, struct arena *a)
{
	size_t n = 0;
	char *p;

	if (sv_find_char(in, '\\') == SIZE_MAX)
		return in;
	p = arena_alloc(a, in.n);
	for (size_t i = 0; i < in.n; i++) {
		bool escape =
		    in.p[i] == '\\' && i + 1 < in.n && memchr("\\=|nr", in.p[i + 1], 5) != NULL;
		if (escape) {
			i++;
			p[n++] = in.p[i] == 'n' ? '\n' : in.p[i] == 'r' ? '\r' : in.p[i];
		} else {
			p[n++] = in.p[i];
		}
	}
	return sv_make(p, n);
}

static void put(struct cef_state *s, struct decode_context *c, struct sv name, struct sv value,
		bool escaped)
{
	const struct cef_options *o = s->format->decoder_options;
	uint32_t slot = name_order_slot(&s->order, &s->format->names, s->pairs++, name);

	if (slot == SLOT_NONE)
		return;
	value = sv_trim(value);
	if (c->raws[slot].type == RAW_ABSENT && !unset_holds(&o->unset, value))
		raw_set_text(&c->raws[slot], escaped ? unescape(value, c->scratch) : value);
}

/* The next part of the header, up to a bar without backslash. */
static bool take_part(struct sv *rest, struct sv *part)
{
	for (size_t i = 0; i < rest->n; i++) {
		if (rest->p[i] == '\\') {
			i++;
		} else if (rest->p[i] == '|') {
			*part = sv_first(*rest, i);
			*rest = sv_skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

/* Where the next `=` without backslash stands, SIZE_MAX past the last. */
static size_t next_equals(struct sv text, size_t from)
{
	while (from < text.n) {
		size_t found = sv_find_char(sv_skip(text, from), '='), at = from + found, escapes;
		if (found == SIZE_MAX)
			break;
		for (escapes = 0; escapes < at - from && text.p[at - 1 - escapes] == '\\';)
			escapes++;
		if (escapes % 2 == 0)
			return at;
		from = at + 1;
	}
	return SIZE_MAX;
}

static void cef_pairs(struct cef_state *s, struct sv text, struct decode_context *c)
{
	size_t equals = next_equals(text, 0), name_at = 0;

	while (equals != SIZE_MAX) {
		struct sv name = sv_trim(sv_make(text.p + name_at, equals - name_at));
		size_t next = next_equals(text, equals + 1), end = next;

		if (next == SIZE_MAX) {
			end = text.n;
		} else {
			while (end > equals + 1 && name_char(text.p[end - 1]))
				end--;
			if (text.p[end - 1] != ' ' && end > equals + 1) {
				/* An `=` inside a value that nobody escaped. */
				size_t beyond = next_equals(text, next + 1);
				while (beyond != SIZE_MAX) {
					end = beyond;
					while (end > next + 1 && name_char(text.p[end - 1]))
						end--;
					if (text.p[end - 1] == ' ')
						break;
					beyond = next_equals(text, beyond + 1);
				}
				next = beyond;
				end = beyond == SIZE_MAX ? text.n : end;
			}
		}
		put(s, c, name, sv_make(text.p + equals + 1, end - equals - 1), true);
		name_at = end;
		equals = next;
	}
}

static void leef_pairs(struct cef_state *s, struct sv text, char between, struct decode_context *c)
{
	while (text.p != NULL && text.n > 0) {
		struct sv pair = sv_cut(text, between, &text), value, name;

		name = sv_cut(pair, '=', &value);
		if (value.p != NULL)
			put(s, c, sv_trim(name), value, false);
	}
}

/* `^`, `x7c` or `0x7c`. */
static char leef_separator(struct sv part)
{
	uint64_t code;

	if (part.n == 1)
		return part.p[0];
	if (part.n > 0 && part.p[0] == '0')
		part = sv_skip(part, 1);
	if (part.n > 1 && part.p[0] == 'x' && sv_hex_to_u64(sv_skip(part, 1), &code) && code > 0 &&
	    code < 0x80)
		return (char)code;
	return '\t';
}

static enum decode_result run(void *state, struct sv record, struct decode_context *c)
{
	static const struct sv parts[] = { { "cef.vendor", 10 },  { "cef.product", 11 },
					   { "cef.version", 11 }, { "cef.event", 9 },
					   { "cef.name", 8 },	  { "cef.severity", 12 } };
	struct cef_state *s = state;
	size_t at = sv_find(record, SV("CEF:")), n = 6;
	bool leef = false, second = false;
	struct sv rest, part;
	char between = '\t';

	if (at == SIZE_MAX) {
		at = sv_find(record, SV("LEEF:"));
		leef = true;
		n = 4;
	}
	rest = at == SIZE_MAX ? SV_NONE : sv_skip(record, at);
	s->pairs = 0;
	if (!take_part(&rest, &part)) {
		error_set(c->err, ERROR_FORMAT, 0, "expected CEF: or LEEF: at the record's start");
		return DECODE_BAD;
	}
	second = leef && sv_ends(part, SV("2.0"));
	for (size_t i = 0; i < n; i++) {
		if (!take_part(&rest, &part)) {
			error_set(c->err, ERROR_FORMAT, at,
				  "the header ends early: expected seven fields behind CEF:, five "
				  "behind LEEF:");
			return DECODE_BAD;
		}
		put(s, c, parts[i], part, true);
	}
	if (second && take_part(&rest, &part))
		between = leef_separator(part);
	if (leef)
		leef_pairs(s, rest, between, c);
	else
		cef_pairs(s, rest, c);
	return DECODE_FIELDS;
}

const struct decoder decoder_cef = { "cef", compile, NULL, open, free, run, NULL };
