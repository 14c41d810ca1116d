#include "conf/conf.h"

#include <stdio.h>

#include "conf/assign.h"
#include "conf/node.h"
#include "conf/options.h"

#define MAX_PATH_TEXT 256
#define MAX_RECOGNISED (1024u * 1024u)

struct loader {
	struct conf *c;
	struct error *err;
};

void conf_defaults(struct conf *c)
{
	*c = (struct conf){ 0 };
	c->_origins = arena_alloc(&c->_arena, option_count * sizeof(*c->_origins));
	for (size_t i = 0; i < option_count; i++)
		if (!option_of_source(&option_table[i]))
			option_assign_default(&option_table[i], c, &c->_arena);
}

void conf_free(struct conf *c)
{
	struct arena a = c->_arena; /* may not free the memory it stands in */

	arena_free(&a);
	*c = (struct conf){ 0 };
}

static bool unknown_key(const struct loader *l, const struct node *n, struct sv section,
			struct sv path)
{
	struct sv near = option_nearest(path), key = sv_first(n->key, 80);
	const struct option *flat = option_find(n->key);

	if (flat != NULL && section.n == 0) {
		struct sv leaf = option_leaf(flat);
		return node_key_error(l->err, n, "unknown key `%.*s`: write `%.*s` below `%.*s`",
				      SV_ARG(key), SV_ARG(leaf),
				      SV_ARG(sv_first(n->key, n->key.n - leaf.n - 1)));
	}
	if (sv_starts(near, section))
		near = sv_skip(near, section.n);
	if (near.n > 0)
		return node_key_error(l->err, n, "unknown key `%.*s`: did you mean `%.*s`?",
				      SV_ARG(key), SV_ARG(near));
	return node_key_error(l->err, n,
			      "unknown key `%.*s`%s%.*s: see pinwatch check-config --reference",
			      SV_ARG(key), section.n > 0 ? " in " : "",
			      SV_ARG(sv_first(section, section.n > 0 ? section.n - 1 : 0)));
}

static bool read_sources(const struct loader *l, const struct node *list);

/* section: what the paths of its members begin with, the last dot included. */
static bool read_section(const struct loader *l, const struct node *map, struct sv section,
			 void *record, struct conf_origin *origins)
{
	char text[MAX_PATH_TEXT];

	for (const struct node *n = map->first; n != NULL; n = n->next) {
		int length = snprintf(text, sizeof(text), "%.*s%.*s", SV_ARG(section),
				      SV_ARG(sv_first(n->key, 80)));
		struct sv path = sv_make(text, (size_t)length);
		bool nested =
		    sv_find_char(n->key, '.') != SIZE_MAX || sv_find_char(n->key, '[') != SIZE_MAX;
		const struct option *o = nested || n->key.n > 80 ? NULL : option_find(path);

		if (o != NULL) {
			if (!option_assign(o, n, l->c->dir, record, &l->c->_arena, l->err))
				return false;
			origins[option_index(o)] =
			    (struct conf_origin){ n->file,
						  n->key_line > 0 ? n->key_line : n->line };
		} else if (section.n == 0 && sv_eq(n->key, SV("sources"))) {
			if (!read_sources(l, n))
				return false;
		} else if (!nested && option_is_section(path)) {
			if (n->kind != NODE_MAP && n->kind != NODE_NULL)
				return node_error(l->err, n,
						  "`%.*s` is a section: expected `name: value` "
						  "lines below it, not %s",
						  SV_ARG(path), node_kind_name(n));
			text[length++] = '.';
			if (!read_section(l, n, sv_make(text, (size_t)length), record, origins))
				return false;
		} else {
			return unknown_key(l, n, section, path);
		}
	}
	return true;
}

static struct conf_source *source_named(struct conf_source *sources, size_t n, struct sv name)
{
	for (size_t i = 0; i < n; i++)
		if (sv_eq(sources[i].name, name))
			return &sources[i];
	return NULL;
}

static bool has_input(const struct conf_source *s)
{
	return s->path.n > 0 || s->drop.n > 0 || s->listen.n > 0 || s->ingest || s->interface.n > 0;
}

uint16_t *conf_tls_ports(const struct conf *c, size_t *n)
{
	uint16_t *ports = xcalloc(c->tls_ports.n + c->listeners.n, sizeof(*ports));

	*n = 0;
	for (size_t i = 0; i < c->tls_ports.n; i++)
		ports[(*n)++] = c->tls_ports.items[i];
	for (size_t i = 0; i < c->listeners.n; i++)
		ports[(*n)++] = c->listeners.items[i].port;
	return ports;
}

bool conf_listen(struct sv text, enum conf_transport *transport, struct conf_endpoint *at)
{
	static const struct sv schemes[] = { { "udp://", 6 }, { "tcp://", 6 }, { "tls://", 6 } };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (sv_starts(text, schemes[i])) {
			*transport = (enum conf_transport)i;
			return addr_parse_port(sv_skip(text, 6), &at->ip, &at->port) &&
			       at->port != 0;
		}
	return false;
}

static bool check_listen(const struct loader *l, const struct node *n, const struct conf_source *s)
{
	enum conf_transport transport;
	struct conf_endpoint at;

	for (size_t i = 0; i < s->listen.n; i++)
		if (!conf_listen(s->listen.items[i], &transport, &at))
			return node_error(l->err, n,
					  "source `%.*s`: listen: expected udp://ADDRESS:PORT, "
					  "tcp://ADDRESS:PORT or "
					  "tls://ADDRESS:PORT; not `%.*s`",
					  SV_ARG(s->name),
					  SV_ARG(sv_first(s->listen.items[i], 80)));
	return true;
}

/* Packets come from an interface or from capture files; records come otherwise. */
static const char *wire_fault(const struct conf_source *s)
{
	bool pushed = s->listen.n > 0 || s->ingest;

	if (s->interface.n > 0 && s->kind != CONF_KIND_WIRE)
		return "`interface:` captures packets: write `kind: wire` beside it";
	if (s->kind == CONF_KIND_WIRE && pushed)
		return "`kind: wire` reads packets, not pushed records: leave out `listen:` and "
		       "`ingest:`, or give them a source of their own";
	if (s->interface.n > 0 && (s->path.n > 0 || s->drop.n > 0))
		return "`interface:` and files are two sources: give the files one of their own";
	return NULL;
}

static bool read_source(const struct loader *l, const struct node *n, struct conf_source *s)
{
	struct arena *a = &l->c->_arena;

	if (n->kind != NODE_MAP)
		return node_error(
		    l->err, n,
		    "expected a source, a section with `name:`, `kind:` and `path:`; not %s",
		    node_kind_name(n));
	*s = (struct conf_source){ .file = n->file, .line = n->line };
	s->_origins = arena_alloc(a, option_count * sizeof(*s->_origins));
	for (size_t i = 0; i < option_count; i++)
		if (option_of_source(&option_table[i]))
			option_assign_default(&option_table[i], s, a);
	if (!read_section(l, n, SV(OPTION_SOURCE_PREFIX), s, s->_origins))
		return false;
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].required && s->_origins[i].file == NULL)
			return node_error(l->err, n, "a source needs `%.*s`: %s",
					  SV_ARG(option_leaf(&option_table[i])),
					  option_table[i].description);
	if (!has_input(s))
		return node_error(
		    l->err, n,
		    "source `%.*s` has nothing to read: write `path:` with a file, folder or glob, "
		    "or for the daemon `drop:`, `listen:`, `interface:` or `ingest: true`",
		    SV_ARG(s->name));
	if (wire_fault(s) != NULL)
		return node_error(l->err, n,
				  "source `%.*s`: expected records or packets, of one kind: %s",
				  SV_ARG(s->name), wire_fault(s));
	return check_listen(l, n, s);
}

static bool read_sources(const struct loader *l, const struct node *list)
{
	struct conf *c = l->c;
	size_t count = 0;

	if (list->kind == NODE_NULL)
		return true;
	if (list->kind != NODE_LIST)
		return node_error(
		    l->err, list,
		    "`sources` is a list: expected items that begin with `- name: …`, not %s",
		    node_kind_name(list));
	if (list->n > CONF_MAX_SOURCES)
		return node_error(l->err, list, "more than %d sources", CONF_MAX_SOURCES);
	c->sources = arena_alloc(&c->_arena, list->n * sizeof(*c->sources));
	for (const struct node *n = list->first; n != NULL; n = n->next) {
		struct conf_source *s = &c->sources[count], *twin;
		if (!read_source(l, n, s))
			return false;
		twin = source_named(c->sources, count, s->name);
		if (twin != NULL)
			return node_error(l->err, node_member(n, SV("name")),
					  "two sources are named `%.*s`, the other in line %u: "
					  "write another name",
					  SV_ARG(s->name), twin->line);
		c->n_sources = ++count;
	}
	return true;
}

bool conf_load_text(struct conf *c, struct sv yaml, const char *path, struct error *err)
{
	struct loader l = { c, err };
	const struct node *root;
	const char *slash = strrchr(path, '/');

	conf_defaults(c);
	c->file = arena_sv(&c->_arena, sv_cstr(path));
	if (slash != NULL)
		c->dir =
		    arena_sv(&c->_arena, sv_make(path, slash > path ? (size_t)(slash - path) : 1));
	if (!node_read(yaml, path, &c->_arena, &root, err))
		goto failed;
	if (root->kind != NODE_MAP && root->kind != NODE_NULL) {
		node_error(err, root,
			   "a configuration begins with sections such as `analytic:` and "
			   "`sources:`, not with %s",
			   node_kind_name(root));
		goto failed;
	}
	if (!read_section(&l, root, SV_NONE, c, c->_origins))
		goto failed;
	return true;
failed:
	conf_free(c);
	conf_defaults(c);
	return false;
}

bool conf_load(struct conf *c, const char *path, struct error *err)
{
	struct arena a = { 0 };
	struct sv bytes;
	bool ok = node_read_file(path, &a, &bytes, err);

	if (ok)
		ok = conf_load_text(c, bytes, path, err);
	else
		conf_defaults(c);
	arena_free(&a);
	return ok;
}

/* The one option with this last name, not a source's. */
static const struct option *option_by_leaf(struct sv name)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		if (option_of_source(o) || !sv_eq(option_leaf(o), name))
			continue;
		if (found != NULL)
			return NULL;
		found = o;
	}
	return found;
}

/* `sources[2].idle` or `sources.proxy.idle`. */
static bool find_source(struct conf *c, struct sv path, struct conf_source **source,
			const struct option **o, struct error *err)
{
	char full[MAX_PATH_TEXT];
	struct sv which, name = path;
	bool numbered = path.p[7] == '[';
	uint64_t number;

	while (name.n > 0 && name.p[name.n - 1] != '.')
		name.n--;
	which = sv_skip(sv_first(path, name.n > 0 ? name.n - 1 : 0), 8);
	if (numbered && sv_ends(which, SV("]")) &&
	    sv_to_u64(sv_first(which, which.n - 1), &number) && number < c->n_sources)
		*source = &c->sources[number];
	else if (!numbered)
		*source = source_named(c->sources, c->n_sources, which);
	if (*source == NULL)
		return error_set(err, ERROR_CONFIG, 0,
				 "--set: no such source in `%.*s`: write sources.NAME.option or "
				 "sources[0].option; the configuration has %zu",
				 SV_ARG(sv_first(path, 80)), c->n_sources);
	snprintf(full, sizeof(full), OPTION_SOURCE_PREFIX "%.*s",
		 SV_ARG(sv_first(sv_skip(path, name.n), 80)));
	*o = option_find(sv_cstr(full));
	return true;
}

static bool set_value(struct conf *c, const struct option *o, struct conf_source *source,
		      struct sv value, struct error *err)
{
	struct conf_source changed = source != NULL ? *source : (struct conf_source){ 0 };
	struct conf_origin *origins = source != NULL ? source->_origins : c->_origins;
	void *record = source != NULL ? (void *)&changed : (void *)c;
	const struct node *n = node_scalar(value, "--set", &c->_arena);
	struct node nothing = *n;

	nothing.kind = NODE_NULL;
	if (option_is_list(o->type) && value.n == 0)
		n = &nothing;
	else if (option_is_list(o->type) &&
		 ((value.p[0] == '[' && sv_ends(value, SV("]"))) ||
		  (value.p[0] == '{' && sv_ends(value, SV("}")))) &&
		 !node_read(value, "--set", &c->_arena, &n, err))
		return false;
	if (!option_assign(o, n, SV_NONE, record, &c->_arena, err))
		return false;
	if (source != NULL) {
		struct conf_source *twin = source_named(c->sources, c->n_sources, changed.name);
		if (twin != NULL && twin != source)
			return error_set(
			    err, ERROR_CONFIG, 0,
			    "--set: another source is named `%.*s` already: write another name",
			    SV_ARG(changed.name));
		if (!has_input(&changed))
			return error_set(err, ERROR_CONFIG, 0,
					 "--set: a source needs something to read: write a path, a "
					 "file, folder or glob");
		if (wire_fault(&changed) != NULL)
			return error_set(
			    err, ERROR_CONFIG, 0,
			    "--set: source `%.*s`: expected records or packets, of one kind: %s",
			    SV_ARG(changed.name), wire_fault(&changed));
		*source = changed;
	}
	origins[option_index(o)] = (struct conf_origin){ "--set", 0 };
	return true;
}

bool conf_set(struct conf *c, const char *assignment, struct error *err)
{
	struct sv value, path = sv_trim(sv_cut(sv_cstr(assignment), '=', &value)), near;
	struct conf_source *source = NULL;
	const struct option *o = NULL;

	if (value.p == NULL || path.n == 0)
		return error_set(
		    err, ERROR_USAGE, 0,
		    "--set %.80s: expected path=value, for example analytic.TimeWindow=5m",
		    assignment);
	value = sv_trim(value);
	if (path.n > 8 && (sv_starts(path, SV("sources.")) || sv_starts(path, SV("sources[")))) {
		if (!find_source(c, path, &source, &o, err))
			return false;
	} else {
		o = option_find(path);
		if (o == NULL)
			o = option_by_leaf(path);
	}
	if (o != NULL)
		return set_value(c, o, source, value, err);
	if (option_is_section(path) || sv_eq(path, SV("sources")))
		return error_set(err, ERROR_CONFIG, 0,
				 "--set: `%.*s` is no option, but has some: expected %s",
				 SV_ARG(path),
				 sv_eq(path, SV("sources"))
				     ? "sources.NAME.option, for example sources.proxy.max_lag"
				     : "one by name (`pinwatch check-config` shows them)");
	near = option_nearest(path);
	return error_set(err, ERROR_CONFIG, 0, "--set: unknown option `%.*s`%s%.*s%s",
			 SV_ARG(sv_first(path, 80)), near.n > 0 ? ": did you mean `" : "",
			 SV_ARG(near),
			 near.n > 0 ? "`?" : ": see pinwatch check-config --reference");
}

static bool is_entry(const struct node *n)
{
	const struct node *app = node_member(n, SV("app"));
	const struct node *destination = node_member(n, SV("destination"));

	return (app != NULL && app->kind == NODE_SCALAR) ||
	       (destination != NULL && destination->kind == NODE_SCALAR);
}

static enum conf_document document_kind(const struct node *root)
{
	if (root->flow) /* JSON is YAML, too */
		return CONF_DOCUMENT_NONE;
	if (root->kind == NODE_LIST)
		return root->first != NULL && !root->first->flow && is_entry(root->first)
			   ? CONF_DOCUMENT_LIST
			   : CONF_DOCUMENT_NONE;
	for (const struct node *n = root->kind == NODE_MAP ? root->first : NULL; n != NULL;
	     n = n->next)
		if (option_is_section(n->key) || sv_eq(n->key, SV("sources")) ||
		    option_find(n->key) != NULL)
			return CONF_DOCUMENT_CONFIGURATION;
	return CONF_DOCUMENT_NONE;
}

enum conf_document conf_recognise(struct sv bytes)
{
	enum conf_document kind = CONF_DOCUMENT_NONE;
	struct arena a = { 0 };
	const struct node *root;
	struct error err;

	if (bytes.n <= MAX_RECOGNISED && node_read(bytes, "", &a, &root, &err))
		kind = document_kind(root);
	arena_free(&a);
	return kind;
}
