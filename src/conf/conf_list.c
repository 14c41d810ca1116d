#include "conf/conf_list.h"

#include <stdlib.h>

#include "conf/assign.h"
#include "conf/host.h"
#include "conf/nearest.h"
#include "conf/node.h"

#define MAX_TEXT 1000u
#define MAX_FILES 1000u

/* The list under construction. */
struct builder {
	enum allow_kind kind;
	struct arena *a;
	struct error *err;
	struct allow_entry *entries;
	size_t n, capacity;
	struct sv *files;
	size_t n_files;
};

static const char *list_name(enum allow_kind kind)
{
	return kind == ALLOW_APP ? "AllowedAppList" : "AllowedDestinationList";
}

static bool upper_or_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/* `ABCDE12345.com.acme.bank` and `.com.acme.bank` name com.acme.bank: an Apple team id is ten
 * upper-case letters and digits. */
static struct sv without_team(struct sv id)
{
	size_t i = 0;

	if (id.n > 0 && id.p[0] == '.')
		return sv_skip(id, 1);
	while (i < id.n && i < 10 && upper_or_digit(id.p[i]))
		i++;
	return i == 10 && id.n > 11 && id.p[10] == '.' ? sv_skip(id, 11) : id;
}

bool allow_pattern_app(struct sv text, struct arena *a, struct allow_pattern *out,
		       struct error *err)
{
	struct sv id = without_team(text), body = id;
	bool prefix = sv_ends(id, SV(".*"));

	if (prefix)
		body.n--; /* keeps the dot */
	for (size_t i = 0; i < body.n; i++) {
		char c = body.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '-' && c != '_')
			return error_set(
			    err, ERROR_CONFIG, 0,
			    c == '*' ? "`*` may stand only at the end, after a dot: com.vendor.*"
				     : "a bundle id holds letters, digits, dots and "
				       "hyphens only: com.acme.bank, or com.vendor.*");
	}
	if (body.n < (prefix ? 2 : 1) || body.n > 255 || body.p[0] == '.')
		return error_set(err, ERROR_CONFIG, 0,
				 "expected a bundle id such as com.acme.bank, or com.vendor.*");
	*out = (struct allow_pattern){ .kind = prefix ? PATTERN_PREFIX : PATTERN_EXACT,
				       .text = arena_sv(a, id) };
	out->match = sv_first(out->text, body.n);
	return true;
}

bool allow_pattern_destination(struct sv text, struct arena *a, struct allow_pattern *out,
			       struct error *err)
{
	struct allow_pattern p = { .kind = PATTERN_NETWORK };
	const char *wrong;

	if (cidr_parse(text, &p.network)) {
		p.text = p.match = arena_sv(a, text);
		*out = p;
		return true;
	}
	if (sv_starts(text, SV("*.")))
		text = sv_skip(text, 1);
	if (sv_find_char(text, '/') != SIZE_MAX)
		wrong =
		    "neither a host nor a network: expected bank.test, .bank.test or 192.0.2.0/24";
	else
		wrong = host_normalise(text, a, &p.match);
	if (wrong != NULL)
		return error_set(err, ERROR_CONFIG, 0, "%s", wrong);
	p.kind = p.match.p[0] == '.' ? PATTERN_SUFFIX : PATTERN_EXACT;
	p.text = p.match;
	*out = p;
	return true;
}

bool allow_pattern_holds(const struct allow_pattern *p, struct sv name, const struct addr *ip)
{
	struct addr parsed;

	switch (p->kind) {
	case PATTERN_EXACT:
		return sv_eq(name, p->match);
	case PATTERN_PREFIX:
		return sv_starts(name, p->match);
	case PATTERN_SUFFIX:
		return sv_ends(name, p->match) || sv_eq(name, sv_skip(p->match, 1));
	case PATTERN_NETWORK:
		if (ip != NULL && addr_known(ip))
			return cidr_holds(&p->network, ip);
		/* A destination may be known by its address alone. */
		return addr_parse(name, &parsed) && cidr_holds(&p->network, &parsed);
	}
	return false;
}

static bool read_pattern(struct builder *b, const struct node *n, bool app,
			 struct allow_pattern *out)
{
	struct error why;
	bool ok;

	if (n->kind != NODE_SCALAR || n->text.n == 0 || n->text.n > MAX_TEXT)
		return node_error(b->err, n, "expected %s, not %s",
				  app ? "a bundle id such as com.acme.bank"
				      : "a host, .suffix, address or network",
				  node_kind_name(n));
	ok = app ? allow_pattern_app(n->text, b->a, out, &why)
		 : allow_pattern_destination(n->text, b->a, out, &why);
	return ok ||
	       node_error(b->err, n, "`%.*s`: %s", SV_ARG(sv_first(n->text, 80)), why.message);
}

static bool read_only(struct builder *b, const struct node *n, struct allow_entry *e)
{
	size_t count = n->kind == NODE_LIST ? n->n : 1;
	const struct node *item = n->kind == NODE_LIST ? n->first : n;
	struct allow_pattern *only;

	if (count == 0 || n->kind == NODE_NULL)
		return node_error(b->err, n,
				  "`%.*s` names nothing: leave it out to allow all of them",
				  SV_ARG(n->key));
	if (count > ALLOW_MAX_ONLY)
		return node_error(b->err, n, "more than %u items", ALLOW_MAX_ONLY);
	only = arena_alloc(b->a, count * sizeof(*only));
	for (size_t i = 0; i < count; i++, item = item->next)
		if (!read_pattern(b, item, b->kind == ALLOW_DESTINATION, &only[i]))
			return false;
	e->only = only;
	e->n_only = count;
	return true;
}

static bool read_text(struct builder *b, const struct node *n, struct sv *out)
{
	if (n->kind == NODE_NULL)
		return true;
	if (n->kind != NODE_SCALAR || n->text.n > MAX_TEXT)
		return node_error(b->err, n, "%.*s: expected a text of at most %u bytes, not %s",
				  SV_ARG(n->key), MAX_TEXT,
				  n->kind == NODE_SCALAR ? "a longer one" : node_kind_name(n));
	*out = n->text;
	return true;
}

static bool read_expires(struct builder *b, const struct node *n, struct allow_entry *e)
{
	struct instant day;

	if (n->kind == NODE_NULL)
		return true;
	if (n->kind != NODE_SCALAR || !conf_date(n->text, &day))
		return node_error(b->err, n,
				  "expires: expected a date such as 2027-03-31, the last day (UTC) "
				  "on which the entry applies");
	e->expires_text = n->text;
	e->until = instant_add(day, (struct span){ NS_PER_DAY });
	return true;
}

static bool unknown_key(struct builder *b, const struct node *n)
{
	const char *known[] = { b->kind == ALLOW_APP ? "app" : "destination",
				b->kind == ALLOW_APP ? "destinations" : "apps",
				"owner",
				"reason",
				"ticket",
				"expires" };
	const char *near = nearest_word(n->key, known, sizeof(known) / sizeof(known[0]));

	if (sv_eq(n->key, SV("destination")) || sv_eq(n->key, SV("app")))
		return node_key_error(
		    b->err, n,
		    "`%.*s` does not belong in an entry of %s: write `%s` for what "
		    "is allowed and `%s` to narrow it",
		    SV_ARG(n->key), list_name(b->kind), known[0], known[1]);
	return node_key_error(b->err, n, "unknown key `%.*s` in an entry of %s%s%s%s",
			      SV_ARG(sv_first(n->key, 80)), list_name(b->kind),
			      near != NULL ? ": did you mean `" : "", near != NULL ? near : "",
			      near != NULL ? "`?" : "");
}

static bool read_member(struct builder *b, const struct node *n, struct allow_entry *e)
{
	bool apps = b->kind == ALLOW_APP;

	if (sv_eq(n->key, apps ? SV("app") : SV("destination")))
		return read_pattern(b, n, apps, &e->subject);
	if (sv_eq(n->key, apps ? SV("destinations") : SV("apps")))
		return read_only(b, n, e);
	if (sv_eq(n->key, SV("owner")))
		return read_text(b, n, &e->owner);
	if (sv_eq(n->key, SV("reason")))
		return read_text(b, n, &e->reason);
	if (sv_eq(n->key, SV("ticket")))
		return read_text(b, n, &e->ticket);
	if (sv_eq(n->key, SV("expires")))
		return read_expires(b, n, e);
	return unknown_key(b, n);
}

static bool read_entry(struct builder *b, const struct node *n)
{
	struct allow_entry e = {
		.kind = b->kind, .until = INSTANT_NONE, .file = n->file, .line = n->line
	};

	if (n->kind != NODE_MAP)
		return node_error(b->err, n,
				  "expected an entry of %s, `%s: …` and its owner, not %s",
				  list_name(b->kind), b->kind == ALLOW_APP ? "app" : "destination",
				  node_kind_name(n));
	for (const struct node *m = n->first; m != NULL; m = m->next)
		if (!read_member(b, m, &e))
			return false;
	if (sv_empty(e.subject.text))
		return node_error(b->err, n, "an entry of %s needs `%s`", list_name(b->kind),
				  b->kind == ALLOW_APP ? "app" : "destination");
	if (b->n == ALLOW_MAX_ENTRIES)
		return node_error(b->err, n, "more than %u entries", ALLOW_MAX_ENTRIES);
	if (b->n == b->capacity) {
		b->capacity = b->capacity == 0 ? 64 : b->capacity * 2;
		b->entries = xrealloc(b->entries, b->capacity, sizeof(*b->entries));
	}
	b->entries[b->n++] = e;
	return true;
}

static bool read_file(struct builder *b, const char *path)
{
	const struct node *root;
	struct sv bytes;

	if (!node_read_file(path, b->a, &bytes, b->err) ||
	    !node_read(bytes, path, b->a, &root, b->err))
		return false;
	if (root->kind == NODE_NULL)
		return true;
	if (root->kind != NODE_LIST)
		return node_error(
		    b->err, root, "expected a YAML list of entries (`- %s: …`), not %s",
		    b->kind == ALLOW_APP ? "app" : "destination", node_kind_name(root));
	for (const struct node *n = root->first; n != NULL; n = n->next)
		if (!read_entry(b, n))
			return false;
	return true;
}

static bool read_item(struct builder *b, const struct node *n, struct sv dir)
{
	struct sv path;

	if (n->kind == NODE_MAP)
		return read_entry(b, n);
	if (n->kind != NODE_SCALAR || n->text.n == 0 || n->text.n > MAX_TEXT)
		return node_error(b->err, n,
				  "%s: expected the path of a list file or an entry, not %s",
				  list_name(b->kind), node_kind_name(n));
	if (b->n_files == MAX_FILES)
		return node_error(b->err, n, "more than %u list files", MAX_FILES);
	path = conf_path(n->text, dir, b->a);
	b->files[b->n_files++] = path;
	if (read_file(b, path.p))
		return true;
	/* A file that cannot be opened is named where it is asked for. */
	if (b->err->position == 0)
		node_error(b->err, n, "%s: %.500s", list_name(b->kind),
			   arena_sv(b->a, sv_cstr(b->err->message)).p);
	return false;
}

static bool finish(struct builder *b, bool ok, struct allow_list *out)
{
	if (ok)
		*out = (struct allow_list){
			.entries = arena_copy(b->a, b->entries, b->n * sizeof(*b->entries)),
			.n = b->n,
			.files = b->files,
			.n_files = b->n_files,
		};
	free(b->entries);
	return ok;
}

bool allow_list_read(const struct node *n, enum allow_kind kind, struct sv dir, struct arena *a,
		     struct allow_list *out, struct error *err)
{
	struct builder b = { .kind = kind, .a = a, .err = err };
	const struct node *item = n->kind == NODE_LIST ? n->first : n;
	size_t count = n->kind == NODE_NULL ? 0 : n->kind == NODE_LIST ? n->n : 1;
	bool ok = true;

	b.files = arena_alloc(a, (count < MAX_FILES ? count : MAX_FILES) * sizeof(*b.files));
	for (size_t i = 0; ok && i < count; i++, item = item->next)
		ok = read_item(&b, item, dir);
	return finish(&b, ok, out);
}

bool allow_list_read_file(const char *path, enum allow_kind kind, struct arena *a,
			  struct allow_list *out, struct error *err)
{
	struct builder b = { .kind = kind, .a = a, .err = err };

	b.files = arena_alloc(a, sizeof(*b.files));
	b.files[b.n_files++] = arena_sv(a, sv_cstr(path));
	return finish(&b, read_file(&b, path), out);
}
