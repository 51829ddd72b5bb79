/* What was seen of one run: the arrays that record.def declares. */

#include <infoplane/study.h>
#include <math.h>
#include <string.h>

static const ip_field table[] = {
#define IP_AXES_(...)                                                                          \
  .n_axes = sizeof((ip_axis[]){__VA_ARGS__}) / sizeof(ip_axis), .axis = {__VA_ARGS__}
#define IP_NO_AXES .n_axes = 0
#define IP_FIELD(type_, name_, axes_, unit_, long_name_, definition_, reference_)              \
  {.name = #name_,                                                                             \
   .type = (type_),                                                                            \
   axes_,                                                                                      \
   .unit = (unit_),                                                                            \
   .long_name = (long_name_),                                                                  \
   .definition = (definition_),                                                                \
   .reference = (reference_)},
#include <infoplane/record.def>
#undef IP_FIELD
};

static const char *const status_name[] = {"pending", "done", "diverged", "failed"};

const char *ip_status_name(size_t i)
{
  return i < sizeof status_name / sizeof status_name[0] ? status_name[i] : NULL;
}

size_t ip_number_size(ip_number type)
{
  switch (type) {
  case IP_FLOAT64:
    return sizeof(double);
  case IP_FLOAT32:
    return sizeof(float);
  case IP_INT64:
    return sizeof(int64_t);
  case IP_UINT64:
    return sizeof(uint64_t);
  case IP_INT32:
    return sizeof(int32_t);
  case IP_INT8:
    return sizeof(int8_t);
  }
  return 0;
}

const ip_field *ip_field_row(size_t i)
{
  return i < IP_FIELDS ? &table[i] : NULL;
}

size_t ip_axis_length(const ip_plan *plan, ip_axis axis)
{
  switch (axis) {
  case IP_AXIS_COLUMN:
    return plan->n_columns;
  case IP_AXIS_EPOCH:
    return plan->n_epochs;
  case IP_AXIS_LAYER:
    return plan->n_layers;
  case IP_AXIS_WEIGHT:
    return plan->n_parameters;
  case IP_AXIS_LOOKED:
    return plan->save == IP_SAVE_LOOKED ? plan->n_epochs : 1;
  case IP_AXIS_BOUND:
    return 2;
  case IP_AXES:
    break;
  }
  return 0;
}

size_t ip_field_length(const ip_plan *plan, size_t field)
{
  size_t length = 1;

  for (size_t a = 0; a < table[field].n_axes; a++)
    length *= ip_axis_length(plan, table[field].axis[a]);
  return length;
}

PetscErrorCode ip_record_create(const ip_plan *plan, ip_record **record)
{
  ip_record *r = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(IP_ALLOCATE(1, &r));
  r->plan = plan;
  for (size_t f = 0; f < IP_FIELDS && code == PETSC_SUCCESS; f++)
    code = ip_allocate_bytes(ip_field_length(plan, f), ip_number_size(table[f].type),
                             &r->array[f]);
  if (code != PETSC_SUCCESS) {
    ip_record_destroy(&r);
    return code;
  }
  ip_record_reset(r, 0);
  *record = r;
  return PETSC_SUCCESS;
}

void ip_record_destroy(ip_record **record)
{
  if (!*record) return;
  for (size_t f = 0; f < IP_FIELDS; f++) ip_release(&(*record)->array[f]);
  ip_release(record);
}

void ip_record_reset(ip_record *record, size_t run)
{
  record->run = run;
  record->status = IP_STATUS_PENDING;
  record->seconds = 0.0;
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const size_t n = ip_field_length(record->plan, f);

    for (size_t i = 0; i < n; i++) {
      if (table[f].type == IP_FLOAT64) ((double *)record->array[f])[i] = (double)NAN;
      if (table[f].type == IP_FLOAT32) ((float *)record->array[f])[i] = NAN;
    }
    if (n > 0 && table[f].type != IP_FLOAT64 && table[f].type != IP_FLOAT32)
      memset(record->array[f], 0xff, n * ip_number_size(table[f].type)); /* -1 */
  }
}
