/* Judging again: what stands on what it stood on before is not judged. */
#include <stdlib.h>

#include "judge/footing.h"
#include "judge/judge_internal.h"
#include "judge/memo.h"

/* Whether the finding is not what it was: of its attempts one has changed, or what else its
 * judgement reads. Keeps the new hash. */
static bool is_news(const struct sitting *s, const struct allowance *entry, struct memo_entry *m,
		    struct desk *d, uint32_t round)
{
	const struct bench *b = s->bench;
	bool news = m->since == 0;
	uint64_t inputs[2];

	footing_hash(b->footing, s, entry, d->seen, round, inputs);
	news |= memcmp(inputs, m->inputs, sizeof(inputs)) != 0;
	for (size_t i = 0; i < s->n_window && !news; i++)
		news = memo_changed(b->memo, s->window[i]->attempt);
	memcpy(m->inputs, inputs, sizeof(inputs));
	return news;
}

static void keep_servers(struct memo_entry *m, const struct finding *f)
{
	free(m->servers);
	m->servers = NULL;
	m->n_servers = (uint32_t)f->n_servers;
	m->more_servers = f->more_servers;
	if (f->n_servers == 0)
		return;
	m->servers = xmalloc(f->n_servers * sizeof(*m->servers));
	memcpy(m->servers, f->servers, f->n_servers * sizeof(*m->servers));
}

/* From the memo. Names come from where they are kept. */
static void outline(const struct bench *b, const struct memo_entry *m, struct finding *out)
{
	const struct destination *d = &b->facts->destinations[m->docket.destination];
	struct names *names = b->context->names;

	out->outline = true;
	out->verdict = m->verdict;
	out->without_lists = m->without_lists;
	memcpy(out->uid, m->uid, sizeof(out->uid));
	out->bundle_id = names_get(names, b->facts->findings[m->docket.finding].app);
	out->host = names_get(names, d->host);
	out->port = (uint16_t)d->port;
	out->first_seen.ns = m->first_seen;
	out->last_seen.ns = m->last_seen;
	out->servers = m->servers;
	out->n_servers = m->n_servers;
	out->more_servers = m->more_servers;
}

void judge_again(const struct bench *b, const struct docket_entry *e, uint32_t number,
		 uint32_t round, struct desk *d)
{
	struct memo_entry *m = &b->memo->list[number];
	struct finding *f = new_finding(&d->findings, FINDING_PINNING);
	const struct allowance *entry;
	struct sitting s = sitting_open(b, e, &d->arena, &d->scratch, &entry);
	struct version_case *c;

	f->memo = number + 1;
	m->docket = *e;
	if (is_news(&s, entry, m, d, round)) {
		c = judge_versions(&s, entry);
		m->since = b->memo->judgements;
		m->verdict = (uint8_t)c->verdict;
		m->without_lists = (uint8_t)c->without_lists;
		m->first_seen = s.first_seen;
		m->last_seen = s.last_seen;
		if (is_shown(c->verdict))
			fill_finding(c, f);
		keep_servers(m, f);
		if (!is_shown(c->verdict))
			outline(b, m, f);
	} else {
		outline(b, m, f);
	}
	f->since = m->since;
}

void judge_fill(const struct bench *b, struct arena *arena, struct finding *f)
{
	struct arena scratch = { 0 };
	const struct docket_entry *e = &b->memo->list[f->memo - 1].docket;
	struct finding full = {
		.kind = f->kind, .revision = 1, .since = f->since, .memo = f->memo
	};
	const struct allowance *entry;
	struct sitting s = sitting_open(b, e, arena, &scratch, &entry);

	fill_finding(judge_versions(&s, entry), &full);
	*f = full;
	arena_free(&scratch);
}
