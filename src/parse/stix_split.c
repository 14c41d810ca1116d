#include "parse/stix_split.h"

static bool blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static void skip_blank(struct sv json, size_t *at)
{
	while (*at < json.n && blank(json.p[*at]))
		(*at)++;
}

static bool expected(struct error *err, size_t at, const char *what)
{
	return error_set(err, ERROR_FORMAT, at, "at byte %zu: expected %s", at, what);
}

static bool cut_off(struct error *err, size_t at)
{
	return error_set(
	    err, ERROR_FORMAT, at,
	    "the JSON document ends too early: expected the end of what begins at byte %zu", at);
}

/* From an opening quote to behind the closing one. */
static bool skip_string(struct sv json, size_t *at, struct error *err)
{
	size_t start = *at;

	for (size_t i = start + 1; i < json.n; i++) {
		if (json.p[i] == '\\') {
			i++;
		} else if (json.p[i] == '"') {
			*at = i + 1;
			return true;
		}
	}
	return cut_off(err, start);
}

/* Over one value of any kind. */
static bool skip_value(struct sv json, size_t *at, struct error *err)
{
	size_t start = *at, depth = 0;

	while (*at < json.n) {
		char c = json.p[*at];
		if (c == '"') {
			if (!skip_string(json, at, err))
				return false;
			if (depth == 0)
				return true;
			continue;
		}
		if (depth == 0 && *at > start && (c == ',' || c == '}' || c == ']' || blank(c)))
			return true;
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return expected(err, *at, "a JSON value");
			if (--depth == 0) {
				(*at)++;
				return true;
			}
		}
		(*at)++;
	}
	return depth == 0 && *at > start ? true : cut_off(err, start);
}

/* Reads `"key":` and leaves *at at the value. */
static bool read_key(struct sv json, size_t *at, struct sv *key, struct error *err)
{
	size_t start = *at;

	if (start >= json.n)
		return cut_off(err, start);
	if (json.p[start] != '"')
		return expected(err, start, "a member name in quotes");
	if (!skip_string(json, at, err))
		return false;
	*key = sv_make(json.p + start + 1, *at - start - 2);
	skip_blank(json, at);
	if (*at >= json.n)
		return cut_off(err, *at);
	if (json.p[*at] != ':')
		return expected(err, *at, "a colon");
	(*at)++;
	skip_blank(json, at);
	return true;
}

static struct sv unquoted(struct sv json, size_t from, size_t to)
{
	if (to - from < 2 || json.p[from] != '"')
		return SV_NONE;
	return sv_make(json.p + from + 1, to - from - 2);
}

/* The members of the outermost object: where `objects` is, what else counts. */
static bool read_envelope(struct stix_split *s, size_t at, struct error *err)
{
	bool objects = false, identified = false;
	struct sv type = SV_NONE, key = SV_NONE;
	size_t array = 0;

	skip_blank(s->json, &at);
	while (at < s->json.n && s->json.p[at] != '}') {
		size_t value;
		if (!read_key(s->json, &at, &key, err))
			return false;
		value = at;
		if (!skip_value(s->json, &at, err))
			return false;
		if (sv_eq(key, SV("objects")) && s->json.p[value] == '[' && !objects) {
			objects = true;
			array = value + 1;
		} else if (sv_eq(key, SV("type"))) {
			type = unquoted(s->json, value, at);
		} else if (sv_eq(key, SV("spec_version"))) {
			s->version = unquoted(s->json, value, at);
		} else if (sv_eq(key, SV("id"))) {
			identified = true;
		}
		skip_blank(s->json, &at);
		if (at < s->json.n && s->json.p[at] == ',') {
			at++;
			skip_blank(s->json, &at);
		} else if (at < s->json.n && s->json.p[at] != '}') {
			return expected(err, at, "a comma or `}`");
		}
	}
	if (at >= s->json.n)
		return cut_off(err, at);
	if (objects) {
		s->at = array;
		return true;
	}
	if (!sv_empty(type) && !sv_eq(type, SV("bundle")) && identified) {
		s->single = true;
		return true;
	}
	return error_set(err, ERROR_FORMAT, 0,
			 "not a STIX bundle: expected an object with \"type\": \"bundle\" and an "
			 "array \"objects\"");
}

bool stix_split_open(struct stix_split *s, struct sv json, struct error *err)
{
	size_t at = 0;

	if (sv_starts(json, SV("\xef\xbb\xbf"))) /* a byte order mark */
		json = sv_skip(json, 3);
	*s = (struct stix_split){ .json = json };
	skip_blank(json, &at);
	if (at < json.n && json.p[at] == '[') {
		s->at = at + 1;
		return true;
	}
	if (at >= json.n || json.p[at] != '{')
		return error_set(err, ERROR_FORMAT, 0,
				 "not a STIX bundle: expected a JSON object (this is %s)",
				 at >= json.n ? "empty" : "something else");
	s->at = at;
	return read_envelope(s, at + 1, err);
}

int stix_split_next(struct stix_split *s, struct sv *object, struct error *err)
{
	size_t start;

	if (s->_done)
		return 0;
	skip_blank(s->json, &s->at);
	if (s->at < s->json.n && s->json.p[s->at] == ']' && !s->single) {
		s->_done = true;
		return 0;
	}
	start = s->at;
	if (start >= s->json.n) {
		cut_off(err, start);
		return -1;
	}
	if (s->json.p[start] != '{') {
		expected(err, start, "a STIX object");
		return -1;
	}
	if (!skip_value(s->json, &s->at, err))
		return -1;
	*object = sv_make(s->json.p + start, s->at - start);
	s->_done = s->single;
	if (s->single)
		return 1;
	skip_blank(s->json, &s->at);
	if (s->at < s->json.n && s->json.p[s->at] == ',') {
		s->at++;
	} else if (s->at >= s->json.n || s->json.p[s->at] != ']') {
		expected(err, s->at, "a comma or `]` after a STIX object");
		return -1;
	}
	return 1;
}
