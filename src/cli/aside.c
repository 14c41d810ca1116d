#include "cli/aside.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "cli/report.h"

#define MAX_LINE (128u * 1024u * 1024u)

bool aside_begin(struct aside *a, struct progress *progress, bool show, const char *path,
		 struct error *err)
{
	struct stat st;

	*a = (struct aside){ .progress = progress, .show = show, .path = path };
	buf_init(&a->_temporary, 65536);
	buf_init(&a->_line, MAX_LINE);
	if (path == NULL)
		return true;
	buf_printf(&a->_temporary, "%s.part", path);
	buf_char(&a->_temporary, '\0');
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		a->_target = fopen(path, "we");
		a->_file = a->_target != NULL ? tmpfile() : NULL;
	} else {
		a->_file = fopen(a->_temporary.p, "we");
	}
	if (a->_file != NULL)
		return true;
	error_set(err, ERROR_USAGE, 0, "--dead-letter %s: %s; name a file that can be written",
		  path, strerror(errno));
	if (a->_target != NULL)
		fclose(a->_target);
	buf_free(&a->_temporary);
	buf_free(&a->_line);
	return false;
}

static void keep(struct aside *a, const struct scan_reject *r)
{
	struct jsonw w = jsonw_on(&a->_line);

	buf_reset(&a->_line);
	jsonw_open(&w, '{');
	jsonw_key_str(&w, "path", r->path);
	jsonw_key_int(&w, "line", r->line);
	jsonw_key_str(&w, "reason", r->reason);
	jsonw_key_text(&w, "record", r->record);
	jsonw_close(&w, '}');
	buf_char(&a->_line, '\n');
	if (a->_line.overflowed || fwrite(a->_line.p, 1, a->_line.n, a->_file) != a->_line.n)
		a->_failed = true;
}

void aside_take(void *arg, const struct scan_reject *r)
{
	struct aside *a = arg;

	if (r == NULL) {
		/* The inputs are read once more: what came before would come twice. */
		if (a->_file != NULL &&
		    (fflush(a->_file) != 0 || ftruncate(fileno(a->_file), 0) != 0 ||
		     fseek(a->_file, 0, SEEK_SET) != 0))
			a->_failed = true;
		return;
	}
	if (a->show) {
		progress_end(a->progress);
		report_note("scan", "%s:%u: %s", r->path, r->line, r->reason);
	}
	if (a->_file != NULL)
		keep(a, r);
}

/* What was kept, into what is no file. */
static bool hand_over(struct aside *a)
{
	char block[65536];
	size_t n;
	bool ok = fflush(a->_file) == 0 && fseek(a->_file, 0, SEEK_SET) == 0;

	while (ok && (n = fread(block, 1, sizeof(block), a->_file)) > 0)
		ok = fwrite(block, 1, n, a->_target) == n;
	return ok && !ferror(a->_file) && fflush(a->_target) == 0;
}

/* The file takes its place, or is forgotten. */
static bool settle(struct aside *a, bool done)
{
	if (a->_target != NULL) {
		bool ok = !done || (!a->_failed && hand_over(a));

		fclose(a->_file);
		return (fclose(a->_target) == 0 || !done) && ok;
	}
	a->_failed |= fclose(a->_file) != 0;
	if (!done) {
		unlink(a->_temporary.p);
		return true;
	}
	return !a->_failed && rename(a->_temporary.p, a->path) == 0;
}

bool aside_end(struct aside *a, bool done, struct error *err)
{
	bool ok = true;

	if (a->_file != NULL) {
		if (!settle(a, done))
			ok = error_set(err, ERROR_IO, 0,
				       "--dead-letter %s: could not be written whole: %s; make "
				       "room, or name another file",
				       a->path, strerror(errno));
	}
	buf_free(&a->_temporary);
	buf_free(&a->_line);
	return ok;
}
