#include "serve/file_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "scan/capture.h"
#include "scan/recognise.h"

/* Parsers kept of an input; the least used one goes. Files that are written to at once are
 * fewer. */
#define MAX_PARSERS 64

static void close_parser(struct file_parser *f)
{
	parser_free(f->parser);
	f->parser = NULL;
}

void file_parsers_free(struct live_input *x)
{
	for (size_t i = 0; i < x->n_parsers; i++)
		close_parser(&x->parsers[i]);
	free(x->parsers);
	x->parsers = NULL;
	x->n_parsers = 0;
}

struct file_parser *file_parser_find(struct live_input *x, uint64_t file)
{
	for (size_t i = 0; i < x->n_parsers; i++)
		if (x->parsers[i].file == file)
			return &x->parsers[i];
	return NULL;
}

static struct file_parser *new_parser(struct live_input *x)
{
	struct file_parser *least;

	if (x->n_parsers < MAX_PARSERS) {
		x->parsers = xrealloc(x->parsers, x->n_parsers + 1, sizeof(*x->parsers));
		return &x->parsers[x->n_parsers++];
	}
	least = &x->parsers[0];
	for (size_t i = 1; i < x->n_parsers; i++)
		if (x->parsers[i].used < least->used)
			least = &x->parsers[i];
	close_parser(least);
	return least;
}

/* The source's own word, or what was told of it before a restart (of pushed records there is no
 * head). */
static const struct format *told_format(const struct live_input *x)
{
	const struct conf_source *c = x->source->conf;

	if (c != NULL && !sv_empty(c->interface))
		return format_find(x->intake->formats,
				   SV("canonical")); /* as the capture writes them */
	if (c != NULL && !sv_empty(c->format) && !sv_eq(c->format, SV("auto")))
		return format_find(x->intake->formats, c->format);
	if (x->kind == LIVE_SPOOL && !sv_empty(x->source->counts.format))
		return format_find(x->intake->formats, x->source->counts.format);
	return NULL;
}

static void recognise_head_of(struct live_input *x, struct file_parser *f, struct sv path,
			      struct sv head)
{
	struct reader *r = reader_on_bytes(head, &(struct reader_options){ 0 });
	struct format_match match = { 0 };
	struct error err = { 0 };
	char name[512];

	snprintf(name, sizeof(name), "%.*s", SV_ARG(sv_first(path, 400)));
	f->format = told_format(x);
	if (f->format != NULL) {
		f->framing = recognise_framing(x->intake->formats, r, f->format);
	} else {
		f->format = recognise(x->intake->formats, r, name, &match, &err);
		f->framing = match.framing;
	}
	if (f->format != NULL && !recognise_usable(f->format, name, &err))
		f->format = NULL;
	if (f->format == NULL)
		snprintf(f->why, sizeof(f->why), "%.*s", 500, err.message);
	reader_close(r);
}

static void make_parser(struct live_input *x, struct file_parser *f, struct sv path)
{
	const struct conf_source *c = x->source->conf;
	struct parser_options options = {
		.date = x->intake->wall,
	};
	uint16_t *ports = conf_tls_ports(x->intake->conf, &options.n_tls_ports);
	struct error err;
	struct stat st;
	char name[4096];

	snprintf(name, sizeof(name), "%.*s", SV_ARG(sv_first(path, sizeof(name) - 1)));
	if (x->kind != LIVE_SPOOL && stat(name, &st) == 0)
		options.date.ns = (int64_t)st.st_mtime * NS_PER_S;
	if (c != NULL) {
		options.zone = zone_offset(&c->timezone, options.date);
		options.vantage = (enum vantage)c->vantage;
		options.ignore_hosts = c->ignore_hosts.items;
		options.n_ignore_hosts = c->ignore_hosts.n;
		if (instant_known(c->date))
			options.date = c->date;
	}
	/* Times of day alone are told from the file's end backwards; what comes later runs on from
	 * there. */
	if (x->kind != LIVE_SPOOL)
		parser_midnights(f->format, name, f->framing, &options.midnights, &err);
	options.tls_ports = ports;
	f->parser = parser_new(f->format, &options);
	free(ports);
}

struct file_parser *file_parser_begin(struct live_input *x, uint64_t file, struct sv path,
				      struct sv head, bool resumed)
{
	struct file_parser *f = file_parser_find(x, file);

	if (f != NULL)
		close_parser(f);
	else
		f = new_parser(x);
	*f = (struct file_parser){
		.file = file,
		.number = keeper_file(x->intake->keeper, path),
		.newest = INT64_MIN,
		.first = INT64_MAX,
		.resumed = resumed,
		.used = ++x->_uses,
	};
	recognise_head_of(x, f, path, head);
	if (f->format == NULL)
		return f;
	x->source->counts.format = format_name(f->format);
	make_parser(x, f, path);
	return f;
}

struct file_parser *file_parser_capture(struct live_input *x, uint64_t file, struct sv path)
{
	struct file_parser *f = file_parser_find(x, file);

	if (f == NULL) {
		f = new_parser(x);
		*f = (struct file_parser){
			.file = file,
			.number = keeper_file(x->intake->keeper, path),
			.newest = INT64_MIN,
			.first = INT64_MAX,
		};
		x->source->counts.format = CAPTURE_FORMAT;
	}
	f->used = ++x->_uses;
	f->touched = true;
	return f;
}

/* Headings: what comes before the first record that says something. */
static void feed(struct file_parser *f, struct reader *r, uint64_t before, bool heading_only)
{
	const struct observation *seen;
	struct error err;
	struct sv record;
	enum read_result got;
	size_t n;

	while ((got = reader_next(r, &record, &err)) == READ_RECORD || got == READ_OVERLONG) {
		if (reader_line(r) >= before)
			break;
		if (got == READ_RECORD &&
		    parser_run(f->parser, record, &seen, &n, &err) == PARSE_OBSERVATIONS &&
		    heading_only)
			break;
	}
	reader_close(r);
}

void file_parser_catch_up(struct live_input *x, struct file_parser *f, struct sv path,
			  uint64_t line)
{
	struct reader_options options = { .framing = f->framing,
					  .max_record = x->intake->conf->max_record };
	struct reader *r;
	struct error err;
	char name[4096];

	f->fed = true;
	if (f->parser == NULL || x->kind == LIVE_SPOOL)
		return;
	snprintf(name, sizeof(name), "%.*s", SV_ARG(sv_first(path, sizeof(name) - 1)));
	r = reader_open(name, &options, &err);
	/* Connections that are told by several lines want them all, others the heading. */
	if (r != NULL)
		feed(f, r, line, !format_has_conversations(f->format));
}
