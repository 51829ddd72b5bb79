#pragma once

/** @file
 *  HDF5 as the store uses it: silent, with its reason in our message, and every handle given back.
 *
 *  A negative handle passed on makes the next call fail too, so a chain of calls is checked at its
 *  end; ip_h5_close takes any handle, also a negative one. */

#include "layout.h"
#include <hdf5.h>

/** Switch off HDF5's own printing and file locking; before anything else of HDF5. */
void ip_h5_begin(void);

/** Raise code with the message, a colon, and the innermost reason that HDF5 keeps.  What the system
 *  did not let HDF5 read is IP_ERR_IO, not IP_ERR_DATA. */
PetscErrorCode ip_h5_raise(PetscErrorCode code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** PETSC_SUCCESS, or for a negative result an error: an expression, for PetscCall or for code that
 *  has handles to close first. */
#define IP_H5(result, code, ...)                                                               \
  ((result) >= 0 ? PETSC_SUCCESS : ip_h5_raise((code), __VA_ARGS__))

/** Give a handle of any kind back; files too, where the answer does not matter. */
void ip_h5_close(hid_t id);

/** The handle where all that it should be could be set, else -1, and it is closed: what is silently
 *  left at a default would make another file. */
hid_t ip_h5_only(bool good, hid_t id);

/** HDF5 cannot close what it cannot write, and then crashes at exit: let it write the rest of a file
 *  that is given up into memory. */
void ip_h5_divert(hid_t file);

/** Types of the file (little-endian) and of memory; close them. */
hid_t ip_h5_file_type(ip_number type);
hid_t ip_h5_memory_type(ip_number type);
size_t ip_h5_size(ip_number type);

/** File access: format of HDF5 1.8, arrays on pages. */
hid_t ip_h5_access(void);
hid_t ip_h5_access_tight(void); /**< wherever they fit */

/** A text attribute in UTF-8; text NULL: none. */
PetscErrorCode ip_h5_write_text(hid_t object, const char *name, const char *text);
/** n = 1: a scalar. */
PetscErrorCode ip_h5_write_numbers(hid_t object, const char *name, ip_number type, size_t n,
                                   const void *numbers);
/** IP_ERR_DATA when it is not there or no text. Release with ip_release. */
PetscErrorCode ip_h5_read_text(hid_t object, const char *name, char **text);

/** Which cells of an array, at most IP_LAYOUT_RANK axes. */
typedef struct {
  size_t n_axes;
  hsize_t start[IP_LAYOUT_RANK], count[IP_LAYOUT_RANK];
} ip_cells;

/** Open an array of the file; path names it in the error.  IP_ERR_DATA, IP_ERR_IO. */
PetscErrorCode ip_h5_open_array(hid_t file, const char *path, const char *name, hid_t *dataset);

/** Read or write cells of an open dataset; independent.  IP_ERR_DATA: the cells are not there;
 *  IP_ERR_IO: the system did not let HDF5 read, or nothing can be written. */
PetscErrorCode ip_h5_read(hid_t dataset, hid_t memory_type, const ip_cells *cells, void *value);
PetscErrorCode ip_h5_write(hid_t dataset, hid_t memory_type, const ip_cells *cells,
                           const void *value);

/** Open a file for reading that exists and is one of ours.  IP_ERR_NO_INPUT: missing;
 *  IP_ERR_LOCKED: no permission; IP_ERR_DATA: strange, truncated, newer.  It is not changed. */
PetscErrorCode ip_h5_open_ours(const char *path, hid_t *file);
