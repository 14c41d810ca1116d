#include "parse/parser.h"

#include <stdlib.h>

#include "base/keylog.h"
#include "parse/decode_record.h"
#include "parse/host_cache.h"
#include "parse/ignored.h"
#include "parse/talks.h"

/* Observations one record may give; a list of more is cut there, and that is an error. */
#define MAX_OBSERVATIONS 262144u

struct parser {
	const struct format *format;
	struct parser_options options;
	uint16_t *tls_ports;
	struct ignored_hosts ignored;
	struct talks *talks; /* NULL: every record stands for itself */
	struct record_decoder decoder;
	struct host_cache hosts;
	struct observation *observations;
	size_t first; /* of the record at hand */
	size_t n;
	size_t capacity;
	size_t rejected_items;
};

/* A batch gives up to so much of its memory when it is trimmed. */
#define BATCH_KEPT ((size_t)4096)

struct parser *parser_new(const struct format *f, const struct parser_options *options)
{
	struct parser *p = xcalloc(1, sizeof(*p));

	p->format = f;
	p->options = *options;
	p->tls_ports = xcalloc(options->n_tls_ports, sizeof(*p->tls_ports));
	if (options->n_tls_ports > 0)
		memcpy(p->tls_ports, options->tls_ports,
		       options->n_tls_ports * sizeof(*p->tls_ports));
	p->options.tls_ports = p->tls_ports;
	ignored_hosts_init(&p->ignored, options->ignore_hosts, options->n_ignore_hosts);
	record_decoder_open(&p->decoder, f);
	if (f->conversation != NULL)
		p->talks = talks_new(f, &p->options);
	return p;
}

void parser_free(struct parser *p)
{
	if (p == NULL)
		return;
	talks_free(p->talks);
	record_decoder_close(&p->decoder);
	ignored_hosts_free(&p->ignored);
	free(p->observations);
	free(p->tls_ports);
	free(p);
}

static bool observe(struct parser *p, const struct record_rule *rule, const struct plan_run *run)
{
	if (p->n - p->first == MAX_OBSERVATIONS)
		return error_set(run->err, ERROR_LIMIT, 0, "a record of more than %u observations",
				 MAX_OBSERVATIONS);
	if (p->n == p->capacity) {
		p->capacity = p->capacity == 0 ? 1 : p->capacity * 2;
		p->observations = xrealloc(p->observations, p->capacity, sizeof(*p->observations));
	}
	if (!plan_observe(rule, run, &p->observations[p->n]))
		return false;
	ignored_hosts_apply(&p->ignored, &p->observations[p->n]);
	p->n++;
	return true;
}

/* A rule with `each`: the fields `item.…` are filled anew for every item of the list. */
static bool observe_items(struct parser *p, const struct record_rule *rule,
			  const struct plan_run *run)
{
	const struct value *list = raw_tree(&run->raws[rule->each], run->json, run->scratch);
	const struct value *one = list;
	size_t n = 1;

	if (list == NULL)
		return true;
	if (list->type == VALUE_ARRAY) {
		one = list->array.items;
		n = list->array.n;
	}
	for (size_t i = 0; i < n; i++) {
		decode_from_tree(p->format, SV("item."), &one[i], run->raws, run->scratch);
		if (!observe(p, rule, run))
			return false;
	}
	return true;
}

/* Fields, through the plan. */
static bool observe_fields(struct parser *p, struct raw *raws, struct sv record, struct error *err)
{
	const struct plan_run run = {
		record,		 &p->format->names, raws, &p->decoder.scratch, &p->options, err,
		p->decoder.json, &p->hosts,	    NULL
	};
	const struct record_rule *rule = NULL;

	do {
		rule = plan_choose(&p->format->plan, &run, rule);
		if (rule == NULL || rule->irrelevant)
			return true;
		if (rule->rejected.n > 0)
			return error_set(err, ERROR_FORMAT, 0, "%.*s", SV_ARG(rule->rejected));
		if (!(rule->has_each ? observe_items(p, rule, &run) : observe(p, rule, &run)))
			return false;
	} while (rule->also);
	return true;
}

/* A list of records: a bad one does not take the others with it. False when nothing else was in
 * it. */
static bool observe_list(struct parser *p, struct sv record, struct error *err)
{
	size_t items = p->decoder.list->array.n;
	struct error first = { 0 };

	for (size_t i = 0; i < items; i++) {
		size_t before = p->n;

		if (record_decode_item(&p->decoder, i, err) &&
		    observe_fields(p, p->decoder.raws, record, err))
			continue;
		if (err->code == ERROR_LIMIT)
			return false;
		if (p->rejected_items++ == 0)
			first = *err;
		p->n = before;
	}
	if (p->rejected_items > 0)
		*err = first;
	return p->rejected_items == 0 || p->rejected_items < items;
}

/* What a conversation has become goes through the plan as a record does. */
struct telling {
	struct parser *parser;
	struct sv record;
	struct error first; /* of those that were rejected */
};

static void told(void *arg, struct raw *fields)
{
	struct telling *telling = arg;
	struct parser *p = telling->parser;
	struct error err = { 0 };

	if (!observe_fields(p, fields, telling->record, &err) && p->rejected_items++ == 0)
		telling->first = err;
}

static bool observe_line(struct parser *p, struct sv record, struct error *err)
{
	struct telling telling = { .parser = p, .record = record };
	const struct talk_sink sink = { told, &telling, &p->decoder.scratch };

	talks_line(p->talks, p->decoder.raws, &sink);
	if (p->rejected_items > 0)
		*err = telling.first;
	if (p->rejected_items == 0 || p->n > p->first)
		return true;
	p->rejected_items = 0; /* the line stands for them */
	return false;
}

static void begin_record(struct parser *p)
{
	if (!p->decoder.keeps)
		p->n = 0;
	p->first = p->n;
	p->rejected_items = 0;
}

void parser_finish(struct parser *p, const struct observation **out, size_t *n, struct error *err)
{
	struct telling telling = { .parser = p };
	const struct talk_sink sink = { told, &telling, &p->decoder.scratch };

	begin_record(p);
	if (p->talks != NULL)
		talks_end(p->talks, &sink);
	if (p->rejected_items > 0) {
		*err = telling.first;
		error_prefix(err, "at the end of the input");
	}
	*n = p->n - p->first;
	*out = *n > 0 ? p->observations + p->first : NULL;
}

size_t parser_rejected_items(const struct parser *p) { return p->rejected_items; }

/* Messages quote what they found. */
static enum parse_result rejected(struct parser *p, struct sv record, struct error *err)
{
	p->n = p->first;
	if (keylog_holds(record))
		error_set(
		    err, err->code, 0,
		    "the record holds a TLS session's secret: it is not kept; leave key logs out");
	return PARSE_REJECTED;
}

enum parse_result parser_run(struct parser *p, struct sv record, const struct observation **out,
			     size_t *n, struct error *err)
{
	bool ok = true;

	begin_record(p);
	*n = 0;
	*out = NULL;
	if (p->format->refusal.n > 0) {
		error_set(err, ERROR_UNRECOGNISED, 0, "%.*s", SV_ARG(p->format->refusal));
		return PARSE_REJECTED;
	}
	switch (record_decode(&p->decoder, record, err)) {
	case DECODE_BAD:
		return rejected(p, record, err);
	case DECODE_HEADING:
	case DECODE_NOTHING:
		return PARSE_IRRELEVANT;
	case DECODE_FIELDS:
		ok = p->talks != NULL ? observe_line(p, record, err)
				      : observe_fields(p, p->decoder.raws, record, err);
		break;
	case DECODE_LIST:
		ok = observe_list(p, record, err);
		break;
	}
	if (!ok)
		return rejected(p, record, err);
	*n = p->n - p->first;
	if (*n == 0)
		return PARSE_IRRELEVANT;
	*out = p->observations + p->first;
	return PARSE_OBSERVATIONS;
}

/* The batch lends its memory, and gets it back with what is in it. */
static void change_memory(struct parser *p, struct parser_batch *b)
{
	struct parser_batch own = { p->observations, p->n, p->capacity, p->decoder.scratch };

	p->observations = b->list;
	p->n = b->n;
	p->capacity = b->_capacity;
	p->decoder.scratch = b->_scratch;
	*b = own;
}

void parser_begin(struct parser *p, struct parser_batch *b)
{
	b->n = 0;
	arena_reset(&b->_scratch);
	change_memory(p, b);
	p->decoder.keeps = true;
}

void parser_end(struct parser *p, struct parser_batch *b)
{
	change_memory(p, b);
	p->decoder.keeps = false;
}

void parser_batch_free(struct parser_batch *b)
{
	free(b->list);
	arena_free(&b->_scratch);
	*b = (struct parser_batch){ 0 };
}

void parser_batch_trim(struct parser_batch *b)
{
	if (b->_capacity > BATCH_KEPT || arena_footprint(&b->_scratch) > BATCH_KEPT * 1024)
		parser_batch_free(b);
}

bool parser_needs_order(const struct format *f)
{
	return f->conversation != NULL ||
	       (f->decoder->remembers != NULL && f->decoder->remembers(f));
}
