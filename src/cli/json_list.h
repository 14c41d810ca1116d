/* The API's pages of a list, written as one JSON array, or as one JSON value a line. */
#ifndef PINWATCH_CLI_JSON_LIST_H
#define PINWATCH_CLI_JSON_LIST_H

#include "base/buf.h"

struct json_list {
	struct buf out;
	bool lines;
	size_t n;
};

void json_list_begin(struct json_list *l, bool lines, size_t max);
/* The elements of the first array in the page's text, which is good JSON. */
void json_list_add(struct json_list *l, struct sv page);
/* Closes the array. The caller frees l->out. */
void json_list_end(struct json_list *l);

#endif
