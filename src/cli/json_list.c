#include "cli/json_list.h"

#include "parse/json_check.h"

void json_list_begin(struct json_list *l, bool lines, size_t max)
{
	*l = (struct json_list){ .lines = lines };
	buf_init(&l->out, max);
}

void json_list_add(struct json_list *l, struct sv page)
{
	size_t at = sv_find(page, SV("["));
	struct sv rest = sv_skip(page, at == SIZE_MAX ? page.n : at), element;

	while (json_next_element(&rest, &element)) {
		if (!l->lines)
			buf_str(&l->out, l->n == 0 ? "[\n" : ",\n");
		buf_sv(&l->out, element);
		if (l->lines)
			buf_char(&l->out, '\n');
		l->n++;
	}
}

void json_list_end(struct json_list *l)
{
	if (!l->lines)
		buf_str(&l->out, l->n == 0 ? "[]\n" : "\n]\n");
}
