/* Pairs of names and values. */
#include "fuzz.h"

#define MAP                                                                                        \
	"records:\n  - kind: tls_attempt\n    map: {time: [{from: eventtime, lenient: true}, "     \
	"{from: "                                                                                  \
	"'@head', via: date_text, lenient: true}, {via: source_date}],\n      tls.sni: {from: "    \
	"sni, "                                                                                    \
	"lenient: true}, app.user_agent: desc, app.version: [user, '@head'], tls.alert: {from: "   \
	"desc, lenient: true}}\n"

static const char *const formats[] = {
	"format: fuzz_0\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\nsyslog: "
	"true\ndecode: {keyvalue: {}}\n" MAP,
	"format: fuzz_1\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\nframing: "
	"paragraph\ndecode: {keyvalue: {between: "
	"\"\\n\", pair: ' = '}}\n" MAP,
	"format: fuzz_2\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {keyvalue: "
	"{between: ', ', pair: ': ', quote: "
	"\"'\", after: '%GW-', unset: [N/A]}}\n" MAP,
	"format: fuzz_3\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {keyvalue: "
	"{between: ';;', quote: ''}}\n" MAP,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_decoder(formats, sizeof(formats) / sizeof(formats[0]), data, size);
}
