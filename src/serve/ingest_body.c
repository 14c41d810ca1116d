#include "serve/ingest_body.h"

#include "read/unpack.h"

#define BLOCK (64u * 1024u)

static struct sv first_word(struct sv v)
{
	struct sv rest;

	return sv_trim(sv_cut(v, ';', &rest));
}

enum ingest_type ingest_type_of(struct sv content_type)
{
	static const struct {
		struct sv name;
		enum ingest_type type;
	} types[] = {
		{ { "application/json", 16 }, INGEST_JSON },
		{ { "text/json", 9 }, INGEST_JSON },
		{ { "application/x-ndjson", 20 }, INGEST_JSON_LINES },
		{ { "application/ndjson", 18 }, INGEST_JSON_LINES },
		{ { "application/jsonl", 17 }, INGEST_JSON_LINES },
		{ { "application/x-jsonlines", 23 }, INGEST_JSON_LINES },
		{ { "application/json-lines", 22 }, INGEST_JSON_LINES },
		{ { "text/plain", 10 }, INGEST_LINES },
	};
	struct sv word = first_word(content_type);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (sv_eq_nocase(word, types[i].name))
			return types[i].type;
	if (word.n > 5 && sv_eq_nocase(sv_skip(word, word.n - 5), SV("+json")))
		return INGEST_JSON;
	return INGEST_UNKNOWN;
}

enum ingest_packing ingest_packing_of(struct sv content_encoding)
{
	struct sv word = sv_trim(content_encoding);

	if (word.n == 0 || sv_eq_nocase(word, SV("identity")))
		return INGEST_PLAIN;
	if (sv_eq_nocase(word, SV("gzip")) || sv_eq_nocase(word, SV("x-gzip")))
		return INGEST_GZIP;
	return sv_eq_nocase(word, SV("zstd")) ? INGEST_ZSTD : INGEST_OTHER;
}

bool ingest_unpack(struct sv body, enum ingest_packing packing, size_t max, struct buf *out,
		   struct error *err)
{
	enum packing wanted = packing == INGEST_GZIP ? PACKING_GZIP : PACKING_ZSTD;
	struct source source;
	struct unpack *unpack;
	size_t got = 1;
	bool ok;

	buf_init(out, max + BLOCK);
	source_on_bytes(&source, body);
	unpack = unpack_new(&source, max, err);
	ok = unpack != NULL;
	if (ok && unpack_packing(unpack) != wanted)
		ok = error_set(err, ERROR_FORMAT, 0,
			       "body: expected %s data, which its Content-Encoding says it is",
			       packing == INGEST_GZIP ? "gzip" : "zstd");
	while (ok && got > 0) {
		ok = buf_reserve(out, BLOCK) &&
		     unpack_read(unpack, out->p + out->n, BLOCK, &got, err);
		out->n += ok ? got : 0;
	}
	unpack_free(unpack);
	source_close(&source);
	return ok;
}

static void add(struct ingest_records *r, struct sv item)
{
	if (r->n == r->_capacity) {
		r->_capacity = r->_capacity == 0 ? 64 : r->_capacity * 2;
		r->items = xrealloc(r->items, r->_capacity, sizeof(*r->items));
	}
	r->items[r->n++] = item;
	r->bytes += item.n;
}

static size_t line_of(struct sv body, const char *at)
{
	size_t line = 1;

	for (const char *p = body.p; p < at; p++)
		line += *p == '\n';
	return line;
}

static bool too_long(size_t line, struct sv record, size_t max_record, struct error *err)
{
	return error_set(err, ERROR_LIMIT, line,
			 "line %zu: a record of %zu bytes, more than the %zu allowed", line,
			 record.n, max_record);
}

static bool split_lines(struct sv body, bool checked, size_t max_record,
			struct json_checker *checker, struct ingest_records *out, struct error *err)
{
	struct sv rest = body;
	size_t number = 0;
	bool array;

	while (rest.n > 0) {
		struct sv line = sv_cut(rest, '\n', &rest);
		number++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (line.n > max_record)
			return too_long(number, line, max_record, err);
		if (checked && !json_check(checker, line, true, &array, err)) {
			error_prefix(err, "line %zu", number);
			err->position = number;
			return false;
		}
		add(out, line);
	}
	return true;
}

static bool split_document(struct sv body, size_t max_record, struct json_checker *checker,
			   struct ingest_records *out, struct error *err)
{
	struct sv document = sv_trim(body), rest = document, element;
	size_t number = 0;
	bool array;

	if (!json_check(checker, document, false, &array, err)) {
		/* Where the text ends early its last line is at fault. */
		err->position = line_of(body, sv_skip(document, err->position).p);
		error_prefix(err, "line %zu", err->position);
		return false;
	}
	if (!array && document.p[0] != '{')
		return error_set(err, ERROR_FORMAT, 1,
				 "line 1: expected a JSON object, or an array of objects");
	if (!array && document.n > max_record)
		return too_long(1, document, max_record, err);
	if (!array)
		add(out, document);
	while (array && json_next_element(&rest, &element)) {
		size_t line;
		number++;
		if (element.p[0] == '{' && element.n <= max_record) {
			add(out, element);
			continue;
		}
		line = line_of(body, element.p);
		if (element.p[0] == '{')
			return too_long(line, element, max_record, err);
		return error_set(err, ERROR_FORMAT, line,
				 "line %zu: element %zu of the array: expected an object {…}", line,
				 number);
	}
	return true;
}

bool ingest_split(struct sv body, enum ingest_type type, bool checked, size_t max_record,
		  struct json_checker *checker, struct ingest_records *out, struct error *err)
{
	*out = (struct ingest_records){ 0 };
	if (type == INGEST_JSON)
		return split_document(body, max_record, checker, out, err);
	return split_lines(body, checked || type == INGEST_JSON_LINES, max_record, checker, out,
			   err);
}
