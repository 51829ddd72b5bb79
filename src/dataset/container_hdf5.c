/* Arrays in the root of an HDF5 file.  See hdf5.c on damaged files: who opens one that may be anything
   lets a child process open it first. */

#include "container.h"
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

/* A file that inflates further is not believed: the limit of deflate. */
enum { MOST_INFLATION = 1032 };

typedef struct {
  hid_t file;
  size_t room;
} opened;

/* What a data set is; one that cannot hold numbers for us is kept with the reason. */
static void describe(hid_t set, hsize_t whole, container_array *a)
{
  const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
  hsize_t size[CONTAINER_RANK] = {0}, bytes = type >= 0 ? H5Tget_size(type) : 0;
  const hsize_t held = H5Dget_storage_size(set), stored = held < whole ? held : whole;
  bool too_many = false;

  a->integer = class == H5T_INTEGER || class == H5T_ENUM;
  a->width = (size_t)bytes;
  if (!a->integer && class != H5T_FLOAT) a->refused = "does not hold numbers";
  if (rank < 1 || rank > CONTAINER_RANK) a->refused = "has not 1, 2 or 3 axes";
  if (!a->refused) H5Sget_simple_extent_dims(space, size, NULL);
  for (int i = 0; i < rank && !a->refused; i++) {
    too_many = too_many || __builtin_mul_overflow(bytes, size[i], &bytes);
    a->size[i] = size[i];
  }
  a->rank = a->refused ? 0 : (size_t)rank;
  if (!a->refused && !too_many && bytes == 0) a->refused = "is empty";
  if (!a->refused && (too_many || bytes / MOST_INFLATION > stored))
    a->refused = "claims more numbers than the file holds: it was never written, or is damaged";
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
  container *c = context;
  opened *o = c->inside;
  H5O_info_t about;
  hsize_t whole = 0;

  if (strlen(name) >= CONTAINER_NAME || info->type != H5L_TYPE_HARD) return 0;
  if (H5Oget_info_by_name(group, name, &about, H5P_DEFAULT) < 0) return -1;
  if (about.type != H5O_TYPE_DATASET) return 0;
  if (container_grow(c, &o->room)) return -1;
  const hid_t set = H5Dopen2(group, name, H5P_DEFAULT);

  if (set < 0) return -1;
  container_array *a = &c->array[c->n++];

  *a = (container_array){0};
  memcpy(a->name, name, strlen(name)); /* it fits, and a zero follows */
  H5Fget_filesize(o->file, &whole);
  describe(set, whole, a);
  H5Dclose(set);
  return 0;
}

static PetscErrorCode open_file(container *c)
{
  opened *o = NULL;

  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0); /* locks fail on NFS and Lustre */
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  PetscCall(IP_ALLOCATE(1, &o));
  c->inside = o;
  o->file = H5Fopen(c->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  IP_CHECK(o->file >= 0, IP_ERR_DATA, "%s: a damaged HDF5 file, or cut short", c->path);
  const bool good = H5Literate(o->file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, c) >= 0;

  IP_CHECK(good, IP_ERR_DATA, "%s: what it holds cannot be read; the file is damaged", c->path);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_rows(container *c, size_t array, uint64_t outer, uint64_t row,
                                uint64_t rows, double value[])
{
  const opened *o = c->inside;
  const container_array *a = &c->array[array];
  const int rank = (int)a->rank;
  const hsize_t last = a->size[rank - 1], three[3][2] = {
                                              {outer, 1   },
                                              {row,   rows},
                                              {0,     last}
  };
  hsize_t start[CONTAINER_RANK] = {0}, count[CONTAINER_RANK] = {0};
  const hid_t set = H5Dopen2(o->file, a->name, H5P_DEFAULT);

  for (int i = 0; i < rank && i < CONTAINER_RANK; i++) {
    const size_t of =
        rank == CONTAINER_RANK || i == 2 ? (size_t)i : (size_t)i + 1; /* no first */

    start[i] = three[of][0];
    count[i] = three[of][1];
  }
  const hid_t space = H5Dget_space(set), memory = H5Screate_simple(rank, count, NULL);
  const bool good = space >= 0 && memory >= 0 &&
                    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, value) >= 0;

  if (memory >= 0) H5Sclose(memory);
  if (space >= 0) H5Sclose(space);
  if (set >= 0) H5Dclose(set);
  IP_CHECK(good, IP_ERR_DATA,
           "%s: %s cannot be read; the file is damaged, or compressed in a way that this HDF5 "
           "does not know",
           c->path, a->name);
  return PETSC_SUCCESS;
}

static void close_file(container *c)
{
  opened *o = c->inside;

  if (!o) return;
  if (o->file >= 0) H5Fclose(o->file);
  ip_release(&c->inside);
}

const container_kind container_hdf5 = {
    .name = "HDF5", .crashes = true, .open = open_file, .read = read_rows, .close = close_file};
