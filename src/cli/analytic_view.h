/* What `pinwatch analytic` knows, and its two ways of saying it. */
#ifndef PINWATCH_CLI_ANALYTIC_VIEW_H
#define PINWATCH_CLI_ANALYTIC_VIEW_H

#include "base/buf.h"
#include "conf/conf.h"
#include "emit/text.h"
#include "model/observation.h"
#include "parse/stix_drift.h"

/* A source that feeds a log source of the analytic. */
struct analytic_feed {
	struct sv name, format;
	enum sensor_kind sensor;
	bool scanned; /* its records were read; else told by configuration or first lines */
	uint64_t observations; /* where scanned */
	const char *trouble;   /* why it feeds nothing at the moment; NULL: it does */
};

struct analytic_view {
	const struct conf *conf;
	const struct stix_analytic *bundle; /* NULL: none was given */
	const struct drift *drift;
	size_t n_drift;
	const struct analytic_feed *feeds;
	size_t n_feeds;
	bool asked; /* sources were named, by paths or configuration */
};

#define ANALYTIC_MAX_BYTES ((size_t)16 * 1024 * 1024)

void analytic_text(struct buf *out, const struct analytic_view *v, const struct text_style *style);
/* One JSON object and a line break. */
void analytic_json(struct buf *out, const struct analytic_view *v);

#endif
