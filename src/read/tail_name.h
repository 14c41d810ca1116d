/* What the names of rotated log files say. */
#ifndef PINWATCH_READ_TAIL_NAME_H
#define PINWATCH_READ_TAIL_NAME_H

#include <stdbool.h>
#include <stdint.h>

enum tail_name {
	TAIL_NAME_OTHER,
	TAIL_NAME_LIVE,	   /* matches the pattern itself, and is not packed */
	TAIL_NAME_PACKED,  /* matches the pattern itself: `*.gz` */
	TAIL_NAME_SIBLING, /* a rotated form of a name that matches */
};

/* name: without folder; pattern: as for fnmatch. number: of `.N`, where it says so, else 0. */
enum tail_name tail_name_is(const char *name, const char *pattern, uint64_t *number);
/* Ends in .gz or .zst. */
bool tail_name_packed(const char *name);

#endif
