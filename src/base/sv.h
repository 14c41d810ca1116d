/* String view: a borrowed run of bytes, passed by value.
 *
 * A view never owns its bytes and need not be NUL-terminated; the bytes may hold anything, NUL and
 * invalid UTF-8 included. Whoever hands out a view says how long its bytes live.
 */
#ifndef PINWATCH_BASE_SV_H
#define PINWATCH_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sv {
	const char *p;
	size_t n;
};

#define SV(literal) ((struct sv){ (literal), sizeof(literal) - 1 })
#define SV_NONE ((struct sv){ NULL, 0 })
/* For printf: printf("%.*s", SV_ARG(v)). */
#define SV_ARG(v) (int)((v).n > INT32_MAX ? INT32_MAX : (v).n), ((v).p != NULL ? (v).p : "")

static inline struct sv sv_make(const char *p, size_t n) { return (struct sv){ p, n }; }
static inline struct sv sv_cstr(const char *s)
{
	return (struct sv){ s, s != NULL ? strlen(s) : 0 };
}
static inline bool sv_empty(struct sv v) { return v.n == 0; }
static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool sv_starts(struct sv v, struct sv prefix)
{
	return v.n >= prefix.n && (prefix.n == 0 || memcmp(v.p, prefix.p, prefix.n) == 0);
}
static inline bool sv_ends(struct sv v, struct sv suffix)
{
	return v.n >= suffix.n &&
	       (suffix.n == 0 || memcmp(v.p + v.n - suffix.n, suffix.p, suffix.n) == 0);
}
static inline struct sv sv_skip(struct sv v, size_t n)
{
	if (n > v.n)
		n = v.n;
	return (struct sv){ n > 0 ? v.p + n : v.p, v.n - n }; /* NULL takes no offset, not even 0 */
}
static inline struct sv sv_first(struct sv v, size_t n)
{
	return (struct sv){ v.p, n < v.n ? n : v.n };
}

/* ASCII case only. */
bool sv_eq_nocase(struct sv a, struct sv b);
/* Bytewise order; a prefix sorts before what it prefixes. <0, 0, >0. */
int sv_cmp(struct sv a, struct sv b);
/* Without leading and trailing space, tab, CR and LF. */
struct sv sv_trim(struct sv v);
/* Offset of the first `needle`, or SIZE_MAX. */
size_t sv_find(struct sv v, struct sv needle);
size_t sv_find_char(struct sv v, char c);
/* Cuts at the first `sep`: returns what stands before it, leaves what stands after in *rest
 * (SV_NONE with p NULL when there was no separator). `rest` may point at the same object as the
 * input. */
struct sv sv_cut(struct sv v, char sep, struct sv *rest);
/* Whole-string decimal; false on anything else, overflow included. */
bool sv_to_u64(struct sv v, uint64_t *out);
bool sv_to_i64(struct sv v, int64_t *out);
/* Whole-string hexadecimal without 0x. */
bool sv_hex_to_u64(struct sv v, uint64_t *out);

#endif
