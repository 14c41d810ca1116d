/* pinwatch reduced to the count rule: its reader and its parser, and nothing of its judgement.
 *
 * `rule FILE` prints each group (device, app, destination) that has THRESHOLD refusals within
 * WINDOW of event time, once, as soon as the record that completes it is read. A group keeps the
 * times of its refusals in order, so that records may arrive in any order; once it has been
 * printed it keeps nothing but its key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/keymap.h"
#include "parse/parser.h"

#define THRESHOLD 3
#define WINDOW (10 * NS_PER_MINUTE)

struct group {
	int64_t *times; /* in order, ns */
	uint32_t n, capacity;
	bool found;
};

struct rule {
	struct intern names;
	struct keymap index;
	struct group *groups;
	size_t capacity;
};

static struct group *group_of(struct rule *r, const uint32_t key[3])
{
	uint32_t *slot = keymap_slot(&r->index, key);

	if (*slot == KEYMAP_NONE) {
		*slot = (uint32_t)r->index.count - 1;
		if (*slot == r->capacity) {
			r->capacity = r->capacity == 0 ? 1024 : r->capacity * 2;
			r->groups = xrealloc(r->groups, r->capacity, sizeof(*r->groups));
		}
		r->groups[*slot] = (struct group){ 0 };
	}
	return &r->groups[*slot];
}

/* Puts the time in its place; true when THRESHOLD times around it lie within WINDOW. */
static bool group_add(struct group *g, int64_t t)
{
	uint32_t at = g->n;

	if (g->n == g->capacity) {
		g->capacity = g->capacity == 0 ? THRESHOLD : g->capacity * 2;
		g->times = xrealloc(g->times, g->capacity, sizeof(*g->times));
	}
	for (; at > 0 && g->times[at - 1] > t; at--)
		g->times[at] = g->times[at - 1];
	g->times[at] = t;
	g->n++;
	for (uint32_t i = at < THRESHOLD - 1 ? 0 : at - (THRESHOLD - 1);
	     i <= at && i + THRESHOLD <= g->n; i++)
		if (g->times[i + THRESHOLD - 1] - g->times[i] <= WINDOW)
			return true;
	return false;
}

static void rule_take(struct rule *r, const struct observation *o)
{
	uint32_t key[3];
	struct group *g;

	if (o->kind != OBS_TLS_ATTEMPT || o->sensor != SENSOR_INSPECTION ||
	    o->tls.outcome != CLIENT_REJECT)
		return;
	key[0] = intern_put(&r->names, o->device.udid);
	key[1] = intern_put(&r->names, o->app.bundle_id);
	key[2] = intern_put(&r->names, o->dst.hostname);
	g = group_of(r, key);
	if (g->found || !group_add(g, o->time.ns))
		return;
	g->found = true;
	free(g->times);
	g->times = NULL;
	printf("%.*s\t%.*s\t%.*s\n", SV_ARG(o->device.udid), SV_ARG(o->app.bundle_id),
	       SV_ARG(o->dst.hostname));
	fflush(stdout); /* an alert does not wait for the next one */
}

static bool rule_run(struct rule *r, const char *path, const struct format *format,
		     struct error *err)
{
	struct reader_options reading = { .framing = FRAMING_LINE };
	struct parser_options parsing = { .date = INSTANT_NONE };
	struct reader *reader = reader_open(path, &reading, err);
	struct parser *parser;
	enum read_result got;
	struct sv record;

	if (reader == NULL)
		return false;
	parser = parser_new(format, &parsing);
	while ((got = reader_next(reader, &record, err)) == READ_RECORD) {
		const struct observation *o;
		size_t n;
		if (parser_run(parser, record, &o, &n, err) == PARSE_OBSERVATIONS)
			for (size_t i = 0; i < n; i++)
				rule_take(r, &o[i]);
	}
	parser_free(parser);
	reader_close(reader);
	return got == READ_END;
}

int main(int argc, char **argv)
{
	struct format_set *formats;
	struct rule r = { 0 };
	struct error err;
	bool ok;

	if (argc != 2) {
		fprintf(stderr, "usage: rule FILE\n");
		return 2;
	}
	formats = format_set_builtin(&err);
	if (formats == NULL) {
		fprintf(stderr, "rule: %s\n", err.message);
		return 1;
	}
	intern_init(&r.names, UINT32_MAX - 1, 1);
	keymap_init(&r.index, sizeof(uint32_t[3]), 1);
	ok = rule_run(&r, argv[1], format_find(formats, SV("canonical")), &err);
	if (!ok)
		fprintf(stderr, "rule: %s: %s\n", argv[1], err.message);
	for (size_t i = 0; i < r.index.count; i++)
		free(r.groups[i].times);
	free(r.groups);
	keymap_free(&r.index);
	intern_free(&r.names);
	format_set_free(formats);
	return ok ? 0 : 1;
}
