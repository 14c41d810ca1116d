/* The dry run of every built-in format over any bytes. The first byte chooses the format. */
#include "fuzz.h"

#include <stdlib.h>

#include "parse/dry_run.h"

#define MAX_RECORDS 16u

/* The format is as it was before: names learnt from one record are not asked of another. */
static void check_restored(struct format_set *set, struct sv name)
{
	struct dry_run *d = dry_run_new(set, name);
	const struct parser_options options = { .date = { 0 } };
	static const char nothing[READ_PADDING] = "";
	struct dry_record r;

	dry_run_begin(d, &options);
	dry_run_record(d, sv_make(nothing, 0), &r);
	for (size_t i = 0; i < r.n_fields; i++)
		fuzz_require(r.fields[i].state != DRY_UNMAPPED);
	dry_run_free(d);
}

static void each_record(struct dry_run *d, const struct format *f, struct sv text, bool learn)
{
	const struct reader_options reading = { .framing = format_framing(f),
						.max_record = (size_t)1 << 16 };
	struct reader *reader = reader_on_bytes(text, &reading);
	struct error err = { 0 };
	struct sv record;

	for (size_t n = 0; n < MAX_RECORDS && reader_next(reader, &record, &err) == READ_RECORD;
	     n++) {
		struct dry_record r;
		size_t bytes = 0;

		if (learn) {
			dry_run_learn(d, record);
			continue;
		}
		dry_run_record(d, record, &r);
		for (size_t i = 0; i < r.n_fields; i++) {
			const struct dry_field *field = &r.fields[i];

			for (size_t k = 0; k < field->text.n; k++)
				bytes += (unsigned char)field->text.p[k] > 0;
			fuzz_require(field->name.n > 0 && bytes <= SIZE_MAX / 2);
			fuzz_require((field->state == DRY_FAILED) == (field->why.n > 0));
			fuzz_require(field->state != DRY_MAPPED || field->targets[0] != NULL);
		}
		fuzz_require((r.result == PARSE_OBSERVATIONS) == (r.n_observations > 0));
	}
	reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct format_set *set; /* compiled once: that is not what is looked at here */
	const struct parser_options options = { .date = { 0 } };
	struct sv text = { (const char *)data, size };
	size_t chosen = fuzz_byte(&text);
	const struct format *f;
	struct dry_run *d;

	if (set == NULL)
		set = fuzz_formats(NULL, 0);
	f = format_set_at(set, chosen % format_set_count(set));
	d = dry_run_new(set, format_name(f));
	each_record(d, f, text, true);
	dry_run_begin(d, &options);
	each_record(d, f, text, false);
	dry_run_free(d);
	check_restored(set, format_name(f));
	return 0;
}
