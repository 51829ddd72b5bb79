/* A results file with some bytes changed, each given by its place (3 bytes, big-endian; the first
   bit set: cut the file off there) and value.  Places count only the bytes that are no fill.  What
   is no HDF5 file at all is for fuzz_hdf5. */

#include "library.h"
#include <example.h>
#include <hdf5.h>

enum { CHANGE = 4, MOST_CHANGES = 64, MOST_NUMBERS = 4 }; /* numbers: along an axis */

static example study;
static unsigned char *whole; /* the file as it should be */
static size_t whole_length;
static size_t *spot, spots; /* offsets of what is no fill: the metadata */

/* Eight bytes that repeat those before are fill. */
static void find_spots(void)
{
  enum { ROW = 8 };

  spot = malloc(whole_length * sizeof *spot);
  MUST(spot);
  for (size_t i = ROW; i < whole_length; i++) {
    const size_t row = i / ROW * ROW;

    if (row + ROW <= whole_length && memcmp(whole + row, whole + row - ROW, ROW) != 0)
      spot[spots++] = i;
  }
}

static void make_whole(void)
{
  const fuzz_path file = path_of("whole.h5");
  bool created;

  if (whole) return;
  example_create(&study);
  MUST(!ip_store_prepare(file.at, &study.plan, &example_origin, &created));
  whole = file_bytes(file.at, &whole_length);
  unlink(file.at);
  find_spots();
}

/* Apply the changes to bytes; the new length. */
static size_t change(const uint8_t *by, size_t n, uint8_t bytes[])
{
  size_t length = whole_length;

  for (size_t i = 0; i + CHANGE <= n && i < CHANGE * (size_t)MOST_CHANGES; i += CHANGE) {
    const size_t place = (size_t)by[i] << 16 | (size_t)by[i + 1] << 8 | by[i + 2];

    if (by[i] & 0x80)
      length = (place & 0x7fffff) % whole_length;
    else
      bytes[spot[place % spots]] = by[i + 3];
  }
  return length;
}

static void read_texts(const ip_results *file, const char *name)
{
  char *text = NULL;

  for (size_t i = 0; i < 3; i++)
    if (ip_results_text(file, name, i, &text) == PETSC_SUCCESS) ip_release(&text);
}

/* All that the program reads. */
static void read_attributes(const ip_results *file)
{
  static const char *const name[] = {"version", "commit", "build", "resolved", "share"};
  char *text = NULL;

  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    if (ip_results_attribute(file, "provenance", name[i], &text) == PETSC_SUCCESS)
      ip_release(&text);
  if (ip_results_attribute(file, NULL, "config", &text) == PETSC_SUCCESS) ip_release(&text);
  if (ip_results_attribute(file, NULL, "title", &text) == PETSC_SUCCESS) ip_release(&text);
  if (ip_results_attribute(file, "activation", "flag_meanings", &text) == PETSC_SUCCESS)
    ip_release(&text);
}

static void read_numbers(const ip_results *file, const char *name)
{
  size_t n_axes = 0, length[IP_RESULTS_RANK], start[IP_RESULTS_RANK] = {0},
         count[IP_RESULTS_RANK];
  double value[MOST_NUMBERS * MOST_NUMBERS * MOST_NUMBERS * MOST_NUMBERS];

  if (!ip_results_shape(file, name, &n_axes, length)) return;
  for (size_t a = 0; a < n_axes; a++)
    count[a] = length[a] < MOST_NUMBERS ? length[a] : MOST_NUMBERS;
  (void)ip_results_block(file, name, n_axes, start, count, value);
}

static void read_results(const char *path)
{
  ip_results *file = NULL;

  if (ip_results_open(path, &file)) return;
  for (size_t f = 0; f < IP_FIELDS; f++) read_numbers(file, ip_field_row(f)->name);
  read_numbers(file, "status");
  read_texts(file, "column");
  read_texts(file, "provenance/launch_json");
  read_attributes(file);
  ip_results_close(&file);
}

static void continue_it(const char *path)
{
  bool created = true;
  const PetscErrorCode code = ip_store_prepare(path, &study.plan, &example_origin, &created);

  MUST(code || !created);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const fuzz_path file = path_of("x.h5");

  begin();
  tell_apart();
  make_whole();
  uint8_t *changed = malloc(whole_length);
  const size_t crashes = found->crashes;

  MUST(changed);
  memcpy(changed, whole, whole_length);
  const size_t n = change(bytes, length, changed);

  write_bytes(file.at, changed, n);
  const PetscErrorCode code = ip_results_probe(file.at);

  must_be_of_hdf5(crashes);
  MUST(code == PETSC_SUCCESS || code == IP_ERR_DATA);
  if (code == PETSC_SUCCESS) {
    read_results(file.at);
    continue_it(file.at);
  }
  must_hold(file.at, changed, n);
  unlink(file.at);
  MUST(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
  free(changed);
  return 0;
}
