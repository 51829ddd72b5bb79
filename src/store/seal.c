/* The checksum that proves a run: XXH3 over what the run is, all it recorded and how it ended. */

#include "seal.h"
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
  for (size_t f = 0; f < IP_FIELDS && !code; f++)
    XXH3_64bits_update(hash, record->array[f],
                       ip_field_length(s->plan, f) * ip_number_size(ip_field_row(f)->type));
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
    const ip_cells cells = ip_seals_cells(s, record->run, field);
    const hid_t type = ip_h5_memory_type(field->type);
    const PetscErrorCode code = ip_h5_write(s->field[f], type, &cells, record->array[f]);

    ip_h5_close(type);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_seals_seal(const ip_seals *s, const ip_record *record)
{
  const ip_cells cells = {
      .n_axes = 2, .start = {record->run, 0},
           .count = {1,           1}
  };
  const int8_t status = (int8_t)record->status;
  uint64_t sum = 0;

  PetscCall(ip_seals_sum(s, record, &sum));
  PetscCall(ip_h5_write(s->checksum, H5T_NATIVE_UINT64, &cells, &sum));
  return ip_h5_write(s->status, H5T_NATIVE_INT8, &cells, &status);
}

/* Read a run back; *fits: its bytes are those that were sealed. */
static PetscErrorCode check_seal(const ip_seals *s, ip_record *buffer, bool *fits)
{
  const ip_cells seal = {
      .n_axes = 2, .start = {buffer->run, 0},
           .count = {1,           1}
  };
  uint64_t held = 0, sum = 0;

  PetscCall(ip_h5_read(s->checksum, H5T_NATIVE_UINT64, &seal, &held));
  for (size_t f = 0; f < IP_FIELDS; f++) {
    if (s->field[f] < 0) continue;
    const ip_field *field = ip_field_row(f);
    const ip_cells cells = ip_seals_cells(s, buffer->run, field);
    const hid_t type = ip_h5_memory_type(field->type);
    const PetscErrorCode code = ip_h5_read(s->field[f], type, &cells, buffer->array[f]);

    ip_h5_close(type);
    PetscCall(code);
  }
  PetscCall(ip_seals_sum(s, buffer, &sum));
  *fits = sum == held;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_seals_prove(const ip_seals *s, ip_record *buffer, ip_status *status,
                              bool *damaged)
{
  const ip_cells cells = {
      .n_axes = 2, .start = {buffer->run, 0},
           .count = {1,           1}
  };
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
