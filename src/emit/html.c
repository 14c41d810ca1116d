#include "emit/html.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "emit/explain.h"
#include "emit/html_page.h"
#include "emit/html_text.h"

/* One section of the page. */
#define SECTION_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Records with their raw line, for a finding that someone must look at, and for the others. */
#define RECORDS_URGENT 20
#define RECORDS_QUIET 7
#define RECORDS_REPAIR 6

/* Severity first, then score, then the stable order in which the findings came. */
static int by_rank(const void *left, const void *right)
{
	const struct finding *a = ((const struct html_item *)left)->f;
	const struct finding *b = ((const struct html_item *)right)->f;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->score_centidb != b->score_centidb)
		return a->score_centidb > b->score_centidb ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* By verdict, then in the order in which they came. */
static int by_verdict(const void *left, const void *right)
{
	const struct finding *a = ((const struct html_item *)left)->f;
	const struct finding *b = ((const struct html_item *)right)->f;

	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void sort_out(struct html_page *p)
{
	const struct emit_input *in = p->in;

	p->ranked = arena_alloc(&p->arena, (in->n + 1) * sizeof(*p->ranked));
	p->repairs = arena_alloc(&p->arena, (in->n + 1) * sizeof(*p->repairs));
	p->others = arena_alloc(&p->arena, (in->n + 1) * sizeof(*p->others));
	for (size_t i = 0; i < in->n; i++) {
		const struct finding *f = &in->findings[i];

		if (f->kind != FINDING_PINNING)
			p->repairs[p->n_repairs++].f = f;
		else if (emit_shows(f, false))
			p->ranked[p->n_ranked++].f = f;
		else if (in->all)
			p->others[p->n_others++].f = f;
		else
			p->hidden[f->verdict]++;
	}
	qsort(p->ranked, p->n_ranked, sizeof(*p->ranked), by_rank);
	qsort(p->others, p->n_others, sizeof(*p->others), by_verdict);
	p->n_full = p->n_ranked < HTML_MAX_FULL ? p->n_ranked : HTML_MAX_FULL;
}

/* All raw lines of the page at once: each log is read again once, not once a finding. */
static void read_records(struct html_page *p)
{
	size_t n_repairs = p->n_repairs < HTML_MAX_REPAIRS ? p->n_repairs : HTML_MAX_REPAIRS;
	size_t total = 0, at = 0;
	const struct evidence **records;
	struct sv *raws;

	for (size_t i = 0; i < p->n_full; i++)
		html_choose_records(p, &p->ranked[i],
				    p->ranked[i].f->severity == SEVERITY_INFORMATIONAL
					? RECORDS_QUIET
					: RECORDS_URGENT,
				    &total);
	for (size_t i = 0; i < n_repairs; i++)
		html_choose_records(p, &p->repairs[i], RECORDS_REPAIR, &total);
	records = arena_alloc(&p->arena, (total + 1) * sizeof(*records));
	raws = arena_alloc(&p->arena, (total + 1) * sizeof(*raws));
	for (size_t i = 0; i < p->n_full + n_repairs; i++) {
		struct html_item *item = i < p->n_full ? &p->ranked[i] : &p->repairs[i - p->n_full];

		if (item->n_records > 0)
			memcpy(records + at, item->records, item->n_records * sizeof(*records));
		item->raws = raws + at;
		at += item->n_records;
	}
	explain_raw_lines(records, total, &p->arena, raws);
}

/* The policy names the style sheet by its digest, so that no other one can be smuggled in. */
static void style_digest(struct buf *b)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char text[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
	unsigned n = 0;

	if (EVP_Digest(html_style, strlen(html_style), digest, &n, EVP_sha256(), NULL) != 1)
		n = 0;
	EVP_EncodeBlock(text, digest, (int)n);
	buf_printf(b, "sha256-%s", (const char *)text);
}

void html_head(struct html_page *p)
{
	struct buf *b = &p->b;

	buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src '");
	style_digest(b);
	buf_str(b, "'; base-uri 'none'; form-action 'none'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<meta name=\"referrer\" content=\"no-referrer\">\n"
		   "<meta name=\"robots\" content=\"noindex\">\n"
		   "<meta name=\"generator\" content=\"pinwatch " PINWATCH_VERSION "\">\n"
		   "<title>pinwatch: TLS pinning report</title>\n<style>");
	buf_str(b, html_style);
	buf_str(b, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the "
		   "findings</a>\n");
	svg_mark_shapes(b);
	buf_str(b, "<header class=\"top\"><div class=\"topbar\"><p class=\"brand\">pinwatch</p>\n"
		   "<nav aria-label=\"Sections\"><a href=\"#summary\">Summary</a> <a "
		   "href=\"#findings\">Findings</a> ");
	if (p->n_repairs > 0)
		buf_str(b, "<a href=\"#repair\">To repair</a> ");
	if (p->n_others > 0)
		buf_str(b, "<a href=\"#others\">Other verdicts</a> ");
	buf_str(b, "<a href=\"#sources\">Sources</a> <a href=\"#guide\">How to read "
		   "it</a></nav></div></header>\n<main id=\"main\" tabindex=\"-1\">\n");
}

bool html_write(FILE *out, const struct emit_input *in, struct error *err)
{
	struct html_page p = { .in = in };
	bool ok;

	buf_init(&p.b, SECTION_MAX_BYTES);
	sort_out(&p);
	read_records(&p);
	html_head(&p);
	html_summary(&p);
	html_ranking(&p);
	ok = emit_flush(out, &p.b, err);
	for (size_t i = 0; ok && i < p.n_full; i++) {
		html_finding(&p, i);
		ok = emit_flush(out, &p.b, err);
	}
	if (ok) {
		buf_str(&p.b, "</section>\n");
		html_repairs(&p);
		html_others(&p);
		html_sources(&p);
		html_guide(&p);
		ok = emit_flush(out, &p.b, err);
	}
	buf_free(&p.b);
	arena_free(&p.arena);
	return ok;
}
