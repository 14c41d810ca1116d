#include "parse/format.h"

#include <stdlib.h>

#include "parse/decode.h"

static const char *const format_keys[] = { "format", "title",  "source", "sensor",  "framing",
					   "like",   "refuse", "ignore", "syslog",  "decode",
					   "embed",  "detect", "map",	 "records", "conversation",
					   "names",  "setup",  "needs",	 "see",	    NULL };
static const char *const detect_keys[] = {
	"weight", "starts", "contains", "require", "when", NULL
};
static const char *const embed_keys[] = { "from", "via", "as", "name", NULL };

bool format_texts(struct yaml y, struct arena *a, const struct sv **out, size_t *n,
		  struct error *err)
{
	struct sv *texts;

	*n = 0;
	if (!yfile_there(y))
		return true;
	if (yfile_is_map(y))
		return yfile_error(err, y, "expected a text or a list of texts");
	*n = yfile_count(y);
	*out = texts = arena_alloc(a, *n * sizeof(*texts));
	for (size_t i = 0; i < *n; i++) {
		if (!yfile_is_text(yfile_item(y, i)))
			return yfile_error(err, yfile_item(y, i), "expected a text");
		texts[i] = arena_sv(a, yfile_text(yfile_item(y, i)));
	}
	return true;
}

bool format_name_is_inner(const struct format *f, struct sv name)
{
	if (sv_starts(name, SV("item.")) || sv_starts(name, SV("syslog.")))
		return true;
	for (size_t i = 0; i < f->n_embeds; i++)
		if (sv_starts(name, f->embeds[i].prefix))
			return true;
	return conversation_delivers(f->conversation, &f->names, name);
}

static const bool *inner_names(struct format *f)
{
	bool *inner = arena_alloc(&f->arena, f->names.n * sizeof(*inner));

	for (size_t i = 0; i < f->names.n; i++)
		inner[i] = format_name_is_inner(f, f->names.list[i]);
	return inner;
}

static bool compile_slots(struct format *f, struct yaml y, const uint32_t **slots, size_t *n,
			  struct error *err)
{
	const struct sv *names = NULL;
	uint32_t *list;
	size_t count;

	if (!format_texts(y, &f->arena, &names, &count, err))
		return false;
	*slots = list = arena_alloc(&f->arena, count * sizeof(*list));
	for (size_t i = 0; i < count; i++)
		list[i] = names_add(&f->names, &f->arena, names[i]);
	*n = count;
	return true;
}

static bool compile_embed(struct format *f, struct yaml y, struct embed *e, struct error *err)
{
	struct sv via = SV_NONE, as = SV_NONE, name = SV_NONE;
	char *p;

	if (!yfile_check_keys(y, embed_keys, err) ||
	    !compile_slots(f, yfile_get(y, "from"), &e->slots, &e->n_slots, err) ||
	    !yfile_take_text(yfile_get(y, "via"), &via, err) ||
	    !yfile_take_text(yfile_get(y, "as"), &as, err) ||
	    !yfile_take_text(yfile_get(y, "name"), &name, err))
		return false;
	e->base64 = sv_eq(via, SV("base64"));
	e->plist = sv_eq(as, SV("plist"));
	if (e->n_slots == 0 || name.n == 0 || (via.n > 0 && !e->base64) ||
	    (!e->plist && !sv_eq(as, SV("json"))))
		return yfile_error(
		    err, y, "expected {from: field, via: base64, as: plist or json, name: text}");
	p = arena_alloc(&f->arena, name.n + 1);
	memcpy(p, name.p, name.n);
	p[name.n] = '.';
	e->prefix = sv_make(p, name.n + 1);
	return true;
}

static bool compile_embeds(struct format *f, struct yaml y, struct error *err)
{
	size_t n = yfile_there(y) ? yfile_count(y) : 0;

	if (yfile_there(y) && !yfile_is_list(y))
		return yfile_error(err, y, "expected a list of embedded documents");
	f->embeds = arena_alloc(&f->arena, n * sizeof(*f->embeds));
	for (size_t i = 0; i < n; i++) {
		if (!compile_embed(f, yfile_item(y, i), &f->embeds[i], err))
			return false;
		f->n_embeds++;
	}
	return true;
}

static bool compile_detection(struct format *f, struct yaml y, struct error *err)
{
	struct detection *d = &f->detect;
	struct sv weight = SV("50");
	uint64_t n;

	if (!yfile_there(y))
		return yfile_error(err, yfile_root(&f->file), "`detect:` is missing");
	if (!yfile_check_keys(y, detect_keys, err) ||
	    !yfile_take_text(yfile_get(y, "weight"), &weight, err) ||
	    !format_texts(yfile_get(y, "starts"), &f->arena, &d->starts, &d->n_starts, err) ||
	    !format_texts(yfile_get(y, "contains"), &f->arena, &d->contains, &d->n_contains, err) ||
	    !compile_slots(f, yfile_get(y, "require"), &d->require, &d->n_require, err) ||
	    !condition_compile(yfile_get(y, "when"), &f->names, &f->arena, &d->when, err))
		return false;
	if (!sv_to_u64(weight, &n) || n < 1 || n > 100)
		return yfile_error(err, yfile_get(y, "weight"), "expected 1 to 100");
	d->weight = (int)n;
	return true;
}

static bool compile_decoder(struct format *f, struct yaml y, struct error *err)
{
	struct yaml name = y, options = { y.file, NULL };

	if (yfile_is_map(y) && yfile_count(y) == 1) {
		name = yfile_key_at(y, 0);
		options = yfile_value_at(y, 0);
	}
	if (!yfile_is_text(name))
		return yfile_error(err, yfile_there(y) ? y : yfile_root(&f->file),
				   "expected decode: {DECODER: {options}}");
	f->decoder = decoder_find(yfile_text(name));
	if (f->decoder == NULL) {
		const char *near = yfile_nearest(yfile_text(name), decoder_names());
		return yfile_error(err, name, "no decoder is called `%.*s`; %s%s",
				   SV_ARG(yfile_text(name)),
				   near != NULL ? "did you mean " : "docs/formats.md lists them",
				   near != NULL ? near : "");
	}
	return f->decoder->compile(f, options, &f->decoder_options, err);
}

static bool compile_framing(struct format *f, struct yaml y, struct error *err)
{
	static const char *const words[] = { "line", "paragraph", "document" };

	if (!yfile_there(y))
		return true;
	for (int i = 0; i < 3; i++)
		if (sv_eq(yfile_text(y), sv_cstr(words[i]))) {
			f->framing = (enum framing)i;
			return true;
		}
	return yfile_error(err, y, "expected line, paragraph or document");
}

/* `names: {srcip: [src, c-ip]}`: what the rules call srcip stands in this encoding as src or
 * c-ip. */
static bool compile_names(struct format *f, struct yaml y, struct error *err)
{
	struct other_name *others;
	size_t n = 0;

	if (!yfile_there(y))
		return true;
	if (!yfile_is_map(y))
		return yfile_error(err, y, "expected {field of the rules: its name in the record}");
	for (size_t i = 0; i < yfile_count(y); i++)
		n += yfile_count(yfile_value_at(y, i));
	others = arena_alloc(&f->arena, n * sizeof(*others));
	n = 0;
	for (size_t i = 0; i < yfile_count(y); i++) {
		struct yaml key = yfile_key_at(y, i);
		size_t slot = names_find(&f->names, yfile_text(key));
		const struct sv *names = NULL;
		size_t count;

		if (slot == SIZE_MAX)
			return yfile_error(err, key,
					   "`names:` has `%.*s`, which no rule reads: expected a "
					   "field of the rules",
					   SV_ARG(yfile_text(key)));
		if (!format_texts(yfile_value_at(y, i), &f->arena, &names, &count, err))
			return false;
		for (size_t k = 0; k < count; k++) {
			if (names_find(&f->names, names[k]) != SIZE_MAX)
				return yfile_error(err, key,
						   "`%.*s` is itself a field that a rule reads: "
						   "expected a name that is none",
						   SV_ARG(names[k]));
			others[n++] = (struct other_name){ names[k], (uint32_t)slot };
		}
	}
	f->names.others = others;
	f->names.n_others = n;
	f->names._index = NULL;
	return true;
}

static bool delivered(const struct format *f, size_t slot)
{
	if (format_name_is_inner(f, f->names.list[slot]) ||
	    f->decoder->knows(f, f->names.list[slot]))
		return true;
	for (size_t i = 0; i < f->names.n_others; i++)
		if (f->names.others[i].slot == slot &&
		    f->decoder->knows(f, f->names.others[i].name))
			return true;
	return false;
}

/* Names that the decoder cannot deliver are slips of the pen. */
static bool check_names(struct format *f, struct error *err)
{
	for (size_t i = 0; f->decoder->knows != NULL && i < f->names.n; i++)
		if (!delivered(f, i))
			return yfile_error(err, yfile_root(&f->file),
					   "nothing in `decode:` delivers the field `%.*s`: write "
					   "it there, or as there",
					   SV_ARG(f->names.list[i]));
	return true;
}

/* A part of the file, or of the one it is like. */
static struct yaml part(struct format *f, const struct format *base, const char *key)
{
	struct yaml own = yfile_get(yfile_root(&f->file), key);

	if (yfile_there(own) || base == NULL)
		return own;
	/* libyaml's getters take documents that are not const; nothing is changed. */
	return yfile_get(yfile_root((struct yfile *)(uintptr_t)&base->file), key);
}

static bool compile_head(struct format *f, const struct format *base, struct error *err)
{
	struct yaml sensor = part(f, base, "sensor");
	struct sv name = SV_NONE, source = SV_NONE, title = SV_NONE, refusal = SV_NONE;
	struct yaml root = yfile_root(&f->file);

	if (!yfile_take_text(yfile_get(root, "format"), &name, err) ||
	    !yfile_take_text(yfile_get(root, "title"), &title, err) ||
	    !yfile_take_text(part(f, base, "source"), &source, err) ||
	    !yfile_take_text(yfile_get(root, "refuse"), &refusal, err) ||
	    !yfile_take_bool(part(f, base, "syslog"), &f->syslog, err))
		return false;
	if (name.n == 0 || title.n == 0)
		return yfile_error(err, root, "`format:` (its name) and `title:` are missing");
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') ||
		      (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '_'))
			return yfile_error(err, yfile_get(root, "format"),
					   "expected a name of lower-case letters, digits and _");
	if (!sensor_kind_from_name(yfile_text(sensor), &f->sensor))
		return yfile_error(err, yfile_there(sensor) ? sensor : root,
				   "expected sensor: inspection, flow, edr, mdm or lease");
	f->name = arena_sv(&f->arena, name);
	f->title = arena_sv(&f->arena, title);
	f->source = arena_sv(&f->arena, source.n > 0 ? source : name);
	f->refusal = arena_sv(&f->arena, refusal);
	return compile_framing(f, part(f, base, "framing"), err) &&
	       format_texts(part(f, base, "ignore"), &f->arena, &f->ignore, &f->n_ignore, err);
}

/* `setup:`, `needs:` and `see:` are for the reader of docs/formats/; here they are only held to
 * what they promise: texts, and fields that the format does read. */
static bool check_documentation(struct format *f, struct error *err)
{
	struct yaml root = yfile_root(&f->file), needs = yfile_get(root, "needs");
	const struct sv *see = NULL;
	struct sv setup = SV_NONE;
	size_t n;

	if (!yfile_take_text(yfile_get(root, "setup"), &setup, err) ||
	    !format_texts(yfile_get(root, "see"), &f->arena, &see, &n, err))
		return false;
	if (!yfile_there(needs))
		return true;
	if (!yfile_is_map(needs))
		return yfile_error(err, needs, "expected {field: what is lost without it}");
	for (size_t i = 0; i < yfile_count(needs); i++) {
		struct yaml field = yfile_key_at(needs, i);
		if (names_find(&f->names, yfile_text(field)) == SIZE_MAX)
			return yfile_error(err, field, "`needs:` names `%.*s`, which no rule reads",
					   SV_ARG(yfile_text(field)));
		if (!yfile_is_text(yfile_value_at(needs, i)))
			return yfile_error(err, field, "expected what is lost without `%.*s`",
					   SV_ARG(yfile_text(field)));
	}
	return true;
}

struct format *format_compile(const char *name, struct sv yaml,
			      const struct format *(*like)(const void *context, struct sv name),
			      const void *context, struct error *err)
{
	struct format *f = xcalloc(1, sizeof(*f));
	const struct format *base = NULL;
	struct yaml root, same;

	if (!yfile_open(&f->file, arena_sv(&f->arena, sv_cstr(name)).p, yaml, err)) {
		arena_free(&f->arena);
		free(f);
		return NULL;
	}
	root = yfile_root(&f->file);
	if (!yfile_check_keys(root, format_keys, err))
		goto fail;
	same = yfile_get(root, "like");
	if (yfile_there(same)) {
		base = like(context, yfile_text(same));
		if (base == NULL) {
			yfile_error(err, same,
				    "no format is called `%.*s` (`pinwatch formats` lists them)",
				    SV_ARG(yfile_text(same)));
			goto fail;
		}
	}
	/* Embedded documents come first: they say which names are not the decoder's. */
	if (!compile_head(f, base, err) || !compile_decoder(f, part(f, base, "decode"), err) ||
	    !compile_embeds(f, part(f, base, "embed"), err) ||
	    !compile_detection(f, part(f, base, "detect"), err) ||
	    !conversation_compile(part(f, base, "conversation"), &f->names, &f->arena,
				  &f->conversation, err))
		goto fail;
	if (f->refusal.n == 0 &&
	    !plan_compile(&f->plan, part(f, base, "map"),
			  yfile_there(part(f, base, "records")) ? part(f, base, "records") : root,
			  f->sensor, &f->names, &f->arena, err))
		goto fail;
	if (compile_names(f, yfile_get(root, "names"), err) && check_names(f, err) &&
	    check_documentation(f, err)) {
		names_index(&f->names, &f->arena);
		f->inner = inner_names(f);
		return f;
	}
fail:
	format_free(f);
	return NULL;
}

void format_free(struct format *f)
{
	if (f == NULL)
		return;
	yfile_free(&f->file);
	arena_free(&f->arena);
	free(f);
}
