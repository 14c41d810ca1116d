/* What a perfect analysis would find, and the configuration that goes with the logs. */
#include "base/jsonw.h"
#include "sim/render.h"

static void write_expectation(struct jsonw *w, const struct sim *s, const struct sim_pair *p)
{
	static const struct {
		unsigned bit;
		const char *verdict;
	} verdicts[] = {
		{ MAY_CONFIRM, "confirmed" }, { MAY_SUSPECT, "suspected" },
		{ MAY_EXPLAIN, "explained" }, { MAY_EXPECT, "expected" },
		{ MAY_OBSERVE, "observed" },
	};

	jsonw_key(w, "expect");
	jsonw_open(w, '{');
	jsonw_key(w, "kind");
	jsonw_str(w, "pinning");
	jsonw_key(w, "verdict");
	jsonw_open(w, '[');
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (p->verdicts & verdicts[i].bit)
			jsonw_str(w, verdicts[i].verdict);
	jsonw_close(w, ']');
	jsonw_key(w, "explained_by");
	jsonw_str(w, p->explained_by);
	if (p->only_device != SIM_NO_DEVICE) {
		jsonw_key(w, "devices");
		jsonw_open(w, '[');
		jsonw_str(w, s->devices[p->only_device].udid);
		jsonw_close(w, ']');
	}
	jsonw_close(w, '}');
}

static void write_case(struct jsonw *w, const struct sim *s, const struct sim_pair *p)
{
	jsonw_open(w, '{');
	jsonw_key(w, "app");
	jsonw_str(w, s->apps[p->app].bundle);
	jsonw_key(w, "host");
	jsonw_str(w, s->hosts[p->host].name);
	jsonw_key(w, "port");
	jsonw_int(w, 443);
	jsonw_key(w, "label");
	jsonw_str(w, p->pinned ? "pinned" : "not_pinned");
	jsonw_key(w, "scenario");
	jsonw_str(w, p->scenario);
	write_expectation(w, s, p);
	jsonw_close(w, '}');
}

/* With its addresses: where nothing joins them to the phone, a finding can only name those. */
static void write_device(struct sink *k, const struct sim_device *d, const char *comma)
{
	sink_printf(k, "%s{\"udid\":\"%s\",\"label\":\"%s\",\"addresses\":[", comma, d->udid,
		    d->label);
	for (uint8_t i = 0; i < d->n_stays; i++) {
		sink_str(k, i > 0 ? ",\"" : "\"");
		sink_ip(k, d->stays[i].ip);
		sink_char(k, '"');
	}
	sink_str(k, "]}");
	sink_line(k);
}

static void flush(struct sim_file *f, struct buf *b)
{
	sink_sv(&f->sink, buf_view(b));
	sink_line(&f->sink);
	buf_reset(b);
}

/* One case a line, so that the file can be read and compared by eye. */
bool sim_render_truth(struct sim *s, struct error *err)
{
	struct sim_file f;
	struct buf b;
	struct jsonw w;
	const char *comma = "";

	if (!sim_file_open(s, &f, "truth.json", err))
		return false;
	buf_init(&b, (size_t)1 << 20);
	sink_printf(&f.sink, "{\"schema\":\"pinwatch.truth/1\",\"seed\":%llu,\n\"cases\":[\n",
		    (unsigned long long)s->o->seed);
	for (size_t i = 0; i < s->n_pairs; i++) {
		sink_str(&f.sink, comma);
		w = jsonw_on(&b);
		write_case(&w, s, &s->pairs[i]);
		flush(&f, &b);
		comma = ",";
	}
	sink_str(&f.sink, "],\n\"devices\":[\n");
	comma = "";
	for (uint32_t d = 0; d < s->n_devices; d++)
		if (s->devices[d].label != NULL) {
			write_device(&f.sink, &s->devices[d], comma);
			comma = ",";
		}
	sink_str(&f.sink, "],\n\"spans\":[\n");
	comma = "";
	for (size_t i = 0; i < s->n_spans; i++) {
		char from[INSTANT_ISO_SIZE], until[INSTANT_ISO_SIZE];
		instant_format_iso(s->spans[i].from, from);
		instant_format_iso(s->spans[i].until, until);
		sink_printf(&f.sink, "%s{\"label\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"}\n", comma,
			    s->spans[i].label, from, until);
		comma = ",";
	}
	sink_str(&f.sink, "],\n\"skipped\":[");
	for (size_t i = 0; i < s->report->n_skipped; i++)
		sink_printf(&f.sink, "%s\"%s\"", i > 0 ? "," : "", s->report->skipped[i]);
	sink_str(&f.sink, "]}");
	sink_line(&f.sink);
	buf_free(&b);
	return sim_file_close(s, &f, err);
}
