/* The format files of this folder, compiled into the program by embed.py. */
#ifndef PINWATCH_FORMATS_BUILTIN_H
#define PINWATCH_FORMATS_BUILTIN_H

#include <stddef.h>

struct builtin_format {
	const char *name; /* of the file */
	const char *text;
	size_t size;
};

/* Files that are `like:` another one stand behind it. */
extern const struct builtin_format builtin_formats[];
extern const size_t builtin_formats_count;

#endif
