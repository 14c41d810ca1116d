#include "parse/decode.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const struct decoder *const decoders[] = {
	&decoder_json, &decoder_tsv_header, &decoder_delimited, &decoder_keyvalue,
	&decoder_text, &decoder_plist,	    &decoder_cef,
};
#define N_DECODERS (sizeof(decoders) / sizeof(decoders[0]))

const struct decoder *decoder_find(struct sv name)
{
	for (size_t i = 0; i < N_DECODERS; i++)
		if (sv_eq(name, sv_cstr(decoders[i]->name)))
			return decoders[i];
	return NULL;
}

const char *const *decoder_names(void)
{
	static const char *const names[] = { "json", "tsv_header", "delimited", "keyvalue",
					     "text", "plist",	   "cef",	NULL };

	return names;
}

void decode_from_tree(const struct format *f, struct sv prefix, const struct value *tree,
		      struct raw *raws, struct arena *scratch)
{
	for (size_t i = 0; i < f->names.n; i++) {
		struct sv name = f->names.list[i];
		if (prefix.n == 0 ? f->inner[i] : !sv_starts(name, prefix))
			continue;
		raw_from_value(&raws[i], value_path(tree, sv_skip(name, prefix.n)), scratch);
	}
	for (size_t i = 0; prefix.n == 0 && i < f->names.n_others; i++) {
		const struct other_name *other = &f->names.others[i];
		if (raws[other->slot].type == RAW_ABSENT)
			raw_from_value(&raws[other->slot], value_path(tree, other->name), scratch);
	}
}

bool unset_compile(struct format *f, struct yaml y, struct unset *out, struct error *err)
{
	return format_texts(y, &f->arena, &out->words, &out->n, err);
}

void columns_clear(struct columns *c) { c->n = c->wanted = 0; }

void columns_add(struct columns *c, const struct format *f, struct sv name)
{
	size_t slot = names_find(&f->names, name);

	if (c->n == COLUMNS_MAX)
		return;
	c->slots[c->n++] = slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
	if (slot != SIZE_MAX)
		c->wanted = c->n;
}

uint32_t name_order_slot(struct name_order *order, const struct names *names, size_t i,
			 struct sv name)
{
	size_t slot;

	if (i < ORDER_MAX && name.n > 0 && order->at[i].n == name.n &&
	    memcmp(order->at[i].name, name.p, name.n) == 0)
		return order->at[i].slot;
	slot = names_find(names, name);
	if (i < ORDER_MAX && name.n > 0 && name.n <= ORDER_NAME) {
		memcpy(order->at[i].name, name.p, name.n);
		order->at[i].n = (uint8_t)name.n;
		order->at[i].slot = slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
	}
	return slot == SIZE_MAX ? SLOT_NONE : (uint32_t)slot;
}

size_t split_offsets(struct sv text, char separator, uint32_t *out, size_t max)
{
	size_t n = 0;
#ifdef __SSE2__
	const __m128i want = _mm_set1_epi8(separator);

	for (size_t at = 0; at < text.n; at += 16) {
		const __m128i *from = (const __m128i *)(const void *)(text.p + at);
		unsigned hits =
		    (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(from), want));

		if (text.n - at < 16)
			hits &= (1u << (text.n - at)) - 1;
		for (; hits != 0; hits &= hits - 1) {
			if (n == max)
				return n;
			out[n++] = (uint32_t)(at + (size_t)__builtin_ctz(hits));
		}
	}
#else
	for (size_t at = 0; n < max; at++) {
		size_t hit = sv_find_char(sv_skip(text, at), separator);
		if (hit == SIZE_MAX)
			break;
		out[n++] = (uint32_t)(at += hit);
	}
#endif
	return n;
}
