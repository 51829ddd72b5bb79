/* IDX: 0, 0, type, rank, then the rank sizes as big-endian uint32, then the numbers; images
   (n, rows, columns) and labels (n) are two files.  Bytes become byte / 255.
   Source: LeCun, Cortes, Burges, "The MNIST database", section "file formats". */

#include "reader.h"
#include <string.h>

enum { MOST_AXES = 4 };

/* One file: n times d numbers. */
typedef struct {
  const char *path;
  gzFile file;
  int rank;
  size_t n, d;
  ip_storage storage;
} array;

static PetscErrorCode storage_of(const char *path, unsigned type, ip_storage *storage)
{
  *storage = (ip_storage){.kind = IP_SIGNED, .big_endian = true};
  switch (type) {
  case 0x08:
    storage->kind = IP_UNSIGNED;
    storage->width = 1;
    break;
  case 0x09:
    storage->width = 1;
    break;
  case 0x0B:
    storage->width = 2;
    break;
  case 0x0C:
    storage->width = 4;
    break;
  case 0x0D:
  case 0x0E:
    storage->kind = IP_FLOATING;
    storage->width = type == 0x0D ? 4 : 8;
    break;
  default:
    IP_CHECK(false, IP_ERR_DATA, "%s: numbers of unknown IDX type 0x%02x", path, type);
  }
  return PETSC_SUCCESS;
}

/* Read sizes[]: the rank sizes. */
static PetscErrorCode read_header(array *a)
{
  const ip_storage size = {.kind = IP_UNSIGNED, .width = 4, .big_endian = true};
  unsigned char magic[4], sizes[4 * MOST_AXES];

  IP_CHECK(gzread(a->file, magic, sizeof magic) == (int)sizeof magic && magic[0] == 0 &&
               magic[1] == 0,
           IP_ERR_DATA, "%s: not an IDX file (it does not begin with two zero bytes)", a->path);
  PetscCall(storage_of(a->path, magic[2], &a->storage));
  a->rank = magic[3];
  IP_CHECK(1 <= a->rank && a->rank <= MOST_AXES, IP_ERR_DATA,
           "%s: an IDX array of %d axes; 1 .. %d can be read", a->path, a->rank, MOST_AXES);
  IP_CHECK(gzread(a->file, sizes, 4 * (unsigned)a->rank) == 4 * a->rank, IP_ERR_DATA,
           "%s: cut short inside its header; fetch the file again", a->path);
  a->n = (size_t)ip_storage_number(&size, sizes);
  a->d = 1;
  for (int axis = 1; axis < a->rank; axis++) {
    const size_t length = (size_t)ip_storage_number(&size, sizes + (size_t)axis * 4);

    IP_CHECK(!__builtin_mul_overflow(a->d, length, &a->d), IP_ERR_DATA,
             "%s: claims more numbers than any file can hold", a->path);
  }
  return PETSC_SUCCESS;
}

/* The numbers of the first rows samples, still as bytes. */
static PetscErrorCode read_numbers(const array *a, size_t rows, unsigned char **bytes)
{
  size_t want, got;
  unsigned char beyond;

  IP_CHECK(!__builtin_mul_overflow(a->d, a->storage.width, &want) &&
               !__builtin_mul_overflow(rows, want, &want),
           IP_ERR_DATA, "%s: claims more numbers than any file can hold", a->path);
  PetscCall(ip_reader_bytes(a->file, a->path, want, bytes, &got));
  IP_CHECK(
      got == want, IP_ERR_DATA,
      "%s: cut short: %zu samples of %zu numbers are announced, %zu of %zu bytes are there; "
      "fetch the file again",
      a->path, a->n, a->d, got, want);
  IP_CHECK(rows < a->n || gzread(a->file, &beyond, 1) == 0, IP_ERR_DATA,
           "%s: holds more than the %zu samples it announces, or its end is damaged; fetch the "
           "file again",
           a->path, a->n);
  return PETSC_SUCCESS;
}

static PetscErrorCode take_images(const array *a, size_t rows, unsigned char **bytes,
                                  ip_dataset *data)
{
  const bool pixels = a->storage.kind == IP_UNSIGNED;

  IP_CHECK(a->rank >= 2, IP_ERR_DATA,
           "%s: one axis only; images have at least two (are images and labels swapped?)",
           a->path);
  PetscCall(read_numbers(a, rows, bytes));
  PetscCall(ip_reader_inputs(a->path, rows, a->d, data));
  for (size_t i = 0; i < rows * a->d; i++)
    data->x[i] = pixels ? (float)(*bytes)[i] / 255.0F
                        : (float)ip_storage_number(&a->storage, *bytes + i * a->storage.width);
  return PETSC_SUCCESS;
}

static PetscErrorCode take_labels(const array *a, unsigned char **bytes, double **label,
                                  ip_dataset *data)
{
  IP_CHECK(a->rank == 1, IP_ERR_DATA,
           "%s: %d axes; labels have one (are images and labels swapped?)", a->path, a->rank);
  PetscCall(read_numbers(a, a->n, bytes));
  PetscCall(IP_ALLOCATE(a->n, label));
  for (size_t i = 0; i < a->n; i++)
    (*label)[i] = ip_storage_number(&a->storage, *bytes + i * a->storage.width);
  return ip_reader_labels(a->path, a->n, *label, data);
}

static PetscErrorCode read_images(const ip_dataset_spec *spec, array *a, ip_dataset *data)
{
  unsigned char *bytes = NULL;
  PetscErrorCode code = read_header(a);

  if (!code) code = take_images(a, ip_reader_rows(spec, a->n), &bytes, data);
  ip_release(&bytes);
  return code;
}

static PetscErrorCode read_labels(array *a, ip_dataset *data)
{
  unsigned char *bytes = NULL;
  double *label = NULL;
  PetscErrorCode code = read_header(a);

  if (!code) code = take_labels(a, &bytes, &label, data);
  ip_release(&bytes);
  ip_release(&label);
  return code;
}

/* The labels beside the images, under the usual name. */
static PetscErrorCode add_labels_path(const char *images, ip_text *path)
{
  static const char usual[] = "images-idx3";
  const char *at = NULL;

  for (const char *next = images; (next = strstr(next, usual)) != NULL; next++) at = next;
  IP_CHECK(at != NULL, IP_ERR_CONFIG,
           "%s: its name has no \"%s\", so the file of the labels cannot be guessed; set "
           "dataset.labels_path",
           images, usual);
  return ip_text_add(path, "%.*slabels-idx1%s", (int)(at - images), images,
                     at + sizeof usual - 1);
}

static PetscErrorCode load_pair(const ip_dataset_spec *spec, array *images, array *labels,
                                ip_dataset *data)
{
  PetscCall(ip_reader_open(images->path, &images->file));
  PetscCall(ip_reader_open(labels->path, &labels->file));
  PetscCall(read_labels(labels, data));
  PetscCall(read_images(spec, images, data));
  IP_CHECK(images->n == labels->n, IP_ERR_DATA, "%s: %zu images, but %zu labels in %s",
           images->path, images->n, labels->n, labels->path);
  return PETSC_SUCCESS;
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  ip_text beside = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  if (!spec->labels_path) code = add_labels_path(spec->path, &beside);
  if (!code) {
    array images = {.path = spec->path},
          labels = {.path = spec->labels_path ? spec->labels_path : beside.text};

    code = load_pair(spec, &images, &labels, data);
    if (images.file) gzclose(images.file);
    if (labels.file) gzclose(labels.file);
  }
  ip_text_clear(&beside);
  return code;
}

const ip_dataset_kind ip_dataset_idx = {
    .name = "idx",
    .sentence = "IDX images and labels, gzipped or not (MNIST, Fashion-MNIST); pixels / 255",
    .reference = "LeCun, Cortes, Burges, The MNIST database",
    .needs_path = true,
    .load = load,
};
