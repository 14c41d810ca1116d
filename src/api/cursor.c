#include "api/cursor.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct sv api_cursor_write(const struct query_place *p, uint64_t question, struct arena *a)
{
	char plain[API_MAX_CURSOR / 2], key[260] = "", *out;
	size_t size;
	int n;

	if (p->type == 'i')
		snprintf(key, sizeof(key), "%" PRId64, p->integer);
	else if (p->type == 'd')
		snprintf(key, sizeof(key), "%a", p->real);
	else if (p->type == 't')
		snprintf(key, sizeof(key), "%s", p->text);
	n = snprintf(plain, sizeof(plain), "1 %" PRIx64 " %d %" PRId64 " %" PRId64 " %c %s %s",
		     question, p->changed, p->asof, p->seq, p->type != 0 ? p->type : '-',
		     p->uid[0] != '\0' ? p->uid : "-", key);
	size = sodium_base64_encoded_len((size_t)n, VARIANT);
	out = arena_alloc(a, size);
	sodium_bin2base64(out, size, (const unsigned char *)plain, (size_t)n, VARIANT);
	return sv_cstr(out);
}

static bool read_key(struct query_place *p, char type, struct sv key)
{
	char text[64], *end;

	p->type = type == '-' ? 0 : type;
	switch (type) {
	case '-':
		return key.n == 0;
	case 'i':
		return sv_to_i64(key, &p->integer);
	case 'd':
		if (key.n == 0 || key.n >= sizeof(text))
			return false;
		memcpy(text, key.p, key.n);
		text[key.n] = '\0';
		p->real = strtod(text, &end);
		return *end == '\0' && p->real == p->real;
	case 't':
		if (key.n >= sizeof(p->text))
			return false;
		if (key.n > 0)
			memcpy(p->text, key.p, key.n);
		return true;
	default:
		return false;
	}
}

bool api_cursor_read(struct sv cursor, uint64_t question, struct query_place *p)
{
	char plain[API_MAX_CURSOR];
	struct sv rest, word[7];
	uint64_t asked, changed;
	size_t n = 0;

	*p = (struct query_place){ 0 };
	if (sodium_base642bin((unsigned char *)plain, sizeof(plain),
			      cursor.p != NULL ? cursor.p : "", cursor.n, NULL, &n, NULL,
			      VARIANT) != 0)
		return false;
	rest = sv_make(plain, n);
	if (memchr(plain, '\0', n) != NULL)
		return false;
	for (int i = 0; i < 7; i++)
		word[i] = sv_cut(rest, ' ', &rest);
	if (!sv_eq(word[0], SV("1")) || !sv_hex_to_u64(word[1], &asked) || asked != question ||
	    !sv_to_u64(word[2], &changed) || changed > 1 || !sv_to_i64(word[3], &p->asof) ||
	    p->asof < 1 || !sv_to_i64(word[4], &p->seq) || word[5].n != 1 ||
	    word[6].n >= sizeof(p->uid))
		return false;
	p->changed = changed == 1;
	memcpy(p->uid, word[6].p, word[6].n);
	return read_key(p, word[5].p[0], rest.p != NULL ? rest : SV_NONE);
}
