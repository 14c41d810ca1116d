/* Property lists, XML and binary. */
#include "fuzz.h"

#include <stdlib.h>

#include "parse/plist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	struct error err = { 0 };
	struct value v;
	char *bytes = xmalloc(size > 0 ? size : 1);

	if (size > 0)
		memcpy(bytes, data, size);
	if (plist_parse(sv_make(bytes, size), &a, &v, &err)) {
		free(bytes); /* the tree is independent of them */
		bytes = NULL;
		fuzz_tree(&v);
	} else {
		fuzz_require(err.message[0] != '\0' && err.position <= size);
	}
	free(bytes);
	arena_free(&a);
	return 0;
}
