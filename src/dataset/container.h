#pragma once

/** @file
 *  Named arrays of numbers in a file, however it keeps them: HDF5, a zip of .npy files (.npz), or a
 *  folder of .npy files.  Private to the data sets.
 *
 *  Shapes are checked against what is truly there before anything of their size is allocated.
 */

#include <infoplane/dataset.h>

enum { CONTAINER_RANK = 3, CONTAINER_NAME = 64 };

typedef struct {
  char name[CONTAINER_NAME];
  bool integer;                  /**< whole numbers, else floating            */
  size_t width;                  /**< bytes of one                            */
  size_t rank;                   /**< 1 .. CONTAINER_RANK                     */
  uint64_t size[CONTAINER_RANK]; /**< each >= 1                               */
  const char *refused;           /**< why it cannot be read; NULL: it can     */
} container_array;

typedef struct container container;

/** One way to keep arrays. */
typedef struct {
  const char *name;
  bool crashes; /**< its library does on some damaged files */
  PetscErrorCode (*open)(container *c);
  /** Elements [row, row + rows) along the axis of samples (the last but one, or the only one), all of
   *  the last axis, at `outer` of the first of three; value: row-major. */
  PetscErrorCode (*read)(container *c, size_t array, uint64_t outer, uint64_t row,
                         uint64_t rows, double value[]);
  void (*close)(container *c);
} container_kind;

extern const container_kind container_hdf5, container_npy;

struct container {
  char *path;
  const container_kind *kind;
  size_t n;               /**< arrays                         */
  container_array *array; /**< shape (n)                      */
  void *inside;           /**< of the kind                    */
};

/** By its first bytes; a folder is one of .npy files.  IP_ERR_NO_INPUT, IP_ERR_DATA. */
PetscErrorCode container_recognize(const char *path, const container_kind **kind);

/** IP_ERR_NO_INPUT, IP_ERR_DATA. */
PetscErrorCode container_open(const char *path, container **opened);
void container_close(container **opened);

/** Index of an array; -1: there is none of that name. */
int container_find(const container *c, const char *name);

/** Room for one more array in c->array; what it is follows. */
PetscErrorCode container_grow(container *c, size_t *room);
