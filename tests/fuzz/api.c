/* Requests of the API, on a database of its own: method, path, query and body as they come.
 * Whatever was asked, the answer is JSON and no fault of ours; a cursor that is read is one that is
 * written. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "api/cursor.h"
#include "parse/json.h"

/* What outlives an input. */
static struct api *api;
static char dir[] = "/tmp/pinwatch-fuzz-api-XXXXXX";

static void clean_up(void)
{
	static const char *const names[] = { "pinwatch.db", "pinwatch.db-wal", "pinwatch.db-shm" };
	char path[128];

	api_close(api);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static struct api *open_once(void)
{
	struct error err = { 0 };
	char path[128];

	if (api != NULL)
		return api;
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/pinwatch.db", dir);
	api = api_open(path, &err);
	if (api == NULL)
		abort();
	atexit(clean_up);
	return api;
}

static void check_cursor(struct sv text)
{
	struct query_place place, again;
	struct arena a = { 0 };
	struct sv written;

	if (api_cursor_read(text, 7, &place)) {
		written = api_cursor_write(&place, 7, &a);
		fuzz_require(api_cursor_read(written, 7, &again));
		fuzz_require(again.asof == place.asof && again.seq == place.seq &&
			     again.type == place.type);
		fuzz_require(!api_cursor_read(written, 8, &again));
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "POST", "DELETE", "HEAD" };
	struct sv input = { (const char *)data, size }, body, target;
	const char *method = methods[fuzz_byte(&input) % 4];
	struct http_response r;
	struct arena a = { 0 };
	struct error err;
	struct value v;
	struct buf path;

	target = sv_cut(input, '\n', &body);
	check_cursor(target);
	buf_init(&path, (size_t)1 << 20);
	buf_str(&path, API_PREFIX "/");
	for (size_t i = 0; i < target.n; i++)
		buf_char(&path, target.p[i] != '\0' ? target.p[i] : '0');
	buf_char(&path, '\0');
	/* Hashing passwords is slow, and nobody's to find faults in. */
	if (strstr(path.p, "password") == NULL && sv_find(body, SV("password")) == SIZE_MAX) {
		api_call(open_once(), method, path.p, body, "fuzz", &r);
		fuzz_require(r.status == 503 || r.status < 500);
		fuzz_require(json_to_value(buf_view(&r.body), &a, &v, &err));
		http_response_free(&r);
	}
	buf_free(&path);
	arena_free(&a);
	return 0;
}
