/* The checksum that proves a run: XXH3 over what the run is, all it recorded and how it ended. */

#include "seal.h"
#include <string.h>
#include <xxhash.h>

void ip_seals_begin(const ip_plan *plan, ip_seals *s)
{
  *s = (ip_seals){.plan = plan, .status = -1, .checksum = -1};
  for (size_t f = 0; f < IP_FIELDS; f++) s->field[f] = -1;
}

PetscErrorCode ip_seals_open(hid_t file, const char *path, ip_seals *s)
{
  for (size_t f = 0; f < IP_FIELDS; f++)
    if (ip_field_length(s->plan, f) > 0)
      PetscCall(ip_h5_open_array(file, path, ip_field_row(f)->name, &s->field[f]));
  PetscCall(ip_h5_open_array(file, path, "status", &s->status));
  return ip_h5_open_array(file, path, "checksum", &s->checksum);
}

void ip_seals_close(ip_seals *s)
{
  for (size_t f = 0; f < IP_FIELDS; f++) ip_h5_close(s->field[f]);
  ip_h5_close(s->status);
  ip_h5_close(s->checksum);
  ip_seals_begin(s->plan, s);
}

ip_cells ip_seals_cells(const ip_seals *s, size_t run, const ip_field *field)
{
  ip_cells cells = {.n_axes = 1 + field->n_axes, .start = {run}, .count = {1}};

  for (size_t a = 0; a < field->n_axes; a++)
    cells.count[a + 1] = ip_axis_length(s->plan, field->axis[a]);
  return cells;
}

/* ---- what a row of the plan seals -------------------------------------------------------------- */

/* A part for a look has the cells of its epoch, the last part those of fields without epochs. */
static bool is_sealed(const ip_seals *s, size_t row, const ip_field *field)
{
  bool looked = false;

  for (size_t a = 0; a < field->n_axes; a++) looked = looked || field->axis[a] == IP_AXIS_EPOCH;
  return !ip_plan_is_given(s->plan) || looked == (row + 1 < s->plan->parts);
}

/* Copy between the array of a whole run and the cells of one epoch. */
static void pass_cells(const ip_seals *s, const ip_record *record, size_t f, bool out,
                       char *dense)
{
  const ip_field *field = ip_field_row(f);
  const size_t epochs = s->plan->n_epochs;
  size_t outer = 1, inner = ip_number_size(field->type), a = 0;
  char *array = record->array[f];

  for (; field->axis[a] != IP_AXIS_EPOCH; a++) outer *= ip_axis_length(s->plan, field->axis[a]);
  while (++a < field->n_axes) inner *= ip_axis_length(s->plan, field->axis[a]);
  for (size_t o = 0; o < outer; o++) {
    char *at = array + (o * epochs + record->run) * inner;

    if (out)
      memcpy(dense + o * inner, at, inner);
    else
      memcpy(at, dense + o * inner, inner);
  }
}

/* slab->bytes = 0: the row has nothing of the field. */
static PetscErrorCode slab_begin(const ip_seals *s, const ip_record *record, size_t f,
                                 ip_slab *slab)
{
  const ip_field *field = ip_field_row(f);
  const size_t row = record->run, parts = s->plan->parts;

  *slab = (ip_slab){.dense = record->array[f], .cells = ip_seals_cells(s, row, field)};
  if (ip_field_length(s->plan, f) == 0 || !is_sealed(s, row, field)) return PETSC_SUCCESS;
  slab->bytes = ip_field_length(s->plan, f) * ip_number_size(field->type);
  slab->cells.start[0] = row / parts;
  if (parts == 1 || row + 1 == parts) return PETSC_SUCCESS;
  for (size_t a = 0; a < field->n_axes; a++)
    if (field->axis[a] == IP_AXIS_EPOCH) {
      slab->cells.start[a + 1] = row;
      slab->cells.count[a + 1] = 1;
    }
  slab->bytes /= s->plan->n_epochs;
  slab->copied = true;
  slab->dense = NULL;
  PetscCall(ip_allocate_bytes(slab->bytes, 1, &slab->dense));
  pass_cells(s, record, f, true, slab->dense);
  return PETSC_SUCCESS;
}

static void slab_end(ip_slab *slab)
{
  if (slab->copied) ip_release(&slab->dense);
}

static ip_cells seal_cells(const ip_seals *s, size_t row)
{
  const size_t parts = s->plan->parts;

  return (ip_cells){
      .n_axes = 2, .start = {row / parts, row % parts},
           .count = {1,           1          }
  };
}

/* ---- the checksum ------------------------------------------------------------------------------ */

static PetscErrorCode hash_identity(const ip_seals *s, size_t run, XXH3_state_t *hash)
{
  ip_text identity = {0};
  const PetscErrorCode code = ip_plan_identity(s->plan, run, &identity);

  XXH3_64bits_reset(hash);
  if (!code) XXH3_64bits_update(hash, identity.text, identity.length);
  ip_text_clear(&identity);
  return code;
}

PetscErrorCode ip_seals_sum(const ip_seals *s, const ip_record *record, uint64_t *sum)
{
  XXH3_state_t *hash = XXH3_createState();
  const int8_t status = (int8_t)record->status;
  PetscErrorCode code;

  IP_CHECK(hash, IP_ERR_INTERNAL, "no memory left for a checksum");
  code = hash_identity(s, record->run, hash);
  for (size_t f = 0; f < IP_FIELDS && !code; f++) {
    ip_slab slab;

    code = slab_begin(s, record, f, &slab);
    if (!code) XXH3_64bits_update(hash, slab.dense, slab.bytes);
    slab_end(&slab);
  }
  XXH3_64bits_update(hash, &status, sizeof status);
  *sum = XXH3_64bits_digest(hash);
  XXH3_freeState(hash);
  return code;
}

PetscErrorCode ip_seals_write(const ip_seals *s, const ip_record *record)
{
  for (size_t f = 0; f < IP_FIELDS; f++) {
    if (s->field[f] < 0) continue;
    const ip_field *field = ip_field_row(f);
    ip_slab slab;
    PetscErrorCode code = slab_begin(s, record, f, &slab);
    const hid_t type = ip_h5_memory_type(field->type);

    if (!code && slab.bytes > 0) code = ip_h5_write(s->field[f], type, &slab.cells, slab.dense);
    ip_h5_close(type);
    slab_end(&slab);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_seals_seal(const ip_seals *s, const ip_record *record)
{
  const ip_cells cells = seal_cells(s, record->run);
  const int8_t status = (int8_t)record->status;
  uint64_t sum = 0;

  PetscCall(ip_seals_sum(s, record, &sum));
  PetscCall(ip_h5_write(s->checksum, H5T_NATIVE_UINT64, &cells, &sum));
  return ip_h5_write(s->status, H5T_NATIVE_INT8, &cells, &status);
}

/* Read a run back; *fits: its bytes are those that were sealed. */
static PetscErrorCode check_seal(const ip_seals *s, ip_record *buffer, bool *fits)
{
  const ip_cells seal = seal_cells(s, buffer->run);
  uint64_t held = 0, sum = 0;

  PetscCall(ip_h5_read(s->checksum, H5T_NATIVE_UINT64, &seal, &held));
  for (size_t f = 0; f < IP_FIELDS; f++) {
    if (s->field[f] < 0) continue;
    const ip_field *field = ip_field_row(f);
    ip_slab slab;
    PetscErrorCode code = slab_begin(s, buffer, f, &slab);
    const hid_t type = ip_h5_memory_type(field->type);

    if (!code && slab.bytes > 0) code = ip_h5_read(s->field[f], type, &slab.cells, slab.dense);
    if (!code && slab.copied) pass_cells(s, buffer, f, false, slab.dense);
    ip_h5_close(type);
    slab_end(&slab);
    PetscCall(code);
  }
  PetscCall(ip_seals_sum(s, buffer, &sum));
  *fits = sum == held;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_seals_prove(const ip_seals *s, ip_record *buffer, ip_status *status,
                              bool *damaged)
{
  const ip_cells cells = seal_cells(s, buffer->run);
  int8_t held = 0;
  bool fits = false;

  PetscCall(ip_h5_read(s->status, H5T_NATIVE_INT8, &cells, &held));
  if (held > IP_STATUS_PENDING && held <= IP_STATUS_FAILED) {
    buffer->status = (ip_status)held;
    PetscCall(check_seal(s, buffer, &fits));
  }
  *status = fits ? (ip_status)held : IP_STATUS_PENDING;
  *damaged = held != IP_STATUS_PENDING && !fits;
  return PETSC_SUCCESS;
}
