#include "parse/yfile.h"

#include <stdarg.h>
#include <stdio.h>

bool yfile_open(struct yfile *file, const char *name, struct sv text, struct error *err)
{
	yaml_parser_t parser;

	file->name = name;
	if (text.n > YFILE_MAX_BYTES)
		return error_set(err, ERROR_CONFIG, 0, "%s: a format file has at most %u bytes",
				 name, YFILE_MAX_BYTES);
	if (!yaml_parser_initialize(&parser))
		return error_set(err, ERROR_CONFIG, 0, "%s: out of memory", name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&parser, &file->document)) {
		size_t line = parser.problem_mark.line + 1;
		error_set(err, ERROR_CONFIG, line, "%s:%zu:%zu: not valid YAML: %s", name, line,
			  parser.problem_mark.column + 1,
			  parser.problem != NULL ? parser.problem : "unreadable");
		yaml_parser_delete(&parser);
		return false;
	}
	yaml_parser_delete(&parser);
	if (yaml_document_get_root_node(&file->document) == NULL) {
		yaml_document_delete(&file->document);
		return error_set(
		    err, ERROR_CONFIG, 1,
		    "%s:1:1: the file is empty: expected `format:` and what docs/formats.md names",
		    name);
	}
	return true;
}

void yfile_free(struct yfile *file) { yaml_document_delete(&file->document); }

struct yaml yfile_root(struct yfile *file)
{
	return (struct yaml){ file, yaml_document_get_root_node(&file->document) };
}

struct sv yfile_text(struct yaml y)
{
	if (!yfile_is_text(y))
		return SV_NONE;
	return sv_make((const char *)y.node->data.scalar.value, y.node->data.scalar.length);
}

struct yaml yfile_get(struct yaml map, const char *key)
{
	for (size_t i = 0; yfile_is_map(map) && i < yfile_count(map); i++)
		if (sv_eq(yfile_text(yfile_key_at(map, i)), sv_cstr(key)))
			return yfile_value_at(map, i);
	return (struct yaml){ map.file, NULL };
}

size_t yfile_count(struct yaml y)
{
	if (yfile_is_map(y))
		return (size_t)(y.node->data.mapping.pairs.top - y.node->data.mapping.pairs.start);
	if (yfile_is_list(y))
		return (size_t)(y.node->data.sequence.items.top -
				y.node->data.sequence.items.start);
	return yfile_is_text(y) ? 1 : 0;
}

static struct yaml node_at(struct yaml y, int index)
{
	return (struct yaml){ y.file, yaml_document_get_node(&y.file->document, index) };
}

struct yaml yfile_item(struct yaml list, size_t i)
{
	return yfile_is_text(list) ? list : node_at(list, list.node->data.sequence.items.start[i]);
}

struct yaml yfile_key_at(struct yaml map, size_t i)
{
	return node_at(map, map.node->data.mapping.pairs.start[i].key);
}

struct yaml yfile_value_at(struct yaml map, size_t i)
{
	return node_at(map, map.node->data.mapping.pairs.start[i].value);
}

bool yfile_error(struct error *err, struct yaml at, const char *fmt, ...)
{
	char text[512];
	size_t line = at.node != NULL ? at.node->start_mark.line + 1 : 1;
	size_t column = at.node != NULL ? at.node->start_mark.column + 1 : 1;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_set(err, ERROR_CONFIG, line, "%s:%zu:%zu: %s", at.file->name, line, column,
			 text);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Levenshtein distance of short words; SIZE_MAX for long ones. */
static size_t distance(struct sv a, struct sv b)
{
	size_t row[64];

	if (b.n >= sizeof(row) / sizeof(row[0]) || a.n > 128)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t above = row[j];
			size_t change = corner + (a.p[i - 1] != b.p[j - 1]);
			row[j] = least(change, least(above, row[j - 1]) + 1);
			corner = above;
		}
	}
	return row[b.n];
}

const char *yfile_nearest(struct sv text, const char *const *names)
{
	const char *best = NULL;
	size_t best_distance = text.n / 3 + 2;

	for (; *names != NULL; names++) {
		size_t d = distance(text, sv_cstr(*names));
		if (d < best_distance) {
			best = *names;
			best_distance = d;
		}
	}
	return best;
}

/* "`a`, `b` or `c`", for a message: as many as fit. */
static void list_words(char *out, size_t size, const char *const *words)
{
	size_t n = 0;

	out[0] = '\0';
	for (const char *const *w = words; *w != NULL && n < size; w++)
		n += (size_t)snprintf(out + n, size - n, "%s`%s`",
				      w == words     ? ""
				      : w[1] == NULL ? " or "
						     : ", ",
				      *w);
}

bool yfile_check_keys(struct yaml map, const char *const *known, struct error *err)
{
	if (!yfile_is_map(map))
		return yfile_error(err, map, "expected a mapping (key: value)");
	for (size_t i = 0; i < yfile_count(map); i++) {
		struct yaml key = yfile_key_at(map, i);
		struct sv text = yfile_text(key);
		const char *const *k = known;

		while (*k != NULL && !sv_eq(text, sv_cstr(*k)))
			k++;
		if (*k == NULL) {
			const char *near = yfile_nearest(text, known);
			char all[400];
			list_words(all, sizeof(all), known);
			return near != NULL
				   ? yfile_error(err, key, "unknown key `%.*s`; did you mean `%s`?",
						 SV_ARG(text), near)
				   : yfile_error(err, key, "unknown key `%.*s`: expected %s",
						 SV_ARG(text), all);
		}
		for (size_t j = 0; j < i; j++)
			if (sv_eq(text, yfile_text(yfile_key_at(map, j))))
				return yfile_error(err, key,
						   "`%.*s` stands here twice: leave one out",
						   SV_ARG(text));
	}
	return true;
}

bool yfile_take_text(struct yaml y, struct sv *out, struct error *err)
{
	if (!yfile_there(y))
		return true;
	if (!yfile_is_text(y))
		return yfile_error(err, y, "expected a text");
	*out = yfile_text(y);
	return true;
}

bool yfile_take_bool(struct yaml y, bool *out, struct error *err)
{
	struct sv text = yfile_text(y);

	if (!yfile_there(y))
		return true;
	if (!sv_eq(text, SV("true")) && !sv_eq(text, SV("false")))
		return yfile_error(err, y, "expected true or false");
	*out = sv_eq(text, SV("true"));
	return true;
}
