/* `pinwatch formats --check FILE --on LOG`: raw records beside what becomes of them. */
#ifndef PINWATCH_CLI_DRY_RUN_H
#define PINWATCH_CLI_DRY_RUN_H

#include "parse/parser.h"

/* Reads the log's first records in the format of that name and prints, for each rule, the first
 * records it takes, and the first that are rejected: their fields, what reads them, and the
 * observation. Returns the program's exit code. */
int dry_run_print(struct format_set *set, struct sv format, const char *log);

#endif
