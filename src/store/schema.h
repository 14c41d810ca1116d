/* The database's layout and how an older one becomes the present one. */
#ifndef PINWATCH_STORE_SCHEMA_H
#define PINWATCH_STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/error.h"

#define SCHEMA_VERSION 3

/* The version that stands in the database; 0 for a new one, -1 and *err where it cannot be told. */
int schema_version(sqlite3 *db, struct error *err);
/* Brings the database to SCHEMA_VERSION, a step a transaction. Refuses a newer one. */
bool schema_migrate(sqlite3 *db, const char *path, struct error *err);

#endif
