#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "parse/derive.h"

static struct arena scratch;
static struct parser_options options = { .date = { INT64_MIN } };
static struct observation so_far;

static enum derived derive(const char *name, struct sv argument, struct sv in, struct cell *out)
{
	const struct derivation *d = derivation_find(sv_cstr(name));
	struct derive_context c = { &scratch, &options, &so_far, argument, NULL, NULL };
	enum derived got;

	if (d == NULL)
		fail_msg("no derivation %s", name);
	got = d->run(&c, in, out);
	if (got == DERIVED_BAD)
		assert_non_null(c.expected); /* every refusal says what would have been right */
	return got;
}

static void gives_text(const char *name, const char *argument, const char *in, const char *want)
{
	struct cell out;
	enum derived got = derive(name, sv_cstr(argument), sv_cstr(in), &out);

	if (want == NULL) {
		if (got != DERIVED_NOTHING)
			fail_msg("%s(%s) says something", name, in);
		return;
	}
	if (got != DERIVED || !sv_eq(out.text, sv_cstr(want)))
		fail_msg("%s(%s) = %.*s, expected %s", name, in,
			 SV_ARG(got == DERIVED ? out.text : SV("nothing")), want);
}

static void gives_number(const char *name, const char *in, int64_t want)
{
	struct cell out;

	if (derive(name, SV_NONE, sv_cstr(in), &out) != DERIVED || out.number != want)
		fail_msg("%s(%s) is not %lld", name, in, (long long)want);
}

static void gives_time(const char *name, const char *in, const char *want)
{
	char text[INSTANT_ISO_SIZE];
	struct cell out;
	enum derived got = derive(name, SV_NONE, sv_cstr(in), &out);

	if (got == DERIVED)
		instant_format_iso(out.time, text);
	if (got != DERIVED || strcmp(text, want) != 0)
		fail_msg("%s(%s) = %s, expected %s", name, in, got == DERIVED ? text : "nothing",
			 want);
}

static void says_nothing(const char *name, const char *in)
{
	struct cell out;

	if (derive(name, SV_NONE, sv_cstr(in), &out) != DERIVED_NOTHING)
		fail_msg("%s(%s) does not say nothing", name, in);
}

static void refuses(const char *name, const char *in)
{
	struct cell out;

	if (derive(name, SV_NONE, sv_cstr(in), &out) != DERIVED_BAD)
		fail_msg("%s(%s) is not refused", name, in);
}

/* Wrong: an alert is taken for another, or the library's own error for an alert. */
static void test_openssl_errors(void **state)
{
	(void)state;
	gives_number("openssl_error_to_alert", "A000418", 48);
	gives_number("openssl_error_to_alert", "0A000418", 48);
	gives_number("openssl_error_to_alert", "14094418", 48); /* OpenSSL 1.1 */
	gives_number("openssl_error_to_alert", "0xA000412", 42);
	gives_number("openssl_error_to_alert", "A000416", 46);
	gives_number("openssl_error_to_alert", "A00045C", 116);
	gives_number("openssl_error_to_alert", "A000410", 40);
	gives_number("openssl_error_to_alert",
		     "error:0A000418:SSL routines::tlsv1 alert unknown ca", 48);
	says_nothing("openssl_error_to_alert", "A000076");
	says_nothing("openssl_error_to_alert", "A000126"); /* 294: EOF */
	refuses("openssl_error_to_alert", "");
	refuses("openssl_error_to_alert", "unknown ca");
	refuses("openssl_error_to_alert", "FFFFFFFFFFFFFFFFF");
	gives_text("openssl_word", NULL, "A0000C1", "no_shared_cipher");
	gives_text("openssl_word", NULL, "A000126", "unexpected_eof");
	gives_text("openssl_word", NULL, "A00045C", "certificate_required");
	gives_text("openssl_word", NULL, "A000001", NULL);
}

/* Wrong: who refused whose certificate is mixed up, or a guess is made where the side is not
 * known. */
static void test_alert_outcome(void **state)
{
	static const struct {
		int alert;
		enum outcome client, server, unknown;
	} table[] = {
		{ 0, CLIENT_SILENT_CLOSE, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN },
		{ 40, CLIENT_REJECT, TLS_MISMATCH, OUTCOME_UNKNOWN },
		{ 42, CLIENT_REJECT, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 43, CLIENT_REJECT, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 44, CLIENT_REJECT, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 45, CLIENT_REJECT_VALIDITY, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 46, CLIENT_REJECT, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 48, CLIENT_REJECT, MUTUAL_TLS, OUTCOME_UNKNOWN },
		{ 51, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN },
		{ 70, TLS_MISMATCH, TLS_MISMATCH, TLS_MISMATCH },
		{ 71, TLS_MISMATCH, TLS_MISMATCH, TLS_MISMATCH },
		{ 80, CLIENT_SILENT_CLOSE, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN },
		{ 86, TLS_MISMATCH, TLS_MISMATCH, TLS_MISMATCH },
		{ 90, CLIENT_CANCEL, OUTCOME_UNKNOWN, CLIENT_CANCEL },
		{ 112, OUTCOME_UNKNOWN, UPSTREAM_FAILED, OUTCOME_UNKNOWN },
		{ 116, OUTCOME_UNKNOWN, MUTUAL_TLS, MUTUAL_TLS },
		{ 120, TLS_MISMATCH, TLS_MISMATCH, TLS_MISMATCH },
		{ 121, TLS_MISMATCH, TLS_MISMATCH, TLS_MISMATCH },
	};
	struct cell out;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(outcome_of_alert(table[i].alert, SIDE_CLIENT), table[i].client);
		assert_int_equal(outcome_of_alert(table[i].alert, SIDE_SERVER), table[i].server);
		assert_int_equal(outcome_of_alert(table[i].alert, SIDE_UNKNOWN), table[i].unknown);
	}
	observation_clear(&so_far, OBS_TLS_ATTEMPT);
	assert_int_equal(derive("alert_outcome", SV_NONE, SV_NONE, &out), DERIVED_NOTHING);
	so_far.tls.alert = 0;
	so_far.tls.alert_from = SIDE_CLIENT;
	assert_int_equal(derive("alert_outcome", SV_NONE, SV_NONE, &out), DERIVED);
	assert_int_equal(out.number, CLIENT_SILENT_CLOSE);
	so_far.tls.established = TRI_TRUE; /* behind the handshake bytes decide */
	assert_int_equal(derive("alert_outcome", SV_NONE, SV_NONE, &out), DERIVED_NOTHING);
}

/* Wrong: an alert's wording is not recognised in the spelling some product uses. */
static void test_alert_names(void **state)
{
	(void)state;
	gives_number("alert_name", "unknown_ca", 48);
	gives_number("alert_name", "Unknown CA", 48);
	gives_number("alert_name", "certificate unknown", 46);
	gives_number("alert_name", "46", 46);
	gives_number("alert_name", "CertificateUnknown", 46);
	gives_number("alert_name", "UnknownCA", 48);
	says_nothing("alert_name", "Unknown");
	says_nothing("alert_name", "");
	gives_number("alert_name", "user_cancelled", 90);
	says_nothing("alert_name", "warning");
	refuses("alert_name", "256");
}

/* Wrong: versions of one protocol compare as different, or something older passes for TLS. */
static void test_tls_versions(void **state)
{
	(void)state;
	gives_text("tls_version", NULL, "TLSv13", "1.3");
	gives_text("tls_version", NULL, "TLSv1.2", "1.2");
	gives_text("tls_version", NULL, "TLS/1.3", "1.3");
	gives_text("tls_version", NULL, "TLS1.2", "1.2");
	gives_text("tls_version", NULL, "TLSv1", "1.0");
	gives_text("tls_version", NULL, "TLSv10", "1.0");
	gives_text("tls_version", NULL, "TLSv11", "1.1");
	gives_text("tls_version", NULL, "tls 1.2", "1.2");
	gives_text("tls_version", NULL, "TLSv13-draft14", "1.3");
	gives_text("tls_version", NULL, "DTLSv12", "1.2");
	gives_text("tls_version", NULL, "0x0304", "1.3");
	gives_text("tls_version", NULL, "771", "1.2");
	gives_text("tls_version", NULL, "1.3", "1.3");
	gives_text("tls_version", NULL, "SSLv3", NULL);
	gives_text("tls_version", NULL, "TLSv14", NULL);
	gives_text("tls_version", NULL, "TLSv120", NULL);
	gives_text("tls_version", NULL, "", NULL);
	gives_text("tls_version", NULL, "unknown", NULL);
}

/* Wrong: the side that closed, or the way it did, comes out as the other. */
static void test_histories(void **state)
{
	(void)state;
	gives_number("zeek_history_closer", "ShADadFf", SIDE_CLIENT);
	gives_number("zeek_history_closer", "ShADadfF", SIDE_SERVER);
	gives_number("zeek_history_closer", "ShADadR", SIDE_CLIENT);
	gives_number("zeek_history_closer", "^hCadr", SIDE_SERVER);
	gives_number("zeek_history_close", "ShADadFfR", CLOSE_FIN);
	gives_number("zeek_history_close", "ShADadRf", CLOSE_RST);
	says_nothing("zeek_history_closer", "ShADad");
	says_nothing("zeek_history_close", "");
	gives_number("ssl_history_alert_side", "CsxknL", SIDE_CLIENT);
	gives_number("ssl_history_alert_side", "Cl", SIDE_SERVER);
	gives_number("ssl_history_alert_side", "CsLl", SIDE_SERVER);
	says_nothing("ssl_history_alert_side", "CsiI");
}

/* Wrong: a device is not found again because its name is spelled another way, or a phone number or
 * a nonsense address becomes a device. */
static void test_device_names(void **state)
{
	(void)state;
	gives_text("mac", NULL, "AA-BB-CC-00-00-01", "aa:bb:cc:00:00:01");
	gives_text("mac", NULL, "aabb.cc00.0001", "aa:bb:cc:00:00:01");
	gives_text("mac", NULL, "AABBCC000001", "aa:bb:cc:00:00:01");
	gives_text("mac", NULL, " aa:bb:cc:00:00:01 ", "aa:bb:cc:00:00:01");
	gives_text("mac", NULL, "aa:bb:cc:00:00", NULL);
	gives_text("mac", NULL, "aa:bb:cc:00:00:01:02", NULL);
	gives_text("mac", NULL, "00:00:00:00:00:00", NULL);
	gives_text("mac", NULL, "ff:ff:ff:ff:ff:ff", NULL);
	gives_text("mac", NULL, "+49 30 123456", NULL);
	gives_text("mac", NULL, "", NULL);
	gives_text("udid", NULL, "00008110-000a1b2c3d4e5f6a", "00008110-000A1B2C3D4E5F6A");
	gives_text("serial", NULL, " f2lxk1a2b3\t", "F2LXK1A2B3");
	gives_text("strip_team_id", NULL, "AB12CD34EF.com.acme.bank", "com.acme.bank");
	gives_text("strip_team_id", NULL, ".com.acme.bank", "com.acme.bank");
	gives_text("strip_team_id", NULL, "com.acme.bank", "com.acme.bank");
	gives_text("strip_team_id", NULL, "ABCDEFGHIJ", "ABCDEFGHIJ"); /* a name, no team */
	gives_text("strip_team_id", NULL, "...", NULL);
}

/* Wrong: one destination counts as several, or a hostile name reaches the output unnormalised. */
static void test_hosts(void **state)
{
	char longest[300];

	(void)state;
	gives_text("host", NULL, "API.Bank.Test.", "api.bank.test");
	gives_text("host", NULL,
		   "b\xc3\xbc"
		   "cher.test",
		   "xn--bcher-kva.test");
	gives_text("host", NULL,
		   "B\xc3\x9c"
		   "CHER.test",
		   "xn--bcher-kva.test");
	gives_text("host", NULL, "[2001:db8::1]", "2001:db8::1");
	gives_text("host", NULL, "api.bank.test\xe3\x80\x82", "api.bank.test");
	gives_text("host", NULL,
		   "b\xc3\xbc"
		   "cher.test\xef\xbc\x8e",
		   "xn--bcher-kva.test");
	gives_text("host", NULL, "\xe3\x80\x82", NULL);
	gives_text("host", NULL, "[api.bank.test.]", "api.bank.test");
	gives_text("host", NULL, "a b", NULL);
	gives_text("host", NULL, "a\nb", NULL);
	gives_text("host", NULL, "\xff\xfe", NULL);
	gives_text("host", NULL, ".", NULL);
	gives_text("host", NULL, "*.Acme_1.test", "*.acme_1.test");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	gives_text("host", NULL, longest, NULL);
	gives_text("authority_host", NULL, "News.test:8443", "news.test");
	gives_text("authority_host", NULL, "news.test", "news.test");
	gives_text("authority_host", NULL, "203.0.113.9:443", NULL);
	gives_text("authority_host", NULL, "[2001:db8::1]:443", NULL);
	gives_number("authority_port", "news.test:8443", 8443);
	gives_number("authority_port", "[2001:db8::1]:443", 443);
	says_nothing("authority_port", "2001:db8::1");
	says_nothing("authority_port", "news.test");
	refuses("authority_port", "news.test:70000");
	refuses("authority_port", "[2001:db8::1");
	gives_text("url_host", NULL, "https://user:pw@News.test:8443/a?b@c", "news.test");
	gives_text("url_host", NULL, "error:invalid-request", NULL);
	gives_number("url_port", "https://news.test/", 443);
	gives_number("url_port", "http://news.test", 80);
	gives_number("url_port", "https://news.test:8443/", 8443);
}

/* Wrong: events land hours or decades away from when they happened. */
static void test_times(void **state)
{
	(void)state;
	options.zone = 0;
	options.date = INSTANT_NONE;
	gives_time("epoch_any", "1795507200", "2026-11-24T08:00:00.000Z");
	gives_time("epoch_any", "1795507200.25", "2026-11-24T08:00:00.250Z");
	gives_time("epoch_any", "1795507200250", "2026-11-24T08:00:00.250Z");
	gives_time("epoch_any", "1795507200250000", "2026-11-24T08:00:00.250Z");
	gives_time("epoch_any", "1795507200250000000", "2026-11-24T08:00:00.250Z");
	gives_time("epoch_any", "1.7955072e9", "2026-11-24T08:00:00.000Z");
	refuses("epoch_any", "-1");
	refuses("epoch_any", "1e300");
	refuses("epoch_any", "nan");
	refuses("epoch_any", "XXXXXXXXXX.XXXXXX");
	gives_time("iso_any", "2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00.000Z");
	gives_time("iso_any", "2026-11-24 08:00:00.5", "2026-11-24T08:00:00.500Z");
	says_nothing("iso_any", "0001-01-01T00:00:00Z");
	refuses("iso_any", "2026-13-01T00:00:00Z");
	gives_time("date_text", "Tue Nov 24 08:00:00 2026", "2026-11-24T08:00:00.000Z");
	gives_time("date_text", "Tue Jun  9 00:03:48 2015", "2015-06-09T00:03:48.000Z");
	gives_time("date_text", "Jun  9 2015 00:03:47 CEST", "2015-06-08T22:03:47.000Z");
	gives_time("date_text", "24/Nov/2026:08:00:00 +0100", "2026-11-24T07:00:00.000Z");
	gives_time("date_text", "2026/11/24 08:00:00", "2026-11-24T08:00:00.000Z");
	refuses("date_text", "Nov 24 08:00:00"); /* no year, and none to guess from */
	refuses("date_text", "24 08:00:00");
	refuses("date_text", "Nov 24 2026");
	refuses("date_text", "Nov 99 08:00:00 2026");
	options.date = (struct instant){ INT64_C(1795507200) * NS_PER_S };
	gives_time("date_text", "Nov 24 07:59:59", "2026-11-24T07:59:59.000Z");
	gives_time("date_text", "Dec 31 23:00:00", "2025-12-31T23:00:00.000Z");
	gives_time("time_of_day", "23:21:54.726", "2026-11-24T23:21:54.726Z");
	options.zone = 3600;
	gives_time("time_of_day", "00:00:01", "2026-11-23T23:00:01.000Z");
	gives_time("iso_any", "2026-11-24T09:00:00", "2026-11-24T08:00:00.000Z");
	gives_time("date_text", "Tue Nov 24 09:00:00 2026", "2026-11-24T08:00:00.000Z");
	options.zone = 0;
	options.date = INSTANT_NONE;
	gives_time("time", "1795507200.5", "2026-11-24T08:00:00.500Z");
	gives_time("time", "2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000Z");
	gives_time("time", "Tue, 24 Nov 2026 08:00:00 GMT", "2026-11-24T08:00:00.000Z");
}

static void gives_span(const char *name, const char *in, int64_t ns)
{
	struct cell out;

	if (derive(name, SV_NONE, sv_cstr(in), &out) != DERIVED || out.span.ns != ns)
		fail_msg("%s(%s) is not %lld ns", name, in, (long long)ns);
}

/* Wrong: a duration is a thousand times too long, or a huge one overflows. */
static void test_spans(void **state)
{
	struct cell out;

	(void)state;
	gives_span("seconds", "0.041", 41 * NS_PER_MS);
	gives_span("seconds", "3600.000000", NS_PER_HOUR);
	gives_span("seconds", "0.17998480796813965", 179984807);
	gives_span("seconds", "9.5367431640625e-07", 953);
	gives_span("milliseconds", "18", 18 * NS_PER_MS);
	gives_span("milliseconds", "40.25", 40250000);
	gives_span("milliseconds", "0.000001", 1);
	refuses("seconds", "-1");
	refuses("seconds", "");
	refuses("seconds", "1.2.3");
	refuses("seconds", "99999999999999999999");
	refuses("seconds", "1e200");
	observation_clear(&so_far, OBS_LEASE);
	assert_int_equal(derive("seconds_after", SV_NONE, SV("60"), &out), DERIVED_NOTHING);
	so_far.time = (struct instant){ NS_PER_S };
	assert_int_equal(derive("seconds_after", SV_NONE, SV("60"), &out), DERIVED);
	assert_int_equal(out.time.ns, 61 * NS_PER_S);
}

static void gives_of(const char *name, const char *argument, const char *in, int64_t want)
{
	struct cell out;

	if (derive(name, sv_cstr(argument), sv_cstr(in), &out) != DERIVED || out.number != want)
		fail_msg("%s(%s, %s) is not %lld", name, argument, in, (long long)want);
}

/* Wrong: a reset is blamed on the side that got it, or on one of two that both sent one; headers
 * count as payload. */
static void test_flows(void **state)
{
	struct cell out;

	(void)state;
	gives_number("tcp_flags_close", "1f", CLOSE_RST);
	gives_number("tcp_flags_close", "0x1b", CLOSE_FIN);
	gives_number("tcp_flags_close", "...AP.SF", CLOSE_FIN);
	gives_number("tcp_flags_close", "...APRSF", CLOSE_RST);
	gives_number("tcp_flags_close", "1b 1f", CLOSE_RST);
	says_nothing("tcp_flags_close", "1a");
	says_nothing("tcp_flags_close", "........");
	refuses("tcp_flags_close", "");
	refuses("tcp_flags_close", "..XX.SF.");
	refuses("tcp_flags_close", "10000");
	gives_number("tcp_flags_closer", "1f 1b", SIDE_CLIENT);
	gives_number("tcp_flags_closer", "1b 1f", SIDE_SERVER);
	gives_number("tcp_flags_closer", "1b 1a", SIDE_CLIENT); /* FIN alone */
	says_nothing("tcp_flags_closer", "1f 1f");
	says_nothing("tcp_flags_closer", "1b 1b");
	refuses("tcp_flags_closer", "1f");
	gives_of("without_headers", "66", "2000 12", 2000 - 12 * 66);
	gives_of("without_headers", "66", "100 12", 0); /* never below none */
	gives_of("without_headers", "66", "100 18446744073709551615", 0);
	assert_int_equal(derive("without_headers", SV("66"), SV("2000"), &out), DERIVED_BAD);
	assert_int_equal(derive("without_headers", SV("x"), SV("1 1"), &out), DERIVED_BAD);
	gives_span("span_between", "2026-11-24T08:00:00.100Z 2026-11-24T08:00:02.350Z",
		   2250 * NS_PER_MS);
	gives_span("span_between", "2026-11-24 08:00:00 2026-11-24 08:00:01", NS_PER_S);
	gives_span("span_between", "1795507200100 1795507201600", 1500 * NS_PER_MS);
	says_nothing("span_between", "1795507201 1795507200");
	refuses("span_between", "1795507201");
	refuses("span_between", "a b");
	gives_text("hex_bit", "01000000", "0x1400019", "yes");
	gives_text("hex_bit", "01000000", "400019", "no");
	assert_int_equal(derive("hex_bit", SV("1"), SV("g"), &out), DERIVED_BAD);
	gives_text("first", "4", "abcdef", "abcd");
	gives_text("first", "4", "ab", "ab");
	assert_int_equal(derive("first", SV("x"), SV("ab"), &out), DERIVED_BAD);
	gives_time("date_text", "2026-11-24 09:00:00 +0100", "2026-11-24T08:00:00.000Z");
	gives_time("date_text", "2026-11-24 10:00:00 UTC+2", "2026-11-24T08:00:00.000Z");
	gives_time("date_text", "2026-11-24 10:00:00 GMT+02:00", "2026-11-24T08:00:00.000Z");
	refuses("date_text", "2026-11-99 10:00:00");
}

/* Wrong: yes is read as no, or a number out of range as a number. */
static void test_values(void **state)
{
	struct cell out;

	(void)state;
	gives_number("boolean", "T", TRI_TRUE);
	gives_number("boolean", "false", TRI_FALSE);
	gives_number("boolean", "Yes", TRI_TRUE);
	gives_number("boolean", "0", TRI_FALSE);
	refuses("boolean", "maybe");
	gives_number("number", "3600.0", 3600);
	refuses("number", "1.5");
	refuses("number", "9223372036854775808");
	gives_number("hex", "0x1f", 31);
	refuses("hex", "ffffffffffffffff");
	gives_number("bytes", "2K", 2048);
	gives_number("bytes", "10 MB", 10 << 20);
	refuses("bytes", "9223372036854775807K");
	refuses("ip", "10.8.0.256");
	assert_int_equal(derive("ip", SV_NONE, SV("::"), &out), DERIVED_NOTHING);
}

/* Wrong: a chain takes the wrong piece of a text. */
static void test_texts(void **state)
{
	(void)state;
	gives_text("after", "LIB=", "ACCEPT+LIB=A000418+IO=1", "A000418+IO=1");
	gives_text("after", "LIB=", "ACCEPT+IO=5", NULL);
	gives_text("after_last", "/", "a/b/c", "c");
	gives_text("until", "+", "A000418+IO=1", "A000418");
	gives_text("until", "+", "A000418", "A000418");
	gives_text("drop_prefix", "SSL", "SSL x", " x");
	gives_text("unquote", NULL, "\"a \\\"b\\\" \\\\\"", "a \"b\" \\");
	gives_text("unquote", NULL, "\"", "\"");
	gives_text("percent_decode", NULL, "a%20b%2", "a b%2");
	gives_text("base64", NULL, "YXBwbGU=", "apple");
	refuses("base64", "%%%");
	gives_text("lower", NULL, "AbC", "abc");
	gives_text("upper", NULL, "AbC", "ABC");
}

/* Wrong: a console's date is read as another day, or a time is made of something else. */
static void test_console_dates(void **state)
{
	(void)state;
	options.zone = 0;
	gives_time("date_mdy", "11/24/2026 02:05:20", "2026-11-24T02:05:20.000Z");
	gives_time("date_mdy", "9/5/2026 02:05:20", "2026-09-05T02:05:20.000Z");
	gives_time("date_mdy", "11 24 2026 02:05:32 UTC", "2026-11-24T02:05:32.000Z");
	gives_time("date_ymd", "2026/11/24T02:05:20.083", "2026-11-24T02:05:20.083Z");
	gives_time("date_ymd", "2026/11/24 02:05:20", "2026-11-24T02:05:20.000Z");
	options.zone = 3600;
	gives_time("date_mdy", "11/24/2026 02:05:20", "2026-11-24T01:05:20.000Z");
	gives_time("date_mdy", "11/24/2026 02:05:20 UTC", "2026-11-24T02:05:20.000Z");
	options.zone = 0;
	refuses("date_mdy", "24/11/2026 02:05:20"); /* there is no month 24 */
	refuses("date_mdy", "11/24/26 02:05:20");
	refuses("date_mdy", "11/24/2026");
	refuses("date_mdy", "");
	refuses("date_mdy", "111/24/2026 02:05:20");
	refuses("date_ymd", "2026/11/24 2:05");
	refuses("date_ymd", "11/24/2026 02:05:20");
	gives_time("iso_within", "GATEWAY 17 2026-11-24 03:00:43.919 +01:00 001 NOTICE",
		   "2026-11-24T02:00:43.919Z");
	gives_time("iso_within", "at 2026-11-24T03:00:43Z", "2026-11-24T03:00:43.000Z");
	gives_time("iso_within", "no 9999-99-99T99:99:99 but 2026-11-24T03:00:43Z,x",
		   "2026-11-24T03:00:43.000Z");
	says_nothing("iso_within", "id 12026-11-24");
	says_nothing("iso_within", "");
}

/* Wrong: a flow that ends before it begins gets a duration. */
static void test_spans_to_an_end(void **state)
{
	(void)state;
	so_far.time.ns = INT64_C(1795485600120) * NS_PER_MS;
	gives_span("span_until", "1795485600370", 250 * NS_PER_MS);
	gives_span("span_until", "2026-11-24T02:00:01.120Z", NS_PER_S);
	gives_span("span_until", "2026/11/24 02:00:00.126", 6 * NS_PER_MS);
	gives_span("span_until", "1795485600120", 0);
	says_nothing("span_until", "1795485600119"); /* the end before the beginning */
	refuses("span_until", "soon");
	so_far.time = INSTANT_NONE;
	says_nothing("span_until", "1795485600370");
	gives_span("nanoseconds", "250000000", 250 * NS_PER_MS);
	refuses("nanoseconds", "-1");
	refuses("nanoseconds", "0.5");
}

/* Wrong: all phones without a serial are one device. */
static void test_console_names(void **state)
{
	static const char placeholders[][40] = { "0",	    "00000000-0000-0000-0000-000000000000",
						 "Unknown", "NONE",
						 "n/a",	    "00:00:00:00:00:00",
						 " null " };

	(void)state;
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
		says_nothing("known_id", placeholders[i]);
		says_nothing("other_id", placeholders[i]);
		says_nothing("serial", placeholders[i]);
		says_nothing("udid", placeholders[i]);
	}
	gives_text("known_id", "", " 5f0d-17 ", "5f0d-17");
	gives_text("serial", "", "f2lxq0aaa0", "F2LXQ0AAA0");
	gives_text("apple_udid", "", "00008120-001a2b3c4d5e6f70", "00008120-001A2B3C4D5E6F70");
	gives_text("apple_udid", "", "0dad565fb40b010a9e490440188063a378720000",
		   "0DAD565FB40B010A9E490440188063A378720000");
	says_nothing("apple_udid", "6c4217e6-0000-4000-8000-000000000001"); /* a GUID */
	says_nothing("apple_udid", "00008120x001a2b3c4d5e6f70");
	says_nothing("apple_udid", "0000000000000000000000000000000000000000");
	gives_text("other_id", "", "6c4217e6-0000-4000-8000-000000000001",
		   "6c4217e6-0000-4000-8000-000000000001");
	says_nothing("other_id", "00008120-001a2b3c4d5e6f70");
}

#ifdef TEST_DATA_DIR
/* Wrong: a derivation is not documented. */
static void test_documented(void **state)
{
	FILE *f = fopen(TEST_DATA_DIR "/../../../docs/formats.md", "rb");
	static char page[256 * 1024];
	const struct derivation *d;
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	assert_true(n > 0);
	for (size_t i = 0; (d = derivation_at(i)) != NULL; i++) {
		char row[128];
		snprintf(row, sizeof(row), "| `%s`", d->name);
		if (strstr(page, row) == NULL)
			fail_msg("docs/formats.md has no row for `%s`", d->name);
	}
}
#endif

static int free_scratch(void **state)
{
	(void)state;
	arena_free(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openssl_errors), cmocka_unit_test(test_alert_outcome),
		cmocka_unit_test(test_alert_names),    cmocka_unit_test(test_tls_versions),
		cmocka_unit_test(test_histories),      cmocka_unit_test(test_device_names),
		cmocka_unit_test(test_hosts),	       cmocka_unit_test(test_times),
		cmocka_unit_test(test_spans),	       cmocka_unit_test(test_values),
		cmocka_unit_test(test_texts),	       cmocka_unit_test(test_flows),
		cmocka_unit_test(test_console_dates),  cmocka_unit_test(test_spans_to_an_end),
		cmocka_unit_test(test_console_names),
#ifdef TEST_DATA_DIR
		cmocka_unit_test(test_documented),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, free_scratch);
}
