/* The numbers of a segment's sources and files as those of whoever replays it. They begin anew with
 * each segment. */
#ifndef PINWATCH_STORE_NUMBERS_H
#define PINWATCH_STORE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* No source of the reader's. */
#define NUMBERS_NONE UINT16_MAX
/* A file with a higher number is nobody's. */
#define NUMBERS_MAX_FILES (1u << 20)

/* A zeroed one knows none. */
struct numbers {
	uint32_t *_files;
	uint16_t *_sources;
	size_t _n_files, _n_sources;
};

void numbers_free(struct numbers *n);
void numbers_begin(struct numbers *n);
void numbers_put_source(struct numbers *n, uint64_t number, uint16_t ours);
void numbers_put_file(struct numbers *n, uint64_t number, uint32_t ours);
/* NUMBERS_NONE for one that was not named. */
static inline uint16_t numbers_source(const struct numbers *n, uint64_t number)
{
	return number < n->_n_sources ? n->_sources[number] : NUMBERS_NONE;
}
/* 0 likewise. */
static inline uint32_t numbers_file(const struct numbers *n, uint64_t number)
{
	return number < n->_n_files ? n->_files[number] : 0;
}

#endif
