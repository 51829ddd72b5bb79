/* HDF5 files with x (n, d), any numbers, and y (n), whole numbers; read by this rank alone.
   HDF5's own messages are silenced around the calls and replaced by one of ours.

   What HDF5 tells us is checked; but a file whose metadata are damaged can crash HDF5 1.10 itself
   (a flipped byte in the shape of the chunks does), so a child process reads it first. */

#include "reader.h"
#include <errno.h>
#include <hdf5.h>
#include <string.h>
#include <unistd.h>

/* A file that inflates further is not believed: the limit of deflate. */
enum { MOST_INFLATION = 1032 };

/* An open data set of the file. */
typedef struct {
  const char *path, *name;
  hid_t id, type, space;
  hsize_t size[2];
} array;

static void close_array(array *a)
{
  if (a->space >= 0) H5Sclose(a->space);
  if (a->type >= 0) H5Tclose(a->type);
  if (a->id >= 0) H5Dclose(a->id);
}

/* What the file holds of it; its own word on that counts up to the length of the file. */
static hsize_t stored_bytes(const array *a)
{
  const hid_t file = H5Iget_file_id(a->id);
  const hsize_t stored = H5Dget_storage_size(a->id);
  hsize_t whole = 0;

  if (file < 0) return 0;
  H5Fget_filesize(file, &whole);
  H5Fclose(file);
  return stored < whole ? stored : whole;
}

/* Refuse what could not be `rank` axes of real (or whole) numbers that the file truly holds. */
static PetscErrorCode check_array(array *a, int rank)
{
  const H5T_class_t kind = H5Tget_class(a->type);
  hsize_t bytes = H5Tget_size(a->type);

  IP_CHECK(kind == H5T_INTEGER || (kind == H5T_FLOAT && rank == 2), IP_ERR_DATA,
           "%s: %s does not hold %s", a->path, a->name,
           rank == 2 ? "numbers" : "whole numbers");
  IP_CHECK(H5Sget_simple_extent_ndims(a->space) == rank, IP_ERR_DATA,
           "%s: %s has %d axes; x is (n, d) and y (n)", a->path, a->name,
           H5Sget_simple_extent_ndims(a->space));
  H5Sget_simple_extent_dims(a->space, a->size, NULL);
  for (int axis = 0; axis < rank; axis++)
    IP_CHECK(!__builtin_mul_overflow(bytes, a->size[axis], &bytes), IP_ERR_DATA,
             "%s: %s claims more numbers than any file can hold", a->path, a->name);
  IP_CHECK(bytes > 0, IP_ERR_DATA, "%s: %s is empty", a->path, a->name);
  IP_CHECK(bytes / MOST_INFLATION <= stored_bytes(a), IP_ERR_DATA,
           "%s: %s claims %llu bytes, the file holds %llu of them; it was never written, or is "
           "damaged",
           a->path, a->name, (unsigned long long)bytes, (unsigned long long)stored_bytes(a));
  return PETSC_SUCCESS;
}

static PetscErrorCode open_array(hid_t file, int rank, array *a)
{
  *a = (array){.path = a->path, .name = a->name, .id = -1, .type = -1, .space = -1};
  a->id = H5Dopen2(file, a->name, H5P_DEFAULT);
  IP_CHECK(a->id >= 0, IP_ERR_DATA,
           "%s: has no data set %s that can be read; x (n, d) holds the patterns, y (n) the "
           "labels",
           a->path, a->name);
  a->type = H5Dget_type(a->id);
  a->space = H5Dget_space(a->id);
  IP_CHECK(a->type >= 0 && a->space >= 0, IP_ERR_DATA, "%s: %s is damaged", a->path, a->name);
  return check_array(a, rank);
}

/* The first rows of x. */
static PetscErrorCode read_rows(const array *a, size_t rows, ip_dataset *data)
{
  const hsize_t start[2] = {0, 0}, count[2] = {rows, a->size[1]};

  PetscCall(ip_reader_inputs(a->path, rows, a->size[1], data));

  const hid_t memory = H5Screate_simple(2, count, NULL);
  const bool done =
      memory >= 0 &&
      H5Sselect_hyperslab(a->space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
      H5Dread(a->id, H5T_NATIVE_FLOAT, memory, a->space, H5P_DEFAULT, data->x) >= 0;

  if (memory >= 0) H5Sclose(memory);
  IP_CHECK(done, IP_ERR_DATA,
           "%s: x cannot be read; the file is damaged or compressed in a way that this HDF5 "
           "does not know",
           a->path);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_inputs(const ip_dataset_spec *spec, hid_t file, size_t *n,
                                  ip_dataset *data)
{
  array x = {.path = spec->path, .name = "x"};
  PetscErrorCode code = open_array(file, 2, &x);

  *n = (size_t)x.size[0];
  if (!code) code = read_rows(&x, ip_reader_rows(spec, *n), data);
  close_array(&x);
  return code;
}

static PetscErrorCode read_labels(const char *path, hid_t file, size_t n, double **label)
{
  array y = {.path = path, .name = "y"};
  PetscErrorCode code = open_array(file, 1, &y);
  const size_t labels = (size_t)y.size[0];

  if (!code && labels == n) code = IP_ALLOCATE(n, label);

  const bool done =
      !code && *label &&
      H5Dread(y.id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *label) >= 0;

  close_array(&y);
  PetscCall(code);
  IP_CHECK(labels == n, IP_ERR_DATA, "%s: x has %zu patterns, but y %zu labels", path, n,
           labels);
  IP_CHECK(done, IP_ERR_DATA, "%s: y cannot be read; the file is damaged", path);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_file(const ip_dataset_spec *spec, double **label, ip_dataset *data)
{
  size_t n = 0;

  IP_CHECK(access(spec->path, R_OK) == 0, IP_ERR_NO_INPUT, "%s: %s; see dataset.path",
           spec->path, strerror(errno));

  const hid_t file = H5Fopen(spec->path, H5F_ACC_RDONLY, H5P_DEFAULT);

  IP_CHECK(file >= 0, IP_ERR_DATA, "%s: not an HDF5 file, or damaged or cut short", spec->path);

  PetscErrorCode code = read_inputs(spec, file, &n, data);

  if (!code) code = read_labels(spec->path, file, n, label);
  if (!code) code = ip_reader_labels(spec->path, n, *label, data);
  H5Fclose(file);
  return code;
}

static PetscErrorCode read_silently(const ip_dataset_spec *spec, ip_dataset *data)
{
  H5E_auto2_t print;
  void *context;
  double *label = NULL;

  H5Eget_auto2(H5E_DEFAULT, &print, &context);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);

  const PetscErrorCode code = read_file(spec, &label, data);

  H5Eset_auto2(H5E_DEFAULT, print, context);
  ip_release(&label);
  return code;
}

/* For the child process, whose memory goes with it. */
static PetscErrorCode rehearse(void *spec)
{
  ip_dataset data = {0};

  return read_silently(spec, &data);
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  PetscCall(ip_file_probe(spec->path, "HDF5", rehearse, (void *)spec));
  return read_silently(spec, data);
}

const ip_dataset_kind ip_dataset_hdf5 = {
    .name = "hdf5",
    .sentence = "HDF5 file with x (n, d), any numbers, and y (n), whole numbers from 0",
    .reference = "The HDF Group, HDF5",
    .needs_path = true,
    .load = load,
};
