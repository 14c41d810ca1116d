/* CEF and LEEF. */
#include "fuzz.h"

static const char *const formats[] = {
	"format: fuzz_0\ntitle: x\ndetect: {starts: [x]}\nsensor: inspection\nsyslog: "
	"true\ndecode: {cef: {unset: ['-']}}\nrecords:\n"
	"  - kind: tls_attempt\n    map: {time: [{from: rt, lenient: true}, {via: source_date}], "
	"src_endpoint.ip: {from: src, lenient: true},\n      tls.sni: {from: dhost, lenient: "
	"true}, "
	"app.user_agent: msg, app.version: [cs1, cef.name],\n      tls.alert: {from: reason, "
	"lenient: true}}\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_decoder(formats, sizeof(formats) / sizeof(formats[0]), data, size);
}
