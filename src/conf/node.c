#include "conf/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buf.h"

struct builder {
	struct node *stack[NODE_MAX_DEPTH];
	struct node *last[NODE_MAX_DEPTH]; /* newest child of each */
	size_t depth;
	struct node *pending; /* member whose key was read and whose value comes next */
	struct node *root;
	size_t n_nodes;
	const char *file;
	struct arena *a;
	struct error *err;
};

static bool error_at(struct error *err, const char *file, uint32_t line, uint32_t column,
		     const char *fmt, va_list args)
{
	char message[700];

	vsnprintf(message, sizeof(message), fmt, args);
	if (line == 0)
		return error_set(err, ERROR_CONFIG, 0, "%.200s: %s", file, message);
	return error_set(err, ERROR_CONFIG, line, "%.200s:%u:%u: %s", file, line, column, message);
}

bool node_error(struct error *err, const struct node *n, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_at(err, n->file, n->line, n->column, fmt, args);
	va_end(args);
	return false;
}

bool node_key_error(struct error *err, const struct node *n, const char *fmt, ...)
{
	bool keyed = n->key_line > 0;
	va_list args;

	va_start(args, fmt);
	error_at(err, n->file, keyed ? n->key_line : n->line, keyed ? n->key_column : n->column,
		 fmt, args);
	va_end(args);
	return false;
}

static bool mark_error(struct builder *b, yaml_mark_t mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool mark_error(struct builder *b, yaml_mark_t mark, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_at(b->err, b->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1, fmt, args);
	va_end(args);
	return false;
}

static void place(struct node *n, const struct builder *b, yaml_mark_t mark)
{
	n->file = b->file;
	n->line = (uint32_t)mark.line + 1;
	n->column = (uint32_t)mark.column + 1;
}

static struct node *open_map(const struct builder *b)
{
	struct node *top = b->depth > 0 ? b->stack[b->depth - 1] : NULL;

	return top != NULL && top->kind == NODE_MAP ? top : NULL;
}

static void append(struct builder *b, struct node *n)
{
	size_t top = b->depth - 1;

	if (b->last[top] == NULL)	  /* libyaml ends no list or map that it has not begun */
		b->stack[top]->first = n; /* NOLINT(clang-analyzer-core.NullDereference) */
	else
		b->last[top]->next = n;
	b->last[top] = n;
	b->stack[top]->n++;
}

/* The node that the coming value fills: the member whose key was read, a new list item, the
 * root. */
static struct node *value_node(struct builder *b, yaml_mark_t mark)
{
	struct node *n = b->pending;

	if (open_map(b) != NULL && n == NULL) {
		mark_error(b, mark, "expected a plain word as key");
		return NULL;
	}
	if (n == NULL) {
		if (++b->n_nodes > NODE_MAX_NODES) {
			mark_error(b, mark, "too large: more than %u values", NODE_MAX_NODES);
			return NULL;
		}
		n = arena_alloc(b->a, sizeof(*n));
		if (b->depth > 0)
			append(b, n);
		else
			b->root = n;
	}
	b->pending = NULL;
	place(n, b, mark);
	return n;
}

static bool read_key(struct builder *b, struct node *map, const yaml_event_t *e)
{
	struct sv key = sv_make((const char *)e->data.scalar.value, e->data.scalar.length);
	const struct node *old = node_member(map, key);
	struct node *n;

	if (sv_eq(key, SV("<<")))
		return mark_error(b, e->start_mark,
				  "merge keys (<<) are not supported: write the values out");
	if (old != NULL)
		return mark_error(b, e->start_mark,
				  "`%.*s` is given twice, first in line %u: leave one out",
				  SV_ARG(key), old->key_line);
	if (map->n >= NODE_MAX_KEYS || ++b->n_nodes > NODE_MAX_NODES)
		return mark_error(b, e->start_mark, "too many keys: at most %u in one section",
				  NODE_MAX_KEYS);
	n = arena_alloc(b->a, sizeof(*n));
	n->key = arena_sv(b->a, key);
	n->key_line = (uint32_t)e->start_mark.line + 1;
	n->key_column = (uint32_t)e->start_mark.column + 1;
	append(b, n);
	b->pending = n;
	return true;
}

static bool is_null(struct sv text)
{
	return text.n == 0 || sv_eq(text, SV("~")) || sv_eq(text, SV("null")) ||
	       sv_eq(text, SV("Null")) || sv_eq(text, SV("NULL"));
}

static bool read_scalar(struct builder *b, const yaml_event_t *e)
{
	struct sv text = sv_make((const char *)e->data.scalar.value, e->data.scalar.length);
	bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct node *map = open_map(b), *n;

	if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
		return mark_error(b, e->start_mark,
				  "anchors (&) and tags (!) are not supported here: quote the "
				  "value if it begins with one of these");
	if (memchr(text.p, 0, text.n) != NULL)
		return mark_error(b, e->start_mark, "a value may not hold a NUL byte");
	if (map != NULL && b->pending == NULL)
		return read_key(b, map, e);
	n = value_node(b, e->start_mark);
	if (n == NULL)
		return false;
	n->kind = plain && is_null(text) ? NODE_NULL : NODE_SCALAR;
	n->text = arena_sv(b->a, text);
	return true;
}

static bool read_open(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
	bool map = kind == NODE_MAP;
	struct node *n;

	if ((map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor) != NULL ||
	    (map ? e->data.mapping_start.tag : e->data.sequence_start.tag) != NULL)
		return mark_error(b, e->start_mark,
				  "anchors (&) and tags (!) are not supported here");
	if (b->depth == NODE_MAX_DEPTH)
		return mark_error(b, e->start_mark, "nested deeper than the %d levels allowed",
				  NODE_MAX_DEPTH);
	n = value_node(b, e->start_mark);
	if (n == NULL)
		return false;
	n->kind = kind;
	n->flow = map ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
		      : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	b->stack[b->depth] = n;
	b->last[b->depth] = NULL;
	b->depth++;
	return true;
}

static bool read_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->root != NULL)
			return mark_error(b, e->start_mark,
					  "a second document begins here: only one is read");
		return true;
	case YAML_SCALAR_EVENT:
		return read_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return read_open(b, e, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return read_open(b, e, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		return mark_error(b, e->start_mark,
				  "aliases (*) are not supported here: quote the value if it "
				  "begins with an asterisk, or write it out");
	default:
		return true;
	}
}

bool node_read(struct sv yaml, const char *file, struct arena *a, const struct node **out,
	       struct error *err)
{
	struct builder b = { .a = a, .err = err, .file = arena_sv(a, sv_cstr(file)).p };
	bool end = false, ok = true;
	yaml_parser_t parser;

	if (yaml.n > NODE_MAX_BYTES)
		return error_set(err, ERROR_CONFIG, 0, "%.200s: larger than %u MiB", file,
				 NODE_MAX_BYTES >> 20);
	if (yaml_parser_initialize(&parser) == 0)
		return error_set(err, ERROR_IO, 0, "%.200s: out of memory", file);
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
	while (ok && !end) {
		yaml_event_t event;
		if (yaml_parser_parse(&parser, &event) == 0) {
			yaml_mark_t mark = parser.problem_mark;
			ok = mark_error(&b, mark, "not valid YAML: %s%s%s",
					parser.problem != NULL ? parser.problem : "unreadable",
					parser.context != NULL ? ", " : "",
					parser.context != NULL ? parser.context : "");
			break;
		}
		ok = read_event(&b, &event);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (!ok)
		return false;
	if (b.root == NULL) {
		b.root = arena_alloc(a, sizeof(*b.root));
		b.root->file = b.file;
		b.root->line = b.root->column = 1;
	}
	*out = b.root;
	return true;
}

bool node_read_file(const char *path, struct arena *a, struct sv *bytes, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	struct buf b;
	bool ok = true;

	if (fd < 0)
		return error_set(err, ERROR_CONFIG, 0, "%.300s: cannot be read: %s", path,
				 strerror(errno));
	buf_init(&b, NODE_MAX_BYTES);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ok = error_set(err, ERROR_CONFIG, 0, "%.300s: cannot be read: %s", path,
				       strerror(errno));
		if (n <= 0)
			break;
		if (!buf_append(&b, chunk, (size_t)n)) {
			ok = error_set(err, ERROR_CONFIG, 0, "%.300s: larger than %u MiB", path,
				       NODE_MAX_BYTES >> 20);
			break;
		}
	}
	if (ok)
		*bytes = arena_sv(a, buf_view(&b));
	buf_free(&b);
	close(fd);
	return ok;
}

const struct node *node_scalar(struct sv text, const char *file, struct arena *a)
{
	struct node *n = arena_alloc(a, sizeof(*n));

	n->kind = NODE_SCALAR;
	n->text = arena_sv(a, text);
	n->file = arena_sv(a, sv_cstr(file)).p;
	return n;
}

const struct node *node_member(const struct node *map, struct sv key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (const struct node *n = map->first; n != NULL; n = n->next)
		if (sv_eq(n->key, key))
			return n;
	return NULL;
}

const char *node_kind_name(const struct node *n)
{
	switch (n->kind) {
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a section";
	case NODE_SCALAR:
		return "a single value";
	case NODE_NULL:
		break;
	}
	return "nothing";
}
