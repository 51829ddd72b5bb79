#pragma once

/** @file
 *  The arrays that hold a run's numbers, its status and the checksum over them, and the proof that
 *  they belong together.  The same for the writer and for who only reads.  Private to the store. */

#include "h5.h"

typedef struct {
  const ip_plan *plan;
  hid_t field[IP_FIELDS]; /**< -1: not in the file */
  hid_t status, checksum;
} ip_seals;

/** Nothing is open; what may be closed. */
void ip_seals_begin(const ip_plan *plan, ip_seals *s);
/** IP_ERR_DATA: an array is missing; close what was opened all the same. */
PetscErrorCode ip_seals_open(hid_t file, const char *path, ip_seals *s);
void ip_seals_close(ip_seals *s);

/** The cells of one run, which has one part, in the array of a field. */
ip_cells ip_seals_cells(const ip_seals *s, size_t run, const ip_field *field);

/** Cells in the file that a row of the plan seals of a field, and the same in memory. */
typedef struct {
  ip_cells cells;
  size_t bytes;
  void *dense; /**< of one part a copy, else the array of the record itself */
  bool copied;
} ip_slab;

/** XXH3 over the identity, the arrays of a record in the order of record.def, and its status. */
PetscErrorCode ip_seals_sum(const ip_seals *s, const ip_record *record, uint64_t *sum);

/** Write what a record holds; then, once that is on the disk, checksum and status. */
PetscErrorCode ip_seals_write(const ip_seals *s, const ip_record *record);
PetscErrorCode ip_seals_seal(const ip_seals *s, const ip_record *record);

/** What the file says of buffer->run, and whether it lies.  The run is read into buffer. */
PetscErrorCode ip_seals_prove(const ip_seals *s, ip_record *buffer, ip_status *status,
                              bool *damaged);
