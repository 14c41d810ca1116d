#include "parse/json_check.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Behind the string that begins at i. */
static size_t behind_string(struct sv v, size_t i)
{
	for (i++; i < v.n && v.p[i] != '"'; i++)
		if (v.p[i] == '\\')
			i++;
	return i + 1;
}

bool json_next_element(struct sv *rest, struct sv *element)
{
	size_t i = 0, depth = 0, from;
	struct sv v = *rest;

	/* The array's bracket, or the comma behind the element before. */
	while (i < v.n && is_space(v.p[i]))
		i++;
	if (i < v.n && (v.p[i] == '[' || v.p[i] == ','))
		i++;
	from = i;
	while (i < v.n) {
		char c = v.p[i];
		if (c == '"') {
			i = behind_string(v, i);
			continue;
		}
		if (depth == 0 && (c == ',' || c == ']'))
			break;
		depth += c == '[' || c == '{';
		depth -= c == ']' || c == '}';
		i++;
	}
	if (i > v.n)
		i = v.n;
	*element = sv_trim(sv_make(v.p + from, i - from));
	*rest = sv_skip(v, i);
	return element->n > 0;
}
