#include "store/numbers.h"

#include <stdlib.h>

#include "base/arena.h"

void numbers_free(struct numbers *n)
{
	free(n->_files);
	free(n->_sources);
	*n = (struct numbers){ 0 };
}

void numbers_begin(struct numbers *n) { n->_n_files = n->_n_sources = 0; }

void numbers_put_source(struct numbers *n, uint64_t number, uint16_t ours)
{
	if (number > UINT16_MAX)
		return;
	if (number >= n->_n_sources) {
		n->_sources = xrealloc(n->_sources, number + 1, sizeof(*n->_sources));
		while (n->_n_sources <= number)
			n->_sources[n->_n_sources++] = NUMBERS_NONE;
	}
	n->_sources[number] = ours;
}

void numbers_put_file(struct numbers *n, uint64_t number, uint32_t ours)
{
	if (number >= NUMBERS_MAX_FILES)
		return;
	if (number >= n->_n_files) {
		n->_files = xrealloc(n->_files, number + 1, sizeof(*n->_files));
		while (n->_n_files <= number)
			n->_files[n->_n_files++] = 0;
	}
	n->_files[number] = ours;
}
