/* For tests of the live ways in: a folder of their own, and seeded chance. */
#ifndef PINWATCH_TEST_LIVE_H
#define PINWATCH_TEST_LIVE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

struct dice {
	uint64_t state;
};

/* splitmix64 (Steele, Lea, Flood 2014) */
static inline uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline size_t pick(struct dice *d, size_t n) { return (size_t)(roll(d) % n); }

static inline void make_dir(char *out, size_t n)
{
	const char *base = getenv("TMPDIR");

	snprintf(out, n, "%s/pinwatch-XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(out));
}

/* With the files in it, not with folders. */
static inline void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

static inline struct instant real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct instant){ ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

#endif
