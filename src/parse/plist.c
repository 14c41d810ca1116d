#include "parse/plist.h"

#include "parse/plist_internal.h"

bool plist_parse(struct sv bytes, struct arena *a, struct value *out, struct error *err)
{
	struct sv text;

	*out = (struct value){ .type = VALUE_NULL };
	if (bytes.n > VALUE_MAX_BYTES)
		return error_set(err, ERROR_LIMIT, 0,
				 "property list of %zu bytes, at most %u are read", bytes.n,
				 VALUE_MAX_BYTES);
	if (sv_starts(bytes, PLIST_BINARY_MAGIC))
		return plist_parse_binary(bytes, a, out, err);
	if (sv_starts(bytes, SV("bplist")))
		return error_set(err, ERROR_FORMAT, 6,
				 "binary property list of an unknown version, expected bplist00");
	/* Only in front: expat insists on its declaration coming first. */
	text = sv_trim(bytes);
	text.n = bytes.n - (size_t)(text.p - bytes.p);
	if (sv_trim(text).n == 0)
		return error_set(err, ERROR_FORMAT, 0, "empty, expected a property list");
	if (plist_parse_xml_quick(text, a, out))
		return true;
	*out = (struct value){ .type = VALUE_NULL };
	if (!plist_parse_xml(text, a, out, err)) {
		err->position += (size_t)(text.p - bytes.p);
		return false;
	}
	return true;
}
