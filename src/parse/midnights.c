#include <sys/stat.h>

#include "parse/dayclock.h"
#include "parse/decode_record.h"

/* The clock of a record, or SV_NONE. */
static struct sv clock_of(struct record_decoder *d, struct sv record)
{
	const struct conversation *c = d->format->conversation;
	struct error ignored;

	if (record_decode(d, record, &ignored) != DECODE_FIELDS)
		return SV_NONE;
	return conversation_text(c->clocks, c->n_clocks, d->raws);
}

bool parser_midnights(const struct format *f, const char *path, enum framing framing,
		      uint32_t *midnights, struct error *err)
{
	const struct reader_options reading = { .framing = framing };
	const struct parser_options options = { .date = { NS_PER_DAY } };
	struct record_decoder decoder;
	struct dayclock clock;
	struct reader *r;
	struct instant t;
	struct stat st;
	struct sv record, text;
	enum read_result got;

	*midnights = 0;
	/* A pipe can be read only once; its clock runs forward from the source's date. */
	if (f->conversation == NULL || f->conversation->n_clocks == 0 || stat(path, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return true;
	r = reader_open(path, &reading, err);
	if (r == NULL)
		return false;
	dayclock_init(&clock, &options);
	record_decoder_open(&decoder, f);
	while ((got = reader_next(r, &record, err)) == READ_RECORD || got == READ_OVERLONG) {
		text = got == READ_RECORD ? clock_of(&decoder, record) : SV_NONE;
		if (text.n == 0)
			continue;
		if (!dayclock_is_time_of_day(text))
			break; /* with a date, and so are the others */
		dayclock_read(&clock, text, &decoder.scratch, &t);
	}
	record_decoder_close(&decoder);
	reader_close(r);
	*midnights = clock.day > 0 ? (uint32_t)clock.day : 0;
	return true; /* an error in the middle will show when the input is read */
}
