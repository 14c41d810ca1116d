#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parse/base64.h"

static void decodes_to(const char *text, struct sv expected)
{
	struct arena a = { 0 };
	struct sv out = SV_NONE;

	assert_true(base64_decode(sv_cstr(text), &a, &out));
	assert_int_equal(out.n, expected.n);
	assert_memory_equal(out.p, expected.p, expected.n);
	assert_int_equal(out.p[out.n], 0);
	arena_free(&a);
}

static void refuses(const char *text)
{
	struct arena a = { 0 };
	struct sv out = SV("untouched");

	if (base64_decode(sv_cstr(text), &a, &out))
		fail_msg("accepted: %s", text);
	assert_int_equal(out.n, 9);
	arena_free(&a);
}

/* RFC 4648, section 10. Wrong: any plist token or webhook payload would be garbled. */
static void test_rfc_vectors(void **state)
{
	(void)state;
	decodes_to("", SV(""));
	decodes_to("Zg==", SV("f"));
	decodes_to("Zm8=", SV("fo"));
	decodes_to("Zm9v", SV("foo"));
	decodes_to("Zm9vYg==", SV("foob"));
	decodes_to("Zm9vYmE=", SV("fooba"));
	decodes_to("Zm9vYmFy", SV("foobar"));
}

/* Wrong: bytes above 127, or the two signs of the alphabet, are lost. */
static void test_all_six_bit_groups(void **state)
{
	static const unsigned char expected[] = { 0xfb, 0xff, 0xbf, 0x00, 0x10, 0x83 };

	(void)state;
	decodes_to("+/+/ABCD", sv_make((const char *)expected, sizeof(expected)));
}

/* Apple indents and wraps data; NanoMDM does not pad everywhere. Wrong: those would be refused. */
static void test_white_space_and_missing_padding(void **state)
{
	(void)state;
	decodes_to("\n\tZm9v\r\n\tYmE=\n\t", SV("fooba"));
	decodes_to("Z g", SV("f"));
	decodes_to("Zm8", SV("fo"));
	decodes_to("Z m 8\t=\n", SV("fo"));
	decodes_to(" \n", SV(""));
}

/* Wrong: rubbish passes as data, and a damaged document goes unnoticed. */
static void test_rubbish_is_refused(void **state)
{
	(void)state;
	refuses("Z");	  /* six bits are no byte */
	refuses("Zm9vZ"); /* nor behind whole groups */
	refuses("Zg=");	  /* half a padding */
	refuses("Zg==="); /* too much of it */
	refuses("Zm9v="); /* where none is due */
	refuses("=");
	refuses("Zg==Zg=="); /* bytes behind it */
	refuses("Zm9-");     /* the other alphabet (section 5) */
	refuses("Zm9_");
	refuses("Zm9\x80");
	refuses("Zm.9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_vectors),
		cmocka_unit_test(test_all_six_bit_groups),
		cmocka_unit_test(test_white_space_and_missing_padding),
		cmocka_unit_test(test_rubbish_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
