#include "judge/judge.h"

#include <stdlib.h>

#include "judge/judge_internal.h"
#include "judge/memo.h"

struct finding *new_finding(struct findings *out, enum finding_kind kind)
{
	if (out->n == out->_capacity) {
		out->_capacity = out->_capacity == 0 ? 64 : out->_capacity * 2;
		out->list = xrealloc(out->list, out->_capacity, sizeof(*out->list));
	}
	out->list[out->n] = (struct finding){ .kind = kind, .revision = 1 };
	return &out->list[out->n++];
}

static void judge_one(const struct bench *b, const struct docket_entry *e, bool all, struct desk *d)
{
	const struct allowance *entry;
	struct sitting s = sitting_open(b, e, &d->arena, &d->scratch, &entry);
	struct version_case *c = judge_versions(&s, entry);

	if (all || is_shown(c->verdict))
		fill_finding(c, new_finding(&d->findings, FINDING_PINNING));
}

static int by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	if ((c = sv_cmp(x->host, y->host)) != 0)
		return c;
	if (x->port != y->port)
		return (int)x->port - (int)y->port;
	if ((c = sv_cmp(x->bundle_id, y->bundle_id)) != 0)
		return c;
	if (x->kind == FINDING_CA_UNTRUSTED && x->n_devices > 0 && y->n_devices > 0 &&
	    (c = sv_cmp(x->devices[0].id, y->devices[0].id)) != 0)
		return c;
	return x->first_seen.ns < y->first_seen.ns ? -1 : x->first_seen.ns > y->first_seen.ns;
}

struct session {
	const struct bench *bench;
	const struct docket *docket;
	const uint32_t *memos; /* by place in the docket; NULL: there is no memo */
	struct desk *desks;
	bool all;
};

/* Findings of very different weight stand beside each other by number: a piece takes them from all
 * over. */
#define PIECES 256u

static void judge_piece(void *arg, size_t piece, unsigned worker)
{
	const struct session *s = arg;
	struct desk *d = &s->desks[worker];

	for (size_t i = piece; i < s->docket->n; i += PIECES) {
		if (s->memos != NULL)
			judge_again(s->bench, &s->docket->list[i], s->memos[i], (uint32_t)i + 1, d);
		else
			judge_one(s->bench, &s->docket->list[i], s->all, d);
		arena_reset(&d->scratch);
	}
}

/* A million of them are not copied where that can be helped. */
static void take_findings(struct findings *out, struct findings *from)
{
	if (out->n == 0) {
		free(out->list);
		*out = *from;
		return;
	}
	if (from->n > 0) {
		out->_capacity = out->n + from->n;
		out->list = xrealloc(out->list, out->_capacity, sizeof(*out->list));
		memcpy(out->list + out->n, from->list, from->n * sizeof(*from->list));
		out->n += from->n;
	}
	free(from->list);
}

static void judge_pinning(const struct bench *b, bool all, struct arena *arena,
			  struct findings *out)
{
	unsigned threads = pool_threads(b->pool);
	struct docket docket;
	struct session s = { b, &docket, NULL, xcalloc(threads, sizeof(struct desk)), all };
	uint32_t *memos = NULL;

	docket_build(&docket, b->facts, b->context, b->allow, all);
	if (b->memo != NULL)
		s.memos = memos = memo_find(b->memo, &docket, b->facts, b->context->names);
	for (unsigned i = 0; i < threads && memos != NULL; i++)
		s.desks[i].seen = xcalloc(b->context->devices->n, sizeof(*s.desks[i].seen));
	pool_each(b->pool, PIECES, judge_piece, &s);
	for (unsigned i = 0; i < threads; i++) {
		take_findings(out, &s.desks[i].findings);
		arena_free(&s.desks[i].scratch);
		free(s.desks[i].seen);
		arena_adopt(arena, &s.desks[i].arena);
	}
	free(s.desks);
	free(memos);
	docket_free(&docket);
}

void judge_all(const struct bench *b, bool all, struct arena *arena, struct findings *out)
{
	*out = (struct findings){ 0 };
	judge_pinning(b, all, arena, out);
	judge_repairs(b, arena, out);
	if (out->n > 0)
		qsort(out->list, out->n, sizeof(*out->list), by_place);
}
