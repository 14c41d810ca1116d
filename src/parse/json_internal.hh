/* What the two ways into JSON share. C++, behind parse/json.h. */
#ifndef PINWATCH_PARSE_JSON_INTERNAL_HH
#define PINWATCH_PARSE_JSON_INTERNAL_HH

#include <simdjson.h>

extern "C" { /* the headers are C; what they include of the standard library has come in already */
#include "parse/json.h"
}

/* Says in err what is wrong with `bytes`, and where. Always false. */
bool json_refuse(struct sv bytes, simdjson::error_code code, size_t offset, struct error *err);

#endif
