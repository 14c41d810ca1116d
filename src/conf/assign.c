#include "conf/assign.h"

#include <stdio.h>

#include "conf/conf.h"
#include "conf/host.h"
#include "conf/nearest.h"

#define MAX_ITEMS 10000u
#define MAX_TEXT 4096u

/* What every reader of a value gets. */
struct place {
	const struct option *o;
	struct sv dir;
	struct arena *a;
	struct error *err;
};

static bool expected(const struct place *p, const struct node *n)
{
	char example[160];
	const char *word = option_example(p->o);
	const char *type = option_type_name(p->o->type);
	const char *article = type[0] == 'a' ? "an" : "a";

	if (word != NULL) {
		snprintf(example, sizeof(example), "for example %s", word);
	} else {
		size_t at = 0;
		example[0] = '\0';
		for (const struct option_word *w = p->o->words; w->word != NULL; w++)
			at += (size_t)snprintf(example + at, sizeof(example) - at, "%s%s",
					       at > 0 ? ", " : "one of ", w->word);
	}
	if (n->kind == NODE_SCALAR)
		return node_error(p->err, n, "%s: expected %s %s, %s; not `%.*s`", p->o->path,
				  article, type, example, SV_ARG(sv_first(n->text, 80)));
	return node_error(p->err, n, "%s: expected %s %s, %s; not %s", p->o->path, article, type,
			  example, node_kind_name(n));
}

/* Bounds of the table, in the field's unit. */
static bool bounded(const struct place *p, const struct node *n, int64_t value)
{
	const struct option *o = p->o;
	struct buf low, high;

	if ((o->min == 0 && o->max == 0) || (value >= o->min && value <= o->max))
		return true;
	buf_init(&low, 64);
	buf_init(&high, 64);
	option_format_number(o, o->min, &low);
	option_format_number(o, o->max, &high);
	node_error(p->err, n, "%s: `%.*s` is out of bounds: from %.*s to %.*s", o->path,
		   SV_ARG(sv_first(n->text, 80)), SV_ARG(buf_view(&low)), SV_ARG(buf_view(&high)));
	buf_free(&low);
	buf_free(&high);
	return false;
}

/* Decimal with at most `places` digits after the point, scaled to a whole number. */
static bool decimal(struct sv text, unsigned places, int64_t *out)
{
	bool negative = text.n > 0 && text.p[0] == '-';
	struct sv rest;
	struct sv whole = sv_cut(
	    negative || (text.n > 0 && text.p[0] == '+') ? sv_skip(text, 1) : text, '.', &rest);
	uint64_t n, part = 0;

	if (!sv_to_u64(whole, &n) || n > 1000000 ||
	    (rest.p != NULL && (rest.n == 0 || rest.n > places || !sv_to_u64(rest, &part))))
		return false;
	for (size_t i = 0; i < places; i++)
		n *= 10;
	for (size_t i = rest.n; i < places; i++)
		part *= 10;
	*out = (int64_t)(n + part) * (negative ? -1 : 1);
	return true;
}

static bool size_value(struct sv text, int64_t *out)
{
	static const struct {
		struct sv unit;
		unsigned shift;
	} units[] = { { { "KiB", 3 }, 10 }, { { "MiB", 3 }, 20 }, { { "GiB", 3 }, 30 } };
	uint64_t n;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!sv_ends(text, units[i].unit))
			continue;
		if (!sv_to_u64(sv_trim(sv_first(text, text.n - 3)), &n) ||
		    n > (UINT64_C(1) << (62 - units[i].shift)))
			return false;
		*out = (int64_t)(n << units[i].shift);
		return true;
	}
	return false;
}

static bool boolean_value(struct sv text, bool *out)
{
	*out = sv_eq_nocase(text, SV("true")) || sv_eq_nocase(text, SV("yes")) ||
	       sv_eq_nocase(text, SV("on"));
	return *out || sv_eq_nocase(text, SV("false")) || sv_eq_nocase(text, SV("no")) ||
	       sv_eq_nocase(text, SV("off"));
}

static bool name_value(struct sv text)
{
	if (text.n == 0 || text.n > 64)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool conf_date(struct sv text, struct instant *out)
{
	char full[20], back[INSTANT_ISO_SIZE];

	if (text.n != 10)
		return false;
	snprintf(full, sizeof(full), "%.10sT00:00:00", text.p);
	if (!instant_parse_iso(sv_cstr(full), 0, out))
		return false;
	/* 2026-02-30 would have become a day in March. */
	instant_format_iso(*out, back);
	return memcmp(back, text.p, 10) == 0;
}

struct sv conf_path(struct sv path, struct sv dir, struct arena *a)
{
	char *p;

	if (dir.n == 0 || sv_eq(path, SV("-")) || (path.n > 0 && path.p[0] == '/'))
		return arena_sv(a, path);
	p = arena_alloc(a, dir.n + 1 + path.n + 1);
	memcpy(p, dir.p, dir.n);
	p[dir.n] = '/';
	memcpy(p + dir.n + 1, path.p, path.n);
	return sv_make(p, dir.n + 1 + path.n);
}

static bool assign_number(const struct place *p, const struct node *n, void *field)
{
	struct sv text = n->text;
	int64_t value = 0;
	struct span d;
	uint64_t count;
	bool ok;

	switch (p->o->type) {
	case OPTION_DURATION:
		ok = span_parse(text, &d);
		value = d.ns;
		if (!ok && sv_to_u64(text, &count))
			return node_error(
			    p->err, n, "%s: a duration needs a unit: %.*ss, %.*sm, %.*sh or %.*sd",
			    p->o->path, SV_ARG(text), SV_ARG(text), SV_ARG(text), SV_ARG(text));
		break;
	case OPTION_COUNT:
		ok = sv_to_u64(text, &count);
		value = ok && count < INT64_MAX ? (int64_t)count
						: INT64_MAX; /* each has bounds, within 32 bits */
		break;
	case OPTION_SIZE:
		ok = size_value(text, &value);
		break;
	case OPTION_SHARE:
		ok = sv_ends(text, SV("%")) && decimal(sv_first(text, text.n - 1), 4, &value);
		break;
	default:
		ok = false;
		break;
	}
	if (!ok)
		return expected(p, n);
	if (!bounded(p, n, value))
		return false;
	if (p->o->type == OPTION_DURATION)
		((struct span *)field)->ns = value;
	else if (p->o->type == OPTION_SIZE)
		*(uint64_t *)field = (uint64_t)value;
	else
		*(uint32_t *)field = (uint32_t)value;
	return true;
}

static bool assign_word(const struct place *p, const struct node *n, void *field)
{
	const char *names[16];
	size_t count = 0;
	const char *near;

	for (const struct option_word *w = p->o->words; w->word != NULL && count < 16; w++) {
		if (sv_eq(n->text, sv_cstr(w->word))) {
			*(unsigned *)field = w->value;
			return true;
		}
		names[count++] = w->word;
	}
	near = nearest_word(n->text, names, count);
	expected(p, n);
	if (near != NULL) {
		size_t used = strlen(p->err->message);
		snprintf(p->err->message + used, sizeof(p->err->message) - used,
			 " (did you mean %s?)", near);
	}
	return false;
}

static bool endpoint_value(struct sv text, struct conf_endpoint *out)
{
	return addr_parse_port(text, &out->ip, &out->port) && out->port != 0;
}

static bool assign_scalar(const struct place *p, const struct node *n, void *field)
{
	struct conf_endpoint endpoint;
	struct instant date;
	struct error why;
	struct zone zone;
	bool flag;

	switch (p->o->type) {
	case OPTION_BOOLEAN:
		if (!boolean_value(n->text, &flag))
			return expected(p, n);
		*(bool *)field = flag;
		return true;
	case OPTION_NAME:
		if (!name_value(n->text))
			return node_error(
			    p->err, n,
			    "%s: expected a name of letters, digits, `.`, `_` and `-`, at most 64",
			    p->o->path);
		*(struct sv *)field = arena_sv(p->a, n->text);
		return true;
	case OPTION_PATH:
		*(struct sv *)field = conf_path(n->text, p->dir, p->a);
		return true;
	case OPTION_WORD:
		return assign_word(p, n, field);
	case OPTION_ZONE:
		if (!zone_parse(n->text, p->a, &zone, &why))
			return node_error(p->err, n, "%s: %s", p->o->path, why.message);
		*(struct zone *)field = zone;
		return true;
	case OPTION_DATE:
		if (!conf_date(n->text, &date))
			return expected(p, n);
		*(struct instant *)field = date;
		return true;
	case OPTION_ENDPOINT:
		if (!endpoint_value(n->text, &endpoint))
			return expected(p, n);
		*(struct conf_endpoint *)field = endpoint;
		return true;
	default:
		return assign_number(p, n, field);
	}
}

static bool read_item(const struct place *p, const struct node *n, void *item)
{
	const char *wrong;
	uint64_t port;

	if (n->kind != NODE_SCALAR || n->text.n == 0 || n->text.n > MAX_TEXT)
		return expected(p, n);
	switch (p->o->type) {
	case OPTION_HOSTS:
		wrong = host_normalise(n->text, p->a, item);
		return wrong == NULL ||
		       node_error(p->err, n, "%s: expected a host: %s; not `%.*s`", p->o->path,
				  wrong, (int)(n->text.n < 80 ? n->text.n : 80), n->text.p);
	case OPTION_PATHS:
		*(struct sv *)item = conf_path(n->text, p->dir, p->a);
		return true;
	case OPTION_PORTS:
		if (!sv_to_u64(n->text, &port) || port == 0 || port > 65535)
			return expected(p, n);
		*(uint16_t *)item = (uint16_t)port;
		return true;
	case OPTION_ENDPOINTS:
		return endpoint_value(n->text, item) || expected(p, n);
	case OPTION_NETWORKS:
		return cidr_parse(n->text, item) || expected(p, n);
	default:
		*(struct sv *)item = arena_sv(p->a, n->text);
		return true;
	}
}

static bool assign_list(const struct place *p, const struct node *n, void *field)
{
	size_t size = option_item_size(p->o->type), count = n->kind == NODE_LIST ? n->n : 1, i = 0;
	struct option_list list;
	char *items;

	if (n->kind == NODE_MAP)
		return expected(p, n);
	if (count > MAX_ITEMS)
		return node_error(p->err, n, "%s: more than %u items", p->o->path, MAX_ITEMS);
	if (n->kind == NODE_NULL)
		count = 0;
	items = arena_alloc(p->a, count * size);
	for (const struct node *item = n->kind == NODE_LIST ? n->first : n; i < count;
	     item = item->next, i++)
		if (!read_item(p, item, items + i * size))
			return false;
	list = (struct option_list){ items, count };
	memcpy(field, &list, sizeof(list));
	return true;
}

bool option_assign(const struct option *o, const struct node *n, struct sv dir, void *record,
		   struct arena *a, struct error *err)
{
	struct place p = { o, dir, a, err };
	void *field = (char *)record + o->offset;

	if (o->type == OPTION_APPS || o->type == OPTION_DESTINATIONS) {
		struct allow_list list;
		if (!allow_list_read(n, o->type == OPTION_APPS ? ALLOW_APP : ALLOW_DESTINATION, dir,
				     a, &list, err))
			return false;
		*(struct allow_list *)field = list;
		return true;
	}
	if (option_is_list(o->type))
		return assign_list(&p, n, field);
	if (n->kind != NODE_SCALAR || n->text.n == 0 || n->text.n > MAX_TEXT)
		return expected(&p, n);
	return assign_scalar(&p, n, field);
}

void option_assign_default(const struct option *o, void *record, struct arena *a)
{
	struct error err;

	if (o->type == OPTION_DATE)
		*(struct instant *)((char *)record + o->offset) = INSTANT_NONE;
	if (o->fallback != NULL)
		option_assign(o, node_scalar(sv_cstr(o->fallback), "default", a), SV_NONE, record,
			      a, &err);
}
