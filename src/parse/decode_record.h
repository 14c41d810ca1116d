/* From the bytes of one record to raw fields: envelope, decoder, embedded documents. What parsing
 * and detection share. One an input, one thread. */
#ifndef PINWATCH_PARSE_DECODE_RECORD_H
#define PINWATCH_PARSE_DECODE_RECORD_H

#include "parse/decode.h"

struct record_decoder {
	const struct format *format;
	void *state;
	struct raw *raws;
	struct arena scratch; /* of the record at hand; of all since it was empty where `keeps` */
	struct json_reader *json;
	bool keeps;
	const struct value *list;
	uint32_t syslog[3];
	bool bad_embed; /* the record is whole but for a document inside it */
};

void record_decoder_open(struct record_decoder *d, const struct format *f);
void record_decoder_close(struct record_decoder *d);
/* Forgets the last record and reads this one into raws. READ_PADDING bytes behind it must be
 * readable. */
enum decode_result record_decode(struct record_decoder *d, struct sv record, struct error *err);
/* The record without what a syslog relay put before it, whose parts fill their slots. */
struct sv record_unwrap(struct record_decoder *d, struct sv record);
/* After DECODE_LIST: fills raws with the i-th item. False when the item is no object. */
bool record_decode_item(struct record_decoder *d, size_t i, struct error *err);

#endif
