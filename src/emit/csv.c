#include "emit/csv.h"

#include "emit/emit.h"
#include "emit/words.h"

/* One row. */
#define ROW_MAX_BYTES ((size_t)16 * 1024 * 1024)
/* Device ids in a cell; the rest is counted. Spreadsheets cut a cell at 32,767 characters. */
#define MAX_DEVICES 200

static const char *const columns[] = {
	"uid",
	"revision",
	"kind",
	"verdict",
	"explained_by",
	"severity",
	"risk",
	"confidence",
	"score_db",
	"app",
	"app_version",
	"attribution",
	"host",
	"port",
	"paths",
	"first_seen",
	"last_seen",
	"devices",
	"device_ids",
	"failures",
	"trials",
	"successes",
	"uninspected",
	"controls_met",
	"controls_missing",
	"rivals_standing",
	"risk_factors",
	"excluded",
	"log_sources_missing",
	"why",
};

/* Characters with which a spreadsheet begins a formula: OWASP, CSV Injection; the last four are
 * full width. */
static bool is_formula(struct sv v)
{
	return !sv_empty(v) && (v.p[0] == '=' || v.p[0] == '+' || v.p[0] == '-' || v.p[0] == '@' ||
				sv_starts(v, SV("＝")) || sv_starts(v, SV("＋")) ||
				sv_starts(v, SV("－")) || sv_starts(v, SV("＠")));
}

/* The cell that `safe` holds, which is emptied for the next. */
static void text_cell(struct buf *b, struct buf *safe)
{
	buf_str(b, ",\"");
	if (is_formula(buf_view(safe)))
		buf_char(b, '\'');
	for (size_t i = 0; i < safe->n; i++) {
		if (safe->p[i] == '"')
			buf_char(b, '"');
		buf_char(b, safe->p[i]);
	}
	buf_char(b, '"');
	buf_reset(safe);
}

static void value_cell(struct buf *b, struct buf *cell, struct sv v)
{
	text_safe(cell, v, 0);
	text_cell(b, cell);
}

static void name_cell(struct buf *b, struct buf *cell, const char *name)
{
	buf_str(cell, name != NULL ? name : "");
	text_cell(b, cell);
}

/* Another entry of the list that the cell is. */
static void entry(struct buf *cell, const char *name)
{
	buf_printf(cell, "%s%s", cell->n > 0 ? "; " : "", name);
}

static void time_cell(struct buf *b, struct instant t)
{
	char iso[INSTANT_ISO_SIZE] = "";

	if (instant_known(t))
		instant_format_iso(t, iso);
	buf_printf(b, ",%s", iso);
}

static void device_cells(struct buf *b, struct buf *cell, const struct finding *f)
{
	uint64_t failures = 0, trials = 0, successes = 0, uninspected = 0;

	for (size_t i = 0; i < f->n_devices; i++) {
		failures += f->devices[i].failures;
		trials += f->devices[i].trials;
		successes += f->devices[i].successes;
		uninspected += f->devices[i].uninspected;
		if (i >= MAX_DEVICES)
			continue;
		buf_str(cell, i > 0 ? "; " : "");
		text_safe(cell, f->devices[i].id, 128);
	}
	if (f->n_devices > MAX_DEVICES)
		buf_printf(cell, "; and %zu more", f->n_devices - MAX_DEVICES);
	buf_printf(b, ",%zu", f->n_devices);
	text_cell(b, cell);
	buf_printf(b, ",%llu,%llu,%llu,%llu", (unsigned long long)failures,
		   (unsigned long long)trials, (unsigned long long)successes,
		   (unsigned long long)uninspected);
}

static void judgement_cells(struct buf *b, struct buf *cell, const struct finding *f)
{
	bool pinning = f->kind == FINDING_PINNING;

	for (int met = 1; met >= 0; met--) {
		for (int c = 0; pinning && c < CONTROLS; c++)
			if ((int)(f->controls_met >> c & 1u) == met)
				entry(cell, control_name((enum control)c));
		text_cell(b, cell);
	}
	for (int r = 0; pinning && r < RIVALS; r++)
		if (f->rivals[r].status == RIVAL_STANDS)
			entry(cell, rival_name((enum rival)r));
	text_cell(b, cell);
	for (size_t i = 0; i < f->n_risk_factors; i++)
		entry(cell, risk_factor_name(f->risk_factors[i].factor));
	text_cell(b, cell);
	buf_printf(b, ",%llu",
		   (unsigned long long)f->excluded_ca_untrusted + f->excluded_gateway_fault);
	for (int s = SENSOR_MDM; s >= SENSOR_INSPECTION; s--)
		if (f->log_sources[s] == SOURCE_MISSING || f->log_sources[s] == SOURCE_STALE)
			entry(cell, log_source_name((enum sensor_kind)s));
	text_cell(b, cell);
	if (pinning)
		words_why(cell, f);
	text_cell(b, cell);
}

static void row(struct buf *b, struct buf *cell, const struct finding *f)
{
	bool pinning = f->kind == FINDING_PINNING;

	buf_printf(b, "%s,%u", f->uid, f->revision);
	name_cell(b, cell, finding_kind_name(f->kind));
	name_cell(b, cell, verdict_name(f->verdict));
	value_cell(b, cell, f->explained_by);
	name_cell(b, cell, severity_name(f->severity));
	buf_printf(b, ",%d", f->risk);
	name_cell(b, cell, confidence_name(f->confidence));
	buf_char(b, ',');
	text_fixed2(b, f->score_centidb, false);
	value_cell(b, cell, f->bundle_id);
	value_cell(b, cell, f->app_version);
	name_cell(b, cell, pinning ? attribution_name(f->attribution) : NULL);
	value_cell(b, cell, f->host);
	if (pinning)
		buf_printf(b, ",%u", f->port);
	else
		buf_char(b, ',');
	for (unsigned p = PATH_REJECTION; p <= PATH_PERSISTENT_OPACITY; p <<= 1)
		if (f->paths & p)
			entry(cell, path_name((enum path)p));
	text_cell(b, cell);
	time_cell(b, f->first_seen);
	time_cell(b, f->last_seen);
	device_cells(b, cell, f);
	judgement_cells(b, cell, f);
	buf_str(b, "\r\n");
}

bool csv_write(FILE *out, const struct emit_input *in, struct error *err)
{
	struct buf b, cell;
	bool ok;

	buf_init(&b, ROW_MAX_BYTES);
	buf_init(&cell, ROW_MAX_BYTES);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		buf_printf(&b, "%s%s", i > 0 ? "," : "", columns[i]);
	buf_str(&b, "\r\n");
	ok = emit_flush(out, &b, err);
	for (size_t i = 0; ok && i < in->n; i++) {
		if (!emit_shows(&in->findings[i], in->all))
			continue;
		row(&b, &cell, &in->findings[i]);
		ok = emit_flush(out, &b, err);
	}
	buf_free(&cell);
	buf_free(&b);
	return ok;
}
