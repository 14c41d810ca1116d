/* What the fuzz targets share: bytes to draw choices from, records with their promised padding, and
 * the rules that everything parsed has to keep.
 *
 * A target is a file: LLVMFuzzerTestOneInput gets the bytes, calls one interface, and states what
 * must hold with fuzz_require. Memory errors and undefined behaviour are the sanitizers' to find.
 */
#ifndef PINWATCH_TESTS_FUZZ_FUZZ_H
#define PINWATCH_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/observation.h"
#include "parse/parser.h"
#include "parse/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Says what was wrong and stops, so that the fuzzer keeps the input. */
#define fuzz_require(holds)                                                                        \
	((holds) ? (void)0 : fuzz_wrong(#holds, __FILE__, __LINE__, SV_NONE, SV_NONE))
/* Likewise for two texts that have to be the same; both are shown. */
#define fuzz_require_same(a, b)                                                                    \
	(sv_eq(a, b) ? (void)0 : fuzz_wrong(#a " is the same as " #b, __FILE__, __LINE__, a, b))
_Noreturn void fuzz_wrong(const char *rule, const char *file, int line, struct sv a, struct sv b);

/* Choices are taken from the front; past the end they are 0. */
uint8_t fuzz_byte(struct sv *data);
uint64_t fuzz_bits(struct sv *data, unsigned bytes);

/* A copy with exactly READ_PADDING bytes behind it, all `padding`; freed by the caller. */
char *fuzz_padded(struct sv record, char padding);

/* A set of the built-in formats and those given. Ends the program where one does not compile. */
struct format_set *fuzz_formats(const char *const *yaml, size_t n);

/* Runs the format over the text, cut as its framing says. Every observation has to keep the model's
 * rules, to read back as itself, and must not depend on what stands behind the record. */
void fuzz_records(const struct format_set *set, const struct format *f, struct sv text);

/* The first byte chooses one of the formats given, the rest is its input: for targets of one
 * decoder. */
int fuzz_decoder(const char *const *yaml, size_t n, const uint8_t *data, size_t size);

/* Visits every byte of a tree; its depth and nodes have to keep the bounds of value.h. */
void fuzz_tree(const struct value *v);

/* v is one JSON document. */
void fuzz_json(struct sv v);

/* Nothing in v steers a terminal, hides or reorders text, and all of it is UTF-8. Line feeds only
 * where said. */
void fuzz_harmless(struct sv v, bool line_feeds);

#endif
