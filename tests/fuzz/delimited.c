/* Columns between separators, with and without quotes and headings. */
#include "fuzz.h"

#define MAP(first, second, third)                                                                  \
	"records:\n  - kind: tls_attempt\n    map: {time: [" first ", {via: source_date}], "       \
	"tls.sni: {from: " second ", lenient: true}, app.user_agent: " third "}\n"

static const char *const formats[] = {
	"format: fuzz_0\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {delimited: "
	"{heading: true, unset: ['-']}}\n" MAP("{from: time, lenient: true}", "host", "agent"),
	"format: fuzz_1\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {delimited: "
	"{}}\n" MAP("{from: '1', lenient: true}", "'3'", "'700'"),
	"format: fuzz_2\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {delimited: "
	"{separator: ' ', quote: '', "
	"heading_prefix: '#Fields: '}}\n" MAP("{from: time, lenient: true}", "host", "agent"),
	"format: fuzz_3\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\nsyslog: "
	"true\ndecode: {delimited: {separator: \"\\t\", "
	"heading: true, columns: [time, host, agent], unset: ['', none]}}\n" MAP(
	    "{from: time, lenient: true}", "host", "agent"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_decoder(formats, sizeof(formats) / sizeof(formats[0]), data, size);
}
