/* The same run in two plans: epochs and columns of one stand elsewhere on the axes of the other. */

#include "move.h"
#include <string.h>

enum { ABSENT = -1, MOST_AXES = 3 };

struct mover {
  const ip_plan *from, *to;
  int32_t *column, *epoch; /* place on the axis of the other plan, or ABSENT */
};

static PetscErrorCode map_columns(mover *m)
{
  PetscCall(IP_ALLOCATE(m->from->n_columns, &m->column));
  for (size_t i = 0; i < m->from->n_columns; i++) {
    m->column[i] = ABSENT;
    for (size_t k = 0; k < m->to->n_columns; k++)
      if (strcmp(m->from->column[i].name, m->to->column[k].name) == 0)
        m->column[i] = (int32_t)k;
  }
  return PETSC_SUCCESS;
}

/* Both ascend. */
static PetscErrorCode map_epochs(mover *m)
{
  size_t k = 0;

  PetscCall(IP_ALLOCATE(m->from->n_epochs, &m->epoch));
  for (size_t i = 0; i < m->from->n_epochs; i++) {
    while (k < m->to->n_epochs && m->to->epoch[k] < m->from->epoch[i]) k++;
    const bool there = k < m->to->n_epochs && m->to->epoch[k] == m->from->epoch[i];

    m->epoch[i] = there ? (int32_t)k : ABSENT;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode mover_create(const ip_plan *from, const ip_plan *to, mover **m)
{
  mover *made = NULL;

  PetscCall(IP_ALLOCATE(1, &made));
  made->from = from;
  made->to = to;
  PetscErrorCode code = map_columns(made);

  if (!code) code = map_epochs(made);
  if (code)
    mover_destroy(&made);
  else
    *m = made;
  return code;
}

void mover_destroy(mover **m)
{
  if (!*m) return;
  ip_release(&(*m)->column);
  ip_release(&(*m)->epoch);
  ip_release(m);
}

/* Place i of an axis. */
static int32_t place(const mover *m, ip_axis axis, size_t i)
{
  if (axis == IP_AXIS_COLUMN) return m->column[i];
  if (axis == IP_AXIS_EPOCH) return m->epoch[i];
  if (axis == IP_AXIS_LOOKED && m->to->save == IP_SAVE_LOOKED) return m->epoch[i];
  return (int32_t)i;
}

/* The cell of the other record for cell number i of this field, ABSENT: there is none. */
static int64_t cell(const mover *m, const ip_field *field, size_t i)
{
  size_t index[MOST_AXES];
  int64_t at = 0;

  for (size_t a = field->n_axes; a-- > 0;) {
    const size_t length = ip_axis_length(m->from, field->axis[a]);

    index[a] = i % length;
    i /= length;
  }
  for (size_t a = 0; a < field->n_axes; a++) {
    const size_t length = ip_axis_length(m->to, field->axis[a]);
    const int32_t there = place(m, field->axis[a], index[a]);

    if (there < 0 || (size_t)there >= length) return ABSENT;
    at = at * (int64_t)length + there;
  }
  return at;
}

void mover_move(const mover *m, const ip_record *from, ip_record *to)
{
  ip_record_reset(to, to->run);
  to->status = from->status;
  to->seconds = from->seconds;
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const ip_field *field = ip_field_row(f);
    const size_t n = ip_field_length(m->from, f), bytes = ip_number_size(field->type);
    const bool kept = ip_field_length(m->to, f) > 0;

    for (size_t i = 0; i < n && kept; i++) {
      const int64_t at = cell(m, field, i);

      if (at >= 0)
        memcpy((char *)to->array[f] + (size_t)at * bytes, (char *)from->array[f] + i * bytes,
               bytes);
    }
  }
}
