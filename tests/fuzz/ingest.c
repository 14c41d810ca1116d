/* Bodies that are pushed: taken apart as lines, JSON lines and documents. Every record is a view
 * into the body, in order; records of JSON are JSON on their own; a refusal names a line of the
 * body. */
#include "fuzz.h"

#include <stdlib.h>

#include "http/route.h"
#include "parse/json_check.h"
#include "serve/ingest_body.h"

static void check(struct sv body, enum ingest_type type, size_t max, struct json_checker *checker)
{
	struct ingest_records r;
	struct error err = { 0 };
	size_t lines = 1;
	bool array;
	const char *before = body.p;

	for (size_t i = 0; i < body.n; i++)
		lines += body.p[i] == '\n';
	if (ingest_split(body, type, false, max, checker, &r, &err)) {
		for (size_t i = 0; i < r.n; i++) {
			struct sv record = r.items[i];
			fuzz_require(record.n > 0 && record.n <= max);
			fuzz_require(record.p >= before && record.p + record.n <= body.p + body.n);
			before = record.p + record.n;
			fuzz_require(type == INGEST_LINES ||
				     json_check(checker, record, true, &array, &err));
		}
	} else {
		fuzz_require(err.message[0] != '\0');
		fuzz_require(err.position >= 1 && err.position <= lines);
	}
	free(r.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv body = { (const char *)data, size }, params[HTTP_MAX_PARAMS], decoded;
	unsigned what = fuzz_byte(&body);
	size_t max = what & 8 ? 64 : (size_t)1 << 20;
	struct json_checker *checker = json_checker_new();
	struct arena a = { 0 };

	for (int type = INGEST_LINES; type <= INGEST_JSON; type++)
		check(body, (enum ingest_type)type, max, checker);
	json_checker_free(checker);
	http_route_matches("/a/{x}/{y...}", body, params);
	if (http_decode(body, &a, &decoded))
		fuzz_require(decoded.n <= body.n && strlen(decoded.p) <= decoded.n);
	ingest_type_of(body);
	ingest_packing_of(body);
	arena_free(&a);
	return 0;
}
