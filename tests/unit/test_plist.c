#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "base/buf.h"
#include "parse/plist.h"

#define MAX_TEXT (128u * 1024u * 1024u)
#define HEAD                                                                                       \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                             \
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "                                  \
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
#define PLIST(inner) HEAD "<plist version=\"1.0\">" inner "</plist>\n"

/* Apple's documented answer to InstalledApplicationList, shortened. */
static const char installed_apps[] = HEAD "<plist version=\"1.0\">\n"
					  "<dict>\n"
					  "    <key>InstalledApplicationList</key>\n"
					  "    <array>\n"
					  "        <dict>\n"
					  "            <key>AdHocCodeSigned</key>\n"
					  "            <false/>\n"
					  "            <key>BundleSize</key>\n"
					  "            <integer>1036288</integer>\n"
					  "            <key>Identifier</key>\n"
					  "            <string>com.acme.myenterpriseapp</string>\n"
					  "            <key>IsValidated</key>\n"
					  "            <true/>\n"
					  "        </dict>\n"
					  "    </array>\n"
					  "    <key>Status</key>\n"
					  "    <string>Acknowledged</string>\n"
					  "    <key>UDID</key>\n"
					  "    <string>00008020-000915083C80012E</string>\n"
					  "</dict>\n"
					  "</plist>\n";

/* Python's plistlib, format binary, of:
 * {UDID: 00008110-0001, IsSupervised: true, Gone: false, Count: 70000, Small: -2, Big: 2**63 + 5,
 *  Min: -2**63, Battery: 0.5, When: 2026-11-24T02:14:13Z, Token: 00ff01, Name: "Zürich 😀",
 *  Apps: [{Identifier: com.acme.bank}, {Identifier: com.acme.news}], None: [], Empty: {}} */
static const unsigned char binary[] = {
	0x62, 0x70, 0x6c, 0x69, 0x73, 0x74, 0x30, 0x30, 0xde, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
	0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
	0x16, 0x17, 0x18, 0x19, 0x1a, 0x20, 0x21, 0x54, 0x55, 0x44, 0x49, 0x44, 0x5c, 0x49, 0x73,
	0x53, 0x75, 0x70, 0x65, 0x72, 0x76, 0x69, 0x73, 0x65, 0x64, 0x54, 0x47, 0x6f, 0x6e, 0x65,
	0x55, 0x43, 0x6f, 0x75, 0x6e, 0x74, 0x55, 0x53, 0x6d, 0x61, 0x6c, 0x6c, 0x53, 0x42, 0x69,
	0x67, 0x53, 0x4d, 0x69, 0x6e, 0x57, 0x42, 0x61, 0x74, 0x74, 0x65, 0x72, 0x79, 0x54, 0x57,
	0x68, 0x65, 0x6e, 0x55, 0x54, 0x6f, 0x6b, 0x65, 0x6e, 0x54, 0x4e, 0x61, 0x6d, 0x65, 0x54,
	0x41, 0x70, 0x70, 0x73, 0x54, 0x4e, 0x6f, 0x6e, 0x65, 0x55, 0x45, 0x6d, 0x70, 0x74, 0x79,
	0x5d, 0x30, 0x30, 0x30, 0x30, 0x38, 0x31, 0x31, 0x30, 0x2d, 0x30, 0x30, 0x30, 0x31, 0x09,
	0x08, 0x12, 0x00, 0x01, 0x11, 0x70, 0x13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
	0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x05, 0x13, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x23, 0x3f, 0xe0, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x33, 0x41, 0xc8, 0x5a, 0x95, 0x3a, 0x80, 0x00, 0x00, 0x43,
	0x00, 0xff, 0x01, 0x69, 0x00, 0x5a, 0x00, 0xfc, 0x00, 0x72, 0x00, 0x69, 0x00, 0x63, 0x00,
	0x68, 0x00, 0x20, 0xd8, 0x3d, 0xde, 0x00, 0xa2, 0x1b, 0x1e, 0xd1, 0x1c, 0x1d, 0x5a, 0x49,
	0x64, 0x65, 0x6e, 0x74, 0x69, 0x66, 0x69, 0x65, 0x72, 0x5d, 0x63, 0x6f, 0x6d, 0x2e, 0x61,
	0x63, 0x6d, 0x65, 0x2e, 0x62, 0x61, 0x6e, 0x6b, 0xd1, 0x1c, 0x1f, 0x5d, 0x63, 0x6f, 0x6d,
	0x2e, 0x61, 0x63, 0x6d, 0x65, 0x2e, 0x6e, 0x65, 0x77, 0x73, 0xa0, 0xd0, 0x00, 0x08, 0x00,
	0x25, 0x00, 0x2a, 0x00, 0x37, 0x00, 0x3c, 0x00, 0x42, 0x00, 0x48, 0x00, 0x4c, 0x00, 0x50,
	0x00, 0x58, 0x00, 0x5d, 0x00, 0x63, 0x00, 0x68, 0x00, 0x6d, 0x00, 0x72, 0x00, 0x78, 0x00,
	0x86, 0x00, 0x87, 0x00, 0x88, 0x00, 0x8d, 0x00, 0x96, 0x00, 0xa7, 0x00, 0xb0, 0x00, 0xb9,
	0x00, 0xc2, 0x00, 0xc6, 0x00, 0xd9, 0x00, 0xdc, 0x00, 0xdf, 0x00, 0xea, 0x00, 0xf8, 0x00,
	0xfb, 0x01, 0x09, 0x01, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0b,
};

static struct sv binary_view(void) { return sv_make((const char *)binary, sizeof(binary)); }

static const struct value *at(const struct value *v, const char *path)
{
	const struct value *found = value_path(v, sv_cstr(path));

	if (found == NULL)
		fail_msg("nothing at %s", path);
	return found;
}

static void is_text(const struct value *v, enum value_type type, struct sv expected)
{
	assert_int_equal(v->type, type);
	if (!sv_eq(v->text, expected))
		fail_msg("expected %.*s, got %.*s", SV_ARG(expected), SV_ARG(v->text));
}

static void is_int(const struct value *v, int64_t expected)
{
	assert_int_equal(v->type, VALUE_INT);
	assert_true(v->integer == expected);
}

static void is_real(const struct value *v, double expected)
{
	assert_int_equal(v->type, VALUE_REAL);
	assert_true(v->real == expected);
}

static void is_bool(const struct value *v, bool expected)
{
	assert_int_equal(v->type, VALUE_BOOL);
	assert_int_equal(v->boolean, expected);
}

static struct value parsed(struct arena *a, struct sv bytes)
{
	struct error err = { 0 };
	struct value v;

	if (!plist_parse(bytes, a, &v, &err))
		fail_msg("refused: %s", err.message);
	return v;
}

static void refused(struct sv bytes, enum error_code code, const char *word)
{
	struct error err = { 0 };
	struct arena a = { 0 };
	struct value v;

	if (plist_parse(bytes, &a, &v, &err))
		fail_msg("accepted, expected an error that says \"%s\"", word);
	if (err.code != code || strstr(err.message, word) == NULL)
		fail_msg("expected \"%s\", got %d: %s", word, err.code, err.message);
	assert_true(err.position <= bytes.n);
	arena_free(&a);
}

/* Wrong: an MDM's app inventory is not understood. */
static void test_xml_as_apple_writes_it(void **state)
{
	struct arena a = { 0 };
	struct value v = parsed(&a, sv_cstr(installed_apps));

	(void)state;
	is_text(at(&v, "UDID"), VALUE_STRING, SV("00008020-000915083C80012E"));
	is_text(at(&v, "InstalledApplicationList.0.Identifier"), VALUE_STRING,
		SV("com.acme.myenterpriseapp"));
	is_int(at(&v, "InstalledApplicationList.0.BundleSize"), 1036288);
	is_bool(at(&v, "InstalledApplicationList.0.AdHocCodeSigned"), false);
	is_bool(at(&v, "InstalledApplicationList.0.IsValidated"), true);
	assert_int_equal(at(&v, "InstalledApplicationList")->array.n, 1);
	/* Document order. */
	assert_true(sv_eq(v.object.members[1].key, SV("Status")));
	arena_free(&a);
}

/* Wrong: one of the ten elements loses its meaning. */
static void test_xml_every_element(void **state)
{
	struct arena a = { 0 };
	struct value v = parsed(
	    &a,
	    SV(PLIST(
		"<dict><key>a&amp;b</key><string> x &lt;&#233;&#x1F600;<![CDATA[<y>]]> </string>"
		"<key>n</key><integer> -42\n</integer><key>h</key><integer>0xFf</integer>"
		"<key>max</key><integer>9223372036854775807</integer>"
		"<key>min</key><integer>-9223372036854775808</integer>"
		"<key>over</key><integer>18446744073709551615</integer>"
		"<key>r</key><real>-1.5e3</real><key>t</key><true></true><key>f</key><false/>"
		"<key>d</key><date>2026-11-24T02:14:13Z</date>"
		"<key>never</key><date>4001-01-01T00:00:00Z</date>"
		"<key>b</key><data>\n\tAP8B\n</data><key></key><string/>"
		"<key>e</key><array/><key>o</key><dict/><!-- no --></dict>")));

	(void)state;
	is_text(at(&v, "a&b"), VALUE_STRING, SV(" x <\xc3\xa9\xf0\x9f\x98\x80<y> "));
	is_int(at(&v, "n"), -42);
	is_int(at(&v, "h"), 255);
	is_int(at(&v, "max"), INT64_MAX);
	is_int(at(&v, "min"), INT64_MIN);
	is_real(at(&v, "over"), 18446744073709551615.0);
	is_real(at(&v, "r"), -1500.0);
	is_bool(at(&v, "t"), true);
	is_bool(at(&v, "f"), false);
	assert_int_equal(at(&v, "d")->type, VALUE_DATE);
	assert_true(at(&v, "d")->date.ns == INT64_C(1795486453) * NS_PER_S);
	assert_int_equal(at(&v, "never")->type, VALUE_DATE);
	assert_false(instant_known(at(&v, "never")->date));
	is_text(at(&v, "b"), VALUE_DATA, SV("\0\xff\x01"));
	is_text(value_member(&v, SV("")), VALUE_STRING, SV(""));
	assert_int_equal(at(&v, "e")->type, VALUE_ARRAY);
	assert_int_equal(at(&v, "e")->array.n, 0);
	assert_int_equal(at(&v, "o")->type, VALUE_OBJECT);
	assert_int_equal(at(&v, "o")->object.n, 0);
	arena_free(&a);
}

/* Wrong: a number depends on the locale of whoever runs the program. */
static void test_xml_real_ignores_the_locale(void **state)
{
	struct arena a = { 0 };
	struct value v;

	(void)state;
	/* Where no locale with a decimal comma is installed this checks the C locale alone. */
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
		print_message("no locale with a decimal comma is installed\n");
	v = parsed(&a, SV(PLIST("<real>0.25</real>")));
	setlocale(LC_NUMERIC, "C");
	is_real(&v, 0.25);
	arena_free(&a);
}

/* Wrong: what a shipper put around the document makes it unreadable. */
static void test_xml_surroundings(void **state)
{
	struct arena a = { 0 };
	struct value v;

	(void)state;
	v = parsed(&a, SV("\n\t " PLIST("<true/>") "\n\n"));
	is_bool(&v, true);
	v = parsed(&a, SV("\xef\xbb\xbf" PLIST("<true/>")));
	is_bool(&v, true);
	v = parsed(&a, SV("<plist><string>bare</string></plist>"));
	is_text(&v, VALUE_STRING, SV("bare"));
	arena_free(&a);
}

/* Wrong: a document that is none passes, or the message does not say what is wrong with it. */
static void test_xml_malformed(void **state)
{
	(void)state;
	refused(SV(""), ERROR_FORMAT, "empty");
	refused(SV(" \n"), ERROR_FORMAT, "empty");
	refused(SV("{\"a\":1}"), ERROR_FORMAT, "line 1");
	refused(SV("<html/>"), ERROR_FORMAT, "expected <plist>");
	refused(SV("<dict/>"), ERROR_FORMAT, "expected <plist>");
	refused(SV(PLIST("")), ERROR_FORMAT, "empty <plist>");
	refused(SV(PLIST("<true/><true/>")), ERROR_FORMAT, "second value");
	refused(SV(PLIST("<dict><key>a</key></dict>")), ERROR_FORMAT, "without a value");
	refused(SV(PLIST("<dict><key>a</key><key>b</key></dict>")), ERROR_FORMAT,
		"expected a value");
	refused(SV(PLIST("<dict><true/></dict>")), ERROR_FORMAT, "expected a key");
	refused(SV(PLIST("<array><key>a</key></array>")), ERROR_FORMAT, "only a <dict>");
	refused(SV(PLIST("<key>a</key>")), ERROR_FORMAT, "only a <dict>");
	refused(SV(PLIST("<string>a<b/></string>")), ERROR_FORMAT, "<b>");
	refused(SV(PLIST("<string>a<true/></string>")), ERROR_FORMAT, "within a plain value");
	refused(SV(PLIST("<array>text</array>")), ERROR_FORMAT, "text outside");
	refused(SV(PLIST("<plist><true/></plist>")), ERROR_FORMAT, "not an element");
	refused(SV(PLIST("<integer>4 2</integer>")), ERROR_FORMAT, "<integer>");
	refused(SV(PLIST("<integer></integer>")), ERROR_FORMAT, "<integer>");
	refused(SV(PLIST("<integer>99999999999999999999</integer>")), ERROR_FORMAT, "<integer>");
	refused(SV(PLIST("<real>1,5</real>")), ERROR_FORMAT, "<real>");
	refused(SV(PLIST("<real>0x10</real>")), ERROR_FORMAT, "<real>");
	refused(SV(PLIST("<date>yesterday</date>")), ERROR_FORMAT, "<date>");
	refused(SV(PLIST("<data>A</data>")), ERROR_FORMAT, "<data>");
	refused(SV(PLIST("<true>x</true>")), ERROR_FORMAT, "<true>");
	refused(SV(HEAD "<plist><true/>"), ERROR_FORMAT, "no element");
	refused(SV(PLIST("<true/>") "<plist/>"), ERROR_FORMAT, "junk");
}

/* Wrong: a few hundred bytes take gigabytes or a network connection. */
static void test_xml_entities_are_refused(void **state)
{
	(void)state;
	refused(SV("<!DOCTYPE plist [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">"
		   "<!ENTITY c \"&b;&b;&b;&b;\">]><plist><string>&c;</string></plist>"),
		ERROR_FORMAT, "DOCTYPE");
	refused(SV("<!DOCTYPE plist SYSTEM \"http://example.test/x.dtd\" [<!ENTITY % p SYSTEM "
		   "\"file:///etc/passwd\"> %p;]><plist><true/></plist>"),
		ERROR_FORMAT, "DOCTYPE");
	refused(SV(PLIST("<string>&undeclared;</string>")), ERROR_FORMAT, "entity");
	refused(SV("<plist><string>&undeclared;</string></plist>"), ERROR_FORMAT, "entity");
}

static void repeat(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_str(b, s);
}

static void nested(struct buf *b, size_t depth)
{
	buf_reset(b);
	buf_str(b, "<plist>");
	repeat(b, "<array>", depth);
	repeat(b, "</array>", depth);
	buf_str(b, "</plist>");
}

/* Wrong: a hostile document overflows the stack or eats the memory. */
static void test_xml_bounds(void **state)
{
	struct arena a = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, MAX_TEXT);
	nested(&b, VALUE_MAX_DEPTH);
	parsed(&a, buf_view(&b));
	nested(&b, VALUE_MAX_DEPTH + 1);
	refused(buf_view(&b), ERROR_LIMIT, "64 levels");
	nested(&b, 1000000);
	refused(buf_view(&b), ERROR_LIMIT, "64 levels");
	arena_reset(&a);

	buf_reset(&b);
	buf_str(&b, "<plist><array>");
	repeat(&b, "<true/>", VALUE_MAX_NODES - 1);
	buf_str(&b, "</array></plist>");
	assert_int_equal(parsed(&a, buf_view(&b)).array.n, VALUE_MAX_NODES - 1);
	buf_reset(&b);
	buf_str(&b, "<plist><array>");
	repeat(&b, "<true/>", VALUE_MAX_NODES);
	buf_str(&b, "</array></plist>");
	refused(buf_view(&b), ERROR_LIMIT, "1000000");

	buf_reset(&b);
	buf_reserve(&b, VALUE_MAX_BYTES + 1);
	memset(b.p, ' ', VALUE_MAX_BYTES + 1);
	refused(sv_make(b.p, VALUE_MAX_BYTES + 1), ERROR_LIMIT, "at most");
	buf_free(&b);
	arena_free(&a);
}

/* Wrong: what a device sends in binary differs from what it sends in XML. */
static void test_binary_from_plistlib(void **state)
{
	struct arena a = { 0 };
	struct value v = parsed(&a, binary_view());

	(void)state;
	assert_int_equal(v.object.n, 14);
	assert_true(sv_eq(v.object.members[0].key, SV("UDID")));
	is_text(at(&v, "UDID"), VALUE_STRING, SV("00008110-0001"));
	is_bool(at(&v, "IsSupervised"), true);
	is_bool(at(&v, "Gone"), false);
	is_int(at(&v, "Count"), 70000);
	is_int(at(&v, "Small"), -2);
	is_int(at(&v, "Min"), INT64_MIN);
	is_real(at(&v, "Big"), 9223372036854775813.0);
	is_real(at(&v, "Battery"), 0.5);
	assert_int_equal(at(&v, "When")->type, VALUE_DATE);
	assert_true(at(&v, "When")->date.ns == INT64_C(1795486453) * NS_PER_S);
	is_text(at(&v, "Token"), VALUE_DATA, SV("\0\xff\x01"));
	is_text(at(&v, "Name"), VALUE_STRING, SV("Z\xc3\xbcrich \xf0\x9f\x98\x80"));
	is_text(at(&v, "Apps.0.Identifier"), VALUE_STRING, SV("com.acme.bank"));
	is_text(at(&v, "Apps.1.Identifier"), VALUE_STRING, SV("com.acme.news"));
	assert_int_equal(at(&v, "None")->array.n, 0);
	assert_int_equal(at(&v, "Empty")->object.n, 0);
	arena_free(&a);
}

/* A binary list by hand: objects, references of 4 bytes, offsets of 4 bytes. */
struct made {
	struct buf b;
	uint32_t offsets[300];
	uint32_t n;
};

static void made_begin(struct made *m)
{
	buf_reset(&m->b);
	buf_str(&m->b, "bplist00");
	m->n = 0;
}

static void put(struct buf *b, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		buf_char(b, (char)(v >> (8 * bytes)));
}

static void made_object(struct made *m, struct sv bytes)
{
	m->offsets[m->n++] = (uint32_t)m->b.n;
	buf_sv(&m->b, bytes);
}

/* An array of `count` references, which the caller puts behind. */
static void made_array(struct made *m, uint32_t count)
{
	made_object(m, SV("\xaf\x12"));
	put(&m->b, count, 4);
}

static struct sv made_end(struct made *m, uint64_t top)
{
	size_t table = m->b.n;

	for (uint32_t i = 0; i < m->n; i++)
		put(&m->b, m->offsets[i], 4);
	put(&m->b, 0, 6);
	put(&m->b, 4, 1);
	put(&m->b, 4, 1);
	put(&m->b, m->n, 8);
	put(&m->b, top, 8);
	put(&m->b, table, 8);
	return buf_view(&m->b);
}

/* One object, alone. */
static struct sv made_alone(struct made *m, struct sv bytes)
{
	made_begin(m);
	made_object(m, bytes);
	return made_end(m, 0);
}

/* Wrong: kinds of object that Python does not write are misread. */
static void test_binary_other_objects(void **state)
{
	struct arena a = { 0 };
	struct value v;
	struct made m;

	(void)state;
	buf_init(&m.b, MAX_TEXT);
	v = parsed(&a, made_alone(&m, SV("\x00")));
	assert_int_equal(v.type, VALUE_NULL);
	v = parsed(&a, made_alone(&m, SV("\x10\xff"))); /* one byte is unsigned */
	is_int(&v, 255);
	v = parsed(&a, made_alone(&m, SV("\x11\xff\xfe")));
	is_int(&v, 65534);
	v = parsed(&a, made_alone(&m, SV("\x14\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
					 "\xff\xff\xff")));
	is_int(&v, -1);
	v = parsed(&a, made_alone(&m, SV("\x22\x3f\x80\0\0"))); /* float */
	is_real(&v, 1.0);
	v = parsed(&a, made_alone(&m, SV("\x80\x07"))); /* UID */
	is_int(&v, 7);
	v = parsed(&a, made_alone(&m, SV("\x72\xc3\xa9"))); /* UTF-8 */
	is_text(&v, VALUE_STRING, SV("\xc3\xa9"));
	v = parsed(&a, made_alone(&m, SV("\x63\xd8\x3d\0x\xdc\x00"))); /* lone surrogates */
	is_text(&v, VALUE_STRING, SV("\xef\xbf\xbdx\xef\xbf\xbd"));
	v = parsed(&a, made_alone(&m, SV("\x33\x7f\xf8\0\0\0\0\0\0"))); /* not a number */
	assert_false(instant_known(v.date));
	v = parsed(&a, made_alone(&m, SV("\x33\x7f\xef\xff\xff\xff\xff\xff\xff")));
	assert_false(instant_known(v.date));
	v = parsed(&a, made_alone(&m, SV("\x33\xc1\xcd\x27\xe4\x40\0\0\0"))); /* −978307200 */
	assert_true(v.date.ns == 0);
	buf_free(&m.b);
	arena_free(&a);
}

/* Wrong: a length, offset or reference leads outside of the file. */
static void test_binary_malformed(void **state)
{
	struct made m;

	(void)state;
	buf_init(&m.b, MAX_TEXT);
	refused(SV("bplist00"), ERROR_FORMAT, "trailer");
	refused(SV("bplist15 and more"), ERROR_FORMAT, "version");
	refused(made_alone(&m, SV("\x54"
				  "abc")),
		ERROR_FORMAT, "ends outside");
	refused(made_alone(&m, SV("\x62\0a\0")), ERROR_FORMAT, "ends outside");
	refused(made_alone(&m, SV("\x4f\x13\xff\xff\xff\xff\xff\xff\xff\xff")), ERROR_FORMAT,
		"ends outside");
	refused(made_alone(&m, SV("\x4f\x23\0\0\0\0\0\0\0\x01")), ERROR_FORMAT, "no length");
	refused(made_alone(&m, SV("\x4f\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01x")), ERROR_FORMAT,
		"impossible length");
	refused(made_alone(&m, SV("\xaf\x13\x40\0\0\0\0\0\0\0")), ERROR_FORMAT, "ends outside");
	refused(made_alone(&m, SV("\xa1\0\0\0\x01")), ERROR_FORMAT, "does not exist");
	refused(made_alone(&m, SV("\xd1\0\0\0\0")), ERROR_FORMAT, "ends outside");
	refused(made_alone(&m, SV("\x15\0\0\0\0")), ERROR_FORMAT, "integer");
	refused(made_alone(&m, SV("\x13\0\0\0\0")), ERROR_FORMAT, "integer");
	refused(made_alone(&m, SV("\x24\0\0\0\0")), ERROR_FORMAT, "real");
	refused(made_alone(&m, SV("\x8f\0\0\0\0")), ERROR_FORMAT, "UID");
	refused(made_alone(&m, SV("\x01")), ERROR_FORMAT, "unknown kind");
	refused(made_alone(&m, SV("\xf0")), ERROR_FORMAT, "unknown kind");
	made_begin(&m); /* a dictionary whose key is a number */
	made_object(&m, SV("\xd1\0\0\0\x01\0\0\0\x01"));
	made_object(&m, SV("\x10\x01"));
	refused(made_end(&m, 0), ERROR_FORMAT, "key");
	made_begin(&m);
	made_object(&m, SV("\x09"));
	refused(made_end(&m, 1), ERROR_FORMAT, "object numbers");
	made_begin(&m);
	made_object(&m, SV("\x09"));
	m.offsets[0] = 9; /* the table itself */
	refused(made_end(&m, 0), ERROR_FORMAT, "outside of the file");
	buf_free(&m.b);
}

/* Wrong: any byte of the trailer or the tables, changed, reads outside of the file. The sanitizers
 * see it; here it must only end, either way. */
static void test_binary_any_byte_changed(void **state)
{
	static const unsigned char changes[] = { 0x00, 0x01, 0x0f, 0x7f, 0x80, 0xff, 0xaf, 0xdf };
	struct arena a = { 0 };
	char *copy = malloc(sizeof(binary)); /* so that reading past the end is noticed */

	(void)state;
	for (size_t i = 0; i < sizeof(binary); i++) {
		for (size_t c = 0; c < sizeof(changes); c++) {
			struct error err = { 0 };
			struct value v;

			memcpy(copy, binary, sizeof(binary));
			copy[i] = (char)changes[c];
			if (!plist_parse(sv_make(copy, sizeof(binary)), &a, &v, &err))
				assert_true(err.code != ERROR_NONE);
			arena_reset(&a);
		}
	}
	free(copy);
	for (size_t n = 0; n < sizeof(binary); n++) {
		struct error err = { 0 };
		struct value v;

		copy = malloc(n + 1);
		memcpy(copy, binary, n);
		assert_false(plist_parse(sv_make(copy, n), &a, &v, &err));
		free(copy);
	}
	arena_free(&a);
}

/* Wrong: a container that holds itself recurses for ever. */
static void test_binary_cycles(void **state)
{
	struct made m;

	(void)state;
	buf_init(&m.b, MAX_TEXT);
	refused(made_alone(&m, SV("\xa1\0\0\0\0")), ERROR_FORMAT, "contains itself");
	made_begin(&m);
	made_object(&m, SV("\xa1\0\0\0\x01"));
	made_object(&m, SV("\xa1\0\0\0\x02"));
	made_object(&m, SV("\xd1\0\0\0\x03\0\0\0\0"));
	made_object(&m, SV("\x51k"));
	refused(made_end(&m, 0), ERROR_FORMAT, "contains itself");
	buf_free(&m.b);
}

/* Wrong: whoever walks a small file's tree meets 2^60 nodes, or gigabytes of text. */
static void test_binary_sharing_is_bounded(void **state)
{
	struct arena a = { 0 };
	struct value v;
	struct made m;

	(void)state;
	buf_init(&m.b, MAX_TEXT);
	/* Each array holds the next one twice. */
	made_begin(&m);
	for (uint32_t i = 0; i < 60; i++) {
		made_array(&m, 2);
		put(&m.b, i + 1, 4);
		put(&m.b, i + 1, 4);
	}
	made_object(&m, SV("\x09"));
	refused(made_end(&m, 0), ERROR_LIMIT, "1000000 nodes");
	/* One text of 1 MB, 70 times over; 60 times is allowed, and held once. */
	for (uint32_t times = 60; times <= 70; times += 10) {
		made_begin(&m);
		made_array(&m, times);
		for (uint32_t i = 0; i < times; i++)
			put(&m.b, 1, 4);
		made_object(&m, SV("\x5f\x12\x00\x10\x00\x00"));
		repeat(&m.b, "0123456789abcdef", 65536);
		if (times == 70) {
			refused(made_end(&m, 0), ERROR_LIMIT, "bytes of text");
		} else {
			v = parsed(&a, made_end(&m, 0));
			assert_int_equal(v.array.n, 60);
			assert_ptr_equal(v.array.items[0].text.p, v.array.items[59].text.p);
		}
	}
	/* The same bytes as 100 different objects. */
	made_begin(&m);
	made_array(&m, 100);
	for (uint32_t i = 1; i <= 100; i++)
		put(&m.b, i, 4);
	made_object(&m, SV("\x5f\x12\x00\x10\x00\x00"));
	repeat(&m.b, "0123456789abcdef", 65536);
	for (; m.n <= 100; m.n++)
		m.offsets[m.n] = m.offsets[1];
	refused(made_end(&m, 0), ERROR_LIMIT, "bytes of text");
	assert_true(arena_footprint(&a) < 4u * 1024u * 1024u);
	buf_free(&m.b);
	arena_free(&a);
}

/* A chain of `depth` arrays, the first listed last. With `early`, the top array refers to the
 * deepest part first, so that it is decoded near the root. */
static struct sv chain(struct made *m, uint32_t depth, bool early)
{
	made_begin(m);
	made_array(m, early ? 2 : 1);
	if (early)
		put(&m->b, depth / 2, 4);
	put(&m->b, 1, 4);
	for (uint32_t i = 1; i < depth - 1; i++) {
		made_array(m, 1);
		put(&m->b, i + 1, 4);
	}
	made_object(m, SV("\xa0"));
	return made_end(m, 0);
}

/* Wrong: depth is bounded only for what is not shared. */
static void test_binary_depth(void **state)
{
	struct arena a = { 0 };
	struct made m;

	(void)state;
	buf_init(&m.b, MAX_TEXT);
	parsed(&a, chain(&m, VALUE_MAX_DEPTH, false));
	refused(chain(&m, VALUE_MAX_DEPTH + 1, false), ERROR_LIMIT, "64 levels");
	parsed(&a, chain(&m, VALUE_MAX_DEPTH, true));
	refused(chain(&m, VALUE_MAX_DEPTH + 1, true), ERROR_LIMIT, "64 levels");
	refused(chain(&m, 100, true), ERROR_LIMIT, "64 levels");
	buf_free(&m.b);
	arena_free(&a);
}

/* Wrong: a mapping finds nothing, or the wrong thing, under a path that is right. */
static void test_paths(void **state)
{
	struct arena a = { 0 };
	struct value v =
	    parsed(&a, SV(PLIST("<dict><key>a</key><dict><key>x</key><integer>1</integer></dict>"
				"<key>com.acme</key><dict><key>b.c</key><integer>2</integer></dict>"
				"<key>com</key><array><integer>3</integer></array>"
				"<key>com</key><integer>4</integer></dict>")));

	(void)state;
	is_int(value_path(&v, SV("a.x")), 1);
	is_int(value_path(&v, SV("com.acme.b.c")), 2);
	is_int(value_path(&v, SV("com.0")), 3);
	assert_ptr_equal(value_path(&v, SV("")), &v);
	assert_null(value_path(&v, SV("com.1")));
	assert_null(value_path(&v, SV("com.-1")));
	assert_null(value_path(&v, SV("com.acme.b")));
	assert_null(value_path(&v, SV("a.x.y")));
	assert_null(value_path(NULL, SV("a")));
	assert_null(value_member(value_path(&v, SV("a.x")), SV("y")));
	assert_null(value_member(NULL, SV("y")));
	assert_int_equal(value_member(&v, SV("com"))->type, VALUE_ARRAY); /* the first */
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml_as_apple_writes_it),
		cmocka_unit_test(test_xml_every_element),
		cmocka_unit_test(test_xml_real_ignores_the_locale),
		cmocka_unit_test(test_xml_surroundings),
		cmocka_unit_test(test_xml_malformed),
		cmocka_unit_test(test_xml_entities_are_refused),
		cmocka_unit_test(test_xml_bounds),
		cmocka_unit_test(test_binary_from_plistlib),
		cmocka_unit_test(test_binary_other_objects),
		cmocka_unit_test(test_binary_malformed),
		cmocka_unit_test(test_binary_any_byte_changed),
		cmocka_unit_test(test_binary_cycles),
		cmocka_unit_test(test_binary_sharing_is_bounded),
		cmocka_unit_test(test_binary_depth),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
