#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/builtin.h"
#include "parse/format.h"

struct format_set {
	struct format **formats; /* sorted by name */
	size_t n;
	/* Replaced formats stay: others may be like them, and parsers may run them. */
	struct format **replaced;
	size_t n_replaced;
};

static const struct format *find_in(const void *context, struct sv name)
{
	return format_find(context, name);
}

static void insert(struct format_set *set, struct format *f)
{
	size_t at = 0;

	while (at < set->n && sv_cmp(set->formats[at]->name, f->name) < 0)
		at++;
	if (at < set->n && sv_eq(set->formats[at]->name, f->name)) {
		set->replaced = xrealloc(set->replaced, set->n_replaced + 1, sizeof(f));
		set->replaced[set->n_replaced++] = set->formats[at];
		set->formats[at] = f;
		return;
	}
	set->formats = xrealloc(set->formats, set->n + 1, sizeof(f));
	memmove(set->formats + at + 1, set->formats + at, (set->n - at) * sizeof(f));
	set->formats[at] = f;
	set->n++;
}

bool format_set_add_text(struct format_set *set, const char *name, struct sv yaml,
			 struct error *err)
{
	struct format *f = format_compile(name, yaml, find_in, set, err);

	if (f == NULL)
		return false;
	insert(set, f);
	return true;
}

struct format_set *format_set_builtin(struct error *err)
{
	struct format_set *set = xcalloc(1, sizeof(*set));

	/* In the order of the generated list: a format stands behind the one it is like. */
	for (size_t i = 0; i < builtin_formats_count; i++)
		if (!format_set_add_text(set, builtin_formats[i].name,
					 sv_make(builtin_formats[i].text, builtin_formats[i].size),
					 err)) {
			format_set_free(set);
			return NULL;
		}
	return set;
}

void format_set_free(struct format_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n; i++)
		format_free(set->formats[i]);
	for (size_t i = 0; i < set->n_replaced; i++)
		format_free(set->replaced[i]);
	free(set->formats);
	free(set->replaced);
	free(set);
}

static bool read_file(const char *path, struct buf *text, struct error *err)
{
	FILE *f = fopen(path, "rb");
	char block[16384];
	size_t n;

	if (f == NULL)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read: %s", path, strerror(errno));
	buf_reset(text);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_append(text, block, n);
	n = (size_t)ferror(f);
	fclose(f);
	if (n != 0)
		return error_set(err, ERROR_IO, 0, "%s: cannot be read to its end", path);
	return !text->overflowed ||
	       error_set(err, ERROR_CONFIG, 0, "%s: a format file has at most %u bytes", path,
			 YFILE_MAX_BYTES);
}

static int is_yaml(const struct dirent *entry)
{
	return sv_ends(sv_cstr(entry->d_name), SV(".yaml")) && entry->d_name[0] != '.';
}

bool format_set_add_dir(struct format_set *set, const char *dir, struct error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_yaml, alphasort);
	struct buf text;
	bool ok = true;

	if (n < 0)
		return error_set(err, ERROR_IO, 0, "%s: expected a folder with format files: %s",
				 dir, strerror(errno));
	buf_init(&text, YFILE_MAX_BYTES);
	for (int i = 0; i < n; i++) {
		char path[4096];
		int length = snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);

		if (ok && (length < 0 || (size_t)length >= sizeof(path)))
			ok = error_set(err, ERROR_IO, 0,
				       "%s: the path is too long: move the folder", dir);
		ok = ok && read_file(path, &text, err) &&
		     format_set_add_text(set, path, buf_view(&text), err);
		free(entries[i]);
	}
	free(entries);
	buf_free(&text);
	return ok;
}

size_t format_set_count(const struct format_set *set) { return set->n; }
const struct format *format_set_at(const struct format_set *set, size_t i)
{
	return set->formats[i];
}

const struct format *format_find(const struct format_set *set, struct sv name)
{
	for (size_t i = 0; i < set->n; i++)
		if (sv_eq(set->formats[i]->name, name))
			return set->formats[i];
	return NULL;
}

struct sv format_name(const struct format *f) { return f->name; }
struct sv format_title(const struct format *f) { return f->title; }
bool format_has_conversations(const struct format *f) { return f->conversation != NULL; }
struct sv format_refusal(const struct format *f) { return f->refusal; }
enum framing format_framing(const struct format *f) { return f->framing; }
enum sensor_kind format_sensor(const struct format *f) { return f->sensor; }
struct sv format_source(const struct format *f) { return f->source; }
