#include "parse/value.h"

const struct value *value_member(const struct value *object, struct sv key)
{
	if (object == NULL || object->type != VALUE_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->object.n; i++)
		if (sv_eq(object->object.members[i].key, key))
			return &object->object.members[i].value;
	return NULL;
}

static const struct value *item(const struct value *array, struct sv position)
{
	uint64_t i;

	if (!sv_to_u64(position, &i) || i >= array->array.n)
		return NULL;
	return &array->array.items[i];
}

const struct value *value_path(const struct value *v, struct sv path)
{
	size_t end = 0;

	if (v == NULL || path.n == 0)
		return v;
	do {
		const struct value *step, *found;
		const char *dot = memchr(path.p + end, '.', path.n - end);
		struct sv name;

		end = dot != NULL ? (size_t)(dot - path.p) : path.n;
		name = sv_first(path, end);
		step = v->type == VALUE_ARRAY ? item(v, name) : value_member(v, name);
		if (step != NULL) {
			if (end == path.n)
				return step;
			found = value_path(step, sv_skip(path, end + 1));
			if (found != NULL)
				return found;
		}
	} while (end++ < path.n);
	return NULL;
}
