#include "serve/http_route.h"

bool http_route_matches(const char *pattern, struct sv path, struct sv params[HTTP_MAX_PARAMS])
{
	struct sv p = sv_cstr(pattern);
	size_t n = 0;

	while (p.n > 0) {
		size_t close;
		struct sv name, value;

		if (p.p[0] != '{') {
			if (path.n == 0 || path.p[0] != p.p[0])
				return false;
			p = sv_skip(p, 1);
			path = sv_skip(path, 1);
			continue;
		}
		close = sv_find_char(p, '}');
		if (close == SIZE_MAX || n == HTTP_MAX_PARAMS)
			return false;
		name = sv_first(p, close);
		p = sv_skip(p, close + 1);
		value = path;
		if (!sv_ends(name, SV("..."))) {
			size_t slash = sv_find_char(path, '/');
			value = sv_first(path, slash == SIZE_MAX ? path.n : slash);
		}
		if (value.n == 0)
			return false;
		params[n++] = value;
		path = sv_skip(path, value.n);
	}
	return path.n == 0;
}

bool http_decode(struct sv text, struct arena *a, struct sv *out)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint64_t byte = 0;
		if (text.p[i] != '%') {
			p[n++] = text.p[i];
			continue;
		}
		if (text.n - i < 3 || !sv_hex_to_u64(sv_make(text.p + i + 1, 2), &byte) || byte == 0)
			return false;
		p[n++] = (char)byte;
		i += 2;
	}
	p[n] = '\0';
	*out = sv_make(p, n);
	return true;
}
