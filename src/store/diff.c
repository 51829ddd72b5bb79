/* Two files, run by run: what both measured, cell by cell, to the last bit.

   Runs are the same where their identities are.  Epochs and columns stand where each plan has them, so
   a record of one is moved to the axes of the other, and what only one of them measured is left out. */

#include "ledger.h"
#include "move.h"
#include "seal.h"
#include <infoplane/store.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *identity; /* borrowed */
  size_t row;
} entry;

typedef struct {
  const ledger *a, *b;
  ip_seals of_a, of_b;
  mover *there, *back;      /* a -> b, b -> a */
  ip_record *ra, *rb;       /* as read */
  ip_record *common, *from; /* of both what both have, on the axes of a */
  char **identity;          /* shape (runs of a, then of b) */
  entry *sorted;            /* shape (runs of b) */
  bool *met;                /* shape (runs of b) */
  ip_difference *d;
} comparison;

/* ---- runs of both ------------------------------------------------------------------------------- */

static int by_identity(const void *a, const void *b)
{
  return strcmp(((const entry *)a)->identity, ((const entry *)b)->identity);
}

static PetscErrorCode identify(comparison *c)
{
  const size_t n_a = c->a->plan->n_runs, n_b = c->b->plan->n_runs;

  PetscCall(IP_ALLOCATE(n_a + n_b, &c->identity));
  PetscCall(IP_ALLOCATE(n_b, &c->sorted));
  PetscCall(IP_ALLOCATE(n_b, &c->met));
  for (size_t r = 0; r < n_a + n_b; r++) {
    const bool of_b = r >= n_a;
    ip_text text = {0};

    const PetscErrorCode code =
        ip_plan_identity(of_b ? c->b->plan : c->a->plan, of_b ? r - n_a : r, &text);

    c->identity[r] = text.text; /* also what an error left unfinished: clear releases it */
    PetscCall(code);
    if (of_b) c->sorted[r - n_a] = (entry){.identity = text.text, .row = r - n_a};
  }
  qsort(c->sorted, n_b, sizeof *c->sorted, by_identity);
  return PETSC_SUCCESS;
}

static PetscErrorCode add_number(ip_text *list, const ip_plan *plan, size_t run)
{
  return ip_text_add(list, "%s%d", list->length ? " " : "", (int)plan->run[run].number);
}

/* ---- cells ---------------------------------------------------------------------------------------- */

static double number_at(ip_number type, const void *array, size_t i)
{
  switch (type) {
  case IP_FLOAT64:
    return ((const double *)array)[i];
  case IP_FLOAT32:
    return (double)((const float *)array)[i];
  case IP_INT64:
    return (double)((const int64_t *)array)[i];
  case IP_INT32:
    return (double)((const int32_t *)array)[i];
  case IP_INT8:
    return (double)((const int8_t *)array)[i];
  case IP_UINT64:
    return (double)((const uint64_t *)array)[i];
  }
  return (double)NAN;
}

/* "epoch 25, layer 3, column bin30" */
static void name_cell(const ip_plan *plan, const ip_field *field, size_t i,
                      char where[IP_DIFFERENCE_WHERE])
{
  size_t index[IP_LAYOUT_RANK] = {0}, length = 0;

  for (size_t a = field->n_axes; a-- > 0;) {
    index[a] = i % ip_axis_length(plan, field->axis[a]);
    i /= ip_axis_length(plan, field->axis[a]);
  }
  where[0] = '\0';
  for (size_t a = 0; a < field->n_axes && length < IP_DIFFERENCE_WHERE; a++) {
    const char *comma = a == 0 ? "" : ", ";
    char *at = where + length;
    const size_t room = IP_DIFFERENCE_WHERE - length;
    int n = 0;

    switch (field->axis[a]) {
    case IP_AXIS_COLUMN:
      n = snprintf(at, room, "%scolumn %s", comma, plan->column[index[a]].name);
      break;
    case IP_AXIS_EPOCH:
      n = snprintf(at, room, "%sepoch %d", comma, (int)plan->epoch[index[a]]);
      break;
    case IP_AXIS_LAYER:
      n = snprintf(at, room, "%slayer %zu", comma, index[a] + 1);
      break;
    case IP_AXIS_BOUND:
      n = snprintf(at, room, "%sthe look %s it", comma, index[a] == 0 ? "before" : "of");
      break;
    default:
      n = snprintf(at, room, "%splace %zu", comma, index[a]);
    }
    length += (size_t)n;
  }
}

static double distance(double x, double y)
{
  return isnan(x) != isnan(y) ? (double)INFINITY : isnan(x) ? 0.0 : fabs(x - y);
}

/* Compare a field of the run at hand. */
static void compare_field(comparison *c, size_t f, bool *differs)
{
  const ip_field *field = ip_field_row(f);
  const ip_plan *plan = c->a->plan;
  const size_t n = ip_field_length(c->b->plan, f) > 0 ? ip_field_length(plan, f) : 0,
               bytes = ip_number_size(field->type);
  const char *x = c->common->array[f], *y = c->from->array[f];
  ip_field_difference *d = &c->d->field[f];
  bool here = false;

  if (n == 0 || memcmp(x, y, n * bytes) == 0) return;
  for (size_t i = 0; i < n; i++) {
    const double left = number_at(field->type, x, i), right = number_at(field->type, y, i);

    /* NaN is NaN, of whatever bits */
    if (memcmp(x + i * bytes, y + i * bytes, bytes) == 0 || (isnan(left) && isnan(right)))
      continue;
    if (d->runs == 0 && !here) {
      d->run = plan->run[c->ra->run].number;
      d->a = left;
      d->b = right;
      name_cell(plan, field, i, d->where);
    }
    here = true;
    if (distance(left, right) > d->largest) d->largest = distance(left, right);
  }
  d->runs += (size_t)here;
  *differs = *differs || here;
}

static PetscErrorCode compare_run(comparison *c, size_t in_a, size_t in_b)
{
  ip_status of_a, of_b;
  bool bad_a, bad_b, differs = false;

  c->ra->run = in_a;
  c->rb->run = in_b;
  PetscCall(ip_seals_prove(&c->of_a, c->ra, &of_a, &bad_a));
  PetscCall(ip_seals_prove(&c->of_b, c->rb, &of_b, &bad_b));
  if (bad_a) PetscCall(add_number(&c->d->damaged[0], c->a->plan, in_a));
  if (bad_b) PetscCall(add_number(&c->d->damaged[1], c->b->plan, in_b));
  if (bad_a || bad_b) return PETSC_SUCCESS;
  if (of_a != of_b) return add_number(&c->d->status, c->a->plan, in_a);
  if (of_a == IP_STATUS_PENDING) {
    c->d->pending++;
    return PETSC_SUCCESS;
  }
  /* there and back: what the other has no place for is empty afterwards */
  c->from->run = c->common->run = in_a;
  mover_move(c->back, c->rb, c->from);
  mover_move(c->there, c->ra, c->rb);
  mover_move(c->back, c->rb, c->common);
  for (size_t f = 0; f < IP_FIELDS; f++) compare_field(c, f, &differs);
  c->d->compared++;
  return differs ? add_number(&c->d->runs, c->a->plan, in_a) : PETSC_SUCCESS;
}

static PetscErrorCode compare_runs(comparison *c)
{
  const size_t n_a = c->a->plan->n_runs, n_b = c->b->plan->n_runs;

  for (size_t r = 0; r < n_a; r++) {
    const entry key = {.identity = c->identity[r]};
    const entry *found = bsearch(&key, c->sorted, n_b, sizeof key, by_identity);

    if (!found) {
      PetscCall(add_number(&c->d->only[0], c->a->plan, r));
      continue;
    }
    c->met[found->row] = true;
    PetscCall(compare_run(c, r, found->row));
  }
  for (size_t r = 0; r < n_b; r++)
    if (!c->met[r]) PetscCall(add_number(&c->d->only[1], c->b->plan, r));
  return PETSC_SUCCESS;
}

/* ---- files ------------------------------------------------------------------------------------------ */

static PetscErrorCode compare_open(comparison *c)
{
  ip_seals_begin(c->a->plan, &c->of_a);
  ip_seals_begin(c->b->plan, &c->of_b);
  PetscErrorCode code = ip_seals_open(c->a->file, c->a->path, &c->of_a);

  if (!code) code = ip_seals_open(c->b->file, c->b->path, &c->of_b);
  if (!code) code = mover_create(c->a->plan, c->b->plan, &c->there);
  if (!code) code = mover_create(c->b->plan, c->a->plan, &c->back);
  if (!code) code = ip_record_create(c->a->plan, &c->ra);
  if (!code) code = ip_record_create(c->b->plan, &c->rb);
  if (!code) code = ip_record_create(c->a->plan, &c->common);
  if (!code) code = ip_record_create(c->a->plan, &c->from);
  if (!code) code = identify(c);
  if (!code) code = compare_runs(c);
  ip_seals_close(&c->of_a);
  ip_seals_close(&c->of_b);
  return code;
}

static void clear(comparison *c)
{
  const size_t n = c->identity ? c->a->plan->n_runs + c->b->plan->n_runs : 0;

  for (size_t r = 0; r < n; r++) ip_release(&c->identity[r]);
  ip_release(&c->identity);
  ip_release(&c->sorted);
  ip_release(&c->met);
  mover_destroy(&c->there);
  mover_destroy(&c->back);
  ip_record_destroy(&c->ra);
  ip_record_destroy(&c->rb);
  ip_record_destroy(&c->common);
  ip_record_destroy(&c->from);
}

/* The curve belongs to the data: it is not in config, nor under the checksum of a run. */
static bool same_curves(const ledger *a, const ledger *b)
{
  for (size_t i = 0; i < a->data->n; i++)
    for (size_t k = 0; k < b->data->n; k++) {
      const ip_data_shape *x = &a->data->assumed[i], *y = &b->data->assumed[k];

      if (strcmp(a->data->label[i], b->data->label[k]) != 0 || x->n_curve != y->n_curve)
        continue;
      for (size_t p = 0; p < x->n_curve; p++)
        if (x->curve[p].i_xt != y->curve[p].i_xt || x->curve[p].i_ty != y->curve[p].i_ty)
          return false;
    }
  return true;
}

PetscErrorCode ip_store_diff(const char *a, const char *b, ip_difference *difference)
{
  ip_difference d = {0};
  ledger of_a, of_b = {.file = -1};
  comparison c = {.a = &of_a, .b = &of_b, .d = &d};
  PetscErrorCode code = ledger_open(a, &of_a);

  if (!code) code = ledger_open(b, &of_b);
  if (!code) code = ip_options_difference(of_a.config, of_b.config, &d.config);
  if (!code) d.curves = !same_curves(&of_a, &of_b);
  if (!code) code = compare_open(&c);
  clear(&c);
  ledger_close(&of_a);
  ledger_close(&of_b);
  if (code)
    ip_difference_clear(&d);
  else
    *difference = d;
  return code;
}

bool ip_difference_none(const ip_difference *d)
{
  return d->config.length + d->runs.length + d->status.length + d->only[0].length +
                 d->only[1].length ==
             0 &&
         !d->curves;
}

void ip_difference_clear(ip_difference *d)
{
  ip_text_clear(&d->config);
  ip_text_clear(&d->runs);
  ip_text_clear(&d->status);
  for (int i = 0; i < 2; i++) {
    ip_text_clear(&d->only[i]);
    ip_text_clear(&d->damaged[i]);
  }
}
