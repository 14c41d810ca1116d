#include "parse/derive.h"

static struct derivation_table table(size_t i)
{
	switch (i) {
	case 0:
		return derive_text_table();
	case 1:
		return derive_name_table();
	case 2:
		return derive_time_table();
	case 3:
		return derive_value_table();
	case 4:
		return derive_tls_table();
	case 5:
		return derive_date_table();
	case 6:
		return derive_device_table();
	case 7:
		return derive_flow_table();
	default:
		return (struct derivation_table){ NULL, 0 };
	}
}

const struct derivation *derivation_at(size_t i)
{
	for (size_t t = 0; table(t).n > 0; t++) {
		if (i < table(t).n)
			return &table(t).list[i];
		i -= table(t).n;
	}
	return NULL;
}

const struct derivation *derivation_find(struct sv name)
{
	const struct derivation *d;

	for (size_t i = 0; (d = derivation_at(i)) != NULL; i++)
		if (sv_eq(name, sv_cstr(d->name)))
			return d;
	return NULL;
}
