/* Allow-list files, and what their entries cover. The first byte chooses the list. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf_list.h"

/* The entry's own text is covered by it, and an unrelated name never by an exact one. */
static void check_pattern(const struct allow_pattern *p)
{
	struct addr unknown = { { 0 } };

	if (p->kind == PATTERN_NETWORK) {
		fuzz_require(p->network.bits <= 128);
		fuzz_require(allow_pattern_holds(p, SV_NONE, &p->network.base));
		return;
	}
	fuzz_require(p->match.n > 0);
	fuzz_require(allow_pattern_holds(p, p->match, &unknown) || p->kind == PATTERN_PREFIX);
	fuzz_require(p->kind != PATTERN_EXACT ||
		     !allow_pattern_holds(p, SV("unrelated.invalid"), &unknown) ||
		     sv_eq(p->match, SV("unrelated.invalid")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size };
	enum allow_kind kind = fuzz_byte(&text) % 2 == 0 ? ALLOW_APP : ALLOW_DESTINATION;
	struct arena a = { 0 };
	struct error err = { 0 };
	struct allow_list list = { 0 };
	char path[32];
	int fd = memfd_create("list", MFD_CLOEXEC);

	if (fd < 0 || (text.n > 0 && write(fd, text.p, text.n) != (ssize_t)text.n))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (allow_list_read_file(path, kind, &a, &list, &err)) {
		for (size_t i = 0; i < list.n; i++) {
			fuzz_require(list.entries[i].kind == kind);
			check_pattern(&list.entries[i].subject);
			for (size_t k = 0; k < list.entries[i].n_only; k++)
				check_pattern(&list.entries[i].only[k]);
		}
	} else {
		fuzz_require(err.message[0] != '\0');
	}
	close(fd);
	arena_free(&a);
	return 0;
}
