/* Every built-in format over any bytes, and their detection. The first byte chooses the format. */
#include "fuzz.h"

#include <stdlib.h>

#define HEAD 4096

/* Detection is promised no padding. */
static void check_detection(const struct format_set *set, struct sv text)
{
	struct format_match m[3];
	struct sv head = sv_first(text, HEAD);
	char *bytes = xmalloc(head.n > 0 ? head.n : 1);
	size_t n;

	if (head.n > 0)
		memcpy(bytes, head.p, head.n);
	n = format_detect(set, sv_make(bytes, head.n), m, 3);
	fuzz_require(n <= 3);
	for (size_t i = 0; i < n; i++) {
		fuzz_require(m[i].score >= 0 && (i == 0 || m[i - 1].score >= m[i].score));
		fuzz_require(m[i].reason[0] != '\0');
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct format_set *set; /* compiled once: that is not what is looked at here */
	struct sv text = { (const char *)data, size };
	size_t chosen = fuzz_byte(&text);

	if (set == NULL)
		set = fuzz_formats(NULL, 0);
	check_detection(set, text);
	fuzz_records(set, format_set_at(set, chosen % format_set_count(set)), text);
	return 0;
}
