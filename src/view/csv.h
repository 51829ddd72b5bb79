#pragma once

/** @file
 *  A table as comma-separated values (RFC 4180, lines end in \n): texts are quoted where they
 *  must be, numbers have nine digits, NaN is an empty cell and what was not reached is inf.
 *  Private to the view.
 */

#include "stats.h"

/** Begin with {0}.  Cells are added from left to right; the first error is kept until
 *  csv_end. */
typedef struct {
  ip_text text;
  size_t rows;  /**< lines that have ended, the header among them */
  size_t cells; /**< of the line at hand                          */
  PetscErrorCode code;
} csv;

void csv_text(csv *table, const char *text);
void csv_number(csv *table, double value);
void csv_count(csv *table, size_t value);
/** Three cells: value, low, high. */
void csv_interval(csv *table, const interval *value);
/** A header as it stands, "study,n,value_bit"; ends its line. */
PetscErrorCode csv_header(csv *table, const char *names);
/** End the line; returns what went wrong in it. */
PetscErrorCode csv_end(csv *table);

void csv_clear(csv *table);
