/* How fast the first stages are by themselves: `speed newlines|read|parse FILE...`.
 *
 * newlines: the bytes through read(2) and memchr, the least that anything line by line can do.
 * read: the records through the reader. parse: likewise, each through its format's parser.
 * Prints "RECORDS BYTES OBSERVATIONS NANOSECONDS", in all passes together.
 *
 * `speed fields FILE` prints the format's name and every field it wants of a record, one a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/cpu_time.h"
#include "parse/format.h"
#include "parse/parser.h"
#include "scan/recognise.h"

#define CHUNK (256 * 1024)

struct totals {
	uint64_t records, bytes, observations;
};

struct job {
	const char *path;
	const struct format *format;
	enum framing framing;
};

typedef bool pass_fn(const struct job *job, struct totals *t, struct error *err);

static bool newlines(const struct job *job, struct totals *t, struct error *err)
{
	char chunk[CHUNK];
	int fd = open(job->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return error_set(err, ERROR_IO, 0, "%s: %s", job->path, strerror(errno));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		const char *p = chunk, *end = chunk + n;
		while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
			t->records++;
			p++;
		}
		t->bytes += (uint64_t)n;
	}
	if (n < 0)
		error_set(err, ERROR_IO, 0, "%s: %s", job->path, strerror(errno));
	close(fd);
	return n == 0;
}

static struct reader *reader_for(const struct job *job, struct error *err)
{
	struct reader_options options = { .framing = job->framing };

	return reader_open(job->path, &options, err);
}

static bool read_only(const struct job *job, struct totals *t, struct error *err)
{
	struct reader *r = reader_for(job, err);
	enum read_result got;
	struct sv record;

	if (r == NULL)
		return false;
	while ((got = reader_next(r, &record, err)) == READ_RECORD)
		t->records++;
	t->bytes += reader_bytes(r);
	reader_close(r);
	return got == READ_END;
}

static bool read_and_parse(const struct job *job, struct totals *t, struct error *err)
{
	static const struct parser_options options = { .date = { 0 } };
	struct reader *r = reader_for(job, err);
	const struct observation *seen;
	struct parser *p;
	enum read_result got;
	struct error why;
	struct sv record;
	size_t n;

	if (r == NULL)
		return false;
	p = parser_new(job->format, &options);
	while ((got = reader_next(r, &record, err)) == READ_RECORD) {
		parser_run(p, record, &seen, &n, &why);
		t->records++;
		t->observations += n;
	}
	t->bytes += reader_bytes(r);
	parser_free(p);
	reader_close(r);
	return got == READ_END;
}

static bool prepare(struct job *job, const char *path, const struct format_set *set,
		    struct error *err)
{
	struct reader_options options = { 0 };
	struct reader *r = reader_open(path, &options, err);
	struct format_match match;

	if (r == NULL)
		return false;
	*job = (struct job){ .path = path, .format = recognise(set, r, path, &match, err) };
	job->framing = job->format != NULL ? match.framing : FRAMING_LINE;
	reader_close(r);
	return job->format != NULL;
}

static void print_fields(const struct format *f)
{
	printf("%.*s\n", SV_ARG(f->name));
	for (size_t i = 0; i < f->names.n; i++)
		if (!format_name_is_inner(f, f->names.list[i]) && f->names.list[i].p[0] != '#')
			printf("%.*s\n", SV_ARG(f->names.list[i]));
}

static bool measure(pass_fn *pass, const struct job *jobs, size_t n, struct error *err)
{
	struct totals t = { 0 };
	int64_t begin = cpu_time(), spent;

	do {
		for (size_t i = 0; i < n; i++)
			if (!pass(&jobs[i], &t, err))
				return false;
		spent = cpu_time() - begin;
	} while (spent < CPU_TIME_ENOUGH);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", t.records, t.bytes,
	       t.observations, spent);
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		pass_fn *pass;
	} modes[] = { { "newlines", newlines },
		      { "read", read_only },
		      { "parse", read_and_parse },
		      { "fields", NULL } };
	const size_t n_modes = sizeof(modes) / sizeof(modes[0]);
	size_t mode = 0, n = argc > 2 ? (size_t)argc - 2 : 0;
	struct format_set *set = NULL;
	struct job *jobs = NULL;
	struct error err;
	bool ok = false;

	while (n > 0 && mode < n_modes && strcmp(modes[mode].name, argv[1]) != 0)
		mode++;
	if (n == 0 || mode == n_modes) {
		fputs("usage: speed newlines|read|parse|fields FILE...\n", stderr);
		return 2;
	}
	jobs = calloc(n, sizeof(*jobs));
	set = format_set_builtin(&err);
	if (jobs == NULL || set == NULL)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (!prepare(&jobs[i], argv[i + 2], set, &err))
			goto out;
	ok = true;
	if (modes[mode].pass != NULL)
		ok = measure(modes[mode].pass, jobs, n, &err);
	else
		print_fields(jobs[0].format);
out:
	if (!ok)
		fprintf(stderr, "speed: %s\n", jobs != NULL ? err.message : "out of memory");
	format_set_free(set);
	free(jobs);
	return ok ? 0 : 1;
}
