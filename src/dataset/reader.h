#pragma once

/** @file
 *  What the readers of files share.  Memory grows with what a file holds, never with what it
 *  claims; every message names the path.
 */

#include <infoplane/dataset.h>
#define ZLIB_CONST /* zlib: pointers to input are const */
#include <zlib.h>

/** How a number lies in a file. */
typedef struct {
  size_t width; /**< bytes: 1, 2, 4 or 8; floating: 4 or 8 */
  enum { IP_UNSIGNED, IP_SIGNED, IP_FLOATING } kind;
  bool big_endian;
} ip_storage;

/** The number at `at`, which has storage->width bytes. */
double ip_storage_number(const ip_storage *storage, const unsigned char at[]);

/** Open a file, gzipped or not.  IP_ERR_NO_INPUT: missing, or not to be read. */
PetscErrorCode ip_reader_open(const char *path, gzFile *file);

/** Double the room of *bytes, up to limit; *room = 0 and *bytes = NULL at first. */
PetscErrorCode ip_reader_grow(size_t limit, size_t *room, unsigned char **bytes);

/** The next bytes up to `limit` or the end of the file; release with ip_release.
 *  IP_ERR_DATA: its gzip is damaged or cut short. */
PetscErrorCode ip_reader_bytes(gzFile file, const char *path, size_t limit,
                               unsigned char **bytes, size_t *length);

/** How many of the n samples of a file are to be read: only the first, where that is asked. */
size_t ip_reader_rows(const ip_dataset_spec *spec, size_t n);

/** Allocate data->x, shape (n, d), and set n and d.  Call once the numbers are known to exist. */
PetscErrorCode ip_reader_inputs(const char *path, uint64_t n, uint64_t d, ip_dataset *data);

/** Set data->y and k from all n labels of a file: k = largest + 1, at least 2, whatever part of
 *  the samples is used. */
PetscErrorCode ip_reader_labels(const char *path, size_t n, const double label[],
                                ip_dataset *data);
