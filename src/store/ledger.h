#pragma once

/** @file  A file of ours with the plan that it was written after, made again from what it holds: the
 *  attribute config, its share, and shapes, checksums and bottleneck curves of the data sets.  Neither
 *  the input nor its data are needed.  Private to the store. */

#include "h5.h"

typedef struct {
  const char *path; /**< borrowed */
  hid_t file;
  char *config;
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  ip_layout *layout;
} ledger;

/** IP_ERR_DATA: no plan can be made, or the file does not fit it; else as ip_results_open.  Close it
 *  all the same. */
PetscErrorCode ledger_open(const char *path, ledger *l);
void ledger_close(ledger *l);

/** The complete plan of a ledger's study with these key=value besides; no file.  Data sets that the
 *  ledger does not name are read. */
PetscErrorCode ledger_derive(const ledger *from, size_t n, const char *const setting[],
                             ledger *l);
