#pragma once

/** @file
 *  Tables of the studies.  A new one is a function and a row in tables.def.
 *  Private to the view.
 */

#include "claims.h"

/** A row of tables.def. */
typedef struct {
  const char *name, *sentence, *header;
  bool of_columns, of_runs;
  /** Add the rows of a subject; the few that people want to see at once are lines of `brief`
   *  too. */
  PetscErrorCode (*fill)(const subject *x, csv *table, ip_text *brief);
} table_row;

const table_row *tables_row(size_t i); /**< NULL past the end */

#define IP_TABLE(name, ...)                                                                    \
  PetscErrorCode table_fill_##name(const subject *x, csv *table, ip_text *brief);
#include "tables.def"
#undef IP_TABLE

/* ---- what tables share ------------------------------------------------------------------- */

/** A number of run i of a group in a layer; NaN: it has none. */
typedef double (*layer_number)(const subject *x, size_t group, size_t run, size_t layer);

/** Mean of the number over the runs of a group with its interval; `what` keys the resamples. */
PetscErrorCode table_mean(const subject *x, size_t group, size_t layer, layer_number number,
                          const char *what, interval *out);

/** Three cells: that mean. */
PetscErrorCode table_put_mean(const subject *x, size_t group, size_t layer, layer_number number,
                              csv *table);

/** Cells study, setting. */
void table_put_place(const subject *x, size_t group, csv *table);

/** Word of an option of the group, "" where it has none. */
const char *table_word(const subject *x, size_t group, const char *name);

/** Value of a numeric option, NaN where it has none. */
double table_option(const subject *x, size_t group, const char *name);

const char *table_column(const subject *x); /**< "" without a column */

/** The groups of the study differ in this option. */
bool table_varies(const subject *x, const char *name);

/** The subject's column is the one that is shown when one must do. */
bool table_is_main(const subject *x);

/** "0.12 [0.10, 0.15]", "-" for NaN, "not by half" where a median was not reached. */
void table_format(double value, double low, double high, char text[40]);

/** Add a line to `brief`: "study: setting" and the rest in the manner of printf; before the
 *  first line the heading of the columns. */
PetscErrorCode table_brief(const subject *x, size_t group, ip_text *brief, const char *heading,
                           const char *format, ...) __attribute__((format(printf, 5, 6)));
