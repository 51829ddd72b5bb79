#pragma once

/** @file
 *  The page of a results file: its data as JSON, in which long arrays are packed.  Private to the view.
 */

#include "claims.h"

#include <stdio.h>

/** How much of a file a page holds: where looks of a group or runs of it are more, so many of them at
 *  equal distances, with the first and the last look. */
typedef struct {
  size_t looks, runs;
} report_limits;

/** All that the page shows, as one JSON object without "<", that no HTML can end. */
PetscErrorCode report_data(const sweep *s, const findings *claims, report_limits limits,
                           ip_text *json);

/** Place of look i of those that a page holds of n, at most `most` (two or more). */
size_t report_thinned(size_t n, size_t most, size_t i);
size_t report_kept(size_t n, size_t most);

/** A string in quotes; a number, null for NaN. */
PetscErrorCode report_text(ip_text *json, const char *text);
PetscErrorCode report_number(ip_text *json, double value);

/** Blocks of values, one for each run: shape (looks, cells), block after block. */
typedef struct {
  size_t looks, cells;
} report_block;

/** Values of n blocks in 16 bits, so packed that what changes little gets short:
 *  {"low": .., "high": .., "bytes": "base64 of zlib"}.  A value is low + q (high - low) / 65534, q = 65535 is
 *  NaN; of each q the difference to the look before it (modulo 65536) is kept, first all high bytes,
 *  then all low ones.  `logarithm`: of log10 of the values; what is not above 0 is NaN. */
PetscErrorCode report_pack(size_t n, const report_block block[], double value[], bool logarithm,
                           ip_text *json);

/** The page of a file, within so many bytes where leaving out looks and runs can do it; see
 *  ip_view_report. */
PetscErrorCode report_file(const char *path, const char *to, size_t most_bytes, FILE *say);

/** Findings of all studies of a file, completed; release with claims_clear. */
PetscErrorCode report_claims(const sweep *s, findings *all);
