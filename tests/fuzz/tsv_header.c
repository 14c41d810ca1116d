/* Logs with a header of their own, tab separated. */
#include "fuzz.h"

static const char *const formats[] = {
	"format: fuzz_0\ntitle: x\ndetect: {starts: [x]}\nsensor: flow\ndecode: "
	"tsv_header\nrecords:\n  - kind: tls_attempt\n"
	"    map: {time: ts, duration: duration, src_endpoint.ip: id.orig_h, src_endpoint.port: "
	"id.orig_p,\n      dst_endpoint.ip: id.resp_h, tls.sni: server_name, flow_id: uid,\n"
	"      app.version: '#path', tls.alert: {from: last_alert, lenient: true},\n"
	"      tls.alert_from: {from: ssl_history, via: ssl_history_alert_side, lenient: true}}\n",
	"format: fuzz_1\ntitle: x\ndetect: {starts: [x]}\nsensor: lease\nignore: ['##']\nsyslog: "
	"true\ndecode: tsv_header\n"
	"records:\n  - when: {'#path': dhcp}\n    kind: lease\n"
	"    map: {time: [ts, syslog.time, {via: source_date}], ip: [assigned_addr, client_addr], "
	"device.mac: mac,\n      until: {from: lease_time, via: seconds_after}}\n"
	"  - irrelevant: another log\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_decoder(formats, sizeof(formats) / sizeof(formats[0]), data, size);
}
