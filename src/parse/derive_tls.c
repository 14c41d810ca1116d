/* What TLS stacks and connection sensors write: alerts, library errors, versions, histories. */
#include "parse/derive.h"

static enum derived alert_outcome(struct derive_context *c, struct sv in, struct cell *out)
{
	const struct tls_attempt *tls = &c->so_far->tls;

	(void)in;
	if (tls->alert < 0)
		return DERIVED_NOTHING;
	/* Behind the handshake these two only close; what flowed before decides. */
	if (tls->established == TRI_TRUE && (tls->alert == 0 || tls->alert == 90))
		return DERIVED_NOTHING;
	return derive_number(out, outcome_of_alert(tls->alert, tls->alert_from));
}

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Equal letters in equal order, whatever stands between them: `CertificateUnknown`. */
static bool same_letters(struct sv a, const char *b)
{
	for (size_t i = 0; i < a.n; i++) {
		if (!letter(a.p[i]))
			continue;
		while (*b != '\0' && !letter(*b))
			b++;
		if (*b == '\0' || ((a.p[i] ^ *b) & ~0x20) != 0)
			return false;
		b++;
	}
	return *b == '\0';
}

static enum derived alert_number(struct derive_context *c, struct sv in, struct cell *out)
{
	uint64_t n;
	int alert;

	if (sv_to_u64(in, &n))
		return n <= 255 ? derive_number(out, (int64_t)n)
				: derive_bad(c, "a TLS alert, 0–255");
	in = sv_trim(in);
	alert = alert_from_name(in);
	for (int i = 0; alert < 0 && i < 256; i++)
		if (alert_name(i) != NULL && same_letters(in, alert_name(i)))
			alert = i;
	return alert >= 0 ? derive_number(out, alert) : DERIVED_NOTHING;
}

/* The reason in an OpenSSL error code, 1.1 (`14094418`) and 3 (`A000418`) alike: its low twelve
 * bits. */
static bool openssl_code(struct sv in, int64_t *reason)
{
	struct sv rest;
	uint64_t code;

	if (sv_starts(in, SV("error:")))
		in = sv_cut(sv_skip(in, 6), ':', &rest);
	if (sv_starts(in, SV("0x")))
		in = sv_skip(in, 2);
	if (!sv_hex_to_u64(in, &code) || code > UINT32_MAX)
		return false;
	*reason = (int64_t)(code & 0xfff);
	return true;
}

static enum derived openssl_error_to_alert(struct derive_context *c, struct sv in, struct cell *out)
{
	int64_t reason;

	if (!openssl_code(in, &reason))
		return derive_bad(c, "an OpenSSL error code");
	/* SSL_AD_REASON_OFFSET: smaller reasons are the library's own. */
	return reason >= 1000 && reason <= 1255 ? derive_number(out, reason - 1000)
						: DERIVED_NOTHING;
}

/* The reason alone, in decimals, as ERR_GET_REASON gives it. */
static enum derived openssl_reason_to_alert(struct derive_context *c, struct sv in,
					    struct cell *out)
{
	uint64_t reason;

	if (!sv_to_u64(in, &reason))
		return derive_bad(c, "an OpenSSL reason");
	return reason >= 1000 && reason <= 1255 ? derive_number(out, (int64_t)reason - 1000)
						: DERIVED_NOTHING;
}

static enum derived openssl_word(struct derive_context *c, struct sv in, struct cell *out)
{
	static const struct {
		int64_t reason;
		struct sv word;
	} words[] = {
		/* SSL_R_… of <openssl/sslerr.h>, the same in 1.1 and 3 */
		{ 118, { "no_suitable_signature_algorithm", 31 } },
		{ 193, { "no_shared_cipher", 16 } },
		{ 258, { "unsupported_protocol", 20 } },
		{ 294, { "unexpected_eof", 14 } },
		{ 333, { "legacy_sigalg_disallowed", 24 } },
	};
	int64_t reason;
	const char *name;

	if (!openssl_code(in, &reason))
		return derive_bad(c, "an OpenSSL error code");
	name = reason >= 1000 ? alert_name((int)reason - 1000) : NULL;
	if (name != NULL)
		return derive_text(out, sv_cstr(name));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].reason == reason)
			return derive_text(out, words[i].word);
	return DERIVED_NOTHING;
}

/* `TLSv12`, `TLSv1.2`, `TLS/1.3`, `tls 1.2`, `TLSv13-draft14`, `1.3`, `0x0303`, `771`. Older than
 * TLS says nothing. */
static enum derived tls_version(struct derive_context *c, struct sv in, struct cell *out)
{
	static const struct sv versions[] = {
		{ "1.0", 3 }, { "1.1", 3 }, { "1.2", 3 }, { "1.3", 3 }
	};
	static const struct sv wire[] = { { "769", 3 }, { "770", 3 }, { "771", 3 }, { "772", 3 } };
	char minor;

	(void)c;
	for (size_t i = 0; i < 4 && in.n == 3; i++)
		if (sv_eq(in, wire[i]))
			return derive_text(out, versions[i]);
	if (in.n == 6 && sv_starts(in, SV("0x030")) && in.p[5] >= '1' && in.p[5] <= '4')
		return derive_text(out, versions[in.p[5] - '1']);
	if (in.n > 4 && sv_starts(in, SV("TLSv"))) /* the most common spelling */
		in = sv_skip(in, 4);
	else if (in.n > 3 && sv_eq_nocase(sv_first(in, 4), SV("DTLS")))
		in = sv_skip(in, 4);
	else if (in.n > 2 && sv_eq_nocase(sv_first(in, 3), SV("TLS")))
		in = sv_skip(in, 3);
	while (in.n > 0 && (in.p[0] == 'v' || in.p[0] == 'V' || in.p[0] == '/' || in.p[0] == ' ' ||
			    in.p[0] == '_'))
		in = sv_skip(in, 1);
	if (in.n == 0 || in.p[0] != '1')
		return DERIVED_NOTHING;
	in = sv_skip(in, 1);
	if (in.n > 0 && (in.p[0] == '.' || in.p[0] == '_'))
		in = sv_skip(in, 1);
	minor = in.n > 0 ? in.p[0] : '0';
	if (minor < '0' || minor > '3' || (in.n > 1 && in.p[1] >= '0' && in.p[1] <= '9'))
		return DERIVED_NOTHING;
	return derive_text(out, versions[minor - '0']);
}

/* First of F f R r in a connection history whose upper-case letters are the originator's. */
static char first_closer(struct sv history)
{
	for (size_t i = 0; i < history.n; i++)
		if (history.p[i] == 'F' || history.p[i] == 'f' || history.p[i] == 'R' ||
		    history.p[i] == 'r')
			return history.p[i];
	return '\0';
}

static enum derived history_closer(struct derive_context *c, struct sv in, struct cell *out)
{
	char closer = first_closer(in);

	(void)c;
	if (closer == '\0')
		return DERIVED_NOTHING;
	return derive_number(out, closer < 'a' ? SIDE_CLIENT : SIDE_SERVER);
}

static enum derived history_close(struct derive_context *c, struct sv in, struct cell *out)
{
	char closer = first_closer(in);

	(void)c;
	if (closer == '\0')
		return DERIVED_NOTHING;
	return derive_number(out, closer == 'F' || closer == 'f' ? CLOSE_FIN : CLOSE_RST);
}

/* L: the client sent an alert, l: the server did. Where both did, the last one is meant: alerts are
 * logged as `last_alert`. */
static enum derived ssl_history_alert_side(struct derive_context *c, struct sv in, struct cell *out)
{
	(void)c;
	for (size_t i = in.n; i > 0; i--)
		if (in.p[i - 1] == 'L' || in.p[i - 1] == 'l')
			return derive_number(out, in.p[i - 1] == 'L' ? SIDE_CLIENT : SIDE_SERVER);
	return DERIVED_NOTHING;
}

static const struct derivation list[] = {
	{ "alert_name", CELL_NUMBER, false, false, alert_number,
	  "a TLS alert by number or by the standard's name: `unknown_ca`, `Unknown CA`, "
	  "`UnknownCA`" },
	{ "alert_outcome", CELL_OUTCOME, false, true, alert_outcome,
	  "what the observation's alert means, by who sent it (no field)" },
	{ "openssl_error_to_alert", CELL_NUMBER, false, false, openssl_error_to_alert,
	  "the alert in an OpenSSL error code (`A000418`, `14094418`); the library's own errors "
	  "say nothing" },
	{ "openssl_reason_to_alert", CELL_NUMBER, false, false, openssl_reason_to_alert,
	  "the alert in an OpenSSL reason in decimals (`1048`); the library's own reasons say "
	  "nothing" },
	{ "openssl_word", CELL_TEXT, false, false, openssl_word,
	  "the word for an OpenSSL error code: the alert's name, or no_shared_cipher, "
	  "unsupported_protocol, no_suitable_signature_algorithm, legacy_sigalg_disallowed, "
	  "unexpected_eof; others say nothing" },
	{ "ssl_history_alert_side", CELL_SIDE, false, false, ssl_history_alert_side,
	  "who sent the last alert: L the client, l the server" },
	{ "tls_version", CELL_TEXT, false, false, tls_version,
	  "`TLSv12`, `TLS/1.3`, `TLS1.2`, 771 … as 1.2" },
	{ "zeek_history_close", CELL_CLOSE, false, false, history_close,
	  "fin or rst: the first of F, f, R, r in a connection history" },
	{ "zeek_history_closer", CELL_SIDE, false, false, history_closer,
	  "who closed first: an upper-case letter is the client's" },
};

struct derivation_table derive_tls_table(void)
{
	return (struct derivation_table){ list, sizeof(list) / sizeof(list[0]) };
}
