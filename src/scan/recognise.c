#include "scan/recognise.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/keylog.h"
#include "conf/nearest.h"
#include "base/safe.h"
#include "read/frame.h"

#define FIRST_LINE_CHARS 160

static void unrecognised(struct error *err, const char *path, struct sv head,
			 const struct format_match *matches, size_t n)
{
	struct buf b;
	struct sv line;

	buf_init(&b, sizeof(err->message));
	while (head.n > 0 && (head.p[0] == '\n' || head.p[0] == '\r'))
		head = sv_skip(head, 1);
	line = sv_trim(sv_first(head, sv_find_char(head, '\n')));
	text_safe(&b, sv_cstr(path), 120);
	if (sv_empty(head)) {
		buf_str(&b, " is empty: expected a log");
		error_set(err, ERROR_UNRECOGNISED, 0, "%.*s", SV_ARG(buf_view(&b)));
		buf_free(&b);
		return;
	}
	if (keylog_holds(head)) {
		buf_str(&b,
			" is in no known format, and holds TLS sessions' secrets: it is not shown");
		error_set(err, ERROR_UNRECOGNISED, 0, "%.*s", SV_ARG(buf_view(&b)));
		buf_free(&b);
		return;
	}
	buf_str(&b, " is in no known format. Its first line:\n  ");
	text_safe(&b, line, FIRST_LINE_CHARS);
	for (size_t i = 0; i < n; i++) {
		buf_str(&b, i == 0 ? "\nNearest formats:" : "");
		buf_str(&b, "\n  ");
		text_safe(&b, format_name(matches[i].format), 40);
		buf_str(&b, ": ");
		text_safe(&b, sv_cstr(matches[i].reason), 140);
	}
	buf_str(&b, "\n--format NAME forces one; `pinwatch formats` lists them");
	error_set(err, ERROR_UNRECOGNISED, 1, "%.*s", SV_ARG(buf_view(&b)));
	buf_free(&b);
}

/* The first line begins an object and does not end it: one document over many lines. */
static bool begins_document(struct sv head)
{
	struct sv rest, line = sv_trim(sv_cut(sv_trim(head), '\n', &rest));

	return line.n > 0 && line.p[0] == '{' && line.p[line.n - 1] != '}';
}

/* The first record is there as a whole: a line, or a message whose length stands before it. */
static bool holds_record(struct sv head)
{
	struct frame f = { .skip = SKIP_NONE };

	return frame_next(head, 0, false, FRAMING_LINE, READER_MAX_RECORD, &f) != FRAME_MORE;
}

struct sv recognise_head(struct reader *r)
{
	size_t n = RECOGNISE_BYTES;
	struct sv head = reader_peek(r, n);

	/* A first record may be long: it has to be seen whole. */
	while (head.n == n && n < READER_MAX_RECORD &&
	       (!holds_record(head) || begins_document(head))) {
		n *= 4;
		head = reader_peek(r, n);
	}
	return head;
}

/* Its first member would be taken for a log, and headers between the others for damaged lines. */
static bool is_tar(struct sv head)
{
	return head.n >= 262 && memcmp(head.p + 257, "ustar", 5) == 0;
}

const struct format *recognise(const struct format_set *set, struct reader *r, const char *path,
			       struct format_match *match, struct error *err)
{
	struct format_match matches[RECOGNISE_NEAREST];
	struct sv head = recognise_head(r), record;
	size_t n = format_detect(set, head, matches, RECOGNISE_NEAREST);

	/* Nothing to look at: unreadable is not the same as empty. */
	if (head.n == 0 && reader_next(r, &record, err) == READ_ERROR)
		return NULL;
	if (is_tar(head)) {
		error_set(err, ERROR_UNRECOGNISED, 0,
			  "%s: a tar archive, which is not read here: unpack it first, for example "
			  "with `tar -xf`",
			  path);
		return NULL;
	}
	if (n > 0 && matches[0].score > 0) {
		*match = matches[0];
		return matches[0].format;
	}
	unrecognised(err, path, head, matches, n);
	return NULL;
}

enum framing recognise_framing(const struct format_set *set, struct reader *r,
			       const struct format *f)
{
	size_t n = format_set_count(set);
	struct format_match *matches = xcalloc(n + 1, sizeof(*matches));
	enum framing framing = format_framing(f);

	n = format_detect(set, recognise_head(r), matches, n);
	for (size_t i = 0; i < n; i++)
		if (matches[i].format == f && matches[i].score > 0)
			framing = matches[i].framing;
	free(matches);
	return framing;
}

bool recognise_usable(const struct format *f, const char *path, struct error *err)
{
	struct sv refusal = format_refusal(f);

	if (sv_empty(refusal))
		return true;
	return error_set(err, ERROR_UNRECOGNISED, 0, "%.200s: %.*s", path, SV_ARG(refusal));
}

const struct format *recognise_name(const struct format_set *set, const char *name,
				    struct error *err)
{
	const struct format *f = format_find(set, sv_cstr(name));
	size_t n = format_set_count(set);
	struct arena names_arena = { 0 };
	const char **names;
	const char *nearest;

	if (f != NULL)
		return f;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = arena_sv(&names_arena, format_name(format_set_at(set, i))).p;
	nearest = nearest_word(sv_cstr(name), names, n);
	error_set(err, ERROR_USAGE, 0,
		  "there is no format %.80s%s%s%s (`pinwatch formats` lists them)", name,
		  nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
		  nearest != NULL ? "?" : "");
	free(names);
	arena_free(&names_arena);
	return NULL;
}
