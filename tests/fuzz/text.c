/* Lines of text taken apart by patterns. */
#include "fuzz.h"

#define MAP                                                                                        \
	"records:\n  - kind: tls_attempt\n    map: {time: [{from: ts, via: epoch_any, lenient: "   \
	"true}, {via: source_date}], tls.sni: {from: sni, lenient: true},\n      app.user_agent: " \
	"agent, app.version: rest}\n"

static const char *const formats[] = {
	"format: fuzz_0\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\ndecode: {text: "
	"{unset: ['-'], patterns: ['{ts:number} "
	"{client:word} sni={sni:word} err={} \"{agent}\"', '{ts:number} {rest}', "
	"'[{rest}]{{}}']}}\n" MAP,
	"format: fuzz_1\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\nsyslog: "
	"true\ndecode: {text: {patterns: "
	"['{rest}aa{agent}aab{sni:word}', 'x{sni:word}.{ts:number}', '{sni}']}}\n" MAP,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_decoder(formats, sizeof(formats) / sizeof(formats[0]), data, size);
}
