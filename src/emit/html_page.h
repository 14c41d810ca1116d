/* What the sections of the report share. Only html*.c include it. */
#ifndef PINWATCH_EMIT_HTML_PAGE_H
#define PINWATCH_EMIT_HTML_PAGE_H

#include "base/arena.h"
#include "emit/emit.h"
#include "emit/svg_marks.h"

/* Findings told in full; those behind them in rank have a row in a table. */
#define HTML_MAX_FULL 200
/* Findings about devices and the gateway with their records. */
#define HTML_MAX_REPAIRS 50
/* Rows of any table of findings; what is cut is counted. */
#define HTML_MAX_ROWS 5000
/* Rows of a table of devices. */
#define HTML_MAX_DEVICES 50
#define HTML_MAX_NAME 256
#define HTML_MAX_SENTENCE 600

/* A finding and the records shown with it. */
struct html_item {
	const struct finding *f;
	struct svg_points points;
	const struct evidence **records; /* the most telling ones, in event order */
	struct sv *raws;		 /* their raw lines, hostile; empty where gone */
	size_t n_records;
};

struct html_page {
	const struct emit_input *in;
	struct buf b;		  /* what comes next; written and emptied after each section */
	struct arena arena;	  /* items, records and raw lines */
	struct html_item *ranked; /* confirmed and suspected pinning, the most important first */
	size_t n_ranked, n_full;
	struct html_item *repairs; /* devices, gateway, sources */
	size_t n_repairs;
	struct html_item *others; /* with --all: explained, observed, expected */
	size_t n_others;
	size_t hidden[VERDICTS]; /* judged, not shown without --all */
};

extern const char html_style[];

void html_head(struct html_page *p);
void html_summary(struct html_page *p);
/* The ranked table that leads to the findings; leaves its section open for them. */
void html_ranking(struct html_page *p);
/* The i-th finding in full. */
void html_finding(struct html_page *p, size_t i);
void html_repairs(struct html_page *p);
/* What --all adds. */
void html_others(struct html_page *p);
/* Sources and their health, settings. */
void html_sources(struct html_page *p);
/* How to read it all, and the end of the page. */
void html_guide(struct html_page *p);

/* Parts of a finding. */
void html_score(struct buf *b, const struct finding *f);
void html_controls(struct buf *b, const struct finding *f);
void html_rivals(struct buf *b, const struct finding *f);
void html_paths(struct buf *b, const struct finding *f);
void html_risk(struct buf *b, const struct finding *f);
void html_notes(struct buf *b, const struct finding *f);
void html_devices(struct buf *b, const struct finding *f);
void html_records(struct html_page *p, const struct html_item *item);

/* Chooses the records that an item shows, at most `most`, and counts them into *total. */
void html_choose_records(struct html_page *p, struct html_item *item, size_t most, size_t *total);

#endif
